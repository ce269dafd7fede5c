/* core/warning.c - see warning.h; kept in core->warnings under "type|entity" */
#include "core/warning.h"

#include <stdlib.h>

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/core.h"
#include "db/server.h"

static char *map_key(const char *type, const char *entity)
{
	return xasprintf("%s|%s", type, entity);
}

static void store(struct core *core, const struct warning_record *warning)
{
	struct err err = { 0 };

	if (db_warning_set(core->db, warning, &err) < 0)
		log_error(LOG_NONE, "store warning \"%s\": %s", warning->type, err.msg);
}

static struct warning_record *make(struct core *core, const char *type, const char *entity,
				   const char *key)
{
	struct warning_record *warning = xcalloc(1, sizeof(*warning));
	char uuid[UUID_LEN];

	warning->uuid = xstrdup(uuid_new(uuid));
	warning->type = xstrdup(type);
	warning->entity = xstrdup(entity);
	warning->severity = WARNING_MODERATE;
	warning->first_seen_wall_ns = aio_wall_now(core->loop);
	strmap_set_take(&core->warnings, key, warning);
	return warning;
}

static void resolve(struct core *core, struct warning_record *warning)
{
	if (!warning || warning->status == WARNING_RESOLVED)
		return;
	warning->status = WARNING_RESOLVED;
	store(core, warning);
	log_info(LOG_NONE, "resolved: %s (%s)", warning->type, warning->entity);
}

void core_warn(struct core *core, const char *type, const char *entity, const char *message)
{
	_cleanup_(freep) char *key = map_key(type, entity);
	struct warning_record *warning = strmap_get(&core->warnings, key);

	if (!message) {
		resolve(core, warning);
		return;
	}
	if (!warning)
		warning = make(core, type, entity, key);
	if (warning->status != WARNING_ACKNOWLEDGED)
		warning->status = WARNING_NEW;
	warning->count++;
	warning->last_seen_wall_ns = aio_wall_now(core->loop);
	replace_str(&warning->last_message, message);
	store(core, warning);
	log_warn(LOG_NONE, "%s (%s): %s", type, entity, message);
}

const char *core_warning_text(const struct core *core, const char *type, const char *entity)
{
	_cleanup_(freep) char *key = map_key(type, entity);
	const struct warning_record *warning = strmap_get(&core->warnings, key);

	return warning && warning->status != WARNING_RESOLVED ? warning->last_message : NULL;
}

int warning_find(struct core *core, const char *uuid, struct warning_record **ret_warning,
		 struct err *err)
{
	strmap_for_each(entry, &core->warnings)
	{
		struct warning_record *warning = entry->value;

		if (streq(warning->uuid, uuid)) {
			*ret_warning = warning;
			return 0;
		}
	}
	return err_kind(err, ERR_NOT_FOUND, "Warning not found: \"%s\"", uuid);
}

int warning_set_status(struct core *core, const char *uuid, enum warning_status status,
		       struct err *err)
{
	struct warning_record *warning;
	enum warning_status old;
	int r = warning_find(core, uuid, &warning, err);

	if (r < 0)
		return r;
	old = warning->status;
	warning->status = status;
	r = db_warning_set(core->db, warning, err);
	if (r < 0)
		warning->status = old;
	return r;
}

int warning_delete(struct core *core, const char *uuid, struct err *err)
{
	_cleanup_(freep) char *key = NULL;
	struct warning_record *warning;
	int r = warning_find(core, uuid, &warning, err);

	if (r == 0)
		r = db_warning_delete(core->db, uuid, err);
	if (r < 0)
		return r;
	key = map_key(warning->type, warning->entity);
	(void)strmap_unset(&core->warnings, key);
	return 0;
}
