/*
 * tests/fakes/monctl.c - start a monitor and talk to it without sysctrd
 *
 *   monctl start NAME --dir DIR --root DIR [--lower DIR] [option...]   returns when it runs or not
 *   monctl state|stop|kill|freeze|thaw|stats|addresses|console-clear NAME --dir DIR
 *   monctl console-log NAME --dir DIR            the ring's content
 *   monctl type NAME --dir DIR TEXT              write to the console, show what comes for a second
 *   monctl wait NAME --dir DIR STATE|ready|gone [--timeout S]
 *   monctl exec NAME --dir DIR -- ARGV...        with our own 0, 1, 2; exits as the command does
 *   monctl next NAME --dir DIR --root ...        push a next spec made from the options
 *
 * DIR/run/NAME is the runtime directory, DIR/log/NAME the log directory. System tests use it too.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/helper.h"
#include "os/sock.h"
#include "spec/instance.h"
#include "spec/msg.h"

enum {
	DEFAULT_ID_BASE = 1000000000,
	DEFAULT_ID_COUNT = 65536,
	DEFAULT_TIMEOUT_S = 30,
	OPT_FIRST = 256
};

struct ctx {
	const char *verb;
	const char *name;
	const char *dir;
	const char *tag;
	uint32_t timeout_s;
	bool force;
	struct inst_spec spec;
	char **rest; /* arguments behind the options */
	uint32_t serial;
	int fd; /* connection */
};

/* What a connection said. */
struct incoming {
	uint32_t type;
	uint32_t serial;
	struct msg msg;
	int fd;
};

static _Noreturn void die(const char *what, int code)
{
	fprintf(stderr, "monctl: %s: %s\n", what, strerror(-code));
	exit(125);
}

/* Returns: 0 or -errno. */
static int try_connect(struct ctx *ctx)
{
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/run/%s", ctx->dir, ctx->name);
	dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	ctx->fd = sock_connect_at(dir_fd, "ctl.sock", SOCK_SEQPACKET);
	return ctx->fd < 0 ? ctx->fd : 0;
}

static void connect_monitor(struct ctx *ctx)
{
	int r = try_connect(ctx);

	if (r < 0)
		die("connect", r);
}

/* Returns: 1, 0 at end of file, -ETIMEDOUT. Free in->msg. */
static int receive(const struct ctx *ctx, uint64_t end_ns, struct incoming *in)
{
	static char bytes[MSG_BYTES_MAX];
	struct pollfd pfd = { .fd = ctx->fd, .events = POLLIN };
	uint64_t now_ns = time_mono_ns();
	struct err err = { 0 };
	size_t n_fds = 0;
	int fds[MSG_FDS_MAX];
	ssize_t n;

	if (poll(&pfd, 1, now_ns >= end_ns ? 0 : (int)((end_ns - now_ns) / NS_PER_MS) + 1) <= 0)
		return -ETIMEDOUT;
	n = sock_recv(ctx->fd, bytes, sizeof(bytes), fds, MSG_FDS_MAX, &n_fds);
	if (n <= 0)
		return 0;
	if (msg_decode(bytes, (size_t)n, &in->type, &in->serial, &in->msg, &err) < 0)
		die(err.msg, -EBADMSG);
	in->fd = n_fds > 0 ? fds[0] : -EBADF;
	return 1;
}

static uint64_t deadline(const struct ctx *ctx)
{
	return time_mono_ns() + (uint64_t)ctx->timeout_s * NS_PER_S;
}

static void send_request(struct ctx *ctx, enum msg_type type, const struct msg *msg, const int *fds,
			 size_t n_fds)
{
	struct buf out = { 0 };
	struct iovec iov;
	int r;

	msg_encode(type, ++ctx->serial, msg, &out);
	iov = (struct iovec){ .iov_base = out.data, .iov_len = out.len };
	r = sock_send(ctx->fd, &iov, 1, fds, n_fds);
	if (r < 0)
		die("send", r);
	buf_done(&out);
}

/* The answer to the last request; events in between are dropped. */
static void await_answer(struct ctx *ctx, struct incoming *in)
{
	for (;;) {
		if (receive(ctx, deadline(ctx), in) <= 0)
			die("no answer", -EPIPE);
		if (in->serial == ctx->serial)
			break;
		wire_free(&msg_schema, &in->msg);
	}
	if (in->type != MSG_ERROR)
		return;
	fprintf(stderr, "monctl: %s\n", in->msg.text ? in->msg.text : "error");
	exit(in->msg.number ? in->msg.number : 1);
}

static void print_state(const struct msg *msg)
{
	static const char *const exits[] = { "failed", "poweroff", "reboot", "killed", "crashed" };

	printf("state=%s pid=%d generation=%llu ready=%d", mon_state_name(msg->state), msg->pid,
	       (unsigned long long)msg->generation, msg->ready);
	if (msg->state >= MON_STOPPED && msg->number < MON_EXIT_MAX)
		printf(" exit=%s", exits[msg->number]);
	if (msg->text)
		printf(" text=%s", msg->text);
	printf("\n");
}

static void print_nics(const struct msg *msg)
{
	vec_for_each(nic, &msg->nics) {
		printf("nic=%s up=%d mtu=%u mac=%s host=%s rx=%llu", nic->name, nic->up, nic->mtu,
		       nic->hwaddr ? nic->hwaddr : "", nic->host_name ? nic->host_name : "",
		       (unsigned long long)nic->rx_bytes);
		vec_for_each(addr, &nic->addrs) {
			printf(" %s/%u", addr->address, addr->prefix_len);
		}
		printf("\n");
	}
}

/* Returns: 1 to go on waiting for @wanted, else the exit status. */
static int judge(const struct incoming *in, const char *wanted)
{
	bool is_state = in->type == MSG_STATE;

	if (is_state || in->type == MSG_READY)
		print_state(&in->msg);
	if (in->msg.ready && streq(wanted, "ready"))
		return 0;
	if (is_state && streq(mon_state_name(in->msg.state), wanted))
		return 0;
	/* It will not get there any more. */
	if (is_state && in->msg.state == MON_STOPPED && !streq(wanted, "gone") &&
	    !streq(wanted, "released"))
		return 2;
	return 1;
}

/* Wait for the state @wanted ("gone": end of file, "ready"). Returns: exit status. */
static int await_state(struct ctx *ctx, const char *wanted)
{
	uint64_t end_ns = deadline(ctx);
	struct incoming in = { 0 };

	for (;;) {
		int r = receive(ctx, end_ns, &in);

		if (r < 0)
			die(wanted, r);
		if (r == 0)
			return streq(wanted, "gone") ? 0 : 1;
		r = judge(&in, wanted);
		wire_free(&msg_schema, &in.msg);
		if (r != 1)
			return r;
	}
}

static int spec_memfd(const struct ctx *ctx)
{
	struct buf bytes = { 0 };
	int fd;

	wire_encode(&inst_spec_schema, &ctx->spec, &bytes);
	fd = fd_memfd_new("spec", bytes.data, bytes.len);
	if (fd < 0)
		die("memfd", fd);
	buf_done(&bytes);
	return fd;
}

static _Noreturn void become_monitor(const struct ctx *ctx, int spec_fd, int conn_fd)
{
	const char *build = getenv("SYSCTR_BUILDDIR");
	char *program =
		build ? xasprintf("%s/sysctr-monitor", build) : helper_path("../../sysctr-monitor");
	int spec_copy = fd_copy(spec_fd, 10), conn_copy = fd_copy(conn_fd, 10);

	if (dup2(spec_copy, 3) < 0 || dup2(conn_copy, 4) < 0)
		_exit(126);
	(void)execl(program, program, ctx->name, (char *)NULL);
	_exit(127);
}

/* After a failed start: until the monitor has cleaned up and the name is free again. */
static void await_end(const struct ctx *ctx)
{
	struct incoming in = { 0 };

	while (receive(ctx, deadline(ctx), &in) > 0)
		wire_free(&msg_schema, &in.msg);
}

static int run_start(struct ctx *ctx)
{
	uint64_t start_ns = time_mono_ns();
	int spec_fd = spec_memfd(ctx);
	int pair[2], status, r;
	pid_t pid;

	r = sock_pair(pair);
	if (r < 0)
		die("socketpair", r);
	pid = fork();
	if (pid == 0)
		become_monitor(ctx, spec_fd, pair[1]);
	(void)fd_close(pair[1]);
	ctx->fd = pair[0];
	if (waitpid(pid, &status, 0) < 0)
		die("wait", -errno);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fprintf(stderr, "monctl: the monitor ended with status 0x%x\n",
			(unsigned int)status);
	r = await_state(ctx, "running");
	printf("us=%llu\n", (unsigned long long)(time_mono_ns() - start_ns) / 1000);
	if (r != 0)
		await_end(ctx);
	return r;
}

/* Verbs that are one request without arguments. */
static int run_simple(struct ctx *ctx, enum msg_type type)
{
	struct msg msg = { .force = ctx->force };
	struct incoming in = { 0 };

	connect_monitor(ctx);
	send_request(ctx, type, &msg, NULL, 0);
	await_answer(ctx, &in);
	if (type == MSG_STATS)
		printf("memory=%llu processes=%llu cpu_ns=%llu\n",
		       (unsigned long long)in.msg.memory_bytes,
		       (unsigned long long)in.msg.processes,
		       (unsigned long long)in.msg.cpu_usage_ns);
	print_nics(&in.msg);
	if (in.fd >= 0) {
		struct buf text = { 0 };

		if (fd_read_all(in.fd, 1024 * 1024, &text) == 0)
			(void)fd_write_all(STDOUT_FILENO, buf_str(&text), text.len);
	}
	return 0;
}

static int run_stop(struct ctx *ctx)
{
	return run_simple(ctx, MSG_STOP);
}

static int run_kill(struct ctx *ctx)
{
	return run_simple(ctx, MSG_KILL);
}

static int run_freeze(struct ctx *ctx)
{
	return run_simple(ctx, MSG_FREEZE);
}

static int run_thaw(struct ctx *ctx)
{
	return run_simple(ctx, MSG_THAW);
}

static int run_stats(struct ctx *ctx)
{
	return run_simple(ctx, MSG_STATS);
}

static int run_console_log(struct ctx *ctx)
{
	return run_simple(ctx, MSG_CONSOLE_LOG);
}

static int run_console_clear(struct ctx *ctx)
{
	return run_simple(ctx, MSG_CONSOLE_CLEAR);
}

/* What every new connection is told: state and addresses. */
static int run_state(struct ctx *ctx)
{
	struct incoming in = { 0 };

	connect_monitor(ctx);
	for (int i = 0; i < 2 && receive(ctx, deadline(ctx), &in) > 0; i++) {
		if (in.type == MSG_STATE)
			print_state(&in.msg);
		print_nics(&in.msg);
		wire_free(&msg_schema, &in.msg);
	}
	return 0;
}

static int run_wait(struct ctx *ctx)
{
	const char *wanted = ctx->rest[0] ? ctx->rest[0] : "gone";
	int r = try_connect(ctx);

	if ((r == -ENOENT || r == -ECONNREFUSED) && streq(wanted, "gone"))
		return 0;
	if (r < 0)
		die("connect", r);
	return await_state(ctx, wanted);
}

static int run_type(struct ctx *ctx)
{
	struct msg msg = { .force = ctx->force };
	struct incoming in = { 0 };
	struct pollfd pfd = { .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	connect_monitor(ctx);
	send_request(ctx, MSG_CONSOLE_ATTACH, &msg, NULL, 0);
	await_answer(ctx, &in);
	fprintf(stderr, "writer=%d\n", in.msg.force);
	if (ctx->rest[0]) {
		(void)fd_write_all(in.fd, ctx->rest[0], strlen(ctx->rest[0]));
		(void)fd_write_all(in.fd, "\r", 1);
	}
	pfd.fd = in.fd;
	while (poll(&pfd, 1, MS_PER_S) > 0 && (n = read(in.fd, bytes, sizeof(bytes))) > 0)
		(void)fd_write_all(STDOUT_FILENO, bytes, (size_t)n);
	return 0;
}

static int run_next(struct ctx *ctx)
{
	struct incoming in = { 0 };
	int fd = spec_memfd(ctx);

	connect_monitor(ctx);
	send_request(ctx, MSG_NEXT_SPEC, NULL, &fd, 1);
	await_answer(ctx, &in);
	printf("generation=%llu\n", (unsigned long long)in.msg.generation);
	return 0;
}

static int run_exec(struct ctx *ctx)
{
	struct session_spec session = { .argv = ctx->rest };
	struct buf bytes = { 0 };
	struct incoming in = { 0 };
	int fds[] = { -EBADF, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
	uint64_t id;

	wire_encode(&session_spec_schema, &session, &bytes);
	fds[0] = fd_memfd_new("session", bytes.data, bytes.len);
	connect_monitor(ctx);
	send_request(ctx, MSG_SESSION_START, NULL, fds, ARRAY_LEN(fds));
	await_answer(ctx, &in);
	id = in.msg.session;
	for (;;) {
		if (receive(ctx, deadline(ctx), &in) <= 0)
			die("session", -EPIPE);
		if (in.type == MSG_SESSION_EXIT && in.msg.session == id)
			break;
	}
	return WIFEXITED(in.msg.number) ? WEXITSTATUS(in.msg.number)
					: 128 + WTERMSIG(in.msg.number);
}

static const struct {
	const char *name;
	int (*run)(struct ctx *ctx);
} verbs[] = {
	{ "start", run_start },
	{ "stop", run_stop },
	{ "kill", run_kill },
	{ "freeze", run_freeze },
	{ "thaw", run_thaw },
	{ "stats", run_stats },
	{ "state", run_state },
	{ "wait", run_wait },
	{ "exec", run_exec },
	{ "next", run_next },
	{ "type", run_type },
	{ "console-log", run_console_log },
	{ "console-clear", run_console_clear },
};

static void split_pair(const char *text, char **ret_key, const char **ret_value)
{
	const char *equals = strchr(text, '=');

	if (!equals)
		die(text, -EINVAL);
	*ret_key = xstrndup(text, (size_t)(equals - text));
	*ret_value = equals + 1;
}

static void set_pair(struct strmap *map, const char *text)
{
	_cleanup_(freep) char *key = NULL;
	const char *value;

	split_pair(text, &key, &value);
	strmap_set(map, key, value);
}

/* "eth0,hostname,bridge,mac"; an empty bridge or mac is none. */
static void add_nic(struct inst_spec *spec, const char *text)
{
	struct spec_nic *nic = vec_push(&spec->nics);
	char *copy = xstrdup(text);
	char *at = copy;
	char *fields[4] = { NULL, NULL, NULL, NULL };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		char *field = at ? strsep(&at, ",") : NULL;

		fields[i] = field && *field ? xstrdup(field) : NULL;
	}
	nic->device = xstrdup(fields[0]);
	nic->name = fields[0];
	nic->host_name = fields[1];
	nic->parent = fields[2];
	nic->hwaddr = fields[3];
	free(copy);
}

static void read_filter(struct inst_spec *spec, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fd_read_all(fd, 1024 * 1024, &spec->seccomp) < 0)
		die(path, -errno);
	(void)fd_close(fd);
}

enum option_id {
	OPT_DIR = OPT_FIRST,
	OPT_TAG,
	OPT_ROOT,
	OPT_LOWER,
	OPT_NIC,
	OPT_ENV,
	OPT_SYSCTL,
	OPT_INIT,
	OPT_MEMORY,
	OPT_PIDS,
	OPT_CPUS,
	OPT_ID_BASE,
	OPT_PRIVILEGED,
	OPT_SECCOMP,
	OPT_GENERATION,
	OPT_LOG_MAX,
	OPT_TIMEOUT,
	OPT_FORCE
};

static const struct option options[] = {
	{ "dir", required_argument, NULL, OPT_DIR },
	{ "tag", required_argument, NULL, OPT_TAG },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "lower", required_argument, NULL, OPT_LOWER },
	{ "nic", required_argument, NULL, OPT_NIC },
	{ "env", required_argument, NULL, OPT_ENV },
	{ "sysctl", required_argument, NULL, OPT_SYSCTL },
	{ "init", required_argument, NULL, OPT_INIT },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "pids", required_argument, NULL, OPT_PIDS },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "id-base", required_argument, NULL, OPT_ID_BASE },
	{ "privileged", no_argument, NULL, OPT_PRIVILEGED },
	{ "seccomp", required_argument, NULL, OPT_SECCOMP },
	{ "generation", required_argument, NULL, OPT_GENERATION },
	{ "log-max", required_argument, NULL, OPT_LOG_MAX },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ NULL, 0, NULL, 0 },
};

static void take_number(struct ctx *ctx, int option)
{
	struct inst_spec *spec = &ctx->spec;
	uint64_t value;

	if (parse_bytes(optarg, &value) < 0)
		die(optarg, -EINVAL);
	if (option == OPT_MEMORY)
		spec->limits.memory_bytes = value;
	else if (option == OPT_PIDS)
		spec->limits.pids = value;
	else if (option == OPT_ID_BASE)
		spec->id_base = (uint32_t)value;
	else if (option == OPT_GENERATION)
		spec->generation = value;
	else if (option == OPT_LOG_MAX)
		spec->console_log_max = value;
	else
		ctx->timeout_s = (uint32_t)value;
}

static void take_option(struct ctx *ctx, int option)
{
	struct inst_spec *spec = &ctx->spec;

	switch (option) {
	case OPT_DIR:
		ctx->dir = optarg;
		break;
	case OPT_TAG:
		ctx->tag = optarg;
		break;
	case OPT_ROOT:
		replace_str(&spec->root_path, optarg);
		break;
	case OPT_LOWER:
		replace_str(&spec->root_lower, optarg);
		spec->root_kind = ROOT_OVERLAY;
		break;
	case OPT_NIC:
		add_nic(spec, optarg);
		break;
	case OPT_ENV:
		set_pair(&spec->environment, optarg);
		break;
	case OPT_SYSCTL:
		set_pair(&spec->sysctls, optarg);
		break;
	case OPT_INIT:
		strv_push(&spec->init.argv, optarg);
		break;
	case OPT_CPUS:
		replace_str(&spec->limits.cpus, optarg);
		break;
	case OPT_SECCOMP:
		read_filter(spec, optarg);
		break;
	case OPT_PRIVILEGED:
		spec->privileged = true;
		break;
	case OPT_FORCE:
		ctx->force = true;
		break;
	case '?':
		exit(2);
	default:
		take_number(ctx, option);
	}
}

static void finish_spec(struct ctx *ctx)
{
	struct inst_spec *spec = &ctx->spec;
	char *run_dir = xasprintf("%s/run", ctx->dir);
	char *log_dir = xasprintf("%s/log", ctx->dir);

	if ((mkdir(run_dir, 0700) < 0 && errno != EEXIST) ||
	    (mkdir(log_dir, 0700) < 0 && errno != EEXIST))
		die(ctx->dir, -errno);
	spec->name = xstrdup(ctx->name);
	spec->hostname = xstrdup(ctx->name);
	spec->uuid = xstrdup("6ba7b810-9dad-41d1-80b4-00c04fd430c8");
	spec->cgroup = xasprintf("%s/%s", ctx->tag, ctx->name);
	spec->runtime_dir = xasprintf("%s/%s", run_dir, ctx->name);
	spec->log_dir = xasprintf("%s/%s", log_dir, ctx->name);
	spec->console_log = xasprintf("%s/console.log", spec->log_dir);
	free(run_dir);
	free(log_dir);
}

#ifdef WITH_SANITIZERS
/* A verb ends with its process: what it holds then is no leak. */
int __lsan_is_turned_off(void);
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
	return 1;
}
#endif

int main(int argc, char **argv)
{
	struct ctx ctx = {
		.dir = "/run/monctl",
		.tag = "monctl",
		.timeout_s = DEFAULT_TIMEOUT_S,
		.spec = {
			.id_base = DEFAULT_ID_BASE,
			.id_count = DEFAULT_ID_COUNT,
			.console_log_max = 1024 * 1024,
			.generation = 1,
			.limits = {
				.cpu_weight = LIMITS_CPU_WEIGHT_DEFAULT,
				.cpu_quota_us = LIMIT_NONE,
				.cpu_period_us = 100000,
				.memory_bytes = LIMIT_NONE,
				.swap_bytes = LIMIT_NONE,
				.pids = LIMITS_PIDS_DEFAULT,
			},
		},
	};
	int option, status = -1;

	if (argc < 3) {
		fprintf(stderr, "usage: monctl VERB NAME [option...]\n");
		return 2;
	}
	ctx.verb = argv[1];
	ctx.name = argv[2];
	optind = 3;
	while ((option = getopt_long(argc, argv, "+", options, NULL)) >= 0)
		take_option(&ctx, option);
	ctx.rest = argv + optind;
	finish_spec(&ctx);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (streq(ctx.verb, verbs[i].name))
			status = verbs[i].run(&ctx);
	if (status < 0)
		fprintf(stderr, "monctl: unknown verb \"%s\"\n", ctx.verb);
	wire_free(&inst_spec_schema, &ctx.spec);
	return status < 0 ? 2 : status;
}
