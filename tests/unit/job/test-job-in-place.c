/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Images that are changed in place: what prepare and finish do with the overlay that run has left, and with a
 * commit that was interrupted. hyper-guest is not needed. */

#include "job/in-place-mark.h"
#include "unit/lib/job-front.h"

#define SIZE (8 * MIB)
/* A file may be so long: the first change is written, the second one fails. */
#define HALF "--fsize=4194304"

typedef struct InPlace {
        char *dir, *image, *job, *part, *overlay, *format;
} InPlace;

static void in_place_done(InPlace *t) {
        free(t->part);
}

static void write_in_place_plan(const InPlace *t, const char *job, const char *id, unsigned attempt) {
        _cleanup_json_ json_t *plan = json_pack("{s:s, s:i, s:{s:s, s:s, s:{s:s, s:s, s:s}}, s:[s], s:s}",
                        "job_id", id, "attempt", (int) attempt, "spec", "job_id", id, "operation",
                        "offline_fix", "source", "type", "file", "path", t->image, "format", t->format,
                        "source_files", t->image, "part_dir", t->part);

        if (mkdir(job, 0700) < 0)
                ck_assert_int_eq(errno, EEXIST);
        ck_assert_int_eq(json_dump_file(plan, PATH(job, "job.json"), 0), 0);
}

/* What run leaves. */
static void write_run_result(const InPlace *t, bool changed) {
        _cleanup_json_ json_t *outputs = changed
                        ? json_pack("[{s:s, s:s, s:I}]", "path", t->image, "format", t->format,
                                          "virtual_size", (json_int_t) SIZE)
                        : json_array(),
                              *guest = json_pack("{s:[{s:s}]}", "changes", "step", "fstab");
        const JobResult result = { .attempt = 1,
                .outcome = OUTCOME_COMPLETED,
                .phase = PHASE_FINALIZATION,
                .message = (char *) "complete",
                .outputs = outputs,
                .guest = guest };

        ck_assert_int_eq(job_result_write(&result, t->job), 0);
}

static void make_overlay(const InPlace *t) {
        RUN("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b",
                        "nbd+unix:///?socket=/run/none", t->overlay, "8M");
        _cleanup_free_ char *options = strprintf(
                        "json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":\"%s\"},"
                        "\"backing\":{\"driver\":\"%s\",\"file\":{\"driver\":\"file\",\"filename\":\"%s\"}}}",
                        t->overlay, t->format, t->image);
        RUN("qemu-io", "-c", "write -P 7 1M 64k", "-c", "write -P 8 7M 64k", options);
}

/* An image, and a job that has run. */
static void start(InPlace *t, const char *dir, const char *format) {
        *t = (InPlace){ .dir = (char *) dir,
                .image = PATH(dir, "a.%s", format),
                .job = PATH(dir, "job"),
                .format = (char *) format };
        t->part = part_dir(t->image);
        t->overlay = PATH(t->part, "fix.qcow2");
        RUN("qemu-img", "create", "-q", "-f", format, t->image, "8M");
        write_in_place_plan(t, t->job, "test", 1);
        ck_assert_int_eq(hyper_job("prepare", t->job), 0);
        make_overlay(t);
        write_run_result(t, true);
}

static bool has(const InPlace *t, const char *pattern, const char *range) {
        _cleanup_free_ char *command = strprintf("read -P %s %s 64k", pattern, range);
        const char *const argv[] = { "qemu-io", "-r", "-f", t->format, "-c", command, t->image, NULL };
        _cleanup_child_output_ ChildOutput o = {};

        run_argv(argv, &o);
        return strstr(o.output, "Pattern verification failed") == NULL;
}

static void assert_old(const InPlace *t) {
        ck_assert(has(t, "0", "1M") && has(t, "0", "7M"));
}

static void assert_half(const InPlace *t) {
        ck_assert(has(t, "7", "1M") && has(t, "0", "7M"));
        ck_assert(in_place_is_interrupted(t->image));
}

static void assert_fixed(const InPlace *t) {
        ck_assert(has(t, "7", "1M") && has(t, "8", "7M"));
        ck_assert(!in_place_is_interrupted(t->image));
}

static bool published(const char *job) {
        return file_exists(PATH(job, "published"));
}

static void assert_code(const char *job, const char *code) {
        _cleanup_(job_result_freep) JobResult *result = read_result(job);

        ck_assert_msg(streq_ptr(result->code, code), "%s: %s", strna(result->code), strna(result->message));
}

static void interrupt(const InPlace *t) {
        ck_assert_int_ne(RUN_STATUS("prlimit", HALF, "./hyper-job", "finish-later", t->job), 0);
        assert_code(t->job, "commit_failed");
        ck_assert(!published(t->job));
        assert_half(t);
}

#define IN_PLACE_TEST(name, format)                        \
        START_TEST(name) {                                 \
                _cleanup_test_dir_ char *dir = test_dir(); \
                _cleanup_(in_place_done) InPlace t;        \
                start(&t, dir, format);
#define IN_PLACE_TEST_END \
        }                 \
        END_TEST

START_TEST(all_formats_are_changed) {
        static const char *const formats[] = { "raw", "qcow2", "vmdk", "vdi", "vhdx" };

        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                _cleanup_test_dir_ char *dir = test_dir();
                _cleanup_(in_place_done) InPlace t;

                start(&t, dir, formats[i]);
                assert_old(&t);
                ck_assert_int_eq(hyper_job("finish-later", t.job), 0);
                ck_assert(published(t.job));
                assert_fixed(&t);
                ck_assert(!file_exists(t.part));
                /* It may be called again. */
                ck_assert_int_eq(hyper_job("finish-later", t.job), 0);
        }
}
END_TEST

IN_PLACE_TEST(a_commit_that_was_interrupted_is_repeated, "raw")
interrupt(&t);
ck_assert_int_eq(hyper_job("finish-later", t.job), 0);
ck_assert(published(t.job));
assert_fixed(&t);
ck_assert(!file_exists(t.part));
_cleanup_(job_result_freep) JobResult *result = read_result(t.job);
ck_assert_int_eq(result->outcome, OUTCOME_COMPLETED);
ck_assert_uint_eq(json_array_size(json_object_get(result->guest, "changes")), 1);
IN_PLACE_TEST_END

IN_PLACE_TEST(the_next_attempt_completes_a_commit, "raw")
interrupt(&t);
ck_assert_int_eq(unlink(PATH(t.job, "results/result.json")), 0);
ck_assert_int_eq(job_mark_release(t.job), 0);
write_in_place_plan(&t, t.job, "test", 2);
ck_assert_int_eq(hyper_job("prepare", t.job), 0);
assert_fixed(&t);
ck_assert(published(t.job) && !file_exists(t.part));
ck_assert_int_eq(hyper_job("run", t.job), 0);
ck_assert_int_eq(hyper_job("finish-later", t.job), 0);
_cleanup_(job_result_freep) JobResult *result = read_result(t.job);
ck_assert_uint_eq(result->attempt, 2);
ck_assert_uint_eq(json_array_size(json_object_get(result->guest, "changes")), 1);
IN_PLACE_TEST_END

IN_PLACE_TEST(another_job_completes_a_commit_and_begins_its_own, "raw")
const char *other = PATH(dir, "other");

interrupt(&t);
write_in_place_plan(&t, other, "other", 1);
ck_assert_int_eq(hyper_job("prepare", other), 0);
assert_fixed(&t);
ck_assert(!published(other) && file_exists(t.part) && !file_exists(t.overlay));
IN_PLACE_TEST_END

IN_PLACE_TEST(a_cancelled_job_completes_a_commit, "raw")
interrupt(&t);
ck_assert_int_eq(job_mark_set(t.job, JOB_MARK_CANCELLED), 0);
ck_assert_int_eq(hyper_job("finish-later", t.job), 0);
assert_fixed(&t);
ck_assert(!file_exists(t.part));
IN_PLACE_TEST_END

IN_PLACE_TEST(a_job_that_is_cancelled_before_changes_nothing, "raw")
ck_assert_int_eq(job_mark_claim(t.job, JOB_MARK_CANCELLED), 0);
ck_assert_int_eq(job_mark_set(t.job, JOB_MARK_CANCELLED), 0);
ck_assert_int_eq(hyper_job("finish-later", t.job), 0);
assert_old(&t);
ck_assert(!published(t.job) && !file_exists(t.part));
IN_PLACE_TEST_END

IN_PLACE_TEST(an_interrupted_image_is_not_converted, "raw")
interrupt(&t);
const Plan plan = { .directory = PATH(dir, "convert"),
        .source = t.image,
        .source_format = "raw",
        .destination = PATH(dir, "b.qcow2") };
write_plan(&plan);
ck_assert_int_ne(hyper_job("prepare", plan.directory), 0);
assert_code(plan.directory, "source_in_use");
IN_PLACE_TEST_END

IN_PLACE_TEST(an_image_that_was_changed_meanwhile_is_left_alone, "raw")
RUN("qemu-io", "-f", "raw", "-c", "write -P 9 3M 64k", t.image);
ck_assert_int_ne(hyper_job("finish-later", t.job), 0);
assert_code(t.job, "source_changed");
assert_old(&t);
ck_assert(!file_exists(t.part) && !published(t.job));
IN_PLACE_TEST_END

IN_PLACE_TEST(a_dry_run_changes_nothing, "raw")
write_run_result(&t, false);
ck_assert_int_eq(hyper_job("finish-later", t.job), 0);
assert_old(&t);
ck_assert(published(t.job) && !file_exists(t.part));
IN_PLACE_TEST_END

/* The feature bit of an external data file, which qemu would open. */
IN_PLACE_TEST(an_overlay_that_names_another_file_is_refused, "raw")
int fd = open(t.overlay, O_WRONLY | O_CLOEXEC);

ck_assert_int_eq(pwrite_full(fd, "\4", 1, 79), 0);
close(fd);
ck_assert_int_ne(hyper_job("finish-later", t.job), 0);
assert_code(t.job, "output_damaged");
assert_old(&t);
ck_assert(!file_exists(t.part));
IN_PLACE_TEST_END

IN_PLACE_TEST(an_overlay_that_is_a_link_is_refused, "raw")
const char *elsewhere = PATH(dir, "elsewhere");

ck_assert_int_eq(rename(t.overlay, elsewhere), 0);
ck_assert_int_eq(symlink(elsewhere, t.overlay), 0);
ck_assert_int_ne(hyper_job("finish-later", t.job), 0);
assert_old(&t);
IN_PLACE_TEST_END

/* What was not changed is not written. */
IN_PLACE_TEST(a_sparse_image_stays_sparse, "raw")
struct stat st;

ck_assert_int_eq(hyper_job("finish-later", t.job), 0);
assert_fixed(&t);
ck_assert_int_eq(stat(t.image, &st), 0);
ck_assert_int_le(st.st_blocks * 512, MIB);
IN_PLACE_TEST_END

/* All names of an image have the changes. */
IN_PLACE_TEST(an_image_with_two_names_stays_one, "raw")
const char *other = PATH(dir, "other.raw");
struct stat st;

ck_assert_int_eq(link(t.image, other), 0);
ck_assert_int_eq(hyper_job("prepare", t.job), 0); /* the link has changed its ctime */
make_overlay(&t);
write_run_result(&t, true);
ck_assert_int_eq(hyper_job("finish-later", t.job), 0);
assert_fixed(&t);
ck_assert_int_eq(stat(other, &st), 0);
ck_assert_uint_eq(st.st_nlink, 2);
IN_PLACE_TEST_END

START_TEST(a_compressed_image_is_changed) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(in_place_done) InPlace t = { .dir = dir,
                .image = PATH(dir, "a.qcow2"),
                .job = PATH(dir, "job"),
                .format = (char *) "qcow2" };
        const char *plain = PATH(dir, "plain.raw");

        t.part = part_dir(t.image);
        t.overlay = PATH(t.part, "fix.qcow2");
        RUN("qemu-img", "create", "-q", "-f", "raw", plain, "8M");
        RUN("qemu-io", "-f", "raw", "-c", "write -P 3 0 2M", plain);
        RUN("qemu-img", "convert", "-q", "-c", "-O", "qcow2", plain, t.image);
        write_in_place_plan(&t, t.job, "test", 1);
        ck_assert_int_eq(hyper_job("prepare", t.job), 0);
        make_overlay(&t);
        write_run_result(&t, true);
        ck_assert_int_eq(hyper_job("finish-later", t.job), 0);
        assert_fixed(&t);
        ck_assert(has(&t, "3", "0") && has(&t, "3", "1088k"));
}
END_TEST

/* A program of QEMU that may write, as qemu-nbd, was started after the job began: byte 101 is its lock. */
IN_PLACE_TEST(an_image_in_use_is_left_alone, "raw")
struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 101, .l_len = 1 };
int fd = open(t.image, O_RDWR | O_CLOEXEC);

ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
ck_assert_int_ne(hyper_job("finish-later", t.job), 0);
assert_code(t.job, "source_in_use");
ck_assert(!published(t.job) && !file_exists(t.part));
close(fd);
assert_old(&t);
ck_assert(!in_place_is_interrupted(t.image));
IN_PLACE_TEST_END

/* --- several disks ----------------------------------------------------------------------------------- */

/* The first and the third of these disks can be interrupted at the second change. */
#define N 3
static const char *const names[N] = { "a.raw", "b.qcow2", "c.raw" };
static const char *const kinds[N] = { "raw", "qcow2", "raw" };

static void write_plan_of(
                const char *dir, const char *job, const char *id, unsigned attempt, size_t first, size_t n) {
        _cleanup_json_ json_t *further = json_array(), *files = json_array();
        const char *image = PATH(dir, "%s", names[first]);
        _cleanup_free_ char *part = part_dir(image);

        for (size_t i = first; i < first + n; i++) {
                json_array_append_new(files, json_string(PATH(dir, "%s", names[i])));
                if (i > first)
                        json_array_append_new(further, json_string(PATH(dir, "%s", names[i])));
        }
        _cleanup_json_ json_t *plan = json_pack("{s:s, s:i, s:{s:s, s:s, s:{s:s, s:s, s:O}}, s:O, s:s}",
                        "job_id", id, "attempt", (int) attempt, "spec", "job_id", id, "operation",
                        "offline_fix", "source", "type", "file", "path", image, "further_disks", further,
                        "source_files", files, "part_dir", part);
        if (mkdir(job, 0700) < 0)
                ck_assert_int_eq(errno, EEXIST);
        ck_assert_int_eq(json_dump_file(plan, PATH(job, "job.json"), 0), 0);
}

static InPlace nth(const char *dir, size_t disk) {
        const char *part = PATH(dir, ".%s.hyper-part", names[0]);

        return (InPlace){ .image = PATH(dir, "%s", names[disk]),
                .format = (char *) kinds[disk],
                .overlay = disk == 0 ? PATH(part, "fix.qcow2") : PATH(part, "disk%zu/fix.qcow2", disk + 1) };
}

/* What run leaves. */
static void run_several(const char *dir, const char *job) {
        _cleanup_json_ json_t *outputs = json_array(), *guest = json_pack("{s:[]}", "changes");

        for (size_t i = 0; i < N; i++) {
                const InPlace t = nth(dir, i);

                if (i > 0)
                        (void) mkdir(PATH(dir, ".%s.hyper-part/disk%zu", names[0], i + 1), 0700);
                make_overlay(&t);
                json_array_append_new(outputs,
                                json_pack("{s:s, s:s, s:I}", "path", t.image, "format", t.format,
                                                "virtual_size", (json_int_t) SIZE));
        }
        const JobResult result = { .attempt = 1,
                .outcome = OUTCOME_COMPLETED,
                .phase = PHASE_FINALIZATION,
                .message = (char *) "complete",
                .outputs = outputs,
                .guest = guest };
        ck_assert_int_eq(job_result_write(&result, job), 0);
}

static void assert_all_old(const char *dir) {
        for (size_t i = 0; i < N; i++) {
                const InPlace t = nth(dir, i);
                assert_old(&t);
        }
}

static void assert_all_fixed(const char *dir) {
        for (size_t i = 0; i < N; i++) {
                const InPlace t = nth(dir, i);
                assert_fixed(&t);
                ck_assert(!file_exists(PATH(dir, ".%s.hyper-part", names[i])));
        }
}

static void start_several(const char *dir, const char *job) {
        for (size_t i = 0; i < N; i++)
                RUN("qemu-img", "create", "-q", "-f", kinds[i], PATH(dir, "%s", names[i]), "8M");
        write_plan_of(dir, job, "test", 1, 0, N);
        ck_assert_int_eq(hyper_job("prepare", job), 0);
        run_several(dir, job);
}

/* The first two disks are written, and half of the third one. */
static void interrupt_several(const char *dir, const char *job) {
        InPlace a = nth(dir, 0), b = nth(dir, 1), c = nth(dir, 2);

        /* The limit does not hold for the first one: there, nothing is beyond it. */
        RUN("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", a.image, a.overlay, "8M");
        RUN("qemu-io", "-f", "qcow2", "-c", "write -P 7 1M 64k", a.overlay);
        ck_assert_int_ne(RUN_STATUS("prlimit", HALF, "./hyper-job", "finish-later", job), 0);
        assert_code(job, "commit_failed");
        ck_assert(!published(job));
        ck_assert(has(&a, "7", "1M") && has(&b, "7", "1M") && has(&b, "8", "7M"));
        for (size_t i = 0; i < N; i++)
                ck_assert(in_place_is_interrupted(nth(dir, i).image));
        assert_half(&c);
        /* The next commit writes both changes again. */
        make_overlay(&a);
}

#define SEVERAL_TEST(name)                                 \
        START_TEST(name) {                                 \
                _cleanup_test_dir_ char *dir = test_dir(); \
                const char *job = PATH(dir, "job");        \
                start_several(dir, job);
#define SEVERAL_TEST_END IN_PLACE_TEST_END

SEVERAL_TEST(several_disks_are_changed)
assert_all_old(dir);
ck_assert_int_eq(hyper_job("finish-later", job), 0);
ck_assert(published(job));
assert_all_fixed(dir);
SEVERAL_TEST_END

SEVERAL_TEST(a_commit_of_several_disks_is_repeated)
interrupt_several(dir, job);
ck_assert_int_eq(hyper_job("finish-later", job), 0);
ck_assert(published(job));
assert_all_fixed(dir);
SEVERAL_TEST_END

SEVERAL_TEST(the_next_attempt_completes_several_disks)
interrupt_several(dir, job);
ck_assert_int_eq(unlink(PATH(job, "results/result.json")), 0);
ck_assert_int_eq(job_mark_release(job), 0);
write_plan_of(dir, job, "test", 2, 0, N);
ck_assert_int_eq(hyper_job("prepare", job), 0);
ck_assert(published(job));
assert_all_fixed(dir);
SEVERAL_TEST_END

/* Neither its first disk alone, nor one of the others, nor a part of them. */
SEVERAL_TEST(other_jobs_wait_for_all_disks)
static const size_t parts[][2] = { { 0, 1 }, { 0, 2 }, { 1, 1 }, { 1, 2 }, { 2, 1 } };

interrupt_several(dir, job);
for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
        const char *other = PATH(dir, "other-%zu", i);

        write_plan_of(dir, other, "other", 1, parts[i][0], parts[i][1]);
        ck_assert_int_ne(hyper_job("prepare", other), 0);
        assert_code(other, "source_in_use");
}
const Plan plan = { .directory = PATH(dir, "convert"),
        .source = nth(dir, 2).image,
        .source_format = "raw",
        .destination = PATH(dir, "d.qcow2") };
write_plan(&plan);
ck_assert_int_ne(hyper_job("prepare", plan.directory), 0);
assert_code(plan.directory, "source_in_use");

/* One for all of them completes it, and begins its own. */
const char *all = PATH(dir, "all");
write_plan_of(dir, all, "all", 1, 0, N);
ck_assert_int_eq(hyper_job("prepare", all), 0);
ck_assert(!published(all) && !file_exists(nth(dir, 0).overlay) && !file_exists(nth(dir, 1).overlay));
for (size_t i = 0; i < N; i++) {
        const InPlace t = nth(dir, i);
        assert_fixed(&t);
}
SEVERAL_TEST_END

/* All is written, and the power fails before the job is complete: nothing is written again. */
SEVERAL_TEST(a_complete_commit_is_not_repeated)
const char *mark = PATH(dir, ".%s.hyper-part/committing", names[0]);
const char *result = PATH(job, "committed/results");
_cleanup_json_ json_t *done = json_pack("{s:s, s:b, s:[{s:s, s:s}]}", "job_id", "test", "done", 1, "disks",
                "path", nth(dir, 0).image, "format", "raw");

ck_assert_int_eq(json_dump_file(done, mark, 0), 0);
ck_assert(!in_place_is_interrupted(nth(dir, 0).image));
ck_assert_int_eq(mkdir(PATH(job, "committed"), 0700), 0);
RUN("cp", "-r", PATH(job, "results"), result);
write_plan_of(dir, job, "test", 2, 0, N);
ck_assert_int_eq(hyper_job("prepare", job), 0);
ck_assert(published(job) && !file_exists(PATH(dir, ".%s.hyper-part", names[0])));
assert_all_old(dir);
SEVERAL_TEST_END

/* The power failed between the notes of the further disks and that of the first one: nothing was begun. */
SEVERAL_TEST(a_note_without_the_first_one_is_none)
const char *part = PATH(dir, ".%s.hyper-part", names[1]);
_cleanup_json_ json_t *further = json_pack("{s:s, s:s}", "job_id", "test", "first", nth(dir, 0).image);

ck_assert_int_eq(mkdir(part, 0700), 0);
ck_assert_int_eq(json_dump_file(further, PATH(part, "committing"), 0), 0);
ck_assert(!in_place_is_interrupted(nth(dir, 1).image));
ck_assert_int_eq(hyper_job("finish-later", job), 0);
assert_all_fixed(dir);
SEVERAL_TEST_END

/* A virtual machine has the last disk: nothing is written to the first one. */
SEVERAL_TEST(one_disk_in_use_leaves_all_alone)
struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 101, .l_len = 1 };
int fd = open(nth(dir, 2).image, O_RDWR | O_CLOEXEC);

ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
ck_assert_int_ne(hyper_job("finish-later", job), 0);
assert_code(job, "source_in_use");
close(fd);
assert_all_old(dir);
ck_assert(!file_exists(PATH(dir, ".%s.hyper-part", names[1])));
SEVERAL_TEST_END

SEVERAL_TEST(one_disk_that_was_changed_leaves_all_alone)
RUN("qemu-io", "-f", "raw", "-c", "write -P 9 3M 64k", nth(dir, 2).image);
ck_assert_int_ne(hyper_job("finish-later", job), 0);
assert_code(job, "source_changed");
assert_all_old(dir);
SEVERAL_TEST_END

SEVERAL_TEST(a_result_without_all_disks_is_refused)
const InPlace t = { .image = nth(dir, 0).image, .job = (char *) job, .format = (char *) "raw" };

write_run_result(&t, true);
ck_assert_int_ne(hyper_job("finish-later", job), 0);
assert_all_old(dir);
ck_assert(!published(job));
SEVERAL_TEST_END

TEST_MAIN("job-in-place", a_sparse_image_stays_sparse, an_image_with_two_names_stays_one,
                a_compressed_image_is_changed, an_image_in_use_is_left_alone, all_formats_are_changed,
                a_commit_that_was_interrupted_is_repeated, the_next_attempt_completes_a_commit,
                another_job_completes_a_commit_and_begins_its_own, a_cancelled_job_completes_a_commit,
                a_job_that_is_cancelled_before_changes_nothing, an_interrupted_image_is_not_converted,
                an_image_that_was_changed_meanwhile_is_left_alone, a_dry_run_changes_nothing,
                an_overlay_that_names_another_file_is_refused, an_overlay_that_is_a_link_is_refused,
                several_disks_are_changed, a_commit_of_several_disks_is_repeated,
                the_next_attempt_completes_several_disks, other_jobs_wait_for_all_disks,
                a_complete_commit_is_not_repeated, a_note_without_the_first_one_is_none,
                one_disk_in_use_leaves_all_alone, one_disk_that_was_changed_leaves_all_alone,
                a_result_without_all_disks_is_refused)
