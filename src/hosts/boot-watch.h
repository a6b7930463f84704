/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a starting guest shows, and what follows from it: pure. All of it comes from the guest. */

#include "basic/time-util.h"
#include "spec/kvm-boot.h"

typedef struct BootWatch BootWatch;

/* The screen stands still after @still without a change, and the guest is given up after @limit. */
BootWatch *boot_watch_new(usec_t now, usec_t still, usec_t limit);
BootWatch *boot_watch_free(BootWatch *w);
DEFINE_CLEANUP_FUNC(BootWatch *, boot_watch_free);
#define _cleanup_boot_watch_ _cleanup_(boot_watch_freep)

/* Bytes of the serial console, in pieces of any size. 0 or -ENOMEM. */
int boot_watch_console(BootWatch *w, const char *data, size_t size, usec_t now);

/* A screenshot. */
void boot_watch_screen(BootWatch *w, const void *image, size_t size, usec_t now);

/* So many bytes were read from the disks, and written to their overlays. */
void boot_watch_disks(BootWatch *w, uint64_t bytes, uint64_t written, usec_t now);

/* The guest agent has answered; @os is the name of the operating system, or NULL. 0 or -ENOMEM. */
int boot_watch_agent(BootWatch *w, const char *os);

/* The domain does not run any more: @how completes "the guest …". 0 or -ENOMEM. */
int boot_watch_ended(BootWatch *w, const char *how);

/* 1 with *ret (the caller frees) if it is decided whether the guest boots, or its time is over. 0: not yet;
 * -ENOMEM. */
int boot_watch_judge(BootWatch *w, usec_t now, KvmBoot **ret);
