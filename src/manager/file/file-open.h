/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files and directories that clients of the API may read: those below the directories of files.roots. What a
 * path names is opened below its root, and no symbolic link is followed. Names that begin with a dot do not
 * exist here, among them the unfinished output of jobs. */

#include <sys/stat.h>
#include <systemd/sd-bus.h>

#include "basic/macro.h"

/* Opens a regular file (@type S_IFREG) or a directory (S_IFDIR) for reading. 0, or negative errno with @error
 * set. May block. */
int file_open(char *const *roots, const char *path, mode_t type, int *ret_fd, sd_bus_error *error);

typedef struct FileEntry {
        char *name; /* UTF-8, without control characters */
        bool is_directory;
        uint64_t size; /* 0 for a directory */
        uint64_t modified_at; /* microseconds since the epoch */
} FileEntry;

typedef struct FileEntries {
        FileEntry *entries;
        size_t n, allocated;
        bool is_root; /* the list is that of a root */
} FileEntries;

void file_entries_done(FileEntries *e);

#define FILE_ENTRIES_MAX 10000u

/* What is in the directory @path: directories first, then by name. Only directories and regular files are
 * listed. An empty @path stands for the roots themselves, which have their paths as names. The same errors;
 * TooLarge for more than FILE_ENTRIES_MAX. May block. */
int file_list(char *const *roots, const char *path, FileEntries *ret, sd_bus_error *error);
