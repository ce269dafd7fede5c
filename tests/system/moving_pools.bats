#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# moving_pools.bats - instances and their snapshots go from one storage pool to another, or are copied
# there: overlay, dir and btrfs; killed half-way; by sysctr, lxc and incus

load lib

setup_file() {
	export ID_BASE=1970000000
	daemon_setup
	export LXD_SOCKET=$SYSCTR_SOCKET LXD_CONF=$T/lxc LXC_CONF=$T/lxc HOME=$T
	export INCUS_SOCKET=$SYSCTR_SOCKET INCUS_CONF=$T/incus
	mkdir -p "$LXD_CONF" "$INCUS_CONF"
	openrc_image
	s storage create plain dir
	s storage create layers overlay
	s storage create fast btrfs size=1GiB
	# a root with a link, a hole, a removed file and a replaced directory; what was before is a snapshot
	s launch openrc m1
	s exec m1 -- sh -c 'echo one >/root/f && ln /root/f /root/g && chown 33:44 /root/f && ln -s f /root/l'
	s snapshot create m1 first
	s exec m1 -- sh -c 'echo two >/root/f; rm /etc/motd; rm -r /etc/conf.d && mkdir /etc/conf.d && touch /etc/conf.d/mine'
	s stop -f m1
}

teardown_file() {
	pools_teardown faster fast plain layers
	daemon_teardown
}

teardown() {
	daemon_check
}

other() {
	timeout 60 "$@" 3>&- 4>&- </dev/null
}

# has POOL: what the pool has of instances
has() {
	(cd "$T/state/pools/$1" && find instances snapshots trash -mindepth 1 -maxdepth 1 && find . -maxdepth 1 -name '.new-*')
}

is_empty() {
	[ -z "$(has "$1")" ]
}

# is_whole NAME: it is what setup_file made
is_whole() {
	s start "$1"
	[ "$(s exec "$1" -- cat /root/f /root/g /root/l)" = "$(printf 'two\ntwo\ntwo')" ]
	[ "$(s exec "$1" -- stat -c '%u %g %h' /root/f)" = "33 44 2" ]
	[ "$(s exec "$1" -- stat -c %u / /etc/passwd | sort -u)" = 0 ]
	never s exec "$1" -- test -e /etc/motd
	[ "$(s exec "$1" -- ls /etc/conf.d)" = mine ]
	s stop -f "$1"
}

@test "a stopped instance goes from pool to pool with its snapshots" {
	local from=default to
	for to in layers fast plain default; do
		s move m1 --storage $to
		[ "$(field m1 .expanded_devices.root.pool)" = $to ]
		[ "$(has $to | grep -c .)" = 2 ]
		retry 10 is_empty $from
		is_whole m1
		from=$to
	done
	# the first one kept what it stood on, the others made it whole
	[ "$(s query "/1.0/storage-pools/layers/volumes/image" | jq length)" = 1 ]
	s snapshot restore m1 first
	[ "$(field m1 .expanded_devices.root.pool)" = default ]
	s start m1
	[ "$(s exec m1 -- cat /root/f)" = one ]
	s exec m1 -- test -d /etc/conf.d/ -a -e /etc/motd
	[ "$(s snapshot list m1 --format csv --columns n)" = first ]
	fails 1 "running" s move m1 --storage plain
	s stop -f m1
	fails 1 "not found" s move m1 --storage nowhere
	fails 1 "two steps" s move m1 m2 --storage plain
	fails 2 "is expected" s move m1
}

@test "copies go to another pool, of a stopped instance or a snapshot" {
	s init openrc c0
	s copy c0 c1 --storage layers
	[ -d "$T/state/pools/layers/instances/c1/upper" ]
	s copy c0 c2 --storage fast
	[ -d "$T/state/pools/fast/instances/c2/rootfs/etc" ]
	s copy m1/first c3 --storage plain
	for name in c1 c2 c3; do
		s start $name
		[ "$(s exec $name -- hostname)" = $name ]
		s exec $name -- sh -c 'test ! -s /etc/machine-id || ! grep -q x /etc/machine-id'
	done
	[ "$(s exec c3 -- cat /root/f)" = one ]
	fails 1 "running" s copy c1 c4 --storage plain
	s snapshot create c1 now
	s copy c1/now c4 --storage default
	s stop -f c2
	fails 1 "not brought up to date" s copy c0 c2 --refresh --storage fast
	s delete -f c0 c1 c2 c3 c4
	retry 10 is_empty fast
}

@test "the size of a root disk comes along, and holds in the other pool" {
	s create --empty sized -s fast -d root,size=64MiB
	[ "$(s config get sized volatile.root.size)" = 67108864 ]
	s storage create faster btrfs size=1GiB
	s move sized --storage faster
	[ -z "$(s config get sized volatile.root.size)" ] # its first start there sees to it
	s copy sized sized2 --storage fast
	[ -z "$(s config get sized2 volatile.root.size)" ]
	s delete sized sized2
	s launch alpine/3.20/mini small -s fast -d root,size=64MiB
	s stop --force small
	s move small --storage faster
	s start small
	[ "$(s config get small volatile.root.size)" = 67108864 ]
	never s exec small -- dd if=/dev/zero of=/root/much bs=1M count=100
	s delete --force small
	s storage delete faster
}

@test "kill -9 after each step leaves the instance in one pool, whole" {
	local step
	s init openrc k1
	s snapshot create k1 s0
	for step in have-image journal copy record delete-old; do
		daemon_restart "SYSCTRD_TEST_KILL_AFTER=move/$step"
		never s move k1 --storage plain
		retry 10 daemon_is_dead
		daemon_start
		case $step in
		record | delete-old)
			[ "$(field k1 .expanded_devices.root.pool)" = plain ]
			[ "$(has plain | grep -c .)" = 2 ]
			s move k1 --storage layers
			;;
		*)
			[ "$(field k1 .expanded_devices.root.pool)" != plain ]
			retry 10 is_empty plain
			;;
		esac
		[ "$(s snapshot list k1 --format csv --columns n)" = s0 ]
	done
	daemon_restart
	retry 10 is_empty plain
	[ "$(has layers | grep -c .)" = 2 ]
	s snapshot restore k1 s0
	s start k1
	s delete -f k1
	retry 10 is_empty layers
}

@test "lxc and incus move and copy between pools unmodified" {
	other lxc move m1 -s plain
	[ "$(field m1 .expanded_devices.root.pool)" = plain ]
	other incus move m1 -s layers
	[ "$(field m1 .expanded_devices.root.pool)" = layers ]
	other lxc copy m1 l1 -s plain
	other incus copy m1 i1 -s plain
	[ -d "$T/state/pools/plain/instances/l1/rootfs/etc" ]
	[ -d "$T/state/pools/plain/instances/i1/rootfs/etc" ]
}
