#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# sessions.bats - exec, shell and console on a real daemon: nothing lost, nothing leaked, nobody fooled
# Threats: A12 A15 A20 C3 C4 C5 C7 C9.
load lib

setup_file() {
	export ID_BASE=1840000000
	daemon_setup
	openrc_image
	s launch openrc c1 -q
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

setup() {
	export PATH="$BUILDDIR:$PATH" NO_COLOR=1
	exec </dev/null
}

@test "C7: --user and --group take a name or an id, and nothing that only looks like one" {
	[ "$(s exec c1 --user daemon -- id)" = "uid=2(daemon) gid=2(daemon) groups=1(bin),4(adm)" ]
	[ "$(s exec c1 --user 2 -- id)" = "uid=2(daemon) gid=0(root)" ]
	[ "$(s exec c1 --user daemon --group wheel -- id)" = "uid=2(daemon) gid=10(wheel) groups=1(bin),4(adm)" ]
	[ "$(s exec c1 --user 2 --group 10 -- id)" = "uid=2(daemon) gid=10(wheel)" ]
	[ "$(s exec c1 --group wheel -- id)" = "uid=0(root) gid=10(wheel)" ]
	for name in +0 00 0x0 " 0" root: -1 4294967295 4294967296 "root " /root; do
		fails 1 "" s exec c1 --user "$name" -- id
		fails 1 "" s exec c1 --group "$name" -- id
	done
	fails 1 'no user "nosuch"' s exec c1 --user nosuch -- id
	fails 1 'no group "nosuch"' s exec c1 --group nosuch -- id
}
