#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# keys.bats - what configuration keys do, seen from inside the container
load lib

setup_file() {
	export ID_BASE=1850000000
	daemon_setup q
	openrc_image
	s create openrc c1
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

SEED=/var/lib/cloud/seed/nocloud-net

# new_pid OLD: c1 runs with another init
new_pid() {
	is_status c1 Running && [ "$(init_pid c1)" != "$1" ]
}

@test "limits.kernel.* and limits.memory.oom_priority hold for init and for commands" {
	s config set c1 limits.kernel.nofile=2000:3000 limits.kernel.memlock=1048576 \
		limits.kernel.core=0 limits.memory.oom_priority=300
	s start c1
	s exec c1 -- grep -E '^Max open files +2000 +3000 ' /proc/1/limits
	s exec c1 -- grep -E '^Max locked memory +1048576 +1048576 ' /proc/self/limits
	s exec c1 -- grep -E '^Max open files +2000 +3000 ' /proc/self/limits
	s exec c1 -- grep -E '^Max core file size +0 +0 ' /proc/1/limits
	[ "$(s exec c1 -- cat /proc/1/oom_score_adj)" = 300 ]
	[ "$(s exec c1 -- cat /proc/self/oom_score_adj)" = 300 ]
	fails 1 'the soft one not higher' s config set c1 limits.kernel.nofile=3000:2000
	fails 1 'did you mean "limits.kernel.nofile"' s config set c1 limits.kernel.nofiles=1
	fails 1 'from -1000 to 1000' s config set c1 limits.memory.oom_priority=1001
}

# ids_of PATH: user and group of a path in c1
ids_of() {
	s exec c1 -- stat -c %u:%g "$1"
}

@test "raw.idmap: ids of the host inside, from the next start on" {
	install -d -m 755 -o 4242 -g 4242 "$T/share"
	s config device add c1 share disk source="$T/share" path=/mnt/share
	s exec c1 -- sh -c 'echo kept >/root/mine && chown 1000:1000 /root/mine && chmod 600 /root/mine'
	[ "$(ids_of /mnt/share)" = 65534:65534 ]
	s config set c1 raw.idmap="$(printf 'both 4242 1000\nuid 4300-4301 2000-2001')"
	[ "$(ids_of /mnt/share)" = 65534:65534 ]
	s restart c1 --force
	[ "$(ids_of /mnt/share)" = 1000:1000 ]
	[ "$(s exec c1 -- awk '{ print $1, $2, $3 }' /proc/self/uid_map | sed -n '2p;4p' | tr '\n' ,)" = '1000 4242 1,2000 4300 2,' ]
	[ "$(s exec c1 -- cat /proc/self/gid_map | wc -l)" = 3 ]
	# what was the user's stays the user's, on both sides
	[ "$(ids_of /root/mine)" = 1000:1000 ]
	[ "$(s exec c1 --user 1000 --group 1000 -- id -u)" = 1000 ]
	s exec c1 --user 1000 --group 1000 -- touch /mnt/share/new
	[ "$(stat -c %u:%g "$T/share/new")" = 4242:4242 ]
	echo pushed | s file push - c1/root/pushed --uid 1000 --gid 1000
	[ "$(ids_of /root/pushed)" = 1000:1000 ]
	s stop c1 --force
	s file pull c1/root/mine - | grep -qx kept
	# the same without: nothing on disk has moved
	s config unset c1 raw.idmap
	s start c1
	[ "$(ids_of /root/pushed)" = 1000:1000 ]
	[ "$(ids_of /mnt/share)" = 65534:65534 ]
}

@test "raw.idmap: its root may be a user of the host, but never root, nor of another container" {
	s config set c1 raw.idmap='both 4242 0'
	s restart c1 --force
	[ "$(stat -c %u:%g "/proc/$(init_pid c1)")" = 4242:4242 ]
	[ "$(ids_of /mnt/share)" = 0:0 ]
	retry 60 s exec c1 -- pgrep getty # all of its init has run
	s exec c1 -- sh -c 'echo x >/etc/x && mount -t tmpfs none /mnt && umount /mnt'
	fails 1 "line 1: host id 0 is the host's root" s config set c1 raw.idmap='both 0 0'
	fails 1 'among those that containers get' s config set c1 raw.idmap="gid $ID_BASE 5"
	fails 1 'must be below 65536' s config set c1 raw.idmap='uid 5 65536'
	[ "$(s config get c1 raw.idmap)" = 'both 4242 0' ]
	s config unset c1 raw.idmap
	s config device remove c1 share
	s restart c1 --force
	[ "$(stat -c %u "/proc/$(init_pid c1)")" -ge "$ID_BASE" ]
}

# told KEY: a volatile key of c1
told() {
	s config get c1 "volatile.$1"
}

@test "volatile: what is known anyway is told, and what comes back of it is dropped" {
	base=$(s exec c1 -- awk '{ print $2 }' /proc/self/uid_map)
	[ "$(told idmap.base)" = "$base" ]
	told idmap.current | jq -e --argjson b "$base" '. == [
		{"Isuid": true, "Isgid": false, "Hostid": $b, "Nsid": 0, "Maprange": 65536},
		{"Isuid": false, "Isgid": true, "Hostid": $b, "Nsid": 0, "Maprange": 65536}]'
	[ "$(told last_state.power)" = RUNNING ]
	[ -e "/sys/class/net/$(told eth0.host_name)" ]
	[ "$(told eth0.name)" = eth0 ] || [ -z "$(told eth0.name)" ]
	# A client puts back what it got, changed or not.
	s query /1.0/instances/c1 | jq '{config, devices, profiles, description, ephemeral} |
		.config["volatile.last_state.power"] = "BROKEN" | .config["volatile.idmap.base"] = "5"' >"$T/put.json"
	s query -X PUT --wait -d "$(cat "$T/put.json")" /1.0/instances/c1 >/dev/null
	[ "$(told idmap.base)" = "$base" ]
	[ "$(told last_state.power)" = RUNNING ]
	[ "$(sqlite3 "$T/state/sysctr.db" "SELECT count(*) FROM instance_config WHERE key LIKE 'volatile.idmap%' OR key LIKE '%host_name' OR key LIKE 'volatile.last%'")" = 0 ]
	s stop c1 --force
	[ "$(told last_state.power)" = STOPPED ]
	[ -z "$(told eth0.host_name)" ]
	s start c1
}

# id_space BASE: the daemon cuts ranges from there
id_space() {
	sed -i "s/^idmap: .*/idmap: { base: $1, size: 100000000 }/" "$T/sysctrd.yaml"
	daemon_restart
}

@test "raw.idmap: ids that the daemon gives away by now are refused at the start, and given to nobody" {
	base=$(((ID_BASE / 65536 - 4) * 65536))
	host=$((base + 65536 + 5)) # in the range that would be the first one free
	s config set c1 raw.idmap="both $host 1000"
	s restart c1 --force
	[ "$(s exec c1 -- awk '$1 == 1000 { print $2 }' /proc/self/uid_map)" = $host ]
	id_space $base
	# It runs on with them: the range around them is nobody else's.
	s create openrc c2
	taken=$(sqlite3 "$T/state/sysctr.db" 'SELECT base FROM id_ranges ORDER BY 1 LIMIT 1')
	[ "$taken" = $((base + 131072)) ]
	s stop c1 --force
	fails 1 'raw.idmap: host ids' s start c1
	fails 1 "among those that containers get as their own" s start c1
	s config set c1 raw.idmap='both 4242 1000'
	s start c1
	# Ids of a range from before are c2's own still.
	id_space "$ID_BASE"
	fails 1 "among those that containers get as their own ($taken-" s config set c1 raw.idmap="both $taken 1000"
	s config unset c1 raw.idmap
	s delete c2
	s restart c1 --force
}

# id_lengths: how many ids c1 has inside
id_lengths() {
	s exec c1 -- awk '{ n += $3 } END { print n }' /proc/self/uid_map
}

@test "security.idmap.size: more ids from the next start on, fewer again, and nothing on disk moves" {
	[ "$(id_lengths)" = 65536 ]
	s config set c1 security.idmap.size=100000
	never s exec c1 -- chown 70000:131071 /root
	s restart c1 --force
	[ "$(id_lengths)" = 131072 ]
	s exec c1 -- sh -c 'echo kept >/root/high && chown 70000:131071 /root/high'
	[ "$(ids_of /root/high)" = 70000:131071 ]
	[ "$(s exec c1 --user 70000 --group 131071 -- id -u)" = 70000 ]
	s copy c1 c3
	fails 1 "security.idmap.size" s export c1 "$T/c1.tar"
	fails 1 "security.idmap.size" s publish c1 --alias c1
	[ ! -e "$T/c1.tar" ]
	s start c3
	[ "$(s exec c3 -- stat -c %u:%g /root/high)" = 70000:131071 ]
	s delete --force c3
	s stop c1 --force
	s file pull c1/root/high - | grep -qx kept
	s config unset c1 security.idmap.size
	s start c1
	[ "$(id_lengths)" = 65536 ]
	[ "$(ids_of /root/high)" = 65534:65534 ]
	s config set c1 security.idmap.size=131072
	s restart c1 --force
	[ "$(ids_of /root/high)" = 70000:131071 ]
	s config unset c1 security.idmap.size
	s restart c1 --force
	fails 1 'must be from 65536 to 1073741824' s config set c1 security.idmap.size=1000
}

@test "security.idmap.size: ranges that are not there are refused at the start, and the old one stays" {
	s create openrc c3
	s config set c3 security.idmap.size=200000000
	fails 1 'no free range of 200015872 ids' s start c3
	s config unset c3 security.idmap.size
	s start c3
	s delete --force c3
}

@test "security.idmap.isolated is true" {
	s config set c1 security.idmap.isolated=true
	fails 1 'every container has ids of its own' s config set c1 security.idmap.isolated=false
	[ "$(s config get c1 security.idmap.isolated)" = true ]
	s config unset c1 security.idmap.isolated
}

@test "environment, sysctls and user keys" {
	s config set c1 environment.COLOUR=red linux.sysctl.net.ipv4.ip_forward=1 user.note="$(printf 'a\nb')"
	[ "$(s exec c1 -- sh -c 'echo $COLOUR')" = red ]
	s restart c1 --force
	[ "$(s exec c1 -- cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
	s config get c1 user.note | grep -qx b
	fails 1 'environment.COLOUR' s config set c1 environment.COLOUR="$(printf 'a\nb')"
}

@test "cloud-init finds its seed, and no link in its way is followed" {
	s config set c1 cloud-init.user-data="$(printf '#cloud-config\nruncmd: [true]\n')" \
		user.vendor-data='#cloud-config' cloud-init.network-config='version: 2'
	s restart c1 --force
	s exec c1 -- cat $SEED/user-data | grep -qx 'runcmd: \[true\]'
	s exec c1 -- grep -qx '#cloud-config' $SEED/vendor-data
	s exec c1 -- grep -qx 'version: 2' $SEED/network-config
	s exec c1 -- grep -qx 'local-hostname: c1' $SEED/meta-data
	[ "$(s exec c1 -- stat -c %a:%u $SEED/user-data)" = 600:0 ]
	before=$(s exec c1 -- grep instance-id $SEED/meta-data)
	s exec c1 -- sh -c "cp /etc/passwd /etc/passwd.kept
		ln -sf /etc/passwd $SEED/user-data && mkfifo $SEED/.user-data.new"
	s restart c1 --force
	s exec c1 -- cmp /etc/passwd /etc/passwd.kept
	[ "$(s exec c1 -- stat -c %F $SEED/user-data)" = 'regular file' ]
	[ "$(s exec c1 -- grep instance-id $SEED/meta-data)" = "$before" ]
	s config set c1 cloud-init.vendor-data='#other'
	s exec c1 -- sh -c "rm -r $SEED && ln -s /etc $SEED"
	fails 1 'seed' s restart c1 --force
	never s exec c1 -- true
	s config unset c1 cloud-init.user-data cloud-init.vendor-data cloud-init.network-config \
		user.vendor-data
	s start c1
	s exec c1 -- test ! -e /etc/meta-data
	fails 1 'not supported here' s config set c1 cloud-init.ssh-keys.me=key
}

@test "security.syscalls: more is refused, or less" {
	s config set c1 security.syscalls.deny=sethostname
	s restart c1 --force
	never s exec c1 -- hostname other
	s exec c1 -- umount -f /nowhere 2>&1 | grep -q 'not permitted'
	s config set c1 security.syscalls.deny= security.syscalls.deny_default=false
	s restart c1 --force
	s exec c1 -- hostname other
	s exec c1 -- umount -f /nowhere 2>&1 | grep -qv 'not permitted'
	s config unset c1 security.syscalls.deny_default
	fails 1 '"sethostnam" is no system call' s config set c1 security.syscalls.deny='sync sethostnam'
}

@test "linux.kernel_modules has to be there before the start" {
	s stop c1 --force
	module=$(find /sys/module -mindepth 1 -maxdepth 1 -printf '%f\n' | grep -x '[a-z_0-9]*' | head -n 1)
	s config set c1 linux.kernel_modules="$module"
	s start c1
	s stop c1 --force
	s config set c1 linux.kernel_modules="$module,no_such_module"
	fails 1 'kernel module "no_such_module"' s start c1
	s config unset c1 linux.kernel_modules
	fails 1 'names of kernel modules' s config set c1 linux.kernel_modules=../evil
}

@test "security.protection.start and .delete" {
	s config set c1 security.protection.start=true security.protection.delete=true
	fails 1 'security.protection.start' s start c1
	fails 1 'protect' s delete c1
	s config unset c1 security.protection.start security.protection.delete
	s start c1
}

@test "boot.autorestart starts what crashed, but not for ever, and not what was stopped" {
	s config set c1 boot.autorestart=true
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		pid=$(init_pid c1)
		kill -9 "$pid"
		retry 30 new_pid "$pid"
	done
	kill -9 "$(init_pid c1)"
	retry 30 is_status c1 Stopped
	grep -q 'crashed 11 times within 60 s' "$T/daemon.log"
	s config set c1 boot.autorestart=false
	s start c1
	kill -9 "$(init_pid c1)"
	retry 30 is_status c1 Stopped
	s start c1
}

@test "boot.host_shutdown_action=force-stop asks nobody" {
	s config set c1 boot.host_shutdown_action=force-stop boot.host_shutdown_timeout=60 boot.stop.priority=1
	asked=$(grep -c 'halt signal' "$T/log/c1/monitor.log" || true)
	s admin shutdown
	retry 20 daemon_is_dead
	[ "$(grep -c 'halt signal' "$T/log/c1/monitor.log" || true)" = "$asked" ]
	daemon_start
	retry 60 is_status c1 Running
	fails 1 'must be' s config set c1 boot.host_shutdown_action=stateful-stop
}

@test "boot.autostart: in order of priority, never, or as it was" {
	s config set c1 boot.autostart=false
	s create openrc c2 -c boot.autostart=true -c boot.autostart.priority=1
	s create openrc c3 -c boot.autostart=true -c boot.autostart.priority=7 -c boot.autostart.delay=1
	s admin shutdown
	retry 20 daemon_is_dead
	daemon_start
	retry 60 is_status c2 Running
	is_status c3 Running
	is_status c1 Stopped
	[[ "$(field c3 .last_used_at)" < "$(field c2 .last_used_at)" ]]
	uuid=$(s config get c2 volatile.uuid)
	[ -n "$uuid" ]
	s config edit c2 <<<'{ profiles: [default], config: { boot.autostart: "false" } }'
	[ "$(s config get c2 volatile.uuid)" = "$uuid" ]
	s delete c2 c3 --force
}

@test "keys of others and wrong words are told apart" {
	fails 1 'known in Incus, not supported here' s config set c1 security.secureboot=false
	fails 1 'did you mean "limits.memory"' s config set c1 limits.memroy=1GiB
	s config metadata limits.memory | grep -q '^takes effect: at once$'
	fails 1 'did you mean "limits.cpu"' s config metadata limits.cpus
	s config metadata | grep -q '^cloud-init.user-data  '
}
