# lib.bash - a private sysctrd for a test file, and the check that it leaves nothing behind
# Use: "load lib"; setup_file calls daemon_setup, teardown_file calls daemon_teardown, and each
# teardown calls daemon_check. Everything on the host carries $TAG, so files may run side by side.
# shellcheck shell=bash

SRCDIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILDDIR=${SYSCTR_BUILDDIR:-$SRCDIR/build-tests}
SHARED=${SYSCTR_SHARED:-$SRCDIR/../shared}
ALPINE=${ALPINE:-$SHARED/data/alpine}
OPENRC=$ALPINE/alpine-3.21-openrc-x86_64.tar.xz

# How many times slower than usual this machine is (an emulated one: 5 to 10). Deadlines only.
SLOW=${SYSCTR_SLOW:-1}

# s ARGUMENT...: the client on this file's daemon
s() {
	timeout "$((${S_SECONDS:-120} * SLOW))" "$BUILDDIR/sysctr" "$@" 3>&- 4>&-
}

# retry SECONDS COMMAND...: until it succeeds
retry() {
	local end=$((SECONDS + $1 * SLOW))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || {
			echo "never within the time: $*"
			return 1
		}
		sleep 0.1
	done
}

# fails STATUS TEXT COMMAND...: it exits with STATUS and TEXT is in what it says
fails() {
	local expected=$1 text=$2
	shift 2
	output=$("$@" 2>&1) && status=0 || status=$?
	[ "$status" -eq "$expected" ] || {
		echo "status $status instead of $expected: $*: $output"
		return 1
	}
	[[ $output == *"$text"* ]] || {
		echo "no \"$text\" in: $output"
		return 1
	}
}

# never COMMAND...: it has to fail; bats does not see a "! command" that is not the last one
never() {
	! "$@" || {
		echo "it worked: $*"
		return 1
	}
}

# field NAME PATH: one member of the instance, by jq
field() {
	s query "/1.0/instances/$1?recursion=1" | jq -r "$2"
}

status_of() {
	s query "/1.0/instances/$1" | jq -r .status
}

is_status() {
	[ "$(status_of "$1")" = "$2" ]
}

exists() {
	s query "/1.0/instances/$1" >/dev/null 2>&1
}

is_gone() {
	! exists "$1"
}

# snaps NAME: its snapshots in their order, when they were made, until when they are kept, whether they take space
snaps() {
	s query "/1.0/instances/$1/snapshots?recursion=1" |
		jq -c 'map([.name, .created_at, .expires_at, .size > 0])'
}

# snap_names NAME: theirs, in one line
snap_names() {
	s query "/1.0/instances/$1/snapshots?recursion=1" | jq -r 'map(.name) | join(" ")'
}

# journal_rows: of operations that are not over
journal_rows() {
	sqlite3 "$T/state/sysctr.db" 'SELECT count(*) FROM journal'
}

# monitor_pid NAME: of its monitor; nothing else is in that cgroup without LXCFS
monitor_pid() {
	cat /sys/fs/cgroup/{,unified/}"$TAG/.monitor/$1/cgroup.procs" 2>/dev/null || true # one of the two
}

# asks_init NAME COMMAND...: a command that makes init end everything, perhaps the command first
asks_init() {
	local rc=0
	s exec "$1" -- "${@:2}" || rc=$?
	[ $rc -eq 0 ] || [ $rc -eq 143 ] || [ $rc -eq 137 ]
}

# address NAME: its IPv4 address on eth0
address() {
	s query "/1.0/instances/$1/state" |
		jq -er '.network.eth0.addresses[] | select(.family == "inet" and .scope == "global") | .address'
}

# enters PID COMMAND...: in the container of that init; no daemon is needed
enters() {
	nsenter -t "$1" -U -m -p "${@:2}"
}

# listens FILE [ARGUMENT...]: sysctr monitor writes to FILE from now on, as $LISTENER
listens() {
	timeout 120 "$BUILDDIR/sysctr" monitor "${@:2}" >>"$1" 2>&1 3>&- 4>&- &
	LISTENER=$!
	retry 20 hears "$1"
}

# hears FILE: what happens now comes there, or has already
hears() {
	s profile set default user.heard=$RANDOM && grep -q profile-updated "$1"
}

# init_pid NAME: as the host sees it; nothing when it does not run, for who kills 0 kills himself
init_pid() {
	s query "/1.0/instances/$1/state" | jq -r '.pid | select(. > 0)'
}

# cgroup_file NAME CONTROLLER V1-FILE V2-FILE: the path of a limit file, whatever the host has
cgroup_file() {
	local path=/sys/fs/cgroup/$2/$TAG/$1/$3
	[ -e "$path" ] || path=/sys/fs/cgroup/$TAG/$1/$4
	echo "$path"
}

is_unified() {
	[ -e /sys/fs/cgroup/cgroup.controllers ]
}

# mirror_setup DIR: the files of an Alpine mirror, as the template asks for them
mirror_setup() {
	local releases=$1/v3.20/releases/x86_64 file
	mkdir -p "$releases"
	cp "$ALPINE"/alpine-minirootfs-3.20.*-x86_64.tar.gz "$releases/"
	file=$(basename "$releases"/alpine-minirootfs-*.tar.gz)
	(cd "$releases" && sha512sum "$file" >"$file.sha512")
	cat >"$releases/latest-releases.yaml" <<-END
		---
		-
		  title: "Mini root filesystem"
		  branch: v3.20
		  arch: x86_64
		  version: 3.20.3
		  flavor: alpine-minirootfs
		  file: $file
		  sha512: $(cut -d' ' -f1 "$releases/$file.sha512")
	END
	chmod -R a+rX "$1"
}

# daemon_setup [LETTER]: directories, configuration and a first start
daemon_setup() {
	export TAG=t$((BASHPID % 100000))${1:-}
	export T=$BATS_FILE_TMPDIR/$TAG
	export BRIDGE=${TAG}br
	export SYSCTR_SOCKET=$T/run/unix.socket
	mkdir -p "$T"/{state,run,log,asan,mirror}
	for dir in "$T" "$BATS_FILE_TMPDIR" "$(dirname "$BATS_FILE_TMPDIR")" "$BATS_RUN_TMPDIR"; do
		chmod a+x "$dir"
	done
	chmod 1777 "$T/asan"
	mirror_setup "$T/mirror"
	cat >"$T/sysctrd.yaml" <<-END
		name: $TAG
		network: { bridge: $BRIDGE }
		idmap: { base: ${ID_BASE:-1500000000}, size: 100000000 }
		images: { alpine_mirror: "file://$T/mirror" }
		lxcfs: ${LXCFS:-none}
		log: { level: debug }
	END
	daemon_start
}

# The environment that sends what the sanitizers find to files.
sanitizer_env() {
	export ASAN_OPTIONS=log_path=$T/asan/report:detect_leaks=1:fast_unwind_on_malloc=0
	export UBSAN_OPTIONS=log_path=$T/asan/report:print_stacktrace=1
}

# daemon_start [VARIABLE=VALUE...]: and wait until it answers (or has died)
daemon_start() {
	(
		sanitizer_env
		exec env "$@" "$BUILDDIR/sysctrd" --config "$T/sysctrd.yaml" --state-dir "$T/state" \
			--runtime-dir "$T/run" --log-dir "$T/log" --group root --debug
	) >>"$T/daemon.log" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$T/daemon.pid"
	disown
	retry 30 daemon_is_ready
}

daemon_is_ready() {
	"$BUILDDIR/sysctr" admin waitready --timeout 2
}

daemon_pid() {
	cat "$T/daemon.pid"
}

# Numbers of processes come round: it has to be ours.
daemon_runs() {
	grep -qzxF -- "$T/sysctrd.yaml" "/proc/$(daemon_pid)/cmdline" 2>/dev/null
}

daemon_is_dead() {
	! daemon_runs
}

daemon_stop() {
	daemon_runs
	kill "$(daemon_pid)"
	retry 20 daemon_is_dead
}

daemon_kill() {
	kill -9 "$(daemon_pid)"
	retry 5 daemon_is_dead
}

daemon_restart() {
	daemon_stop
	daemon_start "$@"
}

# daemon_check: in every teardown; what a failed test should show, and reports of the sanitizers
daemon_check() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || {
		echo "--- the daemon's last words"
		tail -n 25 "$T/daemon.log"
	}
	no_sanitizer_report
}

no_sanitizer_report() {
	local report rc=0
	for report in "$T"/asan/report.*; do
		[ -e "$report" ] || continue
		echo "--- sanitizer report $report"
		head -n 60 "$report"
		mv "$report" "$T/asan/seen.$(basename "$report")"
		rc=1
	done
	return $rc
}

# is_ahead TIME SECONDS: it was set not long ago to be so many seconds later
is_ahead() {
	local left=$(($(date -d "$1" +%s) - $(date +%s)))
	echo "$1: $left s from now"
	[ $left -le "$2" ] && [ $left -gt $(($2 - 600)) ]
}

# no_operation: none runs
no_operation() {
	[ "$(s query '/1.0/operations' | jq '[.running // [] | .[]] | length')" = 0 ]
}

# dies_after TABLE/STEP COMMAND...: the daemon is killed there; started again when this returns
dies_after() {
	local step=$1
	shift
	daemon_stop
	daemon_start SYSCTRD_TEST_KILL_AFTER="$step"
	S_SECONDS=60 "$@" >/dev/null 2>&1 || true
	retry 30 daemon_is_dead || {
		echo "never came to $step"
		return 1
	}
	daemon_start
	retry 20 no_operation
}

# helpers_do SCRIPT: the daemon's programs are in $T/bin until it starts the next time, where its helpers
# begin with SCRIPT: $1 is the job, $helper the program
helpers_do() {
	local helper
	mkdir -p "$T/bin"
	cp "$BUILDDIR"/sysctr* "$T/bin/"
	for helper in sysctr-worker sysctr-unpack; do
		printf '#!/bin/sh\nhelper="%s"\n%s\nexec "$helper" "$@"\n' "$BUILDDIR/$helper" "$1" >"$T/bin/$helper"
	done
	BUILDDIR=$T/bin daemon_restart
}

# worker_dies JOB: by helpers_do; a worker is killed after it did JOB once, before it says so
worker_dies() {
	mkdir -p "$T/bin"
	touch "$T/bin/die"
	helpers_do "if [ \"\$1\" = $1 ] && rm '$T/bin/die' 2>/dev/null; then
		\"\$helper\" \"\$@\" 4>/dev/null
		kill -9 \$\$
	fi"
}

# workers_wait JOB: by helpers_do; each worker that begins with JOB waits for worker_goes
workers_wait() {
	rm -f "$T"/bin/{waits,go}
	helpers_do "if [ \"\$1\" = $1 ]; then
		touch '$T/bin/waits'
		until rm '$T/bin/go' 2>/dev/null; do sleep 0.05; done
	fi"
}

worker_is_waiting() {
	retry 60 rm "$T/bin/waits"
}

worker_goes() {
	touch "$T/bin/go"
}

# helper_of JOB: the helper of this daemon that works on it
helper_of() {
	pgrep -P "$(daemon_pid)" -f "$1"
}

# reads_slowly COMMAND...: it exports something to its standard output, which read_on reads
reads_slowly() {
	rm -f "$T/slowly"
	mkfifo "$T/slowly"
	"$@" >"$T/slowly" 2>"$T/slowly.err" &
	client=$!
	exec 7<"$T/slowly"
	retry 20 helper_of instance-export
}

# read_on FILE: the rest goes there, and the command was content
read_on() {
	cat <&7 >"$1"
	exec 7<&-
	wait $client
}

# writes_on NAME [MIB]: it has 100 MiB (or MIB) of its own, and writes a before b for ever
writes_on() {
	s exec "$1" -- sh -c 'mkdir /root/big
		for i in $(seq "$0"); do dd if=/dev/zero of=/root/big/$i bs=1M count=1 2>/dev/null; done; sync
		cat >/root/writer <<"END"
i=0
while [ ! -e /root/stop ]; do
	i=$((i + 1)); echo $i >/root/a.new; mv /root/a.new /root/a; echo $i >/root/b.new; mv /root/b.new /root/b
	sleep 0.01
done
END
		nohup sh /root/writer >/dev/null 2>&1 &' "${2:-100}"
	sleep 3 # what was written just before is copied again while it holds still
}

# freezings: how many operations have come to that step
freezings() {
	grep -c "step=freeze" "$T/daemon.log" || true
}

# starts_freezing N: one more than N
starts_freezing() {
	[ "$(freezings)" -gt "$1" ]
}

delete_all() {
	local names
	names=$(s list --format csv --columns n 2>/dev/null) || return 0
	[ -z "$names" ] || xargs -n 20 "$BUILDDIR/sysctr" delete --force <<<"$names"
}

# left_behind: everything on the host that carries the tag
left_behind() {
	ip -o link show | grep -oE "($BRIDGE|${TAG}[^:@ ]*)[:@]" | sed 's/^/link /' || true
	nft list tables 2>/dev/null | grep -w "$TAG" || true
	find /sys/fs/cgroup -mindepth 2 -maxdepth 4 -path "*/$TAG/*" -type d \
		! -name .monitor 2>/dev/null | sed 's/^/cgroup /' || true
	grep -F "$T" /proc/self/mountinfo | sed 's/^/mount /' || true
	pgrep -af "$T" | grep -vE ' (bash|bats|tail|grep|pgrep|timeout|tee) ' | sed 's/^/process /' || true
}

nothing_left() {
	[ -z "$(left_behind)" ]
}

# The rules follow the networks in a moment of their own.
no_table() {
	! nft list table inet "$1"
}

# daemon_teardown: destroys everything, then checks that nothing is left
daemon_teardown() {
	local rc=0
	[ -n "${T:-}" ] || return 1 # setup_file did not get that far
	daemon_runs || daemon_start || rc=1
	delete_all || rc=1
	s query -X DELETE "/1.0/profiles/default" >/dev/null 2>&1 || true
	s profile edit default <<<'devices: {}' >/dev/null 2>&1 || true
	s network delete "$BRIDGE" || rc=1
	retry 10 no_table "$TAG" || rc=1
	daemon_stop || rc=1
	retry 10 nothing_left || {
		echo "left behind:"
		left_behind
		rc=1
	}
	no_sanitizer_report || rc=1
	sweep
	return $rc
}

# What a failed teardown must not leave to the next file.
sweep() {
	local dir pid
	# Without them the patterns below would match everything on the host.
	[ -n "${TAG:-}" ] && [ -n "${T:-}" ] && [ -n "${BRIDGE:-}" ] || return 1
	for pid in $(pgrep -f "$T/" | grep -vx -e $$ -e "$BASHPID"); do
		grep -qaE 'sysctr|dnsmasq' "/proc/$pid/comm" 2>/dev/null && kill -9 "$pid"
	done
	for dir in /sys/fs/cgroup/*/"$TAG"{,f} /sys/fs/cgroup/"$TAG"{,f}; do
		[ -d "$dir" ] || continue
		[ ! -e "$dir/cgroup.kill" ] || echo 1 >"$dir/cgroup.kill"
		find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
	done
	ip link del "$BRIDGE" 2>/dev/null || true
	nft delete table inet "$TAG" 2>/dev/null || true
}

# openrc_image: the image "openrc", imported once per file
openrc_image() {
	s image alias list --format csv 2>/dev/null | grep -q '^openrc,' ||
		s image import "$OPENRC" --alias openrc
}

# clients_setup: lxc and incus talk to the daemon of this file, and have settings of their own
clients_setup() {
	export LXD_SOCKET=$SYSCTR_SOCKET LXD_CONF=$T/lxc LXC_CONF=$T/lxc HOME=$T
	export INCUS_SOCKET=$SYSCTR_SOCKET INCUS_CONF=$T/incus
	mkdir -p "$LXD_CONF" "$INCUS_CONF"
}

# mini NAME [ARGUMENT...]: launches an Alpine that has an address by DHCP
mini() {
	s launch alpine/3.20/mini "$@"
}

# image_server_start: $WEB (and $WEB.log) is served as simplestreams for the file, on a free $PORT
image_server_start() {
	python3 "$SRCDIR/tests/fakes/streams.py" serve "$WEB" >/dev/null 2>&1 3>&- 4>&- &
	export WEB_PID=$!
	disown
	retry 20 test -e "$WEB.port"
	PORT=$(cat "$WEB.port")
	export PORT
}

image_server_stop() {
	[ -z "${WEB_PID:-}" ] || kill "$WEB_PID" || true
}

# serve_version SERIAL: the server has that version from now on; its fingerprint goes to $T/fp
serve_version() {
	VERSION=$1 python3 "$SRCDIR/tests/fakes/streams.py" make "$WEB" \
		"$ALPINE"/alpine-minirootfs-3.20.*-x86_64.tar.gz >"$T/fp"
}

# v ARGUMENT...: storage volume
v() {
	s storage volume "$@"
}

# pool_dir POOL: where what it has is, as the host sees it
pool_dir() {
	local dir=$T/state/pools/$1
	[ -d "$dir/custom" ] || dir=$(s storage get "$1" source)
	echo "$dir"
}

# volume_root POOL VOLUME: what is mounted of a custom one, as the host sees it
volume_root() {
	local uuid
	uuid=$(sqlite3 "$T/state/sysctr.db" "SELECT v.volume FROM volumes v JOIN pools p ON p.id = v.pool_id
		WHERE p.name = '$1' AND v.name = '$2'")
	echo "$(pool_dir "$1")/custom/$uuid/rootfs"
}

# pools_teardown POOL...: deletes instances, custom volumes, and those pools with what is mounted for them
pools_teardown() {
	local pool name
	delete_all || true
	for pool in default "$@"; do
		v list "$pool" --format csv --columns n 2>/dev/null |
			while read -r name; do v delete "$pool" "$name" || true; done
	done
	for pool in "$@"; do
		s storage delete "$pool" >/dev/null 2>&1 || true
		umount "$T/$pool" 2>/dev/null || true
	done
	detach_disks
}

# full_fs: a btrfs whose quota groups count everything, what is shared too, at $T/full
full_fs() {
	truncate -s 1G "$T/full.img"
	mkfs.btrfs -q "$T/full.img"
	mkdir -p "$T/full"
	mount -o loop "$T/full.img" "$T/full"
	btrfs quota enable "$T/full"
}

# project_fs NAME OPTION MKFS...: with project quotas at $T/NAME; skips when the kernel's NAME has none
project_fs() {
	truncate -s 512M "$T/$1.img"
	"${@:3}" "$T/$1.img" >/dev/null
	mkdir -p "$T/$1"
	mount -o loop,prjquota "$T/$1.img" "$T/$1" && return 0
	! zgrep -qs "^$2=y" /proc/config.gz || return 1
	skip "kernel: no project quotas of $1 ($2)"
}

# detach_disks: the loop devices of pools in files, where deleting the pool has not
detach_disks() {
	local file
	for file in "$T"/state/disks/*.img; do
		[ ! -e "$file" ] || losetup -j "$file" -O NAME -n | xargs -r -n 1 losetup -d || true
	done
}
