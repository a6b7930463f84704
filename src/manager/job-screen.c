/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job-screen.h"

#include "basic/string-util.h"
#include "manager/manager.h"
#include "shared/error-table.h"
#include "spec/job-file.h"

#define SCREENSHOTS "screenshots"
#define SCREENSHOT_MAX ((size_t) 16 * 1024 * 1024)

/* The name follows from the ID: the result, which may be that of a worker, does not choose the file. */
static int read_screenshot(const Job *j, char **ret, size_t *ret_size) {
        _cleanup_free_ char *directory = strprintf("%s/" SCREENSHOTS, j->manager->state_directory),
                            *name = strprintf("%s.png", j->row->id);

        return directory && name ? job_file_read(directory, name, SCREENSHOT_MAX, ret, ret_size) : -ENOMEM;
}

int job_method_screenshot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *png = NULL;
        const Job *j = userdata;
        size_t size;
        int r = read_screenshot(j, &png, &size);

        if (r == -ENOENT)
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_FILE,
                                "Job %s has no screenshot: it has no proof of boot (boot_check), libvirt "
                                "could not see the screen, or it was removed after 30 days",
                                j->row->id);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_append_array(reply, 'y', png, size);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
