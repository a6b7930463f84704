/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a boot loader starts by default: from its configuration, as text, to the paths of the initramfs, as
 * they are in it. It does not know libguestfs. */

#include "basic/string-util.h"

/* grub.cfg of GRUB 2, and its grubenv (or NULL). All of these give 1 with *ret, or 0 if the text does not say
 * it. */
int boot_default_grub2(const char *config, const char *env, char **ret);
/* menu.lst */
int boot_default_legacy(const char *config, char **ret);
/* extlinux.conf */
int boot_default_extlinux(const char *config, char **ret);

/* The entries of a directory loader/entries/: @names are those of the files, @texts their contents. @wanted
 * is a number, a name without ".conf", or a pattern of fnmatch(3); without one, the first entry counts. */
int boot_default_entry(char *const *names, char *const *texts, const char *wanted, char **ret);
/* The value of saved_entry in grubenv, or "default" in loader.conf. 1, 0 or -ENOMEM. */
int boot_default_saved(const char *env, char **ret);
int boot_default_loader(const char *config, char **ret);

/* Whether one of @paths is @initramfs. A file system that is mounted on /boot has a shorter path there, one
 * of a subvolume a longer one. */
bool boot_default_is(const char *paths, const char *initramfs) _pure_;

/* Whether the first 512 bytes of a disk are what a BIOS starts. */
bool boot_sector_starts(const void *sector) _pure_;
