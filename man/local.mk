## man: commands and keys come from the tables of the program itself
nodist_man_MANS = man/sysctr.1 man/sysctrd.8 man/sysctrd.yaml.5 man/sysctr-config.7
EXTRA_DIST += man/sysctr.1.in man/sysctrd.8.in man/sysctrd.yaml.5.in man/sysctr-config.7.in
CLEANFILES += $(nodist_man_MANS) man/commands.part man/keys.part man/server.part man/daemon.part

man_edit = $(SED) -e 's|@VERSION[@]|$(PACKAGE_VERSION)|g' -e 's|@SYSCONFDIR[@]|$(sysconfdir)|g'

man/sysctr.1: $(srcdir)/man/sysctr.1.in sysctr$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) man && ./sysctr __manual >man/commands.part && \
		$(man_edit) -e '/^@COMMANDS@$$/{r man/commands.part' -e 'd}' \
		$(srcdir)/man/sysctr.1.in >$@

man/sysctr-config.7: $(srcdir)/man/sysctr-config.7.in sysctr$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) man && ./sysctr __manual keys >man/keys.part && \
		./sysctr __manual server >man/server.part && \
		$(man_edit) -e '/^@KEYS@$$/{r man/keys.part' -e 'd}' \
		-e '/^@SERVER_KEYS@$$/{r man/server.part' -e 'd}' \
		$(srcdir)/man/sysctr-config.7.in >$@

man/sysctrd.8: $(srcdir)/man/sysctrd.8.in
	$(AM_V_GEN)$(MKDIR_P) man && $(man_edit) $(srcdir)/man/sysctrd.8.in >$@

man/sysctrd.yaml.5: $(srcdir)/man/sysctrd.yaml.5.in sysctr$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) man && ./sysctr __manual daemon >man/daemon.part && \
		$(man_edit) -e '/^@KEYS@$$/{r man/daemon.part' -e 'd}' \
		$(srcdir)/man/sysctrd.yaml.5.in >$@
