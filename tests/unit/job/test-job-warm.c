/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The passes and the cutover of warm jobs, and areas that are wrong.
 *
 * weight: 0.3
 * check: all */

#include "job/vsphere-check.h"
#include "job/warm-state.h"
#include "unit/lib/job-warm.h"

/* --- it works --------------------------------------------------------------------------------------- */

START_TEST(in_passes) {
        static const char *const formats[] = { "qcow2", "raw" };
        BEGIN(.format = formats[_i]);

        JobWarmResult first = next_pass(&p);
        ck_assert_uint_ge(first.bytes, SIZE + SMALL);
        ck_assert(!first.verified);
        guest_works(&server, 7);
        JobWarmResult second = next_pass(&p);
        /* 10 blocks, 2 MiB, and the last block and 1 KiB of the small disk */
        ck_assert_uint_eq(second.bytes_areas, 10 * BLOCK + 2 * MIB + BLOCK + 1024);
        ck_assert_uint_eq(second.bytes, second.bytes_areas);
        ck_assert_uint_eq(second.bytes_differences, 0);
        ck_assert(second.verified);
        JobWarmResult none = next_pass(&p);
        ck_assert_uint_eq(none.bytes, 0);
        guest_works(&server, 8);
        JobWarmResult last = cut_over(&p);
        ck_assert_uint_eq(last.bytes_areas, second.bytes_areas);
        ck_assert(last.downtime_seconds > 0);
        ck_assert_uint_eq(vcsim_calls(&server, "ShutdownGuest"), 1);
        /* It was enabled, and is disabled again. */
        ck_assert_uint_eq(vcsim_calls(&server, "ReconfigVM_Task"), 2);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        assert_power(&server, "poweredOff");
}
END_TEST

/* The VM is off already. It has tracking, which stays on. */
START_TEST(of_a_vm_that_is_off) {
        BEGIN();

        (void) next_pass(&p);
        guest_works(&server, 7);
        vcsim_control(&server, "/vm?name=web&power=off");
        (void) cut_over(&p);
        ck_assert_uint_eq(vcsim_calls(&server, "ShutdownGuest"), 0);
}
END_TEST

/* All in one attempt. */
START_TEST(at_once) {
        BEGIN(.verify = "cutover");

        JobWarmResult r = cut_over(&p);
        ck_assert(r.verified);
        ck_assert_uint_eq(r.bytes_differences, 0);
}
END_TEST

START_TEST(powered_off_if_asked) {
        BEGIN();

        (void) next_pass(&p);
        vcsim_control(&server, "/vm?name=web&tools=not-installed");
        p.cutover = true;
        p.pass = 2;
        job_result_free(attempt_ends(&p, OUTCOME_FAILED, "vsphere_shutdown"));
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        assert_power(&server, "poweredOn");
        p.power_off = true;
        (void) cut_over(&p);
}
END_TEST

/* --- areas that are wrong --------------------------------------------------------------------------- */

static void lose_areas(const Vcsim *server, bool on) {
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_free_ char *path =
                                strprintf("/disk/lose-areas?vm=web&disk=%u&on=%s", i, on ? "yes" : "no");
                vcsim_control(server, path);
        }
}

static bool has_warning(const JobResult *r, size_t disk) {
        return json_array_size(json_object_get(json_array_get(r->outputs, disk), "warnings")) > 0;
}

/* The comparison finds what the server has not reported, and is repeated until it finds nothing. */
START_TEST(lost_areas_are_found) {
        BEGIN();

        (void) next_pass(&p);
        guest_works(&server, 7);
        lose_areas(&server, true);
        JobWarmResult second = next_pass(&p);
        ck_assert_uint_gt(second.bytes_differences, 0);
        ck_assert(!second.verified);
        guest_works(&server, 8);
        p.pass++;
        p.cutover = true;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(&p, OUTCOME_COMPLETED, NULL);
        ck_assert_uint_gt(r->warm.bytes_differences, 0);
        ck_assert(r->warm.verified);
        ck_assert(has_warning(r, 0) && has_warning(r, 1));
        assert_same_as_source(&p);
}
END_TEST

/* The VM is off, so that no pass follows: the result is compared again. */
START_TEST(lost_areas_are_found_by_the_last_pass) {
        BEGIN();

        (void) next_pass(&p);
        lose_areas(&server, true);
        guest_works(&server, 7);
        vcsim_control(&server, "/vm?name=web&power=off");
        JobWarmResult last = cut_over(&p);
        ck_assert_uint_gt(last.bytes_differences, 0);
        ck_assert(last.verified);
}
END_TEST

/* What is lost after the comparison is found by another one with the VM off, if that is asked for. */
START_TEST(lost_areas_are_found_by_the_cutover) {
        BEGIN(.verify = _i == 0 ? "cutover" : "precopy");

        (void) next_pass(&p);
        JobWarmResult second = next_pass(&p);
        ck_assert(second.verified);
        lose_areas(&server, true);
        guest_writes(&server, 1, 0, BLOCK, 9);
        p.pass++;
        p.cutover = true;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(&p, OUTCOME_COMPLETED, NULL);
        ck_assert_uint_eq(r->warm.bytes_differences, _i == 0 ? BLOCK : 0);
        ck_assert_int_eq(has_warning(r, 1), _i == 0);
        if (_i == 0)
                assert_same_as_source(&p);
}
END_TEST

/* Without a comparison they are not: what is lost shows that the test can fail. */
START_TEST(lost_areas_without_verification) {
        BEGIN(.verify = "none");

        (void) next_pass(&p);
        lose_areas(&server, true);
        guest_writes(&server, 1, 0, BLOCK, 9);
        JobWarmResult second = next_pass(&p);
        ck_assert_uint_eq(second.bytes + second.bytes_differences, 0);
        ck_assert(!second.verified);
        lose_areas(&server, false);
        guest_writes(&server, 1, 0, BLOCK, 9);
        (void) cut_over(&p);
}
END_TEST

/* A host that has crashed has forgotten what was written: all is compared. */
START_TEST(tracking_is_reset) {
        BEGIN(.verify = "none");

        (void) next_pass(&p);
        guest_works(&server, 7);
        vcsim_control(&server, "/disk/reset-tracking?vm=web&disk=0");
        JobWarmResult second = next_pass(&p);
        ck_assert_uint_gt(second.bytes, 0);
        ck_assert_uint_lt(second.bytes, SIZE / 4);
        guest_works(&server, 8);
        (void) cut_over(&p);
}
END_TEST

/* --- it begins again -------------------------------------------------------------------------------- */

START_TEST(grown) {
        BEGIN();
        char *path = PATH(dir, "a.raw");

        (void) next_pass(&p);
        ck_assert_int_eq(truncate(path, SIZE + MIB), 0);
        _cleanup_free_ char *load = strprintf("/disk/load?vm=web&disk=0&file=%s", path);
        vcsim_control(&server, load);
        p.pass++;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(&p, OUTCOME_FAILED, "vsphere_changed");
        ck_assert_ptr_nonnull(strstr(r->message, "resized"));
        /* It begins again. */
        (void) next_pass(&p);
        (void) cut_over(&p);
}
END_TEST

/* What is left of another job is of no use. */
START_TEST(another_format) {
        BEGIN();

        (void) next_pass(&p);
        guest_works(&server, 5);
        p.format = "raw";
        p.pass = 0;
        JobWarmResult first = next_pass(&p);
        ck_assert_uint_ge(first.bytes, SIZE + SMALL);
        (void) cut_over(&p);
}
END_TEST

/* --- without a server ------------------------------------------------------------------------------- */

START_TEST(checks) {
        static const struct {
                const char *version;
                bool supported;
                VmPower power;
                unsigned snapshots;
                bool rdm;
                const char *text; /* NULL: it is not refused */
        } cases[] = {
                { "vmx-07", true, VM_POWERED_ON, 28, false, NULL },
                { "vmx-19", true, VM_POWERED_OFF, 0, false, NULL },
                { "vmx-04", true, VM_POWERED_ON, 0, false, "hardware version is vmx-04" },
                { "new", true, VM_POWERED_ON, 0, false, "hardware version" },
                { NULL, true, VM_POWERED_ON, 0, false, "hardware version" },
                { "vmx-19", false, VM_POWERED_ON, 0, false, "does not support changed block tracking" },
                { "vmx-19", true, VM_SUSPENDED, 0, false, "suspended" },
                { "vmx-19", true, VM_POWERED_ON, 29, false, "29 snapshots" },
                { "vmx-19", true, VM_POWERED_ON, 0, true, "raw device mapping" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                VmDisk disk = { .rdm = cases[i].rdm };
                const VmDetail d = {
                        .hardware_version = (char *) cases[i].version,
                        .change_tracking_supported = cases[i].supported,
                        .summary.power = cases[i].power,
                        .n_snapshots = cases[i].snapshots,
                        .disks = &disk,
                        .n_disks = 1,
                };
                _cleanup_free_ char *why = NULL;
                int r = vsphere_check_warm(&d, &why);

                ck_assert_int_eq(r, cases[i].text ? -EOPNOTSUPP : 0);
                ck_assert(!cases[i].text || strstr(why, cases[i].text));
        }
}
END_TEST

START_TEST(state) {
        WarmDisk disks[] = {
                { .key = 2000,
                                .uuid = (char *) "6000C29",
                                .capacity = SIZE,
                                .change_id = (char *) "52 a/1",
                                .target = (char *) "52 a/2" },
                { .key = 2001, .capacity = SMALL, .change_id = (char *) "52 b/7" },
        };
        const WarmState s = {
                .vm = (char *) "vm", .verified = true, .down_at = 5, .disks = disks, .n_disks = 2
        };
        _cleanup_free_ char *text = warm_state_encode(&s), *again = NULL;
        _cleanup_warm_state_ WarmState *r = NULL, *wrong = NULL;

        ck_assert_int_eq(warm_state_decode(text, strlen(text), &r), 0);
        ck_assert(warm_state_is_complete(r));
        again = warm_state_encode(r);
        ck_assert_str_eq(text, again);
        ck_assert_int_eq(warm_state_decode(text, strlen(text) - 2, &wrong), -EBADMSG);
        /* The first pass is complete for all disks or for none. */
        disks[1].change_id = NULL;
        _cleanup_free_ char *half = warm_state_encode(&s);
        ck_assert_int_eq(warm_state_decode(half, strlen(half), &wrong), -EBADMSG);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("job-warm");

        if (!program_exists("nbdkit")) {
                fprintf(stderr, "nbdkit is not installed\n");
                return 77;
        }
        tcase_set_timeout(tcase, 300);
        tcase_add_test(tcase, checks);
        tcase_add_test(tcase, state);
        tcase_add_loop_test(tcase, in_passes, 0, 2);
        tcase_add_test(tcase, of_a_vm_that_is_off);
        tcase_add_test(tcase, at_once);
        tcase_add_test(tcase, powered_off_if_asked);
        tcase_add_test(tcase, lost_areas_are_found);
        tcase_add_test(tcase, lost_areas_without_verification);
        tcase_add_test(tcase, lost_areas_are_found_by_the_last_pass);
        tcase_add_loop_test(tcase, lost_areas_are_found_by_the_cutover, 0, 2);
        tcase_add_test(tcase, tracking_is_reset);
        tcase_add_test(tcase, grown);
        tcase_add_test(tcase, another_format);
        return test_run("job-warm", tcase);
}
