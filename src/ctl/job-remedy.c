/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/job-remedy.h"
#include "basic/string-util.h"
#include "spec/job-state.h"

#define RETRY "then \"hyperctl retry {id}\"."

/* By the codes of hyper-job(8); the manager adds no others. */
static const struct {
        const char *code, *next;
} remedies[] = {
        { "source_missing", "Check the path of the source, " RETRY },
        { "source_in_use",
                        "Shut down the virtual machine that uses the source, " RETRY
                        " To copy it all the same, submit with --in-use=allow." },
        { "source_changed", "Make sure that nothing writes to the source, and submit the job again." },
        { "checksum_mismatch",
                        "Copy the source here again, or correct --checksum=, and submit the job again." },
        { "format_mismatch",
                        "Submit the job without --source-format=, or with the format that the error "
                        "names." },
        { "image_refused",
                        "\"hyperctl logs {id}\" has the details; hyper(7) says which images can be read." },
        { "image_damaged", "Get another copy of the image, and submit the job again." },
        { "destination_exists",
                        "Remove that file, or choose another destination, and submit the job again." },
        { "destination_refused", "Choose a destination in another directory, and submit the job again." },
        { "destination_busy", "Wait until nothing else uses the destination, " RETRY },
        { "output_damaged", "Try again with \"hyperctl retry {id}\": it begins anew." },
        { "no_space", "Free space where the destination is, " RETRY " It goes on from where it stopped." },
        { "verification_failed",
                        "Do not use the output. Check the disk (\"journalctl -k\"), and submit the job "
                        "again." },
        { "publish_failed", "Check the directory of the destination, " RETRY },
        { "connection_failed", "Check that the server can be reached, " RETRY },
        { "timed_out",
                        "\"hyperctl retry {id}\" goes on from where it stopped; --timeout= allows for more "
                        "time." },
        { "io_error", "Check the disks (\"journalctl -k\"), " RETRY },
        { "server_died", "\"hyperctl logs {id}\" has what the server said; " RETRY },
        { "out_of_memory", "Free memory, or run fewer jobs at once (jobs.max_running), " RETRY },
        { "permission_denied", "Allow access to that file, " RETRY },
        { "vsphere_login",
                        "Check the user and the password: \"hyperctl retry {id} "
                        "--secret=source.password:FILE\"." },
        { "vsphere_permission", "Give the user the privileges that hyper-job(8) lists, " RETRY },
        { "vsphere_ambiguous", "Submit the job with the whole inventory path, or with the UUID." },
        { "vsphere_busy", "Wait until the server is less busy, " RETRY },
        { "vsphere_shutdown",
                        "Shut the virtual machine down, or submit the job with parameters.power_off." },
        { "vsphere_changed", "Leave the virtual machine as it is while it is copied, " RETRY },
        { "vsphere_started", "Leave the virtual machine off during the cutover, " RETRY },
        { "vsphere_failed", "See the tasks and events of the virtual machine on the server, " RETRY },
        { "certificate", "Compare the thumbprint, and submit the job with source.ca or source.thumbprint." },
        { "unsupported", "\"hyperctl logs {id}\" has the details; hyper-job(8) says what is supported." },
        { "program_missing", "Install the program that is missing, " RETRY },
        { "domain_exists", "Change what the error names, and submit the job again." },
        { "libvirt_refused", "Change what the error names, and submit the job again." },
        { "libvirt_unavailable", "Start libvirtd, " RETRY },
        { "define_failed",
                        "The disks are complete: write the XML of the result to a file, correct it, and run "
                        "\"virsh define FILE\"." },
        { "start_failed", "The domain is defined: correct what the error names, and start it with virsh." },
        { "boot_failed",
                        "The domain is defined, and its disks are complete. The lines of its console and "
                        "a screenshot: \"hyperctl boot {id} screen.png\"." },
        { "appliance_failed",
                        "See \"journalctl -u hyper-appliance.service\", " RETRY
                        " With parameters.fix set to "
                        "none, a disk is copied without an appliance." },
        { "ambiguous_root", "Name one of the roots with parameters.root, and submit the job again." },
        { "guest_unknown",
                        "Check that the disks are those of a virtual machine, and that none is missing. "
                        "To copy disks without a system, submit the job with parameters.fix set to none." },
        { "guest_hibernated", "Start Windows, run \"shutdown /s /t 0\" in it, and submit the job again." },
        { "guest_encrypted",
                        "Run \"manage-bde -off C:\" in Windows, wait until it is decrypted, shut it down, "
                        "and submit the job again." },
        { "guest_dynamic_disks",
                        "Convert the dynamic disks of Windows to basic disks, or submit the job with "
                        "parameters.fix set to none." },
        { "guest_file_system_damaged",
                        "Repair the file system in the virtual machine of the source, and submit the job "
                        "again." },
        { "guest_inspection_failed",
                        "\"hyperctl logs {id}\" has the details. With parameters.fix set to none, the disk "
                        "is copied as it is." },
        { "guest_initramfs_failed",
                        "Rebuild the initramfs in the virtual machine of the source with the drivers of "
                        "virtio, and submit the job again." },
        { "guest_write_failed",
                        "\"hyperctl logs {id}\" has the details. With parameters.fix set to none, the disk "
                        "is copied as it is." },
        { "guest_read_only",
                        "Make the file system that the error names writable in the virtual machine of the "
                        "source, and submit the job again." },
        { "guest_no_initramfs_tool", "Submit the job again without parameters.method." },
        { "no_space_in_guest",
                        "Free space in the file system that the error names, and submit the job again." },
        { "commit_failed",
                        "Correct what the error names, and run \"hyperctl retry {id}\": the image is "
                        "complete when the job is." },
        { "guest_failed", "\"hyperctl logs {id}\" has what hyper-guest said; " RETRY },
        { "failed", "\"hyperctl logs {id}\" has the details; \"hyperctl retry {id}\" tries again." },
};

static const char *find_remedy(const char *code) {
        for (size_t i = 0; i < ELEMENTSOF(remedies); i++)
                if (streq(remedies[i].code, code))
                        return remedies[i].next;
        return find_remedy("failed");
}

/* A copy of @text with @id in place of each "{id}". */
static char *with_id(const char *text, const char *id) {
        static const char mark[] = "{id}";
        char *filled = strdup("");

        for (const char *p = text, *next; filled && *p; p = next) {
                _cleanup_free_ char *before = filled;
                const char *found = strstr(p, mark);

                next = found ? found + strlen(mark) : p + strlen(p);
                filled = strprintf("%s%.*s%s", before, (int) (found ? found - p : next - p), p,
                                found ? id : "");
        }
        return filled;
}

char *job_remedy(const JobView *v, const char *id) {
        _cleanup_(json_decrefp) json_t *result = json_loads(strempty(v->result), 0, NULL);
        json_t *error = json_object_get(result, "error");
        const char *code = json_string_value(json_object_get(error, "code"));

        if (!v->state || job_state_from_string(v->state) != JOB_FAILED)
                return strdup("");
        return with_id(find_remedy(code ? code : "failed"), id);
}
