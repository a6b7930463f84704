# SPDX-License-Identifier: LGPL-2.1-or-later

firstboot_sources = src/firstboot/firstboot-main.c src/firstboot/orders.c
EXTRA_DIST += src/firstboot/README.md $(firstboot_sources)

# A program for Windows
if HAVE_MINGW
hyperdatadir = $(datadir)/hyper
hyperdata_DATA = src/firstboot/hyper-firstboot.exe
src/firstboot/hyper-firstboot.exe: $(firstboot_sources) src/firstboot/orders.h
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(MINGW_CC) -std=gnu11 -D_WIN32_WINNT=0x0600 -Os -s -Wall -Wextra -Wshadow \
		-Wformat=2 -Wno-unused-parameter -fno-ident -Wl,--no-insert-timestamp -I$(srcdir)/src -o $@ \
		$(addprefix $(srcdir)/,$(firstboot_sources)) -liphlpapi -ladvapi32
CLEANFILES += src/firstboot/hyper-firstboot.exe
endif

# The part that does not need it, for tests
check_LIBRARIES += libhyper-firstboot.a
libhyper_firstboot_a_SOURCES = src/firstboot/orders.c src/firstboot/orders.h
