#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# volumes_export.bats - custom volumes to files and back: by sysctr, lxc and incus, what is hostile, kill -9
load lib

POOLS="default plain fast"

setup_file() {
	export ID_BASE=1950000000
	daemon_setup
	clients_setup
	openrc_image
	s storage create plain dir
	s storage create fast btrfs size=1GiB
	s launch openrc c1
	for pool in $POOLS; do
		v create "$pool" data user.a=1 --description "for tests"
		v attach "$pool" data c1 "d$pool" "/srv/$pool"
		s exec c1 -- sh -c "echo one >/srv/$pool/f && chown 33:44 /srv/$pool/f && ln -s f /srv/$pool/link && ln /srv/$pool/f /srv/$pool/hard"
		v snapshot create "$pool" data s0
		s exec c1 -- sh -c "echo two >/srv/$pool/f"
	done
}

teardown_file() {
	pools_teardown plain fast
	daemon_teardown
}

teardown() {
	daemon_check
}

# inside POOL VOLUME COMMAND: with it at /srv/x
inside() {
	v attach "$1" "$2" c1 x /srv/x
	s exec c1 -- sh -c "$3"
	v detach "$1" "$2" c1 x
}

# left POOL: how many directories it has of volumes, snapshots and what is half-made
left() {
	find "$T/state/pools/$1"/{custom,snapshots,trash} -mindepth 1 -maxdepth 1 | wc -l
	find "$T/state/pools/$1" -maxdepth 1 -name '.new-*' | wc -l
}

has_left() {
	[ "$(left "$1" | paste -sd' ')" = "$2" ]
}

@test "a volume in use goes to a file and comes back, snapshots, owners and links included" {
	local pool
	for pool in $POOLS; do
		v export "$pool" data "$T/$pool.tar" --compression none
		tar tf "$T/$pool.tar" | head -n 1 | grep -x backup/index.yaml
		tar xOf "$T/$pool.tar" backup/volume/f | grep -x two
		tar xOf "$T/$pool.tar" backup/volume-snapshots/s0/f | grep -x one
		v import "$pool" "$T/$pool.tar" back
		inside "$pool" back "grep -x two /srv/x/f && [ \$(stat -c '%u %g %h' /srv/x/f | tr ' ' .) = 33.44.2 ] && [ \$(readlink /srv/x/link) = f ]"
		[ "$(v get "$pool" back user.a)" = 1 ]
		v show "$pool" back | grep "for tests"
		[ "$(v snapshot list "$pool" back --format csv --columns n)" = s0 ]
		s stop -f c1
		v snapshot restore "$pool" back s0
		s start c1
		inside "$pool" back "grep -x one /srv/x/f"
		retry 20 has_left "$pool" "4 0"
		fails 1 "exists already" v import "$pool" "$T/$pool.tar" back
		v delete "$pool" back
		retry 20 has_left "$pool" "2 0"
	done
	# to another pool, without its snapshots, as a stream
	v export default data - --volume-only | v import fast - streamed
	[ -z "$(v snapshot list fast streamed --format csv --columns n)" ]
	inside fast streamed "grep -x two /srv/x/f"
	v delete fast streamed
	fails 1 "is not none, gzip" v export default data "$T/x" --compression rar
	[ ! -e "$T/x" ]
	fails 1 "not found" v export default none "$T/x"
}

other() {
	timeout 120 "$@" 3>&- 4>&- </dev/null
}

@test "lxc and incus export and import unmodified" {
	local client url=/1.0/storage-pools/default/volumes/custom/data/backups
	v detach plain data c1 dplain
	v rename plain data away
	for client in lxc incus; do
		other $client storage volume export default data "$T/$client.tar.zst"
		[ "$(s query $url | jq length)" = 0 ]
		zstd -qt "$T/$client.tar.zst"
		other $client storage volume import plain "$T/$client.tar.zst" "from$client"
		other $client storage volume info plain "from$client" | grep -w s0
		inside plain "from$client" "grep -x two /srv/x/f && [ \$(stat -c '%u %g %h' /srv/x/f | tr ' ' .) = 33.44.2 ]"
		fails 1 "exists" other $client storage volume import plain "$T/$client.tar.zst" "from$client"
		# under its own name, without its snapshots, as another compression
		other $client storage volume export default data "$T/$client.tar.xz" --volume-only --compression xz
		xz -t "$T/$client.tar.xz"
		v delete plain "from$client"
		other $client storage volume import plain "$T/$client.tar.xz"
		[ -z "$(v snapshot list plain data --format csv --columns n)" ]
		inside plain data "grep -x two /srv/x/f"
		v delete plain data
		fails 1 "own format" other $client storage volume export default data "$T/o" --optimized-storage
		fails 1 "is not none, gzip, xz or zstd" other $client storage volume export default data "$T/o" --compression bzip2
		fails 1 "not found" other $client storage volume export default none "$T/o"
		[ ! -e "$T/o" ]
		[ "$(s query $url | jq length)" = 0 ]
	done
	v rename plain away data
	v attach plain data c1 dplain /srv/plain
	# from one client to the other, with what was asked for seen by both
	other lxc query --wait -X POST -d '{"name":"b1"}' $url
	other incus query --wait -X POST -d '{"name":"b2"}' $url/b1
	[ "$(other lxc query $url | jq -r '.[]')" = $url/b2 ]
	other lxc query --wait -X DELETE $url/b2
	[ "$(other incus query $url | jq length)" = 0 ]
}

# tarball FILE INDEX: a backup with that index and whatever is in $T/h
tarball() {
	printf '%s\n' "$2" >"$T/h/backup/index.yaml"
	tar -C "$T/h" -cf "$1" backup/index.yaml backup/volume
}

@test "what is hostile or wrong is refused, and leaves nothing" {
	local head='name: evil
type: custom
config:
  volume: {name: evil, type: custom, config: {}}'
	mkdir -p "$T/h/backup/volume"
	echo x >"$T/h/backup/volume/f"
	tarball "$T/e.tar" "$head"
	v import plain "$T/e.tar" good
	v delete plain good
	retry 20 has_left plain "2 0"
	# a file above a link that leads out
	ln -s /etc "$T/h/backup/volume/out"
	tarball "$T/e.tar" "$head"
	mkdir -p "$T/h2/backup/volume/out"
	echo evil >"$T/h2/backup/volume/out/sysctr-evil"
	tar -C "$T/h2" -rf "$T/e.tar" backup/volume/out/sysctr-evil
	never v import plain "$T/e.tar" evil
	[ ! -e /etc/sysctr-evil ]
	rm "$T/h/backup/volume/out"
	# a name that climbs
	tar -C "$T/h" --transform 's,backup/volume/f,backup/volume/../../../f,' -P -cf "$T/e.tar" backup/index.yaml backup/volume/f
	never v import plain "$T/e.tar" evil
	# another kind of backup, either way
	v export default data "$T/v.tar" --compression none
	fails 1 'of type "custom"' s import "$T/v.tar" c9
	s stop -f c1
	s export c1 "$T/c.tar" --compression none
	s start c1
	fails 1 "not of a custom volume" v import plain "$T/c.tar" evil
	# no archive, one that ends too early, a snapshot that is not there, a bad name
	echo nothing >"$T/e.tar"
	never v import plain "$T/e.tar" evil
	head -c 8192 "$T/v.tar" >"$T/e.tar"
	never v import plain "$T/e.tar" evil
	tarball "$T/e.tar" "$head
  volume_snapshots: [{name: s9}]"
	fails 1 's9' v import plain "$T/e.tar" evil
	fails 1 "must" v import plain "$T/v.tar" ../evil
	# keys that are not known here are left out
	tarball "$T/e.tar" 'name: evil
type: custom
config:
  volume: {name: evil, type: custom, config: {zfs.delegate: "true", user.b: "2", volatile.idmap.next: "[]"}}'
	run v import plain "$T/e.tar"
	[[ $output == *zfs.delegate* && $output != *volatile* ]]
	[ "$(v get plain evil user.b)" = 2 ]
	v delete plain evil
	retry 20 has_left plain "2 0"
	retry 10 no_journal
}

no_journal() {
	[ -z "$(sqlite3 "$T/state/sysctr.db" 'SELECT * FROM journal')" ]
}

@test "while it is being exported it is kept and restored; what is read stays until it has been" {
	# more than a pipe holds
	s exec c1 -- sh -c "head -c 1000000 /dev/urandom >/srv/plain/big"
	reads_slowly v export plain data - --compression none
	v snapshot create plain data meanwhile
	s exec c1 -- rm /srv/plain/big
	for what in "snapshot delete plain data s0" "delete plain data" "rename plain data other" \
		"move plain/data default/other" "export plain data $T/again.tar"; do
		fails 1 "is being read: operation " v $what
	done
	read_on "$T/slow.tar"
	[ "$(tar -xOf "$T/slow.tar" backup/volume/big | wc -c)" = 1000000 ]
	never grep -q meanwhile <<<"$(tar -tf "$T/slow.tar")"
	v snapshot delete plain data meanwhile
	rm "$T/slow.tar"
}

@test "kill -9 after each step leaves a volume that works or none" {
	local step
	v export plain data "$T/k.tar" --compression none
	for step in store inspect hold journal unpack; do
		dies_after "volume-import/$step" v import plain "$T/k.tar" k1
		never v show plain k1
		retry 20 has_left plain "2 0"
	done
	dies_after volume-import/record v import plain "$T/k.tar" k1
	inside plain k1 "grep -x two /srv/x/f"
	v delete plain k1
	for step in volume-still/{journal,copy,commit} volume-export/{read-on,pack,drop}; do
		dies_after "$step" v export plain data "$T/k2.tar"
		retry 20 has_left plain "2 0"
		rm -f "$T/k2.tar" "$T/k2.tar.part"
	done
	[ -z "$(sqlite3 "$T/state/sysctr.db" 'SELECT * FROM journal')" ]
}
