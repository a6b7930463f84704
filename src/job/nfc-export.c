/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/nfc-export.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"

#define KEEP_MAX (60 * USEC_PER_SEC)
/* The server notes that a file was sent to its end after its last byte was received. */
#define MANIFEST_TRIES 20
#define MANIFEST_DELAY_MS 250

struct NfcExport {
        VsphereSource *source; /* not owned */
        Lease lease;
        bool *used; /* of each disk of the VM */
        unsigned downloads; /* under way */
        bool no_manifest;
        atomic_uint percent;
        int stop; /* an eventfd: the thread shall end */
        pthread_t keeper;
        bool has_keeper;
};

/* --- the lease ------------------------------------------------------------------------------------- */

/* An error is not the end: a lease that is gone fails its downloads. */
static void *keep(void *userdata) {
        NfcExport *e = userdata;
        struct pollfd p = { .fd = e->stop, .events = POLLIN };
        usec_t interval = CLAMP(e->lease.timeout / 3, USEC_PER_SEC / 2, KEEP_MAX);

        while (poll(&p, 1, (int) (interval / USEC_PER_MSEC)) == 0) {
                vsphere_lock(e->source);
                (void) lease_progress(e->source->session, &e->lease, atomic_load(&e->percent));
                vsphere_unlock(e->source);
        }
        return NULL;
}

static void stop_keeper(NfcExport *e) {
        if (!e->has_keeper)
                return;
        (void) eventfd_write(e->stop, 1);
        (void) pthread_join(e->keeper, NULL);
        e->has_keeper = false;
}

/* The session is locked. */
static void note_lease(VsphereSource *v, const char *id) {
        if (free_and_strdup(&v->note.lease, id) >= 0)
                vsphere_note_write(&v->note, v->session);
}

static void on_lease(const char *id, void *userdata) {
        VsphereSource *v = userdata;

        v->counts->leases++;
        note_lease(v, id);
}

NfcExport *nfc_export_free(NfcExport *e) {
        if (!e)
                return NULL;
        stop_keeper(e);
        if (e->lease.id) {
                vsphere_lock(e->source);
                (void) lease_abort(e->source->session, &e->lease);
                note_lease(e->source, NULL);
                vsphere_unlock(e->source);
        }
        lease_done(&e->lease);
        safe_close(e->stop);
        free(e->used);
        free(e);
        return NULL;
}
DEFINE_CLEANUP_FUNC(NfcExport *, nfc_export_free);

/* What will be so in the next attempt, too: no permission, not supported, a fault of the VM. */
static bool is_refusal(int error) {
        return error == -EPERM || error == -EOPNOTSUPP || error == -EREMOTEIO;
}

/* The session is locked. If the server refuses: -EOPNOTSUPP with the reason in *ret_refusal, unless that is
 * NULL. */
static int begin_lease(VsphereSource *v, NfcExport *e, char **ret_refusal) {
        int r = v->snapshot ? lease_export_snapshot(v->session, v->snapshot, on_lease, v, &e->lease)
                            : lease_export_vm(v->session, v->vm.summary.id, on_lease, v, &e->lease);

        if (r < 0 && ret_refusal && is_refusal(r)) {
                *ret_refusal = strdup(session_error(v->session));
                return *ret_refusal ? -EOPNOTSUPP : -ENOMEM;
        }
        if (r < 0)
                return vsphere_fail(v, r, "Exporting %s", strna(v->vm.summary.name));
        r = lease_use_sha256(v->session, &e->lease);
        return r < 0 && r != -EOPNOTSUPP ? vsphere_fail(v, r, "Asking for checksums of the export") : 0;
}

static int begin_export(VsphereSource *v, NfcExport **ret, char **ret_refusal) {
        _cleanup_(nfc_export_freep) NfcExport *e = new0(NfcExport, 1);

        if (!e)
                return -ENOMEM;
        e->source = v;
        e->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        e->used = new0(bool, v->vm.n_disks);
        if (e->stop < 0 || !e->used)
                return -ENOMEM;
        vsphere_lock(v);
        /* A lease whose ID is not known yet cannot be aborted: a cancel waits. */
        session_set_cancel_fd(v->session, -1);
        int r = begin_lease(v, e, ret_refusal);
        session_set_cancel_fd(v->session, v->attempt->cancel_fd);
        vsphere_unlock(v);
        if (r < 0)
                return r;
        r = pthread_create(&e->keeper, NULL, keep, e);
        if (r > 0)
                return attempt_fail(v->attempt, r, NULL, "Starting a thread failed: %s", strerror(r));
        e->has_keeper = true;
        *ret = TAKE_PTR(e);
        return 0;
}

/* --- downloads ------------------------------------------------------------------------------------- */

/* "ParaVirtualSCSIController0:0", as the keys of the devices of a lease end. NULL when out of memory. */
static char *name_of_device(const VmDetail *vm, const VmDisk *d) {
        for (size_t i = 0; i < vm->n_controllers; i++)
                if (vm->controllers[i].key == d->controller)
                        return strprintf("%s%u:%u", strempty(vm->controllers[i].type),
                                        vm->controllers[i].bus, d->unit);
        return strprintf("?:%u", d->unit);
}

static const LeaseDevice *find_device(const NfcExport *e, const char *name) {
        for (size_t i = 0; i < e->lease.n_devices; i++) {
                const LeaseDevice *d = &e->lease.devices[i];
                const char *slash = strrchr(d->key, '/');

                if (d->disk && streq(slash ? slash + 1 : d->key, name))
                        return d;
        }
        return NULL;
}

static int find_disk(VsphereSource *v, size_t disk, const LeaseDevice **ret) {
        _cleanup_free_ char *name = name_of_device(&v->vm, v->disks[disk].device);

        if (!name)
                return -ENOMEM;
        *ret = find_device(v->nfc, name);
        return 0;
}

int nfc_export_try(VsphereSource *v, size_t disk, char **ret_why_not) {
        const LeaseDevice *device;
        int r = v->nfc ? 0 : begin_export(v, &v->nfc, ret_why_not);

        if (r < 0)
                return *ret_why_not ? 0 : r;
        r = find_disk(v, disk, &device);
        if (r < 0 || device)
                return r < 0 ? r : 1;
        *ret_why_not = strdup("the server does not export it: it may be independent or in use");
        return *ret_why_not ? 0 : -ENOMEM;
}

int nfc_export_acquire(VsphereSource *v, size_t disk, const LeaseDevice **ret) {
        const VmDisk *d = v->disks[disk].device;

        if (v->nfc && v->nfc->used[disk]) {
                assert(v->nfc->downloads == 0);
                int r = nfc_export_complete(v);
                if (r < 0)
                        return r;
        }
        if (!v->nfc) {
                int r = begin_export(v, &v->nfc, NULL);
                if (r < 0)
                        return r;
        }
        const LeaseDevice *device;
        int r = find_disk(v, disk, &device);
        if (r < 0)
                return r;
        if (!device)
                return attempt_fail(v->attempt, EPROTO, "unsupported",
                                "The server does not export %s of %s: it may be independent or in use",
                                strna(d->label), strna(v->vm.summary.name));
        v->nfc->used[disk] = true;
        v->nfc->downloads++;
        *ret = device;
        return 0;
}

void nfc_export_release(VsphereSource *v) {
        v->nfc->downloads--;
}

void nfc_export_set_percent(NfcExport *e, unsigned percent) {
        if (e)
                atomic_store(&e->percent, MIN(percent, 99u));
}

static const LeaseChecksum *find_checksum(const LeaseManifest *m, const char *key) {
        for (size_t i = 0; i < m->n_entries; i++)
                if (streq_ptr(m->entries[i].key, key))
                        return &m->entries[i];
        return NULL;
}

static int read_checksum(
                VsphereSource *v, const char *key, uint64_t *ret_size, bool *ret_sha256, char **ret_hex) {
        _cleanup_lease_manifest_ LeaseManifest m = {};

        vsphere_lock(v);
        int r = lease_manifest(v->session, &v->nfc->lease, &m);
        if (r < 0 && r != -EOPNOTSUPP)
                r = vsphere_fail(v, r, "Reading the checksums of the export");
        vsphere_unlock(v);
        const LeaseChecksum *c = r < 0 ? NULL : find_checksum(&m, key);
        if (!c || !c->hex)
                return r;
        *ret_hex = strdup(c->hex);
        *ret_size = c->size;
        *ret_sha256 = c->sha256;
        return *ret_hex ? 1 : -ENOMEM;
}

int nfc_export_checksum(VsphereSource *v, const LeaseDevice *device, uint64_t *ret_size, bool *ret_sha256,
                char **ret_hex) {
        struct pollfd p = { .fd = v->attempt->cancel_fd, .events = POLLIN };

        for (unsigned i = 0; i < MANIFEST_TRIES && !v->nfc->no_manifest; i++) {
                int r = read_checksum(v, device->key, ret_size, ret_sha256, ret_hex);
                v->nfc->no_manifest = r == -EOPNOTSUPP;
                if (r != 0)
                        return r == -EOPNOTSUPP ? 0 : r;
                if (poll(&p, 1, MANIFEST_DELAY_MS) > 0)
                        return -ECANCELED;
        }
        /* Other disks do not wait for it again. */
        v->nfc->no_manifest = true;
        return 0;
}

int nfc_export_complete(VsphereSource *v) {
        if (!v->nfc)
                return 0;
        stop_keeper(v->nfc);
        vsphere_lock(v);
        int r = lease_complete(v->session, &v->nfc->lease);
        if (r < 0)
                r = vsphere_fail(v, r, "Completing the export of %s", strna(v->vm.summary.name));
        else
                note_lease(v, NULL);
        vsphere_unlock(v);
        if (r >= 0)
                lease_done(&v->nfc->lease);
        v->nfc = nfc_export_free(v->nfc);
        return r;
}
