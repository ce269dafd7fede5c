/* cli/editor.c - see editor.h */
#include "cli/editor.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

extern char **environ;

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* The editor's words may hold options: a shell splits them, the file name is its $1. */
static int run_editor(const char *file, struct err *err)
{
	const char *editor = getenv("VISUAL");
	_cleanup_(freep) char *script = NULL;
	char sh[] = "sh", c[] = "-c";
	int status, r;
	pid_t pid;

	if (str_empty(editor))
		editor = getenv("EDITOR");
	if (str_empty(editor))
		editor = "vi";
	script = xasprintf("%s \"$1\"", editor);
	r = posix_spawn(&pid, "/bin/sh", NULL, NULL,
			(char *[]){ sh, c, script, sh, (char *)file, NULL }, environ);
	if (r != 0)
		return err_set(err, -r, "start the editor \"%s\"", editor);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, -errno, "wait for the editor");
	if (status != 0)
		return err_kind(err, ERR_CANCELLED, "the editor \"%s\" failed; nothing was changed",
				editor);
	return 0;
}

static int read_file(const char *file, struct buf *text, struct err *err)
{
	FILE *f = fopen(file, "re");
	size_t n;

	if (!f)
		return err_set(err, -errno, "read \"%s\"", file);
	text->len = 0;
	while ((n = fread(buf_reserve(text, 65536), 1, 65536, f)) > 0)
		text->len += n;
	buf_add(text, "", 0);
	(void)fclose(f);
	return 0;
}

int editor_run(struct buf *text, struct err *err)
{
	const char *dir = getenv("TMPDIR");
	_cleanup_(freep) char *file = xasprintf("%s/sysctr-XXXXXX.yaml", dir ? dir : "/tmp");
	_cleanup_(freep) char *before = xstrdup(buf_str(text));
	int fd = mkstemps(file, 5), r;

	if (fd < 0)
		return err_set(err, -errno, "create \"%s\"", file);
	r = write_all(fd, text->data, text->len);
	(void)close(fd);
	r = r < 0 ? err_set(err, r, "write \"%s\"", file) : run_editor(file, err);
	if (r == 0)
		r = read_file(file, text, err);
	(void)unlink(file);
	if (r < 0)
		return r;
	return streq(before, buf_str(text)) ? 1 : 0;
}

bool editor_ask_again(const char *problem)
{
	char answer[16];

	(void)fprintf(stderr, "Error: %s\nEdit again? [Y/n] ", problem);
	return fgets(answer, sizeof(answer), stdin) && answer[0] != 'n' && answer[0] != 'N';
}
