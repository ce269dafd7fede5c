/* monitor/proxy_relay.c - see proxy_relay.h */
#include "monitor/proxy_relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/sock.h"

enum {
	EVENTS_AT_ONCE = 64,
	ACCEPTS_AT_ONCE = 16,
	DATAGRAM_MAX = 65536,
	SPLICE_BYTES = 65536,
	ORIGIN_LEN = 128
};

enum role {
	ROLE_CONTROL,
	ROLE_LISTENER,
	ROLE_STREAM,
	ROLE_CLIENT, /* of datagrams: the socket that stands for it on the other side */
	ROLE_MAX
};

/* What an event is about; embedded in what it belongs to. */
struct endpoint {
	enum role role;
	int fd;
	uint32_t events; /* asked for */
	size_t index;	 /* of a listener; of a stream in its connection */
	void *owner;	 /* struct conn or struct client */
};

/* From stream[i] through the pipe to stream[!i]. */
struct half {
	int pipe[2];
	size_t buffered;
	bool ended; /* nothing more comes */
	bool shut;  /* and the other side was told */
};

struct conn {
	struct list node;
	struct endpoint streams[2]; /* who connected; whom we connected to */
	struct half halves[2];
	bool connecting;
};

struct client {
	struct list node; /* most recent last */
	struct endpoint endpoint;
	size_t listener;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	uint64_t last_ns;
};

struct state {
	const struct relay *relay;
	int epoll_fd;
	struct endpoint control;
	struct endpoint *listeners;
	struct list conns, clients;
	struct list closed; /* conns and clients that events of this round may still name */
	size_t n;
	bool full;
	bool over;
	char *datagram;
};

static void watch(struct state *state, struct endpoint *endpoint, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = endpoint };
	int command = endpoint->events ? events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL : EPOLL_CTL_ADD;

	if (events == endpoint->events || endpoint->fd < 0)
		return;
	if (epoll_ctl(state->epoll_fd, command, endpoint->fd, &event) == 0)
		endpoint->events = events;
}

static void watch_listeners(struct state *state)
{
	state->full = state->n >= RELAY_CONNS_MAX;
	for (size_t i = 0; i < state->relay->n_listen; i++)
		watch(state, &state->listeners[i], state->full ? 0 : EPOLLIN);
}

static void one_less(struct state *state)
{
	state->n--;
	if (state->full)
		watch_listeners(state);
}

/* ---- streams ---- */

static void close_conn(struct state *state, struct conn *conn)
{
	for (int i = 0; i < 2; i++) {
		conn->streams[i].fd = fd_close(conn->streams[i].fd);
		(void)fd_close(conn->halves[i].pipe[0]);
		(void)fd_close(conn->halves[i].pipe[1]);
	}
	list_remove(&conn->node);
	list_append(&state->closed, &conn->node);
	one_less(state);
}

/* Returns: 0, or -errno when the connection is broken. */
static int fill(struct half *half, int fd)
{
	ssize_t n;

	if (half->ended || half->buffered > 0)
		return 0;
	n = splice(fd, NULL, half->pipe[1], NULL, SPLICE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	half->ended = n == 0;
	half->buffered += (size_t)n;
	return 0;
}

static int drain(struct half *half, int fd)
{
	ssize_t n = 0;

	if (half->buffered > 0)
		n = splice(half->pipe[0], NULL, fd, NULL, half->buffered,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	half->buffered -= (size_t)n;
	if (half->ended && half->buffered == 0 && !half->shut) {
		half->shut = true;
		(void)shutdown(fd, SHUT_WR); /* R1; who is gone needs no telling */
	}
	return 0;
}

static void watch_conn(struct state *state, struct conn *conn)
{
	for (int i = 0; i < 2; i++) {
		const struct half *out = &conn->halves[i], *in = &conn->halves[!i];
		uint32_t events = 0;

		if (conn->connecting)
			events = i == 1 ? EPOLLOUT : 0;
		else
			events = (out->ended || out->buffered > 0 ? 0 : EPOLLIN) |
				 (in->buffered > 0 ? EPOLLOUT : 0);
		watch(state, &conn->streams[i], events);
	}
}

static int connect_finished(struct conn *conn)
{
	int code = 0;
	socklen_t len = sizeof(code);

	if (getsockopt(conn->streams[1].fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
		return -errno;
	conn->connecting = false;
	return -code;
}

static void on_stream(struct state *state, struct conn *conn, uint32_t events)
{
	int r = 0;

	if (conn->connecting)
		r = events & (EPOLLOUT | EPOLLERR | EPOLLHUP) ? connect_finished(conn) : 0;
	for (int i = 0; i < 2 && r == 0 && !conn->connecting; i++) {
		r = fill(&conn->halves[i], conn->streams[i].fd);
		if (r == 0)
			r = drain(&conn->halves[i], conn->streams[!i].fd);
	}
	if (r < 0 || (conn->halves[0].shut && conn->halves[1].shut))
		close_conn(state, conn);
	else
		watch_conn(state, conn);
}

static uint16_t port_of(const struct sockaddr_storage *addr)
{
	return ntohs(addr->ss_family == AF_INET ? ((const struct sockaddr_in *)addr)->sin_port
						: ((const struct sockaddr_in6 *)addr)->sin6_port);
}

static const char *host_of(const struct sockaddr_storage *addr, char out[INET6_ADDRSTRLEN])
{
	const void *bytes = addr->ss_family == AF_INET
				    ? (const void *)&((const struct sockaddr_in *)addr)->sin_addr
				    : (const void *)&((const struct sockaddr_in6 *)addr)->sin6_addr;

	return inet_ntop(addr->ss_family, bytes, out, INET6_ADDRSTRLEN);
}

/* "PROXY TCP4 192.0.2.1 192.0.2.9 40000 80\r\n" goes before all else. */
static int write_origin(struct conn *conn)
{
	struct sockaddr_storage from = { 0 }, to = { 0 };
	socklen_t from_len = sizeof(from), to_len = sizeof(to);
	char from_text[INET6_ADDRSTRLEN], to_text[INET6_ADDRSTRLEN], line[ORIGIN_LEN];
	int fd = conn->streams[0].fd, len;

	if (getpeername(fd, (struct sockaddr *)&from, &from_len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&to, &to_len) < 0)
		return -errno;
	len = snprintf(line, sizeof(line), "PROXY TCP%c %s %s %u %u\r\n",
		       from.ss_family == AF_INET ? '4' : '6', host_of(&from, from_text),
		       host_of(&to, to_text), port_of(&from), port_of(&to));
	if (write(conn->halves[0].pipe[1], line, (size_t)len) != len)
		return -EIO;
	conn->halves[0].buffered = (size_t)len;
	return 0;
}

static int connect_socket(const struct relay *relay, size_t listener, int type)
{
	const struct proxy_addr *to = relay->connect;
	struct sockaddr_storage addr;
	socklen_t len = proxy_addr_fill(to, to->n_ports == 1 ? 0 : (uint32_t)listener, &addr);
	_cleanup_(fd_closep) int fd =
		socket(addr.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, len) < 0 && errno != EINPROGRESS)
		return -errno;
	return TAKE_FD(fd);
}

static void no_delay(int fd)
{
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* unix has none */
}

/* Takes @fd. */
static void new_conn(struct state *state, size_t listener, int fd)
{
	struct conn *conn = xcalloc(1, sizeof(*conn));
	int r = 0;

	list_append(&state->conns, &conn->node);
	state->n++;
	conn->connecting = true;
	for (size_t i = 0; i < 2; i++) {
		conn->streams[i] = (struct endpoint){
			.role = ROLE_STREAM, .fd = -EBADF, .index = i, .owner = conn
		};
		conn->halves[i].pipe[0] = conn->halves[i].pipe[1] = -EBADF;
	}
	conn->streams[0].fd = fd;
	for (size_t i = 0; i < 2 && r == 0; i++)
		r = fd_pipe(conn->halves[i].pipe);
	if (r == 0 && state->relay->tell_origin)
		r = write_origin(conn);
	if (r == 0)
		r = conn->streams[1].fd = connect_socket(state->relay, listener, SOCK_STREAM);
	if (r < 0) {
		close_conn(state, conn);
		return;
	}
	no_delay(fd);
	no_delay(conn->streams[1].fd);
	watch_conn(state, conn);
}

static void on_connections(struct state *state, size_t listener)
{
	for (int i = 0; i < ACCEPTS_AT_ONCE && state->n < RELAY_CONNS_MAX; i++) {
		int fd = sock_accept(state->listeners[listener].fd);

		if (fd < 0)
			return;
		new_conn(state, listener, fd);
	}
	if (state->n >= RELAY_CONNS_MAX)
		watch_listeners(state);
}

/* ---- datagrams ---- */

static void close_client(struct state *state, struct client *client)
{
	client->endpoint.fd = fd_close(client->endpoint.fd);
	list_remove(&client->node);
	list_append(&state->closed, &client->node);
	one_less(state);
}

static struct client *find_client(struct state *state, size_t listener,
				  const struct sockaddr_storage *addr, socklen_t len)
{
	struct list *node;

	list_for_each(node, &state->clients) {
		struct client *client = list_entry(node, struct client, node);

		if (client->listener == listener && client->addr_len == len &&
		    memcmp(&client->addr, addr, len) == 0)
			return client;
	}
	return NULL;
}

static struct client *new_client(struct state *state, size_t listener,
				 const struct sockaddr_storage *addr, socklen_t len)
{
	struct client *client;
	int fd;

	if (state->n + 1 >= RELAY_CONNS_MAX)
		close_client(state, list_entry(state->clients.next, struct client, node));
	fd = connect_socket(state->relay, listener, SOCK_DGRAM);
	if (fd < 0)
		return NULL;
	client = xcalloc(1, sizeof(*client));
	client->endpoint = (struct endpoint){ .role = ROLE_CLIENT, .fd = fd, .owner = client };
	client->listener = listener;
	client->addr = *addr;
	client->addr_len = len;
	list_append(&state->clients, &client->node);
	state->n++;
	watch(state, &client->endpoint, EPOLLIN);
	return client;
}

static void touch(struct state *state, struct client *client)
{
	client->last_ns = time_mono_ns();
	list_remove(&client->node);
	list_append(&state->clients, &client->node);
}

static void on_datagrams(struct state *state, size_t listener)
{
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		struct sockaddr_storage addr = { 0 };
		socklen_t len = sizeof(addr);
		ssize_t n = recvfrom(state->listeners[listener].fd, state->datagram, DATAGRAM_MAX,
				     0, (struct sockaddr *)&addr, &len);
		struct client *client;

		if (n < 0)
			return;
		client = find_client(state, listener, &addr, len);
		if (!client)
			client = new_client(state, listener, &addr, len);
		if (!client)
			continue;
		touch(state, client);
		/* A datagram that does not fit is lost, as they are. */
		(void)send(client->endpoint.fd, state->datagram, (size_t)n, MSG_DONTWAIT);
	}
}

static void on_answer(struct state *state, struct client *client)
{
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		ssize_t n = recv(client->endpoint.fd, state->datagram, DATAGRAM_MAX, MSG_DONTWAIT);

		if (n < 0)
			return; /* also "connection refused": the service may come back */
		touch(state, client);
		(void)sendto(state->listeners[client->listener].fd, state->datagram, (size_t)n,
			     MSG_DONTWAIT, (struct sockaddr *)&client->addr, client->addr_len);
	}
}

/* Returns: milliseconds until the next one is due, -1: none is there. */
static int forget_idle(struct state *state)
{
	uint64_t idle_ns = RELAY_IDLE_S * (uint64_t)NS_PER_S, now = time_mono_ns();

	while (!list_empty(&state->clients)) {
		struct client *client = list_entry(state->clients.next, struct client, node);

		if (now - client->last_ns < idle_ns)
			return (int)((idle_ns - (now - client->last_ns)) / NS_PER_MS) + 1;
		close_client(state, client);
	}
	return -1;
}

/* ---- the loop ---- */

static void dispatch(struct state *state, struct endpoint *endpoint, uint32_t events)
{
	char byte;

	if (endpoint->fd < 0)
		return; /* closed by an earlier event of this round */
	switch (endpoint->role) {
	case ROLE_CONTROL:
		state->over = read(endpoint->fd, &byte, 1) <= 0;
		break;
	case ROLE_LISTENER:
		if (state->relay->datagrams)
			on_datagrams(state, endpoint->index);
		else
			on_connections(state, endpoint->index);
		break;
	case ROLE_STREAM:
		on_stream(state, endpoint->owner, events);
		break;
	case ROLE_CLIENT:
		on_answer(state, endpoint->owner);
		break;
	case ROLE_MAX:
		break;
	}
}

static void free_closed(struct state *state)
{
	while (!list_empty(&state->closed)) {
		struct list *node = state->closed.next;

		list_remove(node);
		/* The node is the first member of both. */
		free(node);
	}
}

static int run(struct state *state)
{
	struct epoll_event events[EVENTS_AT_ONCE];

	while (!state->over) {
		int n = epoll_wait(state->epoll_fd, events, EVENTS_AT_ONCE, forget_idle(state));

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++)
			dispatch(state, events[i].data.ptr, events[i].events);
		free_closed(state);
	}
	return 0;
}

int relay_run(const struct relay *relay)
{
	struct state state = { .relay = relay };

	list_init(&state.conns);
	list_init(&state.clients);
	list_init(&state.closed);
	state.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (state.epoll_fd < 0)
		return -errno;
	state.control = (struct endpoint){ .role = ROLE_CONTROL, .fd = relay->control_fd };
	state.listeners = xcalloc(relay->n_listen, sizeof(*state.listeners));
	state.datagram = relay->datagrams ? xmalloc(DATAGRAM_MAX) : NULL;
	for (size_t i = 0; i < relay->n_listen; i++)
		state.listeners[i] = (struct endpoint){ .role = ROLE_LISTENER,
							.fd = relay->listen_fds[i],
							.index = i };
	watch(&state, &state.control, EPOLLIN);
	watch_listeners(&state);
	/* The process ends with it: nothing is freed. */
	return run(&state);
}
