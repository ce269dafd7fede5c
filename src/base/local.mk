noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	%D%/buf.c %D%/buf.h \
	%D%/err.c %D%/err.h \
	%D%/fmt.c %D%/fmt.h \
	%D%/list.h \
	%D%/log.c %D%/log.h \
	%D%/macro.h \
	%D%/mem.c %D%/mem.h \
	%D%/parse.c %D%/parse.h \
	%D%/str.c %D%/str.h \
	%D%/strmap.c %D%/strmap.h \
	%D%/time.c %D%/time.h \
	%D%/uuid.c %D%/uuid.h \
	%D%/vec.c %D%/vec.h
