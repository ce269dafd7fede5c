#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# refresh.bats - images kept as their server has them, cached ones that nobody uses; server keys
load lib

setup_file() {
	export ID_BASE=1910000000
	daemon_setup
	export LXD_SOCKET=$SYSCTR_SOCKET LXD_CONF=$T/lxc LXC_CONF=$T/lxc HOME=$T
	export WEB=$T/web
	: >"$WEB.log"
	serve_version 20240101_01:00
	image_server_start
}

teardown_file() {
	image_server_stop
	daemon_teardown
}

setup() {
	daemon_runs || daemon_start
}

teardown() {
	daemon_check
}

newest() {
	cat "$T/fp"
}

source_json() {
	jq -n --arg server "http://127.0.0.1:$PORT" '{type: "image", mode: "pull",
		protocol: "simplestreams", server: $server, alias: "alpine/3.20"}'
}

pull() {
	s query --wait -X POST /1.0/images -d "$(jq -n --argjson source "$(source_json)" \
		'{source: $source, auto_update: true, public: true, aliases: [{name: "web", description: "mine"}]}')"
}

# make NAME: an instance of the server's image, as a launch makes it
make() {
	s query --wait -X POST /1.0/instances -d "$(jq -n --arg name "$1" --argjson source "$(source_json)" \
		'{name: $name, source: $source}')"
}

refresh() {
	s query --wait -X POST "/1.0/images/$1/refresh"
}

images() {
	s query /1.0/images | jq -r 'map(ltrimstr("/1.0/images/")) | sort | join(" ")'
}

has_images() {
	[ "$(images)" = "$(printf '%s\n' "$@" | sort | paste -sd' ')" ]
}

sql() {
	sqlite3 "$T/state/sysctr.db" "$@"
}

# long_ago [SQL...]: the daemon was away, and last looked at its images a day before
long_ago() {
	daemon_stop
	sql "update config set value = value - 86400000000000 where key = 'internal.images_checked_ns'" "$@"
	daemon_start
}

# The daemon has looked since long_ago.
looked() {
	[ "$(sql "select value / 1000000000 > unixepoch() - 3600 from config where key = 'internal.images_checked_ns'")" = 1 ]
}

works() {
	[ "$(s file pull "$1/etc/alpine-release" -)" = "$(s file pull c1/etc/alpine-release -)" ]
}

@test "server keys are checked, stored and unset" {
	fails 1 "images.auto_update_interval" s query -X PATCH /1.0 -d '{"config": {"images.auto_update_interval": "often"}}'
	fails 1 "images.remote_cache_expiry" s query -X PUT /1.0 -d '{"config": {"user.a": "b", "images.remote_cache_expiry": "-1"}}'
	fails 1 "internal.images_checked_ns" s query -X PATCH /1.0 -d '{"config": {"internal.images_checked_ns": "1"}}'
	lxc config set images.remote_cache_expiry 20
	lxc config set images.auto_update_interval=5 user.a=c
	daemon_restart
	s query /1.0 | jq -e '.config == {"images.auto_update_interval": "5", "images.remote_cache_expiry": "20", "user.a": "c"}'
	lxc config unset images.remote_cache_expiry
	lxc config unset user.a
	s query -X PATCH /1.0 -d '{"config": {"images.auto_update_interval": ""}}'
	s query /1.0 | jq -e '.config == {}'
	s config set images.auto_update_interval=7 user.b=d
	s config show | sed '/user.b/d' | s config edit
	s query /1.0 | jq -e '.config == {"images.auto_update_interval": "7"}'
	s config unset images.auto_update_interval
	s query /1.0/metadata/configuration | jq -e '.configs.server.all.keys | length > 2'
}

@test "a new version takes over aliases; instances of the old one keep what they stand on" {
	pull
	old=$(newest)
	make c1
	never refresh web
	refresh "$old" | jq -e '.metadata.refreshed == false'
	serve_version 20240102_01:00
	refresh "${old:0:12}" | jq -e '.metadata.refreshed == true'
	has_images "$(newest)"
	s query /1.0/images/aliases/web | jq -e --arg fp "$(newest)" '.target == $fp and .description == "mine"'
	s query "/1.0/images/$(newest)" | jq -e '.auto_update and .public and .cached == false and
		.update_source.alias == "alpine/3.20" and .properties.serial == "20240102_01:00"'
	[ ! -e "$T/state/images/$old" ]
	[ -e "$T/state/images/$(newest)" ]
	[ -d "$T/state/pools/default/images/$old" ]
	works c1
	make c2
	works c2
	s delete c1 c2
	unpacked() { [ -e "$T/state/pools/default/images/$old" ]; }
	retry 20 never unpacked
	lxc image refresh web | grep -i 'up to date'
	serve_version 20240103_01:00
	lxc image refresh web | grep -i 'successfully'
	has_images "$(newest)"
}

@test "I2: an old list brings no old version back" {
	new=$(newest)
	serve_version 20231231_01:00
	fails 1 "older than" refresh "$new"
	fails 1 "20231231_01:00" pull
	has_images "$new"
	[ "$(s query /1.0/images/aliases/web | jq -r .target)" = "$new" ]
	s query --wait -X DELETE "/1.0/images/$new"
	pull
	has_images "$(newest)"
	serve_version 20240103_02:00
	refresh "$(images)"
	has_images "$(newest)"
}

@test "what did not come from a server cannot be refreshed" {
	openrc_image
	fp=$(s query /1.0/images/aliases/openrc | jq -r .target)
	fails 1 "did not come from an image server" refresh "$fp"
	s image delete openrc
}

@test "the clock: looked at when it is time, not with 0, and made up for once" {
	old=$(newest)
	serve_version 20240104_01:00
	s query -X PATCH /1.0 -d '{"config": {"images.auto_update_interval": "0"}}'
	: >"$WEB.log"
	long_ago
	has_images "$old"
	s query -X PATCH /1.0 -d '{"config": {"images.auto_update_interval": ""}}'
	retry 60 has_images "$(newest)"
	[ "$(grep -c index.json "$WEB.log")" = 1 ]
	daemon_restart
	[ "$(grep -c index.json "$WEB.log")" = 1 ]
}

@test "a server that fails is a warning and changes nothing, until it works again" {
	warned() { s query '/1.0/warnings?recursion=1' | jq -e --arg status "$1" '.[] | select(.type == "Image refresh failed" and .status == $status)'; }
	old=$(newest)
	serve_version 20240105_01:00
	cp "$WEB/streams/v1/index.json" "$T/index.json"
	echo '<html>' >"$WEB/streams/v1/index.json"
	long_ago
	retry 60 warned new
	has_images "$old"
	fails 1 "index" refresh "$old"
	[ "$(s query /1.0/images/aliases/web | jq -r .target)" = "$old" ]
	cp "$T/index.json" "$WEB/streams/v1/index.json"
	long_ago
	retry 60 has_images "$(newest)"
	retry 10 warned resolved
}

exists_image() {
	s query "/1.0/images/$1" >/dev/null 2>&1
}

@test "killed after each step, the next look makes it whole" {
	local step
	for step in pull replace delete-files; do
		serve_version "202402$((++n))_01:00"
		old=$(images)
		dies_after "image-refresh/$step" refresh "$old"
		s query /1.0/images/aliases/web >/dev/null
		! exists_image "$old" || refresh "$old"
		has_images "$(newest)"
		[ "$(s query /1.0/images/aliases/web | jq -r .target)" = "$(newest)" ]
	done
}

@test "cached images are kept up to date if that is wanted, and go when nobody used them for long" {
	s query --wait -X DELETE "/1.0/images/$(newest)"
	make c1
	old=$(newest)
	s query "/1.0/images/$old" | jq -e '.cached and (.last_used_at | startswith("20"))'
	serve_version 20240301_01:00
	s query -X PATCH /1.0 -d '{"config": {"images.auto_update_cached": "false"}}'
	long_ago
	retry 60 looked
	s query -X PATCH /1.0 -d '{"config": {"images.auto_update_cached": "", "images.remote_cache_expiry": "2"}}'
	has_images "$old"
	long_ago
	retry 60 has_images "$(newest)"
	s query "/1.0/images/$(newest)" | jq -e .cached
	long_ago "update images set last_used_ns = last_used_ns - 3 * 86400000000000"
	retry 60 has_images
	works c1
	pull
	long_ago "update images set last_used_ns = 1, uploaded_ns = 1"
	retry 60 looked
	has_images "$(newest)"
	s delete c1
}
