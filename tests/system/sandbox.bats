#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# sandbox.bats - what hostile bytes could reach if they took over the process that reads them
# Threats: A18 A19 F1 (shared design/threats.md), rule 3. Needs root.

setup_file() {
	srcdir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export SYSCTR_BUILDDIR=${SYSCTR_BUILDDIR:-$srcdir/build}
	export PATH="$SYSCTR_BUILDDIR/tests/fakes:$PATH"
	export T=$BATS_FILE_TMPDIR
	mkdir -p /srv/canary && echo safe >/srv/canary/f && chmod 600 /srv/canary/f
	mkdir "$T/parser" "$T/build"
	sandboxed parser "$T/parser" >"$T/parser.out" 5</etc/shadow
	sandboxed build "$T/build" >"$T/build.out" 5</etc/shadow
}

teardown_file() {
	rm -rf /srv/canary
}

says() { # says SANDBOX LINE
	grep -qx "$2" "$T/$1.out" || { cat "$T/$1.out" && false; }
}

@test "files land with the owners that they have inside" {
	for kind in parser build; do
		says $kind "uid 0 pid 2 fds 3"
		says $kind "write ok"
		says $kind "chown ok"
		says $kind "chown-outside Invalid argument"
		[ "$(stat -c '%u %g' "$T/$kind/made")" = "65535 7" ]
	done
}

@test "a parser sees nothing of the host and may call little" {
	says parser "shadow No such file or directory"
	says parser "canary No such file or directory"
	says parser "exec \(Function not implemented\|No such file or directory\)"
	says parser "status 7"
	[ -z "$(ldd "$SYSCTR_BUILDDIR/sysctr-unpack" | grep asan)" ] || return 0 # no filter there
	for call in socket ptrace unshare keyctl bpf handle; do
		says parser "$call Function not implemented"
	done
}

@test "a build sees the host as anybody does, and writes only where it may" {
	says build "shadow Permission denied"
	says build "canary Permission denied"
	grep -q '^write-host \(Read-only file system\|Permission denied\)' "$T/build.out"
	for call in ptrace mknod keyctl bpf handle; do
		says build "$call Operation not permitted"
	done
	says build "status 0" # it became /bin/true
	[ ! -e /etc/sysctr-canary ]
}

@test "nothing of a sandbox stays behind" {
	run ! pgrep -f "^sandboxed .*$T"
	run ! grep -q "$T" /proc/self/mountinfo
}

@test "where the mounts are shared, as systemd shares the host's, none of a sandbox gets out" {
	mkdir "$T/shared"
	run unshare --mount bash -c 'mount --make-rshared / && before=$(</proc/self/mountinfo) &&
		sandboxed build "$T/shared" 5</etc/shadow && [ "$before" = "$(</proc/self/mountinfo)" ]'
	echo "$output"
	[ "$status" -eq 0 ]
}
