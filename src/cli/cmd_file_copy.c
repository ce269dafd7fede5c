/*
 * cli/cmd_file_copy.c - file push and pull: trees as one stream to or from the file server
 *
 * The stream's descriptors are the server's own: sysctrd hands them over and copies nothing. What
 * comes out of an instance is not believed (files/tree.h, T1).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/progress.h"
#include "client/fdlink.h"
#include "files/tree.h"
#include "os/fd.h"

enum {
	PIPE_BYTES = 1024 * 1024
};

static const struct cli_option copy_options[] = {
	{ 'r', "recursive", NULL, "copy directories with what is in them", HINT_NONE },
	{ 'p', "create-dirs", NULL, "make missing directories of the target", HINT_NONE },
	{ 'a', "archive", NULL,
	  "keep owners, modes, times and extended attributes; implies -r and -P", HINT_NONE },
	{ 'P', "no-dereference", NULL, "copy symbolic links as links (default with -r)",
	  HINT_NONE },
	{ 'L', "dereference", NULL, "copy what symbolic links lead to (default without -r)",
	  HINT_NONE },
	{ 'H', "dereference-named", NULL, "the same only for links that are named", HINT_NONE },
	{ 0 },
};

static const struct cli_option owner_options[] = {
	{ 0, "uid", "UID", "owner of the files (default 0 for new ones)", HINT_NONE },
	{ 0, "gid", "GID", "group of the files (default 0 for new ones)", HINT_NONE },
	{ 0, "mode", "MODE", "permissions of files in octal (default 0644, or 0755)", HINT_NONE },
	{ 0 },
};

struct copy {
	struct cli *cli;
	bool recursive, archive, parents;
	enum files_follow follow;
	struct file_owner owner;
	uint64_t failures;
	struct progress_bytes progress;
};

static void begin_copy(struct copy *copy, struct cli *cli, const struct cli_args *args,
		       const char *verb)
{
	*copy = (struct copy){
		.cli = cli,
		.archive = args_has(args, "archive"),
		.parents = args_has(args, "create-dirs"),
		.owner = { FILES_NO_ID, FILES_NO_ID, FILES_NO_MODE },
		.progress = progress_begin(verb),
	};
	copy->recursive = copy->archive || args_has(args, "recursive");
	copy->follow = copy->recursive ? FILES_FOLLOW_NONE : FILES_FOLLOW_ALL;
	if (args_has(args, "no-dereference"))
		copy->follow = FILES_FOLLOW_NONE;
	else if (args_has(args, "dereference"))
		copy->follow = FILES_FOLLOW_ALL;
	else if (args_has(args, "dereference-named"))
		copy->follow = FILES_FOLLOW_TOP;
	(void)signal(SIGPIPE, SIG_IGN); /* a server that ends early says why */
}

static void on_failed(void *data, const char *path, const char *text)
{
	struct copy *copy = data;
	_cleanup_(freep) char *clean_path = str_printable(path, false);
	_cleanup_(freep) char *clean_text = str_printable(text, false);

	progress_clear(copy->cli);
	copy->failures++;
	(void)fprintf(stderr, "Error: %s: %s\n", clean_path, clean_text);
}

static void on_copied(void *data, uint64_t bytes, uint64_t files)
{
	struct copy *copy = data;

	(void)files;
	copy->progress.done = bytes;
	progress_update(copy->cli, &copy->progress);
}

static struct tree_watch watch(struct copy *copy)
{
	return (struct tree_watch){ .failed = on_failed, .copied = on_copied, .data = copy };
}

static char *tree_url(const struct copy *copy, const struct file_place *place, const char *tree,
		      bool into)
{
	static const char *const follows[] = { "none", "top", "all" };
	_cleanup_(freep) char *files = file_url(place);
	struct buf url = { 0 };

	buf_printf(&url, "%s&tree=%s&recursive=%d&archive=%d&parents=%d&into=%d&follow=%s", files,
		   tree, copy->recursive, copy->archive, copy->parents, into,
		   follows[copy->follow]);
	if (copy->owner.uid != FILES_NO_ID)
		buf_printf(&url, "&uid=%u", copy->owner.uid);
	if (copy->owner.gid != FILES_NO_ID)
		buf_printf(&url, "&gid=%u", copy->owner.gid);
	if (copy->owner.mode != FILES_NO_MODE)
		buf_printf(&url, "&mode=%o", copy->owner.mode);
	return buf_take_str(&url);
}

/* A pipe to or from the server that holds much. */
static int make_pipe(int *ret_read_fd, int *ret_write_fd, struct err *err)
{
	int ends[2], r = fd_pipe(ends);

	if (r < 0)
		return err_set(err, r, "make a pipe");
	(void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES); /* less is only slower */
	*ret_read_fd = ends[0];
	*ret_write_fd = ends[1];
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What @path is called in its target: without slashes at the end, "." as what it stands for. */
static char *sent_name(const char *path)
{
	_cleanup_(freep) char *real = NULL;
	_cleanup_(freep) char *copy = xstrdup(path);
	size_t len = strlen(copy);

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	if (streq(base_name(copy), ".") || streq(base_name(copy), ".."))
		real = realpath(copy, NULL);
	return xstrdup(base_name(real ? real : copy));
}

/* ---- push ---- */

static int send_stdin(struct stream_out *out, struct tree_count *count, struct copy *copy)
{
	struct tree_entry entry = { .name = (char *)"stdin", .mode = 0644 };
	_cleanup_(freep) char *bytes = xmalloc(STREAM_BUFFER / 2);
	char whole = 0;
	ssize_t n;
	int r = stream_put_object(out, FRAME_FILE, &tree_entry_schema, &entry);

	while (r == 0 && (n = read(STDIN_FILENO, bytes, STREAM_BUFFER / 2)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			on_failed(copy, "standard input", strerror(errno));
			whole = 1;
			break;
		}
		r = stream_put(out, FRAME_DATA, bytes, (size_t)n);
		count->bytes += (uint64_t)n;
		on_copied(copy, count->bytes, 0);
	}
	return r < 0 ? r : stream_put(out, FRAME_END, &whole, 1);
}

static int send_sources(struct copy *copy, struct stream_out *out, char *const *sources,
			size_t n_sources)
{
	struct tree_send_plan plan = {
		.recursive = copy->recursive,
		.archive = copy->archive,
		.follow = copy->follow,
		.watch = watch(copy),
	};
	struct tree_count count = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_sources; i++) {
		_cleanup_(freep) char *name = sent_name(sources[i]);

		if (streq(sources[i], "-"))
			r = send_stdin(out, &count, copy);
		else if (str_empty(name))
			on_failed(copy, sources[i], "it has no name to be copied by");
		else
			r = tree_send(out, &plan, AT_FDCWD, sources[i], name, &count);
	}
	return r < 0 ? r : tree_send_done(out, &count, 0, NULL);
}

/* What the server could not do, and how it ended. Returns: 0, or -errno with *@err set. */
static int read_result(struct copy *copy, int fd, struct err *err)
{
	struct tree_failure failure = { 0 };
	struct tree_result result = { 0 };
	struct stream_in in;
	int r;

	stream_in_init(&in, fd);
	while ((r = stream_next(&in)) > 0 && in.type == FRAME_FAIL) {
		if (stream_object(&in, &tree_failure_schema, &failure) == 0)
			on_failed(copy, failure.path ? failure.path : "",
				  failure.text ? failure.text : "");
		wire_free(&tree_failure_schema, &failure);
	}
	if (r > 0 && in.type == FRAME_DONE)
		r = stream_object(&in, &tree_result_schema, &result);
	else
		r = -ECONNABORTED;
	if (r == 0 && result.code < 0)
		r = err_kind(err, (enum err_kind)MIN(result.kind, (uint32_t)ERR_CANCELLED), "%s",
			     result.text ? result.text : strerror(-result.code));
	else if (r < 0)
		(void)err_set(err, r, "the file server ended early");
	copy->failures = MAX(copy->failures, result.failures);
	wire_free(&tree_result_schema, &result);
	stream_in_done(&in);
	return r;
}

/* The server's own words count more than that a stream broke. */
static int end_link(struct fdlink *link, int r, struct err *err)
{
	struct err theirs = { 0 };
	int ended = file_wait(link, &theirs);

	if (ended < 0) {
		*err = theirs;
		return ended;
	}
	return r;
}

static int push(struct copy *copy, char *const *sources, size_t n_sources,
		const struct file_place *place, struct err *err)
{
	bool into = n_sources > 1 || str_ends_with(place->path, "/");
	_cleanup_(freep) char *url = tree_url(copy, place, "push", into);
	_cleanup_(fd_closep) int in_fd = -EBADF, back_fd = -EBADF, theirs_in = -EBADF;
	_cleanup_(fd_closep) int theirs_out = -EBADF;
	struct stream_out out = { 0 };
	struct fdlink *link;
	int r = make_pipe(&theirs_in, &in_fd, err);

	if (r == 0)
		r = make_pipe(&back_fd, &theirs_out, err);
	if (r == 0)
		r = file_connect(copy->cli, url, theirs_in, theirs_out, &link, err);
	if (r < 0)
		return r;
	theirs_in = fd_close(theirs_in);
	theirs_out = fd_close(theirs_out);
	out.fd = in_fd;
	(void)send_sources(copy, &out, sources, n_sources); /* broken: the result says why */
	buf_done(&out.buf);
	in_fd = fd_close(in_fd);
	r = read_result(copy, back_fd, err);
	return end_link(link, r, err);
}

static int run_push(struct cli *cli, const struct cli_args *args)
{
	const char *target = args->words[args->n_words - 1];
	size_t n = args->n_words - 1;
	struct file_place place = { 0 };
	struct err err = { 0 };
	struct copy copy;
	int r = file_place_parse(target, &place, &err);

	begin_copy(&copy, cli, args, "Pushing");
	if (r == 0)
		r = file_read_owner(args, &copy.owner, &err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (streq(args->words[i], "-") && (n > 1 || str_ends_with(place.path, "/")))
			r = err_kind(&err, ERR_INVALID,
				     "standard input needs a file name as its target");
	if (r < 0) {
		file_place_done(&place);
		return cli_usage(args, &err);
	}
	r = push(&copy, args->words, n, &place, &err);
	progress_clear(cli);
	file_place_done(&place);
	if (r < 0)
		return file_fail(cli, target, "push", &err);
	return copy.failures ? CLI_FAILED : CLI_OK;
}

const struct cli_command cmd_file_push = {
	.path = "file push",
	.usage = "SOURCE... NAME/PATH",
	.summary = "Copy files into an instance, running or stopped",
	.text = "SOURCE - is standard input. A PATH that is a directory, or ends with a slash, gets\n"
		"the sources under their names. New files belong to root and have mode 0644, or 0755\n"
		"if they may be executed; files that exist keep owner and mode unless -a, --uid,\n"
		"--gid or --mode says otherwise.",
	.example = "sysctr file push -r site/ web1/srv/www",
	.options = { copy_options, owner_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_FILE },
	.run = run_push,
};

/* ---- pull ---- */

/* One file to standard output; how it ended into *@ret_result. */
static int receive_stdout(struct copy *copy, struct stream_in *in, struct tree_result *ret_result,
			  struct err *err)
{
	static const char zeros[4096];
	int r;

	while ((r = stream_next(in)) > 0 && in->type != FRAME_DONE) {
		struct tree_failure failure = { 0 };
		const char *bytes;
		uint64_t hole = 0;
		ssize_t n;

		if (in->type == FRAME_DIR)
			return err_kind(err, ERR_INVALID,
					"a directory cannot go to standard output");
		if (in->type == FRAME_FAIL) {
			if (stream_object(in, &tree_failure_schema, &failure) == 0)
				on_failed(copy, failure.path ? failure.path : "",
					  failure.text ? failure.text : "");
			wire_free(&tree_failure_schema, &failure);
			continue;
		}
		while ((in->type == FRAME_DATA || in->type == FRAME_HOLE) &&
		       (n = stream_data(in, &bytes)) > 0) {
			if (in->type == FRAME_DATA)
				r = fd_write_all(STDOUT_FILENO, bytes, (size_t)n);
			for (ssize_t i = 0; in->type == FRAME_HOLE && i < MIN(n, 8); i++)
				hole |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
		}
		for (; r >= 0 && hole > 0; hole -= MIN(hole, sizeof(zeros)))
			r = fd_write_all(STDOUT_FILENO, zeros, (size_t)MIN(hole, sizeof(zeros)));
		if (r < 0)
			return err_set(err, r, "write to standard output");
	}
	if (r > 0)
		r = stream_object(in, &tree_result_schema, ret_result);
	else if (r == 0)
		r = -ECONNABORTED;
	return r < 0 ? err_set(err, r, "the file server ended early") : 0;
}

struct pull_target {
	int dir_fd; /* -EBADF: standard output */
	char *name; /* NULL: as it is called there */
};

static int receive(struct copy *copy, struct stream_in *in, const struct pull_target *target,
		   const char *source_name, struct err *err)
{
	struct tree_receive_plan plan = {
		.dir_fd = target->dir_fd,
		.top_name = target->name ? target->name : source_name,
		.is_target = target->name,
		.archive = copy->archive,
		.confined = true,
		.uid = FILES_NO_ID,
		.gid = FILES_NO_ID,
		.mode = FILES_NO_MODE,
		.watch = watch(copy),
	};
	struct tree_count count = { 0 };
	struct tree_result result = { 0 };
	int r;

	if (target->dir_fd < 0)
		r = receive_stdout(copy, in, &result, err);
	else
		r = tree_receive(in, &plan, &count, &result, err);
	if (r == 0 && result.code < 0)
		r = err_kind(err, (enum err_kind)MIN(result.kind, (uint32_t)ERR_CANCELLED), "%s",
			     result.text ? result.text : strerror(-result.code));
	copy->failures = MAX(copy->failures, result.failures);
	wire_free(&tree_result_schema, &result);
	return r;
}

static int pull_one(struct copy *copy, const struct file_place *place,
		    const struct pull_target *target, struct err *err)
{
	_cleanup_(freep) char *url = tree_url(copy, place, "pull", false);
	_cleanup_(freep) char *name = sent_name(place->path);
	_cleanup_(fd_closep) int data_fd = -EBADF, theirs = -EBADF, null_fd = -EBADF;
	struct stream_in in;
	struct fdlink *link;
	int r = make_pipe(&data_fd, &theirs, err);

	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (r == 0)
		r = file_connect(copy->cli, url, null_fd, theirs, &link, err);
	if (r < 0)
		return r;
	theirs = fd_close(theirs);
	stream_in_init(&in, data_fd);
	r = receive(copy, &in, target, str_empty(name) ? "." : name, err);
	stream_in_done(&in);
	data_fd = fd_close(data_fd);
	return r == -ECONNABORTED ? end_link(link, r, err) : (file_wait(link, NULL), r);
}

static int make_dirs(const char *path, struct err *err)
{
	_cleanup_(freep) char *copy = xstrdup(path);

	for (size_t at = 1;; at++) {
		char end = copy[at];

		if (end != '/' && end != '\0')
			continue;
		copy[at] = '\0';
		if (mkdir(copy, 0777) < 0 && errno != EEXIST)
			return err_set(err, -errno, "make \"%s\"", copy);
		copy[at] = end;
		if (end == '\0')
			return 0;
	}
}

static int open_dir(const char *path, struct err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_set(err, -errno, "open \"%s\"", path) : fd;
}

/* The directory that gets the sources, or for one of them its directory and new name. */
static int find_target(struct copy *copy, const char *word, size_t n_sources,
		       struct pull_target *ret_target, struct err *err)
{
	bool into = n_sources > 1 || str_ends_with(word, "/");
	_cleanup_(freep) char *parent = xstrdup(word);
	char *slash = strrchr(parent, '/');
	struct stat st;
	int r = 0;

	ret_target->dir_fd = -EBADF;
	if (streq(word, "-"))
		return 0;
	if (stat(word, &st) == 0 && S_ISDIR(st.st_mode))
		into = true;
	else if (copy->parents && into)
		r = make_dirs(word, err);
	if (!into) {
		ret_target->name = xstrdup(base_name(word));
		if (slash)
			slash[slash == parent] = '\0';
		else
			replace_str(&parent, ".");
		if (copy->parents)
			r = make_dirs(parent, err);
	}
	if (r == 0)
		r = ret_target->dir_fd = open_dir(into ? word : parent, err);
	return MIN(r, 0);
}

static int run_pull(struct cli *cli, const struct cli_args *args)
{
	size_t n = args->n_words - 1;
	struct pull_target target = { 0 };
	struct err err = { 0 };
	struct copy copy;
	int r, status;

	begin_copy(&copy, cli, args, "Pulling");
	r = find_target(&copy, args->words[n], n, &target, &err);
	status = r < 0 ? file_fail(cli, args->words[n], "pull", &err) : CLI_OK;
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct file_place place = { 0 };

		r = file_place_parse(args->words[i], &place, &err);
		if (r == 0)
			r = pull_one(&copy, &place, &target, &err);
		progress_clear(cli);
		if (r < 0)
			status = file_fail(cli, args->words[i], "pull", &err);
		file_place_done(&place);
	}
	(void)fd_close(target.dir_fd);
	freep(&target.name);
	return copy.failures && status == CLI_OK ? CLI_FAILED : status;
}

const struct cli_command cmd_file_pull = {
	.path = "file pull",
	.usage = "NAME/PATH... TARGET",
	.summary = "Copy files out of instances, running or stopped",
	.text = "TARGET - is standard output. A TARGET that is a directory, or ends with a slash, gets\n"
		"the files under their names. Files that are made never have set-id bits, nor file\n"
		"capabilities.",
	.example = "sysctr file pull web1/var/log/syslog .",
	.options = { copy_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE },
	.run = run_pull,
};
