/* cli/cmd_admin.c - admin: the daemon itself */
#include <errno.h>
#include <time.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/commands.h"

enum {
	READY_STEP_MS = 20,
	READY_TIMEOUT_S = 60
};

static const struct cli_option options[] = {
	{ 0, "timeout", "SECONDS", "give up after this time, 0 for never (default 60)", HINT_NONE },
	{ 0 },
};

static int run_waitready(struct cli *cli, const struct cli_args *args)
{
	struct timespec pause = { .tv_nsec = READY_STEP_MS * NS_PER_MS };
	uint64_t since_ns = time_mono_ns();
	struct err err = { 0 };
	int64_t seconds;

	if (args_number(args, "timeout", READY_TIMEOUT_S, &seconds, &err) < 0)
		return cli_usage(args, &err);
	for (;;) {
		err = (struct err){ 0 };
		if (client_request(cli->client, "GET", "/internal/ready", NULL, NULL, &err) == 0)
			return CLI_OK;
		if (err.kind == ERR_FORBIDDEN ||
		    (seconds > 0 && time_mono_ns() - since_ns > (uint64_t)seconds * NS_PER_S))
			return cli_fail(cli, "sysctrd", "wait until ready", &err);
		if (nanosleep(&pause, NULL) < 0)
			return CLI_FAILED;
	}
}

static int run_shutdown(struct cli *cli, const struct cli_args *args)
{
	struct err err = { 0 };

	(void)args;
	if (client_request(cli->client, "PUT", "/internal/shutdown", NULL, NULL, &err) < 0)
		return cli_fail(cli, "sysctrd", "shut down", &err);
	return CLI_OK;
}

const struct cli_command cmd_admin_waitready = {
	.path = "admin waitready",
	.usage = "",
	.summary = "Wait until the daemon answers",
	.example = "sysctr admin waitready --timeout 10",
	.options = { options },
	.run = run_waitready,
};

const struct cli_command cmd_admin_shutdown = {
	.path = "admin shutdown",
	.usage = "",
	.summary = "Stop all instances in order, then the daemon",
	.example = "sysctr admin shutdown",
	.run = run_shutdown,
};
