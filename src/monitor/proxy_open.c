/* monitor/proxy_open.c - see proxy_open.h */
#include "monitor/proxy_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/caps.h"
#include "os/fd.h"
#include "os/ns.h"
#include "os/path.h"

int proxy_enter(int userns_fd, int mntns_fd, int netns_fd, struct err *err)
{
	int r = 0;

	/* The network first: who is root of the container only need not be allowed to leave ours. */
	if (netns_fd >= 0)
		r = ns_join(netns_fd, CLONE_NEWNET);
	if (r == 0 && userns_fd >= 0) {
		r = ns_join(userns_fd, CLONE_NEWUSER);
		if (r == 0)
			r = caps_become_root();
	}
	if (r == 0 && mntns_fd >= 0)
		r = ns_join(mntns_fd, CLONE_NEWNS);
	return r < 0 ? err_set(err, r, "join the container") : 0;
}

/* The current directory becomes that of the socket file. Returns: its name there, NULL with @err. */
static const char *enter_directory(const struct proxy_addr *addr, struct err *err)
{
	_cleanup_(fd_closep) int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	const char *name = strrchr(addr->path, '/') + 1;
	char dir[PROXY_PATH_LEN];

	(void)snprintf(dir, sizeof(dir), ".%.*s", (int)(name - addr->path), addr->path);
	dir_fd = path_open_plain(root_fd, dir, O_PATH | O_DIRECTORY, 0);
	if (dir_fd == -ELOOP)
		(void)err_kind(err, ERR_INVALID,
			       "listen: \"%s\": there is a symbolic link in that path", addr->path);
	else if (dir_fd < 0)
		(void)err_set(err, dir_fd, "listen: directory of \"%s\"", addr->path);
	if (dir_fd < 0 || fchdir(dir_fd) < 0)
		return NULL;
	return name;
}

static int bind_file(int fd, const struct spec_proxy *proxy, const struct proxy_addr *addr,
		     struct err *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *name = enter_directory(addr, err);
	struct stat st;

	if (!name)
		return err && err->code < 0 ? err->code : -ENOENT;
	if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISSOCK(st.st_mode))
		return err_kind(err, ERR_CONFLICT, "listen: \"%s\" exists and is no socket",
				addr->path);
	(void)unlinkat(AT_FDCWD, name, 0);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", name);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
		return err_set(err, -errno, "listen on \"%s\"", addr->path);
	if (fchownat(AT_FDCWD, name, proxy->uid, proxy->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(AT_FDCWD, name, proxy->mode, 0) < 0)
		return err_set(err, -errno, "owner and mode of \"%s\"", addr->path);
	return 0;
}

static int bind_address(int fd, const struct spec_proxy *proxy, const struct proxy_addr *addr,
			uint32_t index, struct err *err)
{
	struct sockaddr_storage sockaddr;
	socklen_t len = proxy_addr_fill(addr, index, &sockaddr);
	int one = 1;

	if (addr->kind != PROXY_UNIX) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)); /* else v4 */
	} else if (addr->path[0] != '@') {
		return bind_file(fd, proxy, addr, err);
	}
	if (bind(fd, (struct sockaddr *)&sockaddr, len) == 0)
		return 0;
	if (errno == EADDRINUSE)
		return err_kind(err, ERR_CONFLICT, "listen=%s: port %u is in use", proxy->listen,
				addr->ports[index]);
	return err_set(err, -errno, "listen=%s", proxy->listen);
}

static int open_socket(const struct spec_proxy *proxy, const struct proxy_addr *addr,
		       uint32_t index, struct err *err)
{
	int family = addr->kind == PROXY_UNIX ? AF_UNIX : addr->ip.ss_family;
	int type = addr->kind == PROXY_UDP ? SOCK_DGRAM : SOCK_STREAM;
	_cleanup_(fd_closep) int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return err_set(err, -errno, "make a socket");
	r = bind_address(fd, proxy, addr, index, err);
	if (r == 0 && type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)
		r = err_set(err, -errno, "listen=%s", proxy->listen);
	return r < 0 ? r : TAKE_FD(fd);
}

int proxy_open_sockets(const struct spec_proxy *proxy, const struct proxy_addr *addr,
		       int ret_fds[PROXY_PORTS_MAX], struct err *err)
{
	for (uint32_t i = 0; i < addr->n_ports; i++) {
		ret_fds[i] = open_socket(proxy, addr, i, err);
		if (ret_fds[i] < 0)
			return ret_fds[i]; /* the process ends */
	}
	return 0;
}

void proxy_unlink(const struct proxy_addr *addr)
{
	const char *name;
	struct stat st;

	if (addr->kind != PROXY_UNIX || addr->path[0] == '@')
		return;
	name = enter_directory(addr, NULL);
	if (name && fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode))
		(void)unlinkat(AT_FDCWD, name, 0);
}
