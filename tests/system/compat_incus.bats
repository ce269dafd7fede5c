#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# compat_incus.bats - the unmodified incus client and pylxd on our socket: exec, shell, console
load lib

setup_file() {
	export ID_BASE=1850000000
	daemon_setup
	clients_setup
	export LXD_DIR=$T/run
	openrc_image
	s launch openrc c1 -q
}

teardown_file() {
	daemon_teardown
}

teardown() {
	daemon_check
}

# i ARGUMENT...: incus
i() {
	timeout 100 incus "$@" 3>&- 4>&-
}

types() {
	timeout -k 1 100 "$SRCDIR/tests/fakes/typist.py" "$@" 3>&- 4>&- </dev/null
}

@test "incus exec: pipes, status, environment, directory, user, signals of its own" {
	[ "$(i exec c1 -- hostname </dev/null)" = c1 ]
	sum=$(head -c 30000000 /dev/zero | md5sum)
	[ "$(head -c 30000000 /dev/zero | i exec c1 -- cat | md5sum)" = "$sum" ]
	fails 9 "" i exec c1 -- sh -c 'exit 9'
	fails 137 "" i exec c1 -- sh -c 'kill -9 $$'
	fails 127 "Command not found" i exec c1 -- no-such-command
	fails 126 "Command not executable" i exec c1 -- /etc/passwd
	[ "$(i exec c1 --env A=b --cwd /tmp --user 2 --group 10 -- sh -c 'echo $A $(pwd) $(id)' </dev/null)" = "b /tmp uid=2(daemon) gid=10(wheel)" ]
	# what goes on holding the output does not hold the session
	[ "$(i exec c1 -- sh -c 'sleep 300 & echo over' </dev/null)" = over ]
	i exec c1 -- pkill -f 'sleep 300' </dev/null
}

@test "incus and lxc on a terminal: size, resize, ctrl-c, status, shell" {
	for client in incus lxc; do
		run types 'size:91,31|expect:#|send:tty; stty size\n|expect:31 91|size:70,20|send:until [ "$(stty size)" = "20 70" ]; do sleep 0.1; done; sh -c "echo be$x""gun; exec sleep 100"\n|expect:begun|send:\x03|send:exit 4\n' \
			$client exec c1 sh
		[[ $output == *"exit 4" ]]
		run types 'expect:#|send:echo $HOME-$USER\n|expect:/root-root|send:exit 6\n' $client shell c1
		[[ $output == *"exit 6" ]]
	done
}

@test "incus and lxc console: attached, left, watched by two, taken over" {
	for client in incus lxc; do
		run types 'expect:<ctrl>+a q|send:\n|expect:login:|send:\x01|wait:0.4|send:q' $client console c1
		[[ $output == *"exit 0" ]]
		run timeout 20 $client console c1 --show-log
		[[ $output == *login:* ]]
	done
	types "expect:<ctrl>+a q|send:\\n|expect:login:|mark:$T/on|expect:taken over|send:\\x01|wait:0.4|send:q" \
		incus console c1 >"$T/first" &
	retry 30 test -e "$T/on"
	run types 'expect:read-only|send:\x01|wait:0.4|send:q' lxc console c1
	[[ $output == *"exit 0" ]]
	run types 'send:\n|expect:login:|send:\x01|wait:0.4|send:q' incus console c1 --force
	[[ $output == *"exit 0" ]]
	wait $!
	grep -q "exit 0" "$T/first"
}

@test "pylxd: execute with input, handlers and environment" {
	timeout 100 /usr/bin/python3 -W ignore - <<-'END'
		import pylxd
		client = pylxd.Client()
		c1 = client.containers.get("c1")
		assert tuple(c1.execute(["sh", "-c", "echo out; echo err >&2; exit 3"])) == (3, "out\n", "err\n")
		for length in (100000, 1 << 20):  # it sends all of it before it opens the output
		    text = "x" * length
		    assert tuple(c1.execute(["cat"], stdin_payload=text)) == (0, text, "")
		assert c1.execute(["no-such-command"])[0] == 127
		assert c1.execute(["sh", "-c", "echo $A"], environment={"A": "b"})[1] == "b\n"
		seen = []
		assert c1.execute(["seq", "3"], stdout_handler=seen.append)[0] == 0
		assert "".join(seen) == "1\n2\n3\n", seen
		assert "login:" in client.api.containers["c1"].console.get().text
	END
}

@test "recorded output, no streams at all, and what does not go together" {
	q() {
		s query -X POST /1.0/instances/c1/exec --wait -d "$1"
	}
	answer=$(q '{"command":["sh","-c","echo o; echo e >&2; exit 3"],"record-output":true}')
	[ "$(jq '.metadata.return' <<<"$answer")" = 3 ]
	out=$(jq -r '.metadata.output["1"]' <<<"$answer")
	[ "$(s query --raw "$out")$(s query --raw "$(jq -r '.metadata.output["2"]' <<<"$answer")")" = oe ]
	file=${out##*/}
	s query /1.0/instances/c1/logs/exec-output | jq -e --arg f "/1.0/instances/c1/logs/exec-output/$file" 'index($f)'
	[ "$(s query --raw "/1.0/instances/c1/logs/exec-output/$file")" = o ]
	s query -X DELETE "/1.0/instances/c1/logs/exec-output/$file"
	fails 1 "not found" s query --raw "$out"
	fails 1 "only recorded" s query -X DELETE /1.0/instances/c1/logs/console.log
	[ "$(q '{"command":["sh","-c","exit 5"]}' | jq .metadata.return)" = 5 ]
	fails 1 "does not go with" q '{"command":["true"],"record-output":true,"wait-for-websocket":true}'
	fails 1 "does not go with" q '{"command":["true"],"record-output":true,"interactive":true}'
	curl -s --unix-socket "$SYSCTR_SOCKET" -H 'Connection: Upgrade' -H 'Upgrade: sysctr-fds' http://s/1.0/instances/c1/exec \
		-d '{"command":["touch","/tmp/never"]}' | jq -e '.error_code == 400 and (.error | contains("needs wait-for-websocket"))'
	fails 1 "" s exec c1 -- test -e /tmp/never
	fails 1 "command is missing" q '{"command":[]}'
	s pause c1
	fails 1 "Instance is frozen" q '{"command":["true"]}'
	s resume c1
}
