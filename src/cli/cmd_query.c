/* cli/cmd_query.c - query and version: the API as it is */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "codec/json.h"

static const struct cli_option options[] = {
	{ 'X', "request", "METHOD", "GET, POST, PUT, PATCH or DELETE (default GET)", HINT_NONE },
	{ 'd', "data", "JSON", "body of the request, \"-\" for standard input", HINT_NONE },
	{ 0, "wait", NULL, "wait for the operation and show it when it is done", HINT_NONE },
	{ 0, "raw", NULL, "the whole answer as it came", HINT_NONE },
	{ 0 },
};

static int print_value(const json_t *value)
{
	_cleanup_(freep) char *text = NULL;

	if (json_is_string(value)) {
		cli_print(json_string_value(value));
		cli_print("\n");
		return CLI_OK;
	}
	text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
	cli_print(text ? text : "null");
	cli_print("\n");
	return CLI_OK;
}

static int run_raw(struct cli *cli, const struct http_request *request)
{
	struct buf body = { 0 };
	struct err err = { 0 };
	int status = 0;
	int r = client_raw(cli->client, request, &body, &status, &err);

	if (r == 0)
		cli_print(buf_str(&body));
	buf_done(&body);
	if (r < 0)
		return cli_fail(cli, request->target, "query", &err);
	return status < 400 ? CLI_OK : CLI_FAILED;
}

static int send_query(struct cli *cli, const struct cli_args *args,
		      const struct http_request *request)
{
	struct client_reply reply = { 0 };
	_cleanup_(json_decrefp) json_t *operation = NULL;
	struct err err = { 0 };
	int r = client_send(cli->client, request, &reply, &err);

	if (r == 0 && reply.operation && args_has(args, "wait"))
		r = cli_wait(cli, reply.operation, &operation, &err);
	if (r == 0)
		(void)print_value(operation ? operation : reply.metadata);
	client_reply_done(&reply);
	return r < 0 ? cli_fail(cli, request->target, "query", &err) : CLI_OK;
}

static int run_query(struct cli *cli, const struct cli_args *args)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	const char *method = args_get(args, "request"), *data = args_get(args, "data");
	struct http_request request = {
		.method = method ? method
			  : data ? "POST"
				 : "GET",
		.target = args_word(args, 0),
		.headers = data ? headers : NULL,
	};
	struct buf text = { 0 };
	struct err err = { 0 };
	int status;

	if (request.target[0] != '/' || strpbrk(request.target, " \r\n") ||
	    strpbrk(request.method, " \r\n")) {
		(void)err_kind(&err, ERR_INVALID, "\"%s\" is no path like /1.0/instances",
			       request.target);
		return cli_usage(args, &err);
	}
	if (streq(data, "-") && read_stdin(&text, &err) < 0)
		return cli_fail(cli, request.target, "query", &err);
	request.body = streq(data, "-") ? buf_str(&text) : data;
	request.body_len = data ? strlen(request.body) : 0;
	status = args_has(args, "raw") ? run_raw(cli, &request) : send_query(cli, args, &request);
	buf_done(&text);
	return status;
}

static int run_version(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *server = NULL;
	struct err err = { 0 };

	(void)args;
	(void)printf("client %s\n", SYSCTR_VERSION);
	if (client_get(cli->client, "/1.0", &server, &err) < 0) {
		(void)printf("server unreachable\n");
		return CLI_OK;
	}
	(void)printf("server %s\n",
		     json_str(json_object_get(server, "environment"), "server_version", "?"));
	return CLI_OK;
}

const struct cli_command cmd_query = {
	.path = "query",
	.usage = "PATH",
	.summary = "Send one request to the API",
	.example = "sysctr query /1.0\nsysctr query -X PUT -d '{\"action\":\"stop\"}' --wait "
		   "/1.0/instances/web1/state",
	.options = { options },
	.min_words = 1,
	.max_words = 1,
	.run = run_query,
};

const struct cli_command cmd_version = {
	.path = "version",
	.usage = "",
	.summary = "Show the versions of the command and of the daemon",
	.example = "sysctr version",
	.run = run_version,
};
