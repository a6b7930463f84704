/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Several entries in one datagram to systemd-journald. The native protocol permits that, with an empty line
 * between two entries (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/), and sd_journal_sendv(3) does not offer
 * it. For each datagram journald looks up the metadata of the sender once. */

#include <stddef.h>

#include "basic/macro.h"

/* A datagram is at most this large, far below the limit of the socket (net.core.wmem_default). */
#define JOURNAL_BATCH_MAX (48u * 1024u)

typedef struct JournalBatch {
        char *data;
        size_t size;
        size_t n; /* entries in it */
} JournalBatch;

void journal_batch_done(JournalBatch *b);

/* Appends an entry of @fields ("NAME=value", a strv); SYSLOG_IDENTIFIER= is added. -ENOBUFS if it does not
 * fit any more: it is to be sent first, or the entry by itself (sd_journal_sendv()) if it is empty. */
int journal_batch_add(JournalBatch *b, char *const *fields);

/* Sends what is in it to the socket at @path (NULL: that of journald), and empties it, also on failure.
 * Without a journald, the entries are lost, as those of sd_journal_sendv(). */
int journal_batch_send(JournalBatch *b, const char *path);
