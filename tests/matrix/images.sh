#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# slow: it makes and converts some hundred images
#
# Images of all formats in many sizes, one change each: none becomes another disk than the one that the
# specification of its format gives, what is legal is converted, and what is refused is refused with a reason
# (tests/oracle/README.md).

set -euo pipefail

case $1 in
        # always the same cases, so that what fails was broken by the change at hand
        some) limit=(--seed 2130 --count 100000 --seconds 60 --jobs 1) ;;
        whole) limit=(--count 2500) ;;
        *) exit 2 ;;
esac
TMPDIR=$(mktemp -d) # what a case leaves behind goes, too
export TMPDIR PYTHONDONTWRITEBYTECODE=1
trap 'rm -rf "$TMPDIR"' EXIT
python3 "${srcdir:?}/tests/oracle/run" ./hyper-job "${limit[@]}" || {
        echo "FAILED: run a case again with: tests/oracle/run ./hyper-job --only NUMBER"
        exit 1
}
