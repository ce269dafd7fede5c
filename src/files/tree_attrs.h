/*
 * files/tree_attrs.h - what an entry has beside its content
 *
 * Layer: files. Process: sysctr-exec and sysctr.
 */
#pragma once

#include <sys/stat.h>

#include "files/tree.h"

/* Fill *@ret_entry (all but target) from @st and, for archives, the open @fd (-EBADF: none). */
void tree_attrs_read(const char *name, const struct stat *st, int fd, bool archive,
		     struct tree_entry *ret_entry);

/*
 * Give the open file or directory @fd what @entry says as far as @plan wants it.
 * @created: it is new; an old one keeps owner and mode unless it is told otherwise.
 */
int tree_attrs_apply(const struct tree_receive_plan *plan, const struct tree_entry *entry, int fd,
		     bool created);

/* The mode a new entry starts with. */
mode_t tree_attrs_mode(const struct tree_receive_plan *plan, const struct tree_entry *entry,
		       bool is_dir);

/* Owner and times of a link. */
int tree_attrs_link(const struct tree_receive_plan *plan, const struct tree_entry *entry,
		    int dir_fd, const char *name);
