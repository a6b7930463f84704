# SPDX-License-Identifier: LGPL-2.1-or-later

EXTRA_DIST += tests/common.sh tests/machine tests/needs
