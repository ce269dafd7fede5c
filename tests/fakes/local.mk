## Programs that the system tests run; not part of "make check".
noinst_PROGRAMS += %D%/jobrun %D%/sandboxed
tests_fakes_jobrun_SOURCES = %D%/jobrun.c
tests_fakes_jobrun_LDADD = libspec.a libcodec.a libos.a libbase.a

noinst_PROGRAMS += tests/fakes/monctl
tests_fakes_monctl_SOURCES = %D%/monctl.c
tests_fakes_monctl_LDADD = libos.a libspec.a libcodec.a libbase.a
noinst_PROGRAMS += tests/fakes/netctl
tests_fakes_netctl_SOURCES = %D%/netctl.c
tests_fakes_netctl_LDADD = libcore.a libdb.a libaio.a libnetwork.a libspec.a libcodec.a libos.a \
	libbase.a $(UV_LIBS) $(SQLITE_LIBS) $(MNL_LIBS) $(MHD_LIBS) $(GNUTLS_LIBS) $(WSLAY_LIBS) \
	$(JANSSON_LIBS) $(YAML_LIBS) $(SECCOMP_LIBS)

noinst_PROGRAMS += tests/fakes/execctl
tests_fakes_execctl_SOURCES = %D%/execctl.c
tests_fakes_execctl_LDADD = libos.a libspec.a libcodec.a libbase.a

## runs inside containers: static
noinst_PROGRAMS += tests/fakes/attack
tests_fakes_attack_SOURCES = %D%/attack.c
tests_fakes_attack_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_fakes_attack_LDFLAGS = -static

if HAVE_CMOCKA
noinst_PROGRAMS += tests/fakes/osroot
tests_fakes_osroot_SOURCES = %D%/osroot.c
tests_fakes_osroot_LDADD = libos.a libbase.a $(MNL_LIBS) $(CMOCKA_LIBS)
endif

noinst_PROGRAMS += tests/fakes/mkseccomp
tests_fakes_mkseccomp_SOURCES = %D%/mkseccomp.c
tests_fakes_mkseccomp_LDADD = libcore.a libos.a libspec.a libcodec.a libbase.a $(SECCOMP_LIBS)
tests_fakes_sandboxed_SOURCES = %D%/sandboxed.c
tests_fakes_sandboxed_LDADD = libos.a libbase.a

## read, run or compiled by the tests themselves
EXTRA_DIST += %D%/echo.py %D%/mkbackup.py %D%/mktar.py %D%/streams.py %D%/sysctrd.py \
	%D%/sysprobe.c %D%/typist.py
