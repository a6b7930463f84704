#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# runs-on: host
#
# A key that was shown is there after a power cut in the next instant; one that was removed stays removed.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

answer() { inside curl -sS -m 30 -o /dev/null -w '%{http_code}' -H "X-API-Key: $1" \
        http://127.0.0.1:8000/jobs; }

stays=$(inside hyperctl key add stays --scope=read -q)
goes=$(inside hyperctl key add goes --scope=read -q)
machine crash
machine up
equal "$(answer "$stays")" 200 "the first key after a power cut"
equal "$(answer "$goes")" 200 "the second key after a power cut"
equal "$(answer "")" 401 "no key after a power cut"
inside hyperctl key rm goes
machine crash
machine up
equal "$(answer "$goes")" 401 "a key that was removed just before a power cut"
equal "$(answer "$stays")" 200 "the other one"
