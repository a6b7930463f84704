/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kinds of endpoints do as a source: one row each. All functions note failures in the attempt. */

#include "engine/disk-digest.h"
#include "job/connection.h"
#include "job/source.h"

typedef struct SourceKind {
        int (*open)(Source *s);
        const char *inspecting; /* what is said of the inspection of what is no file */
        /* The following ones may be NULL: nothing has to be done. */
        int (*verify_checksum)(Source *s);
        int (*settle)(Source *s);
        int (*inspect)(Source *s);
        int (*check_unchanged)(Source *s);
        void (*explain)(Source *s);
        int (*finish)(Source *s);
        void (*progress)(Source *s, unsigned percent);
        int (*digest)(const Source *s, size_t disk, uint8_t *ret);
        int (*add_metrics)(const Source *s, json_t *metrics);
        /* And the disks, from 0: */
        int (*connect)(Source *s, size_t disk, Connection *ret);
} SourceKind;

/* NULL for what is no type. */
const SourceKind *source_kind(int type) _pure_;

/* Opens the source of the plan: what it is, and which version of it. */
int source_open(Attempt *a, Source **ret);

/* Compares the digest that was given with the source's. */
int source_verify_checksum(Source *s);

/* Finds out what the source is and where its disks are. */
int source_settle(Source *s);

/* Refuses disks that are not safe or not whole. */
int source_inspect(Source *s);

/* Checks that the source has not changed since source_open(). */
int source_check_unchanged(Source *s);

/* A disk could not be read: notes the reason if the source knows a better one than the error. */
void source_explain(Source *s);

/* All disks are copied and verified: ends what was begun for that. */
int source_finish(Source *s);

/* Tells how much is copied, in percent. */
void source_progress(Source *s, unsigned percent);

/* The digest of disk @disk (engine/disk-digest.h), if it was computed while it was copied. 1, or 0 if
 * there is none. */
int source_digest(const Source *s, size_t disk, uint8_t ret[static DISK_DIGEST_SIZE]);

/* Adds to the metrics of the result (JobResult.metrics) what was transferred, and how. 0 or -ENOMEM. */
int source_add_metrics(const Source *s, json_t *metrics);

/* Connects to disk @disk (from 0). */
int source_connect(Source *s, size_t disk, Connection *ret);
