/*
 * tests/fakes/execctl.c - run a session in a container of a running monitor, without sysctrd
 *
 *   execctl [option...] RUNTIME_DIR -- ARGV...        exits as the command does; 125: our own failure
 *     --user NAME  --uid N  --gid N  --cwd DIR  --env KEY=VALUE  --login
 *     --tty WxH         interactive; what comes is written to standard output
 *     --type TEXT       typed on the terminal
 *     --resize WxH      after the first output
 *     --signal N        after the first output
 *     --end             end the session after the first output
 *     --repeat N        one after the other; prints the median time in us to standard error
 *
 * An error of the monitor is printed as "error CODE EXIT_STATUS: text", exit status 125, or the 126
 * and 127 that it stands for.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/sock.h"
#include "spec/msg.h"

enum {
	EXIT_OWN_FAILURE = 125,
	TIMEOUT_MS = 30000,
	DRAIN_MS = 500, /* for those who keep a terminal open after its command */
	REPEAT_MAX = 10000,
};

struct ctx {
	int fd;
	uint32_t serial;
	struct session_spec spec;
	const char *typed;
	uint32_t resize[2];
	uint32_t signal;
	bool end;
	uint32_t repeat;
};

/* One datagram of the monitor. */
struct incoming {
	uint32_t type, serial;
	struct msg msg;
	int fd;
};

static _Noreturn void die(const char *what, int code)
{
	(void)fprintf(stderr, "execctl: %s: %s\n", what, strerror(-code));
	exit(EXIT_OWN_FAILURE);
}

static int connect_monitor(const char *runtime_dir)
{
	int dir_fd = open(runtime_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (dir_fd < 0)
		die(runtime_dir, -errno);
	fd = sock_connect_at(dir_fd, "ctl.sock", SOCK_SEQPACKET);
	if (fd < 0)
		die("connect", fd);
	(void)fd_close(dir_fd);
	return fd;
}

static void receive(struct ctx *ctx, struct incoming *in)
{
	static char bytes[MSG_BYTES_MAX];
	struct err err = { 0 };
	size_t n_fds = 0;
	ssize_t n;

	in->fd = -EBADF;
	n = sock_recv(ctx->fd, bytes, sizeof(bytes), &in->fd, 1, &n_fds);
	if (n <= 0)
		die("monitor", n < 0 ? (int)n : -EPIPE);
	if (msg_decode(bytes, (size_t)n, &in->type, &in->serial, &in->msg, &err) < 0)
		die(err.msg, -EBADMSG);
}

static void send_request(struct ctx *ctx, enum msg_type type, const struct msg *msg, const int *fds,
			 size_t n_fds)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	struct iovec iov;
	int r;

	msg_encode(type, ++ctx->serial, msg, &out);
	iov = (struct iovec){ .iov_base = out.data, .iov_len = out.len };
	r = sock_send(ctx->fd, &iov, 1, fds, n_fds);
	if (r < 0)
		die("send", r);
}

/* Returns: the session; *ret_master_fd when interactive. */
static uint64_t start(struct ctx *ctx, int *ret_master_fd)
{
	_cleanup_(buf_done) struct buf bytes = { 0 };
	int fds[] = { -EBADF, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
	struct incoming in = { 0 };
	uint64_t id;

	wire_encode(&session_spec_schema, &ctx->spec, &bytes);
	fds[0] = fd_memfd_new("session", buf_str(&bytes), bytes.len);
	send_request(ctx, MSG_SESSION_START, NULL, fds, ctx->spec.interactive ? 1 : 4);
	(void)fd_close(fds[0]);
	for (;;) {
		receive(ctx, &in);
		if (in.serial == ctx->serial)
			break;
		wire_free(&msg_schema, &in.msg);
	}
	if (in.type == MSG_ERROR) {
		(void)printf("error %d %d: %s\n", in.msg.code, in.msg.number, in.msg.text);
		exit(in.msg.number ? in.msg.number : EXIT_OWN_FAILURE);
	}
	id = in.msg.session;
	*ret_master_fd = in.fd;
	wire_free(&msg_schema, &in.msg);
	return id;
}

static void after_first_output(struct ctx *ctx, uint64_t id, int master_fd)
{
	struct msg msg = { .session = id,
			   .width = ctx->resize[0],
			   .height = ctx->resize[1],
			   .number = (int32_t)ctx->signal };

	if (ctx->resize[0])
		send_request(ctx, MSG_SESSION_RESIZE, &msg, NULL, 0);
	if (ctx->signal)
		send_request(ctx, MSG_SESSION_SIGNAL, &msg, NULL, 0);
	if (ctx->end)
		send_request(ctx, MSG_SESSION_END, &msg, NULL, 0);
	if (ctx->typed && fd_write_all(master_fd, ctx->typed, strlen(ctx->typed)) < 0)
		die("type", -EIO);
}

/* Copy what the terminal says. Returns: false at its end. */
static bool copy_output(int master_fd)
{
	char bytes[4096];
	ssize_t n = read(master_fd, bytes, sizeof(bytes));

	if (n > 0)
		(void)fd_write_all(STDOUT_FILENO, bytes, (size_t)n);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

/* What the terminal still holds once its command has ended. */
static void drain(int master_fd)
{
	struct pollfd poll_fd = { .fd = master_fd, .events = POLLIN };

	while (master_fd >= 0 && poll(&poll_fd, 1, DRAIN_MS) > 0 && copy_output(master_fd))
		continue;
	(void)fd_close(master_fd);
}

/* Until the exit is told. Returns: wait status. */
static int follow(struct ctx *ctx, uint64_t id, int master_fd)
{
	bool acted = false;

	for (;;) {
		struct pollfd poll_fds[] = { { .fd = ctx->fd, .events = POLLIN },
					     { .fd = master_fd, .events = POLLIN } };
		struct incoming in = { 0 };

		if (master_fd < 0 && !acted) {
			after_first_output(ctx, id, master_fd);
			acted = true;
		}
		if (poll(poll_fds, 2, TIMEOUT_MS) <= 0)
			die("session", -ETIMEDOUT);
		if (poll_fds[1].revents) {
			if (!copy_output(master_fd))
				master_fd = fd_close(master_fd);
			else if (!acted)
				after_first_output(ctx, id, master_fd);
			acted = true;
			continue;
		}
		receive(ctx, &in);
		if (in.type == MSG_SESSION_EXIT && in.msg.session == id) {
			drain(master_fd);
			return in.msg.number;
		}
		wire_free(&msg_schema, &in.msg);
	}
}

static int compare_times(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int run(struct ctx *ctx)
{
	static uint64_t times[REPEAT_MAX];
	int status = 0;

	for (uint32_t i = 0; i < ctx->repeat; i++) {
		uint64_t before_ns = time_mono_ns();
		int master_fd = -EBADF;
		uint64_t id = start(ctx, &master_fd);

		status = follow(ctx, id, master_fd);
		times[i] = time_mono_ns() - before_ns;
	}
	if (ctx->repeat > 1) {
		qsort(times, ctx->repeat, sizeof(times[0]), compare_times);
		(void)fprintf(stderr, "min %lu median %lu us\n", times[0] / 1000,
			      times[ctx->repeat / 2] / 1000);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void parse_size(const char *text, uint32_t *ret_width, uint32_t *ret_height)
{
	if (sscanf(text, "%ux%u", ret_width, ret_height) != 2)
		die(text, -EINVAL);
}

static uint32_t parse_number(const char *text)
{
	uint32_t value;

	if (parse_u32(text, &value) < 0)
		die(text, -EINVAL);
	return value;
}

static void set_env(struct session_spec *spec, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals)
		die(text, -EINVAL);
	*equals = '\0';
	strmap_set(&spec->environment, text, equals + 1);
}

static void parse_option(struct ctx *ctx, int option)
{
	struct session_spec *spec = &ctx->spec;

	switch (option) {
	case 'u':
		replace_str(&spec->user, optarg);
		break;
	case 'U':
		spec->uid = parse_number(optarg);
		break;
	case 'G':
		spec->gid = parse_number(optarg);
		break;
	case 'c':
		replace_str(&spec->cwd, optarg);
		break;
	case 'e':
		set_env(spec, optarg);
		break;
	case 'l':
		spec->login_shell = true;
		break;
	case 't':
		spec->interactive = true;
		parse_size(optarg, &spec->width, &spec->height);
		break;
	case 'y':
		ctx->typed = optarg;
		break;
	case 'r':
		parse_size(optarg, &ctx->resize[0], &ctx->resize[1]);
		break;
	case 's':
		ctx->signal = parse_number(optarg);
		break;
	case 'E':
		ctx->end = true;
		break;
	case 'n':
		ctx->repeat = parse_number(optarg);
		break;
	default:
		die("usage", -EINVAL);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "user", required_argument, NULL, 'u' },
		{ "uid", required_argument, NULL, 'U' },
		{ "gid", required_argument, NULL, 'G' },
		{ "cwd", required_argument, NULL, 'c' },
		{ "env", required_argument, NULL, 'e' },
		{ "login", no_argument, NULL, 'l' },
		{ "tty", required_argument, NULL, 't' },
		{ "type", required_argument, NULL, 'y' },
		{ "resize", required_argument, NULL, 'r' },
		{ "signal", required_argument, NULL, 's' },
		{ "end", no_argument, NULL, 'E' },
		{ "repeat", required_argument, NULL, 'n' },
		{ 0 },
	};
	struct ctx ctx = { .repeat = 1 };
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) >= 0)
		parse_option(&ctx, option);
	if (optind >= argc || ctx.repeat < 1 || ctx.repeat > REPEAT_MAX)
		die("usage", -EINVAL);
	ctx.fd = connect_monitor(argv[optind++]);
	if (optind < argc && streq(argv[optind], "--"))
		optind++;
	for (; optind < argc; optind++)
		strv_push(&ctx.spec.argv, argv[optind]);
	return run(&ctx);
}
