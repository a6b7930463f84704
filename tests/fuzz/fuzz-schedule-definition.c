/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A schedule as it comes over the bus, for a new one and as a change. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "journal/schedule-event.h"
#include "manager/schedule/schedule-definition.h"
#include "spec/cron.h"

static void try(const char *text, bool create) {
        _cleanup_(schedule_definition_done) ScheduleDefinition d = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = schedule_definition_decode(text, create, &d, &errors);

        if ((r == -EBADMSG) != (errors.n_errors > 0))
                abort();
        if (r < 0)
                return;
        /* What was taken can be used: by cron, as a unit's name, as a job. */
        if (create && (!d.schedule || !d.spec))
                abort();
        if (d.schedule) {
                _cleanup_(cron_done) Cron c = {};
                _cleanup_free_ char *why = NULL;

                if (cron_parse(d.schedule, &c, &why) < 0)
                        abort();
        }
        if (d.id) {
                _cleanup_free_ char *unit = schedule_unit_name(d.id, "timer");

                if (!unit || strlen(unit) >= 256)
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);

        if (!text || strlen(text) != size)
                return 0;
        try(text, true);
        try(text, false);
        return 0;
}
