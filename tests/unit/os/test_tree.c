/* tests/unit/os/test_tree.c - os/tree_remove.h and os/tree_copy.h on trees that others made */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "os/fd.h"
#include "os/tree_copy.h"
#include "os/tree_remove.h"
#include "os/tree_usage.h"

enum {
	DEEP = 3000 /* levels: more than descriptors, and paths longer than PATH_MAX */
};

struct dirs {
	char path[64];
	int fd;
};

static int setup(void **state)
{
	struct dirs *dirs = *state = xcalloc(1, sizeof(*dirs));

	(void)snprintf(dirs->path, sizeof(dirs->path), "/tmp/sysctr-unit-XXXXXX");
	assert_non_null(mkdtemp(dirs->path));
	dirs->fd = open(dirs->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dirs->fd >= 0);
	return 0;
}

static int teardown(void **state)
{
	struct dirs *dirs = *state;

	int tmp_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(tree_remove(tmp_fd, dirs->path + strlen("/tmp/"), NULL, NULL), 0);
	(void)fd_close(tmp_fd);
	(void)fd_close(dirs->fd);
	free(dirs);
	return 0;
}

static void put_file(int dir_fd, const char *name, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	(void)fd_close(fd);
}

static int make_dir(int dir_fd, const char *name)
{
	assert_int_equal(mkdirat(dir_fd, name, 0755), 0);
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void make_deep(int dir_fd, const char *name, int levels)
{
	int fd = make_dir(dir_fd, name);

	for (int i = 0; i < levels; i++) {
		put_file(fd, "f", "x");
		int next = make_dir(fd, "d");
		(void)fd_close(fd);
		fd = next;
	}
	(void)fd_close(fd);
}

static void test_remove_deep(void **state)
{
	struct dirs *dirs = *state;
	struct stat st;

	make_deep(dirs->fd, "deep", DEEP);
	assert_int_equal(tree_remove(dirs->fd, "deep", NULL, NULL), 0);
	assert_int_equal(fstatat(dirs->fd, "deep", &st, 0), -1);
}

static void test_remove_names(void **state)
{
	static const char *const names[] = { "-rf",	" ",	    "\n",	    ".deep-0",
					     ".deep-1", "\xff\xfe", "a\\b\"c'$(x)", "..x",
					     "...",	NULL };
	struct dirs *dirs = *state;
	int fd = make_dir(dirs->fd, "names");

	for (size_t i = 0; names[i]; i++)
		make_deep(fd, names[i], i < 3 ? 60 : 1);
	(void)fd_close(fd);
	assert_int_equal(tree_remove(dirs->fd, "names", NULL, NULL), 0);
	assert_int_equal(tree_remove(dirs->fd, "names", NULL, NULL), 0);
}

static void test_remove_follows_no_link(void **state)
{
	struct dirs *dirs = *state;
	int keep = make_dir(dirs->fd, "keep");
	int fd = make_dir(dirs->fd, "gone");
	struct stat st;

	put_file(keep, "f", "x");
	assert_int_equal(symlinkat("../keep", fd, "link"), 0);
	assert_int_equal(symlinkat("/", fd, "root"), 0);
	assert_int_equal(symlinkat("keep", dirs->fd, "top"), 0);
	assert_int_equal(tree_remove(dirs->fd, "gone", NULL, NULL), 0);
	assert_int_equal(tree_remove(dirs->fd, "top", NULL, NULL), 0);
	assert_int_equal(fstatat(keep, "f", &st, 0), 0);
	assert_int_equal(tree_remove(dirs->fd, "keep/..", NULL, NULL), -EINVAL);
	assert_int_equal(tree_remove(dirs->fd, "..", NULL, NULL), -EINVAL);
	(void)fd_close(keep);
	(void)fd_close(fd);
}

static bool always(void *data)
{
	(void)data;
	return true;
}

static void test_remove_cancelled(void **state)
{
	struct dirs *dirs = *state;
	struct stat st;

	make_deep(dirs->fd, "deep", 3);
	assert_int_equal(tree_remove(dirs->fd, "deep", always, NULL), -ECANCELED);
	assert_int_equal(fstatat(dirs->fd, "deep", &st, 0), 0);
}

static int copy(struct dirs *dirs, char failed[PATH_MAX])
{
	int src = openat(dirs->fd, "src", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int dst = make_dir(dirs->fd, "dst");

	int r = tree_copy(src, dst, NULL, NULL, failed);
	(void)fd_close(src);
	(void)fd_close(dst);
	return r;
}

static void make_sparse(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 04755);

	assert_int_equal(ftruncate(fd, 100 << 20), 0);
	assert_int_equal(pwrite(fd, "end", 3, (100 << 20) - 3), 3);
	assert_int_equal(pwrite(fd, "mid", 3, 50 << 20), 3);
	assert_int_equal(fchmod(fd, 04755), 0);
	(void)fsetxattr(fd, "user.test", "value", 5, 0); /* not on every file system */
	(void)fd_close(fd);
}

static void test_copy(void **state)
{
	struct dirs *dirs = *state;
	int src = make_dir(dirs->fd, "src");
	struct stat a, b;
	char failed[PATH_MAX], bytes[4] = "";

	make_sparse(src, "sparse");
	assert_int_equal(linkat(src, "sparse", src, "again", 0), 0);
	assert_int_equal(symlinkat("/nowhere", src, "sym"), 0);
	assert_int_equal(linkat(src, "sym", src, "sym2", 0), 0);
	make_deep(src, "deep", 100);
	assert_int_equal(fchmodat(src, "deep/d", 0711, 0), 0);
	assert_int_equal(copy(dirs, failed), 0);
	assert_int_equal(fstatat(dirs->fd, "dst/sparse", &a, 0), 0);
	assert_int_equal(a.st_size, 100 << 20);
	assert_int_equal(a.st_mode & 07777, 04755);
	assert_true(a.st_blocks < 1000);
	assert_int_equal(fstatat(dirs->fd, "dst/again", &b, 0), 0);
	assert_true(a.st_ino == b.st_ino);
	int fd = openat(dirs->fd, "dst/sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, bytes, 3, 50 << 20), 3);
	assert_string_equal(bytes, "mid");
	(void)fd_close(fd);
	assert_int_equal(fstatat(dirs->fd, "dst/sym2", &b, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(b.st_nlink, 2);
	assert_int_equal(fstatat(dirs->fd, "dst/deep/d", &b, 0), 0);
	assert_int_equal(b.st_mode & 07777, 0711);
	(void)fd_close(src);
}

static void test_copy_too_deep(void **state)
{
	struct dirs *dirs = *state;
	int src = make_dir(dirs->fd, "src");
	char failed[PATH_MAX];

	make_deep(src, "deep", DEEP);
	assert_int_equal(copy(dirs, failed), -ELOOP);
	assert_true(strlen(failed) > 1000);
	(void)fd_close(src);
}

static int64_t wall_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void change_file(int dir_fd, const char *name, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	(void)fd_close(fd);
}

static void assert_text(int dir_fd, const char *path, const char *expected)
{
	char text[64];

	assert_true(fd_read_file_at(dir_fd, path, text, sizeof(text)) >= 0);
	assert_string_equal(text, expected);
}

/* Everything that can happen between two passes; size and times of "sly" say that nothing did. */
static void test_copy_update(void **state)
{
	struct dirs *dirs = *state;
	int src = make_dir(dirs->fd, "src"), dst = make_dir(dirs->fd, "dst");
	int64_t since = wall_now_ns() - 1000000000;
	struct tree_copy_how how = { .live = true, .since_wall_ns = since };
	struct stat st, other;

	put_file(src, "same", "x");
	put_file(src, "sly", "old");
	put_file(src, "gone", "x");
	put_file(src, "becomes-dir", "x");
	put_file(src, "link1", "one");
	assert_int_equal(linkat(src, "link1", src, "link2", 0), 0);
	assert_int_equal(linkat(src, "link1", src, "link3", 0), 0);
	(void)fd_close(make_dir(src, "becomes-file"));
	int sub = make_dir(src, "sub");
	put_file(sub, "gone", "x");
	(void)fsetxattr(sub, "user.gone", "1", 1, 0);
	assert_int_equal(tree_copy_with(src, dst, &how, NULL), 0);

	assert_int_equal(fstatat(src, "sly", &st, 0), 0);
	change_file(src, "sly", "new");
	struct timespec times[2] = { st.st_atim, st.st_mtim };
	assert_int_equal(utimensat(src, "sly", times, 0), 0);
	assert_int_equal(unlinkat(src, "gone", 0), 0);
	assert_int_equal(unlinkat(src, "becomes-dir", 0), 0);
	(void)fd_close(make_dir(src, "becomes-dir"));
	assert_int_equal(unlinkat(src, "becomes-file", AT_REMOVEDIR), 0);
	put_file(src, "becomes-file", "file");
	assert_int_equal(unlinkat(src, "link3", 0), 0);
	put_file(src, "link3", "alone");
	assert_int_equal(unlinkat(sub, "gone", 0), 0);
	(void)fremovexattr(sub, "user.gone");
	put_file(sub, "fresh", "f");

	how.live = false;
	how.update = true;
	assert_int_equal(tree_copy_with(src, dst, &how, NULL), 0);
	assert_text(dst, "same", "x");
	assert_text(dst, "sly", "new");
	assert_text(dst, "becomes-file", "file");
	assert_text(dst, "link3", "alone");
	assert_text(dst, "sub/fresh", "f");
	assert_int_equal(fstatat(dst, "gone", &st, 0), -1);
	assert_int_equal(fstatat(dst, "sub/gone", &st, 0), -1);
	assert_int_equal(fstatat(dst, "becomes-dir", &st, 0), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(fstatat(dst, "link1", &st, 0), 0);
	assert_int_equal(fstatat(dst, "link2", &other, 0), 0);
	assert_true(st.st_ino == other.st_ino && st.st_nlink == 2);
	int dst_sub = openat(dst, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fgetxattr(dst_sub, "user.gone", NULL, 0) < 0);
	(void)fd_close(dst_sub);
	(void)fd_close(sub);
	(void)fd_close(src);
	(void)fd_close(dst);
}

/* What is older than the first pass is not read again. */
static void test_copy_update_keeps(void **state)
{
	struct dirs *dirs = *state;
	int src = make_dir(dirs->fd, "src"), dst = make_dir(dirs->fd, "dst");
	struct tree_copy_how how = { .update = true, .since_wall_ns = wall_now_ns() + 1000000000 };
	struct stat before, after;

	put_file(src, "file", "text");
	assert_int_equal(tree_copy(src, dst, NULL, NULL, NULL), 0);
	assert_int_equal(fstatat(dst, "file", &before, 0), 0);
	assert_int_equal(tree_copy_with(src, dst, &how, NULL), 0);
	assert_int_equal(fstatat(dst, "file", &after, 0), 0);
	assert_true(before.st_ino == after.st_ino);
	(void)fd_close(src);
	(void)fd_close(dst);
}

enum {
	MANY_DIRS = 20,
	MANY_FILES = 50 /* in each: more than one process copies alone */
};

/* Directories and files with attributes of their own; every tenth file has a second name. */
static void make_many(int dir_fd)
{
	char name[16], text[16];

	for (int i = 0; i < MANY_DIRS; i++) {
		const struct timespec times[2] = { { .tv_sec = i }, { .tv_sec = 1000 + i } };

		(void)snprintf(name, sizeof(name), "d%d", i);
		int dir = make_dir(dir_fd, name);
		for (int j = 0; j < MANY_FILES; j++) {
			(void)snprintf(name, sizeof(name), "f%d", j);
			(void)snprintf(text, sizeof(text), "%d %d", i, j);
			put_file(dir, name, text);
			assert_int_equal(fchmodat(dir, name, j % 2 ? 0600 : 0644, 0), 0);
			assert_int_equal(utimensat(dir, name, times, 0), 0);
		}
		(void)fd_close(make_dir(dir, "below"));
		assert_int_equal(linkat(dir, "f0", dir, "again", 0), 0);
		assert_int_equal(fchmod(dir, 02555), 0);
		assert_int_equal(futimens(dir, times), 0);
		(void)fd_close(dir);
	}
}

static void assert_many(int dir_fd)
{
	char path[32], text[16];
	struct stat st, again;

	for (int i = 0; i < MANY_DIRS; i++) {
		for (int j = 0; j < MANY_FILES; j++) {
			(void)snprintf(path, sizeof(path), "d%d/f%d", i, j);
			(void)snprintf(text, sizeof(text), "%d %d", i, j);
			assert_text(dir_fd, path, text);
			assert_int_equal(fstatat(dir_fd, path, &st, 0), 0);
			assert_int_equal(st.st_mode & 07777, j % 2 ? 0600 : 0644);
			assert_int_equal(st.st_mtim.tv_sec, 1000 + i);
		}
		(void)snprintf(path, sizeof(path), "d%d/f0", i);
		assert_int_equal(fstatat(dir_fd, path, &st, 0), 0);
		(void)snprintf(path, sizeof(path), "d%d/again", i);
		assert_int_equal(fstatat(dir_fd, path, &again, 0), 0);
		assert_true(st.st_ino == again.st_ino);
		(void)snprintf(path, sizeof(path), "d%d", i);
		assert_int_equal(fstatat(dir_fd, path, &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 02555);
		assert_int_equal(st.st_mtim.tv_sec, 1000 + i);
	}
}

/* Several processes do it, where there are several processors and blocks are not shared. */
static void test_copy_many(void **state)
{
	struct dirs *dirs = *state;
	int src = make_dir(dirs->fd, "src"), dst = make_dir(dirs->fd, "dst");
	struct tree_copy_how how = { .live = true, .marks = true };
	char failed[PATH_MAX];

	make_many(src);
	assert_int_equal(tree_copy_with(src, dst, &how, failed), 0);
	assert_string_equal(failed, "");
	assert_many(dst);
	how = (struct tree_copy_how){ .update = true, .since_wall_ns = wall_now_ns() };
	assert_int_equal(tree_copy_with(src, dst, &how, failed), 0);
	assert_many(dst);
	assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	(void)fd_close(src);
	(void)fd_close(dst);
}

static bool after_a_while(void *data)
{
	int *asked = data;

	return ++*asked == MANY_FILES * MANY_DIRS / 2;
}

static void test_copy_many_fails(void **state)
{
	struct dirs *dirs = *state;
	int src = make_dir(dirs->fd, "src"), asked = 0;
	const struct rlimit small = { .rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY };
	struct rlimit before;
	char failed[PATH_MAX];

	make_many(src);
	(void)fd_close(make_dir(src, "z"));
	make_sparse(src, "z/big");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	int r = copy(dirs, failed);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -EFBIG);
	assert_string_equal(failed, "z/big");

	int dst = make_dir(dirs->fd, "dst2");
	assert_int_equal(tree_copy(src, dst, after_a_while, &asked, failed), -ECANCELED);
	assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	(void)fd_close(dst);
	(void)fd_close(src);
}

/* Shared: what one of the crew found. */
struct finding {
	pid_t finder;
	bool found, heard;
};

/* As with a full disk, which whoever is asked keeps in mind: the crew sees it, and then the finder. */
static bool is_full(void *data)
{
	struct finding *finding = data;
	siginfo_t info;

	if (getpid() != finding->finder) {
		finding->found = true;
		return true;
	}
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		return false; /* there is a crew */
	finding->heard = finding->found;
	return finding->found;
}

static void test_copy_many_cancelled_by_crew(void **state)
{
	struct dirs *dirs = *state;
	int src = make_dir(dirs->fd, "src"), dst = make_dir(dirs->fd, "dst");
	struct finding *finding = mmap(NULL, sizeof(*finding), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(finding != MAP_FAILED);
	finding->finder = getpid();
	make_many(src);
	int r = tree_copy(src, dst, is_full, finding, NULL);
	/* with one processor, or where blocks are shared, nobody finds anything */
	assert_int_equal(r, finding->found ? -ECANCELED : 0);
	assert_true(finding->heard == finding->found);
	assert_int_equal(munmap(finding, sizeof(*finding)), 0);
	(void)fd_close(dst);
	(void)fd_close(src);
}

/* "app" makes way for a directory with files of the same names, sizes and times. */
static void test_copy_update_renamed(void **state)
{
	struct dirs *dirs = *state;
	int src = make_dir(dirs->fd, "src"), dst = make_dir(dirs->fd, "dst");
	int64_t since = wall_now_ns() + 1000000000; /* no change time tells */
	struct tree_copy_how how = { .live = true, .marks = true, .since_wall_ns = since };
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	const char *const names[] = { "app", "app.new" }, *const texts[] = { "old", "new" };
	struct stat kept, st;

	for (size_t i = 0; i < 2; i++) {
		int dir = make_dir(src, names[i]);
		put_file(dir, "file", texts[i]);
		assert_int_equal(utimensat(dir, "file", times, 0), 0);
		(void)fd_close(dir);
	}
	int stays = make_dir(src, "stays");
	put_file(stays, "file", "text");
	assert_int_equal(tree_copy_with(src, dst, &how, NULL), 0);
	assert_int_equal(fstatat(dst, "stays/file", &kept, 0), 0);
	assert_int_equal(renameat(src, "app", src, "app.old"), 0);
	assert_int_equal(renameat(src, "app.new", src, "app"), 0);

	how = (struct tree_copy_how){ .update = true, .since_wall_ns = since };
	assert_int_equal(tree_copy_with(src, dst, &how, NULL), 0);
	assert_text(dst, "app/file", "new");
	assert_text(dst, "app.old/file", "old");
	assert_int_equal(fstatat(dst, "app.new", &st, 0), -1);
	assert_int_equal(fstatat(dst, "stays/file", &st, 0), 0);
	assert_true(st.st_ino == kept.st_ino);
	int fd = openat(dst, "stays", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flistxattr(fd, NULL, 0), 0);
	(void)fd_close(fd);
	(void)fd_close(stays);
	(void)fd_close(src);
	(void)fd_close(dst);
}

/* A program that has a lease on @name (fcntl(2)) and ends when it is asked for that, if it @listens. */
static pid_t take_lease(int dir_fd, const char *name, bool listens)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGIO, listens ? SIG_DFL : SIG_IGN);
		if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
			(void)!write(ready[1], "x", 1);
		(void)close(ready[1]);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static bool third_time(void *data)
{
	int *asked = data;

	return ++*asked == 3;
}

/* What a file server that grants its clients leases does to files of the tree. */
static void test_copy_leased(void **state)
{
	struct dirs *dirs = *state;
	int src = make_dir(dirs->fd, "src"), dst = make_dir(dirs->fd, "dst"), asked = 0;
	char failed[PATH_MAX];

	put_file(src, "file", "text");
	pid_t pid = take_lease(src, "file", true);
	assert_int_equal(tree_copy(src, dst, NULL, NULL, failed), 0);
	assert_text(dst, "file", "text");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)fd_close(dst);

	pid = take_lease(src, "file", false);
	dst = make_dir(dirs->fd, "dst2");
	assert_int_equal(tree_copy(src, dst, third_time, &asked, failed), -ECANCELED);
	assert_string_equal(failed, "file");
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)fd_close(src);
	(void)fd_close(dst);
}

static void test_usage(void **state)
{
	struct dirs *dirs = *state;
	uint64_t bytes = 0, twice = 0;

	int fd = make_dir(dirs->fd, "d");
	put_file(fd, "a", "some text");
	assert_int_equal(linkat(fd, "a", fd, "b", 0), 0);
	assert_int_equal(tree_usage(dirs->fd, NULL, NULL, &bytes), 0);
	put_file(fd, "c", "some text");
	assert_int_equal(symlinkat("/", fd, "root"), 0);
	assert_int_equal(tree_usage(dirs->fd, NULL, NULL, &twice), 0);
	assert_true(twice >= bytes && twice - bytes < 100000);
	(void)fd_close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_remove_deep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_follows_no_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_cancelled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_too_deep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_update, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_update_keeps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_many_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_many_cancelled_by_crew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_update_renamed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_leased, setup, teardown),
		cmocka_unit_test_setup_teardown(test_usage, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
