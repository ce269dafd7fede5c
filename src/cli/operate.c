/* cli/operate.c - see cli.h: operations with progress, the first Ctrl-C undoes, the second quits */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "client/operation.h"

struct watching {
	struct cli *cli;
	uint64_t since_ns;
};

void cli_catch_interrupts(struct cli *cli)
{
	sigset_t set;

	if (cli->interrupt_fd >= 0)
		return;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return;
	cli->interrupt_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (cli->interrupt_fd < 0)
		(void)sigprocmask(SIG_UNBLOCK, &set, NULL); /* Ctrl-C then just kills us */
	else
		client_set_interrupt(cli->client, cli->interrupt_fd);
}

static void on_progress(void *data, const json_t *operation)
{
	struct watching *watching = data;
	struct buf line = { 0 };

	if (watching->cli->cancelling)
		return;
	if (progress_format(operation, time_mono_ns() - watching->since_ns, &line))
		progress_draw(watching->cli, buf_str(&line));
	buf_done(&line);
}

static int on_interrupt(void *data, const char *id)
{
	struct watching *watching = data;
	struct cli *cli = watching->cli;
	struct signalfd_siginfo info;
	struct err err = { 0 };

	while (read(cli->interrupt_fd, &info, sizeof(info)) > 0)
		;
	if (cli->cancelling)
		return -EINTR;
	cli->cancelling = true;
	if (operation_cancel(cli->client, id, &err) < 0)
		cli_say(cli, "Cannot cancel: %s. Ctrl-C again leaves it running.", err.msg);
	else
		cli_say(cli,
			"Cancelling, please wait for it to be undone (Ctrl-C again leaves) ...");
	return 0;
}

int cli_wait(struct cli *cli, const char *id, json_t **ret_operation, struct err *err)
{
	struct watching watching = { .cli = cli, .since_ns = time_mono_ns() };
	struct operation_watch watch = { .progress = on_progress,
					 .interrupted = on_interrupt,
					 .data = &watching };
	int r;

	cli_catch_interrupts(cli);
	r = operation_wait(cli->client, id, &watch, cli->interrupt_fd, ret_operation, err);
	progress_clear(cli);
	if (r == -EINTR)
		return err_kind(err, ERR_CANCELLED, "left running as operation %s", id);
	if (r < 0 && err->kind == ERR_CANCELLED && cli->cancelling)
		return err_kind(err, ERR_CANCELLED, "cancelled and undone");
	if (r == 0 && cli->cancelling)
		cli_say(cli, "It was done before it could be cancelled.");
	return r;
}

int cli_operate(struct cli *cli, const char *method, const char *path, const json_t *body,
		json_t **ret_operation, struct err *err)
{
	struct client_reply reply = { 0 };
	int r;

	cli_catch_interrupts(cli);
	r = client_request(cli->client, method, path, body, &reply, err);
	if (r == 0 && reply.operation)
		r = cli_wait(cli, reply.operation, ret_operation, err);
	client_reply_done(&reply);
	return r;
}
