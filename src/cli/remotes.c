/* cli/remotes.c - see remotes.h */
#include "cli/remotes.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "os/fd.h"
#include "spec/image_server.h"
#include "spec/names.h"

#define FILE_NAME     "remotes.yaml"
#define DEFAULT_NAME  "images"
#define DEFAULT_URL   "https://images.linuxcontainers.org"
#define HEX	      "0123456789abcdef"
#define FINGERPRINT_N 12 /* digits that make a word a fingerprint */

void remotes_done(struct remotes *remotes)
{
	strmap_done(&remotes->urls);
	free(remotes->chosen);
	*remotes = (struct remotes){ 0 };
}

/* ---- the file ---- */

/* The caller's own; NULL when there is no place for one. New string. */
static char *own_path(void)
{
	const char *given = getenv("SYSCTR_REMOTES"), *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (!str_empty(given))
		return xstrdup(given);
	if (geteuid() == 0)
		return xstrdup(SYSCTR_SYSCONFDIR "/" FILE_NAME);
	if (!str_empty(config))
		return xasprintf("%s/sysctr/" FILE_NAME, config);
	return str_empty(home) ? NULL : xasprintf("%s/.config/sysctr/" FILE_NAME, home);
}

/* Returns: 1, 0 when there is no such file, -errno. */
static int read_file(const char *path, struct buf *text, struct err *err)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, -errno, "open \"%s\"", path);
	r = fd_read_all(fd, YAML_BYTES_MAX, text);
	return r < 0 ? err_set(err, r, "read \"%s\"", path) : 1;
}

static int check_remote(const char *name, const json_t *remote, struct err *err)
{
	int r = name_validate(NAME_REMOTE, name, err);

	if (r == 0 && streq(name, REMOTE_LOCAL))
		r = err_kind(err, ERR_INVALID, "remote \"" REMOTE_LOCAL "\" is the daemon itself");
	if (r == 0 && !streq(json_str(remote, "protocol", "simplestreams"), "simplestreams"))
		r = err_kind(err, ERR_UNSUPPORTED,
			     "remote \"%s\": only the protocol simplestreams is offered", name);
	return r < 0 ? r : image_server_check(json_str(remote, "addr", ""), err);
}

static int take_document(const json_t *document, struct remotes *remotes, struct err *err)
{
	const char *name;
	json_t *remote;

	json_object_foreach(json_get_object(document, "remotes"), name, remote)
	{
		int r = check_remote(name, remote, err);

		if (r < 0)
			return r;
		strmap_set(&remotes->urls, name, json_str(remote, "addr", ""));
	}
	remotes->chosen = xstrdup(json_str(document, "default-remote", REMOTE_LOCAL));
	if (!streq(remotes->chosen, REMOTE_LOCAL) && !strmap_has(&remotes->urls, remotes->chosen))
		return err_kind(err, ERR_INVALID, "default-remote \"%s\" is not among the remotes",
				remotes->chosen);
	return 0;
}

static int parse(const struct buf *text, struct remotes *remotes, struct err *err)
{
	_cleanup_(json_decrefp) json_t *document = NULL;
	int r = yaml_parse(text->data, text->len, &document, err);

	if (r == 0 && document && !json_is_object(document) && !json_is_null(document))
		r = err_kind(err, ERR_INVALID, "must be a map");
	return r < 0 ? r : take_document(document, remotes, err);
}

int remotes_load(struct remotes *ret_remotes, struct err *err)
{
	static const char shared[] = SYSCTR_SYSCONFDIR "/" FILE_NAME;
	_cleanup_(freep) char *own = own_path();
	_cleanup_(buf_done) struct buf text = { 0 };
	struct remotes remotes = { 0 };
	const char *path = own ? own : shared;
	int r = read_file(path, &text, err);

	if (r == 0 && !getenv("SYSCTR_REMOTES")) {
		path = shared;
		r = read_file(path, &text, err);
	}
	if (r == 0) {
		strmap_set(&remotes.urls, DEFAULT_NAME, DEFAULT_URL);
		remotes.chosen = xstrdup(REMOTE_LOCAL);
	}
	if (r > 0 && parse(&text, &remotes, err) < 0)
		r = err_wrap(err, "\"%s\"", path);
	if (r < 0)
		remotes_done(&remotes);
	else
		*ret_remotes = remotes;
	return r < 0 ? r : 0;
}

static json_t *make_document(const struct remotes *remotes)
{
	json_t *list = json_object();

	strmap_for_each(entry, &remotes->urls)
	{
		(void)json_object_set_new(list, entry->key,
					  json_pack("{ssssss}", "addr", (const char *)entry->value,
						    "protocol", "simplestreams", "public", "true"));
	}
	return json_pack("{ssso}", "default-remote", remotes->chosen, "remotes", list);
}

static int make_dirs(const char *path, struct err *err)
{
	_cleanup_(freep) char *copy = xstrdup(path);

	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_set(err, -errno, "make directory \"%s\"", copy);
		*slash = '/';
	}
	return 0;
}

static int write_file(const char *path, const struct buf *text, struct err *err)
{
	_cleanup_(freep) char *part = xasprintf("%s.new", path);
	_cleanup_(fd_closep) int fd =
		open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : fd_write_all(fd, text->data, text->len);

	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(part, path) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		(void)unlink(part);
	return r < 0 ? err_set(err, r, "write \"%s\"", path) : 0;
}

int remotes_save(const struct remotes *remotes, struct err *err)
{
	_cleanup_(json_decrefp) json_t *document = make_document(remotes);
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(freep) char *path = own_path();
	int r;

	if (!path)
		return err_kind(err, ERR_INVALID, "HOME is not set: there is no place for it");
	yaml_emit(document, &text);
	r = make_dirs(path, err);
	return r < 0 ? r : write_file(path, &text, err);
}

/* ---- words ---- */

void remote_word_done(struct remote_word *word)
{
	free(word->server);
	*word = (struct remote_word){ 0 };
}

static int find_server(const struct remotes *remotes, const char *name, char **ret_server,
		       struct err *err)
{
	const char *url = strmap_get(&remotes->urls, name);

	if (!url && !streq(name, REMOTE_LOCAL))
		return err_kind(err, ERR_NOT_FOUND,
				"there is no remote \"%s\"; see: sysctr remote list", name);
	*ret_server = xstrdup(url);
	return 0;
}

int remote_split(const char *word, struct remote_word *ret_word, struct err *err)
{
	const char *colon = strchr(word, ':');
	_cleanup_(remotes_done) struct remotes remotes = { 0 };
	_cleanup_(freep) char *name = NULL;
	char *server = NULL;
	int r = remotes_load(&remotes, err);

	if (r < 0)
		return r;
	name = colon ? xstrndup(word, (size_t)(colon - word)) : xstrdup(remotes.chosen);
	r = find_server(&remotes, name, &server, err);
	if (r == 0)
		*ret_word = (struct remote_word){ server, colon ? colon + 1 : word };
	return r;
}

static bool is_fingerprint(const char *word)
{
	return strlen(word) >= FINGERPRINT_N && str_only(word, HEX);
}

json_t *remote_source(const struct remote_word *word)
{
	if (!word->server)
		return json_pack("{ssss}", "type", "image", "alias", word->image);
	return json_pack("{ssssssssss}", "type", "image", "mode", "pull", "protocol",
			 "simplestreams", "server", word->server,
			 is_fingerprint(word->image) ? "fingerprint" : "alias", word->image);
}

/* ---- what they have ---- */

int remote_list(struct cli *cli, const char *server, json_t **ret_images, struct err *err)
{
	_cleanup_(freep) char *escaped = client_escape(server);
	_cleanup_(freep) char *path = xasprintf("/1.0/remote-images?server=%s", escaped);

	return client_get(cli->client, path, ret_images, err);
}

static bool has_alias(const json_t *image, const char *name)
{
	json_t *alias;
	size_t i;

	json_array_foreach(json_get(image, "aliases"), i, alias)
	{
		if (streq(json_str(alias, "name", ""), name))
			return true;
	}
	return false;
}

int remote_find(struct cli *cli, const struct remote_word *word, json_t **ret_image,
		struct err *err)
{
	_cleanup_(json_decrefp) json_t *images = NULL;
	json_t *image, *found = NULL;
	size_t i;
	int r = remote_list(cli, word->server, &images, err);

	if (r < 0)
		return r;
	json_array_foreach(images, i, image)
	{
		if (has_alias(image, word->image) ||
		    (is_fingerprint(word->image) &&
		     str_after(json_str(image, "fingerprint", ""), word->image))) {
			found = image;
			break;
		}
	}
	if (!found)
		return err_kind(err, ERR_NOT_FOUND, "the server has no image \"%s\" for this host",
				word->image);
	*ret_image = json_incref(found);
	return 0;
}
