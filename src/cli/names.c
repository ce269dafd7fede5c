/* cli/names.c - see names.h */
#include "cli/names.h"

#include "base/str.h"
#include "cli/cli.h"
#include "codec/json.h"

int names_choose(struct cli *cli, const struct cli_args *args, const char *status,
		 char ***ret_names, struct err *err)
{
	_cleanup_(json_decrefp) json_t *instances = NULL;
	json_t *instance;
	size_t i;
	int r;

	*ret_names = NULL;
	if (!args_has(args, "all")) {
		for (i = 0; i < args->n_words; i++)
			if (!strv_contains((const char *const *)*ret_names, args->words[i]))
				strv_push(ret_names, args->words[i]);
		return 0;
	}
	if (args->n_words > 0)
		return err_kind(err, ERR_INVALID, "--all takes no names");
	r = client_get(cli->client, "/1.0/instances?recursion=1", &instances, err);
	if (r < 0)
		return r;
	json_array_foreach(instances, i,
			   instance) if (!status || streq(json_str(instance, "status", ""), status))
		strv_push(ret_names, json_str(instance, "name", ""));
	return 0;
}
