/*
 * cli/object.h - what instances, profiles, networks, pools and images have in common (cli, sysctr)
 *
 * Show, get, set, unset and edit are the same for all of them: read the object, change its
 * writable part, write that back under the ETag it was read with.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/table.h"

struct object_kind {
	const char *word;	     /* "profile" */
	const char *collection;	     /* "/1.0/profiles" */
	const char *config;	     /* member with the pairs of get and set */
	const char *const *writable; /* members of PUT, NULL-terminated */
};

extern const struct object_kind object_instance, object_profile, object_network, object_pool,
	object_image, object_server;

/* "/1.0/profiles/web"; @suffix ("/state") is appended as it is. Returns: new string. */
char *object_path(const struct object_kind *kind, const char *name, const char *suffix);

int object_get(struct cli *cli, const struct object_kind *kind, const char *name,
	       json_t **ret_value, char **ret_etag, struct err *err);

/* Only the writable members of @value. Returns: owned. */
json_t *object_writable(const struct object_kind *kind, const json_t *value);

/* PUT the writable part. Returns as client_request(), operations waited for. */
int object_put(struct cli *cli, const struct object_kind *kind, const char *name,
	       const json_t *value, const char *etag, struct err *err);

/*
 * Read @name, let @change make what it wants of it, write that back; again when somebody else wrote
 * in between. @step: the verb, for messages. Returns: an exit status.
 */
int object_change(struct cli *cli, const struct object_kind *kind, const char *name,
		  const char *step, int (*change)(void *data, json_t *value, struct err *err),
		  void *data);

/* cli_fail() that looks for a similar name when there is no @name. */
int object_fail(struct cli *cli, const struct object_kind *kind, const char *name, const char *step,
		const struct err *err);

/* Names of all objects of @kind: owned. */
int object_names(struct cli *cli, const struct object_kind *kind, char ***ret_names,
		 struct err *err);

/* The verbs; @args' words are NAME [KEY...]; all return exit statuses. */
int object_show(const json_t *value); /* as YAML */
int object_run_show(struct cli *cli, const struct object_kind *kind, const struct cli_args *args);
int object_run_get(struct cli *cli, const struct object_kind *kind, const char *name,
		   const char *key);
int object_run_set(struct cli *cli, const struct object_kind *kind, const char *name, char **pairs);
int object_run_unset(struct cli *cli, const struct object_kind *kind, const char *name,
		     char **keys);
int object_run_edit(struct cli *cli, const struct object_kind *kind, const char *name);
int object_run_delete(struct cli *cli, const struct object_kind *kind, const struct cli_args *args);

/* Of commands that delete what is on a storage pool. */
#define OPTION_FORGET                                                                     \
	{                                                                                 \
		0, "forget", NULL, "its storage pool is lost: leave there what is on it", \
			HINT_NONE                                                         \
	}

/* For the end of the path of a DELETE. */
const char *forget_suffix(const struct cli_args *args);

/* What --forget has left, on standard error. */
void say_forgotten(struct cli *cli, const struct cli_args *args, const char *name);

/* GET @path and list it in the columns of @args' --format and --columns. */
int object_run_list(struct cli *cli, const struct cli_args *args, const char *path,
		    const struct column *columns, const char *initial);

/* How the rows of a command are shown: its --format and --columns. */
struct object_list {
	struct column_set columns;
	enum table_format format;
};

/*
 * Read them, before anything is asked or done. Returns: CLI_OK or, told, CLI_USAGE.
 * @initial: the columns when none are named.
 */
int object_list_begin(struct object_list *list, const struct cli_args *args,
		      const struct column *columns, const char *initial);

/* Show an array of objects. Returns: an exit status. */
int object_list_print(struct cli *cli, const struct cli_args *args, const struct object_list *list,
		      const json_t *rows);
void object_list_done(struct object_list *list);

/* --dry-run: for commands that edit; object_put() then shows what would change. */
extern const struct cli_option object_edit_options[];

/* --format, --columns: for commands that list. */
extern const struct cli_option object_list_options[];

/* "KEY=VALUE" ... or "KEY VALUE" into @config, an object of strings. Errors: ERR_INVALID. */
int pairs_apply(char **pairs, json_t *config, struct err *err);

/* Standard input is a file or a pipe; a terminal, /dev/null or a socket says nothing. */
bool stdin_is_given(void);

/* All of standard input. Errors: -EFBIG above a megabyte. */
int read_stdin(struct buf *text, struct err *err);

/* YAML or JSON to an object whose booleans are such. Errors: ERR_INVALID. */
int document_parse(const char *text, size_t len, json_t **ret_value, struct err *err);
