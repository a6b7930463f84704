/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-journal.h>

#include "basic/macro.h"

static inline void journal_closep(sd_journal **j) {
        sd_journal_close(*j); /* takes NULL */
}
#define _cleanup_journal_ _cleanup_(journal_closep)

/* This machine's system journal, or the files in @directory. */
int journal_open(const char *directory, sd_journal **ret);
