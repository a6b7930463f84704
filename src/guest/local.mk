# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-guest.a
libhyper_guest_a_SOURCES = \
	src/guest/appliance.h \
	src/guest/boot-repair.c \
	src/guest/boot-repair.h \
	src/guest/boot-state.c \
	src/guest/boot-state.h \
	src/guest/buffer.c \
	src/guest/buffer.h \
	src/guest/changes.c \
	src/guest/changes.h \
	src/guest/cloud-init.c \
	src/guest/cloud-init.h \
	src/guest/comment-out.c \
	src/guest/comment-out.h \
	src/guest/config-size.c \
	src/guest/config-size.h \
	src/guest/cpio.c \
	src/guest/cpio.h \
	src/guest/device-name.c \
	src/guest/device-name.h \
	src/guest/device-table.c \
	src/guest/device-table.h \
	src/guest/driver-list.c \
	src/guest/driver-list.h \
	src/guest/encrypted.c \
	src/guest/encrypted.h \
	src/guest/esp.c \
	src/guest/esp.h \
	src/guest/ext-state.c \
	src/guest/ext-state.h \
	src/guest/first-boot.c \
	src/guest/first-boot.h \
	src/guest/file-contexts.c \
	src/guest/file-contexts.h \
	src/guest/fs-repair.c \
	src/guest/fs-repair.h \
	src/guest/guest-registry.c \
	src/guest/guest-registry.h \
	src/guest/guest.c \
	src/guest/guest.h \
	src/guest/initramfs-list.c \
	src/guest/initramfs-list.h \
	src/guest/initramfs-append.c \
	src/guest/initramfs-append.h \
	src/guest/initramfs-native.c \
	src/guest/initramfs-native.h \
	src/guest/initramfs.c \
	src/guest/initramfs.h \
	src/guest/inspect.c \
	src/guest/inspect.h \
	src/guest/kernel.c \
	src/guest/kernel.h \
	src/guest/kernel-line.c \
	src/guest/kernel-line.h \
	src/guest/linux-hardware.c \
	src/guest/linux-hardware.h \
	src/guest/linux-info.c \
	src/guest/linux-info.h \
	src/guest/luks.c \
	src/guest/luks.h \
	src/guest/lvm-filter.c \
	src/guest/lvm-filter.h \
	src/guest/lvm-repair.c \
	src/guest/lvm-repair.h \
	src/guest/mdadm-conf.c \
	src/guest/mdadm-conf.h \
	src/guest/module-list.c \
	src/guest/module-list.h \
	src/guest/module-set.c \
	src/guest/module-set.h \
	src/guest/network-list.c \
	src/guest/network-list.h \
	src/guest/nic-driver.c \
	src/guest/nic-driver.h \
	src/guest/nic-keyfile.c \
	src/guest/nic-keyfile.h \
	src/guest/nic-name.c \
	src/guest/nic-name.h \
	src/guest/nic-netplan.c \
	src/guest/nic-netplan.h \
	src/guest/nic-read.c \
	src/guest/nic-read.h \
	src/guest/offline-fix.c \
	src/guest/offline-fix.h \
	src/guest/orders.c \
	src/guest/orders.h \
	src/guest/registry-edit.c \
	src/guest/registry-edit.h \
	src/guest/registry.c \
	src/guest/registry.h \
	src/guest/roots.c \
	src/guest/roots.h \
	src/guest/selinux-prep.c \
	src/guest/selinux-prep.h \
	src/guest/udev-rule.c \
	src/guest/udev-rule.h \
	src/guest/utf16.c \
	src/guest/utf16.h \
	src/guest/virtio-win.c \
	src/guest/virtio-win.h \
	src/guest/windows-boot.c \
	src/guest/windows-boot.h \
	src/guest/windows-fix.c \
	src/guest/windows-fix.h \
	src/guest/windows-info.c \
	src/guest/windows-info.h \
	src/guest/windows-network.c \
	src/guest/windows-network.h \
	src/guest/windows-table.c \
	src/guest/windows-table.h \
	src/guest/windows.c \
	src/guest/windows.h \
	src/guest/work.c \
	src/guest/work.h \
	src/guest/appliance.c
GUEST_LIBS = libhyper-guest.a $(SPEC_LIBS) $(GUESTFS_LIBS) $(ARCHIVE_LIBS)

libexec_PROGRAMS += hyper-guest
hyper_guest_SOURCES = src/guest/guest-main.c
hyper_guest_LDADD = $(GUEST_LIBS)
dist_libexec_SCRIPTS += src/guest/hyper-appliance
EXTRA_DIST += src/guest/README.md
