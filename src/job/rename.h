/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Giving a file its name without replacing anything, and what the file system of a destination must be able
 * to do. */

/* rename(2) of a file that never replaces, on every file system: RENAME_NOREPLACE where there is that; else
 * a second name is given and the first one removed; else (FAT, exFAT, some FUSE file systems) the name is
 * taken by an empty file, which is then replaced. 0, -EEXIST, or negative errno. When the last way was cut
 * off, what is left is removed by the next call. */
int rename_noreplace(int from_fd, const char *from, int to_fd, const char *to);

/* Removes the empty file that a call left under the name @name when it was cut off. 0 also if nothing has
 * the name; -EEXIST if something else has it. */
int remove_placeholder(int fd, const char *name);

/* fsync(2) of a directory; file systems that cannot have nothing to flush. */
int sync_directory(int fd);

/* Tries in the directory @fd all that an image needs of its file system: files can be made, written, locked,
 * and renamed. Takes milliseconds and leaves nothing. 0, or negative errno with a text that says what is not
 * possible (caller frees). */
int probe_file_system(int fd, char **ret_text);
