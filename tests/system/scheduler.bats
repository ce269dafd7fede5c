#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# scheduler.bats - snapshots by the clock: missed runs, what goes before, warnings, the plan
load lib

setup_file() {
	export ID_BASE=1870000000
	daemon_setup
	openrc_image
	s launch openrc web1
	s create openrc still
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

# Schedules here are @yearly: one that comes due meanwhile, by the hour or at midnight, makes one too many.

sql() {
	sqlite3 "$T/state/sysctr.db" "$@"
}

# on NAME: "id" of its row
on() {
	sql "select id from instances where name = '$1'"
}

snapshots() {
	s snapshot list "$1" --format csv --columns n | paste -sd' '
}

has() {
	[ "$(snapshots "$1")" = "$2" ]
}

next_of() {
	s query "/1.0/snapshot-plan?instance=$1" | jq -r '.[0].next_run'
}

has_next() {
	[ "$(next_of "$1")" != null ]
}

# missed NAME: its run was due an hour ago, while the daemon was away
missed() {
	daemon_stop
	sql "update snapshot_runs set next_ns = (unixepoch() - 3600) * 1000000000 where instance_id = $(on "$1")"
	daemon_start
}

@test "what is no schedule is refused when it is set, whatever it contains" {
	fails 1 "must have five fields" s config set web1 snapshots.schedule=sometimes
	fails 1 "must be a day that one of the months has" s config set web1 snapshots.schedule="0 0 30 2 *"
	fails 1 "must be words like" s config set web1 snapshots.keep=all
	for pattern in '{{ creation_date }}' '{% include "/etc/passwd" %}' '../../%d' '/etc/passwd' '$(id)'; do
		fails 1 "must be of letters" s config set web1 snapshots.pattern="$pattern"
	done
	[ -z "$(s config get web1 snapshots.pattern)" ]
}

@test "the next run is computed, stored and shown; @never has none" {
	s config set web1 snapshots.schedule=@yearly
	retry 40 has_next web1
	[[ $(date -d "$(next_of web1)" +%d-%H:%M) == 01-00:00 ]]
	[ "$(sql "select schedule from snapshot_runs where instance_id = $(on web1)")" = @yearly ]
	s snapshot plan web1 --format csv | grep '^web1,@yearly,'
	s snapshot plan | grep still
	before=$(next_of web1)
	daemon_restart
	[ "$(next_of web1)" = "$before" ]
	s config set web1 snapshots.schedule=@never
	no_next() { ! has_next web1; }
	retry 40 no_next
}

@test "the plan knows a new schedule at once" {
	s config set web1 snapshots.schedule=@yearly
	[[ $(date -d "$(next_of web1)" +%m-%d) == 01-01 ]]
	s config set web1 snapshots.schedule="30 12 24 6 *"
	[[ $(date -d "$(next_of web1)" +%m-%d) == 06-24 ]]
	s config unset web1 snapshots.schedule
	[ "$(next_of web1)" = null ]
}

@test "a run that was missed is made up for, once; what is expired or surplus goes first" {
	s config set web1 snapshots.schedule=@yearly snapshots.keep=last=2 snapshots.pattern=auto%d
	s snapshot web1 mine
	retry 40 has_next web1
	missed web1
	retry 60 has web1 "mine auto0"
	[ "$(s query /1.0/instances/web1/snapshots/auto0 | jq .scheduled)" = true ]
	[[ $(date -d "$(next_of web1)" +%m-%d) == 01-01 ]]
	missed web1
	retry 60 has web1 "mine auto0 auto1"
	[ "$(s query '/1.0/snapshot-plan?instance=web1' | jq -c '.[0].prune')" = '["auto0"]' ]
	missed web1
	retry 60 has web1 "mine auto1 auto2"
	# one made by hand goes when its own time is over, no sooner
	echo 'expires_at: 2020-01-01T00:00:00Z' | s snapshot edit web1 mine
	retry 60 has web1 "auto1 auto2"
	s config unset web1 snapshots.schedule snapshots.keep snapshots.pattern
}

@test "a clock that was wrong does not delay: what is stored is never later than the schedule" {
	s config set web1 snapshots.schedule=@daily
	retry 40 has_next web1
	daemon_stop
	sql "update snapshot_runs set next_ns = (unixepoch() + 999999999) * 1000000000"
	daemon_start
	soon() { [ "$(date -d "$(next_of web1)" +%s)" -lt $(($(date +%s) + 90000)) ]; }
	retry 40 soon
	s config unset web1 snapshots.schedule
}

@test "stopped ones are left out unless asked for" {
	s config set still snapshots.schedule=@yearly
	retry 40 has_next still
	[ "$(s query '/1.0/snapshot-plan?instance=still' | jq '.[0].skipped_now')" = true ]
	missed still
	later() { [ "$(date -d "$(next_of still)" +%s)" -gt "$(date +%s)" ]; }
	retry 40 later
	[ -z "$(snapshots still)" ]
	s config set still snapshots.schedule.stopped=true snapshots.expiry=5d
	missed still
	retry 60 has still snap0
	is_ahead "$(s query /1.0/instances/still/snapshots/snap0 | jq -r .expires_at)" $((5 * 86400))
}

@test "a failed run is a warning about that one, and the others go on" {
	mv "$T/state/pools/default/instances/still" "$T/state/pools/default/kept"
	s config set web1 snapshots.schedule=@yearly
	retry 40 has_next web1
	count=$(s query /1.0/instances/web1/snapshots | jq length)
	daemon_stop
	sql "update snapshot_runs set next_ns = (unixepoch() - 3600) * 1000000000"
	daemon_start
	warned() { s warning list --format csv | grep "Scheduled snapshot failed"; }
	retry 60 warned
	one_more() { [ "$(s query /1.0/instances/web1/snapshots | jq length)" = $((count + 1)) ]; }
	retry 60 one_more
	mv "$T/state/pools/default/kept" "$T/state/pools/default/instances/still"
	missed still
	resolved() { s query '/1.0/warnings?recursion=1' | jq -e 'any(.type == "Scheduled snapshot failed" and .status == "resolved")'; }
	retry 60 resolved
	s config unset still snapshots.schedule
}

@test "many that are due have their turn without a pause, who has waited longest first" {
	local n many=8
	for ((n = 1; n <= many; n++)); do
		s create openrc "q$n" -c snapshots.schedule=@yearly -c snapshots.schedule.stopped=true
		retry 40 has_next "q$n"
	done
	daemon_stop
	sql "update snapshot_runs set next_ns = (unixepoch() - 3600) * 1000000000"
	sql "update snapshot_runs set next_ns = (unixepoch() - 7200) * 1000000000 where instance_id = $(on q8)"
	daemon_start
	all_have() { for ((n = 1; n <= many; n++)); do has "q$n" snap0 || return 1; done; }
	retry 30 all_have # with a pause after each two it would be 40 s
	taken() { s query "/1.0/instances/$1/snapshots/snap0" | jq -r .created_at; }
	for ((n = 2; n < many; n++)); do
		[[ $(taken "q$n") > $(taken q8) ]]
	done
	for ((n = 1; n <= many; n++)); do s delete "q$n"; done
}

@test "@startup: when it has started" {
	s config set still snapshots.schedule=@startup
	count=$(s query /1.0/instances/still/snapshots | jq length)
	s start still
	one_more() { [ "$(s query /1.0/instances/still/snapshots | jq length)" = $((count + 1)) ]; }
	retry 60 one_more
}
