#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# volumes_schedule.bats - snapshots of custom volumes by the clock, and their end
load lib

setup_file() {
	export ID_BASE=1870000000
	daemon_setup
	clients_setup
	s storage volume create default data
}

teardown_file() {
	pools_teardown
	daemon_teardown
}

teardown() {
	daemon_check
}

sql() {
	sqlite3 "$T/state/sysctr.db" "$@"
}

snapshots() {
	v snapshot list default data --format csv --columns n | paste -sd' '
}

has() {
	[ "$(snapshots)" = "$1" ]
}

# Schedules here are @yearly: one that comes due at midnight makes one too many.

# is_planned SCHEDULE: its next run is computed and stored
is_planned() {
	[ "$(sql "select schedule from volume_runs")" = "$1" ]
}

# missed: its run was due an hour ago, while the daemon was away
missed() {
	daemon_stop
	sql "update volume_runs set next_ns = (unixepoch() - 3600) * 1000000000"
	daemon_start
}

# snap NAME PATH: one member of it, by jq
snap() {
	s query "/1.0/storage-pools/default/volumes/custom/data/snapshots/$1" | jq -r "$2"
}

@test "what is no schedule is refused when it is set" {
	fails 1 "must have five fields" v set default data snapshots.schedule=sometimes
	fails 1 "@startup is for instances" v set default data snapshots.schedule=@startup
	fails 1 "must be words like" v set default data snapshots.keep=all
	fails 1 "must be of letters" v set default data snapshots.pattern='../../%d'
	fails 1 "snapshots.expiry" v create default x snapshots.expiry=soon
	[ "$(v show default data | grep -c snapshots)" = 0 ]
}

@test "a run that was missed is made up for, once; what is expired or surplus goes first" {
	v set default data snapshots.schedule=@yearly snapshots.keep=last=2 snapshots.pattern=auto%d
	v snapshot create default data mine
	retry 40 is_planned @yearly
	missed
	retry 60 has "mine auto0"
	[ "$(snap auto0 .scheduled)" = true ]
	[ "$(snap mine .scheduled)" = false ]
	[ "$(sql "select next_ns > unixepoch() * 1000000000 from volume_runs")" = 1 ]
	missed
	retry 60 has "mine auto0 auto1"
	missed
	retry 60 has "mine auto1 auto2"
	# one made by hand goes when its own time is over, no sooner
	s query -X PUT -d '{"expires_at":"2020-01-01T00:00:00Z"}' \
		/1.0/storage-pools/default/volumes/custom/data/snapshots/mine
	retry 60 has "auto1 auto2"
	v unset default data snapshots.schedule snapshots.keep snapshots.pattern
	is_forgotten() { [ -z "$(sql 'select * from volume_runs')" ]; }
	retry 40 is_forgotten
	v snapshot delete default data auto1 auto2
}

# plan ARGUMENT...: as CSV, but for the times
plan() {
	s snapshot plan "$@" --format csv --columns nskSp
}

@test "the plan has volumes with a schedule beside the instances, and one that is asked for" {
	[ -z "$(plan)" ]
	v create default idle
	s create --empty web1
	retry 10 exists web1
	[ "$(plan)" = web1,,,YES, ] # stopped
	[ "$(plan default/idle)" = default/idle,,,NO, ]
	v set default data snapshots.schedule=@yearly snapshots.keep=last=1 snapshots.pattern=p%d
	retry 40 is_planned @yearly
	missed
	retry 60 has p0
	[ "$(plan | cut -d, -f 1-3)" = "$(printf 'web1,,\ndefault/data,@yearly,last=1')" ]
	[[ $(plan default/data) == default/data,@yearly,last=1,NO,p0 ]]
	[ "$(plan web1 | cut -d, -f 1)" = web1 ]
	[ "$(s __complete -- snapshot plan '')" = "$(printf 'web1\ndefault/data')" ]
	[ "$(s __complete -- snapshot plan d)" = default/data ]
	s query '/1.0/snapshot-plan?volume=default/data' | jq -e 'length == 1 and (.[0] | .volume == "default/data" and
		.instance == null and .schedule == "@yearly" and .skipped_now == false and .prune == ["p0"])'
	[[ $(date -d "$(s query '/1.0/snapshot-plan?volume=default/data' | jq -r '.[0].next_run')" +%H:%M) == 00:00 ]]
	s snapshot plan default/data | grep "default/data.*@yearly.*00:00.*p0"
	# what the plan says is what happens: it goes, so its name is free for the new one
	made=$(snap p0 .created_at)
	missed
	is_another() { has p0 && [ "$(snap p0 .created_at)" != "$made" ]; }
	retry 60 is_another
	fails 1 "Storage volume not found" s snapshot plan default/none
	fails 1 "not found" s snapshot plan none/data
	fails 1 "is no POOL/VOLUME" s query '/1.0/snapshot-plan?volume=data'
	fails 1 "volume name" s snapshot plan default/data/p0
	fails 1 "Instance not found" s snapshot plan web2
	v unset default data snapshots.schedule snapshots.keep snapshots.pattern
	[ "$(plan | cut -d, -f 1)" = web1 ]
	v snapshot delete default data p0
	v delete default idle
	s delete web1
}

@test "expiry: by the keys, by the request, kept over a restart, copied, taken back" {
	v set default data snapshots.expiry=5d snapshots.expiry.manual=2H
	v snapshot create default data keyed
	is_ahead "$(snap keyed .expires_at)" 7200
	s query -X POST --wait -d '{"name":"given","expires_at":"2099-01-02T03:04:05Z"}' \
		/1.0/storage-pools/default/volumes/custom/data/snapshots
	daemon_restart
	[[ $(snap given .expires_at) == 2099-01-02T03:04:05* ]]
	v copy default/data default/copy
	[[ $(s query /1.0/storage-pools/default/volumes/custom/copy/snapshots/given | jq -r .expires_at) == 2099-01-02* ]]
	v delete default copy
	s query -X PATCH -d '{"description":"kept"}' /1.0/storage-pools/default/volumes/custom/data/snapshots/given
	[[ $(snap given .expires_at) == 2099-01-02T03:04:05* ]]
	[ "$(snap given .description)" = kept ]
	v snapshot rename default data given renamed
	[[ $(snap renamed .expires_at) == 2099-01-02T03:04:05* ]]
	s query -X PUT -d '{"expires_at":""}' /1.0/storage-pools/default/volumes/custom/data/snapshots/renamed
	[[ $(snap renamed .expires_at) == 0001-* ]]
	fails 1 "is no RFC 3339 time" s query -X PUT -d '{"expires_at":"tomorrow"}' \
		/1.0/storage-pools/default/volumes/custom/data/snapshots/renamed
	timeout 60 lxc storage volume set default data snapshots.expiry 1w </dev/null
	[ "$(v get default data snapshots.expiry)" = 1w ]
	v snapshot delete default data keyed renamed
}

@test "kill -9 while the surplus goes: no half of it is left" {
	local step
	v set default data snapshots.keep=last=1 snapshots.schedule=@yearly snapshots.pattern=k%d
	retry 40 is_planned @yearly
	missed
	retry 60 has k0
	for step in forget delete; do
		daemon_stop
		sql "update volume_runs set next_ns = (unixepoch() - 3600) * 1000000000"
		daemon_start "SYSCTRD_TEST_KILL_AFTER=volume-snapshot-delete/$step"
		retry 60 daemon_is_dead
		daemon_start
		one() { [ "$(snapshots | wc -w)" = 1 ] && is_settled; }
		is_settled() { [ "$(sql 'select next_ns > unixepoch() * 1000000000 from volume_runs')" = 1 ]; }
		retry 60 one
	done
	v unset default data snapshots.keep snapshots.schedule
	dirs_match() { [ "$(ls "$T/state/pools/default/snapshots" | wc -l)" = 1 ]; }
	retry 10 dirs_match
	[ -z "$(sql 'select * from journal')" ]
}
