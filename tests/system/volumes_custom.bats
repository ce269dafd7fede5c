#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# volumes_custom.bats - custom volumes on overlay, dir and btrfs: attached to several instances, kept as
# snapshots, copied, killed half-way; by sysctr, lxc and incus

load lib

POOLS="default plain fast"

setup_file() {
	export ID_BASE=1950000000
	daemon_setup
	clients_setup
	openrc_image
	s storage create plain dir
	# before any container starts: where mounts are not shared, it would not see a later one
	s storage create fast btrfs size=1GiB
	s launch openrc c1
	s launch openrc c2
}

teardown_file() {
	pools_teardown plain fast
	daemon_teardown
}

teardown() {
	daemon_check
}

# volume POOL NAME PATH: one member of it, by jq
volume() {
	s query "/1.0/storage-pools/$1/volumes/custom/$2" | jq -r "$3"
}

# left POOL: what is on the disk of custom volumes and their snapshots, or on its way
left() {
	find "$T/state/pools/$1"/{custom,snapshots,trash} -mindepth 1 -maxdepth 1
	find "$T/state/pools/$1" -maxdepth 1 -name '.new-*'
}

is_clean() {
	[ -z "$(left "$1")" ]
}

other() {
	timeout 60 "$@" 3>&- 4>&- </dev/null
}

@test "a volume is made, shown, edited, renamed; what is wrong is said" {
	v create default data user.a=1 --description "for tests"
	[ "$(volume default data '.type + " " + .content_type + " " + .config["user.a"] + " " + .description')" = \
		"custom filesystem 1 for tests" ]
	v list default --format csv | grep '^custom,data,for tests,0,'
	v list default --all --format csv | grep '^container,c1,'
	v list default --all --format csv | grep '^image,'
	[ "$(s query '/1.0/storage-pools/default/volumes/custom?filter=name+eq+data' | jq -c .)" = \
		'["/1.0/storage-pools/default/volumes/custom/data"]' ]
	v set default data user.b=2
	[ "$(v get default data user.b)" = 2 ]
	v unset default data user.b
	v show default data | sed 's/for tests/edited/' | v edit default data
	[ "$(volume default data '.description + (.config | keys | join(","))')" = editeduser.a ]
	v info default data | grep -E '^Usage: [0-9]'
	v rename default data other
	fails 1 "Storage volume not found" v show default data
	[ "$(volume default other '.config["user.a"]')" = 1 ]
	s query /1.0/storage-pools/default | jq -e '.used_by | index("/1.0/storage-pools/default/volumes/custom/other")'
	fails 1 "exists already" v create default other
	fails 1 "not found" v create nowhere x
	fails 2 "only custom" v create default ../x
	fails 1 "must consist of" s query -X POST -d "{\"name\":\"../x\"}" /1.0/storage-pools/default/volumes/custom
	why=$(s storage info default | sed -n 's/^Quotas: no: //p')
	if [ -n "$why" ]; then
		fails 1 "$why" v create default big size=1GiB
		fails 1 "$why" v set default other size=1GiB
	fi
	fails 1 "size" v set default other size=much
	fails 1 "did you mean" v create default x user=1 sise=1GiB
	fails 1 "not supported here" v create default x zfs.delegate=true
	fails 1 "always true" v create default x security.shifted=false
	fails 1 "is not offered" s query -X POST -d '{"name":"x","content_type":"block"}' /1.0/storage-pools/default/volumes/custom
	fails 1 "only custom" s query -X DELETE /1.0/storage-pools/default/volumes/container/c1
	fails 1 "there are custom volumes" s storage delete default
	v delete default other
	retry 10 is_clean default
}

@test "two instances and a profile have one volume, each with its own ids, cold and hot" {
	local pool
	for pool in $POOLS; do
		v create "$pool" shared
		v attach "$pool" shared c1 "d$pool" "/srv/$pool"
		v attach "$pool" shared c2 "d$pool" "/srv/$pool"
		s exec c1 -- sh -c "echo one >/srv/$pool/f && chown 33:44 /srv/$pool/f && echo x >/srv/$pool/root"
		[ "$(s exec c2 -- sh -c "stat -c '%u %g' /srv/$pool/f; stat -c %u /srv/$pool/root /srv/$pool; cat /srv/$pool/f")" = \
			"$(printf '33 44\n0\n0\none')" ]
		s exec c2 -- sh -c "echo two >>/srv/$pool/f"
		[ "$(s exec c1 -- tail -n 1 "/srv/$pool/f")" = two ]
		# on the disk it is nobody's range
		[ "$(stat -c '%u %g' "$T/state/pools/$pool/custom"/*/rootfs/f)" = "33 44" ]
	done
	[ "$(volume fast shared '.used_by | sort | join(" ")')" = "/1.0/instances/c1 /1.0/instances/c2" ]
	fails 1 "is a device of instance c1, c2" v delete fast shared
	fails 1 "is a device of instance c1, c2" v rename fast shared mine
	[ "$(volume fast shared .name)" = shared ]
	# cold
	s restart c2 --force
	[ "$(s exec c2 -- cat /srv/default/f)" = "$(printf 'one\ntwo')" ]
	# another one, read-only, by a profile
	s profile create vols
	v attach-profile plain shared vols pv /srv/again
	s config device list c1 | grep -vx pv
	s profile add c1 vols
	[ "$(s exec c1 -- head -n 1 /srv/again/f)" = one ]
	s profile device set vols pv readonly=true
	never s exec c1 -- touch /srv/again/new
	v detach plain shared c1
	v detach plain shared c2
	fails 1 "device of instance c1 and profile vols" v delete plain shared
	s profile remove c1 vols
	never s exec c1 -- test -e /srv/again/f
	fails 1 "device of profile vols" v delete plain shared
	s profile delete vols
	v delete plain shared
	# what is not there cannot be had
	fails 1 "Storage volume not found" v attach plain shared c1 /srv/x
	fails 1 "not for a volume" s config device add c1 x disk pool=fast source=shared path=/srv/x size=1GiB
	never s exec c1 -- test -e /srv/x
}

@test "G10: what an instance puts into a volume works as no device and no setid file in another" {
	s exec c1 -- sh -c 'cp /bin/busybox /srv/default/id && chmod 4755 /srv/default/id; mknod /srv/default/null c 1 3 || true'
	s exec c2 -- grep " /srv/default .*nosuid,nodev" /proc/self/mountinfo
	s exec c2 -- adduser -D joe
	[ "$(s exec c2 --user 1000 -- /srv/default/id -u)" = 1000 ]
	s exec c2 -- rm -f /srv/default/id /srv/default/null
	# a name inside that leads elsewhere is the container's affair
	s exec c1 -- ln -s /etc/hostname /srv/default/link
	[ "$(s exec c2 -- cat /srv/default/link)" = "$(s exec c2 -- cat /etc/hostname)" ]
	v snapshot create default shared links
	v snapshot delete default shared links
	s exec c1 -- rm /srv/default/link
}

@test "D11: a backup attaches no volume of ours by itself" {
	s init openrc b1
	s config device add b1 data disk pool=default source=shared path=/srv/data
	s export b1 "$T/b1.tar"
	s delete b1
	s import "$T/b1.tar" b1 2>&1 | grep 'data'
	[ "$(field b1 '.devices.data')" = null ]
	s delete b1
}

@test "snapshots are made while it is used, restored while it is not, renamed and deleted" {
	local pool
	for pool in default fast; do
		v snapshot create "$pool" shared
		s exec c1 -- sh -c "echo three >/srv/$pool/f"
		v snapshot create "$pool" shared second
		s exec c1 -- rm "/srv/$pool/f"
		[ "$(v snapshot list "$pool" shared --format csv --columns n)" = "$(printf 'snap0\nsecond')" ]
		v snapshot rename "$pool" shared snap0 first
		v snapshot show "$pool" shared first | grep 'name: first'
		fails 1 'instance "c1", which has it, runs' v snapshot restore "$pool" shared first
	done
	for i in 1 2 3; do # what was mounted may still be when a stop has answered
		s stop -f c1 c2
		for pool in default fast; do v snapshot restore "$pool" shared first; done
		s start c1 c2
	done
	for pool in default fast; do
		[ "$(s exec c2 -- cat "/srv/$pool/f")" = "$(printf 'one\ntwo')" ]
		v snapshot delete "$pool" shared first
		fails 1 "not found" v snapshot delete "$pool" shared first
		[ "$(v snapshot list "$pool" shared --format csv --columns n)" = second ]
	done
}

@test "copies have the content and the snapshots, in the same pool and in another" {
	v copy default/shared default/copy
	v copy default/shared fast/copy
	v copy fast/shared plain/copy --volume-only
	v copy fast/copy/second plain/old
	[ "$(v snapshot list fast copy --format csv --columns n)" = second ]
	[ -z "$(v snapshot list plain copy --format csv --columns n)" ]
	v attach plain copy c1 /srv/copy
	v attach plain old c1 /srv/old
	v attach fast copy c1 fastcopy /srv/fastcopy
	[ "$(s exec c1 -- cat /srv/copy/f)" = "$(printf 'one\ntwo')" ]
	[ "$(s exec c1 -- cat /srv/fastcopy/f)" = "$(printf 'one\ntwo')" ]
	[ "$(s exec c1 -- cat /srv/old/f)" = three ]
	[ "$(s exec c1 -- stat -c '%u %g' /srv/copy/f)" = "33 44" ]
	for name in plain/copy plain/old fast/copy; do
		v detach "${name%/*}" "${name#*/}" c1
		v delete "${name%/*}" "${name#*/}"
	done
	v delete default copy
	retry 10 is_clean plain
	fails 1 "not found" v copy default/none default/x
	fails 1 "exists already" v copy default/shared fast/shared
}

@test "kill -9 after each step leaves a volume that works or none" {
	local pool=plain step
	v create plain base
	for step in volume-create/{hold,journal,make,record}; do
		dies_after $step v copy plain/base plain/k1
		if [ $step = volume-create/record ]; then v delete plain k1; else never v show plain k1; fi
	done
	v snapshot create plain base s0
	for step in volume-snapshot-create/{journal,copy,commit,record}; do
		dies_after $step v snapshot create plain base k1
		if [ $step = volume-snapshot-create/record ]; then v snapshot delete plain base k1; fi
		[ "$(v snapshot list plain base --format csv --columns n)" = s0 ]
	done
	for step in volume-restore/{close,await-released,copy,swap}; do
		dies_after $step v snapshot restore plain base s0
		v snapshot restore plain base s0
	done
	for step in volume-snapshot-delete/{forget,delete}; do
		v snapshot create plain base k1
		dies_after $step v snapshot delete plain base k1
		[ "$(v snapshot list plain base --format csv --columns n)" = s0 ]
	done
	for step in volume-delete/{forget,delete}; do
		v create plain k1
		dies_after $step v delete plain k1
		never v show plain k1
	done
	daemon_restart
	v delete plain base
	retry 10 is_clean plain
	[ "$(s exec c1 -- cat /srv/fast/f)" = "$(printf 'one\ntwo')" ]
}

@test "a worker that is killed leaves nothing of a volume for the next start" {
	local before
	v create default killed
	before=$(left default | sort)
	v attach default killed c1 dev /srv/killed
	worker_dies snapshot-copy
	fails 1 "was killed by signal 9" v snapshot create default killed s0
	[ ! -e "$T/bin/die" ]
	as_before() { [ "$(left default | sort)" = "$before" ]; }
	retry 10 as_before
	v snapshot create default killed s0
	v detach default killed c1 dev
	v delete default killed
	daemon_restart
}

@test "lxc and incus drive volumes unmodified" {
	local client
	for client in lxc incus; do
		other $client storage volume create default v$client user.a=1
		other $client storage volume list default --format csv | grep "custom,v$client,"
		other $client storage volume show default v$client | grep 'user.a: "1"'
		other $client storage volume set default v$client user.a 2
		[ "$(other $client storage volume get default v$client user.a)" = 2 ]
		other $client storage volume unset default v$client user.a
		other $client storage volume attach default v$client c1 dev /srv/$client
		s exec c1 -- sh -c "echo $client >/srv/$client/f"
		other $client storage volume info default v$client | grep "Name: v$client"
		fails 1 "in use" other $client storage volume delete default v$client
		case $client in
		lxc) other lxc storage volume snapshot default vlxc s0 ;;
		incus) other incus storage volume snapshot create default vincus s0 ;;
		esac
		other $client storage volume info default v$client | grep s0
		never grep -q 0001 <<<"$(other $client storage volume info default v$client)"
		[ $client = lxc ] || other incus storage volume snapshot list default vincus --format csv | grep '^s0,'
		other $client storage volume detach default v$client c1 dev
		never s exec c1 -- test -e /srv/$client/f
		case $client in
		lxc) other lxc storage volume restore default vlxc s0 ;;
		incus) other incus storage volume snapshot restore default vincus s0 ;;
		esac
		other $client storage volume copy default/v$client fast/w$client
		[ "$(volume fast w$client .name)" = w$client ]
		other $client storage volume rename default v$client r$client
		[ "$(volume default r$client .name)" = r$client ]
		other $client storage volume delete default r$client
		other $client storage volume delete fast w$client
		# the root of an instance, with its snapshots
		s snapshot create c1 of-$client
		other $client storage volume info default container/c1 | grep "of-$client"
		never other $client storage volume info fast container/c1
		s snapshot delete c1 of-$client
	done
}
