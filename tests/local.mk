# SPDX-License-Identifier: LGPL-2.1-or-later

EXTRA_DIST += .ci/run tests/README.md tests/common.sh tests/demo tests/machine tests/matrix tests/needs tests/oracle tests/run \
	tests/schedule tests/style tests/system tests/times tests/valgrind.supp

# For tests/run, which runs each of them on its own
.PHONY: list-tests
list-tests:
	@printf '%s\n' $(TESTS)
