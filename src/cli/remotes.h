/*
 * cli/remotes.h - image servers by name, and images of theirs (cli, sysctr)
 *
 * A file of the client's, with the members that incus has in its own: /etc/sysctr/remotes.yaml for
 * root, ~/.config/sysctr/remotes.yaml for others, who have root's until they change something;
 * $SYSCTR_REMOTES is another file. Without any there is "images".
 *
 *   R1  "local" is the daemon; it is always there and not in the file.
 *   R2  What is read from the file is checked as what is typed.
 *   R3  A file is replaced as a whole.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/strmap.h"

struct cli;

#define REMOTE_LOCAL "local"

struct remotes {
	struct strmap urls; /* name -> URL */
	char *chosen;	    /* whose images a word without a colon means */
};
void remotes_done(struct remotes *remotes);

int remotes_load(struct remotes *ret_remotes, struct err *err);
int remotes_save(const struct remotes *remotes, struct err *err);

/* "images:alpine/3.20", taken apart. */
struct remote_word {
	char *server;	   /* URL, owned; NULL: the local store */
	const char *image; /* borrowed from the word; "" when there is nothing behind the colon */
};
void remote_word_done(struct remote_word *word);

/* Errors: ERR_NOT_FOUND for a remote that is not there, ERR_INVALID for a broken file. */
int remote_split(const char *word, struct remote_word *ret_word, struct err *err);

/* What the API calls a source: of the local store, or of that server. Returns: new JSON. */
json_t *remote_source(const struct remote_word *word);

/* The images that the server has for this host: owned *@ret_images. */
int remote_list(struct cli *cli, const char *server, json_t **ret_images, struct err *err);

/* One of them, by alias or by the beginning of its fingerprint: owned. Errors: ERR_NOT_FOUND. */
int remote_find(struct cli *cli, const struct remote_word *word, json_t **ret_image,
		struct err *err);
