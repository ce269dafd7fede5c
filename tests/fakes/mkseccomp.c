/* tests/fakes/mkseccomp.c - write the filter that sysctrd compiles to standard output */
#include <stdio.h>
#include <unistd.h>

#include "base/macro.h"
#include "core/seccomp.h"
#include "os/fd.h"

int main(void)
{
	_cleanup_(buf_done) struct buf filter = { 0 };
	struct err err = { 0 };

	if (seccomp_compile(&(struct seccomp_policy){ 0 }, &filter, &err) < 0) {
		(void)fprintf(stderr, "mkseccomp: %s\n", err.msg);
		return 1;
	}
	return fd_write_all(STDOUT_FILENO, filter.data, filter.len) < 0;
}
