/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The properties of a job's unit, as data. What systemd makes of them, tests/system/sandbox.sh looks at. */

#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/appliance-slots.h"
#include "manager/job-directory.h"
#include "manager/job-user.h"
#include "manager/systemd-version.h"
#include "manager/unit-properties.h"
#include "spec/job-file.h"
#include "spec/job-result.h"
#include "unit/lib/test.h"

static char *const sources[] = { (char *) "/srv/in/a.vmdk", (char *) "/srv/in/a-s001.vmdk", NULL };
static char *const sockets[] = { (char *) "/run/nbd.sock", NULL };
static char *const credentials[] = { (char *) "source.tls_psk", (char *) "/var/lib/hyper/credentials/x.cred",
        NULL };

static UnitProperties properties(UnitRequest q) {
        UnitProperties p = {};

        q.job_id = "a-b";
        q.user = "hyper-abc";
        q.directory = "/var/lib/hyper/jobs/a\\x2db";
        q.root = "/run/hyper-jobs/a\\x2db";
        ck_assert_int_eq(unit_properties_for_job(&q, &p), 0);
        return p;
}

static const UnitProperty *get(const UnitProperties *p, const char *name) {
        const UnitProperty *found = unit_properties_find(p, name);

        ck_assert_msg(found, "there is no %s", name);
        return found;
}

static bool has(const UnitProperties *p, const char *name, const char *value) {
        return strv_contains(get(p, name)->strings, value);
}

static size_t count(const UnitProperties *p, const char *name) {
        size_t n = 0;

        for (size_t i = 0; i < p->n; i++)
                n += streq(p->items[i].name, name);
        return n;
}

START_TEST(a_local_job_is_shut_in) {
        _cleanup_(unit_properties_done) UnitProperties p = properties((UnitRequest){ .source_files = sources,
                        .part_dir = "/srv/out/.b.hyper-part",
                        .submitter = "alice",
                        .timeout_seconds = 60,
                        .priority = 50 });

        ck_assert_uint_eq(get(&p, "PrivateNetwork")->number, true);
        ck_assert_uint_eq(strv_length(get(&p, "RestrictAddressFamilies")->strings), 1);
        ck_assert(has(&p, "RestrictAddressFamilies", "AF_UNIX"));
        ck_assert(has(&p, "RootDirectory", "/run/hyper-jobs/a\\x2db"));
        ck_assert(has(&p, "ProtectSystem", "strict"));
        ck_assert_uint_eq(get(&p, "CapabilityBoundingSet")->number, 1 << CAP_DAC_READ_SEARCH);
        ck_assert_uint_eq(get(&p, "AmbientCapabilities")->number, 1 << CAP_DAC_READ_SEARCH);
        ck_assert_uint_eq(get(&p, "DynamicUser")->number, true);
        ck_assert(has(&p, "User", "hyper-abc"));
        ck_assert_uint_eq(get(&p, "NoNewPrivileges")->number, true);
        ck_assert_uint_eq(get(&p, "RestrictNamespaces")->number, 0);
        ck_assert_uint_eq(get(&p, "RuntimeMaxUSec")->number, 60000000);
        ck_assert_uint_eq(get(&p, "SuccessExitStatus")->number, JOB_EXIT_CANCELLED);
        ck_assert_uint_ne(get(&p, "LogRateLimitIntervalUSec")->number,
                        0); /* which would be no property at all */
        ck_assert_uint_ge(get(&p, "LogRateLimitBurst")->number, 1000000);
        ck_assert(has(&p, "LogExtraFields", "HYPER_JOB_ID=a-b"));
        ck_assert(has(&p, "LogExtraFields", "HYPER_SUBMITTER=alice"));
        ck_assert(has(&p, "Slice", "hyper-jobs.slice"));
        ck_assert_ptr_null(unit_properties_find(&p, "LoadCredentialEncrypted"));

        /* Nothing but programs and its own files is bound, and what may be written is little. */
        ck_assert(has(&p, "BindReadOnlyPaths", "-/srv/in/a.vmdk"));
        ck_assert(has(&p, "BindReadOnlyPaths", "-/srv/in/a-s001.vmdk"));
        STRV_FOREACH(s, get(&p, "BindReadOnlyPaths")->strings)
                ck_assert_msg(!startswith(*s, "-/etc/") || streq(*s, "-/etc/ld.so.cache") ||
                                                streq(*s, "-/etc/alternatives"),
                                "%s is bound", *s);
        ck_assert_uint_eq(strv_length(get(&p, "BindPaths")->strings), 2);
        ck_assert(has(&p, "BindPaths", "-/srv/out/.b.hyper-part"));
        /* The plan is read-only. */
        ck_assert(has(&p, "BindReadOnlyPaths", "-/var/lib/hyper/jobs/a\\x2db"));
        ck_assert(has(&p, "BindPaths", "-/var/lib/hyper/jobs/a\\x2db/results"));
        /* A bind that must be there would keep finish from running after a daemon-reload. */
        STRV_FOREACH(s, get(&p, "BindPaths")->strings)
                ck_assert_int_eq(**s, '-');
        ck_assert_uint_eq(strv_length(get(&p, "ReadWritePaths")->strings), 3);
        /* Links into /usr are made in the root, other directories of programs are bound. */
        for (const char *const *path = job_root_links; *path; path++) {
                _cleanup_free_ char *target = NULL, *bind = strprintf("-%s", *path);
                int r = job_root_link_target(*path, &target);

                ck_assert_int_ge(r, 0);
                ck_assert_int_eq(has(&p, "BindReadOnlyPaths", bind), r == 0);
        }
        ck_assert(has(&p, "ReadOnlyPaths", "/sys"));
        ck_assert_uint_eq(get(&p, "ProtectControlGroups")->number, true);
        ck_assert(has(&p, "ProcSubset", "pid"));
        /* The /run that systemd would make has no limit. */
        ck_assert(has(&p, "TemporaryFileSystem", "/run"));
}
END_TEST

/* What shuts the job in depends on the systemd that runs. */
START_TEST(settings_follow_the_version_of_systemd) {
        _cleanup_(unit_properties_done)
                        UnitProperties old = properties((UnitRequest){ .systemd_version = 252 }),
                                       new = properties((UnitRequest){ .systemd_version = 257 });

        ck_assert(has(&old, "ReadOnlyPaths", "/sys"));
        ck_assert_ptr_null(unit_properties_find(&old, "ProtectKernelTunables"));
        ck_assert_ptr_null(unit_properties_find(&new, "ReadOnlyPaths"));
        ck_assert_uint_eq(get(&new, "ProtectKernelTunables")->number, true);

        ck_assert_uint_eq(systemd_version_parse("252.39-1~deb12u1"), 252);
        ck_assert_uint_eq(systemd_version_parse("v257.9"), 257);
        ck_assert_uint_eq(systemd_version_parse("260"), 260);
        ck_assert_uint_eq(systemd_version_parse("unknown"), 0);
        ck_assert_uint_eq(systemd_version_parse(""), 0);
        ck_assert_uint_eq(systemd_version_parse("99999999999999999999"), 0);
}
END_TEST

START_TEST(a_job_with_a_server_elsewhere_has_a_network_and_its_names) {
        _cleanup_(unit_properties_done) UnitProperties p =
                        properties((UnitRequest){ .source_files = sources, .network = true });

        ck_assert_uint_eq(get(&p, "PrivateNetwork")->number, false);
        ck_assert(has(&p, "RestrictAddressFamilies", "AF_INET6"));
        ck_assert(has(&p, "BindReadOnlyPaths", "-/etc/resolv.conf"));
        ck_assert(has(&p, "BindReadOnlyPaths", "-/etc/ssl/certs"));
        ck_assert(!has(&p, "BindReadOnlyPaths", "-/etc/ssl"));
        ck_assert_uint_eq(strv_length(get(&p, "BindPaths")->strings), 1);
}
END_TEST

START_TEST(sockets_and_secrets_are_handed_on) {
        _cleanup_(unit_properties_done) UnitProperties p =
                        properties((UnitRequest){ .sockets = sockets, .credentials = credentials });

        ck_assert_uint_eq(get(&p, "PrivateNetwork")->number, true);
        ck_assert(has(&p, "BindReadOnlyPaths", "-/run/nbd.sock"));
        /* A socket is connected to by who may write to it. */
        ck_assert_uint_eq(get(&p, "CapabilityBoundingSet")->number,
                        1 << CAP_DAC_READ_SEARCH | 1 << CAP_DAC_OVERRIDE);
        ck_assert_str_eq(get(&p, "LoadCredentialEncrypted")->strings[0], "source.tls_psk");
        ck_assert_str_eq(
                        get(&p, "LoadCredentialEncrypted")->strings[1], "/var/lib/hyper/credentials/x.cred");
}
END_TEST

START_TEST(a_job_with_vddk_sees_it_and_has_memory_for_it) {
        _cleanup_(unit_properties_done) UnitProperties p = properties((UnitRequest){
                        .network = true, .vddk_libdir = "/opt/vddk", .vddk_plugin = "/opt/p.so" });

        ck_assert(has(&p, "BindReadOnlyPaths", "-/opt/vddk"));
        ck_assert(has(&p, "BindReadOnlyPaths", "-/opt/p.so"));
        ck_assert_uint_eq(get(&p, "MemoryMax")->number, UINT64_C(2) << 30);
}
END_TEST

START_TEST(a_job_that_fixes_a_guest_has_its_appliance) {
        _cleanup_(unit_properties_done)
                        UnitProperties p = properties((UnitRequest){
                                                       .guest = true, .virtio_win = "/srv/virtio-win.iso" }),
                                       larger = properties(
                                                       (UnitRequest){ .guest = true, .guest_memory = 8192 }),
                                       other = properties(
                                                       (UnitRequest){ .virtio_win = "/srv/virtio-win.iso" });

        ck_assert_uint_eq(get(&p, "MemoryMax")->number, UINT64_C(3) << 30);
        ck_assert_uint_eq(get(&larger, "MemoryMax")->number, UINT64_C(9984) << 20);
        ck_assert(has(&p, "Wants", "hyper-appliance.service"));
        ck_assert(has(&p, "After", "hyper-appliance.service"));
        ck_assert(has(&p, "DeviceAllow", "/dev/kvm"));
        ck_assert(has(&p, "BindPaths", "-/dev/kvm"));
        ck_assert(has(&p, "BindReadOnlyPaths", "-" STATEDIR "/appliance"));
        ck_assert(has(&p, "BindReadOnlyPaths", "-/srv/virtio-win.iso"));
        ck_assert(!has(&other, "BindReadOnlyPaths", "-/srv/virtio-win.iso"));
        ck_assert_uint_eq(get(&p, "MemoryDenyWriteExecute")->number, true);
        ck_assert_uint_eq(get(&p, "PrivateNetwork")->number, true);
        ck_assert_uint_eq(get(&other, "MemoryMax")->number, UINT64_C(1) << 30);
        ck_assert_ptr_null(unit_properties_find(&other, "Wants"));
        ck_assert(!has(&other, "BindPaths", "-/dev/kvm"));
}
END_TEST

/* Other users than that of the manager read them, whatever its umask is. */
START_TEST(slots_of_appliances_are_made) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *slots = strprintf("%s/" JOB_APPLIANCE_SLOTS, dir),
                            *last = strprintf("%s/%u", slots, JOB_APPLIANCES_KVM - 1),
                            *more = strprintf("%s/9", slots);
        struct stat st;
        mode_t old = umask(0077);

        ck_assert_int_eq(appliance_slots_make(dir, 0), 0);
        ck_assert_int_eq(stat(slots, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0755);
        ck_assert_int_eq(stat(last, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0444);
        ck_assert_int_eq(access(more, F_OK), -1);
        ck_assert_int_eq(appliance_slots_make(dir, 10), 0);
        ck_assert_int_eq(access(more, F_OK), 0);
        umask(old);
}
END_TEST

START_TEST(prepare_and_finish_work_outside_run_inside) {
        _cleanup_(unit_properties_done) UnitProperties p = properties((UnitRequest){});

        ck_assert_str_eq(get(&p, "ExecStart")->strings[0], LIBEXECDIR "/hyper-job");
        ck_assert_str_eq(get(&p, "ExecStart")->strings[1], "run");
        ck_assert(has(&p, "ExecStartPre", "prepare"));
        ck_assert(has(&p, "ExecStartPre", "--target=1"));
        ck_assert(has(&p, "ExecStopPost", "finish"));
        ck_assert(has(&p, "ExecStopPost", "--target=1"));
        /* Each further command would take systemd as long. */
        ck_assert_uint_eq(count(&p, "ExecStartPre"), 1);
        ck_assert_uint_eq(count(&p, "ExecStopPost"), 1);
        ck_assert_uint_eq(get(&p, "RootDirectoryStartOnly")->number, true);
        ck_assert_uint_eq(get(&p, "PermissionsStartOnly")->number, true);
        /* systemd 252 forgets these two when it reads the unit again after a daemon-reload. */
        ck_assert_ptr_null(unit_properties_find(&p, "ExecStartPreEx"));
        ck_assert_ptr_null(unit_properties_find(&p, "ExecStopPostEx"));
}
END_TEST

/* One of the command lines is that of this verb. */
static bool runs(const UnitProperties *p, const char *name, const char *verb) {
        for (size_t i = 0; i < p->n; i++)
                if (streq(p->items[i].name, name) && streq(p->items[i].strings[1], verb))
                        return true;
        return false;
}

/* As on a machine where /bin is a link, and one where it is not. */
START_TEST(the_root_of_a_job_has_the_links_of_the_machine) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *root = strprintf("%s/root", dir), *link = strprintf("%s/l", dir),
                            *target = NULL;

        ck_assert_int_eq(job_root_make(root), 0);
        ck_assert_int_eq(job_root_make(root), 0);
        for (const char *const *path = job_root_links; *path; path++) {
                _cleanup_free_ char *there = NULL, *name = strprintf("%s%s", root, *path);
                char found[64] = "";
                int r = job_root_link_target(*path, &there);

                ck_assert_int_eq(readlink(name, found, sizeof(found) - 1) > 0, r > 0);
                ck_assert_str_eq(found, r > 0 ? there : "");
        }
        ck_assert_int_eq(job_root_link_target(root, &target), 0);
        ck_assert_int_eq(job_root_link_target(link, &target), 0);
        ck_assert_int_eq(symlink("usr/lib", link), 0);
        ck_assert_int_eq(job_root_link_target(link, &target), 1);
        ck_assert_str_eq(target, "usr/lib");
        /* Of another place, a job would see nothing. */
        ck_assert_int_eq(unlink(link), 0);
        ck_assert_int_eq(symlink("/opt/lib", link), 0);
        target = mfree(target);
        ck_assert_int_eq(job_root_link_target(link, &target), 0);
        ck_assert_ptr_null(target);
        ck_assert_int_eq(remove_tree(root), 0);
        ck_assert_int_lt(access(root, F_OK), 0);
        ck_assert_int_eq(access("/usr", F_OK), 0);
}
END_TEST

START_TEST(finish_alone) {
        _cleanup_(unit_properties_done) UnitProperties p = {};

        ck_assert_int_eq(
                        unit_properties_for_finish("a", "/var/lib/hyper/jobs/a", FINISH_OUTPUT, 0, NULL, &p),
                        0);
        ck_assert_str_eq(get(&p, "ExecStart")->strings[1], "finish-later");
        ck_assert(has(&p, "Type", "oneshot"));
        ck_assert_ptr_null(unit_properties_find(&p, "RootDirectory"));
}
END_TEST

START_TEST(finish_with_a_proof_of_boot) {
        _cleanup_(unit_properties_done) UnitProperties p = {};

        ck_assert_int_eq(unit_properties_for_finish(
                                         "a", "/var/lib/hyper/jobs/a", FINISH_BOOT, USEC_PER_SEC, NULL, &p),
                        0);
        ck_assert(runs(&p, "ExecStart", "boot"));
        ck_assert(runs(&p, "ExecStopPost", "boot-end"));
        ck_assert(!runs(&p, "ExecStart", "define"));
        ck_assert_uint_eq(get(&p, "TimeoutStartUSec")->number, 3601 * USEC_PER_SEC);
}
END_TEST

START_TEST(each_job_has_a_user_of_its_own) {
        _cleanup_free_ char *a = job_user_name("a"), *again = job_user_name("a"), *b = job_user_name("b");

        ck_assert_str_eq(a, again);
        ck_assert_str_ne(a, b);
        ck_assert_uint_eq(strlen(a), 31);
        ck_assert_uint_eq(strspn(a, "abcdefghijklmnopqrstuvwxyz234567-"), 31);
        /* The first 125 bits of SHA-256("a"), ca978112ca1bbdcafac231b39a23dc4d…, five at a time. */
        ck_assert_str_eq(a, "hyper-zklycewkdo64v6wcggzzui64j");
}
END_TEST

START_TEST(weights) {
        ck_assert_uint_eq(weight_from_priority(0), 10);
        ck_assert_uint_eq(weight_from_priority(50), 100);
        ck_assert_uint_eq(weight_from_priority(100), 1000);
        ck_assert_uint_eq(weight_from_priority(UINT32_MAX), 1000);
        for (unsigned i = 0; i < 100; i++)
                ck_assert_uint_lt(weight_from_priority(i), weight_from_priority(i + 1));
}
END_TEST

TEST_MAIN("manager-unit", a_local_job_is_shut_in, settings_follow_the_version_of_systemd,
                a_job_with_a_server_elsewhere_has_a_network_and_its_names, sockets_and_secrets_are_handed_on,
                a_job_that_fixes_a_guest_has_its_appliance, a_job_with_vddk_sees_it_and_has_memory_for_it,
                prepare_and_finish_work_outside_run_inside, slots_of_appliances_are_made, finish_alone,
                finish_with_a_proof_of_boot, the_root_of_a_job_has_the_links_of_the_machine,
                each_job_has_a_user_of_its_own, weights)
