/* monitor/address.c - see address.h */
#include "monitor/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "os/fd.h"

int addresses_init(struct addresses *addresses, struct loop *loop, void (*changed)(void *),
		   void *data)
{
	*addresses = (struct addresses){ .loop = loop, .changed = changed, .data = data };
	source_init(&addresses->event_source);
	source_init(&addresses->timer_source);
	addresses->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return addresses->timer_fd < 0 ? -errno : 0;
}

static void report(struct addresses *addresses)
{
	const struct itimerspec interval = {
		.it_value.tv_nsec = ADDRESS_INTERVAL_MS * NS_PER_MS,
	};

	addresses->dirty = false;
	addresses->waiting = timerfd_settime(addresses->timer_fd, 0, &interval, NULL) == 0;
	addresses->changed(addresses->data);
}

static void on_timer(struct source *source, uint32_t events)
{
	struct addresses *addresses = container_of(source, struct addresses, timer_source);
	uint64_t expirations;

	(void)events; /* readable is all it can be */
	(void)!read(addresses->timer_fd, &expirations, sizeof(expirations));
	addresses->waiting = false;
	if (addresses->dirty)
		report(addresses);
}

static void on_event(struct source *source, uint32_t events)
{
	struct addresses *addresses = container_of(source, struct addresses, event_source);

	(void)events; /* readable is all it can be */
	if (netlink_read_events(addresses->events) <= 0)
		return;
	addresses->dirty = true;
	if (!addresses->waiting)
		report(addresses);
}

int addresses_start(struct addresses *addresses, int netns_fd, struct err *err)
{
	int r;

	addresses_stop(addresses);
	r = netlink_open(netns_fd, NETLINK_EVENTS, &addresses->events, err);
	if (r == 0)
		r = netlink_open(netns_fd, 0, &addresses->query, err);
	if (r == 0)
		r = netlink_link_set_up(addresses->query, "lo", true, err);
	if (r < 0)
		return r;
	r = loop_add(addresses->loop, &addresses->event_source, netlink_fd(addresses->events),
		     EPOLLIN, on_event);
	if (r == 0)
		r = loop_add(addresses->loop, &addresses->timer_source, addresses->timer_fd,
			     EPOLLIN, on_timer);
	return r < 0 ? err_set(err, r, "watch addresses") : 0;
}

void addresses_stop(struct addresses *addresses)
{
	loop_remove(addresses->loop, &addresses->event_source);
	loop_remove(addresses->loop, &addresses->timer_source);
	addresses->events = netlink_free(addresses->events);
	addresses->query = netlink_free(addresses->query);
	addresses->waiting = addresses->dirty = false;
}

static char *format_mac(const uint8_t *mac)
{
	return xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			 mac[5]);
}

static void fill_nic(const struct netlink_nic *nic, const struct inst_spec *spec,
		     bool with_counters, struct msg_nic *out)
{
	out->name = xstrdup(nic->name);
	out->hwaddr = nic->has_mac ? format_mac(nic->mac) : NULL;
	out->mtu = nic->mtu;
	out->up = nic->up;
	vec_for_each(wanted, &spec->nics) {
		if (streq(wanted->name, nic->name))
			replace_str(&out->host_name, wanted->host_name);
	}
	if (!with_counters)
		return;
	out->rx_bytes = nic->rx_bytes;
	out->tx_bytes = nic->tx_bytes;
	out->rx_packets = nic->rx_packets;
	out->tx_packets = nic->tx_packets;
	out->rx_errors = nic->rx_errors;
	out->tx_errors = nic->tx_errors;
	out->rx_dropped = nic->rx_dropped;
	out->tx_dropped = nic->tx_dropped;
}

static void fill_addr(const struct netlink_addr *addr, struct msg_addr *out)
{
	char text[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(addr->family, addr->bytes, text, sizeof(text));
	out->family = addr->family;
	out->prefix_len = addr->prefix_len;
	out->scope = addr->scope;
	out->address = xstrdup(text);
}

static void fill_msg(const struct netlink_table *table, const struct inst_spec *spec,
		     bool with_counters, struct msg *msg)
{
	size_t first = msg->nics.len;

	for (size_t i = 0; i < table->n_nics; i++)
		fill_nic(&table->nics[i], spec, with_counters, vec_push(&msg->nics));
	for (size_t i = 0; i < table->n_addrs; i++)
		fill_addr(&table->addrs[i],
			  vec_push(&msg->nics.items[first + table->addrs[i].nic].addrs));
}

/* The table is mapped and not from the heap: 50 KB that are given back at once. */
int addresses_read(struct addresses *addresses, const struct inst_spec *spec, bool with_counters,
		   struct msg *msg, struct err *err)
{
	struct netlink_table *table;
	int r;

	if (!addresses->query)
		return 0;
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (table == MAP_FAILED)
		return err_set(err, -errno, "read addresses");
	r = netlink_read_table(addresses->query, table, err);
	if (r == 0)
		fill_msg(table, spec, with_counters, msg);
	(void)munmap(table, sizeof(*table));
	return r;
}
