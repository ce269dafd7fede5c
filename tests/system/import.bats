#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# import.bats - instances out of backups, ours and others', sound and hostile
# Threats: A1 A5 A10 D11 E9 F1 F2 I4.
load lib

setup_file() {
	export ID_BASE=1660000000
	export PATH="$SRCDIR/tests/fakes:$PATH"
	daemon_setup
	openrc_image
	mkdir -p /srv/canary/d && echo safe >/srv/canary/f
}

teardown_file() {
	rm -rf /srv/canary
	daemon_teardown
}

setup() {
	daemon_runs || daemon_start
}

teardown() {
	daemon_check
}

# made CASE ENDING: writes $file
made() {
	file=$T/$1.tar.${2:-gz}
	[ -e "$file" ] || mkbackup.py "$1" "$file"
}

root_of() {
	echo "$T/state/pools/default/instances/$1/rootfs"
}

nothing_made() {
	[ -z "$(ls "$T/state/pools/default/instances" "$T/state/pools/default/snapshots" | grep -v :)" ] &&
		[ -z "$(find "$T/state/pools/default" -maxdepth 1 -name '.new-*')" ] &&
		[ "$(cat /srv/canary/f)" = safe ] &&
		[ -z "$(ls /srv/canary/d)" ]
}

# refused CASE TEXT
refused() {
	echo "case $1"
	made "$1"
	fails 1 "$2" s import "$file"
	nothing_made
	[ -z "$(s list --format csv --columns n)" ]
}

@test "our own export comes back: files, ids, settings, addresses; under another name as well" {
	s launch openrc e1 -c user.note=$'two\nlines: #1' -c limits.processes=200
	s exec e1 -- sh -c 'echo mine >/root/mark; chmod 4755 /root/mark; ln /root/mark /root/mark2
		ln -s /nowhere /root/link; mkdir /root/d; chown 1000:2000 /root/d; rm -r /etc/init.d/acpid'
	s stop --force e1
	mac=$(field e1 '.config["volatile.eth0.hwaddr"]') uuid=$(field e1 '.config["volatile.uuid"]')
	s export e1 "$T/e1.tar.zst"
	fails 1 "give it another name" s import "$T/e1.tar.zst"
	s import "$T/e1.tar.zst" e2
	[ "$(field e2 '.config["volatile.eth0.hwaddr"]')" != "$mac" ]
	[ "$(field e2 '.config["volatile.uuid"]')" != "$uuid" ]
	s delete e1
	s import - <"$T/e1.tar.zst"
	[ "$(field e1 '.config["volatile.eth0.hwaddr"]')" = "$mac" ]
	[ "$(s config get e1 user.note)" = $'two\nlines: #1' ]
	[ "$(s config get e1 limits.processes)" = 200 ]
	s start e1
	[ "$(s exec e1 -- cat /root/mark2)" = mine ]
	[ "$(s exec e1 -- stat -c %a.%h /root/mark)" = 4755.2 ]
	[ "$(s exec e1 -- stat -c %u.%g /root/d)" = 1000.2000 ]
	[ "$(s exec e1 -- readlink /root/link)" = /nowhere ]
	fails 1 "" s exec e1 -- test -e /etc/init.d/acpid
	s delete --force e1 e2
}

@test "snapshots go along, each with what it stands on, and can be left out" {
	s launch openrc e1 -c limits.processes=100
	s exec e1 -- sh -c 'echo one >/root/mark; rm -r /etc/init.d/acpid'
	s snapshot create e1 s0
	s stop --force e1
	s rebuild e1
	s config set e1 limits.processes=200
	s snapshot create e1 later
	s create --empty bare
	retry 10 exists bare
	s snapshot create bare b0
	s export bare "$T/bare.tar"
	s export e1 "$T/all.tar.zst"
	s export e1 --instance-only "$T/only.tar.zst"
	tar tf "$T/all.tar.zst" | grep -x backup/snapshots/s0/rootfs/root/mark
	[ "$(tar tf "$T/only.tar.zst" | grep -c snapshots)" = 0 ]
	s delete e1 bare
	s import "$T/only.tar.zst" e2
	s import "$T/bare.tar"
	[ "$(s query /1.0/instances/e2/snapshots | jq length)" = 0 ]
	[ "$(s query '/1.0/instances/bare/snapshots?recursion=1' | jq -r '.[].name')" = b0 ]
	s import "$T/all.tar.zst"
	[ "$(s query '/1.0/instances/e1/snapshots?recursion=1' | jq -r 'map(.name + .config["limits.processes"]) | sort | join(",")')" = later200,s0100 ]
	s query '/1.0/instances/e1/snapshots?recursion=1' | jq -e 'all(.size > 100000)'
	[ ! -e "$(root_of e1)/root/mark" ]
	s snapshot restore e1 s0
	[ "$(cat "$(root_of e1)/root/mark")" = one ]
	[ ! -e "$(root_of e1)/etc/init.d/acpid" ]
	[ -e "$(root_of e2)/etc/init.d/acpid" ]
	s start e1
	s exec e1 -- true
	s delete --force e1 e2 bare
}

@test "a backup of LXD, with a snapshot: what is not known or reaches the host is left out and told" {
	made lxd xz
	run s import "$file"
	[ "$status" -eq 0 ]
	for text in 'instance key "raw.lxc"' 'linux.kernel_modules=br_netfilter: reaches the host' \
		'device "host": source=/etc: reaches the host' 'network "lxdbr9" does not exist here' \
		'profile "gone"' 'storage pool "ssd" does not exist here' 'tpm' 'security.guestapi'; do
		[[ $output == *"$text"* ]] || { echo "not told: $text in $output"; return 1; }
	done
	s query /1.0/warnings?recursion=1 | jq -e '.[] | select(.last_message | contains("raw.lxc"))'
	[ "$(field c1 '.devices | keys | join(",")')" = root,tmp ]
	[ "$(field c1 '.devices.root.pool')" = default ]
	[ "$(field c1 '.config["volatile.eth0.hwaddr"]')" = 00:16:3e:12:34:56 ]
	[ "$(field c1 '.config["volatile.last_state.power"]')" = STOPPED ]
	[ "$(field c1 '.config["image.os"]')" = Alpine ]
	[ "$(field c1 '.created_at')" = 2023-01-02T03:04:05.678901234Z ]
	root=$(root_of c1)
	[ "$(cat "$root/root/mark")" = now ]
	[ "$(stat -c %i "$root/root/mark")" = "$(stat -c %i "$root/root/mark2")" ]
	[ "$(stat -c %a.%u.%g "$root/bin/ping")" = 4755.7.8 ]
	[ "$(stat -c %a "$root/root")" = 700 ]
	[ ! -e "$root/tmp/sda" ]
	[ ! -e "$root/tmp/whiteout" ]
	getfattr -m - "$root/bin/ping" 2>/dev/null | grep -q security.capability
	never grep -q trusted <(getfattr -m - "$root/bin/ping" 2>/dev/null)
	[ "$(s query '/1.0/instances/c1/snapshots?recursion=1' | jq -r '.[0].name + .[0].config["limits.processes"]')" = snap0100 ]
	s snapshot restore c1 snap0
	[ "$(cat "$root/root/mark")" = before ]
	[ "$(s config get c1 limits.processes)" = 100 ]
	s delete c1
	s import --trusted "$file" c2
	[ "$(field c2 '.devices.host.source')" = /etc ]
	s delete c2
}

@test "a backup of Incus, and a name that is given" {
	made incus zst
	s import "$file" other
	[ "$(field other '.config["user.from"] + .description')" = "incusof incus" ]
	[ "$(field other '.created_at')" = 2024-05-06T05:08:09.100000000Z ]
	is_status other Stopped
	s delete other
}

@test "the headers of other clients; what is told at once" {
	made incus zst
	post() { curl -sS --unix-socket "$SYSCTR_SOCKET" -H Content-Type:application/octet-stream "$@" http://x/1.0/instances; }
	op=$(post -H X-LXD-name:l1 -H X-LXD-pool:default --data-binary "@$file" | jq -er .operation)
	s query "$op/wait?timeout=60" | jq -e '.status == "Success"'
	post -H X-Incus-name:l1 -T "$file" -X POST | jq -e '.error_code == 409'
	post -H X-Incus-name:l2 -H X-Incus-pool:nowhere -T "$file" -X POST | jq -e '.error_code == 404'
	post -H X-LXD-name:l2 -H X-LXD-devices:root=x -T "$file" -X POST | jq -e '.error_code == 501'
	s delete l1
	retry 10 nothing_made
}

@test "E9: a name in a backup that is none" {
	for case in name_dotdot name_slash name_option name_dot name_long name_utf8 name_missing; do
		refused $case "instance name"
	done
	made small
	fails 1 "instance name" s import "$file" ../x
	nothing_made
}

@test "F1 F2: indexes that are broken, empty, bombs; archives cut short" {
	refused no_index "no backup/index.yaml"
	refused index_link "is no regular file"
	refused index_bomb "anchors are not supported"
	refused index_huge "longer than"
	refused index_deep "index.yaml"
	refused index_list "must be a map"
	refused index_empty "must be a map"
	refused index_no_config "is missing"
	refused index_wrong_types "must be a map"
	refused config_types "must be a string"
	refused devices_types "must be a map"
	refused many_snapshots "more than 200"
	refused snapshot_twice "is there twice"
	refused snapshot_name "snapshot name"
	made small
	head -c $(($(stat -c %s "$file") / 2)) "$file" >"$T/cut"
	fails 1 "truncated" s import "$T/cut"
	echo nonsense >"$T/nonsense"
	fails 1 "not a tar archive" s import "$T/nonsense"
	fails 1 "is empty" s import - </dev/null
	nothing_made
}

@test "what this program cannot take is said: optimized, virtual machines, volumes, no root" {
	refused optimized "without --optimized-storage"
	refused machine "virtual-machine"
	refused volume "custom"
	refused no_root "no root file system of the instance"
	refused snapshot_missing 'of the snapshot "s0"'
}

@test "A1 A5 A10 I4: links and names in a backup lead nowhere" {
	refused root_link "is no directory"
	refused root_file "is no directory"
	refused absolute "is absolute"
	refused dotdot '".."'
	refused through_link "etc/evil"
	refused hardlink_beside "is a hard link to something outside"
	refused hardlink_absolute "is absolute"
	refused hardlink_of_snapshot "is a hard link to something outside"
	refused big_owner "its owner"
}

@test "an upload that breaks off leaves nothing" {
	made lxd xz
	mkfifo "$T/pipe"
	"$BUILDDIR/sysctr" import - half <"$T/pipe" >/dev/null 2>&1 3>&- 4>&- &
	client=$!
	exec 9>"$T/pipe"
	head -c 2000 "$file" >&9
	retry 20 pgrep -P "$(daemon_pid)" -f backup-store
	kill -9 $client
	exec 9>&-
	retry 20 no_operation
	retry 10 nothing_made
	is_gone half
}

@test "sysctrd killed after each step leaves the whole instance or nothing" {
	made lxd xz
	for step in store inspect claim journal unpack record tell; do
		echo "after import/$step"
		dies_after "import/$step" s import "$file"
		if exists c1; then
			[ "$(cat "$(root_of c1)/root/mark")" = now ]
			[ "$(s query '/1.0/instances/c1/snapshots' | jq length)" = 1 ]
			s delete c1
		fi
		retry 10 nothing_made
	done
}
