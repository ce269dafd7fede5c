/* spec/image_server.c - see image_server.h */
#include "spec/image_server.h"

#include <stdbool.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

enum {
	SERVER_BYTES_MAX = 512
};

static bool is_own_host(const char *authority)
{
	static const char *const hosts[] = { "127.0.0.1", "[::1]", "localhost" };

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		const char *rest = str_after(authority, hosts[i]);

		if (rest && (!*rest || *rest == '/' || *rest == ':'))
			return true;
	}
	return false;
}

int image_server_check(const char *url, struct err *err)
{
	const char *plain = url ? str_after(url, "http://") : NULL;
	const char *rest = plain ? plain : url ? str_after(url, "https://") : NULL;

	if (str_empty(url))
		return err_kind(err, ERR_INVALID, "image server: the URL is missing");
	if (strlen(url) > SERVER_BYTES_MAX || strpbrk(url, "?#@\\ \t\r\n"))
		return err_kind(err, ERR_INVALID, "image server: no plain URL");
	if (str_empty(rest) || *rest == '/')
		return err_kind(err, ERR_INVALID, "image server \"%s\": must begin with https://",
				url);
	if (plain && !is_own_host(plain))
		return err_kind(err, ERR_INVALID,
				"image server \"%s\": http:// is for this host itself only, "
				"use https://",
				url);
	return 0;
}
