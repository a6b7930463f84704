/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/unit-stop.h"

#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "spec/job-file.h"

/* systemd's own socket for root: during a shutdown, the bus may be stopped already. */
#define SYSTEMD_SOCKET "unix:path=/run/systemd/private"
#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define CALL_TIMEOUT (5 * USEC_PER_SEC)

static int connect_systemd(sd_bus **ret) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_address(bus, SYSTEMD_SOCKET);
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                *ret = TAKE_PTR(bus);
        return r;
}

/* 1 if systemd has a job that stops @unit, 0 if it has none, or negative errno. */
static int is_stopped(sd_bus *bus, const char *unit) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *path = NULL, *type = NULL;
        const char *job_path;
        uint32_t id;
        int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);

        if (r >= 0)
                r = sd_bus_get_property(bus, SYSTEMD_NAME, path, SYSTEMD_NAME ".Unit", "Job", &error, &reply,
                                "(uo)");
        if (r >= 0)
                r = sd_bus_message_read(reply, "(uo)", &id, &job_path);
        if (r < 0 || id == 0)
                return r < 0 ? r : 0;
        r = sd_bus_get_property_string(
                        bus, SYSTEMD_NAME, job_path, SYSTEMD_NAME ".Job", "JobType", &error, &type);
        return r < 0 ? r : streq(type, "stop") || streq(type, "restart");
}

void unit_stop_note(const char *directory) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const char *slash = strrchr(directory, '/');
        /* Directories and units have the same escaped IDs. */
        _cleanup_free_ char *unit = strprintf("hyper-job-%s.service", slash ? slash + 1 : directory);
        int r;

        if (!getenv("SERVICE_RESULT")) /* no unit has called this */
                return;
        r = unit ? connect_systemd(&bus) : -ENOMEM;
        if (r >= 0)
                r = is_stopped(bus, unit);
        if (r < 0)
                log_warning_errno(r, "Failed to ask systemd whether the unit is stopped: %m");
        if (r <= 0)
                return;
        r = job_mark_set(directory, JOB_MARK_STOPPED);
        if (r < 0)
                log_warning_errno(r, "Failed to note that the unit was stopped: %m");
}
