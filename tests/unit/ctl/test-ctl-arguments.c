/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The command line of hyperctl, and the job spec that the options of submit make. */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/arguments.h"
#include "ctl/ctl.h"
#include "ctl/submit-spec.h"
#include "ctl/verbs.h"
#include "spec/job-spec.h"
#include "spec/job-state.h"
#include "unit/lib/test.h"

#define PARSE(ret, ...)                                                            \
        ({                                                                         \
                static char *_argv[] = { (char *) "hyperctl", __VA_ARGS__, NULL }; \
                arguments_parse((int) ELEMENTSOF(_argv) - 1, _argv, (ret));        \
        })
#define W(s) ((char *) (s))

START_TEST(options_may_stand_before_and_behind_the_verb) {
        _cleanup_(arguments_done) Arguments a = {};

        ck_assert_int_eq(PARSE(&a, W("-q"), W("logs"), W("-n5"), W("a-job"), W("--follow")), 0);
        ck_assert(a.quiet && a.follow);
        ck_assert_uint_eq(a.lines, 5);
        ck_assert_str_eq(a.words[0], "logs");
        ck_assert_str_eq(a.words[1], "a-job");
        ck_assert_ptr_null(a.words[2]);
        ck_assert(a.given ==
                        (OPTION_BIT(OPTION_QUIET) | OPTION_BIT(OPTION_LINES) | OPTION_BIT(OPTION_FOLLOW)));
}
END_TEST

START_TEST(behind_two_dashes_there_are_no_options) {
        _cleanup_(arguments_done) Arguments a = {};

        ck_assert_int_eq(PARSE(&a, W("status"), W("--"), W("--wait")), 0);
        ck_assert_str_eq(a.words[1], "--wait");
        ck_assert(!a.wait);
}
END_TEST

START_TEST(wrong_values_are_refused) {
        Arguments a;

        ck_assert_int_eq(PARSE(&a, W("submit"), W("--priority=101")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("submit"), W("--priority=-1")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("submit"), W("--timeout=59")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("submit"), W("--timeout=2592001")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("submit"), W("--retries=6")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("submit"), W("--id=-x")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("submit"), W("--id=a/b")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("--limit=0")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("--limit=1001")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("--offset=18446744073709551616")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("--order=random")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("--state=running,nowhere")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("--json=xml")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("-H"), W("")), -EINVAL);
        /* would be an option to ssh */
        ck_assert_int_eq(PARSE(&a, W("list"), W("-H"), W("-oProxyCommand=x")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("-H"), W("a"), W("-M"), W("b")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("--limit")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("--quiet=yes")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("--nonsense")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("-z")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("-o"), W("yaml")), -EINVAL);
        ck_assert_int_eq(PARSE(&a, W("list"), W("-o")), -EINVAL);
}
END_TEST

START_TEST(the_edges_of_ranges_are_taken) {
        _cleanup_(arguments_done) Arguments a = {}, b = {};

        ck_assert_int_eq(PARSE(&a, W("submit"), W("--priority=0"), W("--timeout=60"), W("--retries=0")), 0);
        ck_assert_uint_eq(a.priority, 0);
        ck_assert_uint_eq(a.timeout, 60);
        ck_assert_int_eq(PARSE(&b, W("submit"), W("--priority=100"), W("--timeout=86400"), W("--retries=5")),
                        0);
        ck_assert_uint_eq(b.priority, 100);
        ck_assert_uint_eq(b.retries, 5);
}
END_TEST

START_TEST(states_may_be_lists_and_kinds) {
        _cleanup_(arguments_done) Arguments a = {}, b = {};

        ck_assert_int_eq(PARSE(&a, W("list"), W("--state=running,Queued"), W("--state=FAILED")), 0);
        ck_assert_uint_eq(strv_length(a.states), 3);
        ck_assert(strv_contains(a.states, "RUNNING") && strv_contains(a.states, "QUEUED") &&
                        strv_contains(a.states, "FAILED"));
        ck_assert_int_eq(PARSE(&b, W("list"), W("--state=active")), 0);
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                ck_assert_int_eq(strv_contains(b.states, job_state_to_string(s)), !job_state_is_terminal(s));
}
END_TEST

/* Standard output of a test is not a terminal. */
START_TEST(json_can_be_asked_for_in_several_ways) {
        static const struct {
                const char *option;
                JsonMode mode;
        } cases[] = {
                { "--json", JSON_MODE_SHORT },
                { "-j", JSON_MODE_SHORT },
                { "-ojson", JSON_MODE_SHORT },
                { "--json=pretty", JSON_MODE_PRETTY },
                { "--output=json-pretty", JSON_MODE_PRETTY },
                { "--json=short", JSON_MODE_SHORT },
                { "-ojson-short", JSON_MODE_SHORT },
                { "--json=off", JSON_MODE_OFF },
                { "-otable", JSON_MODE_OFF },
        };
        int out = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        ck_assert_int_ge(dup2(null, STDOUT_FILENO), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *argv[] = { W("hyperctl"), W(cases[i].option), W("list"), NULL };
                Arguments a = {};

                ck_assert_int_eq(arguments_parse(3, argv, &a), 0);
                ck_assert_int_eq(a.json, cases[i].mode);
                ck_assert_str_eq(a.words[0], "list");
        }
        ck_assert_int_ge(dup2(out, STDOUT_FILENO), 0);
        close(out);
        close(null);
}
END_TEST

START_TEST(every_option_belongs_to_a_verb_and_has_a_name_of_its_own) {
        OptionSet all = options_common();

        for (const Verb *v = verb_table(); v->name; v++) {
                _cleanup_free_ char *name = strdup(v->name);
                char *words[3] = { name };
                size_t n = 0;

                words[1] = strchr(name, ' ');
                if (words[1])
                        *words[1]++ = '\0';
                ck_assert_ptr_eq(verb_find(words, &n), v);
                ck_assert_uint_eq(n, words[1] ? 2 : 1);
                words[1] = NULL;
                ck_assert(n == 1 || !verb_find(words, &n));
                ck_assert_uint_eq(v->options & options_common(), 0);
                ck_assert_uint_le(v->min, v->max);
                all |= v->options;
        }
        for (Option o = 0; o < _OPTION_MAX; o++) {
                ck_assert_msg(all & OPTION_BIT(o), "no verb takes --%s", option_info(o)->name);
                ck_assert(*option_info(o)->name || option_info(o)->letter);
                for (Option p = 0; p < o; p++) {
                        ck_assert(!*option_info(o)->name ||
                                        !streq(option_info(o)->name, option_info(p)->name));
                        ck_assert(!option_info(o)->letter ||
                                        option_info(o)->letter != option_info(p)->letter);
                }
        }
}
END_TEST

/* Applies the options to @text and gives what becomes of it. */
static json_t *apply(const Arguments *a, const char *text, int expected) {
        json_t *spec = json_loads(text, 0, NULL);

        ck_assert_ptr_nonnull(spec);
        ck_assert_int_eq(submit_spec_apply(a, spec, ""), expected);
        return spec;
}

static void assert_spec(json_t *spec, const char *expected) {
        _cleanup_(json_decrefp) json_t *e = json_loads(expected, 0, NULL);
        _cleanup_free_ char *text = json_dumps(spec, 0);

        ck_assert_ptr_nonnull(e);
        ck_assert_msg(json_equal(spec, e), "%s\nis not\n%s", text, expected);
}

START_TEST(options_alone_make_a_spec_that_the_manager_takes) {
        _cleanup_(arguments_done) Arguments a = {};
        _cleanup_(json_decrefp) json_t *spec = NULL;
        _cleanup_(job_spec_freep) JobSpec *decoded = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};

        ck_assert_int_eq(PARSE(&a, W("submit"), W("--source=/srv/a.vmdk"), W("--destination=/srv/a.qcow2"),
                                         W("--compress"), W("--verify=full"), W("--in-use=allow"),
                                         W("--chain=flatten"), W("--priority=70"), W("--timeout=600"),
                                         W("--retries=0"), W("--id=nightly.1")),
                        0);
        spec = apply(&a, "{}", EXIT_OK);
        assert_spec(spec,
                        "{\"operation\":\"convert\",\"job_id\":\"nightly.1\","
                        "\"source\":{\"type\":\"file\",\"path\":\"/srv/a.vmdk\"},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"/srv/a.qcow2\",\"format\":\"qcow2\"},"
                        "\"parameters\":{\"compress\":true,\"verify\":\"full\",\"in_use\":\"allow\","
                        "\"chain\":\"flatten\"},"
                        "\"execution_policy\":{\"priority\":70,\"timeout_seconds\":600,\"retry_count\":0}}");
        ck_assert_int_eq(job_spec_from_json(spec, &decoded, &errors), 0);
        ck_assert_ptr_null(errors.unknown);
}
END_TEST

START_TEST(options_of_a_virtual_machine) {
        _cleanup_(arguments_done) Arguments a = {};
        _cleanup_(json_decrefp) json_t *spec = NULL;

        ck_assert_int_eq(PARSE(&a, W("submit"), W("--conversion-method=vddk"), W("--source-power=shutdown"),
                                         W("x.json")),
                        0);
        spec = apply(&a, "{\"source\":{\"type\":\"vsphere\"},\"parameters\":{\"source_power\":\"keep\"}}",
                        EXIT_OK);
        ck_assert_str_eq(json_string_value(json_object_get(
                                         json_object_get(spec, "parameters"), "conversion_method")),
                        "vddk");
        ck_assert_str_eq(json_string_value(json_object_get(
                                         json_object_get(spec, "parameters"), "source_power")),
                        "shutdown");
}
END_TEST

START_TEST(options_of_a_warm_job) {
        _cleanup_(arguments_done) Arguments a = {}, wrong = {};
        _cleanup_(json_decrefp) json_t *spec = NULL, *expected = NULL;

        ck_assert_int_eq(PARSE(&a, W("submit"), W("--warm=2026-05-01T02:00:00Z"), W("--interval=600"),
                                         W("--shutdown-timeout=60"), W("--power-off"),
                                         W("--power-on-after-failure=no"), W("x.json")),
                        0);
        spec = apply(&a, "{\"source\":{\"type\":\"vsphere\"}}", EXIT_OK);
        expected = json_loads("{\"warm\":true,\"cutover\":\"2026-05-01T02:00:00Z\",\"interval_seconds\":600,"
                              "\"shutdown_timeout_seconds\":60,\"power_off\":true,"
                              "\"power_on_after_failure\":false}",
                        0, NULL);
        ck_assert(json_equal(json_object_get(spec, "parameters"), expected));
        ck_assert_int_eq(PARSE(&wrong, W("submit"), W("--interval=0"), W("x.json")), -EINVAL);
}
END_TEST

START_TEST(options_win_over_the_file_and_leave_the_rest_alone) {
        _cleanup_(arguments_done) Arguments a = {};
        _cleanup_(json_decrefp) json_t *spec = NULL;

        ck_assert_int_eq(PARSE(&a, W("submit"), W("--priority=7"), W("--format=raw")), 0);
        spec = apply(&a,
                        "{\"operation\":\"inspect\",\"colour\":\"red\",\"destination\":{\"path\":\"/"
                        "x\",\"format\":\"qcow2\"},"
                        "\"execution_policy\":{\"priority\":50,\"retry_count\":1}}",
                        EXIT_OK);
        assert_spec(spec,
                        "{\"operation\":\"inspect\",\"colour\":\"red\",\"destination\":{\"path\":\"/"
                        "x\",\"format\":\"raw\"},"
                        "\"execution_policy\":{\"priority\":7,\"retry_count\":1}}");
}
END_TEST

START_TEST(nbd_uris_are_endpoints_too) {
        _cleanup_(arguments_done) Arguments a = {};
        _cleanup_(json_decrefp) json_t *spec = NULL;

        ck_assert_int_eq(PARSE(&a, W("submit"), W("-s"), W("nbd+unix:///x?socket=/run/nbd.sock"), W("-d"),
                                         W("nbds://kvm.example/disk"), W("--verify"), W("--allow-larger")),
                        0);
        spec = apply(&a, "{}", EXIT_OK);
        assert_spec(spec,
                        "{\"operation\":\"convert\",\"source\":{\"type\":\"nbd\",\"uri\":\"nbd+unix:///"
                        "x?socket=/run/nbd.sock\"},"
                        "\"destination\":{\"type\":\"nbd\",\"uri\":\"nbds://kvm.example/disk\"},"
                        "\"parameters\":{\"verify\":true,\"allow_larger\":true}}");
}
END_TEST

START_TEST(compression_can_be_chosen) {
        _cleanup_(arguments_done) Arguments a = {}, wrong = {};
        _cleanup_(json_decrefp) json_t *spec = NULL;

        ck_assert_int_eq(PARSE(&a, W("submit"), W("-s"), W("/a.vmdk"), W("-d"), W("/a.qcow2"),
                                         W("--compress=zstd")),
                        0);
        spec = apply(&a, "{}", EXIT_OK);
        json_t *parameters = json_object_get(spec, "parameters");
        ck_assert(json_is_true(json_object_get(parameters, "compress")));
        ck_assert_str_eq(json_string_value(json_object_get(parameters, "compression")), "zstd");
        ck_assert_int_lt(PARSE(&wrong, W("submit"), W("-s"), W("/a.vmdk"), W("-d"), W("/a.qcow2"),
                                         W("--compress=lzma")),
                        0);
}
END_TEST

START_TEST(relative_paths_begin_in_the_current_directory) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *real = realpath(dir, NULL), *expected = NULL;
        _cleanup_(json_decrefp) json_t *spec = NULL;
        Arguments a = { .source = "./a.vmdk", .destination = "../b.qcow2" };
        char *slash;

        ck_assert_int_eq(chdir(real), 0);
        spec = apply(&a, "{}", EXIT_OK);
        expected = strprintf("%s/a.vmdk", real);
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(spec, "source"), "path")),
                        expected);
        free(expected);
        slash = strrchr(real, '/');
        *slash = 0;
        expected = strprintf("%s/b.qcow2", real);
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(spec, "destination"), "path")),
                        expected);
        ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(relative_paths_mean_nothing_on_another_machine) {
        Arguments a = { .transport = TRANSPORT_REMOTE, .host = "kvm1", .source = "a.vmdk" };

        json_decref(apply(&a, "{}", EXIT_USAGE));
}
END_TEST

START_TEST(a_name_that_does_not_tell_the_format_needs_one) {
        Arguments a = { .source = "/srv/a.vmdk", .destination = "/srv/disk" };

        json_decref(apply(&a, "{}", EXIT_USAGE));
        a.format = "raw";
        json_decref(apply(&a, "{}", EXIT_OK));
}
END_TEST

static void assert_destination(const Arguments *a, const char *tail, const char *path, const char *format) {
        _cleanup_(json_decrefp) json_t *spec = json_object();
        json_t *destination;

        ck_assert_int_eq(submit_spec_apply(a, spec, tail), EXIT_OK);
        destination = json_object_get(spec, "destination");
        ck_assert_str_eq(json_string_value(json_object_get(destination, "path")), path);
        ck_assert_str_eq(json_string_value(json_object_get(destination, "format")), format);
}

START_TEST(in_a_directory_the_file_is_named_after_the_source) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *expected = strprintf("%s/a.qcow2", dir);
        Arguments a = { .source = "/srv/a.vmdk", .destination = "/vms/" };

        assert_destination(&a, "", "/vms/a.qcow2", "qcow2");
        assert_destination(&a, "-{job_id}", "/vms/a-{job_id}.qcow2", "qcow2");
        a.format = "raw";
        assert_destination(&a, "", "/vms/a.raw", "raw");
        a.format = "vdi";
        json_decref(apply(&a, "{}", EXIT_USAGE));
        a.format = NULL;
        a.source = "nbd://kvm1/disk";
        json_decref(apply(&a, "{}", EXIT_USAGE));
        /* One that exists needs no slash, unless it is on another machine. */
        a.source = "/srv/a.vmdk";
        a.destination = dir;
        assert_destination(&a, "", expected, "qcow2");
        a.transport = TRANSPORT_REMOTE;
        a.host = "kvm1";
        json_decref(apply(&a, "{}", EXIT_USAGE));
}
END_TEST

static void assert_words(const char *first, const char *second, int expected, const char *spec,
                const char *source, const char *destination) {
        char *words[] = { W(first), W(second), NULL };
        const char *name = NULL;
        Arguments a = {};

        ck_assert_int_eq(submit_spec_words(&a, words, &name), expected);
        if (expected != EXIT_OK)
                return;
        ck_assert_pstr_eq(name, spec);
        ck_assert_pstr_eq(a.source, source);
        ck_assert_pstr_eq(a.destination, destination);
}

START_TEST(words_are_a_spec_or_a_source_and_a_destination) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *fifo = strprintf("%s/pipe", dir);
        char *words[] = { W("/srv/a.vmdk"), W("/vms/"), NULL };
        Arguments a = { .destination = "/elsewhere/" };
        const char *name;

        ck_assert_int_eq(mkfifo(fifo, 0600), 0);
        assert_words(NULL, NULL, EXIT_OK, NULL, NULL, NULL);
        assert_words("a.json", NULL, EXIT_OK, "a.json", NULL, NULL);
        assert_words("-", NULL, EXIT_OK, "-", NULL, NULL);
        assert_words(fifo, NULL, EXIT_OK, fifo, NULL, NULL);
        assert_words("/srv/a.vmdk", NULL, EXIT_OK, NULL, "/srv/a.vmdk", NULL);
        assert_words("/srv/a.vmdk", "/vms/", EXIT_OK, NULL, "/srv/a.vmdk", "/vms/");
        assert_words("a.json", "/vms/", EXIT_USAGE, NULL, NULL, NULL);
        ck_assert_int_eq(submit_spec_words(&a, words, &name), EXIT_USAGE);
        a = (Arguments){ .source = "/elsewhere/b.vmdk" };
        ck_assert_int_eq(submit_spec_words(&a, words, &name), EXIT_USAGE);
}
END_TEST

START_TEST(a_section_of_the_wrong_kind_is_refused) {
        Arguments a = { .verify = true };

        json_decref(apply(&a, "{\"parameters\":[]}", EXIT_REFUSED));
}
END_TEST

TEST_MAIN("ctl-arguments", options_may_stand_before_and_behind_the_verb,
                behind_two_dashes_there_are_no_options, wrong_values_are_refused,
                the_edges_of_ranges_are_taken, states_may_be_lists_and_kinds,
                json_can_be_asked_for_in_several_ways,
                every_option_belongs_to_a_verb_and_has_a_name_of_its_own,
                options_alone_make_a_spec_that_the_manager_takes, options_of_a_virtual_machine,
                options_of_a_warm_job, options_win_over_the_file_and_leave_the_rest_alone,
                nbd_uris_are_endpoints_too, compression_can_be_chosen,
                relative_paths_begin_in_the_current_directory,
                relative_paths_mean_nothing_on_another_machine,
                a_name_that_does_not_tell_the_format_needs_one,
                in_a_directory_the_file_is_named_after_the_source,
                words_are_a_spec_or_a_source_and_a_destination, a_section_of_the_wrong_kind_is_refused)
