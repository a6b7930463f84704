/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/unit-start.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/manager.h"
#include "manager/systemd-names.h"
#include "manager/unit-append.h"
#include "manager/unit-signals.h"

/* systemd went away with the question (a daemon-reexec): the unit may have been started or not. */
static bool is_no_answer(const sd_bus_error *error) {
        return sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,
                        SD_BUS_ERROR_DISCONNECTED, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                        SD_BUS_ERROR_SERVICE_UNKNOWN);
}

static int on_start_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        const char *path;
        Job *j = userdata;
        int r;

        j->unit.start_call = sd_bus_slot_unref(j->unit.start_call);
        if (error && !is_no_answer(error)) {
                j->manager->unit_gone(j, error->message);
                return 0;
        }
        if (j->unit.stage == UNIT_STARTING)
                j->unit.stage = UNIT_LIVE;
        if (error) {
                r = j->manager->list_units(j->manager);
                return r < 0 ? log_error_errno(r, "Failed to ask systemd for the units of jobs: %m") : 0;
        }
        if (sd_bus_message_read(reply, "o", &path) >= 0)
                (void) free_and_strdup(&j->unit.start_job, path);
        return 0;
}

int unit_call_start(Job *j, const UnitProperties *properties) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_free_ char *unit = job_unit_name(j->row->id);
        sd_bus *bus = j->manager->bus;
        int r;

        if (!unit)
                return -ENOMEM;
        r = unit_watch(j, unit);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(call, "ss", unit, "fail");
        if (r >= 0)
                r = unit_properties_append(properties, call);
        if (r >= 0)
                r = sd_bus_message_append(call, "a(sa(sv))", 0);
        if (r < 0)
                return r;
        return sd_bus_call_async(bus, &j->unit.start_call, call, on_start_reply, j, 0);
}
