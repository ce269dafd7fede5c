#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# recover.bats - side files, and instances that come back when the database is gone
load lib

setup_file() {
	export ID_BASE=1740000000
	daemon_setup
	export RECORDS=$T/state/pools/default/records
	s profile create web
	s profile set web user.role=web
	s launch alpine/3.20/mini a1 -p default -p web -c limits.memory=64MiB
	s launch alpine/3.20/mini a2
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

# lose_database: as after a disk error; containers are stopped before
lose_database() {
	daemon_stop
	mv "$T"/state/sysctr.db* "$T/"
	daemon_start
}

# result NAME: what a recovery says of it
result() {
	s admin recover --format json 2>/dev/null | jq -r ".[] | select(.name == \"$1\") | .result"
}

# copies_are NUMBER: so many copies of the database
copies_are() {
	[ "$(find "$T/state/backups/database" -name 'sysctr-*.db' | wc -l)" = "$1" ]
}

copies_are_at_most() {
	[ "$(find "$T/state/backups/database" -name 'sysctr-*.db' | wc -l)" -le "$1" ]
}

newest() {
	find "$T/state/backups/database" -name 'sysctr-*.db' | sort | tail -n 1
}

newest_is_new() {
	[ "$(basename "$(newest)")" \> "$(date -u -d '50 minutes ago' +sysctr-%Y%m%dT%H%M%SZ.db)" ]
}

@test "side files follow what happens to an instance" {
	retry 30 grep -q 'limits.memory: 64MiB' "$RECORDS/a1.yaml"
	[ "$(stat -c %a "$RECORDS" "$RECORDS/a1.yaml" | xargs)" = "700 600" ]
	s snapshot create a1 s0
	retry 30 grep -q 'name: s0' "$RECORDS/a1.yaml"
	s profile set web user.role=proxy
	retry 30 grep -q 'user.role: proxy' "$RECORDS/a1.yaml"
	s stop --force a2
	s rename a2 a3
	retry 30 test -e "$RECORDS/a3.yaml"
	retry 30 never test -e "$RECORDS/a2.yaml"
	s delete a3
	[ ! -e "$RECORDS/a3.yaml" ] # with its volume: a crash leaves no file of nothing
}

@test "what a killed daemon did not write the next one does" {
	s create --empty same
	retry 30 test -s "$RECORDS/same.yaml"
	inode=$(stat -c %i "$RECORDS/same.yaml")
	rm "$RECORDS/a1.yaml"
	daemon_kill
	daemon_start
	retry 30 test -s "$RECORDS/a1.yaml"
	# the same job had both; what has not changed is not written again
	[ "$(stat -c %i "$RECORDS/same.yaml")" = "$inode" ]
	s delete same
	forgotten() { [ ! -e "$RECORDS/same.yaml" ]; }
	retry 30 forgotten
}

@test "nothing is lost: nothing to recover" {
	run s admin recover
	[ "$status" -eq 0 ]
	[[ $output == *"knows all that is in these pools"* ]]
}

@test "the database is gone: the instance comes back with its snapshots and profiles" {
	s exec a1 -- sh -c 'echo kept >/root/file'
	s stop a1
	mac=$(s config get a1 volatile.eth0.hwaddr)
	lose_database
	[ "$(s list --format csv)" = "" ]

	# a trial changes nothing
	run s admin recover
	[ "$status" -eq 0 ]
	[[ $output == *RECOVERABLE*"profile web comes from its side file"* ]]
	[[ $output == *"Nothing was changed"* ]]
	is_gone a1
	never s profile show web
	fails 2 "tabel" s admin recover --apply --format tabel
	is_gone a1

	s admin recover --apply
	[ "$(s config get a1 limits.memory)" = 64MiB ]
	[ "$(s config get a1 volatile.eth0.hwaddr)" = "$mac" ]
	[ "$(s profile get web user.role)" = proxy ]
	[ "$(field a1 '.profiles | join(" ")')" = "default web" ]
	s start a1
	[ "$(s exec a1 -- cat /root/file)" = kept ]
	s stop --force a1
	s snapshot restore a1 s0
	s start a1
	never s exec a1 -- test -e /root/file
	s snapshot delete a1 s0
	[ "$(s admin recover 2>&1)" = "The database knows all that is in these pools." ]
}

@test "a running container, lost volumes, broken and hostile side files are told, not taken" {
	s create --empty b1
	retry 30 test -e "$RECORDS/b1.yaml"
	cp "$RECORDS/b1.yaml" "$RECORDS/lost.yaml"
	printf 'config: [\n' >"$RECORDS/broken.yaml"
	printf 'name: x\nconfig: {container: {config: {limits.memory: much}}}\n' >"$RECORDS/odd.yaml"
	mkdir "$T/state/pools/default/instances/odd" "$T/state/pools/default/instances/wild"
	ln -s /etc/shadow "$RECORDS/link.yaml"
	mkfifo "$RECORDS/fifo.yaml"
	cp "$RECORDS/b1.yaml" "$RECORDS/no name.yaml"
	sed 's,/$,/../../etc,; s,^images:.*,images: {"": "../../x"},' "$RECORDS/b1.yaml" >"$RECORDS/wild.yaml"
	lose_database
	[ "$(result a1)" = refused ]
	[ "$(result b1)" = recoverable ]
	[ "$(result lost)" = lost ]
	[ "$(result broken)" = unreadable ]
	[ "$(result odd)" = recoverable ]
	[ "$(result link)" = unreadable ]
	[ "$(result fifo)" = unreadable ]
	[ "$(result "no name")" = unreadable ]
	[ "$(result wild)" = lost ]
	run s admin recover default
	[[ $output == *"it is running"* ]]
	[[ $output == *"limits.memory"* ]]
	# what runs keeps its ids, though the database does not know whose they are
	s create --empty new
	pid=$(sed -n 's/^pid=//p' "$T/run/instances/a1/status")
	[ "$(sqlite3 "$T/state/sysctr.db" "SELECT id_base FROM instances WHERE name = 'new'")" != \
		"$(awk 'NR == 1 { print $2 }' "/proc/$pid/uid_map")" ]
	s delete new
	rm -f "$RECORDS"/{broken,odd,link,fifo,"no name",wild,lost}.yaml
	rmdir "$T"/state/pools/default/instances/{odd,wild}

	# with its own database everything is as it was
	daemon_stop
	rm "$T"/state/sysctr.db*
	mv "$T"/sysctr.db* "$T/state/"
	daemon_start
	s exec a1 -- true
	fails 1 "nothing is known of" s admin recover nowhere
}

@test "the database is copied, and a copy takes its place" {
	retry 30 copies_are 1
	[ "$(stat -c %a "$T/state/backups/database" "$T"/state/backups/database/*.db | xargs)" = "700 600" ]
	s config set b1 user.late=1
	daemon_stop
	# an hour and ten minutes later it is time for another; of many the hours and days keep one each
	copy=$(ls "$T"/state/backups/database/*.db)
	for hours in $(seq 1 60); do
		cp "$copy" "$T/state/backups/database/$(date -u -d "$hours hours ago" +sysctr-%Y%m%dT%H0000Z.db)"
	done
	mv "$copy" "$T/state/backups/database/$(date -u -d '70 minutes ago' +sysctr-%Y%m%dT%H%M%SZ.db)"
	daemon_start
	retry 30 newest_is_new
	retry 10 copies_are_at_most 30 # the old ones go after the new one came
	[ "$(ls "$T/state/backups/database" | wc -l)" -ge 25 ]

	daemon_stop
	rm "$T"/state/sysctr.db*
	cp "$(newest)" "$T/state/sysctr.db"
	daemon_start
	[ "$(s config get b1 user.late)" = 1 ]
}

@test "killed in the middle of a recovery: the next one finishes it" {
	s delete --force a1
	s create --empty c1
	s create --empty c2
	retry 30 test -e "$RECORDS/c2.yaml"
	lose_database
	dies_after recover/read s admin recover --apply
	s admin recover --apply
	[ "$(s list --format csv -c n | xargs)" = "b1 c1 c2" ]
	[ "$(s query '/1.0/instances?recursion=1' | jq '[.[].config."volatile.uuid"] | unique | length')" = 3 ]
}
