/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where an entry stands in the journal, read from its cursor: enough to say whether one comes behind another
 * without looking at the journal (SD_JOURNAL_GET_CURSOR(3)). The replay of a stream and its live part meet
 * by this, without a gap and without telling an entry twice. */

#include <systemd/sd-id128.h>

#include "basic/macro.h"

typedef struct JournalPosition {
        sd_id128_t seqnum_id; /* "s=": who counts; stays while journald's files are not lost */
        uint64_t seqnum; /* "i=" */
        uint64_t realtime; /* "t=", µs */
        uint64_t xor_hash; /* "x=": of the entry's fields */
} JournalPosition;

/* -EINVAL for what is no cursor with these four fields. Bytes from outside (Last-Event-ID). */
int journal_position_parse(const char *cursor, JournalPosition *ret);

/* True if @a comes behind @b. By sequence number if the same journal counted them, else by time. */
bool journal_position_after(const JournalPosition *a, const JournalPosition *b);
