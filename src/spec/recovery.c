/* spec/recovery.c - see recovery.h */
#include "spec/recovery.h"

static const struct wire_field recovery_item_fields[] = {
	{ 1, WIRE_STR, offsetof(struct recovery_item, name), NULL },
	{ 2, WIRE_STR, offsetof(struct recovery_item, problem), NULL },
	{ 3, WIRE_BOOL, offsetof(struct recovery_item, is_there), NULL },
	{ 4, WIRE_STRV, offsetof(struct recovery_item, missing), NULL },
	{ 5, WIRE_STRUCT, offsetof(struct recovery_item, index), &backup_index_schema },
};
WIRE_SCHEMA(recovery_item, recovery_item_fields);

static const struct wire_field recovery_fields[] = {
	{ 1, WIRE_VEC, offsetof(struct recovery, items), &recovery_item_schema },
	{ 2, WIRE_VEC, offsetof(struct recovery, volumes), &recovery_item_schema },
	{ 3, WIRE_STRUCT, offsetof(struct recovery, pool), &pool_record_schema },
	{ 4, WIRE_STR, offsetof(struct recovery, pool_problem), NULL },
	{ 5, WIRE_STR, offsetof(struct recovery, driver), NULL },
	{ 6, WIRE_STR, offsetof(struct recovery, uuid), NULL },
};
WIRE_SCHEMA(recovery, recovery_fields);
