#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# kill -9 of hyper-apid, hyper-managerd and hyper-auth, at any time while a file is uploaded and users log in:
# no acknowledged chunk is lost, the file is right, each login ends with a token or an error, and each token
# is valid.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"
# shellcheck source=tests/system/lib/lib-v1.sh
. "$(dirname "$0")/../lib/lib-v1.sh"

v1_up
# (a user has 32 sessions, and those of who uploads are not to be ended by logins)
useradd -M -s /usr/sbin/nologin -G hyper-admin other
chpasswd <<<'other:secret'
printf 'v1: {rate_limit: 1000000, user_rate_limit: 1000000}\n' >/etc/hyper/config.d/90-test.yaml 2>/dev/null || {
        mkdir -p /etc/hyper/config.d
        printf 'v1: {rate_limit: 1000000, user_rate_limit: 1000000}\n' >/etc/hyper/config.d/90-test.yaml
}
systemctl restart hyper.service
cat >"$dir/client.py" <<'END'
import hashlib, http.client, json, os, random, ssl, sys, threading, time

token, path, enough = sys.argv[1:]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
FAILURES = (OSError, http.client.HTTPException, ssl.SSLError)


def ask(method, url, body=None, headers=None):
    c = http.client.HTTPSConnection("127.0.0.1", 5080, context=context, timeout=50)
    try:
        c.request(method, "/api/v1" + url, body=body, headers=headers or {"Authorization": "Bearer " + token})
        r = c.getresponse()
        return r.status, json.loads(r.read())
    finally:
        c.close()


def until(wanted, *request):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            status, answer = ask(*request)
        except FAILURES:
            time.sleep(0.05)
            continue
        if status in wanted:
            return answer
        assert status in (409, 500, 502, 503, 504), (request[:2], status, answer)
        time.sleep(0.05)
    raise AssertionError(request[:2])


data = open(path, "rb").read()
size, chunk = len(data), 1 << 20
results = {"attempts": 0, "tokens": [], "errors": 0}
done = threading.Event()


def log_in():
    while not done.is_set():
        results["attempts"] += 1
        began = time.monotonic()
        try:
            status, answer = ask("POST", "/auth/login", '{"username": "other", "password": "secret"}', {})
            assert status in (200, 500, 502, 503, 504), (status, answer)
            if status == 200:
                results["tokens"].append(answer["token"])
        except FAILURES:
            results["errors"] += 1
        assert time.monotonic() < began + 45, "a login took 45 s"


def upload(name):
    started = until((201,), "POST", "/upload/init", json.dumps({
        "filename": name, "size": size, "chunk_size": chunk, "sha256": hashlib.sha256(data).hexdigest()}))
    identifier, acknowledged = started["upload_id"], set()
    order = list(range(started["total_chunks"]))
    random.shuffle(order)
    for i in order:
        until((200,), "POST", f"/upload/chunk?upload_id={identifier}&chunk_index={i}", data[i * chunk:(i + 1) * chunk])
        acknowledged.add(i)
        status = until((200,), "GET", f"/upload/status/{identifier}")
        assert acknowledged == set(status["received_chunks"]), (i, acknowledged, status["received_chunks"])
    until((200, 202), "POST", "/upload/complete", json.dumps({"upload_id": identifier}))
    while True:
        status = until((200,), "GET", f"/upload/status/{identifier}")
        if status["complete"]:
            break
        assert status["status"] in ("verifying", "open"), status
        until((200, 202), "POST", "/upload/complete", json.dumps({"upload_id": identifier}))
    assert open(status["path"], "rb").read() == data, "the file differs"
    os.unlink(status["path"])


logins = threading.Thread(target=log_in)
logins.start()
try:
    n = 0
    while n == 0 or not os.path.exists(enough):
        n += 1
        upload(f"killed-{n}.raw")
finally:
    done.set()
    logins.join()
for t in results["tokens"][-10:]:  # (a user has 32 sessions, also those whose token has not arrived)
    token = t
    until((200,), "GET", "/auth/me")
print(json.dumps({"logins": results["attempts"], "tokens": len(results["tokens"]), "broken": results["errors"]}))
END
head -c 40M /dev/urandom >"$dir/disk.raw"
python3 "$dir/client.py" "$v1_token" "$dir/disk.raw" "$dir/enough" >"$dir/out" 2>&1 &
client=$!
kills=0
while kill -0 $client 2>/dev/null; do
        case $((RANDOM % 3)) in
                0) systemctl kill -s KILL hyper.service 2>/dev/null || : ;;
                1) systemctl kill -s KILL hyper-managerd.service 2>/dev/null || : ;;
                2) systemctl kill -s KILL 'hyper-auth@*.service' 2>/dev/null || : ;;
        esac
        kills=$((kills + 1))
        [ $kills -lt 10 ] || touch "$dir/enough"
        sleep "$((RANDOM % 2)).$((5 + RANDOM % 5))"
done
wait $client || fail "after $kills kills: $(tail -n 20 "$dir/out")"
echo "$kills kills: $(cat "$dir/out")"
[ "$(jq .tokens "$dir/out")" -gt 0 ] || fail "no login has succeeded"
v1_log_in || fail "nobody can log in afterwards"
systemctl reset-failed 'hyper*' 2>/dev/null || :
