/*
 * tests/fakes/jobrun.c - a daemon for one job: jobrun KIND [key=value ...] [< input]
 *
 * Starts the helper of KIND (a name of job_row()) as sysctrd would, waits for its end and prints
 * each report as one line. Exit status: the helper's, or 128 + signal.
 * Keys: members of struct job ("pool.dir=/x"), "property.NAME=x", "variable.NAME=x"; and for the
 * run itself: kill_after_ms=N, or kill_when=PATTERN as soon as there is such a file; with signal=N
 * (default 9).
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/sock.h"
#include "spec/job.h"

enum {
	LOW_FD = 10 /* ours stay above while the helper's are put into place */
};

struct run {
	struct job job;
	uint64_t kill_after_ms; /* 0: never */
	const char *kill_when;	/* NULL: never */
	uint64_t signal;
	uint64_t started_ns;
	pid_t pid;
};

struct str_key {
	const char *name;
	size_t offset;
};

static const struct str_key str_keys[] = {
	{ "pool.name", offsetof(struct job, pool.name) },
	{ "pool.driver", offsetof(struct job, pool.driver) },
	{ "pool.dir", offsetof(struct job, pool.dir) },
	{ "volume", offsetof(struct job, volume) },
	{ "from_volume", offsetof(struct job, from_volume) },
	{ "image", offsetof(struct job, image) },
	{ "dir", offsetof(struct job, dir) },
	{ "src", offsetof(struct job, src) },
	{ "src_rootfs", offsetof(struct job, src_rootfs) },
	{ "dst", offsetof(struct job, dst) },
	{ "boundary", offsetof(struct job, boundary) },
	{ "fingerprint", offsetof(struct job, fingerprint) },
	{ "url", offsetof(struct job, url) },
	{ "checksum", offsetof(struct job, checksum) },
	{ "template_text", offsetof(struct job, template_text) },
	{ "template_dir", offsetof(struct job, template_dir) },
	{ "snapshot", offsetof(struct job, snapshot) },
	{ "stage", offsetof(struct job, stage) },
};

static bool set_string(struct job *job, const char *key, const char *value)
{
	const char *rest;

	for (size_t i = 0; i < ARRAY_LEN(str_keys); i++) {
		if (!streq(str_keys[i].name, key))
			continue;
		replace_str((char **)((char *)job + str_keys[i].offset), value);
		return true;
	}
	if (streq(key, "snapshots")) {
		strv_push(&job->snapshots, value);
		return true;
	}
	if ((rest = str_after(key, "property.")))
		strmap_set(&job->properties, rest, value);
	else if ((rest = str_after(key, "variable.")))
		strmap_set(&job->variables, rest, value);
	return rest != NULL;
}

static bool set_number(struct run *run, const char *key, const char *value)
{
	struct job *job = &run->job;

	if (streq(key, "size_bytes"))
		return parse_u64(value, UINT64_MAX, &job->size_bytes) == 0;
	if (streq(key, "reserve_bytes"))
		return parse_u64(value, UINT64_MAX, &job->reserve_bytes) == 0;
	if (streq(key, "pass"))
		return parse_u32(value, &job->pass) == 0;
	if (streq(key, "since_wall_ns"))
		return parse_i64(value, &job->since_wall_ns) == 0;
	if (streq(key, "id_base"))
		return parse_u32(value, &job->id_base) == 0;
	if (streq(key, "id_count"))
		return parse_u32(value, &job->id_count) == 0;
	if (streq(key, "kill_after_ms"))
		return parse_u64(value, UINT64_MAX, &run->kill_after_ms) == 0;
	return streq(key, "signal") && parse_u64(value, 64, &run->signal) == 0;
}

static int parse_args(struct run *run, int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		_cleanup_(freep) char *key = xstrdup(argv[i]);
		char *value = strchr(key, '=');
		if (!value)
			return -EINVAL;
		*value++ = '\0';
		if (streq(key, "kill_when"))
			run->kill_when = value;
		else if (!set_string(&run->job, key, value) && !set_number(run, key, value))
			return -EINVAL;
	}
	for (uint32_t kind = 0; kind < JOB_KIND_MAX; kind++) {
		if (!streq(job_row(kind)->name, argv[1]))
			continue;
		run->job.kind = kind;
		return 0;
	}
	return -ENOENT;
}

_Noreturn static void become_helper(const struct run *run, int report_fd)
{
	const char *program = job_row(run->job.kind)->program;
	const char *builddir = getenv("SYSCTR_BUILDDIR");
	_cleanup_(freep) char *path = xasprintf("%s/%s", builddir ? builddir : ".", program);
	_cleanup_(buf_done) struct buf bytes = { 0 };

	wire_encode(&job_schema, &run->job, &bytes);
	int memfd = fd_memfd_new("job", bytes.data, bytes.len);
	int job_fd = fd_copy(memfd, LOW_FD);
	int their_fd = fd_copy(report_fd, LOW_FD);
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (job_fd < 0 || their_fd < 0 || null_fd < 0 || dup2(null_fd, 1) < 0 ||
	    dup2(job_fd, JOB_SPEC_FD) < 0 || dup2(their_fd, JOB_REPORT_FD) < 0)
		_exit(125);
	(void)fd_cloexec_from(JOB_REPORT_FD + 1);
	(void)execl(path, program, (char *)NULL);
	perror(path);
	_exit(126);
}

static void print_report(const struct run *run, const struct job_report *report)
{
	double ms = (double)(time_mono_ns() - run->started_ns) / NS_PER_MS;

	if (getenv("JOBRUN_TIMES"))
		printf("%.3fms ", ms);
	if (report->stage)
		printf("progress %s %llu/%llu\n", report->stage,
		       (unsigned long long)report->now_bytes,
		       (unsigned long long)report->total_bytes);
	strmap_for_each(entry, &report->result)
		printf("result %s=%s\n", entry->key, (const char *)entry->value);
	if (report->code < 0)
		printf("error %d %u %s\n", report->code, report->kind, report->text);
	else if (report->done)
		printf("done\n");
	else if (!report->stage && report->result.len == 0)
		printf("empty\n");
	(void)fflush(stdout);
}

/* Returns: false at the end of the helper's reports. */
static bool take_report(const struct run *run, int fd)
{
	static char bytes[JOB_REPORT_BYTES_MAX];
	struct job_report report = { 0 };
	struct err err = { 0 };
	size_t n_fds = 0;

	ssize_t len = sock_recv(fd, bytes, sizeof(bytes), NULL, 0, &n_fds);
	if (len <= 0)
		return false;
	if (wire_decode(&job_report_schema, bytes, (size_t)len, &report, &err) < 0)
		printf("garbage %s\n", err_text(&err, 0));
	else
		print_report(run, &report);
	wire_free(&job_report_schema, &report);
	return true;
}

static bool is_there(const char *pattern)
{
	glob_t found;
	bool there = glob(pattern, GLOB_PERIOD, NULL, &found) == 0;

	globfree(&found);
	return there;
}

/* Returns: in how many ms to look again; 0: it is to be killed now, -1: never. */
static int kill_timeout_ms(const struct run *run)
{
	uint64_t ms = (time_mono_ns() - run->started_ns) / NS_PER_MS;

	if (run->kill_when)
		return is_there(run->kill_when) ? 0 : 1;
	if (run->kill_after_ms == 0)
		return -1;
	return ms >= run->kill_after_ms ? 0 : (int)(run->kill_after_ms - ms);
}

static void follow(struct run *run, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	for (;;) {
		int timeout = kill_timeout_ms(run);

		if (timeout == 0) {
			(void)kill(run->pid, (int)run->signal);
			run->kill_after_ms = 0;
			run->kill_when = NULL;
		} else if (poll(&pfd, 1, timeout) > 0 && !take_report(run, fd)) {
			return;
		}
	}
}

int main(int argc, char **argv)
{
	struct run run = { .signal = SIGKILL, .started_ns = time_mono_ns() };
	int fds[2], status;

	if (argc < 2 || parse_args(&run, argc, argv) < 0 || sock_pair(fds) < 0) {
		(void)fprintf(stderr, "usage: jobrun KIND [key=value ...]\n");
		return 2;
	}
	run.pid = fork();
	if (run.pid == 0)
		become_helper(&run, fds[1]);
	(void)close(fds[1]);
	follow(&run, fds[0]);
	if (run.pid < 0 || waitpid(run.pid, &status, 0) < 0)
		return 2;
	wire_free(&job_schema, &run.job);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
