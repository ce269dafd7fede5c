#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# operations.bats - many at once, two on one thing, cancelled ones, and disks that are full
load lib

setup_file() {
	export ID_BASE=1810000000
	daemon_setup
	openrc_image
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

no_half_made() {
	[ -z "$(find "$T/state" -path '*/rootfs' -prune -o -name '.new-*' -print)" ]
}

@test "ten launches at once work, and the image is unpacked once" {
	seq 1 10 | xargs -P 10 -I{} timeout $((120 * SLOW)) "$BUILDDIR/sysctr" launch openrc p{}
	[ "$(s list --format csv --columns s | grep -c RUNNING)" = 10 ]
	[ "$(find "$T"/state/pools/*/ -maxdepth 2 -path '*/images/*' | wc -l)" = 1 ]
	[ "$(s list --format csv --columns n | xargs -I{} "$BUILDDIR/sysctr" exec {} -- hostname | sort -u | wc -l)" = 10 ]
	seq 1 10 | sed 's/^/p/' | xargs -P 10 -I{} timeout $((120 * SLOW)) "$BUILDDIR/sysctr" delete --force {}
	[ -z "$(s list --format csv --columns n)" ]
	retry 10 no_half_made
}

@test "the same name twice at once: one is told" {
	rcs=$(for _ in 1 2; do
		(s create openrc twin >/dev/null 2>&1; echo $?) &
	done; wait)
	[ "$(sort <<<"$rcs" | tr '\n' ' ')" = "0 1 " ]
	s delete twin
}

@test "a second operation is refused and names the first" {
	s launch openrc busy
	# Its init answers late, so the stop holds the instance.
	pid=$(init_pid busy)
	kill -STOP "$pid"
	s stop busy --timeout $((60 * SLOW)) 3>&- 4>&- &
	stopping=$!
	held() { s operation list | grep -i stopping; }
	retry 20 held
	for verb in "restart" "pause" "delete" "config set"; do
		case $verb in
		"config set") fails 1 "Stopping" s config set busy limits.processes=100 ;;
		*) fails 1 "busy" s $verb busy ;;
		esac
	done
	S_SECONDS=20 s list | grep busy
	kill -CONT "$pid"
	wait $stopping
	is_status busy Stopped
	s delete busy
}

@test "Ctrl-C during a build cancels and undoes it" {
	mv "$T/mirror/v3.20" "$T/mirror/kept"
	mkdir -p "$T/mirror/v3.20/releases/x86_64"
	cp "$T"/mirror/kept/releases/x86_64/* "$T/mirror/v3.20/releases/x86_64/"
	workers_wait image-build
	env --default-signal=INT "$BUILDDIR/sysctr" launch alpine/3.20/mini cut >"$T/cut" 2>&1 3>&- 4>&- &
	worker_is_waiting
	kill -INT $!
	status=0
	wait $! || status=$?
	cat "$T/cut"
	[ "$status" -eq 1 ]
	grep -i cancelled "$T/cut"
	is_gone cut
	daemon_restart
	retry 10 no_half_made
	rm -r "$T/mirror/v3.20"
	mv "$T/mirror/kept" "$T/mirror/v3.20"
	mini cut
	s delete --force cut
}

@test "what cannot be recorded is undone, and nothing is left to do for the next start" {
	s create alpine/3.20/mini u1 -d eth0,ipv4.address="$(free_address)"
	fails 1 "belongs to instance" s create alpine/3.20/mini u2 -d eth0,ipv4.address="$(free_address)"
	is_gone u2
	[ ! -e "$T/state/pools/default/instances/u2" ]
	[ "$(sqlite3 "$T/state/sysctr.db" 'SELECT count(*) FROM journal')" = 0 ]
	never grep -q "undo: remove" "$T/daemon.log"
	s delete u1
}

# free_address: one of the bridge's subnet that is far from those that are given
free_address() {
	s network get "$BRIDGE" ipv4.address | sed 's,\.[0-9]*/.*,.200,'
}

@test "an image can be deleted under an instance, which goes on" {
	mini based
	s image delete alpine/3.20/mini
	s exec based -- true
	s restart based --force
	s exec based -- true
	s stop based --force
	s start based
	s delete --force based
	retry 20 only_openrc
}

# only_openrc: nothing that was unpacked of another image is left
only_openrc() {
	local fp
	fp=$(s query /1.0/images/aliases/openrc | jq -er .target) &&
		[ -z "$(find "$T"/state/pools/*/images -mindepth 1 -maxdepth 1 ! -name "$fp*")" ]
}

@test "an image that comes again while what was unpacked of it is being deleted is unpacked again" {
	gunzip -c "$ALPINE"/alpine-minirootfs-*.tar.gz >"$T/again.tar"
	for ((i = 0; i < 5; i++)); do
		s image import "$T/again.tar" --alias again
		s launch again a1
		s exec a1 -- true
		s delete --force a1
		s image delete again
	done
	s image import "$T/again.tar" --alias again
	s launch again a1
	retry 20 eval '[ "$(sqlite3 "$T/state/sysctr.db" "SELECT count(*) FROM journal")" = 0 ]'
	s exec a1 -- true
	s delete --force a1
	s image delete again
}

@test "an upload that breaks off leaves nothing" {
	before=$(find "$T/state/images" -type f | wc -l)
	size=$(stat -c %s "$OPENRC")
	{
		printf 'POST /1.0/images HTTP/1.1\r\nHost: s\r\nContent-Type: application/octet-stream\r\n'
		printf 'Content-Length: %d\r\n\r\n' "$size"
		head -c 300000 "$OPENRC"
		retry 20 pgrep -P "$(daemon_pid)" -f image-store
	} | timeout 60 socat -t 0.1 - "UNIX-CONNECT:$SYSCTR_SOCKET" >/dev/null || true
	unchanged() { [ "$(find "$T/state/images" -type f | wc -l)" = "$before" ] && no_half_made; }
	retry 10 unchanged
	s list
}

@test "a full disk: said clearly, nothing half-made, usable again" {
	daemon_stop
	mkdir "$T/small"
	truncate -s 420M "$T/small.img"
	mkfs.ext4 -q "$T/small.img"
	mount -o loop "$T/small.img" "$T/small"
	sed 's/^idmap:.*/idmap: { base: 1950000000, size: 10000000 }/; s/^name: .*/&f/; s/bridge: [^ ]*/&f/' \
		"$T/sysctrd.yaml" >"$T/small.yaml"
	mkdir "$T/run2"
	(
		sanitizer_env
		exec "$BUILDDIR/sysctrd" --config "$T/small.yaml" --state-dir "$T/small" \
			--runtime-dir "$T/run2" --log-dir "$T/log2" --debug
	) >>"$T/daemon2.log" 2>&1 </dev/null 3>&- 4>&- &
	second=$!
	export SYSCTR_SOCKET=$T/run2/unix.socket
	retry 20 daemon_is_ready
	s image import "$OPENRC" --alias openrc
	s create openrc first
	fallocate -l 130M "$T/small/filler"
	fails 1 "not enough space" s image import "$ALPINE"/alpine-minirootfs-*.tar.gz --alias big
	[ -z "$(find "$T/small" -path '*/rootfs' -prune -o -name '.new-*' -print)" ]
	rm "$T/small/filler"
	s image import "$ALPINE"/alpine-minirootfs-*.tar.gz --alias big
	s create big second
	s delete first second
	s profile edit default <<<'devices: {}'
	s network delete "${BRIDGE}f"
	retry 10 no_table "${TAG}f"
	kill $second
	gone() { [ ! -e "/proc/$second/exe" ]; }
	retry 20 gone
	retry 20 umount "$T/small"
	export SYSCTR_SOCKET=$T/run/unix.socket
	daemon_start
}
