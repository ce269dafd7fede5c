/* base/macro.h - the few macros that cannot be functions (style N1: at most 15) */
#pragma once

#include <stddef.h>

#define ARRAY_LEN(a)			(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
/* <sys/param.h>, which some libraries include, has them as well. */
#undef MIN
#undef MAX
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Run @fn on the variable's address when it leaves its scope. */
#define _cleanup_(fn)	    __attribute__((cleanup(fn)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

/* Give away what a cleanup variable owns. */
#define TAKE_PTR(ptr)                               \
	({                                          \
		__typeof__(ptr) *_take_p = &(ptr);  \
		__typeof__(ptr) _take_v = *_take_p; \
		*_take_p = NULL;                    \
		_take_v;                            \
	})
#define TAKE_FD(fd)                     \
	({                              \
		int *_take_p = &(fd);   \
		int _take_v = *_take_p; \
		*_take_p = -EBADF;      \
		_take_v;                \
	})
