/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "shared/error-table.h"

/* The last entry before the end is INTERNAL: what everything unknown becomes. Where two have the same errno,
 * the first one stands for it, and both have the same HTTP status. */
static const ErrorEntry table[] = {
        { HYPER_BUS_ERROR_INVALID_SPEC, EBADMSG, 400, "The job spec is not valid." },
        { HYPER_BUS_ERROR_INVALID_ARGUMENT, EINVAL, 400, "An argument is not valid." },
        { HYPER_BUS_ERROR_NOT_SUPPORTED, EOPNOTSUPP, 400, "This is not built in." },
        { HYPER_BUS_ERROR_NO_SUCH_JOB, ENOENT, 404, "There is no such job." },
        { HYPER_BUS_ERROR_JOB_EXISTS, EEXIST, 409, "Another job with this id exists already." },
        { HYPER_BUS_ERROR_JOB_FINISHED, EALREADY, 400, "The job has ended already." },
        { HYPER_BUS_ERROR_PATH_REFUSED, EPERM, 400, "The configuration does not allow this path." },
        { HYPER_BUS_ERROR_ACCESS_DENIED, EACCES, 403, "You are not allowed to do this." },
        { HYPER_BUS_ERROR_TOO_LARGE, EFBIG, 413, "The request is too large." },
        { HYPER_BUS_ERROR_UNAVAILABLE, EAGAIN, 503, "The service is not available just now; try again." },
        { HYPER_BUS_ERROR_NO_SUCH_HOST, ENXIO, 404, "There is no such host." },
        { HYPER_BUS_ERROR_NO_SUCH_VM, ENODEV, 404, "There is no such VM on this host." },
        { HYPER_BUS_ERROR_HOST_EXISTS, ENOTUNIQ, 409, "A host with this id exists already." },
        { HYPER_BUS_ERROR_HOST_NOT_CONNECTED, ENOLINK, 503, "The host is not connected." },
        { HYPER_BUS_ERROR_WRONG_STATE, EBADFD, 409, "The VM is not in a state for this." },
        { HYPER_BUS_ERROR_LIBVIRT, EREMOTEIO, 500, "libvirt failed, and does not say why." },
        { HYPER_BUS_ERROR_NO_SUCH_WEBHOOK, EADDRNOTAVAIL, 404, "There is no such webhook." },
        { HYPER_BUS_ERROR_INVALID_SCHEDULE, EBADMSG, 400, "The schedule is not valid." },
        { HYPER_BUS_ERROR_NO_SUCH_SCHEDULE, ENOENT, 404, "There is no such schedule." },
        { HYPER_BUS_ERROR_SCHEDULE_EXISTS, EEXIST, 409, "A schedule with this id exists already." },
        { HYPER_BUS_ERROR_NO_SUCH_WORKER, ENOTNAM, 404, "There is no such worker." },
        { HYPER_BUS_ERROR_NOT_HELD, ENOLCK, 409, "This worker does not hold the job." },
        { HYPER_BUS_ERROR_JOB_UNAVAILABLE, ENAVAIL, 409, "The job cannot be assigned to this worker now." },
        { HYPER_BUS_ERROR_NO_SUCH_KEY, ENOKEY, 404, "There is no such API key." },
        { HYPER_BUS_ERROR_KEY_EXISTS, EEXIST, 409, "An API key of this name exists already." },
        { HYPER_BUS_ERROR_NO_SUCH_SOURCE, ENOPKG, 404, "There is no such source." },
        { HYPER_BUS_ERROR_SOURCE_EXISTS, EEXIST, 409, "A source of this name exists already." },
        { HYPER_BUS_ERROR_NO_SUCH_SESSION, ENOKEY, 404, "There is no such session." },
        { HYPER_BUS_ERROR_NO_SUCH_FILE, ENOENT, 404, "There is no such file." },
        { HYPER_BUS_ERROR_NO_SUCH_UPLOAD, ENOENT, 404, "There is no such upload." },
        { HYPER_BUS_ERROR_TOO_MANY_UPLOADS, EDQUOT, 409, "There are too many uploads." },
        { HYPER_BUS_ERROR_CHUNK_BUSY, EINPROGRESS, 409, "This chunk is being written." },
        { HYPER_BUS_ERROR_CHUNKS_MISSING, ENODATA, 409, "Not all chunks are there." },
        { HYPER_BUS_ERROR_NO_SPACE, ENOSPC, 507, "There is no space on the disk for this." },
        { HYPER_BUS_ERROR_LOGIN_REFUSED, EKEYREVOKED, 400, "The server has refused the user or password." },
        { HYPER_BUS_ERROR_CERTIFICATE_REFUSED, EKEYREJECTED, 400, "The certificate is not trusted." },
        { HYPER_BUS_ERROR_SERVER_DENIED, EBADE, 403, "The server does not permit this to the user." },
        { HYPER_BUS_ERROR_NO_SUCH_SOURCE_VM, ENODEV, 404, "There is no such VM on the server." },
        { HYPER_BUS_ERROR_AMBIGUOUS_VM, ENOTUNIQ, 409, "Several VMs have this name." },
        { HYPER_BUS_ERROR_SERVER_TIMEOUT, ETIME, 504, "The server did not answer in time." },
        { HYPER_BUS_ERROR_SERVER_UNREACHABLE, EHOSTDOWN, 502, "The server cannot be reached." },
        { HYPER_BUS_ERROR_VSPHERE, EBADR, 502, "The server has failed, and does not say why." },
        { HYPER_BUS_ERROR_INTERNAL, EIO, 500, "Something failed inside; the journal says what." },
        {},
};

/* What the bus itself, sd-bus and D-Bus activation answer in place of the manager. */
static const struct {
        const char *bus_name;
        int error;
} bus_aliases[] = {
        { SD_BUS_ERROR_ACCESS_DENIED, EACCES },
        { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, EACCES },
        { SD_BUS_ERROR_AUTH_FAILED, EACCES },
        { SD_BUS_ERROR_INVALID_ARGS, EINVAL },
        { SD_BUS_ERROR_INVALID_SIGNATURE, EINVAL },
        { SD_BUS_ERROR_INCONSISTENT_MESSAGE, EINVAL },
        { SD_BUS_ERROR_UNKNOWN_OBJECT, ENOENT },
        { SD_BUS_ERROR_UNKNOWN_METHOD, EOPNOTSUPP },
        { SD_BUS_ERROR_UNKNOWN_INTERFACE, EOPNOTSUPP },
        { SD_BUS_ERROR_UNKNOWN_PROPERTY, EOPNOTSUPP },
        { SD_BUS_ERROR_NOT_SUPPORTED, EOPNOTSUPP },
        { SD_BUS_ERROR_SERVICE_UNKNOWN, EAGAIN },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER, EAGAIN },
        { SD_BUS_ERROR_NO_REPLY, EAGAIN },
        { SD_BUS_ERROR_TIMEOUT, EAGAIN },
        { SD_BUS_ERROR_DISCONNECTED, EAGAIN },
        { SD_BUS_ERROR_NO_SERVER, EAGAIN },
        { SD_BUS_ERROR_LIMITS_EXCEEDED, EAGAIN },
        { SD_BUS_ERROR_NO_MEMORY, EAGAIN },
        { "org.freedesktop.DBus.Error.TimedOut", EAGAIN },
        { "org.freedesktop.systemd1.NoSuchUnit", EAGAIN },
        { "org.freedesktop.systemd1.LoadFailed", EAGAIN },
        { "org.freedesktop.systemd1.UnitMasked", EAGAIN },
};

/* The errno with which a call fails when nobody could answer it. */
static const int unavailable[] = { ETIMEDOUT, ECONNREFUSED, ECONNRESET, ENOTCONN, EPIPE, EHOSTUNREACH, EBUSY,
        ENOMEM, ENOBUFS, EMFILE, ENFILE, ENOMEDIUM };

/* sd-bus wants its map to stay where it is. */
static sd_bus_error_map bus_map[ELEMENTSOF(table)];

__attribute__((__constructor__)) static void register_bus_map(void) {
        size_t i;

        for (i = 0; table[i].bus_name; i++)
                bus_map[i] = (sd_bus_error_map){ .name = table[i].bus_name, .code = table[i].error };
        bus_map[i] = (sd_bus_error_map) SD_BUS_ERROR_MAP_END;
        (void) sd_bus_error_add_map(bus_map);
}

static const ErrorEntry *entry_internal(void) {
        return &table[ELEMENTSOF(table) - 2];
}

const ErrorEntry *error_table(void) {
        return table;
}

const ErrorEntry *error_entry_by_errno(int error) {
        error = abs(error);
        for (const ErrorEntry *e = table; e->bus_name; e++)
                if (e->error == error)
                        return e;
        for (size_t i = 0; i < ELEMENTSOF(unavailable); i++)
                if (unavailable[i] == error)
                        return error_entry_by_errno(EAGAIN);
        return entry_internal();
}

const ErrorEntry *error_entry_by_bus_name(const char *name) {
        for (const ErrorEntry *e = table; name && e->bus_name; e++)
                if (streq(e->bus_name, name))
                        return e;
        for (size_t i = 0; name && i < ELEMENTSOF(bus_aliases); i++)
                if (streq(bus_aliases[i].bus_name, name))
                        return error_entry_by_errno(bus_aliases[i].error);
        return entry_internal();
}

int bus_error_setf(sd_bus_error *error, const char *bus_name, const char *format, ...) {
        const ErrorEntry *e = error_entry_by_bus_name(bus_name);
        _cleanup_free_ char *text = NULL;
        va_list ap;

        if (format) {
                va_start(ap, format);
                text = utf8_vprintf(format, ap); /* as all strings of D-Bus are */
                va_end(ap);
        }
        (void) sd_bus_error_set(error, e->bus_name, format ? strna(text) : e->text);
        return -e->error;
}
