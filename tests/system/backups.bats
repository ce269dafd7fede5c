#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# backups.bats - lxc and incus export and import, unmodified; the backups they ask for, of instances and
# of custom volumes
load lib

setup_file() {
	export ID_BASE=1900000000
	daemon_setup
	clients_setup
	export LXD_DIR=$T/run
	openrc_image
	s create openrc c1 -c user.note=kept
	retry 10 exists c1
	s file push - c1/root/mark <<<one
	s snapshot create c1 s0
	s file push - c1/root/mark <<<two
}

teardown_file() {
	daemon_teardown
}

setup() {
	daemon_runs || daemon_start
	cd "$T" || return
}

teardown() {
	daemon_check
}

i() {
	timeout 100 incus "$@" 3>&- 4>&- </dev/null
}

l() {
	timeout 100 lxc "$@" 3>&- 4>&- </dev/null
}

root_of() {
	echo "$T/state/pools/default/instances/$1/rootfs"
}

VOLUME=storage-pools/default/volumes/custom/data

# backups NAME|VOLUME: of that instance or volume, one line
backups() {
	s query "/1.0/$(owner "$1")/backups?recursion=1" | jq -r '[.[].name] | join(" ")'
}

# owner NAME|VOLUME: the path below /1.0
owner() {
	case $1 in
	*/*) echo "$1" ;;
	*) echo "instances/$1" ;;
	esac
}

# ask [JSON] [NAME|VOLUME]: makes a backup of that, or of c1
ask() {
	s query --wait -X POST "/1.0/$(owner "${2:-c1}")/backups" -d "${1:-{\}}"
}

# rows: how many there are of backups in the database
rows() {
	sqlite3 "$T/state/sysctr.db" 'select count(*) from backups'
}

# came_back NAME MARK SNAPSHOTS
came_back() {
	[ "$(cat "$(root_of "$1")/root/mark")" = "$2" ]
	[ "$(s config get "$1" user.note)" = kept ]
	[ "$(s query "/1.0/instances/$1/snapshots" | jq length)" = "$3" ]
}

@test "lxc: export and import, under its own and another name" {
	l export c1 l1.tar.zst
	[ -z "$(backups c1)" ]
	zstd -qt l1.tar.zst
	l import l1.tar.zst l2
	came_back l2 two 1
	l delete l2
	l export c1 l2.tar.gz --instance-only --compression gzip
	gzip -t l2.tar.gz
	s rename c1 was
	l import l2.tar.gz
	came_back c1 two 0
	i import l1.tar.zst i2
	came_back i2 two 1
	l restore i2 s0
	came_back i2 one 1
	s delete c1 i2
	s rename was c1
}

@test "incus: export and import; of an instance that runs" {
	i export c1 i1.tar.xz --compression xz
	xz -t i1.tar.xz
	i import i1.tar.xz i2
	came_back i2 two 1
	i delete i2
	s start c1
	i export c1 i3.tar.zst --instance-only
	s stop --force c1
	i import i3.tar.zst i3 --storage default
	came_back i3 two 0
	l import i1.tar.xz l3
	came_back l3 two 1
	s delete i3 l3
}

@test "the clients on a terminal; what is refused leaves no file" {
	script -qec "stty cols 80 rows 24; timeout 100 incus export c1 t.tar.zst" shown >/dev/null 2>&1 </dev/null 3>&- 4>&-
	grep -a 'exported successfully' shown
	zstd -qt t.tar.zst
	fails 1 "not found" l export nobody n.tar
	[ ! -e n.tar ]
	fails 1 "leave optimized_storage" l export c1 --optimized-storage n.tar
	fails 1 "is not none, gzip, xz or zstd" i export c1 --compression bzip2 n.tar
	[ ! -e n.tar ]
}

# described OWNER: what is asked for, listed, renamed, fetched and deleted is the same for both kinds
described() {
	local url name
	url=/1.0/$(owner "$1")
	ask '{}' "$1" | jq -e '.resources.backups == ["/1.0/backups/backup0"]'
	ask '{"name": "mine", "compression_algorithm": "none", "instance_only": true, "volume_only": true}' "$1" |
		jq -e --arg url "$url" '[.resources.instances, .resources.storage_volumes] | flatten | index($url)'
	ask '{"name": "backup7", "expires_at": "2199-01-02T03:04:05Z"}' "$1"
	ask '{}' "$1"
	[ "$(backups "$1")" = "backup0 mine backup7 backup8" ]
	s query "$url/backups" | jq -e --arg url "$url/backups/mine" '.[1] == $url'
	s query "$url/backups/mine" | jq -e '(.instance_only // .volume_only) and .optimized_storage == false
		and .compression_algorithm == "none" and .expires_at == "0001-01-01T00:00:00Z"'
	s query "$url/backups/backup7" | jq -e '.expires_at == "2199-01-02T03:04:05.000000000Z"'
	fails 1 "already exists" ask '{"name": "mine"}' "$1"
	for name in a/b .. -x; do
		fails 1 "backup name" ask "{\"name\": \"$name\"}" "$1"
		fails 1 "backup name" s query --wait -X POST "$url/backups/mine" -d "{\"name\": \"$name\"}"
	done
	fails 1 "that time is over" ask '{"expires_at": "2001-01-01T00:00:00Z"}' "$1"
	fails 1 "is not none, gzip" ask '{"compression_algorithm": "rar"}' "$1"
	fails 1 "leave optimized_storage" ask '{"optimized_storage": true}' "$1"
	s query --wait -X POST "$url/backups/mine" -d '{"name": "other"}'
	fails 1 "already exists" s query --wait -X POST "$url/backups/other" -d '{"name": "backup0"}'
	fails 1 "backup not found" s query "$url/backups/mine"
	fails 1 "backup not found" s query --wait -X POST "$url/backups/mine" -d '{"name": "x"}'
	fails 1 "backup not found" s query -X DELETE "$url/backups/mine"
	curl -sSf --unix-socket "$SYSCTR_SOCKET" "http://x$url/backups/other/export" >other.tar
	s query --wait -X DELETE "$url/backups/other"
	[ "$(backups "$1")" = "backup0 backup7 backup8" ]
}

@test "a backup is described, listed, renamed, fetched and deleted" {
	described c1
	tar tf other.tar | grep -x backup/container/rootfs/root/mark
	[ "$(tar tf other.tar | grep -c backup/snapshots)" = 0 ]
	s query /1.0/containers/c1/backups | jq -e '.[0] == "/1.0/containers/c1/backups/backup0"'
	s query /1.0/containers/c1/backups/backup0 | jq -e '.container_only == false'
	field c1 '.backups | length' | grep -x 3
}

@test "one of a custom volume too" {
	s storage volume create default data
	s storage volume snapshot create default data s0
	described "$VOLUME"
	[ "$(tar tf other.tar)" = "$(printf 'backup/index.yaml\nbackup/volume/')" ]
	[ "$(backups c1)" = "backup0 backup7 backup8" ]
	[ "$(rows)" = 6 ]
}

@test "listeners are told" {
	local of
	listens events --type lifecycle --format json
	for of in c1 "$VOLUME"; do
		ask '{"name": "told"}' "$of"
		s query --wait -X POST "/1.0/$(owner "$of")/backups/told" -d '{"name": "heard"}'
		s query --wait -X DELETE "/1.0/$(owner "$of")/backups/heard"
	done
	retry 10 grep -q storage-volume-backup-deleted events
	kill $LISTENER
	[ "$(jq -r 'select(.metadata.action | contains("-backup-")) | .metadata | .action + " " + .source' events)" = "\
instance-backup-created /1.0/instances/c1/backups/told
instance-backup-renamed /1.0/instances/c1/backups/heard
instance-backup-deleted /1.0/instances/c1/backups/heard
storage-volume-backup-created /1.0/$VOLUME/backups/told
storage-volume-backup-renamed /1.0/$VOLUME/backups/heard
storage-volume-backup-deleted /1.0/$VOLUME/backups/heard" ]
}

@test "backups outlive the daemon and go along with what they are of" {
	local renamed=storage-pools/default/volumes/custom/renamed
	daemon_kill
	daemon_start
	[ "$(backups c1)" = "backup0 backup7 backup8" ]
	[ "$(backups "$VOLUME")" = "backup0 backup7 backup8" ]
	s query "/1.0/$VOLUME/backups/backup7" | jq -e '.expires_at == "2199-01-02T03:04:05.000000000Z"'
	s rename c1 c2
	s storage volume rename default data renamed
	[ "$(backups c2)" = "backup0 backup7 backup8" ]
	[ "$(backups $renamed)" = "backup0 backup7 backup8" ]
	s copy c2 c1
	retry 10 exists c1
	s storage volume copy default/renamed default/data
	[ -z "$(backups c1)" ]
	[ -z "$(backups "$VOLUME")" ]
	s delete c2
	s storage volume delete default renamed
	[ "$(rows)" = 0 ]
}

# ask_short NAME|VOLUME: one that lasts for some seconds, however slow that is
ask_short() {
	local seconds=2
	until ask "{\"name\": \"short\", \"expires_at\": \"$(date -u -d "$seconds seconds" +%FT%TZ)\"}" "$1"; do
		seconds=$((seconds * 2))
		[ $seconds -lt 60 ]
	done
}

@test "one that has expired is gone" {
	local of
	for of in c1 "$VOLUME"; do
		ask_short $of
		ask '{"name": "long"}' $of
	done
	short_is_gone() { ! s query "/1.0/$(owner "$1")/backups/short"; }
	for of in c1 "$VOLUME"; do
		retry 10 short_is_gone $of
		[ "$(backups $of)" = long ]
	done
	[ "$(rows)" = 2 ]
}

@test "one that expires while nobody looks, or the daemon is down, goes by itself" {
	local of
	for of in c1 "$VOLUME"; do
		ask '{"name": "short", "expires_at": "2199-01-02T03:04:05Z"}' $of
	done
	[ "$(rows)" = 4 ]
	daemon_kill
	sqlite3 "$T/state/sysctr.db" "update backups set expires_ns = 1 where name = 'short'"
	daemon_start
	is_tidy() { [ "$(rows)" = 2 ]; }
	retry 20 is_tidy
}

@test "one instance or volume has at most a hundred" {
	local of
	for of in c1 "$VOLUME"; do
		for _ in $(seq 99); do
			curl -sSf --unix-socket "$SYSCTR_SOCKET" -X POST -d '{}' "http://x/1.0/$(owner $of)/backups" >/dev/null
		done
		fails 1 "has 100 backups: delete some first" ask '{}' $of
	done
	[ "$(rows)" = 200 ]
}

nothing_on_disk() {
	[ -z "$(find "$T/state/pools/default"/{custom,snapshots,trash} -mindepth 1 -maxdepth 1)" ]
}

@test "kill -9 at each step: what was asked for is there whole, or gone" {
	local of step url
	s delete c1
	s storage volume delete default data
	[ "$(rows)" = 0 ]
	s create openrc c1
	retry 10 exists c1
	s storage volume create default data
	for of in c1 "$VOLUME"; do
		url=/1.0/$(owner $of)/backups
		dies_after backup/record ask '{"name": "b1", "compression_algorithm": "gzip"}' $of
		[ "$(s query "$url/b1" | jq -r .compression_algorithm)" = gzip ]
		dies_after backup/record s query --wait -X POST "$url/b1" -d '{"name": "b2"}'
		[ "$(backups $of)" = b2 ]
		dies_after backup/record s query --wait -X DELETE "$url/b2"
		[ -z "$(backups $of)" ]
		ask '{"name": "b3"}' $of
	done
	# while it is fetched: it can be fetched again
	for step in volume-still/{journal,copy,commit} volume-export/{pack,drop}; do
		dies_after $step curl -sS -o x --unix-socket "$SYSCTR_SOCKET" "http://x/1.0/$VOLUME/backups/b3/export"
		[ "$(backups "$VOLUME")" = b3 ]
	done
	curl -sSf --unix-socket "$SYSCTR_SOCKET" "http://x/1.0/$VOLUME/backups/b3/export" | zstd -dc | tar t | grep -x backup/volume/
	# the owner goes, or stays with them
	dies_after volume-delete/forget s storage volume delete default data
	never s query "/1.0/$VOLUME"
	[ "$(rows)" = 1 ]
	[ "$(backups c1)" = b3 ]
	dies_after delete/forget s delete c1
	[ "$(rows)" = 0 ]
	s storage volume create default data
	[ -z "$(backups "$VOLUME")" ]
	s storage volume delete default data
	retry 20 nothing_on_disk
	[ -z "$(sqlite3 "$T/state/sysctr.db" 'SELECT * FROM journal')" ]
}
