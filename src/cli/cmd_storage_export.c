/* cli/cmd_storage_export.c - storage volume export, import: custom volumes to files and back */
#include "base/mem.h"
#include "base/str.h"
#include "cli/backup_file.h"
#include "cli/commands.h"
#include "cli/storage_volume.h"

static const struct cli_option export_options[] = {
	{ 0, "compression", "none|gzip|xz|zstd", "how to compress (default zstd)", HINT_NONE },
	{ 0, "volume-only", NULL, "leave its snapshots out", HINT_NONE },
	{ 0 },
};

static int run_export(struct cli *cli, const struct cli_args *args)
{
	const char *wanted = args_get(args, "compression"), *name = NULL;
	const char *compression = wanted ? wanted : "zstd";
	_cleanup_(freep) char *word = client_escape(compression);
	_cleanup_(freep) char *suffix =
		xasprintf("/export?compression=%s%s", word,
			  args_has(args, "volume-only") ? "&volume_only=true" : "");
	_cleanup_(volume_kind_done) struct volume_kind kind;
	_cleanup_(freep) char *path = NULL;
	struct err err = { 0 };

	volume_kind_init(&kind, args->words[0]);
	if (volume_name(args->words[1], &name, &err) < 0)
		return cli_usage(args, &err);
	path = object_path(&kind.kind, name, suffix);
	const struct backup_source source = { path, name, compression };
	return backup_save(cli, &source, args_word(args, 2), &err) < 0
		       ? object_fail(cli, &kind.kind, name, "export", &err)
		       : CLI_OK;
}

static int run_import(struct cli *cli, const struct cli_args *args)
{
	const char *name = args_word(args, 2);
	_cleanup_(freep) char *path =
		client_path("/1.0/storage-pools/%s/volumes/custom", args->words[0]);
	_cleanup_(strv_freep) char **headers = NULL;
	struct err err = { 0 };

	if (name)
		strv_push_take(&headers, xasprintf("X-LXD-name: %s", name));
	if (backup_send(cli, path, headers, args->words[1], &err) < 0)
		return cli_fail(cli, args->words[1], "import", &err);
	return CLI_OK;
}

const struct cli_command cmd_storage_volume_export = {
	.path = "storage volume export",
	.usage = "POOL VOLUME [FILE|-]",
	.summary = "Write a custom volume to a file",
	.text = "The file is laid out as a backup of LXD and Incus, snapshots included. What is packed is\n"
		"a copy, so the volume is used meanwhile as before. \"-\" is standard output; without\n"
		"FILE it is VOLUME.tar.zst.",
	.example = "sysctr storage volume export default data data.tar.zst",
	.options = { export_options },
	.min_words = 2,
	.max_words = 3,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_FILE },
	.run = run_export,
};

const struct cli_command cmd_storage_volume_import = {
	.path = "storage volume import",
	.usage = "POOL FILE|- [NAME]",
	.summary = "Make a custom volume of a backup",
	.text = "FILE is what \"sysctr storage volume export\", LXD or Incus wrote (not with\n"
		"--optimized-storage). Without NAME it is called as it was.",
	.example = "sysctr storage volume import default data.tar.zst data2",
	.min_words = 2,
	.max_words = 3,
	.hints = { HINT_POOL, HINT_FILE, HINT_NONE },
	.run = run_import,
};
