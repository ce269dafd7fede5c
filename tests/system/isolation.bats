#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# isolation.bats - what the root of a container, an image, a name or a host user must not reach
# Each test begins with the rows of the threat table that it is for (docs/threat-tests.md).
load lib

setup_file() {
	export ID_BASE=1990000000
	daemon_setup
	openrc_image
	export CANARY=$T/canary
	mkdir -p "$CANARY/d"
	echo keep >"$CANARY/f"
	s launch openrc in1
	s launch openrc other-name-7
	gcc -O1 -static -o "$T/probe64" "$SRCDIR/tests/fakes/sysprobe.c"
	gcc -O1 -static -m32 -o "$T/probe32" "$SRCDIR/tests/fakes/sysprobe.c"
	for abi in 64 32; do
		s exec in1 -- sh -c "cat >/root/probe$abi; chmod 755 /root/probe$abi" <"$T/probe$abi"
	done
}

teardown_file() {
	daemon_teardown
}

teardown() {
	[ "$(cat "$CANARY/f")" = keep ]
	[ -z "$(ls "$CANARY/d")" ]
	daemon_check
}

in1() {
	s exec in1 -- "$@"
}

# evil_image ALIAS PATH TARGET: a plain root file system in which PATH is a link to TARGET
evil_image() {
	rm -rf "$T/evil"
	mkdir "$T/evil"
	tar xzf "$ALPINE"/alpine-minirootfs-*.tar.gz -C "$T/evil"
	rm -rf "${T:?}/evil/$2"
	ln -s "$3" "$T/evil/$2"
	tar czf "$T/evil.tar.gz" -C "$T/evil" .
	s image import "$T/evil.tar.gz" --alias "$1"
}

# one errno per line; those that have to fail with EPERM (1) or ENOSYS (38)
all_denied() {
	local name code rc=0
	while read -r name code; do
		case $code in
		1 | 38) ;;
		*)
			echo "$name: $code"
			rc=1
			;;
		esac
	done
	return $rc
}

@test "B1 B6 B7: an image with links for /proc, /sys, /dev starts nothing outside" {
	for path in proc sys dev; do
		evil_image "evil-$path" "$path" "$CANARY/d"
		run s launch "evil-$path" e1
		[ "$status" -eq 0 ] || [[ $output == *e1* ]]
		[ -z "$(ls "$CANARY/d")" ]
		s delete --force e1 || true
		s image delete "evil-$path"
	done
	run ! grep -F "$T" /proc/self/mountinfo
}

@test "B3 B12: nothing of the kernel's settings can be written" {
	for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sysrq-trigger \
		/proc/sys/vm/drop_caches /proc/sys/fs/binfmt_misc/register /sys/kernel/uevent_helper \
		/sys/power/state /sys/kernel/mm/transparent_hugepage/enabled /proc/irq/default_smp_affinity; do
		run in1 sh -c "echo x >$file"
		[ "$status" -ne 0 ] || {
			echo "writable: $file"
			return 1
		}
	done
	for file in /proc/kcore /proc/kmsg /dev/mem /dev/kmsg /sys/kernel/debug/sched; do
		run in1 head -c 1 "$file"
		[ "$status" -ne 0 ] || {
			echo "readable: $file"
			return 1
		}
	done
}

@test "E1 E6: line ends and quotes in values and names are refused" {
	for value in $'a\nb' $'a\rb'; do
		fails 1 "" s config set in1 "environment.X=$value"
		fails 1 "" s config set in1 "limits.memory=$value"
	done
	for name in $'a\nb' 'a,b' 'a#b' 'a;b' 'a"b' "a'b" 'a$b' 'a`b' 'a\b' 'ä' -; do
		run s create openrc "$name"
		[ "$status" -ne 0 ]
		run s network create "$name"
		[ "$status" -ne 0 ]
		run s profile create "$name"
		[ "$status" -ne 0 ]
	done
	run ! grep -rn 'a,b\|a#b' "$T/run/networks"
}

@test "E3: no program of ours goes through a shell" {
	run grep -rnE '\b(system|popen)\(|"sh", *"-c"|/bin/sh -c' "$SRCDIR"/src --include=*.c
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "E9: names that lead elsewhere are no instances, images, networks, pools" {
	for name in ../x a/b . .. -rf "$(printf 'a%.0s' {1..300})"; do
		run s query -X POST -d "$(jq -cn --arg n "$name" '{name: $n, source: {type: "none"}}')" /1.0/instances
		[ "$status" -ne 0 ] || {
			echo "taken: $name"
			return 1
		}
		run s query -X POST -d "$(jq -cn --arg n "$name" '{name: $n}')" /1.0/profiles
		[ "$status" -ne 0 ]
		run s query -X POST -d "$(jq -cn --arg n "$name" '{name: $n}')" /1.0/networks
		[ "$status" -ne 0 ]
	done
	[ "$(s list --format csv | wc -l)" = 2 ]
}

@test "F1: the daemon answers nonsense with errors and lives" {
	pid=$(daemon_pid)
	for body in '' '{' '[]' 'null' '"x"' '{"name":1}' '{"name":[]}' '{"config":{"a":{}}}' \
		"$(printf '[%.0s' {1..5000})"; do
		for path in instances profiles networks images/aliases instances/in1/exec; do
			curl -s --max-time 5 --unix-socket "$SYSCTR_SOCKET" -X POST -d "$body" "http://s/1.0/$path" |
				jq -e '.type == "error"' >/dev/null || {
				echo "$path took $body"
				return 1
			}
		done
	done
	head -c 100000 /dev/urandom | timeout 3 socat -t 0.2 - "UNIX-CONNECT:$SYSCTR_SOCKET" >/dev/null || true
	for path in '/1.0/instances/%2e%2e' '/1.0/instances/%00' '/1.0/%ff' '/../../etc/passwd' '//' '/1.0/instances/in1/logs/..%2f..'; do
		curl -s --max-time 5 --path-as-is --unix-socket "$SYSCTR_SOCKET" "http://s$path" | jq -e '.error_code >= 400'
	done
	[ "$(daemon_pid)" = "$pid" ]
	daemon_runs
	s list
}

@test "G1 G6: calls that reach the host's kernel are denied" {
	in1 /root/probe64 >"$T/probed"
	[ -s "$T/probed" ]
	all_denied <"$T/probed"
}

@test "G7: the 32-bit way to them is closed, too" {
	echo 'int main(void) { return 7; }' | gcc -m32 -static -x c -o "$T/seven" -
	run "$T/seven"
	[ "$status" -eq 7 ] || skip "kernel: no 32-bit programs"
	run in1 /root/probe32
	[ "$status" -eq 0 ]
	[ -n "$output" ]
	all_denied <<<"$output"
}

@test "G7: the x32 way to them is closed, too" {
	run in1 /root/probe64 x32
	[ "$status" -ne 0 ] || all_denied <<<"$output"
}

@test "G6: reboot() ends the container only" {
	s launch openrc boots --ephemeral
	s exec boots -- poweroff -f || true
	retry 10 is_gone boots
}

@test "G2: no cgroup of version 1 with a release agent" {
	run in1 sh -c 'mkdir -p /mnt/c; mount -t cgroup -o memory none /mnt/c && echo /x >/mnt/c/release_agent'
	[ "$status" -ne 0 ]
}

@test "G8: no device but the harmless ones, however it is made" {
	for device in 'b 7 0' 'b 8 0' 'c 1 1' 'c 1 11' 'c 10 237'; do
		run in1 sh -c "rm -f /tmp/node; mknod /tmp/node $device && head -c 1 /tmp/node"
		[ "$status" -ne 0 ] || {
			echo "opened: $device"
			return 1
		}
	done
	[ "$(in1 sh -c 'head -c 3 /dev/zero | wc -c')" = 3 ]
	in1 sh -c 'echo >/dev/null'
}

@test "A2 A3: templates of an image read nothing and write nothing" {
	rm -rf "$T/evil"
	mkdir -p "$T/evil/rootfs" "$T/evil/templates"
	tar xzf "$ALPINE"/alpine-minirootfs-*.tar.gz -C "$T/evil/rootfs"
	cat >"$T/evil/metadata.yaml" <<-END
		architecture: x86_64
		creation_date: 1700000000
		templates:
		  /etc/motd: { when: [create, copy, start], template: read.tpl }
		  ../../../../../..$CANARY/d/up: { when: [create, start], template: read.tpl }
		  $CANARY/d/absolute: { when: [create, start], template: read.tpl }
		  /etc/link/through: { when: [create, start], template: read.tpl }
		  /etc/issue: { when: [create, start], template: ../../../../../..$CANARY/f }
		  /etc/passwd-: { when: [create, start], template: link.tpl }
	END
	cat >"$T/evil/templates/read.tpl" <<-END
		{% include "$CANARY/f" %}{% ssi "$CANARY/f" %}{% extends "$CANARY/f" %}{{ container.name }}
	END
	ln -s "$CANARY/f" "$T/evil/templates/link.tpl"
	ln -s "$CANARY/d" "$T/evil/rootfs/etc/link"
	tar czf "$T/evil.tar.gz" -C "$T/evil" metadata.yaml templates rootfs
	s image import "$T/evil.tar.gz" --alias templates
	s launch templates t1
	s copy t1 t2 --start
	never s exec t1 -- grep -rx keep /etc
	never s exec t2 -- grep -rx keep /etc
	s exec t1 -- cmp /etc/motd - <"$T/evil/rootfs/etc/motd"
	s delete --force t1 t2
	# and with a link in the place of all of them
	rm -r "$T/evil/templates"
	ln -s "$CANARY/d" "$T/evil/templates"
	tar czf "$T/evil.tar.gz" -C "$T/evil" metadata.yaml templates rootfs
	! s image import "$T/evil.tar.gz" --alias linked || s launch linked t1
	s delete --force t1 || true
}

@test "A6: what a command says is recorded outside of everything that an instance reaches" {
	s query -X POST /1.0/instances/in1/exec --wait -d '{"command":["echo","said"],"record-output":true}' |
		jq -e '.metadata.return == 0'
	[ "$(cat "$T"/log/in1/exec_*.stdout)" = said ]
	[ -z "$(find "$T/state" -name 'exec_*')" ]
}

@test "A14: a directory exchanged for a link all the time leads no copy outside" {
	mkdir -p "$T/flip"
	echo host-secret >"$T/flip/secret"
	s file push "$BUILDDIR/tests/fakes/attack" in1/root/attack
	in1 sh -c "mkdir -p /srv/flip/x && echo guest >/srv/flip/x/secret && ln -s $T/flip /srv/flip/y"
	in1 sh -c 'until [ -e /srv/enough ]; do /root/attack swap /srv/flip 1000; done' >"$T/swaps" &
	flipper=$!
	for round in $(seq 5); do
		s export in1 - --compression none >"$T/flipped.tar"
		never grep -aq host-secret "$T/flipped.tar"
		s copy in1 flipped
		s snapshot create in1 "flip$round"
		s publish in1 --alias flipped --compression none --reuse
		never grep -rq host-secret "$T/state/pools/default/snapshots" "$T/state/pools/default/instances" "$T/state/images"
		s delete flipped
	done
	in1 touch /srv/enough
	wait $flipper
	grep -qx swaps=1000 "$T/swaps"
	for round in $(seq 5); do s snapshot delete in1 "flip$round"; done
	[ "$(cat "$T/flip/secret")" = host-secret ]
}

@test "A17: no owner is ever changed on disk: ids there are those inside" {
	in1 sh -c 'echo a >/root/own; chown 1000:1001 /root/own; ln /root/own /root/own2'
	root=$T/state/pools/default/instances/in1
	own=$(find "$root" -name own)
	[ "$(stat -c '%u %g' "$own")" = "1000 1001" ]
	ctime=$(stat -c %z "$own")
	s restart --force in1
	[ "$(stat -c '%u %g' "$own")" = "1000 1001" ]
	[ "$(stat -c %z "$own")" = "$ctime" ]
	[ "$(in1 stat -c '%u %g' /root/own2)" = "1000 1001" ]
	[ -z "$(find "$T/state/pools" -uid +65535 -print -quit)" ]
}

@test "I6: nothing that sysctrd writes is for others to read" {
	s snapshot create in1 i6
	db_copy() { [ -n "$(ls "$T/state/backups/database")" ]; }
	retry 30 db_copy
	[ -z "$(find "$T/state" \( -path "$T/state/networks" -o -path '*/pools/*/*/*/*' \) -prune -o -type f -perm /o+rwx -print)" ]
	[ -z "$(find "$T/state/pools" -mindepth 1 -maxdepth 2 -perm /o+rwx)" ]
	[ -z "$(find "$T/log" -mindepth 1 -maxdepth 1 -perm /o+rwx)" ]
	s snapshot delete in1 i6
}

@test "G9 D1: state, socket and files are closed to host users" {
	as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
	in1 sh -c 'cp /bin/busybox /root/suid; chmod 6755 /root/suid'
	rootfs=$(find "$T/state/pools" -name suid | head -n 1)
	[ -n "$rootfs" ]
	run as_nobody "$rootfs" id
	[ "$status" -ne 0 ]
	run as_nobody ls "$T/state/pools"
	[ "$status" -ne 0 ]
	[ -z "$(find "$T/state" -maxdepth 1 -type f -perm /o+rwx)" ]
	[ -z "$(find "$T/state/images" -maxdepth 1 -type f -perm /o+rwx)" ]
	[ "$(stat -c %a "$SYSCTR_SOCKET")" = 660 ]
	run as_nobody "$BUILDDIR/sysctr" list
	[ "$status" -eq 1 ]
	[ -z "$(find "$T/run" "$T/log" -type f -perm /o+w)" ]
	run find "$BUILDDIR" -maxdepth 1 -type f -perm /6000
	[ -z "$output" ]
}

@test "G11: no other container's name and no host path is seen inside" {
	run in1 sh -c 'cat /proc/self/mountinfo /proc/mounts /proc/self/cgroup /proc/net/dev /proc/cmdline 2>/dev/null
		cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; hostname; ls /sys/fs/cgroup /sys/class/net'
	[[ $output == *in1* ]] # what is looked at is there
	[[ $output != *other-name-7* ]]
	in1 sh -c 'cut -d" " -f5,10- /proc/self/mountinfo' >"$T/mounts.in"
	run ! grep -F "$T/state" "$T/mounts.in"
	in1 cat /proc/self/cgroup | never grep "$TAG"
}

@test "C2: other containers' and the host's processes cannot be seen" {
	[ "$(in1 sh -c 'cat /proc/[0-9]*/comm' | grep -c sysctr)" = 0 ]
	[ "$(in1 sh -c 'cat /proc/1/comm')" = init ]
	in1 sh -c 'cut -d" " -f1-9 /proc/1/uid_map 2>/dev/null; cat /proc/self/uid_map' | grep -v ' 0 *0 '
}

@test "D1: each has an id range of its own" {
	a=$(awk '{ print $2 }' "/proc/$(init_pid in1)/uid_map" | head -n 1)
	b=$(awk '{ print $2 }' "/proc/$(init_pid other-name-7)/uid_map" | head -n 1)
	[ "$a" -ge 100000 ]
	[ $((a > b ? a - b : b - a)) -ge 65536 ]
}
