#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# slow: it makes nine guests, and boots each twice under emulation
#
# Guests of several layouts, boot loaders and tools of distributions start on virtio after a fix, and not
# before (tests/guests/README.md). "some" has none of them: system/fix-guest boots one.

set -euo pipefail

case $1 in
        some) ;;
        whole)
                # shellcheck source=tests/common.sh
                . "${srcdir:?}/tests/common.sh"
                needs_install guests
                exec "$srcdir/tests/guests/run" ./hyper-guest
                ;;
        *) exit 2 ;;
esac
