/*
 * aio/http_socket.c - the socket file of the HTTP server (aio, sysctrd)
 *
 * Made under a temporary name with no rights for others, given its group and mode, then renamed
 * over whatever stale file is there: whatever the umask, it is never wider than 0660.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aio/http_conn.h"
#include "base/mem.h"
#include "base/parse.h"
#include "os/fd.h"
#include "os/sock.h"

static int find_group(const char *group, gid_t *ret_gid, struct err *err)
{
	uint32_t number;
	struct group *entry;

	if (!group) {
		*ret_gid = (gid_t)-1;
		return 0;
	}
	if (parse_u32(group, &number) == 0) {
		*ret_gid = number;
		return 0;
	}
	errno = 0;
	entry = getgrnam(group);
	if (!entry)
		return err_set(err, errno ? -errno : -ENOENT, "group \"%s\"", group);
	*ret_gid = entry->gr_gid;
	return 0;
}

/* Only a socket that nobody answers on may be replaced. */
static int check_old(struct http_server *server, const char *path, struct err *err)
{
	struct stat st;

	if (fstatat(server->dir_fd, server->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(err, -errno, "look at %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, -EEXIST, "%s is not a socket", path);
	_cleanup_(fd_closep) int fd = sock_connect_at(server->dir_fd, server->name, SOCK_STREAM);

	if (fd >= 0 || fd == -EAGAIN)
		return err_set(err, -EADDRINUSE, "listen on %s", path);
	return 0;
}

static int publish(struct http_server *server, const char *temporary, gid_t gid)
{
	struct stat st;

	if (gid != (gid_t)-1 &&
	    fchownat(server->dir_fd, temporary, (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (fchmodat(server->dir_fd, temporary, 0660, 0) < 0 ||
	    fstatat(server->dir_fd, temporary, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (renameat(server->dir_fd, temporary, server->dir_fd, server->name) < 0)
		return -errno;
	server->socket_dev = st.st_dev;
	server->socket_ino = st.st_ino;
	return 0;
}

int http_socket_listen(struct http_server *server, const char *path, const char *group,
		       struct err *err)
{
	_cleanup_(freep) char *for_dir = xstrdup(path);
	_cleanup_(freep) char *for_name = xstrdup(path);
	_cleanup_(freep) char *temporary = NULL;
	gid_t gid = (gid_t)-1;
	int rc;

	server->dir_fd = open(dirname(for_dir), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (server->dir_fd < 0)
		return err_set(err, -errno, "open the directory of %s", path);
	server->name = xstrdup(basename(for_name));
	rc = find_group(group, &gid, err);
	if (rc < 0)
		return err_wrap(err, "listen on %s", path);
	rc = check_old(server, path, err);
	if (rc < 0)
		return rc;
	temporary = xasprintf(".%s.new", server->name);
	server->listen_fd = sock_listen_at(server->dir_fd, temporary, SOCK_STREAM, 0600);
	if (server->listen_fd < 0)
		return err_set(err, server->listen_fd, "listen on %s", path);
	rc = publish(server, temporary, gid);
	if (rc < 0) {
		(void)unlinkat(server->dir_fd, temporary, 0);
		return err_set(err, rc, "publish %s", path);
	}
	return 0;
}

void http_socket_remove(struct http_server *server)
{
	struct stat st;

	if (server->dir_fd < 0 || !server->name || server->socket_ino == 0)
		return;
	if (fstatat(server->dir_fd, server->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == server->socket_dev && st.st_ino == server->socket_ino)
		(void)unlinkat(server->dir_fd, server->name, 0);
	server->socket_ino = 0;
}
