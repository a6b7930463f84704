/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/endpoint-kind.h"
#include "unit/lib/test.h"

#define LOGIN "\"vcenter_url\":\"vc.example.com\",\"username\":\"u\",\"password\":\"p\","
#define PATH "\"vm_path\":\"DC/vm/prod/web\""
#define PAIRS(c) c c c c c c c c
#define DIGITS PAIRS("0a") PAIRS("1B") PAIRS("2c") PAIRS("3D")

static const JsonField fields[] = {
        { "name", JSON_FIELD_STRING, offsetof(VsphereSpec, name) },
        { "vcenter_url", JSON_FIELD_STRING, offsetof(VsphereSpec, url) },
        { "username", JSON_FIELD_STRING, offsetof(VsphereSpec, username) },
        { "ca", JSON_FIELD_STRING, offsetof(VsphereSpec, ca) },
        { "thumbprint", JSON_FIELD_STRING, offsetof(VsphereSpec, thumbprint) },
        { "datacenter", JSON_FIELD_STRING, offsetof(VsphereSpec, datacenter) },
        { "vm_path", JSON_FIELD_STRING, offsetof(VsphereSpec, vm_path) },
        { "vm_uuid", JSON_FIELD_STRING, offsetof(VsphereSpec, vm_uuid) },
        { "password", JSON_FIELD_KNOWN },
        { "path", JSON_FIELD_KNOWN },
        { "format", JSON_FIELD_KNOWN },
        {},
};

static void check(const char *members, const char *expected) {
        _cleanup_free_ char *text = strprintf("{%s}", members);
        _cleanup_json_ json_t *object = json_loads(text, 0, NULL);
        _cleanup_(json_errors_done) JsonErrors errors = {};
        JobEndpoint e = { .type = ENDPOINT_VSPHERE };

        ck_assert_msg(object != NULL, "%s", text);
        ck_assert_int_eq(json_table_decode(fields, object, "source", &e.vsphere, &errors), 0);
        ck_assert_int_eq(job_endpoint_check(&e, object, false, &errors), 0);
        _cleanup_free_ char *found = json_errors_text(&errors);
        ck_assert_msg(streq(found, expected), "%s: %s", text, found);
        json_table_done(fields, &e.vsphere);
}

START_TEST(a_machine_and_a_login_are_needed) {
        check(LOGIN PATH, "");
        check(LOGIN "\"vm_path\":\"/DC/vm/web %2f caf\xc3\xa9\"", "");
        check(LOGIN "\"vm_path\":\"web\",\"datacenter\":\"DC\"", "");
        check(LOGIN "\"vm_uuid\":\"42329208-8c5a-3254-1234-567890abcdef\"", "");
        check("\"name\":\"vc1\"," PATH, "");
        check("",
                        "source.vcenter_url: must be given, or the name of a stored source; "
                        "source.username: must be given; source.password: must be given; "
                        "source.vm_path: must be given, or vm_uuid");
        check(LOGIN PATH ",\"vm_uuid\":\"42329208-8c5a-3254-1234-567890abcdef\"",
                        "source.vm_path: must not be given together with vm_uuid");
        check("\"name\":\"vc1\"," LOGIN PATH,
                        "source.vcenter_url: must not be given with name: the stored source has it; "
                        "source.username: must not be given with name: the stored source has it; "
                        "source.password: must not be given with name: the stored source has it");
        check("\"name\":\"vc1\",\"vcenter_url\":\"http://vc\",\"password\":\"***\"," PATH,
                        "source.vcenter_url: must use https");
        check("\"name\":\"../x\"," PATH,
                        "source.name: must be 1 to 64 letters, digits, \".\", \"_\" and \"-\", the first a "
                        "letter or digit");
}
END_TEST

START_TEST(each_field_is_checked) {
        check("\"vcenter_url\":\"vc\",\"username\":\"\",\"password\":\"\"," PATH,
                        "source.username: must be one line of text; "
                        "source.password: must be a string of 1 to 1024 bytes");
        check("\"vcenter_url\":\"http://vc\",\"username\":\"u\",\"password\":\"***\"," PATH,
                        "source.vcenter_url: must use https");
        check("\"vcenter_url\":\"vc\",\"username\":\"u\",\"password\":7," PATH,
                        "source.password: must be a string of 1 to 1024 bytes");
        check(LOGIN "\"vm_path\":\"DC//web\"",
                        "source.vm_path: must not have empty components (a \"/\" in a name is written as "
                        "\"%2f\")");
        check(LOGIN "\"vm_path\":\"/\"", "source.vm_path: must not be empty");
        check(LOGIN "\"vm_path\":\"a\\nb\"", "source.vm_path: must not contain control characters");
        check(LOGIN "\"vm_uuid\":\"42329208\"", "source.vm_uuid: must be a UUID");
        check(LOGIN PATH ",\"datacenter\":\"a/\"",
                        "source.datacenter: must not have empty components (a \"/\" in a name is written as "
                        "\"%2f\")");
        check(LOGIN PATH ",\"ca\":\"x\"", "source.ca: must be certificates in PEM form");
        check(LOGIN PATH ",\"thumbprint\":\"" DIGITS "\"", "");
        check(LOGIN PATH ",\"thumbprint\":\"ab\"",
                        "source.thumbprint: must be the SHA-256 digest of the certificate: 64 hexadecimal "
                        "digits, with or without colons");
        check(LOGIN PATH ",\"path\":\"/a\",\"format\":\"raw\"",
                        "source.format: must not be given with type \"vsphere\"; "
                        "source.path: must not be given with type \"vsphere\"");
}
END_TEST

START_TEST(server_and_thumbprint_have_one_form) {
        VsphereSpec s = { .url = strdup("VC.example.com:443/sdk"), .thumbprint = strdup(DIGITS) };
        _cleanup_json_ json_t *object = json_object();

        ck_assert_int_eq(vsphere_spec_normalize(&s, object), 0);
        ck_assert_str_eq(s.url, "https://vc.example.com");
        ck_assert_str_eq(json_string_value(json_object_get(object, "vcenter_url")), s.url);
        ck_assert_uint_eq(strlen(s.thumbprint), 95);
        ck_assert_str_eq(json_string_value(json_object_get(object, "thumbprint")), s.thumbprint);
        json_table_done(fields, &s);
}
END_TEST

START_TEST(a_file_is_named_after_the_machine) {
        ck_assert_str_eq(vsphere_file_name("DC/vm/web.example.com"), "web.example.com");
        ck_assert_str_eq(vsphere_file_name("web"), "web");
        ck_assert_ptr_null(vsphere_file_name("DC/vm/.."));
}
END_TEST

START_TEST(words_are_known) {
        for (int i = 0; i < _VSPHERE_METHOD_MAX; i++)
                ck_assert_int_eq(vsphere_method_from_string(vsphere_method_to_string(i)), i);
        ck_assert_int_eq(vsphere_power_from_string("keep"), VSPHERE_POWER_KEEP);
        ck_assert_int_eq(vsphere_power_from_string("shutdown"), VSPHERE_POWER_SHUTDOWN);
        ck_assert_int_eq(vsphere_power_from_string("poweroff"), VSPHERE_POWER_OFF);
        ck_assert_int_eq(vsphere_power_from_string("off"), VSPHERE_POWER_OFF);
        ck_assert_int_lt(vsphere_method_from_string("ovftool"), 0);
        ck_assert_int_lt(vsphere_power_from_string("reboot"), 0);
        ck_assert_ptr_null(vsphere_method_to_string(_VSPHERE_METHOD_INVALID));
}
END_TEST

TEST_MAIN("vsphere-spec", a_machine_and_a_login_are_needed, each_field_is_checked,
                server_and_thumbprint_have_one_form, a_file_is_named_after_the_machine, words_are_known)
