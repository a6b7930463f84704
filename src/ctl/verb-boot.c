/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb-boot.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/boot-view.h"
#include "ctl/job-view.h"

static int write_stdout(const void *png, size_t size) {
        if (fwrite(png, 1, size, stdout) == size && fflush(stdout) == 0)
                return EXIT_OK;
        log_error_errno(-errno, "Failed to write the screenshot: %m");
        return EXIT_OTHER;
}

/* A file must not exist. */
static int write_file(const char *file, const void *png, size_t size) {
        _cleanup_close_ int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

        if (fd < 0)
                return log_error_errno(-errno, "Failed to create %s: %m", file), EXIT_OTHER;
        int r = pwrite_full(fd, png, size, 0);
        if (r >= 0)
                return EXIT_OK;
        log_error_errno(r, "Failed to write %s: %m", file);
        (void) unlink(file);
        return EXIT_OTHER;
}

static int save_screenshot(Ctl *ctl, sd_bus *bus, const char *id, const char *path, const char *file) {
        _cleanup_free_ char *what = strprintf("Reading the screenshot of job %s", id);
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        const void *png;
        size_t size;

        if (!what)
                return log_oom(), EXIT_OTHER;
        int r = sd_bus_call_method(
                        bus, HYPER_BUS_NAME, path, HYPER_JOB_INTERFACE, "Screenshot", &error, &reply, NULL);
        if (r >= 0)
                r = sd_bus_message_read_array(reply, 'y', &png, &size);
        if (r < 0)
                return client_failure(ctl, &error, r, what);
        return streq(file, "-") ? write_stdout(png, size) : write_file(file, png, size);
}

int verb_boot(Ctl *ctl, char **words) {
        const char *id = words[0], *file = words[1];
        _cleanup_(json_decrefp) json_t *job = NULL;
        _cleanup_free_ char *path = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;

        if (file && streq(file, "-") && isatty(STDOUT_FILENO)) {
                log_error("The image is not written to a terminal; redirect the output, or give a file.");
                return EXIT_USAGE;
        }
        int status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = job_view_find(ctl, bus, id, &path, &job);
        if (status != EXIT_OK)
                return status;
        json_t *boot = json_object_get(json_object_get(job, "result"), "boot");
        if (!boot) {
                log_error("Job %s has no proof of boot: it was submitted without --boot-check, or the "
                          "proof has not ended.",
                                id);
                return EXIT_OTHER;
        }
        if (file && streq(file, "-"))
                return save_screenshot(ctl, bus, id, path, file);
        if (ctl->args.json != JSON_MODE_OFF)
                status = client_print_json(ctl, boot);
        else if (boot_view(ctl, boot, SIZE_MAX) < 0)
                return log_oom(), EXIT_OTHER;
        return status == EXIT_OK && file ? save_screenshot(ctl, bus, id, path, file) : status;
}
