/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-fields.h"
#include "spec/job-spec.h"
#include "spec/job-template.h"
#include "unit/lib/test.h"

#define FILES                                                      \
        "\"source\":{\"type\":\"file\",\"path\":\"/srv/a.vmdk\"}," \
        "\"destination\":{\"type\":\"file\",\"path\":\"/srv/a.qcow2\"}"
#define SPEC(rest) "{\"operation\":\"convert\"," FILES rest "}"
#define SOURCE(fields)                                   \
        "{\"operation\":\"convert\",\"source\":{" fields \
        "},\"destination\":{\"type\":\"file\",\"path\":\"/srv/a.qcow2\"}}"
#define DESTINATION(fields)                                                                   \
        "{\"operation\":\"convert\",\"source\":{\"type\":\"file\",\"path\":\"/srv/a.vmdk\"}," \
        "\"destination\":{" fields "}}"

static JobSpec *good(const char *text) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        JobSpec *s = NULL;
        int r = job_spec_parse(text, strlen(text), &s, &errors);
        _cleanup_free_ char *found = json_errors_text(&errors);

        ck_assert_msg(r == 0, "%s: %s", text, found);
        return s;
}

static void bad(const char *text, const char *expected) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        JobSpec *s = NULL;
        int r = job_spec_parse(text, strlen(text), &s, &errors);
        _cleanup_free_ char *found = json_errors_text(&errors);

        ck_assert_msg(r == -EBADMSG && !s, "%s was taken", text);
        ck_assert_str_eq(found, expected);
}

static const char *document_string(const JobSpec *s, const char *section, const char *key) {
        return json_string_value(json_object_get(json_object_get(s->document, section), key));
}

START_TEST(a_short_spec_gets_its_defaults) {
        _cleanup_(job_spec_freep) JobSpec *s = good(SPEC(""));

        ck_assert_int_eq(s->operation, OPERATION_CONVERT);
        ck_assert_int_eq(s->source.type, ENDPOINT_FILE);
        ck_assert_int_eq(s->source.format, FORMAT_PROBE);
        ck_assert_int_eq(s->destination.format, FORMAT_QCOW2);
        ck_assert_uint_eq(s->policy.timeout_seconds, 0); /* no limit */
        ck_assert_uint_eq(s->policy.retry_count, 3);
        ck_assert_uint_eq(s->policy.priority, 50);
        ck_assert(s->policy.idempotent);
        ck_assert(!s->parameters.compress && !s->parameters.verify);
        ck_assert_ptr_null(s->job_id);
        ck_assert_str_eq(document_string(s, "destination", "format"), "qcow2");
        ck_assert_ptr_null(json_object_get(
                        json_object_get(s->document, "execution_policy"), "timeout_seconds"));
        ck_assert_ptr_null(json_object_get(json_object_get(s->document, "source"), "format"));
}
END_TEST

START_TEST(a_full_spec_is_understood) {
        _cleanup_(job_spec_freep) JobSpec *s = good(
                        "{\"job_id\":\"j.1\",\"operation\":\"convert\","
                        "\"source\":{\"type\":\"file\",\"path\":\"/srv/a "
                        "b/\xc3\xa4.vhd\",\"format\":\"vpc\","
                        "\"checksum\":\"sha256:"
                        "ABCDEF6789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF\"},"
                        "\"destination\":{\"type\":\"nbd\",\"uri\":\"nbds+unix:///x?socket=/run/n.sock\"},"
                        "\"parameters\":{\"verify\":true},"
                        "\"execution_policy\":{\"timeout_seconds\":60,\"retry_count\":0,\"priority\":100,"
                        "\"idempotent\":false},"
                        "\"audit_info\":{\"requested_by\":\"a\",\"token\":\"t\"},"
                        "\"capability_requirements\":{\"needs_nbd\":true}}");

        ck_assert_str_eq(s->job_id, "j.1");
        ck_assert_int_eq(s->source.format, FORMAT_VHD);
        ck_assert_str_eq(document_string(s, "source", "format"), "vhd");
        ck_assert_str_eq(s->source.checksum,
                        "sha256:abcdef6789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        ck_assert_str_eq(document_string(s, "source", "checksum"), s->source.checksum);
        ck_assert_int_eq(s->destination.format, FORMAT_RAW);
        ck_assert(s->parameters.verify);
        ck_assert_uint_eq(s->policy.timeout_seconds, 60);
        ck_assert(!s->policy.idempotent);
        ck_assert_str_eq(json_string_value(json_object_get(s->audit_info, "requested_by")), "a");
        ck_assert_str_eq(json_string_value(json_object_get(s->audit_info, "token")), "***");
        ck_assert(json_is_true(json_object_get(s->capability_requirements, "needs_nbd")));
}
END_TEST

START_TEST(all_wrong_fields_are_told_at_once) {
        bad("{\"operation\":\"Convert\",\"job_id\":\"-\",\"source\":{\"type\":\"aws\",\"path\":7},"
            "\"destination\":{\"type\":\"file\",\"format\":\"vdi\"},\"audit_info\":[],"
            "\"execution_policy\":{\"timeout_seconds\":5,\"priority\":101,\"retry_count\":6}}",
                        "operation: must be one of convert, inspect, offline_fix, boot_repair, "
                        "selinux_prep, lvm_repair, "
                        "fs_repair, initramfs_regenerate; "
                        "source.type: \"aws\" is not built in; built in: file, nbd, vsphere; "
                        "source.path: must be a string; "
                        "destination.format: \"vdi\" is not built in; built in: qcow2, raw, vmdk, ova, ovf; "
                        "execution_policy.timeout_seconds: must be 60 to 2592000, or 0; "
                        "execution_policy.retry_count: must be 0 to 5; "
                        "execution_policy.priority: must be 0 to 100; "
                        "audit_info: must be an object; "
                        "job_id: must be 1 to 128 letters, digits, \".\", \"_\", \":\" and \"-\" (at most "
                        "36), "
                        "the first a letter or digit; "
                        "destination.path: must be given");
        bad("{}", "operation: must be given; source: must be given; destination: must be given");
        bad("[]", "the spec is no JSON object: line 1, column 1: must be a JSON object");
        bad("{\"operation\":\"dance\"," FILES "}",
                        "operation: must be one of convert, inspect, offline_fix, boot_repair, "
                        "selinux_prep, lvm_repair, "
                        "fs_repair, initramfs_regenerate");
        bad(SOURCE("\"type\":\"file\",\"path\":7"), "source.path: must be a string");
}
END_TEST

START_TEST(only_a_conversion_must_have_a_destination) {
        static const char source[] = "\"source\":{\"type\":\"file\",\"path\":\"/a.qcow2\"}";

        for (JobOperation o = 0; o < _OPERATION_MAX; o++) {
                _cleanup_free_ char *text = strprintf("{\"operation\":\"%s\",\"destination\":null,%s}",
                                job_operation_to_string(o), source);

                if (o == OPERATION_CONVERT) {
                        bad(text, "destination: must be given");
                        continue;
                }
                _cleanup_(job_spec_freep) JobSpec *s = good(text);
                ck_assert_int_eq(s->operation, o);
                ck_assert(!job_spec_has_destination(s));
                ck_assert_ptr_null(json_object_get(s->document, "destination"));
                ck_assert(job_operation_is_built_in(o));
                ck_assert(job_spec_is_in_place(s) == (o != OPERATION_INSPECT));
                ck_assert(job_spec_has_guest(s));
        }
        _cleanup_(job_spec_freep) JobSpec *apart = good(
                        "{\"operation\":\"fs_repair\",\"source\":{\"type\":\"file\",\"path\":\"/a.qcow2\"},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"/b.qcow2\"}}");
        ck_assert(job_spec_has_destination(apart));
        bad("{\"operation\":\"fs_repair\",\"source\":{\"type\":\"file\",\"path\":\"/"
            "a\"},\"destination\":{}}",
                        "destination.type: must be given");
}
END_TEST

#define OPERATION(name, source, rest) \
        "{\"operation\":\"" name "\",\"source\":{\"type\":\"file\",\"path\":\"" source "\"}" rest "}"
#define PARAMETERS(p) ",\"parameters\":{" p "}"
#define TO(path) ",\"destination\":{\"type\":\"file\",\"path\":\"" path "\"}"

START_TEST(an_operation_on_a_guest_changes_a_file_or_a_copy) {
        _cleanup_(job_spec_freep) JobSpec *in_place = good(OPERATION(
                        "fs_repair", "/a.qcow2", PARAMETERS("\"force\":true,\"root\":\"/dev/sda2\"")));
        _cleanup_(job_spec_freep) JobSpec *dry =
                        good(OPERATION("offline_fix", "/a.ova", PARAMETERS("\"dry_run\":true")));
        _cleanup_(job_spec_freep) JobSpec *look = good(OPERATION(
                        "inspect", "/a.ova", PARAMETERS("\"root\":\"/dev/sda2\",\"dry_run\":false")));
        _cleanup_(job_spec_freep) JobSpec *copy = good(OPERATION("boot_repair", "/a.ova", TO("/b.qcow2")));

        ck_assert_uint_eq(in_place->parameters.fix, 1u << OPERATION_FS_REPAIR);
        ck_assert(in_place->parameters.force && job_spec_is_in_place(in_place));
        ck_assert(dry->parameters.dry_run && job_spec_is_in_place(dry));
        ck_assert_uint_eq(look->parameters.fix, 0);
        ck_assert(!job_spec_is_in_place(look) && job_spec_has_guest(look));
        ck_assert_ptr_null(json_object_get(json_object_get(look->document, "parameters"), "dry_run"));
        ck_assert_uint_eq(copy->parameters.fix, 1u << OPERATION_BOOT_REPAIR);
        ck_assert(!job_spec_is_in_place(copy) && job_spec_has_guest(copy));

        /* Several in place, or all that the guest needs */
        _cleanup_(job_spec_freep) JobSpec *two =
                        good(OPERATION("offline_fix", "/a.qcow2", PARAMETERS("\"fix\":[\"fs_repair\"]")));
        _cleanup_(job_spec_freep) JobSpec *all = good(
                        OPERATION("offline_fix", "/a.qcow2", PARAMETERS("\"fix\":\"auto\",\"force\":true")));
        ck_assert_uint_eq(two->parameters.fix, 1u << OPERATION_OFFLINE_FIX | 1u << OPERATION_FS_REPAIR);
        ck_assert_uint_eq(all->parameters.fix, FIX_AUTO | FIX_ALL);
        ck_assert(job_spec_is_in_place(two) && job_spec_is_in_place(all));
}
END_TEST

#define DISKS(operation, disks, rest)                                                           \
        "{\"operation\":\"" operation "\",\"source\":{\"type\":\"file\",\"path\":\"/a.qcow2\"," \
        "\"further_disks\":" disks "}" rest "}"

START_TEST(several_disks_are_looked_at_and_changed_together) {
        _cleanup_(job_spec_freep) JobSpec *fix = good(DISKS("offline_fix", "[\"/b.raw\",\"/d/c.raw\"]", ""));
        _cleanup_(job_spec_freep) JobSpec *look = good(DISKS("inspect", "[\"/b.raw\"]", ""));
        _cleanup_(job_spec_freep) JobSpec *one = good(DISKS("offline_fix", "[]", ""));

        ck_assert_uint_eq(strv_length(fix->source.further_disks), 2);
        ck_assert_str_eq(fix->source.further_disks[1], "/d/c.raw");
        ck_assert(job_spec_is_in_place(fix));
        ck_assert_uint_eq(strv_length(look->source.further_disks), 1);
        ck_assert_ptr_null(json_object_get(json_object_get(one->document, "source"), "further_disks"));

        bad(DISKS("offline_fix", "[\"b\"]", ""),
                        "source.further_disks: must be an absolute path (in entry 1)");
        bad(DISKS("offline_fix", "[\"/b\",\"/a.qcow2\"]", ""),
                        "source.further_disks: must not contain source.path (in entry 2)");
        bad(DISKS("inspect", "[\"/b\",\"/b\"]", ""),
                        "source.further_disks: must not contain a path twice (in entry 2)");
        bad(DISKS("offline_fix", "[\"/b\"]", TO("/c.raw")),
                        "source.further_disks: must not be given with a destination");
        bad(DISKS("convert", "[\"/b\"]", TO("/c.raw")),
                        "source.further_disks: must not be given with a destination");
        bad(DISKS("inspect", "[\"/b\"]", PARAMETERS("\"chain\":\"flatten\"")),
                        "parameters.chain: must not be flatten with source.further_disks");
        bad("{\"operation\":\"offline_fix\",\"source\":{\"type\":\"nbd\",\"uri\":\"nbd://h/a\","
            "\"further_disks\":[\"/b\"]}}",
                        "source.further_disks: must not be given with type \"nbd\"; "
                        "source.type: must be file for operation offline_fix without a destination");
        _cleanup_json_ json_t *many = json_array();
        for (unsigned i = 0; i < JOB_DISKS_MAX; i++) {
                _cleanup_free_ char *path = strprintf("/disk%u", i);
                json_array_append_new(many, json_string(path));
        }
        char *list = json_dumps(many, 0);
        _cleanup_free_ char *text = strprintf(DISKS("inspect", "%s", ""), list);
        free(list);
        bad(text, "source.further_disks: must have at most 63 entries");
}
END_TEST

/* The document says which, so that it means the same when it is read again. */
START_TEST(the_guest_of_a_domain_is_fixed_by_default) {
        static const struct {
                const char *parameters, *fix;
                unsigned expected;
        } cases[] = {
                { "", "\"auto\"", FIX_AUTO | FIX_ALL },
                { ",\"parameters\":{\"fix\":null}", "\"auto\"", FIX_AUTO | FIX_ALL },
                { ",\"parameters\":{\"fix\":true}", "\"auto\"", FIX_AUTO | FIX_ALL },
                { ",\"parameters\":{\"fix\":\"none\"}", "\"none\"", 0 },
                { ",\"parameters\":{\"fix\":false}", "\"none\"", 0 },
                { ",\"parameters\":{\"fix\":[\"fs_repair\"]}", "[\"fs_repair\"]",
                                1u << OPERATION_FS_REPAIR },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = strprintf(
                                "{\"operation\":\"convert\",\"source\":{\"type\":\"file\",\"path\":\"/a.ova\"},"
                                "\"destination\":{\"type\":\"kvm\"}%s}",
                                cases[i].parameters);
                _cleanup_(job_spec_freep) JobSpec *s = good(text);
                char *document = json_dumps(s->document, 0);
                _cleanup_(job_spec_freep) JobSpec *again = good(document);
                char *fix = json_dumps(json_object_get(json_object_get(s->document, "parameters"), "fix"),
                                JSON_ENCODE_ANY | JSON_COMPACT);

                ck_assert_uint_eq(s->parameters.fix, cases[i].expected);
                ck_assert_uint_eq(again->parameters.fix, cases[i].expected);
                ck_assert_str_eq(fix, cases[i].fix);
                free(fix);
                free(document);
        }
}
END_TEST

START_TEST(what_an_operation_on_a_guest_cannot_do_is_refused) {
        bad(OPERATION("inspect", "/a.qcow2", TO("/b.qcow2")),
                        "destination: must not be given for operation inspect");
        bad("{\"operation\":\"inspect\",\"source\":{\"type\":\"nbd\",\"uri\":\"nbd://h/a\"}}",
                        "source.type: must be file for operation inspect");
        bad("{\"operation\":\"fs_repair\",\"source\":{\"type\":\"nbd\",\"uri\":\"nbd://h/a\"}}",
                        "source.type: must be file for operation fs_repair without a destination");
        bad("{\"operation\":\"fs_repair\",\"source\":{\"type\":\"file\",\"path\":\"/a.qcow2\"},"
            "\"destination\":{\"type\":\"nbd\",\"uri\":\"nbd://h/a\"}}",
                        "destination: must not be given unless the destination is a qcow2 or raw file");
        bad(OPERATION("fs_repair", "/a.qcow2", TO("/b.vmdk")),
                        "destination: must not be given unless the destination is a qcow2 or raw file");
        bad(OPERATION("inspect", "/a.qcow2", PARAMETERS("\"fix\":\"auto\"")),
                        "parameters.fix: must not be given for operation inspect");
        bad(OPERATION("fs_repair", "/a.qcow2", PARAMETERS("\"chain\":\"flatten\"")),
                        "parameters.chain: must not be flatten without a destination: the images below would "
                        "no longer be those that the result depends on");
        bad(OPERATION("fs_repair", "/a.qcow2", PARAMETERS("\"in_use\":\"allow\"")),
                        "parameters.in_use: must not be allow without a destination: the image is written "
                        "to");
        bad(OPERATION("fs_repair", "/a.qcow2", PARAMETERS("\"dry_run\":true") TO("/b.qcow2")),
                        "destination: must not be given with parameters.dry_run");
        bad(OPERATION("convert", "/a.qcow2", PARAMETERS("\"dry_run\":true") TO("/b.qcow2")),
                        "parameters.dry_run: must not be given for operation convert, but for one that fixes "
                        "a guest");
        bad(OPERATION("boot_repair", "/a.qcow2", PARAMETERS("\"method\":\"native\"")),
                        "parameters.method: must not be given unless the operation is initramfs_regenerate, "
                        "or parameters.fix contains it");
        bad(OPERATION("initramfs_regenerate", "/a.qcow2", PARAMETERS("\"relabel\":\"full\"")),
                        "parameters.relabel: must not be given unless the operation is selinux_prep, or "
                        "parameters.fix contains it");
        bad(OPERATION("selinux_prep", "/a.qcow2", PARAMETERS("\"relabel\":\"all\"")),
                        "parameters.relabel: must be one of changed, full, firstboot");
        bad(OPERATION("boot_repair", "/a.qcow2", PARAMETERS("\"force\":true")),
                        "parameters.force: must not be given unless the operation is fs_repair, or "
                        "parameters.fix contains it");
}
END_TEST

START_TEST(the_destinations_format_follows_its_name) {
        static const struct {
                const char *path, *format;
        } cases[] = { { "/a.qcow2", "qcow2" }, { "/a.raw", "raw" }, { "/a.img", "raw" },
                { "/a.vmdk", "vmdk" }, { "/a.vdi", "qcow2" }, { "/a", "qcow2" }, { "/a.raw/b", "qcow2" } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text =
                                strprintf(DESTINATION("\"type\":\"file\",\"path\":\"%s\""), cases[i].path);
                _cleanup_(job_spec_freep) JobSpec *s = good(text);

                ck_assert_str_eq(document_string(s, "destination", "format"), cases[i].format);
        }
}
END_TEST

START_TEST(fields_must_go_together) {
        bad(DESTINATION("\"type\":\"file\",\"path\":\"/a.raw\"},\"parameters\":{\"compress\":true"),
                        "parameters.compress: must be false unless destination.format is qcow2, ova or ovf");
        bad(DESTINATION("\"type\":\"file\",\"path\":\"/srv/a.vmdk\""),
                        "destination.path: must not be the source itself");
        bad(DESTINATION("\"type\":\"nbd\",\"uri\":\"nbd://h\",\"format\":\"qcow2\""),
                        "destination.format: must be raw for type \"nbd\": the server decides how it stores "
                        "what it is given");
        bad(SOURCE("\"type\":\"nbd\",\"uri\":\"nbd://h\",\"format\":\"ova\""),
                        "source.format: must not be ova for type \"nbd\"");
        bad(SOURCE("\"type\":\"file\",\"path\":\"/a\",\"uri\":\"nbd://h\""),
                        "source.uri: must not be given with type \"file\"");
        bad(SOURCE("\"type\":\"nbd\",\"uri\":\"nbd://h\",\"path\":\"/a\",\"checksum\":\"x\""),
                        "source.path: must not be given with type \"nbd\"; "
                        "source.checksum: must not be given with type \"nbd\"; "
                        "source.checksum: must be \"sha256:\" and 64 hexadecimal digits");
        bad(SOURCE("\"type\":\"nbd\""), "source.uri: must be given");
        bad(SOURCE("\"type\":\"nbd\",\"uri\":\"nbd://h\",\"tls_certificates\":\"/etc/pki\""),
                        "source.uri: must be nbds:// or nbds+unix:// for TLS");
        bad(SOURCE("\"type\":\"nbd\",\"uri\":\"nbds://h\",\"tls_certificates\":\"pki\""),
                        "source.tls_certificates: must be an absolute path");
        bad(SOURCE("\"type\":\"nbd\",\"uri\":\"nbds://h\",\"tls_certificates\":\"/e\",\"tls_psk\":\"k\""),
                        "source: must not have both tls_certificates and tls_psk");
        bad(SOURCE("\"type\":\"file\",\"path\":\"/a\",\"checksum\":\"md5:1\""),
                        "source.checksum: must be \"sha256:\" and 64 hexadecimal digits");
        job_spec_free(good(SPEC(",\"parameters\":{\"compress\":true}")));
}
END_TEST

START_TEST(compression_has_one_form) {
        _cleanup_(job_spec_freep) JobSpec *none = good(SPEC(",\"parameters\":{}"));
        _cleanup_(job_spec_freep) JobSpec *old = good(SPEC(",\"parameters\":{\"compress\":true}"));
        _cleanup_(job_spec_freep) JobSpec *zlib = good(SPEC(",\"parameters\":{\"compression\":\"zlib\"}"));
        _cleanup_(job_spec_freep) JobSpec *zstd = good(SPEC(",\"parameters\":{\"compression\":\"zstd\"}"));
        _cleanup_(job_spec_freep) JobSpec *both =
                        good(SPEC(",\"parameters\":{\"compress\":true,\"compression\":\"zstd\"}"));

        ck_assert(!none->parameters.compress);
        ck_assert_int_eq(none->parameters.compression, JOB_COMPRESSION_NONE);
        ck_assert(old->parameters.compress && zlib->parameters.compress && zstd->parameters.compress);
        ck_assert_int_eq(old->parameters.compression, JOB_COMPRESSION_ZLIB);
        ck_assert(job_spec_equal(old, zlib));
        ck_assert_int_eq(zstd->parameters.compression, JOB_COMPRESSION_ZSTD);
        ck_assert(job_spec_equal(zstd, both));
        ck_assert(!job_spec_equal(zstd, zlib));
        ck_assert_str_eq(document_string(zstd, "parameters", "compression"), "zstd");

        bad(SPEC(",\"parameters\":{\"compression\":\"lzma\"}"),
                        "parameters.compression: must be one of zlib, zstd");
        bad(SPEC(",\"parameters\":{\"compress\":false,\"compression\":\"zstd\"}"),
                        "parameters.compress: must not be false if parameters.compression is given");
        bad(DESTINATION("\"type\":\"file\",\"path\":\"/a.raw\"},\"parameters\":{\"compression\":\"zstd\""),
                        "parameters.compression: must not be given unless destination.format is qcow2");
}
END_TEST

START_TEST(exceptions_are_asked_for) {
        _cleanup_(job_spec_freep) JobSpec *plain = good(SPEC(",\"parameters\":{}"));
        _cleanup_(job_spec_freep) JobSpec *same =
                        good(SPEC(",\"parameters\":{\"in_use\":\"refuse\",\"chain\":\"refuse\",\"allow_"
                                  "larger\":false,\"verify\":false}"));
        _cleanup_(job_spec_freep) JobSpec *s =
                        good(SPEC(",\"parameters\":{\"in_use\":\"allow\",\"verify\":\"full\",\"chain\":"
                                  "\"flatten\"}"));
        _cleanup_(job_spec_freep) JobSpec *larger = good(DESTINATION(
                        "\"type\":\"nbd\",\"uri\":\"nbd://h\"},\"parameters\":{\"allow_larger\":true"));

        ck_assert_int_eq(plain->parameters.in_use, IN_USE_REFUSE);
        ck_assert_int_eq(plain->parameters.verify, VERIFY_OFF);
        ck_assert(job_spec_equal(plain, same));
        ck_assert_int_eq(s->parameters.in_use, IN_USE_ALLOW);
        ck_assert_int_eq(s->parameters.verify, VERIFY_FULL);
        ck_assert_str_eq(document_string(s, "parameters", "verify"), "full");
        ck_assert_str_eq(document_string(s, "parameters", "in_use"), "allow");
        ck_assert(larger->parameters.allow_larger);
        ck_assert_int_eq(plain->parameters.chain, CHAIN_REFUSE);
        ck_assert_int_eq(s->parameters.chain, CHAIN_FLATTEN);
        ck_assert_str_eq(document_string(s, "parameters", "chain"), "flatten");
        _cleanup_(job_spec_freep) JobSpec *fix =
                        good(SPEC(",\"parameters\":{\"fix\":[\"fs_repair\",\"boot_repair\"]}"));
        _cleanup_(job_spec_freep) JobSpec *none = good(SPEC(",\"parameters\":{\"fix\":\"none\"}"));
        _cleanup_(job_spec_freep) JobSpec *automatic =
                        good(SPEC(",\"parameters\":{\"fix\":\"auto\",\"root\":\"/dev/sda2\"}"));
        ck_assert_uint_eq(fix->parameters.fix, 1u << OPERATION_FS_REPAIR | 1u << OPERATION_BOOT_REPAIR);
        ck_assert_uint_eq(automatic->parameters.fix, FIX_AUTO | FIX_ALL);
        ck_assert(job_spec_equal(plain, none));
        bad(SPEC(",\"parameters\":{\"fix\":[\"convert\"]}"),
                        "parameters.fix: must be \"none\", \"auto\", or a list of fs_repair, lvm_repair, "
                        "offline_fix, boot_repair, initramfs_regenerate and selinux_prep");
        bad(SPEC(",\"parameters\":{\"root\":\"/dev/sda2\"}"),
                        "parameters.root: must not be given without parameters.fix");
        bad(SPEC(",\"parameters\":{\"luks_keys\":\"a\"}"),
                        "parameters.luks_keys: must not be given without parameters.fix");
        bad(SPEC(",\"parameters\":{\"fix\":\"auto\",\"luks_keys\":[\"a\"]}"),
                        "parameters.luks_keys: must be a string");
        _cleanup_(job_spec_freep) JobSpec *keys =
                        good(SPEC(",\"parameters\":{\"fix\":\"auto\",\"luks_keys\":\"one\\ntwo\"}"));
        ck_assert_str_eq(json_string_value(json_object_get(keys->secrets, "parameters.luks_keys")),
                        "one\ntwo");
        ck_assert_str_eq(document_string(keys, "parameters", "luks_keys"), "***");
        bad(DESTINATION("\"type\":\"nbd\",\"uri\":\"nbd://h\"},\"parameters\":{\"fix\":\"auto\""),
                        "parameters.fix: must not be given unless the destination is a qcow2 or raw file");
        bad(SPEC(",\"parameters\":{\"chain\":\"follow\"}"),
                        "parameters.chain: must be one of refuse, flatten");

        bad(SPEC(",\"parameters\":{\"verify\":\"half\"}"),
                        "parameters.verify: must be true, false or one of full, precopy, cutover, none");
        bad(SPEC(",\"parameters\":{\"verify\":2}"),
                        "parameters.verify: must be true, false or one of full, precopy, cutover, none");
        bad(SPEC(",\"parameters\":{\"in_use\":true}"),
                        "parameters.in_use: must be a string, one of refuse, allow");
        bad(SPEC(",\"parameters\":{\"in_use\":\"maybe\"}"),
                        "parameters.in_use: must be one of refuse, allow");
}
END_TEST

START_TEST(paths_are_plain) {
        static const struct {
                const char *path, *reason;
        } cases[] = {
                { "", "must be an absolute path" },
                { "a", "must be an absolute path" },
                { "~/a", "must be an absolute path" },
                { "/", "must not have an empty component (\"//\" or a slash at the end)" },
                { "/a/", "must not have an empty component (\"//\" or a slash at the end)" },
                { "/a//b", "must not have an empty component (\"//\" or a slash at the end)" },
                { "/a/./b", "must not have a \".\" or \"..\" component" },
                { "/a/../b", "must not have a \".\" or \"..\" component" },
                { "/..", "must not have a \".\" or \"..\" component" },
                { "/a\nb", "must not have control characters" },
                { "/a\x7f", "must not have control characters" },
                { "/a\xc2\x9b", "must not have control characters" },
                { "/a\xff", "must be valid UTF-8" },
                { "/x/.a.hyper-part/image",
                                "must not be in the unfinished output of a job (.*.hyper-part)" },
        };
        static const char *const fine[] = { "/a", "/a b/...", "/..a", "/\xc3\xa4", "/a:b", "/a%20", "/a,b",
                "/.hyper-part", "/a.hyper-part" };
        const char *reason;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                reason = NULL;
                ck_assert_msg(!job_path_is_valid(cases[i].path, false, &reason), "%s", cases[i].path);
                ck_assert_str_eq(reason, cases[i].reason);
        }
        for (size_t i = 0; i < ELEMENTSOF(fine); i++)
                ck_assert_msg(job_path_is_valid(fine[i], true, &reason), "%s: %s", fine[i], reason);
}
END_TEST

START_TEST(a_destination_leaves_room_for_its_part_directory) {
        char name[1 + 256 + 1] = "/", path[PATH_MAX + 1];
        const char *reason;

        memset(name + 1, 'n', 256);
        ck_assert(!job_path_is_valid(name, false, &reason));
        name[1 + 255] = 0;
        ck_assert(job_path_is_valid(name, false, &reason));
        ck_assert(!job_path_is_valid(name, true, &reason));
        ck_assert_str_eq(reason, "must have a shorter file name");
        name[1 + 255 - strlen(JOB_PART_PREFIX JOB_PART_SUFFIX)] = 0;
        ck_assert(job_path_is_valid(name, true, &reason));

        for (size_t i = 0; i < PATH_MAX; i++)
                path[i] = i % 100 ? 'd' : '/';
        path[PATH_MAX] = 0;
        ck_assert(!job_path_is_valid(path, false, &reason));
        path[PATH_MAX - 1] = 0;
        ck_assert(job_path_is_valid(path, false, &reason));
        ck_assert(!job_path_is_valid(path, true, &reason));
        ck_assert_str_eq(reason, "must be a shorter path");
}
END_TEST

START_TEST(the_part_directory_is_beside_the_destination) {
        _cleanup_free_ char *part = job_part_path("/srv/a.qcow2"), *root = job_part_path("/a");

        ck_assert_str_eq(part, "/srv/.a.qcow2.hyper-part");
        ck_assert_str_eq(root, "/.a.hyper-part");
}
END_TEST

START_TEST(secrets_are_cut_out) {
        _cleanup_(job_spec_freep) JobSpec *s = good(
                        "{\"operation\":\"convert\",\"password\":\"top\","
                        "\"source\":{\"type\":\"nbd\",\"uri\":\"nbds://alice@h/x\",\"tls_psk\":\"k1\","
                        "\"more\":{\"list\":[{\"api_key\":\"k2\"}]}},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"/srv/a.raw\",\"password\":\"***\"},"
                        "\"parameters\":{\"url\":\"https://u:p@h/\",\"token\":null}}");
        _cleanup_free_ char *secrets = json_dumps(s->secrets, JSON_COMPACT | JSON_SORT_KEYS);
        _cleanup_free_ char *document = json_dumps(s->document, JSON_COMPACT);

        ck_assert_str_eq(secrets, "{\"source.more.list.0.api_key\":\"k2\",\"source.tls_psk\":\"k1\"}");
        ck_assert_ptr_null(strstr(document, "k1"));
        ck_assert_ptr_null(strstr(document, "k2"));
        ck_assert_ptr_null(strstr(document, "top"));
        ck_assert_ptr_null(strstr(document, "u:p"));
        ck_assert_str_eq(document_string(s, "source", "tls_psk"), "***");
        ck_assert_str_eq(document_string(s, "source", "uri"), "nbds://alice@h/x");
        ck_assert_str_eq(document_string(s, "destination", "password"), "***");

        bad(SOURCE("\"type\":\"nbd\",\"uri\":\"nbds://h\",\"tls_psk\":[1]"),
                        "source.tls_psk: must be a string");
        bad(SOURCE("\"type\":\"nbd\",\"uri\":\"nbds://h\",\"tls_psk\":\"a\\nb\""),
                        "source.tls_psk: must be one line of 1 to 4096 bytes");
}
END_TEST

START_TEST(the_document_decodes_to_the_same_again) {
        _cleanup_(job_spec_freep) JobSpec *s =
                        good("{\"operation\":\"convert\",\"extra\":[1],\"execution_policy\":null,"
                             "\"source\":{\"type\":\"nbd\",\"uri\":\"nbds://h/"
                             "x\",\"tls_psk\":\"k\",\"format\":null},"
                             "\"destination\":{\"type\":\"file\",\"path\":\"/a.raw\"}}");
        _cleanup_free_ char *text = json_dumps(s->document, 0);
        _cleanup_(job_spec_freep) JobSpec *again = good(text);

        ck_assert(job_spec_equal(s, again));
        ck_assert_uint_eq(json_object_size(again->secrets), 0);
        ck_assert_int_eq(again->destination.format, FORMAT_RAW);
}
END_TEST

START_TEST(unknown_fields_are_kept_and_told) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        static const char text[] = SPEC(",\"colour\":{\"a\":1},\"execution_policy\":{\"mood\":2}");
        JobSpec *s = NULL;

        ck_assert_int_eq(job_spec_parse(text, strlen(text), &s, &errors), 0);
        ck_assert_uint_eq(errors.n_errors, 0);
        ck_assert(strv_contains(errors.unknown, "colour"));
        ck_assert(strv_contains(errors.unknown, "execution_policy.mood"));
        ck_assert(json_is_object(json_object_get(s->document, "colour")));
        job_spec_free(s);
}
END_TEST

START_TEST(a_setting_in_a_wrong_place_is_refused_with_the_right_name) {
        static const struct {
                const char *field, *error;
        } cases[] = {
                { "\"policy\":{\"retry_count\":0}", "policy: must be given as execution_policy" },
                { "\"timeout_seconds\":60",
                                "timeout_seconds: must be given as execution_policy.timeout_seconds" },
                { "\"verify\":true", "verify: must be given as parameters.verify" },
                { "\"format\":\"raw\"", "format: must be given as source.format or destination.format" },
                { "\"parameters\":{\"priority\":1}",
                                "parameters.priority: must be given as execution_policy.priority" },
                { "\"checksum\":\"sha256:00\"", "checksum: must be given as source.checksum" },
                { "\"execution_policy\":{\"retries\":1}",
                                "execution_policy.retries: must be given as execution_policy.retry_count" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text =
                                strprintf("{\"operation\":\"convert\"," FILES ",%s}", cases[i].field);
                bad(text, cases[i].error);
        }
        /* Notes of people are no settings. */
        job_spec_free(good(
                        SPEC(",\"audit_info\":{\"priority\":1,\"format\":\"x\"},\"notes\":{\"verify\":1}")));
}
END_TEST

START_TEST(every_placeholder_is_filled_in) {
        _cleanup_free_ char *filled = NULL, *plain = NULL, *unknown = NULL;

        ck_assert_int_eq(job_template_fill("/srv/{job_id}/x-{job_id}{job_id}.raw", "n1", &filled), 0);
        ck_assert_str_eq(filled, "/srv/n1/x-n1n1.raw");
        ck_assert_int_eq(job_template_fill("/srv/{job_i}", "n1", &plain), 0);
        ck_assert_str_eq(plain, "/srv/{job_i}");

        ck_assert_int_eq(job_template_check("/srv/{job_id}/{ }{a-b}{.raw}", &unknown), 0);
        ck_assert_int_eq(job_template_check("/srv/{job_id}-{date}.raw", &unknown), -EBADMSG);
        ck_assert_str_eq(unknown, "{date}");
}
END_TEST

START_TEST(equal_work_is_equal_whatever_the_order) {
        _cleanup_(job_spec_freep) JobSpec *a = good(SPEC(""));
        _cleanup_(job_spec_freep) JobSpec *b =
                        good("{\"execution_policy\":{\"priority\":50},\"destination\":{\"format\":\"qcow2\","
                             "\"path\":\"/srv/a.qcow2\",\"type\":\"file\"},\"audit_info\":null,"
                             "\"source\":{\"path\":\"/srv/"
                             "a.vmdk\",\"type\":\"file\"},\"operation\":\"convert\"}");
        _cleanup_(job_spec_freep) JobSpec *c = good(SPEC(",\"execution_policy\":{\"priority\":51}"));

        ck_assert(job_spec_equal(a, b));
        ck_assert(!job_spec_equal(a, c));
        ck_assert_int_eq(job_spec_set_id(a, "x"), 0);
        ck_assert_str_eq(a->job_id, "x");
        ck_assert_str_eq(json_string_value(json_object_get(a->document, "job_id")), "x");
        ck_assert(!job_spec_equal(a, b));
        ck_assert_int_eq(job_spec_set_id(a, "-"), -EINVAL);
        ck_assert_str_eq(a->job_id, "x");
}
END_TEST

START_TEST(text_that_is_too_long_is_refused) {
        _cleanup_free_ char *text = malloc(JOB_SPEC_MAX + 2);

        memset(text, ' ', JOB_SPEC_MAX + 1);
        text[JOB_SPEC_MAX + 1] = 0;
        bad(text, "the spec must be at most 1048576 bytes long");
}
END_TEST

START_TEST(a_canonical_text_is_kept) {
        static const char full[] =
                        "{\"job_id\":\"a \\\" b\",\"operation\":\"convert\",\"source\":{\"type\":\"file\",\"path\":"
                        "\"/a b\\\".raw\",\"format\":\"raw\"},\"destination\":{\"type\":\"file\",\"path\":\"/c.qcow2\","
                        "\"format\":\"qcow2\"},\"parameters\":{\"compress\":false,\"verify\":false},"
                        "\"execution_policy\":{\"retry_count\":3,\"priority\":50,\"idempotent\":true}}";
        _cleanup_free_ char *valid = strdup(full), *spaced = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};

        memcpy(strstr(valid, "a \\\" b"), "abcdef", 6);
        spaced = strprintf(" %s", valid);
        const struct {
                const char *text;
                bool kept;
        } cases[] = { { valid, true }, { spaced, false },
                { "{\"source\":{\"type\":\"file\",\"path\":\"/a\"},\"destination\":{\"type\":\"file\",\"path\":\"/"
                  "b\"},\"operation\":\"convert\"}",
                                false } };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(job_spec_freep) JobSpec *s = NULL;
                ck_assert_int_eq(job_spec_parse(cases[i].text, strlen(cases[i].text), &s, &errors), 0);
                _cleanup_free_ char *text = job_spec_text(s, cases[i].text),
                                    *dumped = json_dumps(s->document, JSON_COMPACT);
                ck_assert(streq(text, cases[i].text) == cases[i].kept);
                ck_assert(cases[i].kept || streq(text, dumped));
                /* The document has changed since. */
                ck_assert_int_eq(job_spec_set_id(s, "another"), 0);
                _cleanup_free_ char *changed = job_spec_text(s, cases[i].text);
                ck_assert_ptr_nonnull(strstr(changed, "\"another\""));
        }
}
END_TEST

START_TEST(words_read_back_as_themselves) {
        for (JobOperation o = 0; o < _OPERATION_MAX; o++)
                ck_assert_int_eq(job_operation_from_string(job_operation_to_string(o)), o);
        for (DiskFormat f = 0; f < _FORMAT_MAX; f++) {
                ck_assert_int_eq(disk_format_from_string(disk_format_to_string(f)), f);
                if (disk_format_to_qemu(f))
                        ck_assert_int_eq(disk_format_from_string(disk_format_to_qemu(f)), f);
        }
        for (EndpointType t = 0; t < _ENDPOINT_MAX; t++)
                ck_assert_int_eq(endpoint_type_from_string(endpoint_type_to_string(t)), t);
        ck_assert_int_eq(disk_format_from_string("QCOW2"), FORMAT_QCOW2);
        ck_assert_str_eq(disk_format_to_qemu(FORMAT_VHD), "vpc");
        ck_assert_ptr_null(disk_format_to_qemu(FORMAT_OVA));
        ck_assert(job_operation_is_built_in(OPERATION_CONVERT));
}
END_TEST

/* --- the tables ------------------------------------------------------------------------------------ */

static void add_word(char **words, const char *word) {
        char *longer = strprintf("%s%s%s", *words, **words ? ", " : "", word);

        ck_assert_ptr_nonnull(longer);
        free(*words);
        *words = longer;
}

/* In any order. */
static void assert_words(const char *field, const char *words) {
        const char *expected = job_field(field)->expected;

        ck_assert_uint_eq(strlen(expected), strlen(words));
        for (const char *p = words; *p; p += strcspn(p, " "), p += *p == ' ') {
                _cleanup_free_ char *word = strndup(p, strcspn(p, ", "));
                ck_assert_msg(strstr(expected, word), "%s is not among the words of %s", word, field);
        }
}

/* What the errors, and the published documents, list is what the tables have. */
START_TEST(the_words_of_a_field_are_those_of_its_table) {
        _cleanup_free_ char *from = strdup(""), *to = strdup(""), *operations = strdup(""),
                            *sources = strdup(""), *destinations = strdup("");

        for (int t = 0; t < _ENDPOINT_MAX; t++) {
                if (endpoint_type_is(t, ENDPOINT_SOURCE))
                        add_word(&from, endpoint_kind(t)->name);
                if (endpoint_type_is(t, ENDPOINT_DESTINATION))
                        add_word(&to, endpoint_kind(t)->name);
        }
        for (int o = 0; o < _OPERATION_MAX; o++)
                add_word(&operations, job_operation(o)->name);
        for (int f = FORMAT_PROBE + 1; f < _FORMAT_MAX; f++) {
                if (disk_format_has(f, FORMAT_IS_SOURCE))
                        add_word(&sources, disk_format(f)->name);
                if (disk_format_has(f, FORMAT_IS_DESTINATION))
                        add_word(&destinations, disk_format(f)->name);
        }
        assert_words("source.type", from);
        assert_words("destination.type", to);
        assert_words("operation", operations);
        assert_words("source.format", sources);
        assert_words("destination.format", destinations);
}
END_TEST

START_TEST(every_operation_has_a_row) {
        for (int o = 0; o < _OPERATION_MAX; o++) {
                const OperationRow *row = job_operation(o);
                ck_assert_ptr_nonnull(row);
                ck_assert_msg(row->name && *row->name, "operation %d has no name", o);
                ck_assert_msg(row->capabilities != 0 && (row->capabilities & ~CAPABILITY_BITS) == 0,
                                "%s needs %x", row->name, row->capabilities);
                _cleanup_free_ char *text = strprintf(
                                "{\"operation\":\"%s\",\"source\":{\"type\":\"file\",\"path\":\"/a\"}}",
                                row->name);
                _cleanup_(job_spec_freep) JobSpec *spec = NULL;
                _cleanup_(json_errors_done) JsonErrors errors = {};
                int r = job_spec_parse(text, strlen(text), &spec, &errors);
                ck_assert_int_eq(r, row->flags & OPERATION_NEEDS_DESTINATION ? -EBADMSG : 0);
                ck_assert_int_eq(json_errors_has(&errors, "destination"), r < 0);
        }
        ck_assert_ptr_null(job_operation(_OPERATION_MAX));
        ck_assert_ptr_null(job_operation(_OPERATION_INVALID));
        ck_assert(job_operation_is_built_in(OPERATION_CONVERT));
        ck_assert(!job_operation_is_built_in(_OPERATION_INVALID));
}
END_TEST

#define END "\"destination\":{\"type\":\"file\",\"path\":\"/z.qcow2\"}}"

START_TEST(every_endpoint_kind_has_a_row) {
        static const struct {
                const char *address, *more;
                bool anything; /* the address may be that of another kind */
        } cases[_ENDPOINT_MAX] = {
                [ENDPOINT_FILE] = { "/srv/a", "" },
                [ENDPOINT_NBD] = { "nbd://h/a", "" },
                [ENDPOINT_VSPHERE] = { "DC/vm/a", ",\"name\":\"vc\"", true },
        };

        for (int t = 0; t < _ENDPOINT_MAX; t++) {
                const EndpointKind *k = endpoint_kind(t);
                ck_assert_ptr_nonnull(k);
                if (!endpoint_type_is(t, ENDPOINT_SOURCE))
                        continue;
                ck_assert_msg(k->name && k->field && k->decode && k->recognize && k->needs,
                                "the row of type %d is not complete", t);
                ck_assert_int_eq(endpoint_type_from_address(cases[t].address),
                                cases[t].anything ? (int) _ENDPOINT_INVALID : t);
                /* Without its field it is refused, by that field's name; with it, that is its identity. */
                for (int given = 0; given < 2; given++) {
                        _cleanup_free_ char *text = given
                                        ? strprintf("{\"operation\":\"convert\",\"source\":{\"type\":\"%s\","
                                                    "\"%s\":\"%s\"%s}," END,
                                                          k->name, k->field, cases[t].address, cases[t].more)
                                        : strprintf("{\"operation\":\"convert\",\"source\":{\"type\":\"%s\"%s}," END,
                                                          k->name, cases[t].more);
                        _cleanup_free_ char *field = strprintf("source.%s", k->field);
                        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
                        _cleanup_(json_errors_done) JsonErrors errors = {};
                        int r = job_spec_parse(text, strlen(text), &spec, &errors);
                        ck_assert_int_eq(r, given ? 0 : -EBADMSG);
                        ck_assert_int_eq(json_errors_has(&errors, field), !given);
                        if (given) {
                                ck_assert_str_eq(endpoint_identity(&spec->source), cases[t].address);
                                ck_assert_str_eq(endpoint_field(&spec->source), k->field);
                        }
                }
        }
        ck_assert_ptr_null(endpoint_kind(_ENDPOINT_MAX));
        ck_assert_ptr_null(endpoint_kind(_ENDPOINT_INVALID));
        ck_assert_int_eq(endpoint_type_from_address("relative"), _ENDPOINT_INVALID);
}
END_TEST

START_TEST(a_domain_as_destination) {
        static const struct {
                const char *source, *destination;
                const char *expected; /* path and name, or the error */
        } cases[] = {
                { "{\"type\":\"file\",\"path\":\"/srv/a.b.ova\"}", "",
                                "/var/lib/libvirt/images/a.b.qcow2 a.b" },
                { "{\"type\":\"file\",\"path\":\"/srv/a.ova\"}", ",\"name\":\"x y\",\"directory\":\"/vms/\"",
                                "/vms/x y.qcow2 x y" },
                { "{\"type\":\"file\",\"path\":\"/srv/a.ova\"}", ",\"path\":\"/vms/d.raw\"",
                                "/vms/d.raw a" },
                { "{\"type\":\"nbd\",\"uri\":\"nbd://h/x\"}", ",\"name\":\"n\",\"format\":\"raw\"",
                                "/var/lib/libvirt/images/n.raw n" },
                { "{\"type\":\"nbd\",\"uri\":\"nbd://h/x\"}", "",
                                "destination.name: must be given: the source has no name that the domain "
                                "could have" },
                { "{\"type\":\"file\",\"path\":\"/srv/-a\"}", "",
                                "destination.name: must be given: the name of the source cannot be that of a "
                                "domain (it must not begin with \".\" or \"-\")" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"name\":\"a/b\"",
                                "destination.name: must be 1 to 200 bytes without slashes and control "
                                "characters" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"libvirt_uri\":\"qemu+ssh://h/system\"",
                                "/var/lib/libvirt/images/a.qcow2 a" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}",
                                ",\"libvirt_uri\":\"qemu+tls://h/system\",\"pool\":\"p\",\"directory\":\"/v\"",
                                "/v/a.qcow2 a" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"libvirt_uri\":\"qemu+ssh://me@h/system\"",
                                "/var/lib/libvirt/images/a.qcow2 a" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}",
                                ",\"libvirt_uri\":\"qemu+ssh://me:secret@h/system\"",
                                "destination.libvirt_uri: must not hold a password" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"libvirt_uri\":\"qemu+ssh://h/session\"",
                                "destination.libvirt_uri: must end with /system" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"libvirt_uri\":\"qemu+tcp://h/system\"",
                                "destination.libvirt_uri: must begin with qemu:///" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}",
                                ",\"libvirt_uri\":\"qemu+ssh://h/system?command=/bin/sh\"",
                                "destination.libvirt_uri: must have no parameter" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}",
                                ",\"libvirt_uri\":\"qemu+ssh://h/system\",\"pool\":\"\"",
                                "destination.pool: must be the name of a storage pool" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"pool\":\"p\"",
                                "/var/lib/libvirt/images/a.qcow2 a" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"pool\":\"p\",\"directory\":\"/v\"",
                                "destination.pool: must not be given with path or directory" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"path\":\"/v/a\",\"directory\":\"/v\"",
                                "destination.directory: must not be given with path" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"directory\":\"/v/../w\"",
                                "destination.directory: must not have" },
                { "{\"type\":\"vsphere\",\"name\":\"vc\",\"vm_path\":\"DC/vm/web\"}", ",\"start\":false",
                                "/var/lib/libvirt/images/web.qcow2 web" },
                { "{\"type\":\"vsphere\",\"name\":\"vc\",\"vm_path\":\"DC/vm/web\"}", ",\"start\":true",
                                "destination.start: must be false unless parameters.source_power is" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"path\":\"/dev/sda\"",
                                "destination.path: must be a file for type \"kvm\"" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"format\":\"vmdk\"",
                                "destination.format: must be qcow2 or raw for type \"kvm\"" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"network_map\":{\"a\":1}",
                                "destination.network_map: must be an object of names" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"hardware\":{\"cpus\":0}",
                                "destination.hardware.cpus: must be 1 to 4096" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"disk_bus\":\"nvme\"",
                                "destination.disk_bus: must be one of" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"nic_model\":\"ne2k\"",
                                "destination.nic_model: must be one of" },
                { "{\"type\":\"file\",\"path\":\"/srv/a\"}", ",\"uri\":\"nbd://h/\"",
                                "destination.uri: must not be given with type \"kvm\"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = strprintf("{\"operation\":\"convert\",\"source\":%s,"
                                                      "\"destination\":{\"type\":\"kvm\"%s}}",
                                                    cases[i].source, cases[i].destination),
                                    *got = NULL;
                _cleanup_(job_spec_freep) JobSpec *spec = NULL, *again = NULL;
                _cleanup_(json_errors_done) JsonErrors errors = {};

                if (job_spec_parse(text, strlen(text), &spec, &errors) < 0) {
                        got = json_errors_text(&errors);
                        ck_assert_msg(startswith(got, cases[i].expected), "%s", got);
                        continue;
                }
                got = strprintf("%s %s", spec->destination.path, spec->destination.kvm.name);
                ck_assert_str_eq(got, cases[i].expected);
                /* What is stored means the same. */
                ck_assert_int_eq(job_spec_from_json(spec->document, &again, &errors), 0);
                ck_assert(job_spec_equal(spec, again));
                ck_assert_str_eq(again->destination.path, spec->destination.path);
        }
}
END_TEST

START_TEST(every_format_has_a_row) {
        for (int f = FORMAT_PROBE + 1; f < _FORMAT_MAX; f++) {
                const DiskFormatRow *row = disk_format(f);
                ck_assert_ptr_nonnull(row);
                ck_assert_msg(row->name && *row->extensions, "the row of format %d is not complete", f);
                ck_assert_msg(row->flags & (FORMAT_IS_SOURCE | FORMAT_IS_DESTINATION), "%s is of no use",
                                row->name);
                /* A package's images are of a format that qemu knows. */
                ck_assert_int_eq(!row->qemu, !!(row->flags & FORMAT_IS_PACKAGE));
                ck_assert_ptr_nonnull(disk_format_to_qemu(row->disks));
                _cleanup_free_ char *path = strprintf(
                                "/srv/x.y/a.%.*s", (int) strcspn(row->extensions, " "), row->extensions);
                ck_assert_int_eq(disk_format_from_name(path), f);
                /* Which formats are taken is what the row says. */
                _cleanup_free_ char *text = strprintf(
                                "{\"operation\":\"convert\",\"source\":{\"type\":\"file\",\"path\":\"/"
                                "a\",\"format\":\"%s\"},"
                                "\"destination\":{\"type\":\"file\",\"path\":\"%s\",\"format\":\"%s\"}}",
                                row->name, path, row->name);
                _cleanup_(job_spec_freep) JobSpec *spec = NULL;
                _cleanup_(json_errors_done) JsonErrors errors = {};
                (void) job_spec_parse(text, strlen(text), &spec, &errors);
                ck_assert_int_eq(
                                json_errors_has(&errors, "source.format"), !(row->flags & FORMAT_IS_SOURCE));
                ck_assert_int_eq(json_errors_has(&errors, "destination.format"),
                                !(row->flags & FORMAT_IS_DESTINATION));
        }
        ck_assert_int_eq(disk_format_from_name("/srv/disk.IMG"), FORMAT_RAW);
        ck_assert_int_eq(disk_format_from_name("/srv.raw/disk"), FORMAT_PROBE);
        ck_assert_int_eq(disk_format_from_name("/srv/.raw"), FORMAT_PROBE);
        ck_assert_int_eq(disk_format_from_name("/srv/a.ra"), FORMAT_PROBE);
        ck_assert_ptr_null(disk_format(_FORMAT_MAX));
}
END_TEST

TEST_MAIN("job-spec", a_short_spec_gets_its_defaults, a_full_spec_is_understood,
                all_wrong_fields_are_told_at_once, only_a_conversion_must_have_a_destination,
                an_operation_on_a_guest_changes_a_file_or_a_copy,
                several_disks_are_looked_at_and_changed_together, the_guest_of_a_domain_is_fixed_by_default,
                what_an_operation_on_a_guest_cannot_do_is_refused, the_destinations_format_follows_its_name,
                fields_must_go_together, exceptions_are_asked_for, compression_has_one_form, paths_are_plain,
                a_destination_leaves_room_for_its_part_directory,
                the_part_directory_is_beside_the_destination, secrets_are_cut_out,
                the_document_decodes_to_the_same_again, unknown_fields_are_kept_and_told,
                a_setting_in_a_wrong_place_is_refused_with_the_right_name, every_placeholder_is_filled_in,
                equal_work_is_equal_whatever_the_order, text_that_is_too_long_is_refused,
                a_canonical_text_is_kept, words_read_back_as_themselves, every_operation_has_a_row,
                every_endpoint_kind_has_a_row, a_domain_as_destination,
                the_words_of_a_field_are_those_of_its_table, every_format_has_a_row)
