#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# survival.bats - sysctrd dies by SIGKILL: at rest, and after every step of every operation
load lib

setup_file() {
	export ID_BASE=1610000000
	daemon_setup
	openrc_image
	s launch openrc keeper
}

teardown_file() {
	daemon_teardown
}

setup() {
	daemon_runs || daemon_start
	KEEPER=$(init_pid keeper)
}

teardown() {
	daemon_check
}

# What every death has to leave alone.
keeper_lives() {
	is_status keeper Running
	[ "$(init_pid keeper)" = "$KEEPER" ]
	s exec keeper -- true
}

@test "containers, consoles, sessions and addresses live on without the daemon" {
	mini m1 --wait ipv4
	before=$(address m1)
	pid=$(init_pid m1)
	s exec m1 -- sh -c 'until [ -e /root/go ]; do sleep 0.1; done; echo survived >/root/session' >/dev/null 2>&1 &
	session_runs() { s exec m1 -- pgrep -f survived; }
	retry 20 session_runs
	daemon_kill
	[ -e "/proc/$pid" ]
	s_dead() { ! s list; }
	s_dead
	daemon_start
	is_status m1 Running
	[ "$(init_pid m1)" = "$pid" ]
	[ "$(address m1)" = "$before" ]
	s list --format csv | grep -w "$before"
	s console m1 --show-log | grep -a .
	s exec m1 -- touch /root/go
	marked() { [ "$(s exec m1 -- cat /root/session)" = survived ]; }
	retry 20 marked
	keeper_lives
	s delete --force m1
}

@test "a tidy end of the daemon leaves them too, and its next start finds them" {
	s network list-leases "$BRIDGE" --format csv >"$T/leases"
	grep keeper "$T/leases"
	daemon_restart
	keeper_lives
	s network list-leases "$BRIDGE" --format csv | diff "$T/leases" -
	taken=$(s query /1.0/networks/$BRIDGE/leases | jq -r 'map(select(.hostname == "keeper" and (.address | contains(":") | not)))[0].address')
	fails 1 "keeper" s create openrc thief -d "eth0,ipv4.address=$taken"
	is_gone thief
}

@test "leases outlive the daemon: names still answer and no address is given twice" {
	leases() { s network list-leases "$BRIDGE" --format csv | sort; }
	before=$(leases)
	grep keeper <<<"$before"
	daemon_kill
	daemon_start
	[ "$(leases)" = "$before" ]
}

@test "a command given by descriptors runs on to its end without the daemon" {
	s exec keeper -- sh -c 'echo begun; until [ -e /root/go ]; do sleep 0.1; done; echo end' >"$T/session.out" 2>&1 &
	client=$!
	retry 20 grep begun "$T/session.out"
	daemon_kill
	enters "$KEEPER" touch /root/go
	retry 20 grep end "$T/session.out"
	daemon_start
	wait $client || true
}

# consistent NAME: whole or not at all; the name can be used again; then nothing is left of it
consistent() {
	local name=$1
	retry 20 no_operation
	if exists "$name"; then
		[[ $(status_of "$name") == @(Running|Stopped) ]]
		is_status "$name" Running || s start "$name"
		s exec "$name" -- true
		s delete --force "$name"
	fi
	is_gone "$name"
	s launch openrc "$name"
	s exec "$name" -- true
	s delete --force "$name"
	retry 10 no_trace_of "$name"
	keeper_lives
}

no_trace_of() {
	[ -z "$(find "$T/state/pools" -path "*/images/*/rootfs" -prune -o -name "$1" -print)" ] &&
		[ -z "$(find "$T/state" -path "*/rootfs" -prune -o -name '.new-*' -print)" ] &&
		[ -z "$(find "$T/run" "$T/log" -name "$1")" ] &&
		[ -z "$(find /sys/fs/cgroup -path "*/$TAG/*" -name "$1" 2>/dev/null)" ]
}

@test "killed after a step of create" {
	for step in claim have-image fill-in unpack-image journal make-volume record; do
		echo "after create/$step"
		dies_after "create/$step" s launch openrc k1
		consistent k1
	done
}

@test "a worker that is killed over a root leaves none to the next instance of that name" {
	worker_dies volume-create
	fails 1 "sysctr-worker (volume-create) was killed by signal 9" s create openrc k1
	[ ! -e "$T/bin/die" ]
	is_gone k1
	retry 10 no_trace_of k1
	[ "$(sqlite3 "$T/state/sysctr.db" 'SELECT count(*) FROM journal')" = 0 ]
	s create openrc k1
	s start k1
	s delete --force k1
	daemon_restart
}

@test "killed after a step of start" {
	for step in check await-released network spawn-monitor await-running record; do
		echo "after start/$step"
		s create openrc k2
		dies_after "start/$step" s start k2
		exists k2
		consistent k2
	done
}

@test "killed after a step of stop" {
	for step in check thaw halt await-stopped record; do
		echo "after stop/$step"
		s launch openrc k3
		dies_after "stop/$step" s stop --force k3
		exists k3
		consistent k3
	done
}

@test "killed after a step of delete" {
	for step in check await-released forget delete-volume clean-up; do
		echo "after delete/$step"
		s create openrc k4
		dies_after "delete/$step" s delete k4
		consistent k4
	done
}

@test "killed after a step of building an image" {
	mini b0 || true
	s delete --force b0 || true
	s image delete alpine/3.20/mini
	for step in fetch build; do
		echo "after image-build/$step"
		dies_after "image-build/$step" s image build alpine/3.20/mini
		retry 20 no_operation
		! s image list --format csv | grep -v openrc | grep alpine || s image delete alpine/3.20/mini
		[ -z "$(find "$T/state/images" -name '.new-*')" ]
		s image build alpine/3.20/mini
		s image delete alpine/3.20/mini
		keeper_lives
	done
}

journal_is_empty() {
	[ "$(sqlite3 "$T/state/sysctr.db" 'SELECT count(*) FROM journal')" = 0 ]
}

# nothing_of FINGERPRINT: no file of the image, nothing unpacked of it
nothing_of() {
	[ -z "$(find "$T/state/images" "$T"/state/pools/*/images -maxdepth 1 -name "$1*")" ]
}

@test "killed after a step of deleting an image, its files and what was unpacked go all the same" {
	gunzip -c "$ALPINE"/alpine-minirootfs-*.tar.gz >"$T/gone.tar"
	fp=$(sha256sum <"$T/gone.tar" | cut -d' ' -f1)
	for step in image-delete/forget image-delete/delete-files image-volume-delete/forget \
		image-volume-delete/delete image-volume-delete/erase; do
		echo "after $step"
		s image import "$T/gone.tar" --alias gone
		s create gone g1
		s delete g1
		[ -n "$(find "$T"/state/pools/*/images -maxdepth 1 -name "$fp")" ]
		dies_after "$step" s image delete gone
		never s image show gone
		retry 20 nothing_of "$fp"
		retry 20 journal_is_empty
	done
	keeper_lives
}

@test "killed after an upload, and after unpacking" {
	gunzip -c "$ALPINE"/alpine-minirootfs-*.tar.gz >"$T/up.tar"
	dies_after image-upload/store s image import "$T/up.tar" --alias up
	retry 20 no_operation
	sha256sum <"$T/up.tar" | cut -c1-12 | xargs -n1 "$BUILDDIR/sysctr" image delete || true
	[ -z "$(find "$T/state/images" -name '.new-*')" ]
	for step in unpack record; do
		s image import "$T/up.tar" --alias up
		dies_after "image-unpack/$step" s create up u1
		retry 20 no_operation
		is_gone u1 || s delete u1
		s create up u1
		s delete u1
		s image delete up
	done
	keeper_lives
}
