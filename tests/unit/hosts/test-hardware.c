/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Domains that are made of the hardware of a VM: data/hardware/NAME.json becomes NAME.xml, which is valid by
 * libvirt's schema. With GOLDEN_WRITE=1 in the environment, the files are written instead of compared: look
 * at the difference, then. */

#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include "basic/fd-util.h"
#include "hosts/domain-capabilities.h"
#include "hosts/guest-hardware.h"
#include "hosts/hardware.h"
#include "unit/lib/test.h"
#include "json/json-parse.h"

#define SCHEMA "/usr/share/libvirt/schemas/domain.rng"
#define FILE_MAX_BYTES ((size_t) 1024 * 1024)

static const char *const cases[] = { "plain", "vmware-linux", "windows-secure", "windows-xp", "emulated",
        "many-disks", "chosen-models" };

static char *data_path(const char *name, const char *suffix) {
        const char *srcdir = getenv("srcdir");

        return strprintf("%s/tests/unit/data/hardware/%s%s", srcdir ? srcdir : ".", name, suffix);
}

static char *read_data(const char *name, const char *suffix) {
        _cleanup_free_ char *path = data_path(name, suffix), *text = NULL;

        ck_assert_msg(read_file_at(AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL) == 0, "%s", path);
        return TAKE_PTR(text);
}

static void read_case(const char *name, KvmDomain **ret_domain, KvmTarget **ret_target) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *text = read_data(name, ".json"), *error = NULL;
        _cleanup_json_ json_t *object = NULL;

        ck_assert_int_eq(json_parse_object(text, strlen(text), &object, &error), 0);
        _cleanup_free_ char *domain = json_dumps(json_object_get(object, "domain"), 0),
                            *target = json_dumps(json_object_get(object, "target"), 0);
        int r = kvm_domain_decode(domain, strlen(domain), ret_domain, &errors);
        _cleanup_free_ char *why = json_errors_text(&errors);
        ck_assert_msg(r == 0, "%s: %s", name, why);
        ck_assert_int_eq(kvm_target_decode(target, strlen(target), ret_target), 0);
}

static char *make_xml(const char *name, char ***ret_warnings) {
        _cleanup_kvm_domain_ KvmDomain *domain = NULL;
        _cleanup_kvm_target_ KvmTarget *target = NULL;
        _cleanup_free_ char *why = NULL;
        char *xml;

        read_case(name, &domain, &target);
        ck_assert_msg(kvm_domain_check(domain, target, &why) == 0, "%s", why);
        ck_assert_int_eq(hardware_xml(domain, target, &xml, ret_warnings), 0);
        return xml;
}

START_TEST(hardware_becomes_the_expected_domain) {
        _cleanup_strv_free_ char **warnings = NULL;
        _cleanup_free_ char *xml = make_xml(cases[_i], &warnings), *path = data_path(cases[_i], ".xml"),
                            *expected = NULL;

        if (getenv("GOLDEN_WRITE")) {
                FILE *f = fopen(path, "we");
                ck_assert_ptr_nonnull(f);
                fputs(xml, f);
                fclose(f);
        }
        expected = read_data(cases[_i], ".xml");
        ck_assert_str_eq(xml, expected);
}
END_TEST

static char *make_boot_xml(const char *name) {
        _cleanup_kvm_domain_ KvmDomain *domain = NULL;
        _cleanup_kvm_target_ KvmTarget *target = NULL;
        char *xml;

        read_case(name, &domain, &target);
        ck_assert_int_eq(hardware_boot_xml(domain, target, &xml), 0);
        return xml;
}

static void assert_valid(xmlRelaxNGValidCtxtPtr context, const char *name, const char *xml) {
        xmlDoc *doc = xmlReadMemory(xml, (int) strlen(xml), NULL, NULL, XML_PARSE_NONET);

        ck_assert_ptr_nonnull(doc);
        ck_assert_msg(xmlRelaxNGValidateDoc(context, doc) == 0, "%s: %s", name, xml);
        xmlFreeDoc(doc);
}

START_TEST(domains_are_valid_by_libvirts_schema) {
        xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewParserCtxt(SCHEMA);
        xmlRelaxNGPtr schema = xmlRelaxNGParse(parser);
        xmlRelaxNGValidCtxtPtr context = xmlRelaxNGNewValidCtxt(schema);

        ck_assert_ptr_nonnull(context);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_strv_free_ char **warnings = NULL;
                _cleanup_free_ char *xml = make_xml(cases[i], &warnings), *boot = make_boot_xml(cases[i]);

                assert_valid(context, cases[i], xml);
                assert_valid(context, cases[i], boot);
        }
        xmlRelaxNGFreeValidCtxt(context);
        xmlRelaxNGFree(schema);
        xmlRelaxNGFreeParserCtxt(parser);
}
END_TEST

START_TEST(differences_that_matter_are_told) {
        static const struct {
                const char *name, *warnings;
        } expected[] = {
                { "plain", "" },
                { "windows-secure",
                                "The TPM of the domain is new: secrets in that of the source, such as keys "
                                "of encrypted disks, are not in it" },
                { "emulated",
                                "NIC 1 with the MAC address 52:54:00:00:00:01 is not connected: no network "
                                "of libvirt is named for \"VM Network\" in destination.network_map|The source "
                                "has a TPM, and the domain has none: libvirt finds no emulator on this host "
                                "(package swtpm-tools)" },
        };

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                _cleanup_strv_free_ char **warnings = NULL;
                _cleanup_free_ char *xml = make_xml(expected[i].name, &warnings),
                                    *text = strv_join(warnings, "|");

                ck_assert_str_eq(text, expected[i].warnings);
        }
}
END_TEST

static size_t count(const char *text, const char *word) {
        size_t n = 0;

        for (const char *p = strstr(text, word); p; p = strstr(p + 1, word))
                n++;
        return n;
}

/* It must not disturb the domain, its source, its disks, or a network. */
START_TEST(a_proof_of_boot_changes_nothing) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_strv_free_ char **warnings = NULL;
                _cleanup_free_ char *xml = make_xml(cases[i], &warnings), *boot = make_boot_xml(cases[i]);

                ck_assert_uint_eq(count(boot, "<transient/>"), count(boot, "<disk "));
                ck_assert_uint_eq(count(boot, "<disk "), count(xml, "<disk "));
                ck_assert_uint_eq(count(boot, "<interface type=\"user\">"), count(xml, "<interface "));
                ck_assert_uint_eq(count(boot, "<link state=\"down\"/>"), count(xml, "<interface "));
                ck_assert_uint_eq(count(boot, "<name>hyper-boot-"), 1);
                ck_assert_uint_eq(count(boot, "<uuid>"), 0);
                ck_assert_uint_eq(count(boot, "<mac "), count(xml, "<mac "));
        }
}
END_TEST

static void add_neighbour(KvmTarget *t, const char *name, const char *uuid, const char *mac) {
        KvmNeighbour *n = kvm_target_add_domain(t);

        n->name = strdup(name);
        n->uuid = strdup(uuid);
        ck_assert_int_eq(strv_extend(&n->macs, mac), 0);
}

static void assert_refused(const KvmDomain *d, const KvmTarget *t, int error, const char *expected) {
        _cleanup_free_ char *why = NULL;

        ck_assert_int_eq(kvm_domain_check(d, t, &why), error);
        ck_assert_msg(strstr(why, expected), "\"%s\" is not in \"%s\"", expected, why);
}

START_TEST(what_a_host_cannot_have_is_refused) {
        _cleanup_kvm_domain_ KvmDomain *d = NULL;
        _cleanup_kvm_target_ KvmTarget *t = NULL;

        read_case("vmware-linux", &d, &t);
        add_neighbour(t, "vmware-linux", "11111111-1111-1111-1111-111111111111", "52:54:00:00:00:09");
        assert_refused(d, t, -EEXIST,
                        "domain 'vmware-linux' already exists with uuid "
                        "11111111-1111-1111-1111-111111111111: set destination.name");
        free_and_strdup(&t->domains[0].name, "other");
        free_and_strdup(&t->domains[0].uuid, "4210c0de-0001-4002-8003-00000000abcd");
        assert_refused(d, t, -EEXIST, "the UUID 4210c0de-0001-4002-8003-00000000abcd of the source");
        free_and_strdup(&t->domains[0].uuid, "11111111-1111-1111-1111-111111111111");
        free_and_strdup(&t->domains[0].macs[0], "00:50:56:aa:bb:cd");
        assert_refused(d, t, -EEXIST, "the MAC address 00:50:56:aa:bb:cd of the source is that of domain");
        t->domains[0].macs = strv_free(t->domains[0].macs);
        json_object_set_new(d->network_map, "LAN", json_string("br7"));
        assert_refused(d, t, -ENOENT,
                        "libvirt has no network 'br7', and there is no bridge of that name "
                        "(there are: default, br0)");
        json_object_del(d->network_map, "LAN");
        t->efi = false;
        assert_refused(d, t, -EOPNOTSUPP, "the package ovmf");
        t->efi = true;
        t->secure_boot = false;
        d->vm->secure_boot = true;
        assert_refused(d, t, -EOPNOTSUPP, "secure boot");
}
END_TEST

START_TEST(networks_must_be_active_to_start) {
        _cleanup_kvm_domain_ KvmDomain *d = NULL;
        _cleanup_kvm_target_ KvmTarget *t = NULL;
        _cleanup_free_ char *why = NULL;

        read_case("vmware-linux", &d, &t);
        ck_assert_int_eq(strv_extend(&t->inactive, "default"), 0);
        d->start = false;
        ck_assert_int_eq(kvm_domain_check(d, t, &why), 0);
        d->start = true;
        assert_refused(d, t, -ENOENT, "the network 'default' of libvirt, which NIC");
}
END_TEST

START_TEST(pools_are_checked) {
        _cleanup_kvm_domain_ KvmDomain *d = NULL;
        _cleanup_kvm_target_ KvmTarget *t = NULL, *again = NULL;
        _cleanup_(json_decrefp) json_t *object = NULL;
        _cleanup_free_ char *why = NULL, *text = NULL;

        read_case("vmware-linux", &d, &t);
        d->pool = strdup("vms");
        assert_refused(d, t, -ENOENT, "libvirt has no storage pool 'vms' (there are: none)");
        ck_assert_int_eq(strv_extend(&t->pools, "default"), 0);
        ck_assert_int_eq(strv_extend(&t->pools, "fast"), 0);
        assert_refused(d, t, -ENOENT, "(there are: default, fast)");
        t->pool = strdup("vms");
        t->pool_type = strdup("logical");
        assert_refused(d, t, -EOPNOTSUPP, "the storage pool 'vms' has the type logical, and must have");
        free_and_strdup(&t->pool_type, "dir");
        assert_refused(d, t, -ENOENT, "the storage pool 'vms' is not active: start it");
        t->pool_active = true;
        ck_assert_int_eq(kvm_domain_check(d, t, &why), 0);
        t->volumes = json_pack("[s, s]", "other", kvm_volume_name(&d->disks[0]));
        assert_refused(d, t, -EEXIST, "the storage pool 'vms' has a volume '");
        /* It is the same for hyper-job, which gets it as JSON. */
        object = kvm_target_to_json(t);
        text = json_dumps(object, 0);
        ck_assert_int_eq(kvm_target_decode(text, strlen(text), &again), 0);
        assert_refused(d, again, -EEXIST, "the storage pool 'vms' has a volume '");
}
END_TEST

START_TEST(a_guest_says_what_it_requires) {
        static const struct {
                const char *guest; /* NULL: none */
                int disk_bus;
                const char *nic_model;
                int expected_bus;
                const char *expected_model;
        } rows[] = {
                { NULL, VM_BUS_UNKNOWN, NULL, VM_BUS_UNKNOWN, NULL },
                { "{}", VM_BUS_UNKNOWN, NULL, VM_BUS_UNKNOWN, NULL },
                { "{\"disk_bus\": \"sata\", \"nic_model\": \"e1000e\"}", VM_BUS_UNKNOWN, NULL, VM_BUS_SATA,
                                "e1000e" },
                { "{\"disk_bus\": \"virtio\", \"nic_model\": \"virtio\"}", VM_BUS_UNKNOWN, NULL,
                                VM_BUS_VIRTIO, "virtio" },
                { "{\"disk_bus\": \"virtio\", \"nic_model\": \"virtio\"}", VM_BUS_SATA, "e1000", VM_BUS_SATA,
                                "e1000" }, /* the destination's */
                { "{\"disk_bus\": \"nvme\", \"nic_model\": \"evil'/>\"}", VM_BUS_UNKNOWN, NULL,
                                VM_BUS_UNKNOWN, NULL },
                { "{\"disk_bus\": 7, \"nic_model\": []}", VM_BUS_UNKNOWN, NULL, VM_BUS_UNKNOWN, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_kvm_domain_ KvmDomain *d = new0(KvmDomain, 1);
                _cleanup_(json_decrefp) json_t *guest = json_object();

                ck_assert_ptr_nonnull(d);
                if (rows[i].guest)
                        json_object_set_new(guest, "hardware", json_loads(rows[i].guest, 0, NULL));
                d->disk_bus = rows[i].disk_bus;
                d->nic_model = rows[i].nic_model ? strdup(rows[i].nic_model) : NULL;
                ck_assert_int_eq(kvm_domain_use_guest(d, rows[i].guest ? guest : NULL), 0);
                ck_assert_int_eq(d->disk_bus, rows[i].expected_bus);
                ck_assert(streq_ptr(d->nic_model, rows[i].expected_model));
        }
}
END_TEST

/* A file of the fuzzer's corpus. */
static char *read_xml(const char *name) {
        const char *srcdir = getenv("srcdir");
        _cleanup_free_ char *path = strprintf("%s/tests/fuzz/corpus/domain-capabilities/%s",
                                            srcdir ? srcdir : ".", name),
                            *text = NULL;

        ck_assert_msg(read_file_at(AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL) == 0, "%s", path);
        return TAKE_PTR(text);
}

START_TEST(capabilities_are_read) {
        _cleanup_free_ char *q35 = read_xml("q35"), *plain = read_xml("plain"), *domain = read_xml("domain");
        _cleanup_kvm_target_ KvmTarget *t = new0(KvmTarget, 1);
        _cleanup_strv_free_ char **macs = NULL;

        ck_assert_int_eq(domain_capabilities_read(q35, strlen(q35), t), 0);
        ck_assert_str_eq(t->type, "kvm");
        ck_assert(t->efi && t->secure_boot && t->host_model && t->maximum && t->virtio_vga && t->tpm);
        ck_assert_int_eq(domain_capabilities_read(plain, strlen(plain), t), 0);
        ck_assert_str_eq(t->type, "qemu");
        ck_assert(!t->efi && !t->secure_boot && !t->host_model && t->maximum && !t->virtio_vga && !t->tpm);
        ck_assert_int_eq(domain_capabilities_read(domain, strlen(domain), t), -EBADMSG);
        ck_assert_int_eq(domain_macs_read(domain, strlen(domain), &macs), 0);
        ck_assert_uint_eq(strv_length(macs), 1);
        ck_assert_str_eq(macs[0], "52:54:00:aa:00:01");
}
END_TEST

START_TEST(systems_are_found_by_their_ids) {
        ck_assert_str_eq(guest_hardware(NULL)->nic, "virtio");
        ck_assert_str_eq(guest_hardware("ubuntu64Guest")->nic, "virtio");
        ck_assert(guest_hardware("WINDOWS11_64Guest")->windows);
        ck_assert(!guest_hardware("windows11_64Guest")->pc);
        ck_assert(guest_hardware("winNetEnterprise64Guest")->pc);
        ck_assert(guest_hardware("Windows2003_64")->pc);
        ck_assert_int_eq(guest_hardware("Windows2016_64")->disk_bus, VM_BUS_SATA);
}
END_TEST

int main(void) {
        const TTest *const tests[] = { domains_are_valid_by_libvirts_schema, a_proof_of_boot_changes_nothing,
                differences_that_matter_are_told, what_a_host_cannot_have_is_refused,
                networks_must_be_active_to_start, pools_are_checked, a_guest_says_what_it_requires,
                capabilities_are_read, systems_are_found_by_their_ids };
        TCase *tcase = test_case("hardware", 60, tests, ELEMENTSOF(tests));

        tcase_add_loop_test(tcase, hardware_becomes_the_expected_domain, 0, ELEMENTSOF(cases));
        return test_run("hardware", tcase);
}
