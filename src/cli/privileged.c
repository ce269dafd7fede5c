/* cli/privileged.c - see privileged.h */
#include "cli/privileged.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/object.h"
#include "cli/progress.h"
#include "codec/json.h"

bool privileged_is(const json_t *instance)
{
	const json_t *config = json_object_get(instance, "expanded_config");
	bool value;

	return parse_bool(json_str(config, "security.privileged", ""), &value) == 0 && value;
}

void privileged_warn_user(struct cli *cli, const char *name)
{
	_cleanup_(freep) char *path = object_path(&object_instance, name, "");
	_cleanup_(json_decrefp) json_t *instance = NULL;

	/* What it is about has worked: a daemon that does not answer now is no failure of that. */
	if (client_get(cli->client, path, &instance, NULL) < 0 || !privileged_is(instance))
		return;
	progress_clear(cli);
	(void)fprintf(stderr,
		      "Warning: %s is privileged: " PRIVILEGED_WORDS
		      ", and can take over the host (security.privileged)\n",
		      name);
}
