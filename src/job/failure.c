/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/failure.h"
#include "basic/string-util.h"
#include "spec/job-result.h"

/* Can trying again help? */
static const struct {
        const char *code;
        JobOutcome outcome;
        int errors[7]; /* those that mean it when nothing better is known; 0 ends */
} failures[] = {
        /* The source */
        { "source_missing", OUTCOME_TRANSIENT, { ENOENT, ENOTDIR } },
        { "source_in_use", OUTCOME_TRANSIENT, {} },
        { "source_changed", OUTCOME_FAILED, {} },
        { "checksum_mismatch", OUTCOME_FAILED, {} },
        { "format_mismatch", OUTCOME_FAILED, {} },
        { "image_refused", OUTCOME_FAILED, {} },
        { "image_damaged", OUTCOME_FAILED, { EBADMSG } },
        { "vsphere_login", OUTCOME_FAILED, {} },
        { "vsphere_permission", OUTCOME_FAILED, {} },
        { "vsphere_ambiguous", OUTCOME_FAILED, {} },
        { "vsphere_busy", OUTCOME_TRANSIENT, {} },
        { "vsphere_shutdown", OUTCOME_FAILED, {} },
        { "vsphere_changed", OUTCOME_FAILED, {} },
        { "vsphere_started", OUTCOME_FAILED, {} },
        { "vsphere_failed", OUTCOME_TRANSIENT, {} },
        { "certificate", OUTCOME_FAILED, {} },
        /* The destination */
        { "destination_exists", OUTCOME_FAILED, { EEXIST } },
        { "destination_refused", OUTCOME_FAILED, { EROFS, ELOOP, EMLINK, ESTALE } },
        { "destination_busy", OUTCOME_TRANSIENT, { EBUSY } },
        { "output_damaged", OUTCOME_TRANSIENT, {} }, /* the next attempt begins anew */
        { "no_space", OUTCOME_TRANSIENT, { ENOSPC, EDQUOT } },
        { "verification_failed", OUTCOME_FAILED, {} },
        { "publish_failed", OUTCOME_TRANSIENT, {} },
        /* libvirt */
        { "domain_exists", OUTCOME_FAILED, {} },
        { "libvirt_refused", OUTCOME_FAILED, {} },
        { "libvirt_unavailable", OUTCOME_TRANSIENT, {} },
        /* The guest */
        { "appliance_failed", OUTCOME_TRANSIENT, {} },
        { "ambiguous_root", OUTCOME_FAILED, {} },
        { "guest_unknown", OUTCOME_FAILED, {} },
        { "guest_hibernated", OUTCOME_FAILED, {} },
        { "guest_encrypted", OUTCOME_FAILED, {} },
        { "guest_dynamic_disks", OUTCOME_FAILED, {} },
        { "guest_file_system_damaged", OUTCOME_FAILED, {} },
        { "guest_inspection_failed", OUTCOME_FAILED, {} },
        { "guest_initramfs_failed", OUTCOME_FAILED, {} },
        { "guest_write_failed", OUTCOME_FAILED, {} },
        { "guest_read_only", OUTCOME_FAILED, {} },
        { "guest_no_initramfs_tool", OUTCOME_FAILED, {} },
        { "no_space_in_guest", OUTCOME_FAILED, {} },
        { "commit_failed", OUTCOME_TRANSIENT, {} }, /* the next attempt repeats it */
        { "guest_failed", OUTCOME_TRANSIENT, {} }, /* hyper-guest was killed */
        /* On the way */
        { "connection_failed", OUTCOME_TRANSIENT,
                        { ECONNRESET, EPIPE, ESHUTDOWN, ENOTCONN, ECONNREFUSED, EHOSTUNREACH,
                                        ENETUNREACH } },
        { "timed_out", OUTCOME_TRANSIENT, { ETIMEDOUT } },
        { "io_error", OUTCOME_TRANSIENT, { EIO } },
        { "server_died", OUTCOME_TRANSIENT, {} },
        { "out_of_memory", OUTCOME_TRANSIENT, { ENOMEM, EMFILE, ENFILE, EAGAIN } },
        { "permission_denied", OUTCOME_FAILED, { EACCES, EPERM } },
        { "unsupported", OUTCOME_FAILED, { EOPNOTSUPP, EPROTO, EFBIG, EINVAL, ENOSYS } },
        { "program_missing", OUTCOME_FAILED, {} },
        { "cancelled", OUTCOME_CANCELLED, { ECANCELED } },
        { "failed", OUTCOME_FAILED, {} },
};

JobOutcome failure_outcome(const char *code) {
        for (size_t i = 0; i < ELEMENTSOF(failures); i++)
                if (streq(failures[i].code, code))
                        return failures[i].outcome;
        return OUTCOME_FAILED;
}

const char *failure_code_from_errno(int error) {
        error = abs(error);
        for (size_t i = 0; i < ELEMENTSOF(failures); i++)
                for (size_t k = 0; k < ELEMENTSOF(failures[i].errors) && failures[i].errors[k] > 0; k++)
                        if (failures[i].errors[k] == error)
                                return failures[i].code;
        return "failed";
}
