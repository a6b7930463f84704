/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* OVF and OVA as destinations: what is in them, that other programs can read it, and that it reads back as
 * the source. */

#include <endian.h>

#include "image/ovf-writer.h"
#include "image/ovf.h"
#include "image/tar-writer.h"
#include "image/tar.h"
#include "spec/job-result.h"
#include "spec/vm-json.h"
#include "unit/lib/job-front.h"

#define SIZE (9 * MIB + 512)

/* An OVA of two disks. */
static char *two_disks(const char *dir) {
        TarBuilder t = {};
        char *ova = PATH(dir, "machine.ova");
        _cleanup_free_ char *ovf = make_ovf((const char *const[]){ "a.vmdk", "b.vmdk" }, 2);

        tar_add_text(&t, "machine.ovf", ovf);
        for (unsigned i = 0; i < 2; i++) {
                char *raw = PATH(dir, "disk%u.raw", i), *vmdk = PATH(dir, "%c.vmdk", 'a' + (int) i);
                make_disk(raw, (4 + i) * MIB, 10 + i);
                RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw,
                                vmdk);
                tar_add_file(&t, i == 0 ? "a.vmdk" : "b.vmdk", vmdk);
        }
        tar_end(&t);
        write_file(ova, t.data, t.size);
        tar_builder_done(&t);
        return ova;
}

static Plan plan_for(const char *dir, const char *source, const char *format) {
        return (Plan){ .directory = PATH(dir, "job"),
                .source = source,
                .destination = PATH(dir, "result.%s", format),
                .destination_format = format,
                .verify = true };
}

static uint64_t number(const char *data, size_t at) {
        uint64_t n;

        memcpy(&n, data + at, sizeof(n));
        return le64toh(n);
}

static uint32_t short_number(const char *data, size_t at) {
        uint32_t n;

        memcpy(&n, data + at, sizeof(n));
        return le32toh(n);
}

/* Programs that stream it read its grains in the order of the disk. */
static void assert_stream(const char *vmdk) {
        size_t size;
        _cleanup_free_ char *data = read_text(vmdk, &size);
        uint64_t capacity = number(data, 12), grain = number(data, 20), directory = number(data, 56) * 512;
        uint32_t per_table = short_number(data, 44), last = 0;

        ck_assert_mem_eq(data, "KDMV", 4);
        ck_assert_ptr_nonnull(strstr(data + 512, "createType=\"streamOptimized\""));
        ck_assert_ptr_nonnull(strstr(data + 512, "ddb.adapterType = \"lsilogic\""));
        for (uint64_t i = 0; i * grain < capacity; i++) {
                uint64_t table = short_number(data, directory + 4 * (i / per_table)) * UINT64_C(512);
                if (table == 0)
                        continue;
                uint32_t at = short_number(data, table + 4 * (i % per_table));
                ck_assert_msg(at == 0 || at > last, "grain %" PRIu64 " is at %u, behind %u", i, at, last);
                last = MAX(last, at);
        }
        ck_assert_uint_gt(last, 0);
}

/* Each line of the manifest is right, and there is one for each of @n files. */
static void assert_manifest(const char *dir, const char *manifest, unsigned n) {
        _cleanup_free_ char *text = read_text(PATH(dir, "%s", manifest), NULL);
        unsigned lines = 0;

        for (char *save = NULL, *line = strtok_r(text, "\n", &save); line;
                        line = strtok_r(NULL, "\n", &save)) {
                char name[64], digest[65];
                ck_assert_int_eq(sscanf(line, "SHA256(%63[^)])= %64[0-9a-f]", name, digest), 2);
                const char *const argv[] = { "sha256sum", PATH(dir, "%s", name), NULL };
                _cleanup_child_output_ ChildOutput o = {};
                ck_assert_int_eq(run_argv(argv, &o), 0);
                ck_assert_msg(strncmp(o.output, digest, 64) == 0, "%s: %s", line, o.output);
                lines++;
        }
        ck_assert_uint_eq(lines, n);
}

static int read_at(void *userdata, void *buf, size_t size, uint64_t offset) {
        return pread_full(*(int *) userdata, buf, size, offset);
}

START_TEST(a_disk_becomes_an_ova) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw"), *out = PATH(dir, "out");
        Plan p = plan_for(dir, raw, "ova");

        make_disk(raw, SIZE, 3);
        p.source_format = "raw";
        assert_converts(&p);

        const char *const list[] = { "tar", "-tf", p.destination, NULL };
        _cleanup_child_output_ ChildOutput o = {};
        ck_assert_int_eq(run_argv(list, &o), 0);
        ck_assert_str_eq(o.output, "result.ovf\nresult.mf\nresult-disk1.vmdk\n");
        ck_assert_int_eq(mkdir(out, 0700), 0);
        RUN("tar", "-xf", p.destination, "-C", out);
        assert_manifest(out, "result.mf", 2);
        assert_stream(PATH(out, "result-disk1.vmdk"));
        assert_same_disk(raw, "raw", PATH(out, "result-disk1.vmdk"), "vmdk");

        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        ck_assert_uint_eq(json_array_size(r->outputs), 1);
        json_t *output = json_array_get(r->outputs, 0);
        ck_assert_str_eq(json_string_value(json_object_get(output, "format")), "ova");
        ck_assert_str_eq(json_string_value(json_object_get(output, "path")), p.destination);
        ck_assert_int_eq(json_integer_value(json_object_get(output, "virtual_size")), SIZE);
        ck_assert_str_eq(json_string_value(json_object_get(output, "verified")), "sample");

        /* And back. */
        Plan back = plan_for(dir, p.destination, "raw");
        back.directory = PATH(dir, "back");
        assert_converts(&back);
        assert_same_disk(raw, "raw", back.destination, "raw");
}
END_TEST

START_TEST(several_disks_become_an_ovf) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir, two_disks(dir), "ovf");

        assert_converts(&p);
        assert_manifest(dir, "result.mf", 3);
        assert_stream(PATH(dir, "result-disk2.vmdk"));
        assert_same_disk(PATH(dir, "disk0.raw"), "raw", PATH(dir, "result-disk1.vmdk"), "vmdk");
        assert_same_disk(PATH(dir, "disk1.raw"), "raw", PATH(dir, "result-disk2.vmdk"), "vmdk");
        struct stat st;
        ck_assert_int_eq(stat(PATH(dir, "result.mf"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);

        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        static const char *const formats[] = { "ovf", "vmdk", "vmdk" };
        ck_assert_uint_eq(json_array_size(r->outputs), ELEMENTSOF(formats));
        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                ck_assert_str_eq(json_string_value(json_object_get(json_array_get(r->outputs, i), "format")),
                                formats[i]);

        Plan back = plan_for(dir, p.destination, "qcow2");
        back.directory = PATH(dir, "back");
        back.destination = PATH(dir, "back.qcow2");
        back.extents[0] = PATH(dir, "result-disk1.vmdk");
        back.extents[1] = PATH(dir, "result-disk2.vmdk");
        back.extents[2] = PATH(dir, "result.mf");
        assert_converts(&back);
        assert_same_disk(PATH(dir, "disk0.raw"), "raw", back.destination, "qcow2");
        assert_same_disk(PATH(dir, "disk1.raw"), "raw", PATH(dir, "back-disk2.qcow2"), "qcow2");
}
END_TEST

/* All names of an OVF must be free, or none is taken. */
START_TEST(a_name_of_an_ovf_that_is_taken_stops_all) {
        static const char *const names[] = { "result.mf", "result-disk2.vmdk" };
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir, two_disks(dir), "ovf");

        write_text(PATH(dir, "%s", names[_i]), "in the way");
        ck_assert_int_eq(attempt(&p), JOB_EXIT_FAILED);
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        ck_assert_str_eq(strna(r->code), "destination_exists");
        ck_assert_ptr_nonnull(strstr(r->message, names[_i]));
        ck_assert(!file_exists(p.destination));
        ck_assert(!file_exists(PATH(dir, "result-disk1.vmdk")));
}
END_TEST

/* The name of another file, which only some jobs write. */
START_TEST(an_ova_takes_one_name) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = plan_for(dir, two_disks(dir), "ova");

        write_text(PATH(dir, "result.mf"), "not in the way");
        write_text(PATH(dir, "result-disk2.ova"), "not in the way");
        assert_converts(&p);
        ck_assert(!file_exists(PATH(dir, "result.ovf")));
        _cleanup_free_ char *text = read_text(PATH(dir, "result.mf"), NULL);
        ck_assert_str_eq(text, "not in the way");
}
END_TEST

START_TEST(a_stopped_package_is_made_by_the_next_attempt) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw");
        Plan p = plan_for(dir, raw, "ova");

        make_disk(raw, SIZE, 3);
        p.source_format = "raw";
        write_plan(&p);
        ck_assert_int_eq(hyper_job("prepare", p.directory), 0);
        ck_assert_int_eq(hyper_job("run", p.directory), 0);
        /* As if it had been cut off before the end. */
        ck_assert_int_eq(unlink(PATH(p.directory, "results/result.json")), 0);
        p.attempt = 2;
        assert_converts(&p);
        Plan back = plan_for(dir, p.destination, "raw");
        back.directory = PATH(dir, "back");
        assert_converts(&back);
        assert_same_disk(raw, "raw", back.destination, "raw");
}
END_TEST

/* --- the writers ----------------------------------------------------------------------------------- */

/* As a document, without what a package does not have. */
static char *hardware_text(const VmHardware *vm) {
        _cleanup_json_ json_t *object = vm_hardware_to_json(vm);

        ck_assert_ptr_nonnull(object);
        (void) json_object_del(object, "disks");
        (void) json_object_del(object, "name");
        return json_dumps(object, JSON_COMPACT);
}

START_TEST(the_hardware_of_the_source_is_in_the_descriptor) {
        static const OvfWriteDisk disk = { .file = "a.vmdk", .size = 1, .capacity = MIB };
        _cleanup_vm_ VmHardware *vm = vm_hardware_new();

        vm->guest_os = strdup("debian12_64Guest");
        vm->firmware = VM_FIRMWARE_EFI;
        vm->secure_boot = true;
        vm->cpus = 8;
        vm->cores_per_socket = 2;
        vm->memory = 3 * 1024 * MIB;
        for (unsigned i = 0; i < 3; i++) {
                HardwareNic *nic = vm_hardware_add_nic(vm);

                nic->network = strdup(i < 2 ? "a & \"b\"" : "none");
                nic->mac = i == 0 ? strdup("00:50:56:aa:bb:cc") : NULL;
                nic->model = strdup("vmxnet3");
                nic->disconnected = i == 1;
        }
        _cleanup_free_ char *text = ovf_write("x", vm, &disk, 1), *why = NULL, *before = NULL, *after = NULL;
        _cleanup_ovf_ OvfDescriptor ovf = {};
        ck_assert_ptr_nonnull(text);
        int r = ovf_parse(text, strlen(text), &ovf, &why);
        ck_assert_msg(r == 0, "%s", strna(why));
        before = hardware_text(vm);
        after = hardware_text(ovf.vm);
        ck_assert_str_eq(after, before);
        /* Each network is declared once. */
        const char *declared = strstr(text, "<Network ovf:name=\"a &amp; &quot;b&quot;\"/>");
        ck_assert_ptr_nonnull(declared);
        ck_assert_ptr_null(strstr(declared + 1, "<Network ovf:name=\"a &amp;"));
}
END_TEST

START_TEST(what_is_written_is_read_the_same) {
        OvfWriteDisk disks[OVF_WRITE_MAX];
        char names[OVF_WRITE_MAX][48];

        for (unsigned i = 0; i < OVF_WRITE_MAX; i++) {
                (void) snprintf(names[i], sizeof(names[i]), "a&\"b\"<c> %%20#\xc3\xa9-disk%u.vmdk", i + 1);
                disks[i] = (OvfWriteDisk){ .file = names[i], .size = 1000 + i, .capacity = (i + 1) * MIB };
        }
        _cleanup_free_ char *text = ovf_write("a&\"b\"<c>", NULL, disks, OVF_WRITE_MAX), *why = NULL;
        ck_assert_ptr_nonnull(text);
        _cleanup_ovf_ OvfDescriptor ovf = {};
        int r = ovf_parse(text, strlen(text), &ovf, &why);
        ck_assert_msg(r == 0, "%s", strna(why));
        ck_assert_uint_eq(ovf.n_disks, OVF_WRITE_MAX);
        for (unsigned i = 0; i < OVF_WRITE_MAX; i++) {
                _cleanup_free_ char *name = ovf_decode_href(ovf.disks[i].file);
                ck_assert_str_eq(name, names[i]);
                ck_assert_uint_eq(strcspn(ovf.disks[i].file, " #?\"<>"), strlen(ovf.disks[i].file));
                ck_assert_uint_eq(ovf.disks[i].capacity, (i + 1) * MIB);
        }
        ck_assert_ptr_null(ovf_write("x", NULL, disks, 0));
        ck_assert_ptr_null(ovf_write("x", NULL, disks, OVF_WRITE_MAX + 1));
        /* No two devices have one id, and no disk has the place of its controller. */
        ck_assert_ptr_null(strstr(text, "<rasd:AddressOnParent>7<"));
        ck_assert_ptr_null(strstr(text, "<rasd:AddressOnParent>16<"));
        for (const char *p = text; (p = strstr(p, "<rasd:InstanceID>")); p++) {
                _cleanup_free_ char *id = strndup(p, strcspn(p, "\n"));
                ck_assert_ptr_null(strstr(p + 1, id));
        }
}
END_TEST

START_TEST(headers_hold_every_size) {
        static const uint64_t sizes[] = { 0, 1, 512, UINT64_C(1) << 33, (UINT64_C(1) << 33) - 1,
                UINT64_C(9) << 30, UINT64_C(64) << 40 };
        _cleanup_test_dir_ char *dir = test_dir();

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_close_ int fd =
                                open(PATH(dir, "tar"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                char header[TAR_BLOCK];
                uint64_t end = TAR_BLOCK + sizes[i] + tar_padding(sizes[i]);
                ck_assert_int_eq(tar_write_header("disk.vmdk", sizes[i], 1700000000, header), 0);
                ck_assert(tar_is_header(header));
                ck_assert_int_eq(pwrite_full(fd, header, sizeof(header), 0), 0);
                if (ftruncate(fd, (off_t) (end + TAR_END_SIZE)) < 0)
                        continue; /* the file system has no files of that size */
                _cleanup_tar_index_ TarIndex index = {};
                _cleanup_free_ char *why = NULL;
                int r = tar_index_read(read_at, &fd, end + TAR_END_SIZE, &index, &why);
                ck_assert_msg(r == 0, "%s", strna(why));
                ck_assert_uint_eq(index.n_members, 1);
                ck_assert_uint_eq(index.members[0].size, sizes[i]);
                ck_assert_str_eq(index.members[0].name, "disk.vmdk");
        }
        char header[TAR_BLOCK], name[TAR_NAME_MAX + 2];
        memset(name, 'n', sizeof(name));
        name[TAR_NAME_MAX + 1] = 0;
        ck_assert_int_eq(tar_write_header(name, 1, 0, header), -ENAMETOOLONG);
        name[TAR_NAME_MAX] = 0;
        ck_assert_int_eq(tar_write_header(name, 1, 0, header), 0);
        ck_assert_int_eq(tar_write_header("a/b", 1, 0, header), -EINVAL);
        ck_assert_int_eq(tar_write_header("", 1, 0, header), -EINVAL);
}
END_TEST

int main(void) {
        const TTest *const tests[] = { a_disk_becomes_an_ova, several_disks_become_an_ovf,
                an_ova_takes_one_name, a_stopped_package_is_made_by_the_next_attempt,
                the_hardware_of_the_source_is_in_the_descriptor, what_is_written_is_read_the_same,
                headers_hold_every_size };
        TCase *tcase = test_case("job-package", 120, tests, ELEMENTSOF(tests));

        tcase_add_loop_test(tcase, a_name_of_an_ovf_that_is_taken_stops_all, 0, 2);
        return test_run("job-package", tcase);
}
