/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job converts: the disks of an image file, of an OVA, or one behind NBD. All functions note failures
 * in the job (attempt_fail()) and return negative errno. */

#include <sys/stat.h>

#include "engine/endpoint.h"
#include "image/ova.h"
#include "job/job.h"
#include "job/server.h"

typedef struct Source {
        Attempt *attempt; /* not owned */
        const JobEndpoint *spec; /* of the plan */
        int fd; /* FILE */
        struct stat st; /* FILE */
        bool in_use; /* somebody else may write to it, and that is allowed */
        bool changed; /* and has done so */
        char *identity; /* names the source and its version */
        int archive_fd; /* of an OVA: where its tar is */
        Image image; /* FILE that is no OVA */
        Ova *ova; /* or this */
        Image *disks; /* FILE: points into one of them; NULL: NBD */
        size_t n_disks;
        int *disk_fds; /* of each, where its image is */
        char ***warnings; /* of each, for the result */
        int part_fd; /* where archives are unpacked; not owned */
        const char *part_dir; /* its path; not owned */
} Source;

/* Opens all files, and says what the source is and which version of it. */
int source_open(Attempt *a, Source **ret);
Source *source_free(Source *s);
DEFINE_CLEANUP_FUNC(Source *, source_free);
#define _cleanup_source_ _cleanup_(source_freep)

/* Compares the digest that was given with the file's. */
int source_verify_checksum(Source *s);

/* Finds out what the source is and where its disks are: archives are unpacked into the part directory,
 * manifests are checked. Formats are settled then. source-settle.c */
int source_settle(Source *s);

/* Notes something for the result of disk @disk (from 0), and in the log. */
int source_warn(Source *s, size_t disk, const char *format, ...) _printf_(3, 4);

/* Digest @expected of @content, which is called @label. */
int source_compare_digest(Source *s, const char *label, const Content *content, const char *algorithm,
                const char *expected);

/* Finds the disks, refuses what is not safe or not whole. */
int source_inspect(Source *s);

/* Checks that no file has changed since source_open(). */
int source_check_unchanged(Source *s);

/* A disk that can be read. */
typedef struct Connection {
        ServerGroup *servers; /* NULL: somebody else's */
        Endpoint *endpoint;
} Connection;
void connection_done(Connection *c);
#define _cleanup_connection_ _cleanup_(connection_done)

/* Connects to disk @disk (from 0). */
int source_connect(Source *s, size_t disk, Connection *ret);

/* Connects to what is behind @spec, an NBD endpoint of the plan; @role is "source" or "destination", which
 * names its credential too. @flags: NbdFlags. */
int connect_nbd(Attempt *a, const JobEndpoint *spec, const char *role, unsigned flags, Endpoint **ret);

/* Starts @n servers for @image and connects. */
int connect_image(Attempt *attempt, const Image *image, bool writable, unsigned flags, const char *label,
                Connection *ret);

/* Notes a failure of copying or comparing: who is to blame if a local server has died, else what the engine
 * says. @error and @text are the engine's. */
int connection_fail(Attempt *attempt, Connection *a, Connection *b, int error, const char *what,
                const char *text);

/* A text about an image becomes the failure's message. */
int image_refused(Attempt *a, const char *label, int error, const char *why);
/* All that is checked in one image, without those below it: header, tables, and what qemu reads. @fd is its
 * file. */
int image_examine(Attempt *a, int fd, Image *i);
/* "qemu-img info" and "check" of an image that passed image_check_header(); fills its sizes. */
int image_inspect(Attempt *a, Image *i);
/* @code: what a failed check means for the job. */
int image_check(Attempt *a, const Image *i, const char *code);
