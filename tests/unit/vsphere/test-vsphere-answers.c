/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers that no server should send: limits of XML, malformed SOAP, objects that contradict each other */
#include "vsphere/fault.h"
#include "vsphere/inventory.h"
#include "vsphere/lease.h"
#include "vsphere/tree.h"
#include "vsphere/vm-devices.h"
#include "vsphere/vm.h"

#include "unit/lib/vsphere-test.h"

#define XSI_URL "http://www.w3.org/2001/XMLSchema-instance"
#define ENVELOPE(body)                                                                                     \
        "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" "        \
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"urn:vim25\"><e:Body>" body "</e:" \
        "Body></e:Envelope>"

/* --- XML ------------------------------------------------------------------------------------------- */

static int parse(const char *text) {
        _cleanup_xml_ xmlDoc *d = NULL;

        return xml_document_parse(text, strlen(text), &d);
}

START_TEST(what_is_no_plain_xml_is_refused) {
        static const char *const bad[] = {
                "",
                " ",
                "text",
                "<a>",
                "<a></b>",
                "<a/><b/>",
                "<a>\x01</a>",
                "<a>\xff</a>",
                "<!DOCTYPE a><a/>",
                "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
                "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
                "<a>&unknown;</a>",
                "<a><?php x?></a>",
                "<?xml-stylesheet href=\"x\"?><a/>",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(parse(bad[i]) == -EBADMSG, "%s", bad[i]);
        ck_assert_int_eq(parse("<a><!-- text --><b>&amp;</b><c><![CDATA[<]]></c></a>"), 0);
}
END_TEST

static char *repeat(const char *begin, const char *text, const char *end, unsigned n) {
        size_t size = strlen(text);
        char *all = malloc(strlen(begin) + n * size + strlen(end) + 1), *p;

        ck_assert_ptr_nonnull(all);
        p = stpcpy(all, begin);
        for (unsigned i = 0; i < n; i++)
                p = stpcpy(p, text);
        strcpy(p, end);
        return all;
}

START_TEST(documents_have_limits) {
        _cleanup_free_ char *deep = repeat("", "<a>", "", XML_DEPTH_MAX + 1),
                            *many = repeat("<a>", "<b/>", "</a>", XML_ELEMENTS_MAX),
                            *attributes = repeat("<a>", "<b c=\"\" d=\"\" e=\"\"/>", "</a>",
                                            XML_ELEMENTS_MAX / 4),
                            *enough = repeat("<a>", "<b/>", "</a>", XML_ELEMENTS_MAX - 1),
                            *long_text = repeat("<a>", "text", "</a>", XML_SIZE_MAX / 4);

        ck_assert_int_eq(parse(deep), -EFBIG);
        ck_assert_int_eq(parse(many), -EFBIG);
        ck_assert_int_eq(parse(attributes), -EFBIG);
        ck_assert_int_eq(parse(enough), 0);
        ck_assert_int_eq(parse(long_text), -EFBIG);
}
END_TEST

START_TEST(texts_are_read_as_what_they_are) {
        static const char text[] = "<a xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">"
                                   "<n>12</n><n>-1</n><n>x</n><n>99999999999999999999</n><t>true</t><t>1</t>"
                                   "<t>yes</t><e/><v xsi:type=\"vim25:VirtualDisk\"/><d><c>deep</c></d></a>";
        _cleanup_xml_ xmlDoc *d = NULL;
        const xmlNode *a, *n;
        char *copy = NULL;

        ck_assert_int_eq(xml_document_parse(text, strlen(text), &d), 0);
        a = xmlDocGetRootElement(d);
        n = node_child(a, "n");
        ck_assert_uint_eq(node_number(n), 12);
        ck_assert_uint_eq(node_number(node_next(n)), 0);
        ck_assert_uint_eq(node_number(node_next(node_next(n))), 0);
        ck_assert_uint_eq(node_number(node_next(node_next(node_next(n)))), 0);
        n = node_child(a, "t");
        ck_assert(node_bool(n) && node_bool(node_next(n)) && !node_bool(node_next(node_next(n))));
        ck_assert_str_eq(node_text(node_child(a, "e")), "");
        ck_assert_str_eq(node_text(NULL), "");
        ck_assert_str_eq(node_type(node_child(a, "v")), "VirtualDisk");
        ck_assert_str_eq(node_text(node_path(a, "d/c")), "deep");
        ck_assert_ptr_null(node_path(a, "d/c/x"));
        ck_assert_int_eq(node_dup(node_child(a, "e"), &copy), 0);
        ck_assert_ptr_null(copy);
}
END_TEST

START_TEST(long_texts_are_left_out) {
        _cleanup_free_ char *text = repeat("<a><b>", "x", "</b></a>", XML_TEXT_MAX + 1);
        _cleanup_xml_ xmlDoc *d = NULL;

        ck_assert_int_eq(xml_document_parse(text, strlen(text), &d), 0);
        ck_assert_str_eq(node_text(node_child(xmlDocGetRootElement(d), "b")), "");
}
END_TEST

/* --- SOAP ------------------------------------------------------------------------------------------ */

START_TEST(faults_are_told_by_their_type) {
        static const struct {
                const char *text, *type, *message;
                int error;
        } cases[] = {
                { ENVELOPE("<e:Fault><faultstring>no</faultstring><detail><InvalidLoginFault "
                           "xsi:type=\"InvalidLogin\"/></detail></e:Fault>"),
                                "InvalidLogin", "no", -EACCES },
                { ENVELOPE("<e:Fault><faultstring>no</faultstring><detail><InvalidLoginFault/></detail></e:Fault>"),
                                "InvalidLogin", "no", -EACCES },
                { ENVELOPE("<e:Fault><detail><x xsi:type=\"../x\"/></detail></e:Fault>"), NULL, NULL,
                                -EREMOTEIO },
                { ENVELOPE("<e:Fault><faultstring>a\nb\tc</faultstring></e:Fault>"), NULL, "a b c",
                                -EREMOTEIO },
                { ENVELOPE("<e:Fault/>"), NULL, NULL, -EREMOTEIO },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_answer_ SoapAnswer answer = {};
                _cleanup_fault_ Fault f = {};
                const xmlNode *fault = NULL;

                ck_assert_int_eq(soap_answer_parse(cases[i].text, strlen(cases[i].text), "Login", &answer,
                                                 &fault),
                                0);
                ck_assert_ptr_nonnull(fault);
                ck_assert_int_eq(fault_from_soap(fault, &f), 0);
                ck_assert_pstr_eq(f.type, cases[i].type);
                ck_assert_pstr_eq(f.text, cases[i].message);
                ck_assert_int_eq(fault_errno(strempty(f.type)), cases[i].error);
        }
}
END_TEST

START_TEST(an_answer_to_another_method_is_malformed) {
        static const char *const bad[] = {
                ENVELOPE("<LogoutResponse/>"),
                ENVELOPE(""),
                "<x/>",
                "<html><body>Hello</body></html>",
        };
        _cleanup_answer_ SoapAnswer answer = {};
        const xmlNode *fault;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_int_eq(soap_answer_parse(bad[i], strlen(bad[i]), "Login", &answer, &fault),
                                -EBADMSG);
}
END_TEST

START_TEST(values_that_xml_cannot_represent_are_refused) {
        static const char *const bad[] = { "\x01", "a\x1f", "\xff", "\xEF\xBF\xBF", "\xED\xA0\x80" };
        _cleanup_request_ SoapRequest *good = NULL;
        const char *text;
        size_t size;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_request_ SoapRequest *q = NULL;

                ck_assert_int_eq(soap_request_new("Login", "SessionManager", "x", &q), 0);
                soap_request_text(q, "userName", bad[i]);
                ck_assert_int_eq(soap_request_end(q, &text, &size), -EINVAL);
        }
        ck_assert_int_eq(soap_request_new("Login", "SessionManager", "a<b>&\"'", &good), 0);
        soap_request_text(good, "userName", "</userName><x>é");
        ck_assert_int_eq(soap_request_end(good, &text, &size), 0);
        assert_contains(text, "a&lt;b&gt;&amp;");
        assert_contains(text, "<userName>&lt;/userName&gt;&lt;x&gt;é</userName>");
}
END_TEST

/* --- a server -------------------------------------------------------------------------------------- */

/* The answer to a method is @body from now on. */
static void script(const Vcsim *v, const char *method, int status, const char *body) {
        _cleanup_json_ json_t *fault = json_pack("{s:s, s:s, s:s, s:i, s:s}", "on", "sdk", "method", method,
                        "kind", "http", "status", status, "message", body);
        _cleanup_free_ char *text = json_dumps(fault, 0);

        ck_assert_ptr_nonnull(text);
        vcsim_fault(v, text);
}

START_TEST(malformed_answers_are_errors) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_free_ char *long_text = repeat("", "text", "", XML_SIZE_MAX / 4 + 1),
                            *many = repeat("", "<a/>", "", XML_ELEMENTS_MAX);
        const struct {
                int status;
                const char *body;
                int error;
                const char *text;
        } cases[] = {
                { 200, "", -EBADMSG, "not valid SOAP" },
                { 200, "<html/>", -EBADMSG, "not valid SOAP" },
                { 200, ENVELOPE("<CurrentTime"), -EBADMSG, "not valid SOAP" },
                { 500, "<html/>", -EPROTO, "status 500" },
                { 404, "", -EPROTO, "status 404" },
                { 302, "", -EPROTO, "status 302" },
                { 200, long_text, -EFBIG, "16 MiB" },
                { 200, many, -EBADMSG, "not valid SOAP" },
        };
        _cleanup_session_ Session *s = test_log_in(&v);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                script(&v, "CurrentTime", cases[i].status, cases[i].body);
                assert_result(s, test_call(s), cases[i].error);
                assert_contains(session_error(s), cases[i].text);
                vcsim_no_faults(&v);
        }
        session_logout(s);
}
END_TEST

START_TEST(a_server_that_does_not_describe_itself_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        SessionOptions options = test_options(&v);
        _cleanup_session_ Session *s = test_session(&options);

        script(&v, "RetrieveServiceContent", 200,
                        ENVELOPE("<RetrieveServiceContentResponse><returnval><about/></returnval>"
                                 "</RetrieveServiceContentResponse>"));
        assert_result(s, session_login(s), -EBADMSG);
        assert_contains(session_error(s), "does not describe itself");
        ck_assert_uint_eq(vcsim_calls(&v, "Login"), 0);
}
END_TEST

#define OBJECTS(objects)                                                            \
        ENVELOPE("<RetrievePropertiesExResponse><returnval>" objects "</returnval>" \
                 "</RetrievePropertiesExResponse>")
#define MISSING(fault)                                                                                    \
        "<missingSet><path>name</path><fault><fault xsi:type=\"" fault "\"/><localizedMessage>a reason</" \
        "localizedMessage></fault></missingSet>"

/* Some servers report the end of a session only in place of properties. */
START_TEST(an_end_of_the_session_is_noticed_at_properties) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        VmPower power;

        script(&v, "RetrievePropertiesEx", 200,
                        OBJECTS("<objects><obj type=\"VirtualMachine\">vm-1</obj>" MISSING(
                                        "NotAuthenticated") "</"
                                                            "objects>"));
        assert_result(s, vm_read_power(s, "vm-1", &power), -EKEYEXPIRED);
        ck_assert_uint_eq(vcsim_calls(&v, "Login"), 1);
        test_now += 2 * USEC_PER_MINUTE;
        assert_result(s, vm_read_power(s, "vm-1", &power), -EKEYEXPIRED);
        ck_assert_uint_eq(vcsim_calls(&v, "Login"), 2);
        session_logout(s);
}
END_TEST

START_TEST(what_cannot_be_read_is_named) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        VmPower power;

        script(&v, "RetrievePropertiesEx", 200,
                        OBJECTS("<objects><obj type=\"VirtualMachine\">vm-1</obj>" MISSING(
                                        "NoPermission") "</objects>"));
        assert_result(s, vm_read_power(s, "vm-1", &power), -EPERM);
        assert_contains(session_error(s), "\"name\" of vm-1: a reason (NoPermission)");
        /* Another object than that which was asked for */
        assert_result(s, vm_read_power(s, "vm-2", &power), -ENOENT);
        session_logout(s);
}
END_TEST

static int ignore(VmSummary *v, void *userdata) {
        return 0;
}

START_TEST(directories_in_a_circle_are_malformed) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);

        /* It answers both questions: for the directories, and for the VMs. */
        script(&v, "RetrievePropertiesEx", 200,
                        OBJECTS("<objects><obj type=\"Folder\">group-1</obj>"
                                "<propSet><name>name</name><val>a</val></propSet>"
                                "<propSet><name>parent</name><val type=\"Folder\">group-1</val></propSet></objects>"));
        assert_result(s, inventory_list(s, ignore, NULL), -EBADMSG);
        assert_contains(session_error(s), "malformed");
        session_logout(s);
}
END_TEST

/* --- a large inventory ----------------------------------------------------------------------------- */

#define PAGE 500u
#define PAGES 20u

static void put_property(FILE *f, const char *name, const char *value, unsigned n) {
        fprintf(f, "<propSet><name>%s</name><val xsi:type=\"xsd:string\">%s%u</val></propSet>", name, value,
                        n);
}

/* As long as those of a vCenter */
static void put_vm(FILE *f, unsigned n) {
        fprintf(f, "<objects><obj type=\"VirtualMachine\">vm-%u</obj>", n);
        for (const char *const *p = vm_summary_properties; *p; p++)
                put_property(f, *p, "a value of average length with a number ", n);
        fputs("</objects>", f);
}

static void script_page(const Vcsim *v, const char *method, unsigned page) {
        _cleanup_json_ json_t *fault = NULL;
        _cleanup_free_ char *body = NULL, *text = NULL;
        size_t size;
        FILE *f = open_memstream(&body, &size);

        fprintf(f,
                        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsi=\"" XSI_URL
                        "\" xmlns=\"urn:vim25\"><e:Body><%sResponse><returnval>",
                        method);
        if (page < PAGES)
                fprintf(f, "<token>%u</token>", page);
        for (unsigned i = 0; i < PAGE; i++)
                put_vm(f, page * PAGE + i);
        fprintf(f, "</returnval></%sResponse></e:Body></e:Envelope>", method);
        fclose(f);
        fault = json_pack("{s:s, s:s, s:s, s:i, s:s, s:i}", "on", "sdk", "method", method, "kind", "http",
                        "status", 200, "message", body, "count", 1);
        text = json_dumps(fault, 0);
        ck_assert_ptr_nonnull(text);
        vcsim_fault(v, text);
}

static int count(VmSummary *v, void *userdata) {
        unsigned *n = userdata;

        ck_assert_ptr_nonnull(v->uuid);
        ++*n;
        return 0;
}

/* The most memory that this process has had since reset_memory(), in KiB */
static unsigned long memory(void) {
        char line[256];
        unsigned long kilobytes = 0;
        FILE *f = fopen("/proc/self/status", "re");

        ck_assert_ptr_nonnull(f);
        while (kilobytes == 0 && fgets(line, sizeof(line), f))
                (void) sscanf(line, "VmHWM: %lu", &kilobytes);
        fclose(f);
        return kilobytes;
}

static void reset_memory(void) {
        FILE *f = fopen("/proc/self/clear_refs", "we");

        ck_assert_ptr_nonnull(f);
        ck_assert_int_gt(fputs("5", f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

START_TEST(ten_thousand_vms_need_little_memory) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        unsigned n = 0;

        /* The directories come first. */
        script_page(&v, "RetrievePropertiesEx", PAGES);
        script_page(&v, "RetrievePropertiesEx", 0);
        for (unsigned page = 1; page < PAGES; page++)
                script_page(&v, "ContinueRetrievePropertiesEx", page);
        /* The last page has a token, too. */
        script(&v, "ContinueRetrievePropertiesEx", 200,
                        ENVELOPE("<ContinueRetrievePropertiesExResponse><returnval/></"
                                 "ContinueRetrievePropertiesExResponse>"));
        reset_memory();
        assert_result(s, inventory_list(s, count, &n), 0);
        ck_assert_uint_eq(n, PAGE * PAGES);
#ifndef __SANITIZE_ADDRESS__
        fprintf(stderr, "HWM %lu\n", memory());
        ck_assert_uint_lt(memory(), 64 * 1024);
#else
        ck_assert_uint_gt(memory(), 0);
#endif
        session_logout(s);
}
END_TEST

/* --- devices and leases ---------------------------------------------------------------------------- */

static xmlDoc *document(const char *text) {
        xmlDoc *d = NULL;

        ck_assert_int_eq(xml_document_parse(text, strlen(text), &d), 0);
        return d;
}

#define XSI "xmlns:xsi=\"" XSI_URL "\""

START_TEST(devices_may_contain_anything) {
        _cleanup_xml_ xmlDoc *doc = document(
                        "<val " XSI ">text<x/><VirtualDevice xsi:type=\"VirtualDisk\"/>"
                        "<VirtualDevice xsi:type=\"VirtualDisk\"><capacityInKB>18446744073709551615</capacityInKB>"
                        "<backing xsi:type=\"VirtualDiskRawDiskMappingVer1BackingInfo\"/></VirtualDevice>"
                        "<VirtualDevice xsi:type=\"VirtualDisk\"><capacityInBytes>4096</capacityInBytes><backing "
                        "xsi:type=\"VirtualDiskFlatVer2BackingInfo\"><sharing>sharingMultiWriter</sharing><fileName>"
                        "new</fileName><parent><fileName>old</fileName></parent></backing></VirtualDevice>"
                        "<VirtualDevice xsi:type=\"VirtualNewNic\"><macAddress>00:11:22:33:44:55</macAddress><backing>"
                        "<port><portgroupKey>dvpg-1</portgroupKey></port></backing></VirtualDevice></val>");
        _cleanup_vm_detail_ VmDetail d = {};

        ck_assert_int_eq(vm_devices_read(xmlDocGetRootElement(doc), &d), 0);
        ck_assert_uint_eq(d.n_disks, 3);
        ck_assert_ptr_null(d.disks[0].file);
        ck_assert_uint_eq(d.disks[1].capacity, 0);
        ck_assert(d.disks[1].rdm && d.disks[1].rdm_physical);
        ck_assert_uint_eq(d.disks[2].capacity, 4096);
        ck_assert_str_eq(d.disks[2].file, "new");
        ck_assert_str_eq(d.disks[2].base_file, "old");
        ck_assert_uint_eq(d.disks[2].links, 2);
        ck_assert(d.disks[2].shared);
        ck_assert_uint_eq(d.n_nics, 1);
        ck_assert_str_eq(d.nics[0].network, "dvpg-1");
        ck_assert(d.nics[0].is_port_group);
        ck_assert_int_eq(vm_devices_read(NULL, &d), 0);
}
END_TEST

START_TEST(no_vm_has_thousands_of_devices) {
        _cleanup_free_ char *text =
                        repeat("<val " XSI ">", "<VirtualDevice xsi:type=\"VirtualDisk\"/>", "</val>", 3000);
        _cleanup_xml_ xmlDoc *doc = document(text);
        _cleanup_vm_detail_ VmDetail d = {};

        ck_assert_int_eq(vm_devices_read(xmlDocGetRootElement(doc), &d), -EFBIG);
        ck_assert_uint_eq(d.n_disks, 2048);
}
END_TEST

/* --- an inventory without an end -------------------------------------------------------------------- */

/* Each page has a token, and the same object. */
START_TEST(an_inventory_without_an_end_is_malformed) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);

#define PAGE_AGAIN \
        "<returnval><token>1</token><objects><obj type=\"Folder\">group-1</obj></objects></returnval>"
        script(&v, "RetrievePropertiesEx", 200,
                        ENVELOPE("<RetrievePropertiesExResponse>" PAGE_AGAIN
                                 "</RetrievePropertiesExResponse>"));
        script(&v, "ContinueRetrievePropertiesEx", 200,
                        ENVELOPE("<ContinueRetrievePropertiesExResponse>" PAGE_AGAIN
                                 "</ContinueRetrievePropertiesExResponse>"));
        assert_result(s, inventory_list(s, ignore, NULL), -EBADMSG);
        assert_contains(session_error(s), "no end");
        session_logout(s);
}
END_TEST

/* Directories with the longest names that are read, which become three times as long. */
START_TEST(an_inventory_has_limits) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim v = vcsim_start(dir, NULL);
        _cleanup_session_ Session *s = test_log_in(&v);
        _cleanup_free_ char *name = repeat("", "%", "", 4000), *objects = NULL, *body = NULL;
        size_t size;
        FILE *f = open_memstream(&objects, &size);

        for (unsigned i = 0; i < 2200; i++)
                fprintf(f,
                                "<objects><obj type=\"Folder\">group-%u</obj><propSet><name>name</name><val>%s"
                                "</val></propSet></objects>",
                                i, name);
        ck_assert_int_eq(fclose(f), 0);
        body = strprintf(OBJECTS("%s"), objects);
        script(&v, "RetrievePropertiesEx", 200, body);
        assert_result(s, inventory_list(s, ignore, NULL), -EFBIG);
        assert_contains(session_error(s), "too much memory");
        session_logout(s);
}
END_TEST

START_TEST(leases_lead_to_https_only) {
        static const struct {
                const char *url, *host, *becomes;
        } cases[] = {
                { "https://*/nfc/x", "vc", "https://vc/nfc/x" },
                { "https://*:444/nfc/x", "vc", "https://vc:444/nfc/x" },
                { "https://*/nfc/x", "::1", "https://[::1]/nfc/x" },
                { "https://esx/nfc/x", "vc", "https://esx/nfc/x" },
                { "https://*.example.com/nfc/x", "vc", NULL },
                { "https://*@example.com/nfc/x", "vc", NULL },
                { "https://*", "vc", NULL },
                { "http://esx/nfc/x", "vc", NULL },
                { "file:///etc/passwd", "vc", NULL },
                { "", "vc", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text =
                                strprintf("<info><deviceUrl><key>k</key><url>%s</url></deviceUrl></info>",
                                                cases[i].url);
                _cleanup_xml_ xmlDoc *d = document(text);
                _cleanup_lease_ Lease l = {};
                int r = lease_info_read(xmlDocGetRootElement(d), cases[i].host, &l);

                ck_assert_msg(r == (cases[i].becomes ? 0 : -EBADMSG), "%s", cases[i].url);
                if (r == 0)
                        ck_assert_str_eq(l.devices[0].url, cases[i].becomes);
        }
}
END_TEST

START_TEST(the_time_of_a_lease_is_limited) {
        static const struct {
                const char *text;
                usec_t timeout;
        } cases[] = { { "300", 300 * USEC_PER_SEC }, { "0", 300 * USEC_PER_SEC },
                { "86401", 86400 * USEC_PER_SEC }, { "288230376151711744", 86400 * USEC_PER_SEC },
                { "18446744073709551615", 86400 * USEC_PER_SEC } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text =
                                strprintf("<info><leaseTimeout>%s</leaseTimeout></info>", cases[i].text);
                _cleanup_xml_ xmlDoc *d = document(text);
                _cleanup_lease_ Lease l = {};

                ck_assert_int_eq(lease_info_read(xmlDocGetRootElement(d), "vc", &l), 0);
                ck_assert_uint_eq(l.timeout, cases[i].timeout);
        }
}
END_TEST

START_TEST(checksums_are_checked) {
        _cleanup_xml_ xmlDoc *doc = document(
                        "<x><returnval><key>a</key><sha1>DA39A3EE5E6B4B0D3255BFEF95601890AFD80709</sha1><size>1</size>"
                        "</returnval><returnval><key>b</key><sha1>too short</sha1></returnval><returnval><key>c</key>"
                        "<checksumType>sha256</checksumType><checksum>da39a3ee5e6b4b0d3255bfef95601890afd80709"
                        "</checksum></returnval></x>");
        _cleanup_lease_manifest_ LeaseManifest m = {};

        ck_assert_int_eq(lease_manifest_read(node_child(xmlDocGetRootElement(doc), "returnval"), &m), 0);
        ck_assert_uint_eq(m.n_entries, 3);
        ck_assert_str_eq(m.entries[0].hex, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        ck_assert_ptr_null(m.entries[1].hex);
        ck_assert_ptr_null(m.entries[2].hex);
}
END_TEST

TEST_MAIN("vsphere-answers", what_is_no_plain_xml_is_refused, documents_have_limits,
                texts_are_read_as_what_they_are, long_texts_are_left_out, faults_are_told_by_their_type,
                an_answer_to_another_method_is_malformed, values_that_xml_cannot_represent_are_refused,
                malformed_answers_are_errors, a_server_that_does_not_describe_itself_is_refused,
                an_end_of_the_session_is_noticed_at_properties, what_cannot_be_read_is_named,
                directories_in_a_circle_are_malformed, ten_thousand_vms_need_little_memory,
                devices_may_contain_anything, no_vm_has_thousands_of_devices,
                an_inventory_without_an_end_is_malformed, an_inventory_has_limits, leases_lead_to_https_only,
                the_time_of_a_lease_is_limited, checksums_are_checked)
