/* spec/value.c - see value.h */
#include "spec/value.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "spec/names.h"

enum {
	CPU_MAX = 8191,
	DOMAIN_MAX = 253,
	LABEL_MAX = 63,
	PATH_LEN_MAX = 4096,
	STRING_MAX = 64 * 1024,
	TEXT_MAX = 1024 * 1024,
	ALLOWANCE_MS_MIN = 1,
	ALLOWANCE_MS_MAX = 1000
};

static const char letters_digits[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static int wrong(struct err *err, const char *right)
{
	return err_kind(err, ERR_INVALID, "must be %s", right);
}

/* Copy of "prefix" when @value is "prefix" plus @suffix and nothing after it. */
static char *without_suffix(const char *value, const char *suffix)
{
	if (!str_ends_with(value, suffix))
		return NULL;
	return xstrndup(value, strlen(value) - strlen(suffix));
}

static int check_string(const struct value_rule *rule, const char *value, struct err *err)
{
	int64_t max = rule->type == VALUE_TEXT ? TEXT_MAX : STRING_MAX;

	if (rule->max > 0)
		max = rule->max;
	if (strlen(value) > (size_t)max)
		return err_kind(err, ERR_INVALID, "must be at most %" PRIi64 " bytes", max);
	return 0;
}

static int check_bool(const struct value_rule *rule, const char *value, struct err *err)
{
	bool parsed;

	(void)rule;
	return parse_bool(value, &parsed) < 0 ? wrong(err, "true or false") : 0;
}

static int check_int(const struct value_rule *rule, const char *value, struct err *err)
{
	int64_t number;

	if (parse_i64(value, &number) < 0)
		return wrong(err, "a whole number");
	if (number < rule->min || (rule->max != 0 && number > rule->max)) {
		if (rule->max == 0)
			return err_kind(err, ERR_INVALID, "must be at least %" PRIi64, rule->min);
		return err_kind(err, ERR_INVALID, "must be from %" PRIi64 " to %" PRIi64, rule->min,
				rule->max);
	}
	return 0;
}

static int check_size(const struct value_rule *rule, const char *value, struct err *err)
{
	uint64_t bytes;

	if (parse_bytes(value, &bytes) < 0)
		return wrong(err, "a size like 512MiB or 2GB");
	if (bytes < (uint64_t)rule->min)
		return err_kind(err, ERR_INVALID, "must be at least %" PRIi64 " bytes", rule->min);
	return 0;
}

static int check_size_or_pct(const struct value_rule *rule, const char *value, struct err *err)
{
	_cleanup_(freep) char *number = without_suffix(value, "%");
	uint64_t pct;

	if (!number)
		return check_size(rule, value, err);
	if (parse_u64(number, 100, &pct) < 0 || pct == 0)
		return wrong(err, "1% to 100%, or a size like 512MiB");
	return 0;
}

static int check_bool_or_size(const struct value_rule *rule, const char *value, struct err *err)
{
	bool parsed;

	if (parse_bool(value, &parsed) == 0 || check_size(rule, value, NULL) == 0)
		return 0;
	return wrong(err, "true, false, or a size like 512MiB");
}

static int check_enum(const struct value_rule *rule, const char *value, struct err *err)
{
	_cleanup_(strv_freep) char **words = strv_split(rule->words, "|");
	_cleanup_(freep) char *list = NULL;

	if (strv_contains((const char *const *)words, value))
		return 0;
	list = strv_join((const char *const *)words, ", ");
	return words[1] ? err_kind(err, ERR_INVALID, "must be one of %s", list) : wrong(err, list);
}

/* "3" or "0-3", within the CPUs that a kernel can have. */
static bool is_cpu_range(const char *part)
{
	const char *dash = strchr(part, '-');
	_cleanup_(freep) char *low = dash ? xstrndup(part, (size_t)(dash - part)) : xstrdup(part);
	uint64_t first, last;

	if (parse_u64(low, CPU_MAX, &first) < 0)
		return false;
	return !dash || (parse_u64(dash + 1, CPU_MAX, &last) == 0 && first <= last);
}

static int check_cpus(const struct value_rule *rule, const char *value, struct err *err)
{
	static const char right[] = "a number of CPUs like 2, or a list like 0-3,6 (1-1: CPU 1)";
	_cleanup_(strv_freep) char **parts = strv_split(value, ",");
	_cleanup_(freep) char *joined = strv_join((const char *const *)parts, ",");

	(void)rule;
	if (!parts || !streq(joined, value))
		return wrong(err, right);
	for (char **part = parts; *part; part++)
		if (!is_cpu_range(*part))
			return wrong(err, right);
	return streq(value, "0") ? wrong(err, "at least one CPU") : 0;
}

/* "25ms" within the bounds of a CPU period. */
static bool is_allowance_ms(const char *text)
{
	_cleanup_(freep) char *number = without_suffix(text, "ms");
	uint64_t ms;

	return number && parse_u64(number, 100 * ALLOWANCE_MS_MAX, &ms) == 0 &&
	       ms >= ALLOWANCE_MS_MIN;
}

static int check_allowance(const struct value_rule *rule, const char *value, struct err *err)
{
	static const char right[] = "a share like 50%, or a quota like 25ms/100ms";
	_cleanup_(freep) char *pct = without_suffix(value, "%");
	_cleanup_(freep) char *quota = NULL, *period = NULL;
	const char *slash = strchr(value, '/');
	uint64_t number;

	(void)rule;
	if (pct)
		return parse_u64(pct, 100, &number) < 0 || number == 0
			       ? wrong(err, "1% to 100%, or a quota like 25ms/100ms")
			       : 0;
	if (!slash)
		return wrong(err, right);
	quota = xstrndup(value, (size_t)(slash - value));
	if (!is_allowance_ms(quota) || !is_allowance_ms(slash + 1))
		return wrong(err, right);
	period = without_suffix(slash + 1, "ms");
	if (parse_u64(period, ALLOWANCE_MS_MAX, &number) < 0)
		return wrong(err, "a quota whose period is at most 1000ms");
	return 0;
}

static int check_path(const struct value_rule *rule, const char *value, struct err *err)
{
	_cleanup_(strv_freep) char **parts = strv_split(value, "/");

	(void)rule;
	if (value[0] != '/' || strlen(value) >= PATH_LEN_MAX)
		return wrong(err, "an absolute path");
	return strv_contains((const char *const *)parts, "..") ? wrong(err, "a path without ..")
							       : 0;
}

static int check_name(const struct value_rule *rule, const char *value, struct err *err)
{
	return name_validate((enum name_kind)rule->min, value, err);
}

static int check_ifname(const struct value_rule *rule, const char *value, struct err *err)
{
	(void)rule;
	if (strlen(value) > 15 || streq(value, ".") || streq(value, "..") || streq(value, "lo"))
		return wrong(err, "an interface name of at most 15 characters, not lo");
	for (const char *p = value; *p; p++)
		if (!strchr(letters_digits, *p) && !strchr("._-", *p))
			return wrong(err, "an interface name: letters, digits, . _ -");
	return 0;
}

static int check_hwaddr(const struct value_rule *rule, const char *value, struct err *err)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	(void)rule;
	for (size_t i = 0; i < 17; i++)
		if (value[i] == '\0' || !strchr(i % 3 == 2 ? ":" : hex, value[i]))
			return wrong(err, "a MAC address like 00:16:3e:12:34:56");
	if (value[17] != '\0')
		return wrong(err, "a MAC address like 00:16:3e:12:34:56");
	if (strchr("13579bdfBDF", value[1]) || streq(value, "00:00:00:00:00:00"))
		return wrong(err, "a unicast MAC address");
	return 0;
}

/* @value up to @len is an address of @family. */
static bool is_address(int family, const char *value, size_t len)
{
	_cleanup_(freep) char *text = xstrndup(value, len);
	unsigned char address[16];

	return inet_pton(family, text, address) == 1;
}

static int check_ipv4(const struct value_rule *rule, const char *value, struct err *err)
{
	(void)rule;
	if (streq(value, "none") || is_address(AF_INET, value, strlen(value)))
		return 0;
	return wrong(err, "an IPv4 address like 10.0.0.2, or none");
}

static int check_ipv6(const struct value_rule *rule, const char *value, struct err *err)
{
	(void)rule;
	if (streq(value, "none") || is_address(AF_INET6, value, strlen(value)))
		return 0;
	return wrong(err, "an IPv6 address like fd00::2, or none");
}

static bool is_cidr(int family, const char *value, uint64_t prefix_min, uint64_t prefix_max)
{
	const char *slash = strchr(value, '/');
	uint64_t prefix;

	return slash && is_address(family, value, (size_t)(slash - value)) &&
	       parse_u64(slash + 1, prefix_max, &prefix) == 0 && prefix >= prefix_min;
}

static int check_ipv4_cidr(const struct value_rule *rule, const char *value, struct err *err)
{
	(void)rule;
	if (streq(value, "auto") || streq(value, "none") || is_cidr(AF_INET, value, 8, 30))
		return 0;
	return wrong(err, "an address with prefix like 10.0.0.1/24 (8 to 30), auto or none");
}

static int check_ipv6_cidr(const struct value_rule *rule, const char *value, struct err *err)
{
	(void)rule;
	if (streq(value, "auto") || streq(value, "none") || is_cidr(AF_INET6, value, 16, 126))
		return 0;
	return wrong(err, "an address with prefix like fd00::1/64 (16 to 126), auto or none");
}

static bool is_ipv4_range(const char *part)
{
	const char *dash = strchr(part, '-');
	struct in_addr low, high;
	_cleanup_(freep) char *first = dash ? xstrndup(part, (size_t)(dash - part)) : NULL;

	return dash && inet_pton(AF_INET, first, &low) == 1 &&
	       inet_pton(AF_INET, dash + 1, &high) == 1 && ntohl(low.s_addr) <= ntohl(high.s_addr);
}

static int check_ipv4_ranges(const struct value_rule *rule, const char *value, struct err *err)
{
	static const char right[] = "ranges like 10.0.0.2-10.0.0.99, separated by commas";
	_cleanup_(strv_freep) char **parts = strv_split(value, ",");

	(void)rule;
	if (!parts)
		return wrong(err, right);
	for (char **part = parts; *part; part++)
		if (!is_ipv4_range(*part))
			return wrong(err, right);
	return 0;
}

static bool is_label(const char *label)
{
	size_t len = strlen(label);

	if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (; *label; label++)
		if (!strchr(letters_digits, *label) && *label != '-')
			return false;
	return true;
}

static int check_domain(const struct value_rule *rule, const char *value, struct err *err)
{
	_cleanup_(strv_freep) char **labels = strv_split(value, ".");
	_cleanup_(freep) char *joined = strv_join((const char *const *)labels, ".");

	(void)rule;
	if (!labels || strlen(value) > DOMAIN_MAX || !streq(joined, value))
		return wrong(err, "a domain name");
	for (char **label = labels; *label; label++)
		if (!is_label(*label))
			return wrong(err, "a domain name of letters, digits and hyphens");
	return 0;
}

static int check_expiry(const struct value_rule *rule, const char *value, struct err *err)
{
	size_t len = strlen(value);
	_cleanup_(freep) char *number = xstrdup(value);
	uint64_t parsed;

	(void)rule;
	if (streq(value, "infinite"))
		return 0;
	if (len > 1 && strchr("smhdw", value[len - 1]))
		number[len - 1] = '\0';
	if (parse_u64(number, UINT32_MAX, &parsed) < 0 || parsed == 0)
		return wrong(err, "a time like 45m, 12h or 7d, or infinite");
	return 0;
}

static const struct {
	const char *name;
	int (*check)(const struct value_rule *rule, const char *value, struct err *err);
} types[] = {
	[VALUE_STRING] = { "string", check_string },
	[VALUE_TEXT] = { "string", check_string },
	[VALUE_BOOL] = { "bool", check_bool },
	[VALUE_INT] = { "integer", check_int },
	[VALUE_SIZE] = { "size", check_size },
	[VALUE_SIZE_OR_PCT] = { "size or percentage", check_size_or_pct },
	[VALUE_BOOL_OR_SIZE] = { "bool or size", check_bool_or_size },
	[VALUE_ENUM] = { "word", check_enum },
	[VALUE_CPUS] = { "number or list of CPUs", check_cpus },
	[VALUE_ALLOWANCE] = { "percentage or quota", check_allowance },
	[VALUE_PATH] = { "path", check_path },
	[VALUE_NAME] = { "name", check_name },
	[VALUE_IFNAME] = { "interface name", check_ifname },
	[VALUE_HWADDR] = { "MAC address", check_hwaddr },
	[VALUE_IPV4] = { "IPv4 address", check_ipv4 },
	[VALUE_IPV6] = { "IPv6 address", check_ipv6 },
	[VALUE_IPV4_CIDR] = { "IPv4 subnet", check_ipv4_cidr },
	[VALUE_IPV6_CIDR] = { "IPv6 subnet", check_ipv6_cidr },
	[VALUE_IPV4_RANGES] = { "IPv4 ranges", check_ipv4_ranges },
	[VALUE_DOMAIN] = { "domain name", check_domain },
	[VALUE_EXPIRY] = { "time", check_expiry },
};
static_assert(ARRAY_LEN(types) == VALUE_TYPE_MAX, "one row per type");

int value_check(const struct value_rule *rule, const char *value, struct err *err)
{
	if (rule->type != VALUE_TEXT && strpbrk(value, "\n\r"))
		return wrong(err, "a single line");
	return types[rule->type].check(rule, value, err);
}

const char *value_type_name(enum value_type type)
{
	return types[type].name;
}
