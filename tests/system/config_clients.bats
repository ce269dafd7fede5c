#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# config_clients.bats - configuration, devices and profiles by other clients of the API
load lib

setup_file() {
	export ID_BASE=1860000000
	daemon_setup w
	export INCUS_SOCKET=$SYSCTR_SOCKET LXD_SOCKET=$SYSCTR_SOCKET INCUS_CONF=$T/incus
	mkdir -p "$INCUS_CONF"
	openrc_image
	s create openrc c1
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

i() {
	timeout 60 incus "$@" 3>&- 4>&- </dev/null
}

@test "incus: keys, devices and their errors" {
	i config set c1 limits.memory=96MiB user.a=b
	[ "$(i config get c1 limits.memory)" = 96MiB ]
	i config unset c1 user.a
	i config device override c1 eth0 mtu=1400
	[ "$(field c1 .expanded_devices.eth0.mtu)" = 1400 ]
	[ "$(i config device get c1 eth0 network)" = "$BRIDGE" ]
	i config device remove c1 eth0
	s config device set c1 eth0 mtu=1300
	i config show c1 | grep -q 'mtu: "1300"'
	i config show c1 --expanded | grep -q "network: $BRIDGE"
	fails 1 'did you mean "limits.memory"' i config set c1 limits.memroy=1GiB
}

@test "incus: profiles, shown and read again" {
	i profile create web
	i profile set web limits.cpu=1 limits.memory=64MiB
	i profile device add web extra nic network="$BRIDGE" name=eth1
	i profile add c1 web
	i profile show web >"$T/web.yaml"
	grep -q '/1.0/instances/c1' "$T/web.yaml"
	sed 's/64MiB/80MiB/' "$T/web.yaml" | timeout 60 incus profile edit web
	[ "$(s profile get web limits.memory)" = 80MiB ]
	s profile load "$T/web.yaml"
	[ "$(i profile get web limits.memory)" = 64MiB ]
	i profile device remove web extra
	i profile copy web web2
	i profile rename web2 web3
	i profile delete web3
	fails 1 'in use' i profile delete web
	i profile remove c1 web
	i profile delete web
}

@test "pylxd: the same" {
	/usr/bin/python3 - "$SYSCTR_SOCKET" <<-'PY'
		import sys, urllib.parse, pylxd
		client = pylxd.Client("http+unix://" + urllib.parse.quote(sys.argv[1], safe=""))
		profile = client.profiles.create("py", {"limits.memory": "64MiB"}, {})
		instance = client.containers.get("c1")
		instance.profiles.append("py")
		instance.config["user.py"] = "1"
		instance.save(wait=True)
		profile = client.profiles.get("py")
		profile.config["limits.memory"] = "72MiB"
		profile.save()
		instance = client.containers.get("c1")
		assert instance.config["user.py"] == "1", instance.config
		instance.profiles.remove("py")
		instance.save(wait=True)
		client.profiles.get("py").delete()
		assert not client.profiles.exists("py")
	PY
}

@test "ansible: lxd_profile and lxd_container, and nothing to do the second time" {
	cat >"$T/play.yaml" <<-END
		- hosts: localhost
		  gather_facts: false
		  connection: local
		  tasks:
		    - community.general.lxd_profile:
		        url: unix:$SYSCTR_SOCKET
		        name: ans
		        state: present
		        description: by ansible
		        config: { limits.memory: 88MiB }
		        devices: {}
		    - community.general.lxd_container:
		        url: unix:$SYSCTR_SOCKET
		        name: c1
		        state: stopped
		        profiles: [default, ans]
		        config: { user.ansible: "1" }
	END
	play() {
		HOME=$T timeout 120 ansible-playbook -i localhost, "$T/play.yaml" 3>&- 4>&-
	}
	play
	[ "$(s profile get ans limits.memory)" = 88MiB ]
	[ "$(s config get c1 user.ansible)" = 1 ]
	play | grep -q 'changed=0 .*failed=0'
}
