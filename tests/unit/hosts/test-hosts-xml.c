/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "hosts/domain-devices.h"
#include "hosts/domain-drift.h"
#include "hosts/domain-extended.h"
#include "hosts/domain-inspect.h"
#include "hosts/domain-xml.h"
#include "hosts/host-xml.h"
#include "hosts/ppm-png.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

#define DOMAIN(content) "<domain type='kvm'><name>x</name>" content "</domain>"
#define DEVICES(content) DOMAIN("<devices>" content "</devices>")

static void check_part(const char *xml, const char *key, const char *expected) {
        _cleanup_json_ json_t *o = NULL, *want = json_loads(expected, 0, NULL);

        ck_assert_ptr_nonnull(want);
        ck_assert_int_eq(domain_xml_hardware(xml, strlen(xml), &o), 0);
        _cleanup_free_ char *text = json_dumps(json_object_get(o, key), JSON_COMPACT);
        ck_assert_msg(json_equal(json_object_get(o, key), want), "%s is not %s", text, expected);
}

START_TEST(disks_of_every_kind) {
        check_part(DEVICES("<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
                           "<source file='/a.qcow2'/><target dev='vda' bus='virtio'/></disk>"),
                        "disks",
                        "[{\"type\":\"file\",\"device\":\"disk\",\"driver\":{\"driver_name\":\"qemu\","
                        "\"type\":"
                        "\"qcow2\"},\"path\":\"/a.qcow2\",\"target\":{\"dev\":\"vda\",\"bus\":\"virtio\"},"
                        "\"readonly\":false}]");
        /* What libvirt leaves out is the default; an empty CD drive has no source. */
        check_part(DEVICES("<disk device='cdrom'><target dev='sda'/><readonly/></disk>"), "disks",
                        "[{\"type\":\"file\",\"device\":\"cdrom\",\"driver\":{},\"path\":\"\",\"target\":"
                        "{\"dev\":\"sda\"},\"readonly\":true}]");
        check_part(DEVICES("<disk type='block'><source dev='/dev/sdb'/></disk>"
                           "<disk type='volume'><source pool='p' volume='v'/></disk>"
                           "<disk type='network'><source protocol='rbd' name='pool/image'><host "
                           "name='h'/></source>"
                           "</disk><disk type='dir'><source dir='/d'/></disk>"),
                        "disks",
                        "[{\"type\":\"block\",\"device\":\"disk\",\"driver\":{},\"path\":\"/dev/"
                        "sdb\",\"target\":{},"
                        "\"readonly\":false},{\"type\":\"volume\",\"device\":\"disk\",\"driver\":{},"
                        "\"path\":\"p/v\","
                        "\"target\":{},\"readonly\":false},{\"type\":\"network\",\"device\":\"disk\","
                        "\"driver\":{},"
                        "\"path\":\"rbd:pool/"
                        "image\",\"target\":{},\"readonly\":false},{\"type\":\"dir\",\"device\":"
                        "\"disk\",\"driver\":{},\"path\":\"/d\",\"target\":{},\"readonly\":false}]");
}
END_TEST

START_TEST(networks_have_their_model_under_two_names) {
        check_part(DEVICES("<interface type='bridge'><mac address='52:54:00:11:22:33'/><source "
                           "bridge='br0'/>"
                           "<model type='virtio'/><target dev='vnet0'/></interface><interface "
                           "type='user'/>"),
                        "networks",
                        "[{\"type\":\"bridge\",\"mac\":{\"address\":\"52:54:00:11:22:33\"},\"source\":{"
                        "\"bridge\":"
                        "\"br0\"},\"model\":{\"model_type\":\"virtio\",\"type\":\"virtio\"},\"target\":{"
                        "\"dev\":"
                        "\"vnet0\"}},{\"type\":\"user\",\"mac\":{},\"source\":{},\"model\":{},\"target\":{}}"
                        "]");
}
END_TEST

START_TEST(graphics_without_their_password) {
        check_part(DEVICES("<graphics type='vnc' port='5900' autoport='yes' listen='127.0.0.1' "
                           "passwd='secret'/>"
                           "<graphics type='spice' port='-1'/>"),
                        "graphics",
                        "[{\"type\":\"vnc\",\"port\":5900,\"listen\":\"127.0.0.1\"},{\"type\":\"spice\"}]");
}
END_TEST

START_TEST(a_vm_without_devices) {
        check_part(DOMAIN(""), "disks", "[]");
        check_part(DOMAIN("<devices/>"), "networks", "[]");
}
END_TEST

static void check_summary(const char *xml, const char *description, bool vnc, bool spice) {
        _cleanup_(domain_summary_done) DomainSummary s = {};

        ck_assert_int_eq(domain_xml_summary(xml, strlen(xml), &s), 0);
        ck_assert_str_eq(s.description, description);
        ck_assert(s.vnc == vnc && s.spice == spice);
}

START_TEST(the_summary) {
        check_summary(DOMAIN("<title>t</title><description>a &lt;b&gt; &#228;\nc</description>"),
                        "a <b> ä\nc", false, false);
        check_summary(DOMAIN("<title>t</title>"), "t", false, false);
        check_summary(DEVICES("<graphics type='spice'/><graphics type='vnc'/><graphics/>"), "", true, true);
}
END_TEST

START_TEST(what_is_no_description_is_refused) {
        static const char *const texts[] = { "", "x", "<domain>", "<network/>", "<a><domain/></a>",
                "<!DOCTYPE domain [<!ENTITY a 'b'>]><domain><description>&a;</description></domain>",
                "<!DOCTYPE domain SYSTEM 'http://127.0.0.1/x.dtd'><domain/>",
                "<!DOCTYPE domain [<!ENTITY f SYSTEM "
                "'file:///etc/passwd'>]><domain><title>&f;</title></domain>",
                "<domain>&undefined;</domain>", "<domain>\xff</domain>" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                json_t *o = NULL;
                DomainSummary s = {};

                ck_assert_int_eq(domain_xml_hardware(texts[i], strlen(texts[i]), &o), -EBADMSG);
                ck_assert_ptr_null(o);
                ck_assert_int_eq(domain_xml_summary(texts[i], strlen(texts[i]), &s), -EBADMSG);
        }
}
END_TEST

START_TEST(what_a_vm_is) {
        static const char *const cases[][3] = {
                /* description, model of the processors, system */
                { DOMAIN(""), "", "" },
                { DOMAIN("<cpu mode='host-passthrough'/><os><type>hvm</type></os>"), "host-passthrough",
                                "hvm" },
                { DOMAIN("<cpu mode='custom'><model>Skylake</model></cpu>"
                         "<metadata><o:libosinfo xmlns:o='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
                         "<o:os id='http://debian.org/debian/12'/></o:libosinfo></metadata>"
                         "<os><type>hvm</type></os>"),
                                "Skylake", "debian/12" },
                { DOMAIN("<metadata><libosinfo><os id='nonsense'/></libosinfo></metadata>"
                         "<os><type>hvm</type></os>"),
                                "", "hvm" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(domain_summary_done) DomainSummary summary = {};

                ck_assert_int_eq(domain_xml_summary(cases[i][0], strlen(cases[i][0]), &summary), 0);
                ck_assert_str_eq(summary.cpu_model, cases[i][1]);
                ck_assert_str_eq(summary.os_type, cases[i][2]);
        }
}
END_TEST

START_TEST(disks_that_have_a_size) {
        static const char xml[] = DEVICES(
                        "<disk><target dev='vda'/></disk><disk device='cdrom'><target dev='sda'/></disk>"
                        "<disk device='disk'><target dev='vdb'/></disk><disk/>");
        _cleanup_(domain_summary_done) DomainSummary summary = {};

        ck_assert_int_eq(domain_xml_summary(xml, strlen(xml), &summary), 0);
        ck_assert_uint_eq(strv_length(summary.disks), 2);
        ck_assert_str_eq(summary.disks[0], "vda");
        ck_assert_str_eq(summary.disks[1], "vdb");
}
END_TEST

START_TEST(the_display_that_is_asked_for) {
        static const char xml[] = DEVICES(
                        "<graphics type='sdl'/><graphics type='spice'/><video/><graphics type='vnc'/>");
        static const char spice[] = DEVICES("<graphics type='spice'/>");
        const char *type;
        unsigned index;

        ck_assert_int_eq(domain_xml_display(xml, strlen(xml), "", &index, &type), 0);
        ck_assert_uint_eq(index, 2);
        ck_assert_str_eq(type, "vnc");
        ck_assert_int_eq(domain_xml_display(xml, strlen(xml), "spice", &index, &type), 0);
        ck_assert_uint_eq(index, 1);
        ck_assert_int_eq(domain_xml_display(spice, strlen(spice), "", &index, &type), 0);
        ck_assert_str_eq(type, "spice");
        ck_assert_int_eq(domain_xml_display(spice, strlen(spice), "vnc", &index, &type), -ENOENT);
        ck_assert_int_eq(domain_xml_display(xml, strlen(xml), "sdl", &index, &type), -ENOENT);
        ck_assert_int_eq(domain_xml_display("<x/>", 4, "", &index, &type), -EBADMSG);
}
END_TEST

START_TEST(all_devices) {
        static const char xml[] = DEVICES(
                        "<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/>"
                        "<source file='/a'/><target dev='vda' bus='virtio'/><boot order='1'/></disk>"
                        "<interface type='bridge'><source bridge='br0'/><mac address='52:54:00:00:00:01'/>"
                        "</interface><tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>");
        _cleanup_json_ json_t *o = NULL, *disks = NULL;

        ck_assert_int_eq(domain_xml_extended(xml, strlen(xml), &o), 0);
        disks = json_loads("[{\"id\":1,\"deviceType\":\"disk\",\"sourceType\":\"file\",\"target\":\"vda\","
                           "\"bus\":\"virtio\",\"driverName\":\"qemu\",\"driverType\":\"qcow2\","
                           "\"driverCache\":\"none\",\"bootOrder\":1,\"readonly\":false,\"shareable\":false,"
                           "\"encrypted\":false,\"removable\":false,\"source\":\"/a\"}]",
                        0, NULL);
        _cleanup_free_ char *text = json_dumps(json_object_get(o, "disk_attachments"), JSON_COMPACT);
        ck_assert_msg(json_equal(json_object_get(o, "disk_attachments"), disks), "%s", text);
        const json_t *port = json_array_get(json_object_get(o, "port_attachments"), 0);
        ck_assert_str_eq(json_string_value(json_object_get(port, "source")), "br0");
        ck_assert_str_eq(json_string_value(json_object_get(port, "sourceType")), "bridge");
        const json_t *tpm = json_array_get(json_object_get(o, "tpm_attachments"), 0);
        ck_assert_str_eq(json_string_value(json_object_get(tpm, "version")), "2.0");
        ck_assert(json_is_null(json_object_get(o, "cpu_topology")));
}
END_TEST

START_TEST(networks_that_lead_nowhere_are_isolated) {
        static const char *const cases[][3] = {
                { "<network><bridge name='virbr0'/><forward mode='route'/></network>", "route", "virbr0" },
                { "<network><forward/></network>", "nat", "" },
                { "<network/>", "isolated", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *mode = NULL, *bridge = NULL;

                ck_assert_int_eq(network_xml_read(cases[i][0], strlen(cases[i][0]), &mode, &bridge), 0);
                ck_assert_str_eq(mode, cases[i][1]);
                ck_assert_str_eq(bridge, cases[i][2]);
        }
}
END_TEST

START_TEST(pictures_become_png) {
        /* Two pixels, red and blue, by the encoder; and what is none. */
        static const uint8_t ppm[] = "P6 # two\n2 1\n255\n\xff\0\0\0\0\xff";
        static const char *const bad[] = { "P5\n1 1\n255\nabc", "P6\n1 1\n65535\nabcabc", "P6\n0 1\n255\n",
                "P6\n2 2\n255\nabc", "P6\n", "", "P6\n99999 99999\n255\nabc", "P6\n1 1\n255" };
        static const uint8_t header[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H',
                'D', 'R', 0, 0, 0, 2, 0, 0, 0, 1, 8, 2, 0, 0, 0 };
        _cleanup_free_ void *png = NULL, *none = NULL;
        size_t size;

        ck_assert_int_eq(ppm_to_png(ppm, sizeof(ppm) - 1, &png, &size), 0);
        ck_assert_uint_gt(size, sizeof(header));
        ck_assert_mem_eq(png, header, sizeof(header));
        ck_assert(is_png(png, size));
        ck_assert_mem_eq((uint8_t *) png + size - 8, "IEND\xae\x42\x60\x82", 8);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_int_eq(ppm_to_png(bad[i], strlen(bad[i]), &none, &size), -EBADMSG);
}
END_TEST

static void check_drift(const char *live, const char *persistent, const char *expected) {
        _cleanup_free_ char *drift = NULL;

        ck_assert_int_eq(domain_xml_drift(live, strlen(live), persistent, strlen(persistent), &drift), 0);
        ck_assert_str_eq(drift, expected);
}

#define VM(vcpu, memory, devices) \
        DOMAIN(vcpu "<memory unit='KiB'>" memory "</memory><devices>" devices "</devices>")
#define DISK(dev, file) \
        "<disk type='file'><source file='" file "'/><target dev='" dev "' bus='virtio'/></disk>"
#define NIC(mac, source, more) \
        "<interface type='network'><mac address='" mac "'/><source " source "/>" more "</interface>"

START_TEST(what_differs_from_the_persistent_description_is_drift) {
        static const char persistent[] = VM("<vcpu>2</vcpu>", "1024",
                        DISK("vda", "/a") DISK("vdb", "/b") NIC(
                                        "m", "network='default'", "") "<graphics type='vnc' port='-1'/>");
        _cleanup_free_ char *drift = NULL;

        check_drift(persistent, persistent, "");
        /* What libvirt adds, and another order. */
        check_drift(VM("<vcpu placement='static'>2</vcpu>", "1024",
                                    NIC("m", "network='default' portid='1' bridge='virbr0'",
                                                    "<target dev='vnet0'/>") DISK("vdb", "/b")
                                                    DISK("vda", "/a") "<graphics type='vnc' port='5900'/>"),
                        persistent, "");
        check_drift(VM("<vcpu current='1'>2</vcpu>", "2048", DISK("vda", "/a") DISK("vdb", "/c")),
                        persistent, "vcpus, memory, disks, networks, displays");
        check_drift(VM("<vcpu>2</vcpu>", "1024",
                                    DISK("vda", "/a") DISK("vdb", "/b") NIC(
                                                    "m", "network='other'", "") "<graphics type='vnc'/>"),
                        persistent, "networks");
        ck_assert_int_eq(domain_xml_drift(persistent, strlen(persistent), "<x/>", 4, &drift), -EBADMSG);
        ck_assert_ptr_null(drift);
}
END_TEST

START_TEST(a_summary_has_the_topology_of_the_processors) {
        static const char xml[] =
                        DOMAIN("<cpu><topology sockets='1' dies='1' cores='4' threads='2'/></cpu>");
        _cleanup_(domain_summary_done) DomainSummary with = {}, without = {};

        ck_assert_int_eq(domain_xml_summary(xml, strlen(xml), &with), 0);
        ck_assert_str_eq(with.cpu_topology, "{\"sockets\":1,\"cores\":4,\"threads\":2}");
        ck_assert_int_eq(domain_xml_summary(DOMAIN(""), strlen(DOMAIN("")), &without), 0);
        ck_assert_str_eq(without.cpu_topology, "");
}
END_TEST

static uint64_t size_of(void *userdata, const char *target) {
        return streq(target, "vda") ? 1024 : streq(target, "vdb") ? 1000 : 0;
}

/* "CODE PARAMETER, CODE" */
static void check_concerns(const char *xml, DomainFacts facts, const char *expected) {
        _cleanup_json_ json_t *o = NULL;
        _cleanup_free_ char *all = strdup("");
        const json_t *concern;
        size_t i;

        facts.size_of = size_of;
        ck_assert_int_eq(domain_xml_inspect(xml, strlen(xml), &facts, &o), 0);
        json_array_foreach(json_object_get(o, "concerns"), i, concern) {
                const json_t *parameters = json_object_get(concern, "parameters");
                size_t n = json_array_size(parameters);
                char *more = strprintf("%s%s%s%s%s", all, i > 0 ? ", " : "",
                                json_string_value(json_object_get(concern, "code")), n > 0 ? " " : "",
                                n > 0 ? json_string_value(json_array_get(parameters, n - 1)) : "");
                free(all);
                all = more;
        }
        ck_assert_str_eq(all, expected);
}

#define FILE_DISK(more)                                                                           \
        "<disk type='file' device='disk'><driver type='qcow2'/><source file='/a.qcow2'/><target " \
        "dev='vda'/>" more "</disk>"

START_TEST(what_prevents_a_migration) {
        static const char *const xml = DEVICES(FILE_DISK(""));
        _cleanup_free_ char *text = NULL;

        check_concerns(xml, (DomainFacts){}, "");
        check_concerns(xml, (DomainFacts){ .running = true }, "in_use");
        check_concerns(xml, (DomainFacts){ .suspended = true, .snapshots = 2, .other_machine = "kvm2" },
                        "other_machine kvm2, suspended, snapshots 2");
        check_concerns(DOMAIN(""), (DomainFacts){}, "no_disks");
        check_concerns(DEVICES("<disk device='cdrom'><target dev='sda'/></disk>"), (DomainFacts){},
                        "no_disks");
        check_concerns(DEVICES(FILE_DISK("<shareable/>")), (DomainFacts){}, "shared_disk vda");
        check_concerns(DEVICES(FILE_DISK("<encryption format='luks'/>")), (DomainFacts){},
                        "disk_encrypted vda");
        check_concerns(DEVICES(FILE_DISK("<backingStore/>")), (DomainFacts){}, "");
        check_concerns(DEVICES(FILE_DISK("<backingStore type='file'><source file='/b'/></backingStore>")),
                        (DomainFacts){}, "differencing /b");
        check_concerns(DEVICES("<disk type='network'><source protocol='rbd' name='p/i'/></disk>"
                               "<disk type='block'><source dev='/dev/sdb'/><target dev='vdb'/></disk>"
                               "<disk type='nvme' device='disk'/>"),
                        (DomainFacts){}, "disk_kind network (rbd:p/i), disk_size 1000, disk_kind nvme");
        check_concerns(DEVICES(FILE_DISK("") "<tpm model='tpm-crb'/><hostdev type='usb'><source><vendor "
                                             "id='0x1d6b'/><product id='0x0002'/></source></hostdev>"
                                             "<hostdev type='pci'><source><address domain='0x0000' "
                                             "bus='0x03' slot='0x00' function='0x1'/></source></hostdev>"),
                        (DomainFacts){}, "pci_device 0000:03:00.1, usb_device 1d6b:0002, tpm");
        /* Lists have no information. */
        ck_assert_int_eq(domain_xml_concerns(xml, strlen(xml), &(DomainFacts){ .snapshots = 1 }, &text), 0);
        ck_assert_str_eq(text, "[]");
}
END_TEST

START_TEST(a_vm_as_a_source) {
        static const char xml[] = "<domain><os firmware='efi'/><devices>" FILE_DISK(
                        "") "<interface type='bridge'><mac address='52:54:00:11:22:33'/><source bridge='br0'/>"
                            "</interface><interface type='user'/></devices></domain>";
        const DomainFacts facts = { .size_of = size_of };
        _cleanup_json_ json_t *
                        o = NULL,
                       *expected = json_loads(
                                       "{\"disks\":[{\"file\":\"/a.qcow2\",\"format\":\"qcow2\",\"size\":1024}],"
                                       "\"vm\":{\"hardware\":{\"firmware\":\"efi\"},\"nics\":[{\"type\":\"bridge\",\"mac\":"
                                       "\"52:54:00:11:22:33\",\"network\":\"br0\"},{\"type\":\"user\",\"mac\":null,"
                                       "\"network\":null}],\"snapshot_count\":0},\"concerns\":[]}",
                                       0, NULL);

        ck_assert_int_eq(domain_xml_inspect(xml, strlen(xml), &facts, &o), 0);
        _cleanup_free_ char *text = json_dumps(o, JSON_COMPACT);
        ck_assert_msg(json_equal(o, expected), "%s", text);
        ck_assert_int_eq(domain_xml_inspect("<network/>", 10, &facts, &o), -EBADMSG);
}
END_TEST

TEST_MAIN("hosts-xml", what_prevents_a_migration, a_vm_as_a_source,
                what_differs_from_the_persistent_description_is_drift,
                a_summary_has_the_topology_of_the_processors, disks_of_every_kind,
                networks_have_their_model_under_two_names, graphics_without_their_password,
                a_vm_without_devices, the_summary, what_is_no_description_is_refused, what_a_vm_is,
                disks_that_have_a_size, the_display_that_is_asked_for, all_devices,
                networks_that_lead_nowhere_are_isolated, pictures_become_png)
