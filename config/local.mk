confdir = $(sysconfdir)/sysctr

sysctldir = $(prefix)/lib/sysctl.d
dist_sysctl_DATA = %D%/sysctl.d/50-sysctr.conf

unitdir = $(prefix)/lib/systemd/system
nodist_unit_DATA = %D%/systemd/sysctrd.service %D%/systemd/sysctr-containers.service

openrcdir = $(datadir)/sysctr/openrc
nodist_openrc_DATA = %D%/openrc/sysctrd

profile_files = %D%/profiles/desktop.yaml %D%/profiles/docker.yaml %D%/profiles/small.yaml \
	%D%/profiles/web.yaml

EXTRA_DIST += $(profile_files) %D%/sysctrd.yaml %D%/systemd/sysctrd.service.in \
	%D%/systemd/sysctr-containers.service.in %D%/openrc/sysctrd.in
CLEANFILES += $(nodist_unit_DATA) $(nodist_openrc_DATA)

## Directories are only known to make: configure's are still full of variables.
$(nodist_unit_DATA) $(nodist_openrc_DATA): %: $(srcdir)/%.in
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) -e 's|@sbindir[@]|$(sbindir)|g' \
		-e 's|@bindir[@]|$(bindir)|g' $(srcdir)/$@.in >$@

## A configuration that somebody edited is never overwritten.
install-data-local:
	$(MKDIR_P) "$(DESTDIR)$(confdir)"
	test -e "$(DESTDIR)$(confdir)/sysctrd.yaml" || \
		$(INSTALL_DATA) $(srcdir)/config/sysctrd.yaml "$(DESTDIR)$(confdir)/sysctrd.yaml"
	$(MKDIR_P) "$(DESTDIR)$(confdir)/profiles"
	for file in $(profile_files); do \
		test -e "$(DESTDIR)$(confdir)/profiles/$${file##*/}" || \
			$(INSTALL_DATA) "$(srcdir)/$$file" "$(DESTDIR)$(confdir)/profiles/"; \
	done

uninstall-local:
	! cmp -s $(srcdir)/config/sysctrd.yaml "$(DESTDIR)$(confdir)/sysctrd.yaml" || \
		rm -f "$(DESTDIR)$(confdir)/sysctrd.yaml"
	for file in $(profile_files); do \
		! cmp -s "$(srcdir)/$$file" "$(DESTDIR)$(confdir)/profiles/$${file##*/}" || \
			rm -f "$(DESTDIR)$(confdir)/profiles/$${file##*/}"; \
	done
