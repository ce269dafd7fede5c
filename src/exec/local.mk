## exec: libexec.a is what of it can be tested; the program is static, so that it loads nothing
noinst_LIBRARIES += libexec.a
libexec_a_SOURCES = \
	%D%/command.c %D%/command.h \
	%D%/enter.c %D%/enter.h \
	%D%/files.c %D%/files.h \
	%D%/passwd.c %D%/passwd.h \
	%D%/run.c %D%/run.h \
	%D%/user.c %D%/user.h

helper_PROGRAMS += sysctr-exec
sysctr_exec_SOURCES = %D%/main.c
sysctr_exec_LDADD = libexec.a libfiles.a libspec.a libcodec.a libos.a libbase.a
if SANITIZERS
sysctr_exec_LDFLAGS = $(MODE_LDFLAGS)
else
sysctr_exec_LDFLAGS = -static-pie -Wl,-z,relro,-z,now
endif
