/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/journal-open.h"

int journal_open(const char *directory, sd_journal **ret) {
        if (directory)
                return sd_journal_open_directory(ret, directory, 0);
        return sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
}
