/* cli/cmd_wait.c - wait, and see wait.h */
#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/wait.h"
#include "codec/json.h"

enum {
	TIMEOUT_DEFAULT_S = 120,
	STEP_FIRST_MS = 20,
	STEP_LAST_MS = 250,
	STATUS_READY = 113
};

const char *const wait_names[] = { "ipv4", "ipv6", "ready", "running", "stopped", NULL };
static_assert(ARRAY_LEN(wait_names) == WAIT_MAX + 1, "one name per goal");

int wait_parse_goal(const char *word, const struct cli_args *args, struct wait_goal *ret_goal,
		    struct err *err)
{
	const char *near = str_nearest(word, wait_names);
	int64_t seconds;
	int r = args_number(args, "timeout", TIMEOUT_DEFAULT_S, &seconds, err);

	if (r < 0)
		return r;
	ret_goal->timeout_ns = seconds > 0 ? (uint64_t)seconds * NS_PER_S : 0;
	for (enum wait_what what = 0; what < WAIT_MAX; what++) {
		if (streq(word, wait_names[what])) {
			ret_goal->what = what;
			return 0;
		}
	}
	return err_kind(err, ERR_INVALID,
			"cannot wait for \"%s\": ipv4, ipv6, ready, running or stopped%s%s%s", word,
			near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

/* An address that reaches beyond the link. */
static bool has_address(const json_t *state, const char *family)
{
	const char *nic_name;
	json_t *nic, *address;
	size_t i;

	json_object_foreach(json_object_get(state, "network"), nic_name, nic)
		json_array_foreach(json_object_get(nic, "addresses"), i,
				   address) if (streq(json_str(address, "family", ""), family) &&
						streq(json_str(address, "scope", ""),
						      "global")) return true;
	return false;
}

static bool is_ready(const json_t *instance, const json_t *state)
{
	const json_t *config = json_object_get(instance, "config");

	return json_i64(state, "status_code", 0) == STATUS_READY ||
	       json_i64(instance, "status_code", 0) == STATUS_READY ||
	       streq(json_str(config, "volatile.last_state.ready", ""), "true");
}

static bool reached(const json_t *instance, enum wait_what what)
{
	const json_t *state = json_object_get(instance, "state");
	const char *status = json_str(instance, "status", "");

	switch (what) {
	case WAIT_IPV4:
		return has_address(state, "inet");
	case WAIT_IPV6:
		return has_address(state, "inet6");
	case WAIT_READY:
		return is_ready(instance, state);
	case WAIT_RUNNING:
		return streq(status, "Running") || streq(status, "Ready");
	case WAIT_STOPPED:
		return streq(status, "Stopped");
	case WAIT_MAX:
		break;
	}
	return false;
}

int wait_instance(struct cli *cli, const char *name, const struct wait_goal *goal, struct err *err)
{
	_cleanup_(freep) char *path = client_path("/1.0/instances/%s?recursion=1", name);
	uint64_t since_ns = time_mono_ns(), step_ms = STEP_FIRST_MS;

	for (;;) {
		_cleanup_(json_decrefp) json_t *instance = NULL;
		struct timespec pause = { .tv_nsec = (long)(step_ms * NS_PER_MS) };
		int r = client_get(cli->client, path, &instance, err);

		if (r < 0)
			return r;
		if (reached(instance, goal->what))
			return 0;
		if (goal->what < WAIT_RUNNING && streq(json_str(instance, "status", ""), "Stopped"))
			return err_kind(err, ERR_CONFLICT, "it is not running");
		if (goal->timeout_ns && time_mono_ns() - since_ns > goal->timeout_ns)
			return err_kind(err, ERR_INTERNAL, "not %s after %llu s",
					wait_names[goal->what],
					(unsigned long long)(goal->timeout_ns / NS_PER_S));
		if (nanosleep(&pause, NULL) < 0)
			return err_set(err, -errno, "wait");
		step_ms = MIN(step_ms * 3 / 2, STEP_LAST_MS);
	}
}

static const struct cli_option options[] = {
	{ 0, "timeout", "SECONDS", "give up after this time, 0 for never (default 120)",
	  HINT_NONE },
	{ 0 },
};

static int run(struct cli *cli, const struct cli_args *args)
{
	const char *word = args_word(args, 1);
	struct wait_goal goal;
	struct err err = { 0 };

	if (wait_parse_goal(word ? word : "ready", args, &goal, &err) < 0)
		return cli_usage(args, &err);
	if (wait_instance(cli, args_word(args, 0), &goal, &err) < 0)
		return object_fail(cli, &object_instance, args_word(args, 0), "wait", &err);
	return CLI_OK;
}

const struct cli_command cmd_wait = {
	.path = "wait",
	.usage = "NAME [ipv4|ipv6|ready|running|stopped]",
	.summary = "Wait until an instance has an address, has booted or has stopped",
	.text = "Without a second word it waits for \"ready\": its init has brought up everything.",
	.example = "sysctr wait web1 ipv4 --timeout 30",
	.options = { options },
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_INSTANCE, HINT_WAIT },
	.run = run,
};
