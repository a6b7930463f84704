#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
# runs-on: host
#
# The clock jumps over the end of a token: it is refused at once, its streams and WebSockets end, and a new
# login works; when the clock jumps back, tokens are valid, and nothing hangs. The clock is shifted in hyper-apid and hyper-managerd by a library that is compiled here, as the machine has no compiler.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
gcc -O1 -shared -fPIC -o "$scratch/clock-shift.so" "$(dirname "$0")/clock-shift.c" -ldl
inside sh -c 'cat >/usr/lib/clock-shift.so; chmod 755 /usr/lib/clock-shift.so' <"$scratch/clock-shift.so"

lib '. /usr/lib/hyper-tests/system/lib/lib-v1.sh
mkdir -p /usr/share/clock-shift
shift_clock() { echo "$1" >/usr/share/clock-shift/new; mv /usr/share/clock-shift/new /usr/share/clock-shift/seconds; }
shift_clock 0
for unit in hyper hyper-managerd; do
        mkdir -p /run/systemd/system/$unit.service.d
        printf "[Service]\nEnvironment=LD_PRELOAD=/usr/lib/clock-shift.so CLOCK_SHIFT=/usr/share/clock-shift/seconds\n" \
                >/run/systemd/system/$unit.service.d/clock.conf
done
systemctl daemon-reload
systemctl restart hyper-managerd.service
v1_up
me() { v1 GET /auth/me >/dev/null; v1_status; }
equal "$(me)" 200 "a token"
grep -q clock-shift "/proc/$(systemctl show -P MainPID hyper.service)/maps" || fail "the clock cannot be shifted"
old=$v1_token
handshake=(-H "Connection: Upgrade" -H "Upgrade: websocket" -H "Sec-WebSocket-Version: 13"
        -H "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" --http1.1)
curl -skN -m 60 "${handshake[@]}" "https://your-server:5080/ws?token=$old" >$dir/frames 2>/dev/null &
socket=$!
has_frames() { [ -s $dir/frames ]; }
eventually 20 "the WebSocket is open" has_frames
raw_image $dir/slow.raw 16
serve $dir/slow.sock --filter=rate file $dir/slow.raw rate=64K
v1 POST /jobs "{\"id\": \"slow\", \"type\": \"convert\", \"provider\": \"nbd\", \"vm_name\": \"slow\", \"source\": {\"uri\": \"$(nbd_uri $dir/slow.sock)\"}}" >$dir/answer
equal "$(v1_status)" 201 "a job: $(cat $dir/answer)"
curl -skN -m 60 -H "Authorization: Bearer $old" -H "Accept: text/event-stream" https://your-server:5080/api/v1/jobs/slow/logs >$dir/events 2>/dev/null &
stream=$!
has_events() { [ -s $dir/events ]; }
eventually 20 "the stream is open" has_events

shift_clock 28700
equal "$(me)" 200 "shortly before the end"
shift_clock 28900
equal "$(me)" 401 "after the end"
ended() { ! kill -0 $1 2>/dev/null; }
eventually 20 "the WebSocket ends" ended $socket
eventually 20 "the stream ends" ended $stream
# 1008: policy violation
LC_ALL=C grep -aqP "\x88.\x03\xf0" $dir/frames || fail "the WebSocket was not closed with 1008: $(tail -c 200 $dir/frames | od -c | tail)"
v1 POST /auth/refresh >/dev/null
equal "$(v1_status)" 401 "a refresh after the end"
eventually 30 "admin logs in" v1_log_in
equal "$(me)" 200 "the new token"
# back by a day: tokens of the future would be valid for too long, and a login works
shift_clock -86400
equal "$(me)" 401 "the new token when the clock was set back"
eventually 30 "admin logs in" v1_log_in
equal "$(me)" 200 "a token of yesterday"
shift_clock 0
equal "$(me)" 401 "the same token, when the clock is right again"
eventually 30 "admin logs in" v1_log_in
equal "$(me)" 200 "a token of today"
shift_clock 31536000
equal "$(me)" 401 "a year later"
shift_clock 0
cancel slow
eventually 40 "the unit is gone" unit_gone slow
stop_serving $dir/slow.sock
for unit in hyper hyper-managerd; do rm -r /run/systemd/system/$unit.service.d; done
systemctl daemon-reload'
