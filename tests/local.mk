# SPDX-License-Identifier: LGPL-2.1-or-later

EXTRA_DIST += .ci/run tests/README.md tests/common.sh tests/demo tests/machine tests/matrix tests/needs tests/oracle tests/run \
	tests/schedule tests/style tests/system tests/times tests/unit/cockpit tests/valgrind.supp

# A vSphere server for tests, see vcsim/README.md
check_DATA = tests/vcsim/vcsim tests/vddk/nbdkit-vddk-plugin.so
VCSIM_FILES = tests/vcsim/build tests/vcsim/certs.go tests/vcsim/control.go tests/vcsim/data.go tests/vcsim/disks.go \
	tests/vcsim/faults.go tests/vcsim/inventory.go tests/vcsim/main.go tests/vcsim/methods.go tests/vcsim/soap.go \
	tests/vcsim/vmdk.go
tests/vcsim/vcsim: $(VCSIM_FILES)
	$(AM_V_GEN)$(srcdir)/tests/vcsim/build $@
CLEANFILES += tests/vcsim/vcsim
EXTRA_DIST += $(VCSIM_FILES) tests/vcsim/README.md tests/vcsim/example.json

# In place of VDDK, see vddk/README.md. nbdkit loads it, which has no sanitizers.
tests/vddk/nbdkit-vddk-plugin.so: tests/vddk/nbdkit-vddk-plugin.c tests/vddk/build
	$(AM_V_GEN)$(srcdir)/tests/vddk/build $@
CLEANFILES += tests/vddk/nbdkit-vddk-plugin.so
EXTRA_DIST += tests/vddk/README.md tests/vddk/build tests/vddk/nbdkit-vddk-plugin.c

# For tests/run, which runs each of them on its own
.PHONY: list-tests
list-tests:
	@printf '%s\n' $(TESTS)
