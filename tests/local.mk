# SPDX-License-Identifier: LGPL-2.1-or-later

EXTRA_DIST += .ci/run tests/README.md tests/common.sh tests/demo tests/machine tests/needs tests/run tests/system \
	tests/valgrind.supp
