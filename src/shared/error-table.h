/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one table of errors a person or a program can meet: what the bus calls it, the errno it is inside, and
 * the HTTP status every dialect answers. The table is also registered with sd_bus_error_add_map(3), so that
 * sd_bus_error_get_errno(3) and a failed sd_bus_call(3) turn org.hyper1.Error.* into the errno here. */

#include <systemd/sd-bus.h>

#include "basic/macro.h"

typedef struct ErrorEntry {
        const char *bus_name; /* "org.hyper1.Error.NoSuchJob" */
        int error; /* positive errno */
        int http_status;
        const char *text; /* what to say when there is nothing more exact */
} ErrorEntry;

#define HYPER_BUS_ERROR_INVALID_SPEC "org.hyper1.Error.InvalidSpec" /* EBADMSG, 400 */
#define HYPER_BUS_ERROR_INVALID_ARGUMENT "org.hyper1.Error.InvalidArgument" /* EINVAL, 400 */
#define HYPER_BUS_ERROR_NOT_SUPPORTED \
        "org.hyper1.Error.NotSupported" /* EOPNOTSUPP, 400: lists what is built in */
#define HYPER_BUS_ERROR_NO_SUCH_JOB "org.hyper1.Error.NoSuchJob" /* ENOENT, 404 */
#define HYPER_BUS_ERROR_JOB_EXISTS "org.hyper1.Error.JobExists" /* EEXIST, 409 */
#define HYPER_BUS_ERROR_JOB_FINISHED "org.hyper1.Error.JobFinished" /* EALREADY, 400 */
#define HYPER_BUS_ERROR_PATH_REFUSED \
        "org.hyper1.Error.PathRefused" /* EPERM, 400: configuration forbids the path */
#define HYPER_BUS_ERROR_ACCESS_DENIED "org.hyper1.Error.AccessDenied" /* EACCES, 403 */
#define HYPER_BUS_ERROR_TOO_LARGE "org.hyper1.Error.TooLarge" /* EFBIG, 413 */
#define HYPER_BUS_ERROR_UNAVAILABLE "org.hyper1.Error.Unavailable" /* EAGAIN, 503: try again */
#define HYPER_BUS_ERROR_NO_SUCH_HOST "org.hyper1.Error.NoSuchHost" /* ENXIO, 404 */
#define HYPER_BUS_ERROR_NO_SUCH_VM "org.hyper1.Error.NoSuchVm" /* ENODEV, 404 */
#define HYPER_BUS_ERROR_HOST_EXISTS "org.hyper1.Error.HostExists" /* ENOTUNIQ, 409 */
#define HYPER_BUS_ERROR_HOST_NOT_CONNECTED "org.hyper1.Error.HostNotConnected" /* ENOLINK, 503 */
#define HYPER_BUS_ERROR_WRONG_STATE "org.hyper1.Error.WrongState" /* EBADFD, 409: of a VM, or of a job */
#define HYPER_BUS_ERROR_LIBVIRT "org.hyper1.Error.Libvirt" /* EREMOTEIO, 500: libvirt's own words */
#define HYPER_BUS_ERROR_NO_SUCH_WEBHOOK "org.hyper1.Error.NoSuchWebhook" /* EADDRNOTAVAIL, 404 */
#define HYPER_BUS_ERROR_INVALID_SCHEDULE "org.hyper1.Error.InvalidSchedule" /* EBADMSG, 400 */
#define HYPER_BUS_ERROR_NO_SUCH_SCHEDULE "org.hyper1.Error.NoSuchSchedule" /* ENOENT, 404 */
#define HYPER_BUS_ERROR_SCHEDULE_EXISTS "org.hyper1.Error.ScheduleExists" /* EEXIST, 409 */
#define HYPER_BUS_ERROR_NO_SUCH_WORKER "org.hyper1.Error.NoSuchWorker" /* ENOTNAM, 404 */
#define HYPER_BUS_ERROR_NOT_HELD \
        "org.hyper1.Error.NotHeld" /* ENOLCK, 409: the worker does not hold the job */
#define HYPER_BUS_ERROR_JOB_UNAVAILABLE \
        "org.hyper1.Error.JobUnavailable" /* ENAVAIL, 409: it cannot be given to a worker now */
#define HYPER_BUS_ERROR_NO_SUCH_KEY "org.hyper1.Error.NoSuchKey" /* ENOKEY, 404 */
#define HYPER_BUS_ERROR_KEY_EXISTS "org.hyper1.Error.KeyExists" /* EEXIST, 409 */
#define HYPER_BUS_ERROR_NO_SUCH_SOURCE "org.hyper1.Error.NoSuchSource" /* ENOPKG, 404 */
#define HYPER_BUS_ERROR_SOURCE_EXISTS "org.hyper1.Error.SourceExists" /* EEXIST, 409 */
#define HYPER_BUS_ERROR_NO_SUCH_SESSION "org.hyper1.Error.NoSuchSession" /* ENOKEY, 404 */
#define HYPER_BUS_ERROR_NO_SUCH_FILE "org.hyper1.Error.NoSuchFile" /* ENOENT, 404 */
#define HYPER_BUS_ERROR_NO_SUCH_UPLOAD "org.hyper1.Error.NoSuchUpload" /* ENOENT, 404 */
#define HYPER_BUS_ERROR_TOO_MANY_UPLOADS "org.hyper1.Error.TooManyUploads" /* EDQUOT, 409 */
#define HYPER_BUS_ERROR_CHUNK_BUSY "org.hyper1.Error.ChunkBusy" /* EINPROGRESS, 409 */
#define HYPER_BUS_ERROR_CHUNKS_MISSING "org.hyper1.Error.ChunksMissing" /* ENODATA, 409 */
#define HYPER_BUS_ERROR_NO_SPACE "org.hyper1.Error.NoSpace" /* ENOSPC, 507 */
/* Of hyper-vsphered. "Server" is a vCenter or an ESXi host. */
#define HYPER_BUS_ERROR_LOGIN_REFUSED "org.hyper1.Error.LoginRefused" /* EKEYREVOKED, 400 */
#define HYPER_BUS_ERROR_CERTIFICATE_REFUSED "org.hyper1.Error.CertificateRefused" /* EKEYREJECTED, 400 */
#define HYPER_BUS_ERROR_SERVER_DENIED "org.hyper1.Error.ServerDenied" /* EBADE, 403 */
#define HYPER_BUS_ERROR_NO_SUCH_SOURCE_VM "org.hyper1.Error.NoSuchSourceVm" /* ENODEV, 404 */
#define HYPER_BUS_ERROR_AMBIGUOUS_VM "org.hyper1.Error.AmbiguousVm" /* ENOTUNIQ, 409 */
#define HYPER_BUS_ERROR_SERVER_TIMEOUT "org.hyper1.Error.ServerTimeout" /* ETIME, 504 */
#define HYPER_BUS_ERROR_SERVER_UNREACHABLE "org.hyper1.Error.ServerUnreachable" /* EHOSTDOWN, 502 */
#define HYPER_BUS_ERROR_VSPHERE "org.hyper1.Error.VSphere" /* EBADR, 502: the server's own words */
#define HYPER_BUS_ERROR_INTERNAL "org.hyper1.Error.Internal" /* EIO, 500 */

/* By bus name (also the org.freedesktop.DBus.Error.* that a call can meet), or by errno of either sign (also
 * those with which a call fails that nobody could answer: they are UNAVAILABLE). Never NULL: all else is
 * INTERNAL. */
const ErrorEntry *error_entry_by_bus_name(const char *name);
const ErrorEntry *error_entry_by_errno(int error);

/* All entries, for tests and documentation; ends with a NULL bus_name. */
const ErrorEntry *error_table(void);

/* Fills @error (which may be NULL) with @bus_name and a text (@format NULL: the entry's own); returns the
 * entry's -errno, as sd-bus handlers return it. */
int bus_error_setf(sd_bus_error *error, const char *bus_name, const char *format, ...) _printf_(3, 4);
