/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/schedule/schedule-signal.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/schedule-event.h"
#include "manager/managed-objects.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"

int schedule_not_found(const char *id, sd_bus_error *error) {
        return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_SCHEDULE, "There is no schedule %s",
                        schedule_id_is_valid(id) ? id : "with such an id");
}

void schedule_bus_emit(Manager *m, const char *member, const char *id) {
        _cleanup_free_ char *path = schedule_bus_path(id);
        int r = -ENOMEM;

        if (path)
                r = sd_bus_emit_signal(
                                m->bus, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, member, "so", id, path);
        if (path)
                managed_objects_changed(m, path, streq(member, "ScheduleRemoved"));
        if (r >= 0 && streq(member, "ScheduleNew"))
                r = sd_bus_emit_object_added(m->bus, path);
        if (r >= 0 && streq(member, "ScheduleRemoved"))
                r = sd_bus_emit_interfaces_removed(m->bus, path, HYPER_SCHEDULE_INTERFACE, NULL);
        if (r >= 0 && streq(member, "ScheduleChanged")) {
                m->schedule = schedule_row_free(m->schedule);
                r = sd_bus_emit_properties_changed(m->bus, path, HYPER_SCHEDULE_INTERFACE, "Name",
                                "Description", "Schedule", "OnCalendar", "Enabled", "OverlapPolicy",
                                "CatchUp", "NextRunUSec", "LastRunUSec", "RunCount", "LastJobId",
                                "LastStatus", "Job", NULL);
        }
        if (r < 0)
                log_warning_errno(r, "Failed to tell the bus of schedule %s: %m", id);
}
