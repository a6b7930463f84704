/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The input is fields, one after the other: a byte that says which, then the value, up to a byte 0xfe. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "journal/job-event.h"
#include "spec/job-spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        EventFieldValue fields[_EVENT_FIELD_MAX] = {};
        _cleanup_(job_event_freep) JobEvent *e = NULL;
        _cleanup_free_ char *unit = NULL;

        while (size > 0) {
                const uint8_t *end = memchr(data + 1, 0xfe, size - 1);
                size_t n = end ? (size_t) (end - data) : size;

                fields[data[0] % _EVENT_FIELD_MAX] =
                                (EventFieldValue){ .data = (const char *) data + 1, .size = n - 1 };
                n += end != NULL;
                data += n;
                size -= n;
        }
        if (job_event_decode(fields, &e) < 0)
                return 0;
        unit = job_unit_name(e->job_id);
        bool own = unit && fields[FIELD_UNIT].size == strlen(unit) &&
                        memcmp(fields[FIELD_UNIT].data, unit, strlen(unit)) == 0;
        bool manager = fields[FIELD_UNIT].size == strlen("hyper-managerd.service");
        if ((!own && !manager) || (e->kind == EVENT_STATE && own) || !utf8_is_valid(e->message) ||
                        !(e->percent <= 100))
                abort();
        return 0;
}
