/*
 * image/apt.h - where this host's apt gets Debian from, as lines for a build (image, pure)
 *
 * A host that runs Debian knows a mirror that works for it, perhaps the only one. Any release of
 * Debian is on the same mirror, so its URI serves for the other releases too.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Owned strings; free with apt_mirrors_done(). NULL: not known. */
struct apt_mirrors {
	char *main;	/* of "<codename>" */
	char *security; /* of "<codename>-security" */
};

/* VERSION_CODENAME of os-release when it says ID=debian, else NULL. New string. */
char *apt_codename(const char *os_release);

/*
 * Look in @text for the URIs of @codename; what is found already stays. @deb822: the stanza format
 * of *.sources, else one "deb" line each. URIs other than http, https and file are passed over.
 */
void apt_find_mirrors(const char *text, bool deb822, const char *codename,
		      struct apt_mirrors *mirrors);
void apt_mirrors_done(struct apt_mirrors *mirrors);

/*
 * "deb ..." lines for @release: the archive, its updates and security, as far as mirrors are known.
 * @keyring: a file for signed-by; NULL: apt's own trust. Returns: strv, NULL without a mirror.
 */
char **apt_source_lines(const struct apt_mirrors *mirrors, const char *release,
			const char *const *components, const char *keyring);

/*
 * From "apt-config dump": what says how to reach a mirror (proxies, date checks), in the form of
 * mmdebstrap's --aptopt. Returns: strv.
 */
char **apt_options(const char *dump);
