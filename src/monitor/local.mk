noinst_LIBRARIES += libmonitor.a
libmonitor_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/child.c %D%/child.h \
	%D%/child_exec.c \
	%D%/child_ids.c \
	%D%/child_phases.h \
	%D%/child_root.c \
	%D%/child_seed.c \
	%D%/conlog.c %D%/conlog.h \
	%D%/console.c %D%/console.h \
	%D%/ctl.c %D%/ctl.h \
	%D%/device_disk.c \
	%D%/device_node.c \
	%D%/device_proxy.c %D%/device_proxy.h \
	%D%/devices.c %D%/devices.h \
	%D%/initenv.c %D%/initenv.h \
	%D%/intercept.c %D%/intercept.h \
	%D%/initkind.c %D%/initkind.h \
	%D%/loop.c %D%/loop.h \
	%D%/mon.c %D%/mon.h \
	%D%/mknod.c \
	%D%/mountapply.c %D%/mountapply.h \
	%D%/mountplan.c %D%/mountplan.h \
	%D%/nic_lent.c %D%/nic_lent.h \
	%D%/nic_routed.c %D%/nic_routed.h \
	%D%/nic_vlan.c %D%/nic_vlan.h \
	%D%/notify.c %D%/notify.h \
	%D%/phase.c %D%/phase.h \
	%D%/procview.c %D%/procview.h \
	%D%/proxy_open.c %D%/proxy_open.h \
	%D%/proxy_relay.c %D%/proxy_relay.h \
	%D%/release.c %D%/release.h \
	%D%/request.c %D%/request.h \
	%D%/ring.c %D%/ring.h \
	%D%/session.c %D%/session.h \
	%D%/session_keep.c %D%/session_keep.h \
	%D%/setup.h \
	%D%/setup_cgroup.c \
	%D%/setup_clone.c \
	%D%/setup_name.c \
	%D%/setup_nesting.c \
	%D%/setup_net.c \
	%D%/setup_process.c \
	%D%/setup_root.c \
	%D%/start.c %D%/start.h \
	%D%/status.c %D%/status.h \
	%D%/supervise.c %D%/supervise.h \
	%D%/sysinfo.c \
	%D%/sync.c %D%/sync.h \
	%D%/title.c %D%/title.h

helper_PROGRAMS += sysctr-monitor
sysctr_monitor_SOURCES = %D%/main.c
sysctr_monitor_LDADD = libmonitor.a libos.a libspec.a libcodec.a libbase.a $(MNL_LIBS)
