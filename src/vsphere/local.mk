# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-vsphere.a
libhyper_vsphere_a_SOURCES = \
	src/vsphere/changes.c \
	src/vsphere/changes.h \
	src/vsphere/datastore-path.c \
	src/vsphere/datastore-path.h \
	src/vsphere/download.c \
	src/vsphere/download.h \
	src/vsphere/fault.c \
	src/vsphere/fault.h \
	src/vsphere/inventory.c \
	src/vsphere/inventory.h \
	src/vsphere/inventory-name.c \
	src/vsphere/inventory-name.h \
	src/vsphere/lease.c \
	src/vsphere/lease.h \
	src/vsphere/perform.c \
	src/vsphere/perform.h \
	src/vsphere/property.c \
	src/vsphere/property.h \
	src/vsphere/session.c \
	src/vsphere/session.h \
	src/vsphere/soap.c \
	src/vsphere/soap.h \
	src/vsphere/snapshot.c \
	src/vsphere/snapshot.h \
	src/vsphere/soap-request.c \
	src/vsphere/soap-request.h \
	src/vsphere/task.c \
	src/vsphere/task.h \
	src/vsphere/tree.c \
	src/vsphere/tree.h \
	src/vsphere/vm.c \
	src/vsphere/vm.h \
	src/vsphere/vm-concerns.c \
	src/vsphere/vm-concerns.h \
	src/vsphere/vm-detail.c \
	src/vsphere/vm-detail.h \
	src/vsphere/vm-devices.c \
	src/vsphere/vm-devices.h \
	src/vsphere/vm-summary.c \
	src/vsphere/vm-summary.h \
	src/vsphere/xml.c \
	src/vsphere/xml.h
VSPHERE_LIBS = libhyper-vsphere.a $(HTTP_LIBS) $(XML_LIBS)
EXTRA_DIST += src/vsphere/README.md
