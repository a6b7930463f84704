/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Domains for disk images: the definition, and which images are refused. What hyper-hostd does with it is
 * tested with libvirt, in system/kvm. */

#include <fcntl.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "manager/file/deploy.h"
#include "shared/error-table.h"
#include "unit/lib/test.h"

static void run(const char *format, ...) _printf_(1, 2);
static void run(const char *format, ...) {
        _cleanup_free_ char *command = NULL;
        va_list ap;

        va_start(ap, format);
        command = vstrprintf(format, ap);
        va_end(ap);
        ck_assert_msg(system(command) == 0, "%s", command);
}

/* Checks the image in @dir: its path as @definition gives it. "" if it is accepted, else the error. */
static char *check(const char *dir, const char *name, const char *format, int *ret_firmware) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};
        _cleanup_(deploy_definition_done) DeployDefinition d = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *text = strprintf("{\"name\":\"x\",\"disk_path\":\"%s/%s\"%s%s%s}", dir, name,
                        format ? ",\"format\":\"" : "", format ? format : "", format ? "\"" : "");
        char *roots[] = { (char *) dir, NULL };

        ck_assert_int_eq(deploy_definition_decode(text, &d, &errors), 0);
        int r = deploy_check_disks(&d, roots, &error);
        if (ret_firmware)
                *ret_firmware = d.firmware;
        ck_assert_msg(r >= 0 || sd_bus_error_is_set(&error), "%s: %s", text, strerror(-r));
        return strdup(r >= 0 ? "" : error.message);
}

#define accepts(name, format)                                                 \
        do {                                                                  \
                _cleanup_free_ char *_e = check(dir, (name), (format), NULL); \
                ck_assert_str_eq(_e, "");                                     \
        } while (false)
#define refuses(name, format, part)                                            \
        do {                                                                   \
                _cleanup_free_ char *_e = check(dir, (name), (format), NULL);  \
                ck_assert_msg(*_e &&strstr(_e, (part)), "%s: %s", (name), _e); \
        } while (false)

START_TEST(images_are_what_they_are_said_to_be) {
        _cleanup_test_dir_ char *dir = test_dir();

        run("cd %s && truncate -s 1M a.raw && qemu-img create -q -f qcow2 b.qcow2 1M && cp b.qcow2 c.raw && "
            "cp a.raw d.qcow2 && qemu-img create -q -f qcow2 -b b.qcow2 -F qcow2 e.qcow2 && "
            "qemu-img create -q -f qcow2 -o data_file=a.raw,data_file_raw=on f.qcow2 1M && "
            "qemu-img create -q -f vmdk g.raw 1M && ln -s a.raw h.raw && mkfifo i.raw && "
            "qemu-img create -q -f vpc -o subformat=fixed j.raw 1M",
                        dir);
        accepts("a.raw", NULL);
        accepts("b.qcow2", NULL);
        accepts("c.raw", "qcow2");
        refuses("c.raw", NULL, "qcow2");
        refuses("d.qcow2", NULL, "raw");
        refuses("e.qcow2", NULL, "backing file");
        refuses("f.qcow2", NULL, "external data file");
        refuses("g.raw", NULL, "vmdk");
        refuses("h.raw", NULL, "h.raw");
        refuses("i.raw", NULL, "i.raw");
        refuses("j.raw", NULL, "vhd");
        refuses("none.raw", NULL, "none.raw");
}
END_TEST

START_TEST(the_partition_table_decides_the_firmware) {
        static const char *const names[] = { "d.raw", "d.qcow2" };
        _cleanup_test_dir_ char *dir = test_dir();

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                for (unsigned gpt = 0; gpt < 2; gpt++) {
                        _cleanup_free_ char *error = NULL;
                        int firmware;

                        /* a partition for EFI, or one that is bootable by the BIOS */
                        run("cd %s && rm -f d.* && truncate -s 64M d.raw && printf '%s' | sfdisk -q d.raw "
                            "&& qemu-img convert -O qcow2 d.raw d.qcow2",
                                        dir, gpt ? "label: gpt\\n,,U\\n" : "label: dos\\n,,83,*\\n");
                        error = check(dir, names[i], NULL, &firmware);
                        ck_assert_str_eq(error, "");
                        ck_assert_int_eq(firmware, gpt ? VM_FIRMWARE_EFI : VM_FIRMWARE_BIOS);
                }
}
END_TEST

START_TEST(definitions_are_checked) {
        static const struct {
                const char *text, *fields;
        } cases[] = {
                { "{}", "name disk_path" },
                { "{\"name\":\"a/b\",\"disk_path\":\"/a.raw\"}", "name" },
                { "{\"name\":\"x\",\"disk_path\":\"a.raw\"}", "disk_path" },
                { "{\"name\":\"x\",\"disk_path\":\"/srv/../a.raw\"}", "disk_path" },
                { "{\"name\":\"x\",\"disk_path\":\"/a.vmdk\"}", "format" },
                { "{\"name\":\"x\",\"disk_path\":\"/a\"}", "format" },
                { "{\"name\":\"x\",\"disk_path\":\"/a.raw\",\"disks\":[]}", "disks" },
                { "{\"name\":\"x\",\"disks\":[{}]}", "disks" },
                { "{\"name\":\"x\",\"disks\":[{\"path\":\"/a.raw\",\"bus\":\"ide\"}]}", "disks" },
                { "{\"name\":\"x\",\"disks\":[{\"path\":\"/a.raw\",\"bus\":1}]}", "disks" },
                { "{\"name\":\"x\",\"disk_path\":\"/a.raw\",\"cpu\":0,\"memory_mb\":63}", "cpu memory_mb" },
                { "{\"name\":\"x\",\"disk_path\":\"/a.raw\",\"cpu\":513}", "cpu" },
                { "{\"name\":\"x\",\"disk_path\":\"/a.raw\",\"target\":\"aws\",\"host\":\"k2\"}",
                                "target host" },
                { "{\"name\":\"x\",\"disk_path\":\"/a.raw\",\"firmware\":\"uefi\",\"mac\":\"1\","
                  "\"bus\":\"ide\"}",
                                "bus firmware mac" },
                { "{\"name\":\"x\",\"disk_path\":\"/a.raw\",\"nic_model\":\"ne2k\",\"graphics\":\"spice\"}",
                                "graphics nic_model" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(json_errors_done) JsonErrors errors = {};
                _cleanup_strv_free_ char **fields = NULL;
                DeployDefinition d = {};

                ck_assert_msg(deploy_definition_decode(cases[i].text, &d, &errors) == -EBADMSG, "%s",
                                cases[i].text);
                for (size_t k = 0; k < errors.n_errors; k++)
                        ck_assert_int_eq(strv_extend(&fields, errors.errors[k].field), 0);
                _cleanup_free_ char *joined = strv_join(fields, " ");
                ck_assert_str_eq(joined, cases[i].fields);
        }
}
END_TEST

START_TEST(the_domain_has_what_was_asked_for) {
        _cleanup_(deploy_definition_done) DeployDefinition d = {}, none = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_kvm_domain_ KvmDomain *domain = NULL, *alone = NULL;

        ck_assert_int_eq(
                        deploy_definition_decode(
                                        "{\"name\":\"web\",\"disk_path\":\"/a.qcow2\",\"cpu\":4,"
                                        "\"memory_mb\":8192,\"network\":\"bridge:br0\",\"mac\":\"52:54:00:AB:CD:EF\","
                                        "\"os\":\"windows\",\"firmware\":\"efi-secure\",\"autostart\":true}",
                                        &d, &errors),
                        0);
        ck_assert_int_eq(deploy_domain(&d, &domain), 0);
        ck_assert_str_eq(domain->name, "web");
        ck_assert_str_eq(domain->disks[0].format, "qcow2");
        ck_assert_uint_eq(domain->vm->cpus, 4);
        ck_assert_uint_eq(domain->vm->memory, (uint64_t) 8192 << 20);
        ck_assert_int_eq(domain->vm->firmware, VM_FIRMWARE_EFI);
        ck_assert(domain->vm->secure_boot && d.autostart && d.start);
        ck_assert_int_eq(domain->disk_bus, VM_BUS_SATA);
        ck_assert_str_eq(domain->nic_model, "e1000e");
        ck_assert_str_eq(domain->vm->nics[0].mac, "52:54:00:ab:cd:ef");
        ck_assert_str_eq(json_string_value(json_object_get(domain->network_map, "bridge:br0")), "br0");

        ck_assert_int_eq(deploy_definition_decode(
                                         "{\"name\":\"x\",\"disk_path\":\"/a.raw\",\"network\":\"none\"}",
                                         &none, &errors),
                        0);
        ck_assert_int_eq(deploy_domain(&none, &alone), 0);
        ck_assert_uint_eq(alone->vm->n_nics, 0);
        ck_assert_int_eq(alone->disk_bus, VM_BUS_VIRTIO);
}
END_TEST

START_TEST(disks_may_have_other_buses) {
        _cleanup_(deploy_definition_done) DeployDefinition d = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_kvm_domain_ KvmDomain *domain = NULL, *again = NULL;
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(deploy_definition_decode(
                                         "{\"name\":\"x\",\"bus\":\"scsi\",\"graphics\":\"none\",\"disks\":["
                                         "{\"path\":\"/a.raw\"},{\"path\":\"/b.qcow2\",\"bus\":\"sata\"}]}",
                                         &d, &errors),
                        0);
        ck_assert_int_eq(deploy_domain(&d, &domain), 0);
        json = kvm_domain_to_json(domain);
        text = json_dumps(json, 0);
        ck_assert_int_eq(kvm_domain_decode(text, strlen(text), &again, &errors), 0);
        ck_assert(again->headless);
        ck_assert_int_eq(again->disk_bus, VM_BUS_SCSI);
        ck_assert_int_eq(again->disks[0].bus, VM_BUS_UNKNOWN);
        ck_assert_int_eq(again->disks[1].bus, VM_BUS_SATA);
}
END_TEST

TEST_MAIN("manager-deploy", images_are_what_they_are_said_to_be, the_partition_table_decides_the_firmware,
                definitions_are_checked, the_domain_has_what_was_asked_for, disks_may_have_other_buses)
