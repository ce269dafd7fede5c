noinst_LIBRARIES += libnetwork.a
libnetwork_a_SOURCES = \
	%D%/addr.c %D%/addr.h \
	%D%/apply.c %D%/apply.h \
	%D%/dnat.c %D%/dnat.h \
	%D%/dnsmasq.c %D%/dnsmasq.h \
	%D%/filter.c %D%/filter.h \
	%D%/host.c %D%/host.h \
	%D%/lease.c %D%/lease.h \
	%D%/nft.c %D%/nft.h \
	%D%/plan.c %D%/plan.h \
	%D%/port.c %D%/port.h \
	%D%/process.c %D%/process.h
