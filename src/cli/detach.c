/* cli/detach.c - see detach.h */
#include "cli/detach.h"

#include <string.h>

#include "base/macro.h"
#include "base/str.h"

enum {
	CONTROL_MASK = 0x1f
};

int detach_parse(const char *text, struct detach *ret_detach, struct err *err)
{
	const char *key = str_after(text, "ctrl-");

	if (!key)
		key = str_after(text, "^");
	*ret_detach = (struct detach){ 0 };
	if (streq(text, "none"))
		return 0;
	/* ctrl-m, ctrl-j and ctrl-[ are Enter and Escape: nobody could type without leaving */
	if (!key || !key[0] || key[1] || !strchr("abcdefghiklnopqrstuvwxyz]\\_", key[0]))
		return err_kind(err, ERR_INVALID,
				"\"%s\" is no key to leave by: ctrl-a and the like, or none", text);
	ret_detach->prefix = (char)(key[0] & CONTROL_MASK);
	return 0;
}

size_t detach_filter(struct detach *detach, char *bytes, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len && !detach->wanted; i++) {
		if (detach->prefix_seen) {
			detach->prefix_seen = false;
			detach->wanted = bytes[i] == 'q';
			if (!detach->wanted)
				bytes[kept++] = bytes[i];
		} else if (detach->prefix && bytes[i] == detach->prefix) {
			detach->prefix_seen = true;
		} else {
			bytes[kept++] = bytes[i];
		}
	}
	return kept;
}
