#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# pools.bats - storage pools are made, used, edited and deleted; what is in use stays. Threat: G9.

load lib

setup_file() {
	export ID_BASE=1910000000
	daemon_setup
	clients_setup
	openrc_image
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

pool() {
	s query "/1.0/storage-pools/$1" | jq -r "$2"
}

# other CLIENT ARGUMENT...: lxc or incus
other() {
	timeout 60 "$@" 3>&- 4>&- </dev/null
}

# warned_of POOL: there is a warning of it that stands
warned_of() {
	s query "/1.0/warnings?recursion=1" |
		jq -e --arg url "/1.0/storage-pools/$1" '.[] | select(.entity_url == $url and .status != "resolved")'
}

@test "a pool is made, shown, edited; what cannot change is refused" {
	s storage create p1 dir "source=$T/p1" user.room=cellar --description "for tests"
	[ "$(pool p1 '.driver + " " + .status + " " + .config.source')" = "dir Created $T/p1" ]
	[ "$(stat -c '%a %u' "$T/p1")" = "700 0" ]
	[ "$(s storage get p1 user.room)" = cellar ]
	s storage set p1 user.room=attic user.more=1
	s storage unset p1 user.more
	s storage show p1 | sed 's/for tests/edited/' | s storage edit p1
	[ "$(pool p1 '.description + " " + .config["user.room"] + (.config["user.more"] // "")')" = "edited attic" ]
	fails 1 '"source" cannot be changed' s storage set p1 source=/srv/elsewhere
	fails 1 '"source" cannot be changed' s storage unset p1 source
	s storage info p1 | grep -x 'Snapshots: copied'
	s storage info p1 | grep '^Quotas: no: '
	s storage list --format csv | grep "^p1,dir,edited,"
	# one that has its directory below the state directory
	s storage create p2 auto
	[ "$(pool p2 .driver)" = overlay ]
	[ -d "$T/state/pools/p2/images" ]
	s storage set p2 user.x=1
	s storage delete p2
	[ ! -e "$T/state/pools/p2" ]
}

@test "E5: what is wrong is said, and nothing is left of it" {
	fails 1 'did you mean "overlay"' s storage create x1 overlayy
	fails 1 "exists already" s storage create p1 dir
	fails 1 "is where storage pool" s storage create x1 dir "source=$T/p1/images"
	fails 1 "is where storage pool" s storage create x1 dir "source=$T/p1/"
	mkdir "$T/full" && touch "$T/full/file"
	fails 1 'is not empty, there is "file"' s storage create x1 dir "source=$T/full"
	fails 1 "must be" s storage create x1 dir source=relative
	fails 1 "size" s storage create x1 dir size=1GiB
	# E5: no words of a client reach mkfs or mount
	for key in btrfs.mount_options=compress-force btrfs.create_options=--rootdir=/etc block.create_options=-F \
		block.mount_options=dev source=-x "source=$T/a b,dev" rsync.compression=true; do
		never s storage create x1 btrfs "$key"
	done
	# a file system that cannot do it
	mkdir "$T/ro"
	mount -t tmpfs -o ro none "$T/ro"
	run s storage create x1 dir "source=$T/ro/pool"
	umount "$T/ro"
	[ "$status" -eq 1 ]
	[ ! -e "$T/state/pools/x1" ]
	[ "$(ls -A "$T/full")" = file ]
	never s storage show x1
	fails 1 "not found" s storage delete nothing
}

@test "instances choose their pool; it cannot be deleted below them" {
	s launch openrc c1 -s p1
	[ -d "$T/p1/instances/c1/rootfs/etc" ]
	[ "$(s exec c1 -- hostname)" = c1 ]
	[ "$(field c1 '.expanded_devices.root.pool')" = p1 ]
	[ "$(pool p1 '.used_by[0]')" = /1.0/instances/c1 ]
	fails 1 'instance "c1" is on it' s storage delete p1
	s stop c1 --force
	fails 1 "Cannot update root disk device pool name" s config device set c1 root pool=default
	s delete c1
	printf 'devices: {root: {type: disk, path: /, pool: p1}}\n' | s profile create onp1
	fails 1 'of profile "onp1" names it' s storage delete p1
	s launch openrc c2 -p onp1
	[ -d "$T/p1/instances/c2" ]
	s delete -f c2
	s profile delete onp1
	# a volume that nobody knows is not thrown away
	mkdir -p "$T/p1/instances/lost/rootfs"
	fails 1 "nobody knows whose it is" s storage delete p1
	[ -d "$T/p1/instances/lost/rootfs" ]
	[ "$(pool p1 .status)" = Created ]
	# it works as before, its images are unpacked anew
	s launch openrc c3 -s p1
	s delete -f c3
	rm -r "$T/p1/instances/lost"
	s storage delete p1
	[ -d "$T/p1" ] # whoever gave it keeps it
	[ -z "$(ls -A "$T/p1")" ]
}

@test "a pool that is not there does not stop the others, and can be deleted" {
	s storage create gone dir "source=$T/gone"
	daemon_stop
	rm -r "$T/gone"
	touch "$T/gone"
	daemon_start
	[ "$(pool gone .status)" = Unavailable ]
	warned_of gone
	fails 1 "is not available" s launch openrc c4 -s gone
	rm "$T/gone"
	s storage delete gone
	never s storage show gone
	never warned_of gone
}

@test "kill -9 after each step leaves a pool that works or none" {
	local step
	for step in insert make; do
		dies_after "pool-create/$step" s storage create k1 dir "source=$T/k1"
		[ "$(pool k1 '.driver + .status')" = dirCreated ]
		s storage delete k1
		[ -z "$(ls -A "$T/k1")" ]
	done
	for step in forget-images delete-row; do
		s storage create k1 dir "source=$T/k1"
		dies_after "pool-delete/$step" s storage delete k1
		if [ $step = delete-row ]; then
			never s storage show k1
		else
			[ "$(pool k1 .status)" = Created ]
			s storage delete k1
		fi
		[ -z "$(ls -A "$T/k1")" ]
	done
	daemon_restart
}

@test "lxc and incus drive pools unmodified" {
	local client
	for client in lxc incus; do
		other $client storage create "s$client" dir "source=$T/s$client" user.a=1
		other $client storage list --format csv | grep "^s$client,dir,"
		other $client storage show "s$client" | grep "source: $T/s$client"
		other $client storage info "s$client" | grep "driver: dir"
		other $client storage set "s$client" user.a 2
		[ "$(other $client storage get "s$client" user.a)" = 2 ]
		other $client storage unset "s$client" user.a
		other $client init openrc "c$client" -s "s$client"
		[ -d "$T/s$client/instances/c$client" ]
		fails 1 "in use" other $client storage delete "s$client"
		other $client delete "c$client"
		other $client storage delete "s$client"
		[ -z "$(ls -A "$T/s$client")" ]
	done
}
