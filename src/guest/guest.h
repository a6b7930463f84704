/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A guest that is worked on: the appliance with its disks, and what is found out about it. */

#include <guestfs.h>

#include "guest/changes.h"
#include "guest/device-name.h"
#include "guest/orders.h"
#include "guest/windows-info.h"

typedef struct Guest {
        guestfs_h *g;
        const Orders *orders; /* not owned */
        Changes changes;
        char *root; /* the file system of the operating system; NULL: there is none */
        bool mounted; /* it is one that is known here, and its file systems are mounted */
        DeviceNames names;
        Windows *windows; /* NULL: it is another system */
        bool look; /* nothing is written: the changes are those that would be made */
        Changes needs; /* these */
        char **filesystems; /* all of them: device, type, device, … */
        json_t *clean; /* file systems, by device: whether they were unmounted, as far as that is known */
        json_t *labels, *uuids; /* of partition tables and file systems, by device; see guest_label() */
        char **disks, **partitions, **volumes, **arrays; /* see devices.h */
        json_t *types; /* of what is on a device; see guest_type() */
        char **encrypted; /* device, type, device, …; NULL: not looked for yet */
        json_t *kernels; /* of the result */
        bool kvm; /* the appliance runs with it */
        char *code, *message; /* why it failed */
} Guest;

void guest_done(Guest *guest);

/* Notes why the work fails, unless something was noted before, and returns -abs(@error). */
int guest_fail(Guest *guest, int error, const char *code, const char *format, ...) _printf_(4, 5);
/* The same, with what libguestfs says. */
int guest_fail_last(Guest *guest, const char *code, const char *what);

/* A line for hyper-job. */
void guest_progress(const char *step, unsigned percent);
/* The same: all takes longer, since there is no KVM. */
void guest_emulated(void);

/* Warns with what libguestfs says. 0 or -ENOMEM. */
int guest_warn_last(Guest *guest, const char *step, const char *what);

/* Lists of libguestfs: freed with the strings in them. */
void guest_list_freep(char ***list);
#define _cleanup_guest_list_ _cleanup_(guest_list_freep)

/* The kind of the partition table on a disk ("gpt"), and the UUID of a file system. Each call of libguestfs
 * runs a program in the appliance, so the answer is kept. NULL: there is none. */
const char *guest_label(Guest *guest, const char *disk);
const char *guest_uuid(Guest *guest, const char *device);
/* The same for another question, whose answers are in @answers. */
const char *guest_ask_once(Guest *guest, json_t **answers, const char *device,
                char *(*ask)(guestfs_h *g, const char *device));

/* --- files of the guest, whose file systems are mounted --- */

bool guest_is_file(Guest *guest, const char *path);
bool guest_is_directory(Guest *guest, const char *path);
/* Reads a regular file of at most @max bytes. 0, -ENOENT, -EFBIG, or -EIO: see guestfs_last_error(). The
 * caller frees *ret, which ends with a NUL that does not count. */
int guest_read(Guest *guest, const char *path, size_t max, char **ret, size_t *ret_size);
/* Writes a file, unless @look is set. One that is there keeps its owner, mode and label; a new one gets the
 * label of its directory. 0, -ENOMEM, or negative errno after guest_fail(). */
int guest_write(Guest *guest, const char *path, const char *data, size_t size);

/* The same for other changes of files: nothing happens while @look is set. @what is for the error. */
int guest_rename(Guest *guest, const char *from, const char *to, const char *what);
int guest_copy(Guest *guest, const char *from, const char *to, const char *what);
int guest_make_directory(Guest *guest, const char *path);

/* Edits all files that @pattern matches (glob(7)). What cannot be read becomes a warning. The editor returns
 * 1 with *ret, or 0. */
typedef int (*guest_editor)(const char *step, const char *file, const char *text, Guest *guest, char **ret);
int guest_edit(Guest *guest, const char *step, const char *pattern, guest_editor editor);
