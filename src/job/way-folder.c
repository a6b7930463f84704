/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/way-folder.h"

#include "basic/string-util.h"
#include "engine/endpoint-http.h"
#include "vsphere/datastore-path.h"
#include "vsphere/session.h"

#define FLAT_BACKING "VirtualDiskFlatVer2BackingInfo"

static int no(char **ret_why_not, const char *why) {
        *ret_why_not = strdup(why);
        return *ret_why_not ? 0 : -ENOMEM;
}

/* Only the first link of a chain is a raw disk; what is behind it is in formats that the server alone reads.
 * The snapshot of a running VM makes one more. */
static int probe(VsphereSource *v, size_t disk, char **ret_why_not) {
        const VmDisk *d = v->disks[disk].device;

        if (d->rdm || !streq_ptr(d->backing, FLAT_BACKING))
                return no(ret_why_not, "it is not stored as a flat file");
        if (v->vm.has_snapshots || d->links != 1)
                return no(ret_why_not, "the VM has snapshots, and only a disk without them can be read");
        return 1;
}

/* Of all endpoints of the session, the first one renews it. */
static int renew(void *userdata, const char *old, char **ret, char **ret_error) {
        VsphereSource *v = userdata;
        int r = 0;

        vsphere_lock(v);
        const char *cookie = soap_cookie(session_soap(v->session));
        if (!cookie || streq_ptr(cookie, old)) {
                r = session_renew(v->session);
                if (r < 0)
                        *ret_error = strprintf(
                                        "the server has ended the session, and logging in again failed: %s",
                                        session_error(v->session));
                cookie = soap_cookie(session_soap(v->session));
        }
        if (r >= 0) {
                *ret = strdup(strempty(cookie));
                r = *ret ? 0 : -ENOMEM;
        }
        vsphere_unlock(v);
        return r == -EKEYEXPIRED ? -ECONNRESET : r; /* a later attempt may be luckier */
}

/* What opening may find, with the code of the failure and the remedy. */
static int fail(VsphereSource *v, size_t disk, int error, const char *why) {
        static const struct {
                int error;
                const char *code, *remedy;
        } failures[] = {
                { EOPNOTSUPP, "unsupported", ": set parameters.conversion_method to \"nfc\"" },
                { ENOENT, "source_missing", "" },
                { EACCES, "vsphere_permission", ": the user needs the privilege Datastore.FileManagement" },
                { EKEYREJECTED, "certificate", ": set source.ca or source.thumbprint" },
                { ETIMEDOUT, "vsphere_busy", "" },
        };
        const char *label = strna(v->disks[disk].device->label);

        if (error == -ECANCELED)
                return error;
        vsphere_explain(v);
        for (size_t i = 0; i < ELEMENTSOF(failures); i++)
                if (failures[i].error == -error)
                        return attempt_fail(v->attempt, error, failures[i].code,
                                        "Opening %s over https failed: %s%s", label, why,
                                        failures[i].remedy);
        return attempt_fail(v->attempt, error, NULL, "Opening %s over https failed: %s", label, why);
}

/* Where the disk is, and with which cookie it can be read. */
static int locate(VsphereSource *v, size_t disk, char **ret_url, char **ret_cookie) {
        _cleanup_free_ char *file = NULL, *url = NULL;

        int r = datastore_path_flat(strempty(v->disks[disk].device->base_file), &file);
        if (r < 0)
                return r;
        vsphere_lock(v);
        r = datastore_path_url(v->session, strempty(v->vm.datacenter_path), file, &url);
        const char *cookie = soap_cookie(session_soap(v->session));
        if (r >= 0) {
                *ret_cookie = strdup(strempty(cookie));
                r = *ret_cookie ? 0 : -ENOMEM;
        }
        vsphere_unlock(v);
        if (r >= 0)
                *ret_url = TAKE_PTR(url);
        return r;
}

/* The endpoint; on errors *ret_why may be NULL. */
static int open_endpoint(VsphereSource *v, size_t disk, Endpoint **ret, char **ret_why) {
        const VmDisk *d = v->disks[disk].device;
        _cleanup_free_ char *url = NULL, *cookie = NULL,
                            *agent = strprintf("hyper/%s (%s)", PACKAGE_VERSION, v->attempt->plan->job_id);

        int r = agent ? locate(v, disk, &url, &cookie) : -ENOMEM;
        if (r < 0) {
                *ret_why = strdup("its file has no usable name");
                return r;
        }
        const HttpOptions options = {
                .url = url,
                .size = d->capacity,
                .label = strna(d->label),
                .cookie = cookie,
                .ca = v->spec->ca,
                .thumbprint = v->spec->thumbprint,
                .user_agent = agent,
                .cancel_fd = v->attempt->cancel_fd,
                .renew = renew,
                .userdata = v,
        };
        return endpoint_http_new(&options, ret, ret_why);
}

/* The first request is one for a range. */
static int try(VsphereSource *v, size_t disk, char **ret_why_not) {
        _cleanup_endpoint_ Endpoint *e = NULL;
        _cleanup_free_ char *why = NULL;
        int r = open_endpoint(v, disk, &e, &why);

        if (r >= 0)
                return 1;
        if (r == -ECANCELED || r == -ENOMEM)
                return r;
        return no(ret_why_not, why ? why : strerror(-r));
}

static int open_disk(VsphereSource *v, size_t disk, Connection *ret) {
        _cleanup_free_ char *why = NULL;

        *ret = (Connection){};
        int r = open_endpoint(v, disk, &ret->endpoint, &why);
        if (r < 0)
                return fail(v, disk, r, why ? why : strerror(-r));
        ret->endpoint->tally = &v->counts->received[VSPHERE_METHOD_HTTPS];
        return 0;
}

const VsphereWay way_folder = {
        .method = VSPHERE_METHOD_HTTPS,
        .random = true,
        .probe = probe,
        .try = try,
        .open = open_disk,
};
