/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks, snapshots, export leases and their downloads, /folder, against the simulator */
#include "vsphere/lease.h"

#include <openssl/evp.h>
#include <sys/eventfd.h>

#include "unit/lib/vsphere-test.h"
#include "vsphere/datastore-path.h"
#include "vsphere/download.h"
#include "vsphere/snapshot.h"
#include "vsphere/vm.h"

/* --- snapshots ------------------------------------------------------------------------------------- */

typedef struct Progress {
        unsigned calls, last;
} Progress;

static void on_progress(unsigned percent, void *userdata) {
        Progress *p = userdata;

        ck_assert_uint_le(percent, 100);
        p->calls++;
        p->last = percent;
}

START_TEST(snapshots_come_and_go) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-task-time", "20ms", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *vm = vcsim_vm(&v, "DC0_C0_RP0_VM0"), *id = NULL, *child = NULL, *found = NULL,
                            *none = NULL;
        _cleanup_vm_detail_ VmDetail d = {};

        assert_result(s, snapshot_find(s, vm, "hyper <é&>", &none), -ENOENT);
        assert_result(s, snapshot_create(s, vm, "hyper <é&>", "a text", false, &id), 0);
        assert_result(s, snapshot_create(s, vm, "below", "", true, &child), 0);
        assert_result(s, snapshot_find(s, vm, "below", &found), 0);
        ck_assert_str_eq(found, child);
        free(found);
        assert_result(s, snapshot_find(s, vm, "hyper <é&>", &found), 0);
        ck_assert_str_eq(found, id);
        assert_result(s, vm_read(s, vm, &d), 0);
        ck_assert(d.has_snapshots);
        ck_assert_uint_eq(d.disks[0].links, 3);
        ck_assert_str_ne(d.disks[0].file, d.disks[0].base_file);
        assert_result(s, snapshot_remove(s, id, USEC_PER_MINUTE, NULL, NULL), 0);
        assert_result(s, snapshot_remove(s, child, USEC_PER_MINUTE, NULL, NULL), 0);
        assert_result(s, snapshot_remove(s, child, USEC_PER_MINUTE, NULL, NULL), 0); /* it is gone */
        session_logout(s);
}
END_TEST

START_TEST(a_task_fails_with_its_fault) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-task-time", "20ms", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *vm = vcsim_vm(&v, "DC0_C0_RP0_VM0");
        char *id = NULL;

        vcsim_fault(&v,
                        "{\"on\":\"sdk\",\"method\":\"CreateSnapshot_Task\",\"kind\":\"task\",\"fault\":\"FileLocked\","
                        "\"message\":\"The file is locked.\"}");
        assert_result(s, snapshot_create(s, vm, "x", "", false, &id), -EBUSY);
        ck_assert_str_eq(test_fault(s), "FileLocked");
        assert_contains(session_error(s), "The file is locked.");
        ck_assert_ptr_null(id);
        session_logout(s);
}
END_TEST

START_TEST(a_task_that_takes_long_is_waited_for) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-task-time", "1h", NULL);
        _cleanup_close_ int fd = eventfd(1, EFD_CLOEXEC);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *vm = vcsim_vm(&v, "DC0_C0_RP0_VM0");
        _cleanup_request_ SoapRequest *q = NULL;
        Progress p = {};

        ck_assert_int_eq(soap_request_new("ResetVM_Task", "VirtualMachine", vm, &q), 0);
        assert_result(s, task_run(s, q, 300 * USEC_PER_MSEC, on_progress, &p, NULL), -ETIMEDOUT);
        assert_contains(session_error(s), "ResetVM_Task");
        session_set_cancel_fd(s, fd);
        assert_result(s, task_run(s, q, USEC_PER_HOUR, NULL, NULL, NULL), -ECANCELED);
        session_set_cancel_fd(s, -1);
        session_logout(s);
}
END_TEST

/* --- leases ---------------------------------------------------------------------------------------- */

typedef struct Received {
        EVP_MD_CTX *digest;
        uint64_t bytes, fail_at;
        int error;
} Received;

static int on_data(void *userdata, const void *data, size_t size) {
        Received *r = userdata;

        r->bytes += size;
        ck_assert_int_eq(EVP_DigestUpdate(r->digest, data, size), 1);
        return r->fail_at > 0 && r->bytes >= r->fail_at ? r->error : 0;
}

static Received receive(const EVP_MD *type) {
        Received r = { .digest = EVP_MD_CTX_new() };

        ck_assert_int_eq(EVP_DigestInit_ex(r.digest, type, NULL), 1);
        return r;
}

static char *hex_of(Received *r) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        char hex[2 * EVP_MAX_MD_SIZE + 1];
        unsigned n;

        ck_assert_int_eq(EVP_DigestFinal_ex(r->digest, digest, &n), 1);
        for (unsigned i = 0; i < n; i++)
                sprintf(hex + 2 * i, "%02x", digest[i]);
        EVP_MD_CTX_free(r->digest);
        return strdup(hex);
}

static int get(const LeaseDevice *d, const char *thumbprint, Received *r, char **ret_error) {
        DownloadOptions options = {
                .url = d->url,
                .thumbprint = thumbprint,
                .cancel_fd = -1,
                .sink = on_data,
                .userdata = r,
        };

        return download(&options, ret_error);
}

static const LeaseDevice *first_disk(const Lease *l) {
        for (size_t i = 0; i < l->n_devices; i++)
                if (l->devices[i].disk)
                        return &l->devices[i];
        ck_abort_msg("the lease has no disk");
        return NULL;
}

static Session *powered_off(const Vcsim *v, char **ret_vm) {
        Session *s = test_log_in(v);

        *ret_vm = vcsim_vm(v, "DC0_C0_RP0_VM0");
        assert_result(s, vm_power_off(s, *ret_vm), 0);
        return s;
}

static void export_and_compare(bool sha256) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-task-time", "20ms", "-lease-init", "20ms", NULL);
        _cleanup_free_ char *vm = NULL, *error = NULL, *hex = NULL;
        _cleanup_session_ Session *s = powered_off(&v, &vm);
        _cleanup_lease_manifest_ LeaseManifest m = {};
        _cleanup_lease_ Lease l = {};
        Received received = receive(sha256 ? EVP_sha256() : EVP_sha1());
        const LeaseDevice *d;

        assert_result(s, lease_export_vm(s, vm, NULL, NULL, &l), 0);
        ck_assert_uint_eq(l.timeout, 300 * USEC_PER_SEC);
        if (sha256)
                assert_result(s, lease_use_sha256(s, &l), 0);
        d = first_disk(&l);
        ck_assert_int_eq(get(d, d->thumbprint, &received, &error), 0);
        assert_result(s, lease_progress(s, &l, 50), 0);
        assert_result(s, lease_manifest(s, &l, &m), 0);
        hex = hex_of(&received);
        ck_assert_uint_eq(m.n_entries, 1);
        ck_assert_str_eq(m.entries[0].key, d->key);
        ck_assert_int_eq(m.entries[0].sha256, sha256);
        ck_assert_str_eq(m.entries[0].hex, hex);
        ck_assert_uint_eq(m.entries[0].size, received.bytes);
        assert_result(s, lease_complete(s, &l), 0);
        assert_result(s, lease_abort(s, &l), 0); /* it has ended */
        session_logout(s);
}

START_TEST(an_export_has_the_checksum_of_the_manifest) {
        export_and_compare(false);
        export_and_compare(true);
}
END_TEST

START_TEST(a_running_vm_is_exported_from_a_snapshot) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-task-time", "20ms", "-lease-init", "20ms", NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *vm = vcsim_vm(&v, "DC0_C0_RP0_VM0"), *snapshot = NULL;
        _cleanup_lease_ Lease l = {}, refused = {};

        assert_result(s, lease_export_vm(s, vm, NULL, NULL, &refused), -EBADFD);
        ck_assert_str_eq(test_fault(s), "InvalidPowerState");
        assert_result(s, snapshot_create(s, vm, "x", "", false, &snapshot), 0);
        assert_result(s, lease_export_snapshot(s, snapshot, NULL, NULL, &l), 0);
        ck_assert_ptr_nonnull(first_disk(&l)->url);
        assert_result(s, lease_abort(s, &l), 0);
        assert_result(s, snapshot_remove(s, snapshot, USEC_PER_MINUTE, NULL, NULL), 0);
        session_logout(s);
}
END_TEST

START_TEST(the_star_is_the_host) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v =
                        vcsim_start(dir, "-star-nfc", "-task-time", "20ms", "-lease-init", "20ms", NULL);
        _cleanup_free_ char *vm = NULL;
        _cleanup_session_ Session *s = powered_off(&v, &vm);
        _cleanup_lease_ Lease l = {};

        assert_result(s, lease_export_vm(s, vm, NULL, NULL, &l), 0);
        ck_assert_ptr_nonnull(startswith(first_disk(&l)->url, "https://127.0.0.1:"));
        assert_result(s, lease_abort(s, &l), 0);
        session_logout(s);
}
END_TEST

START_TEST(a_host_with_another_certificate_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-nfc-listen", "127.0.0.1:0", "-task-time", "20ms",
                        "-lease-init", "20ms", NULL);
        _cleanup_free_ char *vm = NULL, *error = NULL, *none = NULL;
        _cleanup_session_ Session *s = powered_off(&v, &vm);
        _cleanup_lease_ Lease l = {};
        Received received = receive(EVP_sha1());

        assert_result(s, lease_export_vm(s, vm, NULL, NULL, &l), 0);
        ck_assert_int_eq(get(first_disk(&l), v.thumbprint, &received, &error), -EKEYREJECTED);
        assert_contains(error, "certificate");
        ck_assert_uint_eq(received.bytes, 0);
        ck_assert_int_eq(get(first_disk(&l), first_disk(&l)->thumbprint, &received, &none), 0);
        free(hex_of(&received));
        assert_result(s, lease_abort(s, &l), 0);
        session_logout(s);
}
END_TEST

START_TEST(downloads_that_fail_say_why) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-task-time", "20ms", "-lease-init", "20ms", NULL);
        static const struct {
                const char *fault;
                int error;
        } cases[] = {
                { "{\"on\":\"nfc\",\"kind\":\"reset\",\"at\":3000}", -ECONNRESET },
                { "{\"on\":\"nfc\",\"kind\":\"truncate\",\"at\":3000}", -ECONNRESET },
                { "{\"on\":\"nfc\",\"kind\":\"http\",\"status\":503}", -EBUSY },
                { "{\"on\":\"nfc\",\"kind\":\"http\",\"status\":401}", -EACCES },
                { "{\"on\":\"nfc\",\"kind\":\"http\",\"status\":404}", -ENOENT },
                { "{\"on\":\"nfc\",\"kind\":\"http\",\"status\":302}", -EPROTO },
        };
        _cleanup_free_ char *vm = NULL;
        _cleanup_session_ Session *s = powered_off(&v, &vm);
        _cleanup_lease_ Lease l = {};

        assert_result(s, lease_export_vm(s, vm, NULL, NULL, &l), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Received received = receive(EVP_sha1());
                _cleanup_free_ char *error = NULL;

                vcsim_fault(&v, cases[i].fault);
                ck_assert_msg(get(first_disk(&l), first_disk(&l)->thumbprint, &received, &error) ==
                                                cases[i].error,
                                "%s: %s", cases[i].fault, strna(error));
                ck_assert_ptr_nonnull(error);
                vcsim_no_faults(&v);
                free(hex_of(&received));
        }
        assert_result(s, lease_abort(s, &l), 0);
        session_logout(s);
}
END_TEST

START_TEST(a_download_can_be_ended) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-task-time", "20ms", "-lease-init", "20ms", NULL);
        _cleanup_close_ int fd = eventfd(1, EFD_CLOEXEC);
        _cleanup_free_ char *vm = NULL, *error = NULL, *none = NULL;
        _cleanup_session_ Session *s = powered_off(&v, &vm);
        _cleanup_lease_ Lease l = {};
        Received received = receive(EVP_sha1());

        assert_result(s, lease_export_vm(s, vm, NULL, NULL, &l), 0);
        received.fail_at = 1;
        received.error = -ENOSPC;
        ck_assert_int_eq(get(first_disk(&l), first_disk(&l)->thumbprint, &received, &error), -ENOSPC);
        DownloadOptions options = {
                .url = first_disk(&l)->url,
                .ca = v.ca,
                .cancel_fd = fd,
                .sink = on_data,
                .userdata = &received,
        };
        ck_assert_int_eq(download(&options, &none), -ECANCELED);
        free(hex_of(&received));
        assert_result(s, lease_abort(s, &l), 0);
        session_logout(s);
}
END_TEST

START_TEST(a_lease_can_end_before_the_export) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, "-task-time", "20ms", "-lease-init", "20ms", NULL);
        _cleanup_free_ char *vm = NULL, *error = NULL;
        _cleanup_session_ Session *s = powered_off(&v, &vm);
        Received received = receive(EVP_sha1());
        _cleanup_lease_ Lease l = {};

        assert_result(s, lease_export_vm(s, vm, NULL, NULL, &l), 0);
        vcsim_control(&v, "/sessions/end?leases=yes");
        test_now += 2 * USEC_PER_MINUTE;
        ck_assert_int_lt(lease_progress(s, &l, 1), 0);
        ck_assert_int_eq(get(first_disk(&l), first_disk(&l)->thumbprint, &received, &error), -ENOENT);
        free(hex_of(&received));
        assert_result(s, lease_abort(s, &l), 0);
        session_logout(s);
}
END_TEST

/* --- /folder --------------------------------------------------------------------------------------- */

START_TEST(datastore_paths_are_taken_apart) {
        static const struct {
                const char *path, *datastore, *file;
        } good[] = {
                { "[ds] a/b.vmdk", "ds", "a/b.vmdk" },
                { "[ds ü & (1)] web 01+é/web 01.vmdk", "ds ü & (1)", "web 01+é/web 01.vmdk" },
                { "[a] [b] c", "a", "[b] c" },
        };
        static const char *const bad[] = { "", "[", "[]", "[] a", "[a]", "[a] ", "[a]b", "a [b] c", "[a" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_free_ char *datastore = NULL, *file = NULL;

                ck_assert_int_eq(datastore_path_split(good[i].path, &datastore, &file), 0);
                ck_assert_str_eq(datastore, good[i].datastore);
                ck_assert_str_eq(file, good[i].file);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char *datastore = NULL, *file = NULL;

                ck_assert_int_eq(datastore_path_split(bad[i], &datastore, &file), -EINVAL);
        }
}
END_TEST

START_TEST(urls_have_escapes) {
        SessionOptions options = {
                .server = { .url = "https://vc:444/sdk", .cancel_fd = -1 }, .username = "u", .password = "p"
        };
        _cleanup_session_ Session *s = test_session(&options);
        _cleanup_free_ char *url = NULL, *flat = NULL;
        char *none = NULL;

        ck_assert_int_eq(datastore_path_flat("[ds ü & (1)] web 01+é/50%/a.vmdk", &flat), 0);
        ck_assert_int_eq(datastore_path_url(s, "F0/DC 0", flat, &url), 0);
        ck_assert_str_eq(url,
                        "https://vc:444/folder/web%2001%2B%C3%A9/50%25/a-flat.vmdk?dcPath=F0%2FDC%200&"
                        "dsName=ds%20%C3%BC%20%26%20%281%29");
        ck_assert_int_eq(datastore_path_flat("[ds] a.iso", &none), -EINVAL);
        ck_assert_int_eq(datastore_path_url(s, "DC0", "a.vmdk", &none), -EINVAL);
}
END_TEST

TEST_MAIN("vsphere-lease", snapshots_come_and_go, a_task_fails_with_its_fault,
                a_task_that_takes_long_is_waited_for, an_export_has_the_checksum_of_the_manifest,
                a_running_vm_is_exported_from_a_snapshot, the_star_is_the_host,
                a_host_with_another_certificate_is_refused, downloads_that_fail_say_why,
                a_download_can_be_ended, a_lease_can_end_before_the_export, datastore_paths_are_taken_apart,
                urls_have_escapes)
