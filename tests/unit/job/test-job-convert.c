/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Conversions from the plan to the final name, with the real tools.
 *
 * check: all */

#include <openssl/sha.h>

#include "spec/job-result.h"
#include "unit/lib/job-front.h"

#define SIZE (16 * MIB)

/* A disk, its image in @format, and a plan that converts it to qcow2. */
static Plan setup(const char *dir, const char *format, const char *option) {
        char *raw = PATH(dir, "disk.raw"), *image = PATH(dir, "disk, one.%s", format);

        if (!file_exists(raw))
                make_disk(raw, SIZE, 1);
        if (option)
                RUN("qemu-img", "convert", "-f", "raw", "-O", format, "-o", option, raw, image);
        else
                RUN("qemu-img", "convert", "-f", "raw", "-O", format, raw, image);
        return (Plan){ .directory = PATH(dir, "job"),
                .source = image,
                .destination = PATH(dir, "result"),
                .destination_format = "qcow2",
                .verify = true };
}

static void assert_result(const char *dir, const Plan *p) {
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p->destination, p->destination_format);
}

static const struct {
        const char *format, *option;
        const char *extents[2];
} sources[] = {
        { "vmdk", "subformat=monolithicSparse", {} },
        { "vmdk", "subformat=monolithicFlat", { "disk, one-flat.vmdk" } },
        { "vmdk", "subformat=twoGbMaxExtentSparse", { "disk, one-s001.vmdk" } },
        { "vmdk", "subformat=twoGbMaxExtentFlat", { "disk, one-f001.vmdk" } },
        { "vmdk", "subformat=streamOptimized", {} },
        { "qcow2", NULL, {} },
        { "qcow2", "compat=0.10", {} },
        { "qcow2", "cluster_size=2M", {} },
        { "vdi", NULL, {} },
        { "vpc", "force_size=on", {} },
        { "vpc", "subformat=fixed,force_size=on", {} },
        { "vhdx", NULL, {} },
        { "raw", NULL, {} },
};

START_TEST(every_source_format_converts) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir, sources[_i].format, sources[_i].option);

        for (size_t k = 0; k < 2 && sources[_i].extents[k]; k++)
                p.extents[k] = PATH(dir, "%s", sources[_i].extents[k]);
        assert_converts(&p);
        assert_result(dir, &p);
        /* The same with the format given, under the name that clients use. */
        ck_assert_int_eq(unlink(p.destination), 0);
        p.source_format = streq(sources[_i].format, "vpc") ? "vhd" : sources[_i].format;
        p.directory = PATH(dir, "job2");
        p.destination_format = "raw";
        assert_converts(&p);
        assert_result(dir, &p);
}
END_TEST

START_TEST(every_destination_format_comes_out) {
        static const char *const formats[] = { "qcow2", "raw", "vmdk" };
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir, "vdi", NULL);

        p.destination_format = formats[_i];
        assert_converts(&p);
        assert_result(dir, &p);
        struct stat st;
        ck_assert_int_eq(stat(p.destination, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        ck_assert_msg((uint64_t) st.st_blocks * 512 < SIZE / 2, "%s is not sparse", formats[_i]);
}
END_TEST

START_TEST(compressed_qcow2_is_smaller) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw");
        _cleanup_free_ char *text = malloc(SIZE);

        for (size_t i = 0; i < SIZE; i++)
                text[i] = (char) ('a' + i % 7);
        write_file(raw, text, SIZE);
        Plan p = setup(dir, "vmdk", NULL);
        p.compress = true;
        assert_converts(&p);
        assert_result(dir, &p);
        ck_assert_uint_lt(file_size(p.destination), SIZE / 4);
}
END_TEST

START_TEST(the_result_says_what_came_out) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir, "vmdk", NULL);
        const char *path, *format;
        json_int_t virtual_size, actual_size, bytes_read;

        assert_converts(&p);
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        ck_assert_uint_eq(json_array_size(r->outputs), 1);
        ck_assert_int_eq(json_unpack(json_array_get(r->outputs, 0), "{s:s, s:s, s:I, s:I}", "path", &path,
                                         "format", &format, "virtual_size", &virtual_size, "actual_size",
                                         &actual_size),
                        0);
        ck_assert_str_eq(path, p.destination);
        ck_assert_str_eq(format, "qcow2");
        ck_assert_int_eq(virtual_size, SIZE);
        ck_assert_int_gt(actual_size, 0);
        ck_assert_int_eq(json_unpack(r->metrics, "{s:I}", "bytes_read", &bytes_read), 0);
        ck_assert_int_gt(bytes_read, 0);
        ck_assert_int_eq(r->phase, PHASE_FINALIZATION);
        ck_assert_uint_eq(r->attempt, 1);
}
END_TEST

static char *sha256_of(const char *path) {
        unsigned char digest[32];
        size_t size;
        _cleanup_free_ char *data = read_text(path, &size);
        char *text = malloc(7 + 64 + 1);

        SHA256((unsigned char *) data, size, digest);
        strcpy(text, "sha256:");
        for (size_t i = 0; i < sizeof(digest); i++)
                snprintf(text + 7 + 2 * i, 3, "%02x", digest[i]);
        return text;
}

START_TEST(the_right_checksum_is_accepted_and_a_wrong_one_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir, "vmdk", NULL);
        _cleanup_free_ char *sum = sha256_of(p.source);

        p.checksum = sum;
        assert_converts(&p);
        ck_assert_int_eq(unlink(p.destination), 0);
        sum[10] = sum[10] == '0' ? '1' : '0';
        p.directory = PATH(dir, "job2");
        assert_refused(&p, "checksum_mismatch", "but");
}
END_TEST

START_TEST(a_format_that_is_not_the_images_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir, "vmdk", NULL);

        p.source_format = "qcow2";
        assert_refused(&p, "format_mismatch", "said to be qcow2, but it looks like vmdk");
}
END_TEST

START_TEST(raw_is_believed) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir, "qcow2", NULL);

        p.source_format = "raw";
        p.destination_format = "raw";
        assert_converts(&p);
        assert_same_disk(p.source, "raw", p.destination, "raw");
}
END_TEST

START_TEST(an_existing_destination_is_never_touched) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir, "vmdk", NULL);

        write_text(p.destination, "mine");
        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), JOB_EXIT_FAILED);
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        ck_assert_str_eq(r->code, "destination_exists");
        _cleanup_free_ char *text = read_text(p.destination, NULL);
        ck_assert_str_eq(text, "mine");
}
END_TEST

START_TEST(a_destination_that_appears_meanwhile_is_not_replaced) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir, "vmdk", NULL);
        _cleanup_free_ char *part = part_dir(p.destination), *image = strprintf("%s/image", part);

        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert_int_eq(hyper_job("run", p.directory), 0);
        write_text(p.destination, "mine");
        ck_assert_int_eq(hyper_job("finish-later", p.directory), JOB_EXIT_FAILED);
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        ck_assert_int_eq(r->outcome, OUTCOME_FAILED);
        ck_assert_str_eq(r->code, "destination_exists");
        _cleanup_free_ char *text = read_text(p.destination, NULL),
                            *marker = strprintf("%s/published", p.directory);
        ck_assert_str_eq(text, "mine");
        ck_assert(!file_exists(marker));
        assert_same_disk(PATH(dir, "disk.raw"), "raw", image, "qcow2");
}
END_TEST

START_TEST(a_source_that_changes_meanwhile_is_noticed) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir, "vmdk", NULL);
        _cleanup_free_ char *part = part_dir(p.destination), *image = strprintf("%s/image", part);
        struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
        static const ChildLimits limits = { .unconfined = true };
        const char *const argv[] = { "./hyper-job", "run", p.directory, NULL };
        char line[4096];
        int err[2], status;
        pid_t pid;

        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert_int_eq(pipe(err), 0);
        ck_assert_int_eq(child_spawn(argv, &limits, -1, -1, err[1], &pid), 0);
        close(err[1]);
        FILE *f = fdopen(err[0], "r");
        while (fgets(line, sizeof(line), f))
                if (strstr(line, "is a vmdk image"))
                        ck_assert_int_eq(utimensat(AT_FDCWD, p.source, old, 0), 0);
        fclose(f);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        ck_assert_str_eq(strna(r->code), "source_changed");
        ck_assert_int_eq(WEXITSTATUS(status), JOB_EXIT_FAILED);
        ck_assert(!file_exists(image));
        ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
        ck_assert(!file_exists(part));
}
END_TEST

/* --- OVA ------------------------------------------------------------------------------------------- */

/* An OVA of @n streamOptimized disks disk0.raw, … */
static Plan setup_ova(const char *dir, unsigned n, bool manifest, bool wrong_digest) {
        TarBuilder t = {};
        const char *files[8] = { "disk 0.vmdk", "disk1.vmdk", "disk2.vmdk" };
        char *ova = PATH(dir, "machine.ova"), *mf = strdup("");
        _cleanup_free_ char *ovf =
                        make_ovf((const char *const[]){ "disk%200.vmdk", "disk1.vmdk", "disk2.vmdk" }, n);

        tar_add_text(&t, "machine.ovf", ovf);
        for (unsigned i = 0; i < n; i++) {
                char *raw = PATH(dir, "disk%u.raw", i), *vmdk = PATH(dir, "%s", files[i]);
                make_disk(raw, (4 + i) * MIB, 10 + i);
                RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw,
                                vmdk);
                tar_add_file(&t, files[i], vmdk);
                _cleanup_free_ char *sum = sha256_of(vmdk);
                char *digest = sum + strlen("sha256:");
                if (wrong_digest)
                        digest[0] = digest[0] == '0' ? '1' : '0';
                char *more = strprintf("%sSHA256(%s)= %s\n", mf, files[i], digest);
                free(mf);
                mf = more;
        }
        if (manifest)
                tar_add_text(&t, "machine.mf", mf);
        tar_end(&t);
        write_file(ova, t.data, t.size);
        tar_builder_done(&t);
        free(mf);
        return (Plan){ .directory = PATH(dir, "job"),
                .source = ova,
                .destination = PATH(dir, "result.qcow2"),
                .destination_format = "qcow2",
                .verify = true };
}

START_TEST(an_ova_converts_in_place) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup_ova(dir, 1, true, false);

        assert_converts(&p);
        assert_same_disk(PATH(dir, "disk0.raw"), "raw", p.destination, "qcow2");
}
END_TEST

START_TEST(all_disks_of_an_ova_convert) {
        static const char *const formats[] = { "qcow2", "vmdk" };
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup_ova(dir, 3, false, false);

        p.destination_format = formats[_i];
        assert_converts(&p);
        assert_same_disk(PATH(dir, "disk0.raw"), "raw", p.destination, formats[_i]);
        assert_same_disk(PATH(dir, "disk1.raw"), "raw", PATH(dir, "result-disk2.qcow2"), formats[_i]);
        assert_same_disk(PATH(dir, "disk2.raw"), "raw", PATH(dir, "result-disk3.qcow2"), formats[_i]);
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        ck_assert_uint_eq(json_array_size(r->outputs), 3);
}
END_TEST

/* finish was killed when the first of three disks had its name, and then the job was cancelled. */
START_TEST(a_cancel_between_two_outputs_leaves_none) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup_ova(dir, 3, false, false);
        char *part = PATH(dir, ".result.qcow2.hyper-part");
        static const char *const images[] = { "image", "disk2/image", "disk3/image" };
        uintmax_t inodes[3];

        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert_int_eq(hyper_job("run", p.directory), 0);
        for (size_t i = 0; i < ELEMENTSOF(images); i++) {
                struct stat st;
                ck_assert_int_eq(stat(PATH(part, "%s", images[i]), &st), 0);
                inodes[i] = (uintmax_t) st.st_ino;
        }
        _cleanup_free_ char *record = strprintf("%ju %ju %ju\n", inodes[0], inodes[1], inodes[2]);
        write_text(PATH(p.directory, "publishing"), record);
        ck_assert_int_eq(rename(PATH(part, "image"), p.destination), 0);
        write_text(PATH(p.directory, "cancelled"), "");
        ck_assert_int_eq(hyper_job("finish-later", p.directory), 0);
        ck_assert(!file_exists(p.destination));
        ck_assert(!file_exists(PATH(dir, "result-disk2.qcow2")));
        ck_assert(!file_exists(part));
        ck_assert(!file_exists(PATH(p.directory, "published")));
}
END_TEST

START_TEST(a_further_disks_name_that_is_taken_stops_all) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup_ova(dir, 2, false, false);

        write_text(PATH(dir, "result-disk2.qcow2"), "mine");
        assert_refused(&p, "destination_exists", "result-disk2.qcow2, exists already");
        _cleanup_free_ char *text = read_text(PATH(dir, "result-disk2.qcow2"), NULL);
        ck_assert_str_eq(text, "mine");
}
END_TEST

START_TEST(a_manifest_that_does_not_match_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup_ova(dir, 1, true, true);

        assert_refused(&p, "checksum_mismatch", "disk 0.vmdk of ");
        /* Whether the output is compared or not. */
        p.verify = !p.verify;
        p.directory = PATH(dir, "job2");
        assert_refused(&p, "checksum_mismatch", "disk 0.vmdk of ");
}
END_TEST

/* An OVF of one disk; @file has more attributes of its file, @disk of the disk. */
static char *ovf_of(const char *href, const char *file, const char *disk) {
        char *ovf = strprintf("<Envelope xmlns:ovf='http://schemas.dmtf.org/ovf/envelope/1'><References>"
                              "<File ovf:id='f' ovf:href='%s' %s/></References><DiskSection><Info/>"
                              "<Disk ovf:diskId='d' ovf:fileRef='f' %s/></DiskSection></Envelope>",
                        href, file, disk);
        return test_keep(ovf);
}

static Plan plan_ova(const char *dir, TarBuilder *t) {
        static unsigned n;
        char *ova = PATH(dir, "box%u.ova", ++n);

        tar_end(t);
        write_file(ova, t->data, t->size);
        tar_builder_done(t);
        *t = (TarBuilder){};
        return (Plan){ .directory = PATH(dir, "ova-job%u", n),
                .source = ova,
                .destination = PATH(dir, "ova-out%u", n),
                .destination_format = "qcow2" };
}

static char *stream_optimized(const char *dir, uint64_t size) {
        make_disk(PATH(dir, "disk.raw"), size, 1);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized",
                        PATH(dir, "disk.raw"), PATH(dir, "disk.vmdk"));
        return PATH(dir, "disk.vmdk");
}

START_TEST(an_ova_in_chunks_is_put_together) {
        _cleanup_test_dir_ char *dir = test_dir();
        size_t size, chunk = 100000;
        _cleanup_free_ char *data = read_text(stream_optimized(dir, 4 * MIB), &size);
        char *attributes = test_keep(strprintf("ovf:size='%zu' ovf:chunkSize='%zu'", size, chunk));

        for (unsigned missing = 0; missing < 3; missing++) {
                TarBuilder t = {};

                tar_add_text(&t, "box.ovf", ovf_of("d.vmdk", attributes, ""));
                for (size_t i = 0; i * chunk < size; i++) {
                        char name[32];
                        snprintf(name, sizeof(name), "d.vmdk.%09zu", i);
                        bool last = (i + 1) * chunk >= size;
                        if ((missing == 1 && i == 1) || (missing == 2 && last))
                                continue;
                        tar_add(&t, name, '0', data + i * chunk, MIN(chunk, size - i * chunk));
                }
                Plan p = plan_ova(dir, &t);
                if (missing > 0) {
                        assert_refused(&p, "image_refused", "some are missing");
                        continue;
                }
                assert_converts(&p);
                assert_result(dir, &p);
        }
}
END_TEST

START_TEST(an_ova_with_a_compressed_disk_is_unpacked) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *vmdk = stream_optimized(dir, 4 * MIB);
        TarBuilder t = {};

        RUN("gzip", "-k", vmdk);
        tar_add_text(&t, "box.ovf", ovf_of("d.vmdk.gz", "ovf:compression='gzip'", ""));
        tar_add_file(&t, "d.vmdk.gz", PATH(dir, "disk.vmdk.gz"));
        Plan p = plan_ova(dir, &t);
        assert_converts(&p);
        assert_result(dir, &p);
        /* All of the OVA is compressed. */
        RUN("gzip", p.source);
        p.source = PATH(dir, "%s.gz", strrchr(p.source, '/') + 1);
        p.directory = PATH(dir, "job-gz");
        p.destination = PATH(dir, "out-gz");
        assert_converts(&p);
        assert_result(dir, &p);
        /* It is said to be, and is not. */
        tar_add_text(&t, "box.ovf", ovf_of("d.vmdk", "ovf:compression='gzip'", ""));
        tar_add_file(&t, "d.vmdk", vmdk);
        p = plan_ova(dir, &t);
        assert_refused(&p, "image_refused", "its OVF says that it is compressed");
}
END_TEST

START_TEST(a_capacity_that_does_not_fit_is_a_warning) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *vmdk = stream_optimized(dir, 4 * MIB);
        const char *const capacities[] = { "ovf:capacity='4' ovf:capacityAllocationUnits='byte * 2^20'",
                "ovf:capacity='5' ovf:capacityAllocationUnits='byte * 2^20'" };

        for (size_t i = 0; i < ELEMENTSOF(capacities); i++) {
                TarBuilder t = {};

                tar_add_text(&t, "box.ovf", ovf_of("d.vmdk", "", capacities[i]));
                tar_add_file(&t, "d.vmdk", vmdk);
                Plan p = plan_ova(dir, &t);
                assert_converts(&p);
                _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
                json_t *warnings = json_object_get(json_array_get(r->outputs, 0), "warnings");
                ck_assert_uint_eq(json_array_size(warnings), i);
                if (i > 0)
                        ck_assert_ptr_nonnull(strstr(
                                        json_string_value(json_array_get(warnings, 0)), "5242880 bytes"));
        }
}
END_TEST

START_TEST(a_sparse_ova_converts) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = { .directory = PATH(dir, "job"),
                .source = PATH(dir, "box.ova"),
                .destination = PATH(dir, "out"),
                .destination_format = "qcow2" };

        make_disk(PATH(dir, "disk.raw"), 4 * MIB, 1);
        write_text(PATH(dir, "box.ovf"), ovf_of("disk.raw", "", ""));
        RUN("tar", "-S", "--format=posix", "-C", dir, "-cf", p.source, "box.ovf", "disk.raw");
        assert_converts(&p);
        assert_result(dir, &p);
}
END_TEST

START_TEST(an_ovf_in_a_directory_converts) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *vmdk = stream_optimized(dir, 4 * MIB);
        _cleanup_free_ char *sum = sha256_of(vmdk), *manifest = NULL;
        Plan p = { .directory = PATH(dir, "job"),
                .source = PATH(dir, "box.ovf"),
                .extents = { vmdk, PATH(dir, "box.mf") },
                .destination = PATH(dir, "out"),
                .destination_format = "qcow2" };

        write_text(p.source, ovf_of("DISK.vmdk", "", ""));
        manifest = strprintf("SHA256(disk.vmdk)= %s\n", sum + strlen("sha256:"));
        write_text(p.extents[1], manifest);
        assert_converts(&p);
        assert_result(dir, &p);

        p.directory = PATH(dir, "job2");
        p.destination = PATH(dir, "out2");
        manifest[20] = manifest[20] == '0' ? '1' : '0';
        write_text(p.extents[1], manifest);
        assert_refused(&p, "checksum_mismatch", "disk.vmdk of");
        /* A checksum of one file proves nothing about the others. */
        p.checksum = sum;
        p.directory = PATH(dir, "job3");
        assert_refused(&p, "unsupported", "covers one file, but the image is made of 3");
        /* What the manager did not find is not followed. */
        p = (Plan){ .directory = PATH(dir, "job4"),
                .source = PATH(dir, "box.ovf"),
                .destination = PATH(dir, "out4"),
                .destination_format = "qcow2" };
        assert_refused(&p, "image_refused", "which it does not hold");
}
END_TEST

/* As if the manager had looked at @path when it was another file. */
static void check_another(const Plan *p, const char *path) {
        _cleanup_free_ char *file = strprintf("%s/job.json", p->directory),
                            *text = strprintf("1 2 3 %s", path);
        _cleanup_json_ json_t *plan = json_load_file(file, 0, NULL);

        ck_assert_ptr_nonnull(plan);
        ck_assert_int_eq(json_object_set_new(plan, "bound", json_pack("[s]", text)), 0);
        ck_assert_int_eq(json_dump_file(plan, file, 0), 0);
}

START_TEST(a_source_that_was_replaced_after_the_check_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir, "qcow2", NULL);

        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        check_another(&p, p.source);
        ck_assert_int_eq(hyper_job("run", p.directory), JOB_EXIT_FAILED);
        _cleanup_(job_result_freep) JobResult *result = read_result(p.directory);
        ck_assert_str_eq(result->code, "source_changed");
        ck_assert_ptr_nonnull(strstr(result->message, p.source));
}
END_TEST

START_TEST(a_directory_that_was_replaced_after_the_check_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir, "qcow2", NULL);

        write_plan(&p);
        check_another(&p, dir);
        ck_assert_int_eq(hyper_job("prepare", p.directory), JOB_EXIT_FAILED);
        _cleanup_(job_result_freep) JobResult *result = read_result(p.directory);
        ck_assert_str_eq(result->code, "destination_refused");
}
END_TEST

#define LOOP(test, n) tcase_add_loop_test(tcase, test, 0, (int) (n))

int main(void) {
        TCase *tcase = test_case("convert", 120, NULL, 0);

        LOOP(every_source_format_converts, ELEMENTSOF(sources));
        LOOP(every_destination_format_comes_out, 3);
        tcase_add_test(tcase, compressed_qcow2_is_smaller);
        tcase_add_test(tcase, the_result_says_what_came_out);
        tcase_add_test(tcase, the_right_checksum_is_accepted_and_a_wrong_one_refused);
        tcase_add_test(tcase, a_format_that_is_not_the_images_is_refused);
        tcase_add_test(tcase, raw_is_believed);
        tcase_add_test(tcase, an_existing_destination_is_never_touched);
        tcase_add_test(tcase, a_destination_that_appears_meanwhile_is_not_replaced);
        tcase_add_test(tcase, a_source_that_changes_meanwhile_is_noticed);
        tcase_add_test(tcase, an_ova_converts_in_place);
        LOOP(all_disks_of_an_ova_convert, 2);
        tcase_add_test(tcase, a_further_disks_name_that_is_taken_stops_all);
        tcase_add_test(tcase, a_cancel_between_two_outputs_leaves_none);
        tcase_add_test(tcase, a_manifest_that_does_not_match_is_refused);
        tcase_add_test(tcase, an_ova_in_chunks_is_put_together);
        tcase_add_test(tcase, an_ova_with_a_compressed_disk_is_unpacked);
        tcase_add_test(tcase, a_capacity_that_does_not_fit_is_a_warning);
        tcase_add_test(tcase, a_sparse_ova_converts);
        tcase_add_test(tcase, an_ovf_in_a_directory_converts);
        tcase_add_test(tcase, a_source_that_was_replaced_after_the_check_is_refused);
        tcase_add_test(tcase, a_directory_that_was_replaced_after_the_check_is_refused);
        return test_run("convert", tcase);
}
