/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a program that reads a hostile image complains about, and the command line of a process that has it
 * open. */

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "fuzz.h"
#include "job/child.h"
#include "job/complaint.h"
#include "job/lock-holder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        _cleanup_free_ char *name = qemu_guest_name((const char *) data, size), *complaint = NULL;

        if (!text)
                return 0;
        child_clean_text(text);
        complaint = complaint_text(text);
        if (complaint &&
                        (isempty(complaint) || strlen(complaint) > COMPLAINT_MAX ||
                                        strchr(complaint, '\n') || !utf8_is_valid(complaint)))
                abort();
        if (name && strlen(name) > size)
                abort();
        return 0;
}
