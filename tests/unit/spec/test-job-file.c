/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "spec/job-file.h"
#include "spec/job-result.h"
#include "spec/job-state.h"
#include "unit/lib/test.h"

static JobSpec *spec_of(const char *text) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        JobSpec *s = NULL;

        ck_assert_int_eq(job_spec_parse(text, strlen(text), &s, &errors), 0);
        return s;
}

#define SPEC                                                                          \
        "{\"operation\":\"convert\",\"job_id\":\"j\","                                \
        "\"source\":{\"type\":\"file\",\"path\":\"/link.vmdk\",\"format\":\"vmdk\"}," \
        "\"destination\":{\"type\":\"file\",\"path\":\"/srv/b.raw\"}}"

static void put(const char *directory, const char *name, const char *text) {
        _cleanup_free_ char *path = strprintf("%s/%s", directory, name);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite_full(fd, text, strlen(text), 0), 0);
}

START_TEST(a_plan_reads_back_with_its_resolved_paths) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *files[] = { (char *) "/srv/a.vmdk", (char *) "/srv/a-s001.vmdk", NULL };
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of(SPEC);
        _cleanup_(job_plan_freep) JobPlan *back = NULL;
        JobPlan plan = { .job_id = (char *) "j",
                .attempt = 2,
                .spec = spec,
                .source_files = files,
                .part_dir = (char *) "/srv/.b.raw.hyper-part",
                .appliances = 3,
                .appliance_memory = 4096,
                .virtio_win = (char *) "/srv/virtio-win" };

        ck_assert_int_eq(free_and_strdup(&spec->source.path, "/srv/a.vmdk"), 0);
        ck_assert_int_eq(job_plan_write(&plan, dir), 0);
        ck_assert_int_eq(job_plan_read(dir, &back), 0);
        ck_assert_str_eq(back->job_id, "j");
        ck_assert_uint_eq(back->attempt, 2);
        ck_assert_str_eq(back->spec->source.path, "/srv/a.vmdk");
        ck_assert_int_eq(back->spec->source.format, FORMAT_VMDK);
        ck_assert_int_eq(back->spec->destination.format, FORMAT_RAW);
        ck_assert_uint_eq(strv_length(back->source_files), 2);
        ck_assert_str_eq(back->source_files[1], "/srv/a-s001.vmdk");
        ck_assert_str_eq(back->part_dir, plan.part_dir);
        ck_assert_uint_eq(back->appliances, 3);
        ck_assert_uint_eq(back->appliance_memory, 4096);
        ck_assert_str_eq(back->virtio_win, plan.virtio_win);
        plan.virtio_win = (char *) "virtio-win";
        ck_assert_int_eq(job_plan_write(&plan, dir), 0);
        ck_assert_int_eq(job_plan_read(dir, &back), -EBADMSG);
}
END_TEST

START_TEST(an_nbd_plan_has_no_files) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of(
                        "{\"operation\":\"convert\",\"source\":{\"type\":\"nbd\",\"uri\":\"nbd://a\"},"
                        "\"destination\":{\"type\":\"nbd\",\"uri\":\"nbd://b\"}}");
        _cleanup_(job_plan_freep) JobPlan *back = NULL;
        JobPlan plan = { .job_id = (char *) "j", .attempt = 1, .spec = spec };

        ck_assert_int_eq(job_plan_write(&plan, dir), 0);
        ck_assert_int_eq(job_plan_read(dir, &back), 0);
        ck_assert_ptr_null(back->part_dir);
        ck_assert_str_eq(back->spec->destination.uri, "nbd://b");
}
END_TEST

#define WARM_SPEC                                                                                           \
        "{\"operation\":\"convert\",\"source\":{\"type\":\"vsphere\",\"name\":\"vc\",\"vm_path\":\"web\"}," \
        "\"destination\":{\"type\":\"file\",\"path\":\"/srv/b.raw\"},\"parameters\":{\"warm\":true}}"

START_TEST(the_plan_of_a_warm_job_names_its_pass) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(job_spec_freep) JobSpec *spec = spec_of(WARM_SPEC);
        _cleanup_(job_plan_freep) JobPlan *back = NULL;
        JobPlan plan = { .job_id = (char *) "j",
                .attempt = 1,
                .warm_pass = 3,
                .cutover = true,
                .spec = spec,
                .part_dir = (char *) "/srv/.b.raw.hyper-part" };

        ck_assert_int_eq(job_plan_write(&plan, dir), 0);
        ck_assert_int_eq(job_plan_read(dir, &back), 0);
        ck_assert_uint_eq(back->warm_pass, 3);
        ck_assert(back->cutover);
        /* without a pass it is no plan */
        plan.warm_pass = 0;
        back = job_plan_free(back);
        ck_assert_int_eq(job_plan_write(&plan, dir), 0);
        ck_assert_int_eq(job_plan_read(dir, &back), -EBADMSG);
}
END_TEST

START_TEST(the_result_of_a_pass_reads_back) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(job_result_freep) JobResult *back = NULL;
        JobResult result = { .attempt = 1,
                .outcome = OUTCOME_PASS,
                .phase = _PHASE_INVALID,
                .warm = { .pass = 2,
                                .bytes = 7,
                                .bytes_areas = 8,
                                .bytes_differences = 9,
                                .verified = true,
                                .seconds = 1.5,
                                .estimate_seconds = 2,
                                .downtime_seconds = 0.25 } };

        ck_assert_int_eq(job_result_write(&result, dir), 0);
        ck_assert_int_eq(job_result_read(dir, &back), 0);
        ck_assert_int_eq(back->outcome, OUTCOME_PASS);
        ck_assert_uint_eq(back->warm.pass, 2);
        ck_assert_uint_eq(back->warm.bytes, 7);
        ck_assert_uint_eq(back->warm.bytes_areas, 8);
        ck_assert_uint_eq(back->warm.bytes_differences, 9);
        ck_assert(back->warm.verified);
        ck_assert_double_eq(back->warm.seconds, 1.5);
        ck_assert_double_eq(back->warm.estimate_seconds, 2);
        ck_assert_double_eq(back->warm.downtime_seconds, 0.25);
}
END_TEST

START_TEST(a_plan_that_makes_no_sense_is_refused) {
        static const char *const bad[] = { "", "[]", "{}", "{\"job_id\":\"j\",\"attempt\":1}",
                "{\"job_id\":\"j\",\"attempt\":1,\"spec\":{}}",
                /* another part directory than the destination's */
                "{\"job_id\":\"j\",\"attempt\":1,\"spec\":" SPEC
                ",\"source_files\":[\"/link.vmdk\"],\"part_dir\":\"/etc\"}",
                "{\"job_id\":\"j\",\"attempt\":1,\"spec\":" SPEC ",\"source_files\":[\"/link.vmdk\"]}",
                /* no attempt 0 */
                "{\"job_id\":\"j\",\"attempt\":0,\"spec\":" SPEC
                ",\"source_files\":[\"/link.vmdk\"],\"part_dir\":\"/srv/.b.raw.hyper-part\"}",
                /* the image is not the first file; a file reaches outside */
                "{\"job_id\":\"j\",\"attempt\":1,\"spec\":" SPEC
                ",\"source_files\":[\"/x\"],\"part_dir\":\"/srv/.b.raw.hyper-part\"}",
                "{\"job_id\":\"j\",\"attempt\":1,\"spec\":" SPEC
                ",\"source_files\":[\"/link.vmdk\",\"/a/../b\"],"
                "\"part_dir\":\"/srv/.b.raw.hyper-part\"}",
                /* another job's */
                "{\"job_id\":\"k\",\"attempt\":1,\"spec\":" SPEC
                ",\"source_files\":[\"/link.vmdk\"],\"part_dir\":\"/srv/.b.raw.hyper-part\"}" };
        static const char good[] = "{\"job_id\":\"j\",\"attempt\":1,\"spec\":" SPEC
                                   ",\"source_files\":[\"/link.vmdk\"],"
                                   "\"part_dir\":\"/srv/.b.raw.hyper-part\"}";
        JobPlan *plan = NULL;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(job_plan_decode(bad[i], strlen(bad[i]), &plan) == -EBADMSG, "%s", bad[i]);
        ck_assert_int_eq(job_plan_decode(good, strlen(good), &plan), 0);
        job_plan_free(plan);
}
END_TEST

START_TEST(a_result_reads_back) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(job_result_freep) JobResult *back = NULL;
        JobResult result = { .attempt = 3,
                .outcome = OUTCOME_TRANSIENT,
                .phase = PHASE_CONVERSION,
                .message = (char *) "qemu said: \xff\nno space",
                .code = (char *) "no_space",
                .outputs = json_pack("[{s:s,s:s,s:i}]", "path", "/a", "format", "raw", "virtual_size", 5),
                .vm = json_pack("{s:s,s:[],s:[]}", "name", "web", "disks", "nics"),
                .metrics = json_pack("{s:i,s:f}", "bytes_read", 7, "duration_seconds", 1.5) };

        ck_assert_int_eq(job_result_read(dir, &back), -ENOENT);
        ck_assert_int_eq(job_result_write(&result, dir), 0);
        ck_assert_int_eq(job_result_read(dir, &back), 0);
        ck_assert_uint_eq(back->attempt, 3);
        ck_assert_int_eq(back->outcome, OUTCOME_TRANSIENT);
        ck_assert_int_eq(back->phase, PHASE_CONVERSION);
        ck_assert_str_eq(back->message, "qemu said: \xef\xbf\xbd no space");
        ck_assert_str_eq(back->code, "no_space");
        ck_assert(json_equal(back->outputs, result.outputs));
        ck_assert(json_equal(back->vm, result.vm));
        ck_assert(json_equal(back->metrics, result.metrics));
        json_decref(result.vm);
        json_decref(result.outputs);
        json_decref(result.metrics);
}
END_TEST

START_TEST(a_bare_result_is_enough) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(job_result_freep) JobResult *back = NULL;
        JobResult result = { .attempt = 1, .outcome = OUTCOME_COMPLETED, .phase = _PHASE_INVALID };

        ck_assert_int_eq(job_result_write(&result, dir), 0);
        ck_assert_int_eq(job_result_read(dir, &back), 0);
        ck_assert_int_eq(back->phase, _PHASE_INVALID);
        ck_assert_str_eq(back->message, "");
        ck_assert_ptr_null(back->code);
        ck_assert_ptr_null(back->outputs);
}
END_TEST

START_TEST(a_hostile_result_is_refused) {
        static const char *const bad[] = { "", "{}", "[]", "\"x\"", "{\"attempt\":1}",
                "{\"attempt\":1,\"outcome\":\"won\"}", "{\"attempt\":0,\"outcome\":\"failed\"}",
                "{\"attempt\":-1,\"outcome\":\"failed\"}",
                "{\"attempt\":1,\"outcome\":\"failed\",\"phase\":\"lunch\"}",
                "{\"attempt\":1,\"outcome\":\"failed\",\"code\":\"No Space\"}",
                "{\"attempt\":1,\"outcome\":\"failed\",\"code\":\"\"}",
                "{\"attempt\":1,\"outcome\":\"failed\",\"outputs\":{}}",
                "{\"attempt\":1,\"outcome\":\"failed\",\"outputs\":[{\"path\":\"/a\"}]}",
                "{\"attempt\":1,\"outcome\":\"failed\",\"outputs\":[{\"path\":\"a\\n\",\"format\":\"raw\"}]"
                "}",
                "{\"attempt\":1,\"outcome\":\"failed\",\"outputs\":[{\"path\":\"/a\",\"format\":\"x\"}]}",
                ("{\"attempt\":1,\"outcome\":\"failed\",\"outputs\":"
                 "[{\"path\":\"/a\",\"format\":\"raw\",\"virtual_size\":-1}]}"),
                "{\"attempt\":1,\"outcome\":\"failed\",\"vm\":[]}",
                "{\"attempt\":1,\"outcome\":\"failed\",\"vm\":{\"name\":\"a\\n\"}}",
                "{\"attempt\":1,\"outcome\":\"failed\",\"metrics\":[]}",
                "{\"attempt\":1,\"outcome\":\"pass\"}", "{\"attempt\":1,\"outcome\":\"pass\",\"warm\":[]}",
                "{\"attempt\":1,\"outcome\":\"pass\",\"warm\":{\"pass\":0}}",
                "{\"attempt\":1,\"outcome\":\"pass\",\"warm\":{\"pass\":1,\"bytes\":-1}}",
                "{\"attempt\":1,\"outcome\":\"pass\",\"warm\":{\"pass\":1,\"seconds\":-1}}",
                "{\"attempt\":1,\"outcome\":\"pass\",\"warm\":{\"pass\":1,\"seconds\":1e300}}",
                "{\"attempt\":1,\"outcome\":\"pass\",\"warm\":{\"pass\":1,\"estimate_seconds\":\"1\"}}",
                "{\"attempt\":1,\"outcome\":\"failed\",\"metrics\":{\"a\":\"<script>\"}}",
                "{\"attempt\":1,\"outcome\":\"failed\",\"metrics\":{\"A b\":1}}" };
        JobResult *result = NULL;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(job_result_decode(bad[i], strlen(bad[i]), &result) == -EBADMSG, "%s", bad[i]);
        ck_assert_ptr_null(result);
}
END_TEST

START_TEST(what_was_replaced_is_another_file) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/a b", dir), *other = strprintf("%s/b", dir), *text = NULL;
        struct stat st, replaced;

        put(dir, "a b", "1");
        put(dir, "b", "1");
        ck_assert_int_eq(stat(path, &st), 0);
        text = file_identity_text(path, &st);
        char *const list[] = { (char *) "1 2 - /directory", text, NULL };
        ck_assert_int_eq(file_identity_check(list, path, &st), 0);
        ck_assert_int_eq(file_identity_check(list, other, &st), -ENOENT);
        ck_assert_int_eq(file_identity_check(list, "/directory", &st), -ESTALE);
        ck_assert_int_eq(rename(other, path), 0);
        ck_assert_int_eq(stat(path, &replaced), 0);
        ck_assert_int_eq(file_identity_check(list, path, &replaced), -ESTALE);
        st.st_size++;
        ck_assert_int_eq(file_identity_check(list, path, &st), -ESTALE);
}
END_TEST

START_TEST(only_a_plain_file_is_read) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/results/result.json", dir),
                            *other = strprintf("%s/other", dir);
        JobResult *result = NULL;

        _cleanup_free_ char *results = strprintf("%s/results", dir);

        ck_assert_int_eq(mkdir(results, 0700), 0);
        put(dir, "other", "{\"attempt\":1,\"outcome\":\"failed\"}");
        ck_assert_int_eq(symlink(other, path), 0);
        ck_assert_int_eq(job_result_read(dir, &result), -EBADMSG);

        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        ck_assert_int_eq(job_result_read(dir, &result), -EBADMSG);

        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        ck_assert_int_eq(job_result_read(dir, &result), -EBADMSG);

        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_int_eq(truncate(other, 64 * 1024 * 1024), 0);
        ck_assert_int_eq(rename(other, path), 0);
        ck_assert_int_eq(job_result_read(dir, &result), -EBADMSG);
        ck_assert_ptr_null(result);
}
END_TEST

START_TEST(marks_are_set_and_cleared) {
        _cleanup_test_dir_ char *dir = test_dir();

        ck_assert_int_eq(job_mark_is_set(dir, JOB_MARK_CANCELLED), 0);
        ck_assert_int_eq(job_mark_set(dir, JOB_MARK_CANCELLED), 0);
        ck_assert_int_eq(job_mark_set(dir, JOB_MARK_CANCELLED), 0);
        ck_assert_int_eq(job_mark_is_set(dir, JOB_MARK_CANCELLED), 1);
        ck_assert_int_eq(job_mark_is_set(dir, JOB_MARK_PUBLISHED), 0);
        ck_assert_int_eq(job_mark_clear(dir, JOB_MARK_CANCELLED), 0);
        ck_assert_int_eq(job_mark_clear(dir, JOB_MARK_CANCELLED), 0);
        ck_assert_int_eq(job_mark_is_set(dir, JOB_MARK_CANCELLED), 0);
        ck_assert_int_eq(job_mark_set("/nonexistent", JOB_MARK_CANCELLED), -ENOENT);
}
END_TEST

START_TEST(outcomes_read_back_as_themselves) {
        for (JobOutcome o = 0; o < _OUTCOME_MAX; o++)
                ck_assert_int_eq(job_outcome_from_string(job_outcome_to_string(o)), o);
        ck_assert_int_eq(job_outcome_from_string("x"), _OUTCOME_INVALID);
}
END_TEST

START_TEST(one_mark_only_can_be_claimed) {
        _cleanup_test_dir_ char *dir = test_dir();

        ck_assert_int_eq(job_mark_is_claimed(dir, JOB_MARK_PUBLISHED), 0);
        ck_assert_int_eq(job_mark_claim(dir, JOB_MARK_PUBLISHED), 0);
        ck_assert_int_eq(job_mark_claim(dir, JOB_MARK_PUBLISHED), 0); /* it was cut off and comes again */
        ck_assert_int_eq(job_mark_claim(dir, JOB_MARK_CANCELLED), -EALREADY);
        ck_assert_int_eq(job_mark_is_claimed(dir, JOB_MARK_PUBLISHED), 1);
        ck_assert_int_eq(job_mark_is_claimed(dir, JOB_MARK_CANCELLED), 0);
        /* A claim is not the mark. */
        ck_assert_int_eq(job_mark_is_set(dir, JOB_MARK_PUBLISHED), 0);
        ck_assert_int_eq(job_mark_release(dir), 0);
        ck_assert_int_eq(job_mark_release(dir), 0);
        ck_assert_int_eq(job_mark_claim(dir, JOB_MARK_CANCELLED), 0);
        ck_assert_int_eq(job_mark_claim(dir, JOB_MARK_PUBLISHED), -EALREADY);
        ck_assert_int_eq(job_mark_claim("/nonexistent", JOB_MARK_PUBLISHED), -ENOENT);
}
END_TEST

TEST_MAIN("job-file", a_plan_reads_back_with_its_resolved_paths, an_nbd_plan_has_no_files,
                a_plan_that_makes_no_sense_is_refused, the_plan_of_a_warm_job_names_its_pass,
                the_result_of_a_pass_reads_back, a_result_reads_back, a_bare_result_is_enough,
                a_hostile_result_is_refused, only_a_plain_file_is_read, what_was_replaced_is_another_file,
                marks_are_set_and_cleared, outcomes_read_back_as_themselves, one_mark_only_can_be_claimed)
