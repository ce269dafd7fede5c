#!/usr/bin/env bats
# exec.bats - sysctr-exec and the monitor's sessions in a running container, without a daemon
# Threats: A15 A16 B5 B8 C1 C2 C3 C4 C6 C7 C8 G6. Needs root.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	srcdir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export SYSCTR_BUILDDIR=${SYSCTR_BUILDDIR:-$srcdir/build}
	export PATH="$SYSCTR_BUILDDIR/tests/fakes:$PATH"
	export ASAN_OPTIONS=detect_leaks=0 # of the clients, which end at once
	export T=$BATS_FILE_TMPDIR
	export TAG=exectest-$$
	export R=$T/run/c1
	export UP=$T/vol/upper
	mkdir -p "$T/run" "$T/log" "$T/lower" "$T/vol/upper/usr/bin" "$T/vol/work"
	chmod 755 "$T" "$T/vol"
	tar -xzf "$srcdir"/../shared/data/alpine/alpine-minirootfs-*.tar.gz -C "$T/lower"
	cp "$SYSCTR_BUILDDIR/tests/fakes/attack" "$UP/usr/bin/attack"
	mkdir -p "$UP/etc"
	cp "$T/lower/etc/passwd" "$UP/etc/passwd"
	printf '#!/bin/sh\ntrap "exit 0" TERM USR1 USR2\nwhile :; do sleep 1000 & wait; done\n' >"$UP/usr/bin/idle"
	printf '#!/proc/self/exe\n' >"$UP/usr/bin/evil"
	chmod 755 "$UP"/usr/bin/*
	mkseccomp >"$T/filter"
	sha256sum "$SYSCTR_BUILDDIR/sysctr-exec" >"$T/sum"
	monctl start c1 --dir "$T" --tag "$TAG" --root "$T/vol" --lower "$T/lower" \
		--init /usr/bin/idle --seccomp "$T/filter" --env container=sysctr
}

teardown_file() {
	monctl kill c1 --dir "$T" || true
	monctl wait c1 --dir "$T" gone --timeout 10 || true
	for _ in 1 2 3 4 5; do # the monitor leaves its group last
		find /sys/fs/cgroup -depth -type d -path "*/$TAG*" -exec rmdir {} \; 2>/dev/null
		[ -n "$(find /sys/fs/cgroup -maxdepth 2 -name "$TAG")" ] || break
		sleep 0.2
	done
}

# ex ARGS...: execctl in the container, standard input from /dev/null
ex() {
	execctl "$@" </dev/null
}

# the passwd that the container shows from now on
passwd_is() {
	ex "$R" -- sh -c "rm -f /etc/passwd; $1"
}

@test "a command has our descriptors, its status and nothing else" {
	run ex "$R" -- sh -c 'echo out; exit 7'
	[ "$status" -eq 7 ]
	[ "$output" = out ]
	run ex "$R" -- sh -c 'kill -9 $$'
	[ "$status" -eq 137 ]
	run sh -c "echo piped | execctl '$R' cat"
	[ "$output" = piped ]
	# ls itself opens one
	run ex "$R" -- sh -c 'ls /proc/self/fd | tr "\n" " "'
	[ "$output" = "0 1 2 3 " ]
}

@test "not found is 127, not runnable is 126, and both say why" {
	run -127 ex "$R" -- no-such-command
	[[ $output == *'run "no-such-command"'*'No such file'* ]]
	run ex "$R" -- /etc/passwd
	[ "$status" -eq 126 ]
	run -127 ex "$R" -- ""
	run ex "$R"
	[ "$status" -eq 125 ]
	[[ $output == *"no command"* ]]
}

@test "C6: capabilities, groups, seccomp and user namespace are those of init" {
	run ex "$R" -- grep -E '^(Cap(Inh|Amb)|NoNewPrivs|Seccomp):' /proc/self/status
	[ "$(tr -s '\t' ' ' <<<"$output")" = "CapInh: 0000000000000000
CapAmb: 0000000000000000
NoNewPrivs: 0
Seccomp: 2" ]
	[ "$(ex "$R" grep CapBnd /proc/self/status)" = "$(ex "$R" grep CapBnd /proc/1/status)" ]
	[ "$(ex "$R" readlink /proc/self/ns/user)" = "$(ex "$R" readlink /proc/1/ns/user)" ]
	[ "$(ex "$R" id)" = "uid=0(root) gid=0(root)" ]
	[ "$(ex --uid 1234 --gid 77 "$R" id)" = "uid=1234 gid=77" ]
	run ex --uid 1234 --gid 77 "$R" grep CapEff /proc/self/status
	[[ $output == *0000000000000000 ]]
	[ "$(ex --user daemon "$R" id)" = "uid=2(daemon) gid=2(daemon) groups=1(bin),4(adm)" ]
}

@test "C7: a user is exactly the one asked for, or an error" {
	[ "$(ex --user 1 "$R" id -u)" = 1 ]
	[ "$(ex --user 4242:1 "$R" id)" = "uid=4242 gid=1(bin)" ]
	for user in 0x0 +0 " 0" root: 4294967296 4294967295 -1 00 nosuch 4242 "root " 1: :1; do
		run ex --user "$user" "$R" id
		[ "$status" -eq 125 ]
		[[ $output != *uid=* ]]
	done
}

@test "A15: a passwd that is a trap is refused at once" {
	for trap in "mkfifo /etc/passwd" "ln -s /dev/zero /etc/passwd" "mkdir /etc/passwd" \
		"truncate -s 10G /etc/passwd" "ln -s passwd /etc/passwd" \
		"ln -s /proc/self/fd/0 /etc/passwd" "touch /etc/passwd"; do
		passwd_is "$trap"
		run timeout $((20 * SLOW)) execctl --user root "$R" -- id </dev/null
		[ "$status" -eq 125 ]
		# numbers need no passwd
		run timeout $((20 * SLOW)) execctl "$R" -- echo fine </dev/null
		[ "$output" = fine ]
		ex "$R" -- rm -rf /etc/passwd
	done
	passwd_is "printf 'root:x:0:0::/root:/bin/sh\ndaemon:x:2:2::/sbin:/bin/sh\n' >/etc/passwd"
	run ex --user root "$R" id -u
	[ "$output" = 0 ]
}

@test "C3, A16: the working directory cannot lead out" {
	for n in $(seq 0 64); do
		run ex --cwd "/proc/self/fd/$n" "$R" pwd
		[ "$status" -eq 125 ]
	done
	for cwd in /proc/self/root /proc/1/cwd/../.. /no/such relative /etc/passwd; do
		run ex --cwd "$cwd" "$R" ls -d /work /srv/canary
		[[ $output != */work* ]]
	done
	ex "$R" -- ln -sfn /proc/self/fd/5 /tmp/link
	run ex --cwd /tmp/link "$R" pwd
	[ "$status" -eq 125 ]
	[ "$(ex --cwd /tmp "$R" pwd)" = /tmp ]
}

@test "a terminal of the caller and a directory are never handed in" {
	run script -qec "execctl '$R' -- id" /dev/null
	[[ $output == *"is a terminal"* ]]
	run sh -c "execctl '$R' -- id </"
	[[ $output == *"is a directory"* ]]
}

@test "a terminal of its own: size, resize, signals, controlling, owner" {
	run execctl --tty 81x27 "$R" -- sh -c 'stty size; tty; ls -l /proc/self/fd/0; echo >/dev/tty'
	[[ $output == "27 81"*"/dev/pts/"* ]]
	run execctl --tty 80x25 --resize 120x50 "$R" -- sh -c 'trap "stty size; exit 3" WINCH; echo; sleep 5 & wait'
	[ "$status" -eq 3 ]
	[[ $output == *"50 120"* ]]
	run execctl --tty 80x25 --signal 2 "$R" -- sh -c 'trap "exit 9" INT; echo; sleep 5 & wait'
	[ "$status" -eq 9 ]
	run execctl --tty 80x25 --type $'\x03' "$R" -- sh -c 'trap "exit 8" INT; echo; sleep 5 & wait'
	[ "$status" -eq 8 ]
	run execctl --tty 80x25 --user daemon "$R" -- sh -c 'ls -ln $(tty)'
	[[ $(tr -s ' ' <<<"$output") == *"crw--w---- 1 2 5 "* ]]
}

@test "a login shell has the user's home, shell and name" {
	run ex --login --user root "$R" -- x -c 'echo "$0 $HOME $USER $SHELL $(pwd)"'
	[ "$output" = "-sh /root root /bin/sh /root" ]
}

@test "C4: nothing can be typed into a terminal" {
	run execctl --tty 80x25 "$R" -- attack tiocsti
	[[ $output == *"tiocsti=1 high=1 tioclinux=1"* ]]
}

# watched COMMAND...: run it 300 times under the eyes of a hostile root; what it saw into $seen
watched() {
	ex "$R" -- sh -c 'rm -f /tmp/watch; attack watch 4 >/tmp/watch 2>&1 &'
	retry 10 ex "$R" -- pgrep attack
	execctl --repeat 300 "$R" -- "$@" </dev/null || true
	retry 20 ex "$R" -- test -s /tmp/watch
	seen=$(ex "$R" -- cat /tmp/watch)
	echo "$seen"
	[ "$(sed 's/seen=\([0-9]*\).*/\1/' <<<"$seen")" -gt 10 ]
}

@test "C2, C8: nobody gets hold of those who enter before they are confined" {
	watched true
	[[ $seen == *"exe=0 traced=0 fds=0 mem=0 written=0 remounted=0" ]]
}

@test "C1: a container that runs the helper by /proc/self/exe cannot write to it" {
	watched evil
	[[ $seen == *"written=0 remounted=0" ]]
	sha256sum -c "$T/sum"
}

@test "B5, B8: a false /proc changes nothing" {
	ex "$R" -- mount -t tmpfs none /proc
	[ "$(ex "$R" echo fine)" = fine ]
	ex "$R" -- umount /proc
	run ex "$R" -- grep Seccomp: /proc/self/status
	[[ $output == *2 ]]
}

@test "G6: the host's clock, log and modules are out of reach" {
	for command in "dmesg" "date -s 2001-01-01" "swapoff -a" "hwclock -w"; do
		before=$(date +%Y)
		run ex "$R" -- sh -c "$command"
		[ "$(date +%Y)" -ge "$before" ]
	done
	run ex "$R" -- dmesg
	[[ $output == *"not permitted"* ]]
}

@test "what a session leaves running keeps its group, which goes with it" {
	payload=$(find /sys/fs/cgroup -path "*/$TAG/c1/payload" -type d | head -1)
	groups_are() { [ "$(find "$payload" -maxdepth 1 -name 'sysctr-session-*' | wc -l)" -eq "$1" ]; }
	ex "$R" -- sh -c 'until [ -e /tmp/end ]; do sleep 0.1; done >/dev/null 2>&1 &'
	retry 10 groups_are 1
	sleep 0.5
	groups_are 1
	ex "$R" -- touch /tmp/end
	retry 10 groups_are 0
}

@test "ending a session kills all of it" {
	run timeout $((60 * SLOW)) execctl --end "$R" -- sh -c 'sleep 100 & sleep 100' </dev/null
	[ "$status" -eq 137 ]
	none_sleeps() { [ "$(ex "$R" -- sh -c 'ps | grep -c "[s]leep 100$"')" = 0 ]; }
	retry 10 none_sleeps
	run execctl --tty 80x25 --end "$R" -- sh -c 'echo; sleep 100'
	[ "$status" -eq 137 ]
}

@test "a signal goes to the whole process group" {
	run ex --signal 15 "$R" -- sleep 100
	[ "$status" -eq 143 ]
}
