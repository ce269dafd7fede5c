#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# volumes_move.bats - custom volumes go from one storage pool to another with all that is theirs: overlay,
# dir and btrfs; used, refused, killed half-way; by sysctr, lxc and incus

load lib

POOLS="default plain fast"

setup_file() {
	export ID_BASE=2010000000
	daemon_setup
	clients_setup
	openrc_image
	s storage create plain dir
	# before any container starts: where mounts are not shared, it would not see a later one
	s storage create fast btrfs size=1GiB
	truncate -s 32M "$T/small.img"
	mkfs.ext4 -q -m 0 "$T/small.img"
	mkdir "$T/small"
	mount -o loop "$T/small.img" "$T/small"
	s storage create small dir "source=$T/small"
	s launch openrc c1
}

teardown_file() {
	pools_teardown plain fast small
	daemon_teardown
}

teardown() {
	daemon_check
}

other() {
	timeout 60 "$@" 3>&- 4>&- </dev/null
}

# volume POOL NAME PATH: one member of it, by jq
volume() {
	s query "/1.0/storage-pools/$1/volumes/custom/$2" | jq -r "$3"
}

# left POOL: what is on the disk of custom volumes and their snapshots, or on its way, and what tells of them
left() {
	local dir
	dir=$(pool_dir "$1")
	find "$dir"/{custom,snapshots,trash} -mindepth 1 -maxdepth 1
	find "$dir" -maxdepth 1 -name '.new-*'
	find "$dir/records/custom" -name '*.yaml' 2>/dev/null || true
}

is_clean() {
	[ -z "$(left "$1")" ]
}

sql() {
	sqlite3 "$T/state/sysctr.db" "$@"
}

no_journal() {
	[ "$(sql 'SELECT count(*) FROM journal')" = 0 ]
}

# rows: what the database says of volumes, without where they are and what they are called
rows() {
	sql 'SELECT id, description, created_ns FROM volumes; SELECT volume_id, key, value FROM volume_config;
		SELECT id, volume_id, name, description, created_ns, size, expires_ns, scheduled FROM volume_snapshots;
		SELECT * FROM volume_runs; SELECT * FROM backups'
}

# make POOL NAME: with an owner, a second link, a hole, and what it was before as snapshots
make() {
	v create "$1" "$2" user.a=1 snapshots.schedule=@yearly --description "of $2"
	v attach "$1" "$2" c1 dev /srv/it
	s exec c1 -- sh -c 'cd /srv/it && echo one >f && chown 33:44 f && ln f g && ln -s f l && mkdir d && chmod 3751 d'
	v snapshot create "$1" "$2" first
	s query -X PATCH "/1.0/storage-pools/$1/volumes/custom/$2/snapshots/first" \
		-d '{"description":"the first","expires_at":"2199-01-02T03:04:05Z"}'
	s exec c1 -- sh -c 'cd /srv/it && echo two >f && dd if=/dev/zero of=hole bs=1 count=1 seek=1M 2>/dev/null'
	v snapshot create "$1" "$2" second
	v detach "$1" "$2" c1
	s query --wait -X POST "/1.0/storage-pools/$1/volumes/custom/$2/backups" -d '{"name":"kept"}' >/dev/null
	s query "/1.0/snapshot-plan?volume=$1/$2" >/dev/null # it is due some time
}

# is_whole POOL NAME: it is what make() made, as an instance sees it
is_whole() {
	v attach "$1" "$2" c1 dev /srv/it
	[ "$(s exec c1 -- sh -c 'cd /srv/it && cat f g l && stat -c "%u %g %h" f && stat -c %a d && stat -c "%s %u" hole')" = \
		"$(printf 'two\ntwo\ntwo\n33 44 2\n3751\n1048577 0')" ]
	v detach "$1" "$2" c1
	[ "$(v snapshot list "$1" "$2" --format csv --columns n)" = "$(printf 'first\nsecond')" ]
}

side_file_tells() {
	local uuid
	uuid=$(sql "SELECT v.volume FROM volumes v JOIN pools p ON p.id = v.pool_id WHERE p.name = '$1' AND v.name = '$2'")
	grep -q "name: $2\$" "$(pool_dir "$1")/records/custom/$uuid.yaml"
}

@test "a volume goes from pool to pool with its snapshots and all that is its" {
	local from=default/v1 to before
	make default v1
	before=$(rows)
	[ "$(sql 'SELECT count(*) FROM volume_runs')" = 1 ]
	for to in plain/v1 fast/v2 default/v2 fast/v3 plain/v3 default/v1; do
		v move $from $to
		fails 1 "not found" v show "${from%/*}" "${from#*/}"
		retry 10 is_clean "${from%/*}"
		retry 10 side_file_tells "${to%/*}" "${to#*/}"
		[ "$(rows)" = "$before" ]
		is_whole "${to%/*}" "${to#*/}"
		no_journal
		# there as well after a start, by what is stored
		daemon_restart
		[ "$(volume "${to%/*}" "${to#*/}" '.config["user.a"] + .description')" = "1of v1" ]
		[ "$(rows)" = "$before" ]
		from=$to
	done
	# what it was came along, and its backup is of it
	curl -sSf --unix-socket "$SYSCTR_SOCKET" "http://x/1.0/storage-pools/default/volumes/custom/v1/backups/kept/export" |
		tar xO --zstd backup/volume/f | grep -x two
	v snapshot restore default v1 first
	v attach default v1 c1 dev /srv/it
	[ "$(s exec c1 -- sh -c 'cd /srv/it && cat l && stat -c "%u %g %h" f')" = "$(printf 'one\n33 44 2')" ]
	v detach default v1 c1
	# in its pool it is renamed; without its snapshots they go
	v move default/v1 default/v2
	[ "$(rows)" = "$before" ]
	v move default/v2 fast/v2 --volume-only
	[ -z "$(v snapshot list fast v2 --format csv)" ]
	[ "$(sql 'SELECT count(*) FROM volume_snapshots')" = 0 ]
	retry 10 is_clean default
	v delete fast v2
	retry 10 is_clean fast
}

@test "an operation names what it is about, each kind once" {
	v create plain o1
	s query --wait -X POST /1.0/storage-pools/plain/volumes/custom/o1 -d '{"pool":"default","name":"o2"}' |
		jq -e '.resources.storage_volumes == ["/1.0/storage-pools/plain/volumes/custom/o1",
			"/1.0/storage-pools/default/volumes/custom/o2"]'
	# the name may be left out
	s query --wait -X POST /1.0/storage-pools/default/volumes/custom/o2 -d '{"pool":"plain"}'
	v delete plain o2
}

@test "what cannot be moved stays, and why is said" {
	v create default used
	v create plain taken
	fails 1 "exists already in pool \"plain\"" v move default/used plain/taken
	fails 1 "not found" v move default/none plain/none
	fails 1 "not found" v move default/used nowhere/used
	fails 1 "must consist of" v move default/used "plain/us ed"
	fails 2 "is not POOL/VOLUME" v move default/used plain
	fails 1 "Project not found" s query -X POST /1.0/storage-pools/default/volumes/custom/used -d '{"pool":"plain","project":"x"}'
	fails 1 "not sent to other servers" s query -X POST /1.0/storage-pools/default/volumes/custom/used -d '{"pool":"plain","migration":true}'
	fails 1 "only custom" s query -X POST /1.0/storage-pools/default/volumes/container/c1 -d '{"pool":"plain","name":"c1"}'
	# by whoever has it, running or not
	v attach default used c1 /srv/used
	fails 1 "still in use: it is a device of instance c1" v move default/used plain/used
	s stop -f c1
	fails 1 "still in use: it is a device of instance c1" v move default/used plain/used
	v detach default used c1
	s profile create vols
	v attach-profile default used vols /srv/used
	fails 1 "it is a device of profile vols" v move default/used plain/used
	s profile delete vols
	s start c1
	# a size that the other pool cannot keep it to
	local why
	why=$(s storage info small | sed -n 's/^Quotas: no: //p')
	[ -n "$why" ]
	v create fast sized size=16MiB
	fails 1 "$why" v move fast/sized small/sized
	# one that can does
	s storage create fast2 btrfs size=256MiB
	v move fast/sized fast2/sized
	v attach fast2 sized c1 dev /srv/sized
	never s exec c1 -- dd if=/dev/zero of=/srv/sized/much bs=1M count=30
	v detach fast2 sized c1
	v delete fast2 sized
	s storage delete fast2
	v delete default used
	v delete plain taken
	for pool in $POOLS; do retry 10 is_clean "$pool"; done
	no_journal
}

@test "a pool that becomes full leaves the volume where it is" {
	v create plain big
	v attach plain big c1 dev /srv/big
	s exec c1 -- dd if=/dev/urandom of=/srv/big/f bs=1M count=40
	v snapshot create plain big s0
	v detach plain big c1
	for big in plain fast; do
		fails 1 "copy storage volume \"big\" to pool \"small\"" v move $big/big small/big
		[[ $output == *space* ]]
		retry 10 is_clean small
		no_journal
		[ "$(v list small --format csv)" = "" ]
		[ "$(v snapshot list $big big --format csv --columns n)" = s0 ]
		[ "$(stat -c %s "$(volume_root $big big)/f")" = $((40 << 20)) ]
		[ $big = fast ] || v move plain/big fast/big
	done
	v delete fast big
}

@test "while it is moved nobody writes to it, changes it or takes its new name" {
	local pid
	v create default busy
	workers_wait custom-create
	s query -X POST /1.0/storage-pools/default/volumes/custom/busy -d '{"name":"late","pool":"plain"}' >"$T/op"
	worker_is_waiting
	fails 1 "Moving storage volume" v attach default busy c1 /srv/busy
	never s exec c1 -- test -e /srv/busy
	fails 1 "Moving storage volume" v set default busy user.a=2
	fails 1 "Moving storage volume" v snapshot create default busy
	fails 1 "Moving storage volume" v rename default busy other
	fails 1 "Moving storage volume" v delete default busy
	fails 1 "exists already" v create plain late
	fails 1 "not found" v show plain late
	worker_goes
	retry 20 no_operation
	v show plain late
	# cancelled
	s query -X POST /1.0/storage-pools/plain/volumes/custom/late -d '{"pool":"default"}' >"$T/op"
	worker_is_waiting
	pid=$(s query /1.0/operations?recursion=1 | jq -r '.running[].id')
	s operation delete "$pid"
	retry 10 no_journal
	retry 10 is_clean default
	v show plain late
	v delete plain late
	retry 10 is_clean plain
	daemon_restart
}

@test "kill -9 after each step leaves the volume in one pool, whole" {
	local step before pair from to
	make default k
	before=$(rows)
	for pair in default:plain plain:fast fast:default; do
		from=${pair%:*} to=${pair#*:}
		for step in hold journal copy record delete-old erase; do
			dies_after volume-move/$step v move $from/k $to/k2
			case $step in
			record | delete-old | erase)
				retry 10 is_clean $from
				is_whole $to k2
				[ "$(rows)" = "$before" ]
				fails 1 "not found" v show $from k
				v move $to/k2 $from/k
				;;
			*)
				retry 10 is_clean $to
				is_whole $from k
				fails 1 "not found" v show $to k2
				;;
			esac
			retry 10 no_journal
			[ "$(rows)" = "$before" ]
		done
		v move $from/k $to/k
		retry 10 is_clean $from
	done
	v snapshot restore default k first
	v delete default k
}

@test "a worker that is killed leaves the volume where it is" {
	local before
	make plain w
	before=$(rows)
	worker_dies custom-create
	fails 1 "copy storage volume \"w\" to pool \"fast\": sysctr-worker (custom-create) was killed by signal 9" v move plain/w fast/w
	[ ! -e "$T/bin/die" ]
	retry 10 is_clean fast
	no_journal
	is_whole plain w
	v delete plain w
	retry 10 is_clean plain
	daemon_restart
}

@test "what cannot be removed in the old pool is told, and goes with the next start" {
	local before dir
	make small w
	before=$(rows)
	dir=$(dirname "$(volume_root small w)")
	chattr +i "$dir"
	fails 1 "\"w\" is in pool \"fast\" now; what is left of it in pool \"small\" goes when sysctrd is started again" v move small/w fast/w
	is_whole fast w
	[ "$(rows)" = "$before" ]
	chattr -i "$dir"
	daemon_restart
	retry 10 is_clean small
	retry 10 no_journal
	is_whole fast w
	v delete fast w
}

@test "a copy whose worker is killed is left to nobody" {
	v create plain w
	worker_dies custom-create
	fails 1 "was killed by signal 9" v copy plain/w fast/w2
	[ ! -e "$T/bin/die" ]
	retry 10 is_clean fast
	no_journal
	v delete plain w
	retry 10 is_clean plain
	daemon_restart
}

@test "lxc and incus move volumes unmodified" {
	local client
	for client in lxc incus; do
		make default m
		# lxc copies and deletes; incus moves, so that what hangs on it comes along
		other $client storage volume move default/m plain/m2
		is_whole plain m2
		retry 10 is_clean default
		[ "$(volume plain m2 '.config["user.a"] + .description')" = "1of m" ]
		[ $client = lxc ] || s query "/1.0/storage-pools/plain/volumes/custom/m2/backups" | jq -e 'length == 1'
		other $client storage volume move plain/m2 plain/m3
		is_whole plain m3
		v attach plain m3 c1 dev /srv/it
		fails 1 "still in use" other $client storage volume move plain/m3 fast/m3
		v detach plain m3 c1
		[ $client = incus ] || v delete fast m3 # the copy came first
		other $client storage volume move plain/m3 fast/m
		is_whole fast m
		v delete fast m
		retry 10 is_clean plain
	done
}
