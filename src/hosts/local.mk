# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-hosts.la
libhyper_hosts_la_SOURCES = \
	src/hosts/activity.c \
	src/hosts/activity.h \
	src/hosts/boot-bus.c \
	src/hosts/boot-bus.h \
	src/hosts/boot-watch.c \
	src/hosts/boot-watch.h \
	src/hosts/bus-objects.c \
	src/hosts/bus-objects.h \
	src/hosts/define-bus.c \
	src/hosts/define-bus.h \
	src/hosts/domain-capabilities.c \
	src/hosts/domain-capabilities.h \
	src/hosts/domain-devices.c \
	src/hosts/domain-devices.h \
	src/hosts/domain-drift.c \
	src/hosts/domain-drift.h \
	src/hosts/domain-disk.c \
	src/hosts/domain-disk.h \
	src/hosts/domain-extended.c \
	src/hosts/domain-extended.h \
	src/hosts/domain-xml.c \
	src/hosts/domain-xml.h \
	src/hosts/guest-hardware.c \
	src/hosts/guest-hardware.h \
	src/hosts/hardware.c \
	src/hosts/hardware.h \
	src/hosts/host-bus.c \
	src/hosts/host-bus.h \
	src/hosts/host-call.c \
	src/hosts/host-call.h \
	src/hosts/host-connect.c \
	src/hosts/host-connect.h \
	src/hosts/host-items.c \
	src/hosts/host-items.h \
	src/hosts/host-lost.c \
	src/hosts/host-lost.h \
	src/hosts/host-methods.c \
	src/hosts/host-methods.h \
	src/hosts/host-sync.c \
	src/hosts/host-sync.h \
	src/hosts/host-thread.c \
	src/hosts/host-thread.h \
	src/hosts/host-walk.c \
	src/hosts/host-walk.h \
	src/hosts/host-xml.c \
	src/hosts/host-xml.h \
	src/hosts/host.c \
	src/hosts/host.h \
	src/hosts/hostd.c \
	src/hosts/hostd.h \
	src/hosts/hosts-bus.c \
	src/hosts/hosts-bus.h \
	src/hosts/hosts-idle.c \
	src/hosts/hosts-idle.h \
	src/hosts/hosts-list.c \
	src/hosts/hosts-list.h \
	src/hosts/hosts-methods.c \
	src/hosts/hosts-methods.h \
	src/hosts/hosts-reload.c \
	src/hosts/hosts-reload.h \
	src/hosts/hosts.h \
	src/hosts/libvirt-boot.c \
	src/hosts/libvirt-boot.h \
	src/hosts/libvirt-define.c \
	src/hosts/libvirt-define.h \
	src/hosts/libvirt-display.c \
	src/hosts/libvirt-display.h \
	src/hosts/libvirt-domain.c \
	src/hosts/libvirt-domain.h \
	src/hosts/libvirt-error.c \
	src/hosts/libvirt-error.h \
	src/hosts/libvirt-events.c \
	src/hosts/libvirt-events.h \
	src/hosts/libvirt-host.c \
	src/hosts/libvirt-host.h \
	src/hosts/libvirt-lists.c \
	src/hosts/libvirt-lists.h \
	src/hosts/libvirt-sample.c \
	src/hosts/libvirt-sample.h \
	src/hosts/libvirt-volume.c \
	src/hosts/libvirt-volume.h \
	src/hosts/ppm-png.c \
	src/hosts/ppm-png.h \
	src/hosts/running.c \
	src/hosts/running.h \
	src/hosts/stats-json.c \
	src/hosts/stats-json.h \
	src/hosts/stats.c \
	src/hosts/stats.h \
	src/hosts/subscription.c \
	src/hosts/subscription.h \
	src/hosts/subscriptions.c \
	src/hosts/subscriptions.h \
	src/hosts/thread-call.c \
	src/hosts/thread-call.h \
	src/hosts/vm-bus.c \
	src/hosts/vm-bus.h \
	src/hosts/vm-methods.c \
	src/hosts/vm-methods.h \
	src/hosts/vm.c \
	src/hosts/vm.h \
	src/hosts/volume-bus.c \
	src/hosts/volume-bus.h \
	src/hosts/xml-util.c \
	src/hosts/xml-util.h
HOSTS_LIBS = libhyper-hosts.la $(STORE_LIBS) $(XML_LIBS) $(LIBVIRT_LIBS) $(ZLIB_LIBS) -lm -lpthread

libexec_PROGRAMS += hyper-hostd
hyper_hostd_SOURCES = src/hosts/hostd-main.c
hyper_hostd_LDADD = $(HOSTS_LIBS)
EXTRA_DIST += src/hosts/README.md
