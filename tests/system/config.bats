#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# config.bats - profiles, keys and devices: edited, previewed, inherited, refused
load lib

setup_file() {
	export ID_BASE=1840000000
	daemon_setup k
	openrc_image
	s launch openrc c1
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

memory_max() {
	cat "$(cgroup_file "$1" memory memory.limit_in_bytes memory.max)"
}

@test "one key of an inherited device is overridden, the others stay inherited" {
	s config device set c1 eth0 mtu=1400
	[ "$(field c1 '.devices.eth0 | tostring')" = '{"mtu":"1400"}' ]
	[ "$(field c1 .expanded_devices.eth0.network)" = "$BRIDGE" ]
	s config show c1 --expanded | grep -q "^    mtu: .*1400.*  # from the instance$"
	s config show c1 --expanded | grep -q "^    network: $BRIDGE  # from profile default$"
	[ "$(s query /1.0/instances/c1/origins | jq -r .devices.eth0.mtu)" = instance ]
	[ "$(s config device get c1 eth0 network)" = "$BRIDGE" ]
	[ "$(s config device list c1 | paste -sd,)" = eth0,root ]
	fails 1 'comes from a profile' s config device remove c1 root
	fails 1 'did you mean "mtu"' s config device set c1 eth0 mtx=1400
	s config device unset c1 eth0 mtu
	[ "$(field c1 '.devices | tostring')" = '{}' ]
}

@test "a device with a type replaces the inherited one, as in LXD and Incus" {
	s create openrc whole
	s config device override whole eth0
	[ "$(s query /1.0/instances/whole/origins | jq -r '.devices.eth0[]' | sort -u)" = instance ]
	s config device remove whole eth0
	s config device add whole eth0 none
	[ "$(field whole .expanded_devices.eth0)" = null ]
	fails 1 'has a device "eth0" already' s config device add whole eth0 none
	fails 1 'no device "eht0": did you mean' s config device remove whole eht0
	s delete whole
}

@test "a dry run says what would change where, and changes nothing" {
	s profile create mem -c limits.memory=256MiB
	s profile add c1 mem
	s profile set mem limits.memory=128MiB security.nesting=true --dry-run >"$T/preview"
	grep -qx 'c1: limits.memory: 256MiB -> 128MiB (at once)' "$T/preview"
	grep -qx 'c1: security.nesting: (unset) -> true (after a restart)' "$T/preview"
	[ "$(s profile get mem limits.memory)" = 256MiB ]
	[ "$(memory_max c1)" = $((256 << 20)) ]
	s profile set mem limits.memory=128MiB
	[ "$(memory_max c1)" = $((128 << 20)) ]
	s config set c1 limits.memory=64MiB --dry-run | grep -q '128MiB -> 64MiB (at once)'
	[ "$(memory_max c1)" = $((128 << 20)) ]
	fails 1 'limits.memory="much"' s profile set mem limits.memory=much --dry-run
	fails 1 'not for a server' s config set user.x=1 --dry-run
}

@test "an edit that does not suit one instance changes none" {
	s create openrc c2 --profile default --profile mem
	s profile device add mem extra nic network="$BRIDGE" name=eth5
	s config device set c2 extra hwaddr=00:16:3e:00:00:05
	fails 1 'instance "c2" uses profile "mem"' s profile edit mem <<<'config: { limits.memory: 96MiB }'
	[ "$(memory_max c1)" = $((128 << 20)) ]
	[ "$(s profile get mem limits.memory)" = 128MiB ]
	s delete c2
	s profile device remove mem extra
}

@test "an edit of something old is told" {
	tag=$(curl -sS --unix-socket "$SYSCTR_SOCKET" -D - -o /dev/null http://x/1.0/profiles/mem |
		tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
	s profile set mem user.a=1
	answer=$(curl -sS --unix-socket "$SYSCTR_SOCKET" -X PUT -H "If-Match: $tag" \
		-d '{"config":{}}' http://x/1.0/profiles/mem)
	[ "$(jq .error_code <<<"$answer")" = 412 ]
	[ "$(s profile get mem user.a)" = 1 ]
}

@test "profiles are loaded from files, again without effect, from LXD and Incus too" {
	mkdir -p "$T/profiles"
	cp "$SRCDIR"/config/profiles/*.yaml "$T/profiles/"
	s profile load "$T/profiles" --dry-run 2>&1 | grep -qx 'Profile web would be created'
	fails 1 'not found' s profile show web
	s profile load "$T/profiles"
	[ "$(s profile get small limits.memory)" = 256MiB ]
	[ "$(s profile load "$T/profiles" 2>&1 | grep -c 'is so already')" -eq 4 ]
	cat >"$T/lxd.yaml" <<-END
		config:
		  limits.memory: 192MiB
		  user.user-data: |
		    #cloud-config
		    packages: [curl]
		description: exported by lxc profile show
		devices:
		  eth0:
		    name: eth0
		    network: $BRIDGE
		    type: nic
		name: lxd
		used_by:
		- /1.0/instances/elsewhere
		project: default
	END
	s profile load "$T/lxd.yaml"
	s profile get lxd user.user-data | grep -qx '#cloud-config'
	[ "$(s profile device get lxd eth0 network)" = "$BRIDGE" ]
	printf 'config: { limits.memory: lots }\n' >"$T/profiles/bad.yaml"
	printf 'config: { limits.memroy: 1GiB }\n' >"$T/profiles/worse.yaml"
	fails 1 'limits.memory="lots"' s profile load "$T/profiles"
	[[ $output == *'did you mean "limits.memory"'* ]]
	rm "$T/profiles/bad.yaml" "$T/profiles/worse.yaml"
	printf 'config: { limits.memory: 320MiB }\n' >"$T/profiles/small.yaml"
	s profile load "$T/profiles" 2>&1 | grep -qx 'Profile small updated'
	[ "$(s profile get small limits.memory)$(s profile get small limits.cpu)" = 320MiB ]
	s profile delete lxd
}
