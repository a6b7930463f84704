# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-hosts.la
libhyper_hosts_la_SOURCES = \
	src/hosts/domain-xml.c \
	src/hosts/domain-xml.h \
	src/hosts/host-bus.c \
	src/hosts/host-sync.c \
	src/hosts/host-tasks.c \
	src/hosts/host-uri.c \
	src/hosts/host-uri.h \
	src/hosts/host.c \
	src/hosts/hosts-bus.c \
	src/hosts/hosts-idle.c \
	src/hosts/hosts.c \
	src/hosts/hosts.h \
	src/hosts/libvirt-calls.c \
	src/hosts/libvirt-calls.h \
	src/hosts/libvirt-sample.c \
	src/hosts/stats-json.c \
	src/hosts/stats.c \
	src/hosts/subscriptions.c \
	src/hosts/vm-bus.c \
	src/hosts/worker.c \
	src/hosts/worker.h
HOSTS_LIBS = libhyper-hosts.la $(STORE_LIBS) $(XML_LIBS) $(LIBVIRT_LIBS) -lm -lpthread

libexec_PROGRAMS += hyper-hostd
hyper_hostd_SOURCES = src/hosts/hostd-main.c
hyper_hostd_LDADD = $(HOSTS_LIBS)
EXTRA_DIST += src/hosts/README.md
