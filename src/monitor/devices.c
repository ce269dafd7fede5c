/* monitor/devices.c - see devices.h */
#include "monitor/devices.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "monitor/mon.h"
#include "monitor/nic_lent.h"
#include "monitor/nic_routed.h"

/* In the order in which they are added. */
static const struct device_kind *const kinds[] = { &device_kind_nic, &device_kind_disk,
						   &device_kind_node, &device_kind_proxy };

/* What every VEC() looks like. */
struct any_vec {
	char *items;
	size_t len;
	size_t cap;
};

/* One difference between two specs; old or new may be NULL. */
struct change {
	const struct device_kind *kind;
	const void *old, *new;
	bool in_place; /* altered: nothing is removed */
	bool removed, added;
};

struct changes {
	VEC(struct change) list;
};

static struct any_vec *vec_of(const struct device_kind *kind, const struct inst_spec *spec)
{
	return (struct any_vec *)((char *)spec + kind->offset);
}

static const void *item_at(const struct device_kind *kind, const struct any_vec *vec, size_t i)
{
	return vec->items + i * kind->schema->size;
}

static const char *name_of(const void *item)
{
	const char *name;

	memcpy(&name, item, sizeof(name));
	return name;
}

static const void *find(const struct device_kind *kind, const struct inst_spec *spec,
			const char *name)
{
	const struct any_vec *vec = vec_of(kind, spec);

	for (size_t i = 0; i < vec->len; i++)
		if (streq(name_of(item_at(kind, vec, i)), name))
			return item_at(kind, vec, i);
	return NULL;
}

bool devices_same(const struct wire_schema *schema, const void *a, const void *b)
{
	struct buf x = { 0 }, y = { 0 };
	bool equal;

	wire_encode(schema, a, &x);
	wire_encode(schema, b, &y);
	equal = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
	buf_done(&x);
	buf_done(&y);
	return equal;
}

static void compare(const struct device_kind *kind, const struct inst_spec *from,
		    const struct inst_spec *to, struct changes *out)
{
	const struct any_vec *old = vec_of(kind, from), *new = vec_of(kind, to);

	for (size_t i = 0; i < old->len; i++) {
		const void *item = item_at(kind, old, i);
		const void *other = find(kind, to, name_of(item));

		if (!other || !devices_same(kind->schema, item, other))
			*vec_push(&out->list) = (struct change){
				.kind = kind,
				.old = item,
				.new = other,
				.in_place =
					other && kind->can_alter && kind->can_alter(item, other),
			};
	}
	for (size_t i = 0; i < new->len; i++)
		if (!find(kind, from, name_of(item_at(kind, new, i))))
			*vec_push(&out->list) =
				(struct change){ .kind = kind, .new = item_at(kind, new, i) };
}

static int run_add(struct mon *mon, const struct device_kind *kind, const void *item,
		   struct err *err)
{
	int r = kind->add(mon, item, err);

	return r < 0 ? err_wrap(err, "device \"%s\"", name_of(item)) : 0;
}

static int run_alter(struct mon *mon, const struct device_kind *kind, const void *item,
		     struct err *err)
{
	int r = kind->alter(mon, item, err);

	return r < 0 ? err_wrap(err, "device \"%s\"", name_of(item)) : 0;
}

static int run_remove(struct mon *mon, const struct device_kind *kind, const void *item,
		      struct err *err)
{
	int r = kind->remove(mon, item, err);

	return r < 0 ? err_wrap(err, "device \"%s\"", name_of(item)) : 0;
}

/* Inner mounts go before outer ones, and come after them. */
static int run_changes(struct mon *mon, struct changes *changes, struct err *err)
{
	for (size_t i = changes->list.len; i > 0; i--) {
		struct change *change = &changes->list.items[i - 1];
		int r;

		if (!change->old || change->in_place)
			continue;
		r = run_remove(mon, change->kind, change->old, err);
		if (r < 0)
			return r;
		change->removed = true;
	}
	vec_for_each(change, &changes->list) {
		int r;

		if (!change->new)
			continue;
		r = change->in_place ? run_alter(mon, change->kind, change->new, err)
				     : run_add(mon, change->kind, change->new, err);
		if (r < 0)
			return r;
		change->added = true;
	}
	return 0;
}

/* V2. What cannot be put back is said in the log: the next exchange or start tries again. */
static void undo_changes(struct mon *mon, struct changes *changes)
{
	struct log_keys keys = mon_keys(mon, "devices");
	struct err err = { 0 };

	for (size_t i = changes->list.len; i > 0; i--) {
		struct change *change = &changes->list.items[i - 1];

		if (!change->added)
			continue;
		if ((change->in_place ? run_alter(mon, change->kind, change->old, &err)
				      : run_remove(mon, change->kind, change->new, &err)) < 0)
			log_error(keys, "take back: %s", err.msg);
	}
	vec_for_each(change, &changes->list) {
		if (change->removed && run_add(mon, change->kind, change->old, &err) < 0)
			log_error(keys, "put back: %s", err.msg);
	}
}

int devices_exchange(struct mon *mon, struct inst_spec *spec, struct err *err)
{
	struct log_keys keys = mon_keys(mon, "devices");
	struct changes changes = { 0 };
	int r;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		compare(kinds[i], &mon->spec, spec, &changes);
	r = run_changes(mon, &changes, err);
	if (r < 0) {
		undo_changes(mon, &changes);
	} else {
		vec_for_each(change, &changes.list) {
			const void *item = change->new ? change->new : change->old;

			log_info(keys, "%s device=%s type=%s",
				 !change->old	? "added"
				 : !change->new ? "removed"
						: "changed",
				 name_of(item), change->kind->what);
		}
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
			struct any_vec *a = vec_of(kinds[i], &mon->spec),
				       *b = vec_of(kinds[i], spec);
			struct any_vec swap = *a;

			*a = *b;
			*b = swap;
		}
	}
	free(changes.list.items);
	return r;
}

int devices_attach(struct mon *mon, struct err *err)
{
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		const struct any_vec *vec = vec_of(kinds[k], &mon->spec);

		for (size_t i = 0; kinds[k]->late && i < vec->len; i++) {
			int r = run_add(mon, kinds[k], item_at(kinds[k], vec, i), err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static void drop(struct plugged_list *plugged, size_t index)
{
	free(plugged->list.items[index].device);
	plugged->list.items[index] = plugged->list.items[--plugged->list.len];
}

struct plugged *devices_remember(struct mon *mon, const char *device, uint64_t mount_id)
{
	struct plugged *plugged = vec_push(&mon->plugged.list);

	plugged->device = xstrdup(device);
	plugged->mount_id = mount_id;
	return plugged;
}

bool devices_take(struct mon *mon, const char *device, uint64_t *ret_mount_id)
{
	for (size_t i = 0; i < mon->plugged.list.len; i++) {
		struct plugged *plugged = &mon->plugged.list.items[i];

		if (!streq(plugged->device, device))
			continue;
		*ret_mount_id = plugged->mount_id;
		drop(&mon->plugged, i);
		return true;
	}
	return false;
}

void devices_forget(struct mon *mon)
{
	proxies_stop(mon);
	nics_give_back(mon);
	nics_unroute(mon);
	while (mon->plugged.list.len > 0)
		drop(&mon->plugged, mon->plugged.list.len - 1);
}
