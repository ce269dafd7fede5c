#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# snapshot.bats - snapshots of running and stopped instances, restoring, lxc, and kill -9 at each step
load lib

setup_file() {
	export ID_BASE=1860000000
	daemon_setup
	openrc_image
	s launch openrc web1
}

teardown_file() {
	fsfreeze -u "$T/slow" 2>/dev/null || true
	umount "$T/slow" 2>/dev/null || true
	daemon_teardown
}

setup() {
	daemon_runs || daemon_start
}

teardown() {
	daemon_check
}

snapshots() {
	s snapshot list "$1" --format csv --columns n | paste -sd' '
}

on_disk() {
	find "$T"/state/pools/default/snapshots -mindepth 1 -maxdepth 1 | wc -l
}

# Volumes on disk are those of the rows, and nothing is half-made.
tidy() {
	[ -z "$(find "$T/state/pools/default" -maxdepth 1 -name '.new-*')" ] &&
		[ "$(on_disk)" = "$(sqlite3 "$T/state/sysctr.db" 'select count(*) from snapshots')" ] &&
		[ "$(sqlite3 "$T/state/sysctr.db" 'select count(*) from journal')" = 0 ]
}

puts() {
	s exec "$1" -- sh -c "$2"
}

@test "a running instance: snapshot, change, restore; it runs again as it was" {
	puts web1 'echo one >/root/file; rm /etc/motd; mkdir /etc/new; mv /etc/apk /etc/apk2; ln -s x /root/link'
	s config set web1 user.when=before
	run -0 s snapshot create web1
	[[ $output == *"web1: snapshot snap0 (paused for "*"ms)" ]]
	is_status web1 Running
	puts web1 'echo two >/root/file; echo x >/etc/motd; rmdir /etc/new; mv /etc/apk2 /etc/apk; touch /root/more'
	s config set web1 user.when=after
	s snapshot web1 second
	[ "$(snapshots web1)" = "snap0 second" ]
	[ "$(field web1 '.snapshots | length')" = 2 ]
	pid=$(init_pid web1)
	s restore web1 snap0
	is_status web1 Running
	[ "$(init_pid web1)" != "$pid" ]
	puts web1 'grep one /root/file && [ ! -e /etc/motd ] && [ -d /etc/new ] && [ -d /etc/apk2 ] && [ ! -e /root/more ] && [ -L /root/link ]'
	[ "$(s config get web1 user.when)" = before ]
	# the newer one is still there, and what it holds
	[ "$(snapshots web1)" = "snap0 second" ]
	s snapshot restore web1/second --diskonly
	puts web1 'grep two /root/file && [ -e /root/more ] && [ -d /etc/apk ]'
	[ "$(s config get web1 user.when)" = before ]
	retry 20 tidy
}

@test "while it writes: the snapshot is of one moment, and its processes never notice" {
	puts web1 'cat >/root/writer <<"END"
i=0
while [ ! -e /root/stop ]; do
	i=$((i + 1)); echo $i >/root/a.new; mv /root/a.new /root/a; echo $i >/root/b.new; mv /root/b.new /root/b
done
END
rm -f /root/stop; nohup sh /root/writer >/dev/null 2>&1 &'
	written() { [ "$(puts web1 'cat /root/a')" -gt 50 ]; }
	retry 20 written
	s snapshot web1 busy
	puts web1 'pgrep -f /root/writer'
	root=$(find "$T"/state/pools/default/snapshots -name a -path '*/root/a' -newermt '-5 minutes' | xargs ls -t | head -n 1)
	a=$(cat "$root") b=$(cat "$(dirname "$root")/b")
	[ "$a" = "$b" ] || [ "$a" = $((b + 1)) ]
	puts web1 'touch /root/stop'
	s snapshot delete web1 busy
}

@test "a stopped instance, names, and what is refused" {
	s create openrc still
	s snapshot still
	s snapshot still a.b_c-1
	[ "$(snapshots still)" = "snap0 a.b_c-1" ]
	fails 1 "exists already" s snapshot still snap0
	fails 1 "must consist of" s snapshot still 'x y'
	fails 1 "snapshot" s snapshot create still ../x
	fails 1 "Instance snapshot not found" s restore still nothing
	s snapshot rename still snap0 first
	fails 1 "exists already" s snapshot rename still first a.b_c-1
	[ "$(snapshots still)" = "first a.b_c-1" ]
	s restore still first
	is_status still Stopped
	fails 1 "stateful snapshots are not offered" s query -X POST -d '{"name":"x","stateful":true}' /1.0/instances/still/snapshots
	s delete still/first
	s delete still
	retry 20 tidy
}

@test "what an instance takes is shown also where the file system does not count it" {
	s create openrc big
	s query /1.0/instances/big/state | jq -e '.disk == {}'
	[[ $(s info big | sed -n 's/.*Disk (root): //p') == *KiB ]]
	head -c 30M /dev/zero | s file push - big/root/zeroes
	[[ $(s info big | sed -n 's/.*Disk (root): //p') == 30.*MiB ]]
	s query /1.0/storage-pools/default/volumes/container/big/state |
		jq -e '.usage.used > 30000000 and .usage.used < 33000000 and .usage.total == 0'
	fails 1 "not found" s query /1.0/storage-pools/default/volumes/container/small/state
	s delete big
}

@test "expiry: by key, by option, edited; --reuse; --all" {
	s config set web1 snapshots.expiry.manual="1m 2d"
	s snapshot web1 e1 --no-expiry
	s snapshot web1 e2 --expiry 2d
	expiry() { s query "/1.0/instances/web1/snapshots/$1" | jq -r .expires_at; }
	[ "$(expiry e1)" = 0001-01-01T00:00:00Z ]
	s snapshot web1 e3
	[[ $(expiry e3) != 0001-* ]]
	s config unset web1 snapshots.expiry.manual
	s snapshot delete web1 e3
	is_ahead "$(expiry e2)" $((2 * 86400))
	echo 'expires_at: 2037-01-02T03:04:05Z' | s snapshot edit web1 e1
	fails 1 'no key "expires" here, but expires_at' s snapshot edit web1 e1 <<<'expires: 2038-01-02T03:04:05Z'
	[[ $(expiry e1) == 2037-01-02T03:04:05* ]]
	s snapshot show web1 e1 | grep 'expires_at: .*2037'
	fails 2 "exclude" s snapshot web1 --no-expiry --expiry 1d
	fails 2 "must be a time" s snapshot web1 --expiry soon
	before=$(s query /1.0/instances/web1/snapshots/e2 | jq -r .created_at)
	s snapshot web1 e2 --reuse
	[ "$(s query /1.0/instances/web1/snapshots/e2 | jq -r .created_at)" != "$before" ]
	s create openrc other
	s snapshot create --all --reuse nightly
	s snapshot create --all --reuse nightly
	[ "$(snapshots other)" = nightly ]
	s delete other
	s snapshot delete web1/e1 web1/e2 web1/nightly
}

@test "lxc unmodified: snapshot, list, info, restore, delete" {
	export LXD_SOCKET=$SYSCTR_SOCKET HOME=$T/home
	mkdir -p "$HOME"
	l() { timeout 60 lxc "$@" </dev/null 3>&- 4>&-; }
	l snapshot web1 lx
	l info web1 | grep lx
	[ "$(l list web1 --format csv -c nS)" = "web1,$(field web1 '.snapshots | length')" ]
	l config show web1/lx | grep expires_at
	puts web1 'touch /root/lxc-made'
	l restore web1 lx
	puts web1 '[ ! -e /root/lxc-made ]'
	l rename web1/lx web1/ly
	l delete web1/ly
	run l delete web1/ly
	[ "$status" -ne 0 ]
	unset LXD_SOCKET HOME
}

@test "diff: since a snapshot and between two, from whiteouts and redirects alone" {
	s launch openrc differ
	puts differ 'mkdir /root/d; echo 1 >/root/d/f; echo 1 >/root/same; echo 1 >/root/g'
	s snapshot differ s0
	puts differ 'echo longer >/root/g; rm /etc/motd; mv /etc/apk /etc/moved; mkdir -p /root/n/o; touch "/root/n/o/a b"; rm -r /root/d; chmod 700 /home; printf x >"/root/$(printf "nl\nx\377")"; rm -r /etc/init.d; mkdir /etc/init.d; touch /etc/init.d/only'
	s snapshot differ s1
	s snapshot diff differ s0 s1 | tee "$T/diff"
	for line in 'C /root/g' 'D /etc/motd' 'D /etc/apk' 'A /etc/moved' 'A /etc/moved/world' 'A /root/n' \
		'A /root/n/o' 'A /root/n/o/a b' 'D /root/d' 'C /home' 'A /etc/init.d/only' 'D /etc/init.d/hostname'; do
		grep -Fx "$line" "$T/diff"
	done
	never grep -E '^. (/root/same|/root/d/f|/bin|/usr)' "$T/diff"
	s stop --force differ
	retry 10 is_status differ Stopped
	s snapshot diff differ/s1 --format json | tee "$T/diff.json"
	jq -e '(.added + .changed + .removed) | any(startswith("/root") or startswith("/home")) | not' "$T/diff.json"
	s snapshot diff differ s0 s0 >"$T/none"
	[ ! -s "$T/none" ]
	s snapshot diff differ s0 --format json | jq -e '.removed | index("/etc/motd")'
	fails 1 "Instance snapshot not found" s snapshot diff differ s0 s9
	s delete differ
}

@test "an image stays while a snapshot stands on it, and events tell what happens" {
	s launch openrc evented
	listens "$T/events" --type lifecycle --format json
	told() { grep -q "$1" "$T/events"; }
	s snapshot evented s0
	retry 10 told instance-snapshot-created
	told '/1.0/instances/evented/snapshots/s0'
	never told instance-paused
	s snapshot delete evented s0
	retry 10 told instance-snapshot-deleted
	kill $LISTENER
	s delete --force evented
}

@test "kill -9 after every step of a snapshot: whole or nothing, and never frozen" {
	pid=$(init_pid web1)
	count=$(s query /1.0/instances/web1/snapshots | jq length)
	for step in journal copy settle freeze copy-rest thaw note-pause commit record delete-replaced clean-up; do
		dies_after snapshot-create/$step s snapshot web1 k
		retry 20 no_operation
		retry 20 tidy
		retry 10 is_status web1 Running
		[ "$(init_pid web1)" = "$pid" ]
		if [ "$(s query /1.0/instances/web1/snapshots | jq length)" -gt "$count" ]; then
			[[ $step == record || $step == delete-replaced || $step == clean-up ]]
			s snapshot delete web1 k
		fi
	done
}

@test "--reuse: the old one is there until the new one is, whatever happens" {
	local old new
	volume_of() { sqlite3 "$T/state/sysctr.db" "select volume from snapshots where name = '$1'"; }
	s snapshot web1 k
	s config set web1 user.try=failed
	mv "$T/state/pools/default/instances/web1" "$T/state/pools/default/kept"
	fails 1 "not in pool" s snapshot create web1 k --reuse
	mv "$T/state/pools/default/kept" "$T/state/pools/default/instances/web1"
	s query /1.0/instances/web1/snapshots/k | jq -e '.config["user.try"] == null'
	for step in copy commit record delete-replaced clean-up; do
		old=$(volume_of k)
		dies_after snapshot-create/$step s snapshot create web1 k --reuse
		retry 20 tidy
		new=$(volume_of k)
		case $step in
		copy | commit) [ "$new" = "$old" ] ;;
		*)
			[ -n "$new" ]
			[ "$new" != "$old" ]
			;;
		esac
	done
	s snapshot delete web1 k
	s config unset web1 user.try
}

@test "a worker that is killed leaves nothing for the next start" {
	worker_dies snapshot-copy
	fails 1 "was killed by signal 9" s snapshot create web1 killed
	[ ! -e "$T/bin/die" ]
	retry 10 tidy
	is_status web1 Running
	s snapshot create web1 killed
	s snapshot delete web1 killed
	daemon_restart
}

@test "a container that is frozen for a snapshot thaws when the daemon is dead" {
	daemon_stop
	daemon_start SYSCTRD_TEST_KILL_AFTER=snapshot-create/freeze
	pid=$(init_pid web1)
	s snapshot web1 k >/dev/null 2>&1 || true
	retry 30 daemon_is_dead
	thawed() {
		local file
		file=$(find /sys/fs/cgroup -path "*/$TAG/web1/cgroup.events" | head -n 1)
		grep -q 'frozen 0' "$file"
	}
	retry 10 thawed
	[ -e "/proc/$pid" ]
	daemon_start
	retry 20 tidy
}

# reboots_itself NAME: its init notes each life in 50 files, and reboots when there is /go, or soon for /soon
reboots_itself() {
	s launch openrc "$1"
	s exec "$1" -- sh -c 'mkdir /lives; mv /sbin/init /sbin/init.was; cat >/sbin/init <<"END"
#!/bin/sh
for i in $(seq 50); do echo life >>/lives/$i; done
if [ -e /soon ]; then sleep 0.3; exec /bin/busybox reboot -f; fi
while [ ! -e /go ]; do sleep 0.1; done
rm /go
exec /bin/busybox reboot -f
END
		chmod 755 /sbin/init'
	s restart --force "$1"
}

is_dead() {
	grep -q "^State:.*zombie" "/proc/$1/status"
}

@test "one that reboots while it is frozen begins its next life after the copy" {
	local round before pid
	reboots_itself re1
	for round in 1 2 3; do
		pid=$(init_pid re1) before=$(freezings)
		kill -STOP "$(monitor_pid re1)"
		s snapshot create re1 s$round >"$T/told" 2>&1 3>&- &
		retry 60 starts_freezing "$before"
		enters "$pid" touch /go
		retry 20 is_dead "$pid" # its monitor hears of the freezing first, and of this after it
		kill -CONT "$(monitor_pid re1)"
		wait $!
		retry 10 is_status re1 Running
		[ "$(init_pid re1)" != "$pid" ]
		puts re1 true
		[ "$(cat "$T"/state/pools/default/snapshots/*/upper/lives/* | wc -l)" = $((50 * round)) ]
		s snapshot delete re1 s$round
	done
}

@test "one that is between two lives when it is to be frozen is waited for" {
	local round before
	puts re1 'touch /soon'
	for round in $(seq 8); do
		s restart --force re1 # it lives for less than a second, and pauses then
		before=$(freezings)
		kill -STOP "$(monitor_pid re1)"
		if [ $((round % 2)) = 0 ]; then
			s snapshot create re1 b$round >"$T/told" 2>&1 3>&- &
		else
			s copy re1 re2 >"$T/told" 2>&1 3>&- &
		fi
		retry 60 starts_freezing "$before"
		sleep 0.2
		kill -CONT "$(monitor_pid re1)"
		wait $! || {
			cat "$T/told"
			return 1
		}
		[ $((round % 2)) = 0 ] || s delete re2
	done
	s delete --force re1
	retry 20 tidy
}

@test "one that is killed while it is frozen is copied as it lies there" {
	local pid before
	s launch openrc re3
	puts re3 'dd if=/dev/zero of=/root/big bs=1M count=300 2>/dev/null'
	pid=$(init_pid re3) before=$(freezings)
	kill -STOP "$(monitor_pid re3)"
	s snapshot create re3 s0 >"$T/told" 2>&1 3>&- &
	retry 60 starts_freezing "$before"
	kill -9 "$pid"
	retry 10 is_dead "$pid"
	kill -CONT "$(monitor_pid re3)"
	wait $! || {
		cat "$T/told"
		return 1
	}
	retry 10 is_status re3 Stopped
	s snapshot restore re3 s0
	s start re3
	[ "$(puts re3 'wc -c </root/big')" = 314572800 ]
	s delete --force re3
}

# is_blocked NAME: a process of it waits for a disk
is_blocked() {
	local pid
	for pid in $(find /sys/fs/cgroup -path "*/$TAG/$1/*" -name cgroup.procs -exec cat {} + | sort -u); do
		! grep -q "^State:.*D (disk" "/proc/$pid/status" || return 0
	done
	return 1
}

@test "one that cannot be frozen is not left half frozen" {
	truncate -s 64M "$T/slow.img"
	mkfs.ext4 -q "$T/slow.img"
	mkdir "$T/slow"
	mount -o loop "$T/slow.img" "$T/slow"
	chmod 777 "$T/slow"
	s launch openrc re4
	s config device add re4 slow disk source="$T/slow" path=/slow
	fsfreeze -f "$T/slow"
	puts re4 'nohup sh -c "echo x >/slow/file" >/dev/null 2>&1 &'
	retry 10 is_blocked re4
	fails 1 "it waits for a disk" s snapshot create re4 s0
	is_status re4 Running
	[ "$(S_SECONDS=20 puts re4 'echo alive')" = alive ]
	fsfreeze -u "$T/slow"
	s snapshot create re4 s1
	s delete --force re4
	umount "$T/slow"
	retry 20 tidy
}

@test "kill -9 after every step of a delete and of a restore: finished or nothing" {
	puts web1 'echo good >/root/state'
	s snapshot web1 r
	for step in forget delete-volumes clean-up; do
		s snapshot web1 d
		dies_after snapshot-delete/$step s snapshot delete web1 d
		retry 20 no_operation
		retry 20 tidy
		[[ " $(snapshots web1) " != *" d "* ]]
	done
	for step in snapshot-prepare/copy snapshot-prepare/journal stop/halt snapshot-restore/swap snapshot-restore/record; do
		puts web1 'echo bad >/root/state'
		dies_after $step s restore web1 r
		retry 30 no_operation
		retry 20 is_status web1 Running
		retry 20 tidy
		state=$(puts web1 'cat /root/state')
		case $step in
		snapshot-prepare/*) [ "$state" = bad ] ;;
		*) [ "$state" = good ] ;;
		esac
	done
	s delete --force web1
	retry 20 tidy
	[ "$(on_disk)" = 0 ]
}
