#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# backups.bats - lxc and incus export and import, unmodified; the backups they ask for
load lib

setup_file() {
	export ID_BASE=1900000000
	daemon_setup
	export INCUS_SOCKET=$SYSCTR_SOCKET INCUS_CONF=$T/incus LXD_SOCKET=$SYSCTR_SOCKET LXD_DIR=$T/run
	export LXD_CONF=$T/lxc LXC_CONF=$T/lxc HOME=$T
	mkdir -p "$INCUS_CONF" "$LXD_CONF"
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

# backups NAME: of that instance, one line
backups() {
	s query "/1.0/instances/$1/backups?recursion=1" | jq -r '[.[].name] | join(" ")'
}

# ask [JSON]: makes a backup of c1
ask() {
	s query --wait -X POST /1.0/instances/c1/backups -d "${1:-{\}}"
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

@test "a backup is described, listed, renamed, fetched and deleted" {
	ask | jq -e '.resources.backups == ["/1.0/backups/backup0"]'
	ask '{"name": "mine", "compression_algorithm": "none", "instance_only": true}'
	ask '{"name": "backup7", "expires_at": "2199-01-02T03:04:05Z"}'
	ask
	[ "$(backups c1)" = "backup0 mine backup7 backup8" ]
	s query /1.0/instances/c1/backups | jq -e '.[1] == "/1.0/instances/c1/backups/mine"'
	s query /1.0/containers/c1/backups/mine |
		jq -e '.instance_only and .optimized_storage == false and .expires_at == "0001-01-01T00:00:00Z"'
	s query /1.0/instances/c1/backups/backup7 | jq -e '.expires_at == "2199-01-02T03:04:05.000000000Z"'
	field c1 '.backups | length' | grep -x 4
	fails 1 "already exists" ask '{"name": "mine"}'
	for name in a/b .. -x; do
		fails 1 "backup name" ask "{\"name\": \"$name\"}"
	done
	fails 1 "that time is over" ask '{"expires_at": "2001-01-01T00:00:00Z"}'
	s query --wait -X POST /1.0/instances/c1/backups/mine -d '{"name": "other"}'
	fails 1 "already exists" s query --wait -X POST /1.0/instances/c1/backups/other -d '{"name": "backup0"}'
	fails 1 "not found" s query /1.0/instances/c1/backups/mine
	curl -sSf --unix-socket "$SYSCTR_SOCKET" http://x/1.0/instances/c1/backups/other/export >other.tar
	tar tf other.tar | grep -x backup/container/rootfs/root/mark
	[ "$(tar tf other.tar | grep -c backup/snapshots)" = 0 ]
	s query --wait -X DELETE /1.0/instances/c1/backups/other
	[ "$(backups c1)" = "backup0 backup7 backup8" ]
}

@test "backups outlive the daemon and go along with their instance" {
	daemon_kill
	daemon_start
	[ "$(backups c1)" = "backup0 backup7 backup8" ]
	s rename c1 c2
	[ "$(backups c2)" = "backup0 backup7 backup8" ]
	s copy c2 c1
	retry 10 exists c1
	[ -z "$(backups c1)" ]
	s delete c2
	[ "$(sqlite3 "$T/state/sysctr.db" 'select count(*) from backups')" = 0 ]
}

@test "one that has expired is gone" {
	ask "{\"name\": \"short\", \"expires_at\": \"$(date -u -d '+2 seconds' +%FT%TZ)\"}"
	ask '{"name": "long"}'
	short_is_gone() { ! s query /1.0/instances/c1/backups/short; }
	retry 10 short_is_gone
	[ "$(backups c1)" = long ]
	[ "$(sqlite3 "$T/state/sysctr.db" 'select count(*) from backups')" = 1 ]
}
