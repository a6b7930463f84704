/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/domain-xml.h"
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

TEST_MAIN("hosts-xml", disks_of_every_kind, networks_have_their_model_under_two_names,
                graphics_without_their_password, a_vm_without_devices, the_summary,
                what_is_no_description_is_refused)
