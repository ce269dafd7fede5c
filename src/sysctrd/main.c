/*
 * sysctrd/main.c - the daemon: options, configuration, signals; everything else is in core and api
 *
 * SIGTERM and SIGINT end it and nothing else: containers, bridges and dnsmasq go on (promise 1).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aio/http.h"
#include "aio/loop.h"
#include "aio/signal.h"
#include "api/api.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/network.h"
#include "core/side_files.h"
#include "spec/daemon_config.h"

#define DEFAULT_GROUP "sysctr" /* whoever is in it counts as root; it need not exist */

enum {
	CONFIG_BYTES_MAX = 1024 * 1024
};

struct options {
	const char *config;
	const char *state_dir;
	const char *runtime_dir;
	const char *log_dir;
	const char *group;
	bool debug;
	bool help;
	bool version;
};

struct daemon {
	struct aio_loop *loop;
	struct daemon_config config;
	struct core *core;
	struct api *api;
	struct http_server *http;
	struct aio_signal *term;
	struct aio_signal *interrupt;
};

static const char usage[] =
	"Usage: sysctrd [OPTION...]\n"
	"The sysctr daemon: keeps system containers and serves their API on a unix socket.\n\n"
	"  --config FILE       configuration (default " SYSCTR_SYSCONFDIR "/sysctrd.yaml)\n"
	"  --state-dir DIR     database, images, volumes (default /var/lib/sysctr)\n"
	"  --runtime-dir DIR   socket, running instances (default /run/sysctr)\n"
	"  --log-dir DIR       logs of instances (default /var/log/sysctr)\n"
	"  --group NAME        who may use the socket besides root (default sysctr, if it exists)\n"
	"  --debug             log decisions and steps\n"
	"  --help, --version\n\n"
	"Example: sysctrd --state-dir /srv/sysctr --debug\n";

static int parse_options(int argc, char **argv, struct options *opts)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "state-dir", required_argument, NULL, 's' },
		{ "runtime-dir", required_argument, NULL, 'r' },
		{ "log-dir", required_argument, NULL, 'l' },
		{ "group", required_argument, NULL, 'g' },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};

	for (;;) {
		switch (getopt_long(argc, argv, "", longs, NULL)) {
		case -1:
			return optind == argc ? 0 : -EINVAL;
		case 'c':
			opts->config = optarg;
			break;
		case 's':
			opts->state_dir = optarg;
			break;
		case 'r':
			opts->runtime_dir = optarg;
			break;
		case 'l':
			opts->log_dir = optarg;
			break;
		case 'g':
			opts->group = optarg;
			break;
		case 'd':
			opts->debug = true;
			break;
		case 'h':
			opts->help = true;
			break;
		case 'V':
			opts->version = true;
			break;
		default:
			return -EINVAL;
		}
	}
}

/* A missing default file is fine, a missing file that was asked for is not. */
static int read_config(const char *path, struct daemon_config *config, struct err *err)
{
	const char *file = path ? path : SYSCTR_SYSCONFDIR "/sysctrd.yaml";
	struct buf text = { 0 };
	FILE *stream = fopen(file, "re");
	int r;

	if (!stream && errno == ENOENT && !path)
		return 0;
	if (!stream)
		return err_set(err, -errno, "open %s", file);
	text.len = fread(buf_reserve(&text, CONFIG_BYTES_MAX), 1, CONFIG_BYTES_MAX, stream);
	r = ferror(stream) ? err_set(err, -EIO, "read %s", file)
			   : daemon_config_parse(config, text.data, text.len, err);
	(void)fclose(stream);
	buf_done(&text);
	return r < 0 ? err_wrap(err, "%s", file) : 0;
}

/* Uninstalled, helpers and templates are in the build and source trees beside us. */
static void find_parts(struct core_dirs *dirs)
{
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	dirs->helpers = xstrdup(SYSCTR_LIBEXECDIR);
	dirs->templates = xstrdup(SYSCTR_DATADIR "/templates");
	if (len < 0)
		return;
	self[len] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	_cleanup_(freep) char *monitor = xasprintf("%s/sysctr-monitor", self);

	if (access(monitor, X_OK) < 0)
		return;
	replace_str(&dirs->helpers, self);
	replace_str(&dirs->templates, SYSCTR_SOURCE_TEMPLATES);
}

static void stop(void *data, int signum)
{
	struct daemon *daemon = data;

	log_info(LOG_NONE, "signal %d: ending; containers go on", signum);
	aio_loop_stop(daemon->loop);
}

static void stop_by_request(void *data)
{
	struct daemon *daemon = data;

	aio_loop_stop(daemon->loop);
}

static int serve(struct daemon *daemon, const struct options *opts, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("%s/unix.socket", opts->runtime_dir);
	struct http_config http = {
		.path = path,
		.group = opts->group,
		.on_request = api_handle,
	};

	daemon->api = api_new(daemon->core, stop_by_request, daemon);
	http.data = daemon->api;
	return http_server_new(daemon->loop, &http, &daemon->http, err);
}

static int open_all(struct daemon *daemon, const struct options *opts, struct err *err)
{
	struct core_dirs dirs = {
		.state = xstrdup(opts->state_dir),
		.runtime = xstrdup(opts->runtime_dir),
		.log = xstrdup(opts->log_dir),
	};
	int r;

	find_parts(&dirs);
	daemon->loop = aio_loop_new();
	r = core_open(daemon->loop, &daemon->config, &dirs, &daemon->core, err);
	if (r < 0)
		return r;
	daemon->core->ops.kill_after = getenv("SYSCTRD_TEST_KILL_AFTER");
	side_files_start(daemon->core->side_files, &api_side_texts);
	daemon->core->sys_dir = getenv("SYSCTRD_TEST_SYS_DIR");
	daemon->core->full_quotas = getenv("SYSCTRD_TEST_FULL_QUOTAS") != NULL;
	daemon->core->proc_dir = getenv("SYSCTRD_TEST_PROC_DIR");
	return serve(daemon, opts, err);
}

static void network_closed(void *data)
{
	aio_loop_stop(data);
}

static void close_all(struct daemon *daemon)
{
	if (daemon->core)
		core_quiesce(daemon->core);
	daemon->http = http_server_free(daemon->http);
	daemon->api = api_free(daemon->api);
	daemon->term = aio_signal_free(daemon->term);
	daemon->interrupt = aio_signal_free(daemon->interrupt);
	if (daemon->core) {
		netman_close(daemon->core->net, network_closed, daemon->loop);
		aio_loop_run(daemon->loop);
		core_close(daemon->core);
	}
	if (daemon->loop)
		daemon->loop = aio_loop_free(daemon->loop);
	daemon_config_done(&daemon->config);
}

static int run(const struct options *opts)
{
	struct daemon daemon = { 0 };
	struct err err = { 0 };
	int r;

	daemon_config_init(&daemon.config);
	r = read_config(opts->config, &daemon.config, &err);
	if (r == 0) {
		log_set_level(opts->debug ? LOG_TRACE : daemon.config.log_level);
		r = open_all(&daemon, opts, &err);
	}
	if (r == 0) {
		daemon.term = aio_signal_new(daemon.loop, SIGTERM, stop, &daemon);
		daemon.interrupt = aio_signal_new(daemon.loop, SIGINT, stop, &daemon);
		aio_loop_run(daemon.loop);
	} else {
		log_error(LOG_NONE, "%s", err.msg);
	}
	close_all(&daemon);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options opts = {
		.state_dir = "/var/lib/sysctr",
		.runtime_dir = "/run/sysctr",
		.log_dir = "/var/log/sysctr",
	};

	if (parse_options(argc, argv, &opts) < 0) {
		(void)fprintf(stderr, "Try: sysctrd --help\n");
		return 2;
	}
	if (opts.help || opts.version) {
		(void)fputs(opts.help ? usage : "sysctrd " SYSCTR_VERSION "\n", stdout);
		return EXIT_SUCCESS;
	}
	if (geteuid() != 0) {
		(void)fprintf(stderr, "Error: sysctrd: it has to run as root\n");
		return EXIT_FAILURE;
	}
	if (!opts.group && getgrnam(DEFAULT_GROUP))
		opts.group = DEFAULT_GROUP;
	(void)umask(022);
	(void)signal(SIGPIPE, SIG_IGN);
	return run(&opts);
}
