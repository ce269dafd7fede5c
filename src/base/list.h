/* base/list.h - intrusive doubly linked list; an entry is in at most one list per node */
#pragma once

#include <stdbool.h>

#include "base/macro.h"

struct list {
	struct list *prev;
	struct list *next;
};

#define list_entry(node, type, member) container_of(node, type, member)
/* @node is a struct list *; the _safe form allows removing the current entry. */
#define list_for_each(node, head)      for (node = (head)->next; node != (head); node = node->next)
#define list_for_each_safe(node, tmp, head) \
	for (node = (head)->next, tmp = node->next; node != (head); node = tmp, tmp = node->next)

static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Take @node out; it becomes an empty list of its own, so removing twice is harmless. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}
