/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "shared/settings.h"
#include "unit/lib/test.h"

#define URL_ERROR                                                                                          \
        ":2: carbon.url: must be https://HOST, or file:///PATH, without a query; http:// is for loopback " \
        "addresses only"

static void put(const char *dir, const char *name, const char *text) {
        _cleanup_free_ char *path = strprintf("%s/%s", dir, name);
        FILE *f = fopen(path, "we");

        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static Settings *loaded(const char *dir) {
        _cleanup_free_ char *error = NULL;
        Settings *s = NULL;
        int r = settings_load(dir, &s, &error);

        ck_assert_msg(r == 0, "%s", strna(error));
        return s;
}

/* What is wrong with @text, without the file's name. */
static void check_error(const char *text, const char *expected) {
        _cleanup_(settings_freep) Settings *s = settings_new();
        _cleanup_free_ char *error = NULL;

        ck_assert_msg(settings_parse("f", text, strlen(text), s, &error) == -EBADMSG, "%s was taken", text);
        ck_assert_str_eq(error, expected);
}

START_TEST(without_a_file_there_are_defaults) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(settings_freep) Settings *s = loaded(dir), *none = loaded("/nonexistent");

        ck_assert_str_eq(s->database.path, STATEDIR "/hyper.db");
        ck_assert_uint_ge(s->jobs.max_running, 1);
        ck_assert_uint_le(s->jobs.max_running, 8);
        ck_assert_uint_eq(strv_length(s->jobs.source_paths), 8);
        ck_assert(strv_contains(s->jobs.source_paths, "/var/lib/libvirt/images"));
        ck_assert(strv_contains(s->jobs.destination_paths, "/srv"));
        ck_assert_uint_eq(s->daemon.idle_timeout, 30 * USEC_PER_SEC);
        ck_assert_uint_eq(s->hosts.call_timeout, 30 * USEC_PER_SEC);
        ck_assert_uint_eq(s->hosts.boot_timeout, 300 * USEC_PER_SEC);
        ck_assert(s->worker.local);
        ck_assert_str_eq(s->daemon.log_level, "info");
        ck_assert_str_eq(none->daemon.log_level, "info");
}
END_TEST

START_TEST(the_database_is_in_the_state_directory_unless_it_is_set) {
        _cleanup_test_dir_ char *dir = test_dir();
        Settings *s = NULL;
        char *error = NULL;

        ck_assert_int_eq(settings_load_for(dir, "/srv/state", &s, &error), 0);
        ck_assert_str_eq(s->database.path, "/srv/state/hyper.db");
        settings_free(s);
        put(dir, "config.yaml", "database:\n  path: /srv/other.db\n");
        ck_assert_int_eq(settings_load_for(dir, "/srv/state", &s, &error), 0);
        ck_assert_str_eq(s->database.path, "/srv/other.db");
        settings_free(s);
}
END_TEST

START_TEST(everything_can_be_set) {
        _cleanup_test_dir_ char *dir = test_dir();

        put(dir, "config.yaml",
                        "# a comment\n"
                        "database:\n  path: /srv/h.db\n"
                        "jobs:\n  max_running: 16\n  source_paths: [/srv/in/, \"/mnt\"]\n"
                        "  destination_paths:\n    - /\n"
                        "metrics:\n  enabled: false\n  port: 8080\n"
                        "daemon:\n  idle_timeout: 5\n  log_level: debug\n"
                        "hosts:\n  call_timeout: 600\n  boot_timeout: 900\n"
                        "worker:\n  local: false\n"
                        "api:\n  cors_origins: [https://a.example, \"http://b.example:8443\"]\n"
                        "  local: anybody\n  require_key: true\n  rate_limit: 600\n  rate_burst: 20\n"
                        "hypersdk: {submit_status: 200}\n"
                        "auth: {token_lifetime: 300, session_lifetime: 2592000}\n"
                        "v1: {rate_limit: 10, user_rate_limit: 20}\n"
                        "vsphere: {vddk_libdir: /opt/vddk, vddk_plugin: /opt/p.so}\n"
                        "carbon: {source: electricitymaps, url: 'https://carbon.example.com/v3/', zone: DE, "
                        "refresh: 300, stale_after: 86400}\n");
        _cleanup_(settings_freep) Settings *s = loaded(dir);
        ck_assert_str_eq(s->database.path, "/srv/h.db");
        ck_assert_uint_eq(s->jobs.max_running, 16);
        ck_assert_uint_eq(strv_length(s->jobs.source_paths), 2);
        ck_assert_str_eq(s->jobs.source_paths[0], "/srv/in");
        ck_assert_str_eq(s->jobs.source_paths[1], "/mnt");
        ck_assert_str_eq(s->jobs.destination_paths[0], "/");
        ck_assert(!s->metrics.enabled);
        ck_assert_uint_eq(s->metrics.port, 8080);
        ck_assert_uint_eq(s->daemon.idle_timeout, 5 * USEC_PER_SEC);
        ck_assert_uint_eq(s->hosts.call_timeout, 600 * USEC_PER_SEC);
        ck_assert_uint_eq(s->hosts.boot_timeout, 900 * USEC_PER_SEC);
        ck_assert(!s->worker.local);
        ck_assert_uint_eq(strv_length(s->api.cors_origins), 2);
        ck_assert_str_eq(s->api.cors_origins[0], "https://a.example");
        ck_assert_str_eq(s->api.cors_origins[1], "http://b.example:8443");
        ck_assert_int_eq(s->api.local, LOCAL_ANYBODY);
        ck_assert(s->api.require_key);
        ck_assert_uint_eq(s->api.rate_limit, 600);
        ck_assert_uint_eq(s->api.rate_burst, 20);
        ck_assert_int_eq(s->hypersdk.submit_status, SUBMIT_STATUS_200);
        ck_assert_uint_eq(s->auth.token_lifetime, 300 * USEC_PER_SEC);
        ck_assert_uint_eq(s->auth.session_lifetime, 30 * USEC_PER_DAY);
        ck_assert_uint_eq(s->v1.rate_limit, 10);
        ck_assert_uint_eq(s->v1.user_rate_limit, 20);
        ck_assert_str_eq(s->vsphere.vddk_libdir, "/opt/vddk");
        ck_assert_str_eq(s->vsphere.vddk_plugin, "/opt/p.so");
        ck_assert_str_eq(s->carbon.source, "electricitymaps");
        ck_assert_str_eq(s->carbon.url, "https://carbon.example.com/v3");
        ck_assert_str_eq(s->carbon.zone, "DE");
        ck_assert_uint_eq(s->carbon.refresh, 300 * USEC_PER_SEC);
        ck_assert_uint_eq(s->carbon.stale_after, 86400 * USEC_PER_SEC);
        ck_assert_str_eq(s->daemon.log_level, "debug");
}
END_TEST

START_TEST(webhooks_are_a_list_or_a_section_with_one) {
        static const struct {
                const char *text, *error;
        } bad[] = {
                { "webhooks:\n  allow_private: 10.0.0.0/8\n",
                                ":2: webhooks.allow_private: must be a list of address" },
                { "jobs:\n  disks_parallel: 5\n",
                                ":2: jobs.disks_parallel: must be a whole number, 1 to 4" },
                { "carbon:\n  source: coal\n",
                                ":2: carbon.source: must be one of carbonintensity-gb, electricitymaps, "
                                "watttime, file" },
                { "carbon:\n  url: http://192.0.2.1/\n", URL_ERROR },
                { "carbon:\n  url: http://localhost.example.com\n", URL_ERROR },
                { "carbon:\n  url: https://user@example.com\n", URL_ERROR },
                { "carbon:\n  url: https://example.com/?a=b\n", URL_ERROR },
                { "carbon:\n  url: https://\n", URL_ERROR },
                { "carbon:\n  url: file://host/f\n", URL_ERROR },
                { "carbon:\n  zone: a/b\n",
                                ":2: carbon.zone: must consist of letters, digits, \"-\" and \"_\", at most "
                                "64 of them" },
                { "carbon:\n  refresh: 60\n",
                                ":2: carbon.refresh: must be a whole number of seconds, 300 to 3600" },
                { "vsphere:\n  vddk_libdir: vddk\n", ":2: vsphere.vddk_libdir: must be an absolute path" },
                { "webhooks:\n  allow_private: [10.0.0.1/8]\n",
                                ":2: webhooks.allow_private: must be a list of address" },
                { "webhooks:\n  other: []\n", ":2: webhooks.other: there is no such setting" },
                { "webhooks:\n  list: x\n", ":2: webhooks: must be a list of webhooks" },
                { "webhooks:\n  list: []\n  list: []\n", ":3: webhooks.list: is given twice" },
                { "webhooks:\n  allow_private: []\n  allow_private: []\n",
                                ":3: webhooks.allow_private: is given twice" },
        };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *drop_ins = strprintf("%s/config.d", dir);

        ck_assert_int_eq(mkdir(drop_ins, 0700), 0);
        put(dir, "config.yaml",
                        "webhooks:\n  allow_private: [127.0.0.0/8, \"::1\"]\n  list:\n    - url: "
                        "http://a.example/\n");
        _cleanup_(settings_freep) Settings *s = loaded(dir);
        ck_assert_uint_eq(strv_length(s->delivery.allow_private), 2);
        ck_assert_str_eq(s->delivery.allow_private[1], "::1");
        ck_assert_uint_eq(json_array_size(s->webhooks), 1);
        _cleanup_(json_decrefp) json_t *json = settings_to_json(s),
                                       *shown = json_incref(json_object_get(json, "webhooks"));
        ck_assert_uint_eq(json_array_size(json_object_get(shown, "allow_private")), 2);
        ck_assert_uint_eq(json_array_size(json_object_get(shown, "list")), 1);
        /* each file for itself */
        put(drop_ins, "a.yaml", "webhooks: []\n");
        _cleanup_(settings_freep) Settings *other = loaded(dir);
        ck_assert_uint_eq(strv_length(other->delivery.allow_private), 2);
        ck_assert_uint_eq(json_array_size(other->webhooks), 0);

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *error = NULL;
                Settings *none = NULL;

                put(drop_ins, "a.yaml", bad[i].text);
                ck_assert_int_eq(settings_load(dir, &none, &error), -EBADMSG);
                ck_assert_msg(strstr(error, bad[i].error), "%s", error);
        }
}
END_TEST

START_TEST(drop_ins_win_in_the_order_of_their_names) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *drop_ins = strprintf("%s/config.d", dir);

        ck_assert_int_eq(mkdir(drop_ins, 0700), 0);
        put(dir, "config.yaml",
                        "jobs:\n  max_running: 1\n  source_paths: [/a]\ndaemon:\n  idle_timeout: 7\n");
        put(drop_ins, "20-b.yaml", "jobs: {max_running: 3}\n");
        put(drop_ins, "10-a.yaml", "jobs: {max_running: 2, source_paths: []}\n");
        put(drop_ins, ".hidden.yaml", "jobs: {max_running: 4}\n");
        put(drop_ins, "30-c.yaml~", "jobs: {max_running: 5}\n");
        _cleanup_(settings_freep) Settings *s = loaded(dir);
        ck_assert_uint_eq(s->jobs.max_running, 3);
        ck_assert_uint_eq(strv_length(s->jobs.source_paths), 0);
        ck_assert_uint_eq(s->daemon.idle_timeout, 7 * USEC_PER_SEC);
}
END_TEST

START_TEST(empty_files_and_sections_set_nothing) {
        static const char *const texts[] = { "", "\n", "# only a comment\n", "---\n", "~\n", "jobs:\n",
                "jobs:\n  # max_running: 3\ndaemon:\n", "{}", "jobs: {}\n", "\xef\xbb\xbfjobs:\n" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(settings_freep) Settings *s = settings_new();
                _cleanup_free_ char *error = NULL;

                ck_assert_msg(settings_parse("f", texts[i], strlen(texts[i]), s, &error) == 0, "%s: %s",
                                texts[i], strna(error));
        }
}
END_TEST

START_TEST(an_error_names_line_and_key) {
        check_error("jbos:\n  max_running: 3\n", "f:1: jbos: there is no such section");
        check_error("jobs:\n  max_runing: 3\n", "f:2: jobs.max_runing: there is no such setting");
        check_error("jobs:\n  path: 3\n", "f:2: jobs.path: there is no such setting");
        check_error("jobs:\n  max_running: 0\n", "f:2: jobs.max_running: must be a whole number, 1 to 256");
        check_error("jobs:\n  max_running: 257\n",
                        "f:2: jobs.max_running: must be a whole number, 1 to 256");
        check_error("jobs:\n  max_running: '4'\n",
                        "f:2: jobs.max_running: must be a whole number, 1 to 256");
        check_error("jobs:\n  max_running: [4]\n",
                        "f:2: jobs.max_running: must be a whole number, 1 to 256");
        check_error("jobs:\n  max_running:\n", "f:2: jobs.max_running: must not be empty");
        check_error("jobs:\n  max_running: {a: b}\n",
                        "f:2: jobs.max_running: must be a value or a list of values");
        check_error("jobs:\n  source_paths: /srv\n",
                        "f:2: jobs.source_paths: must be a list of absolute paths");
        check_error("jobs:\n  source_paths: [srv]\n",
                        "f:2: jobs.source_paths: must be a list of absolute paths");
        check_error("jobs:\n  source_paths: [/a/../b]\n",
                        "f:2: jobs.source_paths: must be a list of absolute paths");
        check_error("uploads: {max_size: 17T}\n",
                        "f:1: uploads.max_size: must be a number of bytes, 1 to 16T; K, M, G or T may follow it");
        check_error("uploads: {max_size: 0}\n",
                        "f:1: uploads.max_size: must be a number of bytes, 1 to 16T; K, M, G or T may follow it");
        check_error("uploads: {quota: 1X}\n",
                        "f:1: uploads.quota: must be a number of bytes, 1 to 16T; K, M, G or T may follow it");
        check_error("uploads: {quota: K}\n",
                        "f:1: uploads.quota: must be a number of bytes, 1 to 16T; K, M, G or T may follow it");
        check_error("files: {roots: [images]}\n", "f:1: files.roots: must be a list of absolute paths");
        check_error("jobs:\n  source_paths: [[/a]]\n",
                        "f:2: jobs.source_paths: must be a value or a list of values");
        check_error("daemon:\n\n  idle_timeout: 30s\n",
                        "f:3: daemon.idle_timeout: must be a whole number of seconds, 1 to 86400");
        static const char *const bad_origins[] = { "https://a.example", "[a.example]", "[\"*\"]",
                "[\"null\"]", "[https://a.example/]", "[https://A.example]", "[ftp://a.example]",
                "[\"https://\"]", "[\"https://a b\"]" };
        for (size_t i = 0; i < ELEMENTSOF(bad_origins); i++) {
                _cleanup_free_ char *text = strprintf("api:\n  cors_origins: %s\n", bad_origins[i]);

                check_error(text,
                                "f:2: api.cors_origins: must be a list of origins as browsers send them, "
                                "like "
                                "https://console.example.com");
        }
        check_error("hosts:\n  call_timeout: 601\n",
                        "f:2: hosts.call_timeout: must be a whole number of seconds, 1 to 600");
        check_error("daemon:\n  log_level: loud\n",
                        "f:2: daemon.log_level: must be one of debug, info, notice, warning, err");
        check_error("hypersdk:\n  submit_status: 202\n",
                        "f:2: hypersdk.submit_status: must be auto, 200 or 201");
        check_error("auth:\n  token_lifetime: 299\n",
                        "f:2: auth.token_lifetime: must be a whole number of seconds, 300 to 86400");
        check_error("v1:\n  rate_limit: 0\n", "f:2: v1.rate_limit: must be a whole number, 1 to 1000000");
        check_error("database:\n  path: hyper.db\n", "f:2: database.path: must be an absolute path");
        check_error("guest:\n  memory: 511\n",
                        "f:2: guest.memory: must be a whole number of MiB, 512 to 65536");
        check_error("guest:\n  memory: 65537\n",
                        "f:2: guest.memory: must be a whole number of MiB, 512 to 65536");
        check_error("guest:\n  max_running: 0\n", "f:2: guest.max_running: must be a whole number, 1 to 64");
        check_error("guest:\n  virtio_win: drivers\n", "f:2: guest.virtio_win: must be an absolute path");
        check_error("jobs: 3\n", "f:1: jobs: must be a section, with a setting per line");
        check_error("- jobs\n", "f:1: the file must be made of sections");
        check_error("jobs\n", "f:1: the file must be made of sections");
        check_error("jobs:\n  max_running: 1\n  max_running: 2\n", "f:3: jobs.max_running: is given twice");
        check_error("jobs:\ndaemon:\njobs:\n", "f:3: jobs: is given twice");
        check_error("[a]: b\n", "f:1: a key must be a word");
}
END_TEST

START_TEST(what_yaml_has_beyond_this_is_refused) {
        check_error("jobs: &a\n  max_running: 1\n", "f:1: anchors and aliases are not supported");
        check_error("jobs:\n  source_paths: [*a]\n", "f:2: anchors and aliases are not supported");
        check_error("jobs:\n  max_running: !!int 3\n", "f:2: tags are not supported");
        check_error("jobs:\n--- \ndaemon:\n", "f:2: there must be one document in a file");
        check_error("jobs:\n  <<: {max_running: 1}\n", "f:2: jobs.<<: there is no such setting");
        check_error("jobs:\n  max_running: \"a\\0b\"\n", "f:2: jobs.max_running: must not be empty");
}
END_TEST

START_TEST(broken_yaml_is_refused_with_its_line) {
        static const char *const texts[] = { "jobs:\n\tmax_running: 3\n", "jobs: [\n", "jobs: \"a\n",
                "a: b: c\n", "\xff\xfe", "jobs:\n  \x01\n", "%YAML 9.9\n---\n" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(settings_freep) Settings *s = settings_new();
                _cleanup_free_ char *error = NULL;

                ck_assert_msg(settings_parse("f", texts[i], strlen(texts[i]), s, &error) == -EBADMSG, "%s",
                                texts[i]);
                ck_assert_msg(startswith(error, "f:"), "%s", error);
        }
}
END_TEST

START_TEST(a_bad_drop_in_is_named_and_nothing_is_in_force) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *drop_ins = strprintf("%s/config.d", dir), *error = NULL, *expected = NULL;
        Settings *s = NULL;

        ck_assert_int_eq(mkdir(drop_ins, 0700), 0);
        put(dir, "config.yaml", "jobs:\n  max_running: 1\n");
        put(drop_ins, "a.yaml", "jobs:\n  max_running: x\n");
        ck_assert_int_eq(settings_load(dir, &s, &error), -EBADMSG);
        expected = strprintf("%s/a.yaml:2: jobs.max_running: must be a whole number, 1 to 256", drop_ins);
        ck_assert_str_eq(error, expected);
        ck_assert_ptr_null(s);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *file = strprintf("%s/config.yaml", dir), *error = NULL, *larger = NULL;
        Settings *s = NULL;

        put(dir, "config.yaml", "");
        ck_assert_int_eq(truncate(file, 2 * 1024 * 1024), 0);
        ck_assert_int_eq(settings_load(dir, &s, &error), -EFBIG);
        larger = strprintf("%s: the file is larger than 1 MiB", file);
        ck_assert_str_eq(error, larger);

        error = mfree(error);
        ck_assert_int_eq(unlink(file), 0);
        ck_assert_int_eq(mkdir(file, 0700), 0);
        ck_assert_int_eq(settings_load(dir, &s, &error), -EISDIR);
        ck_assert(startswith(error, file));
        ck_assert_ptr_null(s);
}
END_TEST

static int parse_limits(const char *text, Settings *s, char **ret_error) {
        return settings_parse("f", text, strlen(text), s, ret_error);
}

START_TEST(limits_have_a_number_for_each_pattern) {
        static const char text[] =
                        "limits:\n  vcenter:*: 20\n  'esx:old*': 2\n  esx:old-7: unlimited\n  datastore:san 3: 1\n";
        static const char *const wrong[] = { "limits:\n  esx: 4\n", "limits:\n  esx:*: 0\n",
                "limits:\n  esx:*: 100001\n", "limits:\n  esx:*: '4'\n", "limits:\n  'e*x:a': 4\n",
                "limits:\n  Esx:a: 4\n", "limits:\n  esx:a: 4\n  esx:a: 5\n", "limits:\n  esx:a: [4]\n",
                "limits: [4]\n" };
        _cleanup_(settings_freep) Settings *s = settings_new();
        char *error = NULL;

        ck_assert_msg(parse_limits(text, s, &error) >= 0, "%s", strna(error));
        ck_assert_uint_eq(limit_rules_max(&s->limits, "vcenter:a"), 20);
        ck_assert_uint_eq(limit_rules_max(&s->limits, "esx:a"), 4);
        ck_assert_uint_eq(limit_rules_max(&s->limits, "esx:old-8"), 2);
        ck_assert_uint_eq(limit_rules_max(&s->limits, "esx:old-7"), LIMIT_UNLIMITED);
        ck_assert_uint_eq(limit_rules_max(&s->limits, "datastore:san 3"), 1);
        ck_assert_uint_eq(limit_rules_max(&s->limits, "datastore:san 30"), 8);
        ck_assert_uint_eq(limit_rules_max(&s->limits, "team:blue"), LIMIT_UNLIMITED);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_(settings_freep) Settings *other = settings_new();

                ck_assert_int_eq(parse_limits(wrong[i], other, &error), -EBADMSG);
                ck_assert_msg(strstr(error, "limits"), "%s", error);
                error = mfree(error);
        }
}
END_TEST

START_TEST(storage_has_a_label_for_each_path) {
        static const char *const wrong[] = { "storage:\n  srv: san-b\n", "storage:\n  /srv/../x: san-b\n",
                "storage:\n  /srv: San\n", "storage:\n  /srv: ''\n", "storage:\n  /srv: [san-b]\n",
                "worker: {labels: san-b}\n", "worker: {labels: [san-b, '-x']}\n",
                "worker: {labels: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}\n" };
        _cleanup_(settings_freep) Settings *s = settings_new();
        char *error = NULL;

        ck_assert_msg(parse_limits("storage:\n  /srv/san-b/: san-b\n  /: all\nworker: {labels: [all]}\n", s,
                                      &error) >= 0,
                        "%s", strna(error));
        ck_assert_uint_eq(s->storage.n, 2);
        ck_assert_str_eq(s->storage.rules[0].prefix, "/srv/san-b");
        ck_assert_str_eq(s->storage.rules[1].prefix, "");
        ck_assert(strv_contains(s->worker.labels, "all"));
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_(settings_freep) Settings *other = settings_new();

                ck_assert_msg(parse_limits(wrong[i], other, &error) == -EBADMSG, "%s", wrong[i]);
                ck_assert_msg(strstr(error, "label"), "%s", error);
                error = mfree(error);
        }
}
END_TEST

START_TEST(what_is_in_force_is_shown_in_the_shape_of_the_file) {
        _cleanup_test_dir_ char *dir = test_dir();

        put(dir, "config.yaml",
                        "jobs:\n  max_running: 3\n  source_paths: [/a]\n  destination_paths: "
                        "[/b]\ndatabase: {path: /x.db}\nguest: {virtio_win: /srv/virtio-win.iso}\n"
                        "files: {roots: [/srv/images/]}\nuploads: {max_size: 1T, quota: 10G}\n"
                        "worker: {labels: [san-b, vlan10]}\nstorage:\n  /srv/san-b/: san-b\n");
        _cleanup_(settings_freep) Settings *s = loaded(dir);
        _cleanup_(json_decrefp) json_t *json = settings_to_json(s);
        _cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);
        ck_assert_str_eq(text,
                        "{\"database\":{\"path\":\"/x.db\"},"
                        "\"jobs\":{\"max_running\":3,\"max_per_source\":4,\"disks_parallel\":2,"
                        "\"source_paths\":"
                        "[\"/a\"],\"destination_paths\":[\"/"
                        "b\"]},\"metrics\":{\"enabled\":true},\"daemon\":{\"idle_timeout\":30,"
                        "\"log_level\":\"info\"},\"hosts\":{\"call_timeout\":30,\"boot_timeout\":300,\"allow_test\":false},"
                        "\"files\":{\"roots\":[\"/srv/images\"]},"
                        "\"uploads\":{\"max_size\":1099511627776,\"quota\":10737418240},"
                        "\"guest\":{\"memory\":1280,\"virtio_win\":\"/srv/virtio-win.iso\"},"
                        "\"worker\":{\"local\":true,\"labels\":[\"san-b\",\"vlan10\"]},"
                        "\"api\":{\"cors_origins\":[],\"local\":\"groups\","
                        "\"require_key\":false},"
                        "\"auth\":{\"token_lifetime\":28800,\"session_lifetime\":604800},"
                        "\"v1\":{\"rate_limit\":100,\"user_rate_limit\":6000},"
                        "\"carbon\":{\"refresh\":900,\"stale_after\":21600},"
                        "\"slurm\":{\"api\":\"v0.0.38\",\"user\":\"hyper-slurm\",\"memory\":1024,"
                        "\"max_jobs\":1000},"
                        "\"hypersdk\":{\"submit_status\":\"auto\"},"
                        "\"limits\":{\"esx:*\":4,\"datastore:*\":8,\"host:*\":8,\"vcenter:*\":4},"
                        "\"storage\":{\"/srv/san-b\":\"san-b\"},\"webhooks\":[]}");

        /* JSON is YAML: what is shown can be used as a file. */
        put(dir, "config.yaml", text);
        settings_free(loaded(dir));
}
END_TEST

START_TEST(webhooks_are_read_as_published) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(settings_freep) Settings *s = NULL, *later = NULL;
        _cleanup_(json_decrefp) json_t *shown = NULL, *expected = NULL;

        put(dir, "config.yaml",
                        "database:\n  path: \"/var/lib/hypersdk/jobs.db\"\n\nmetrics:\n  enabled: true\n  "
                        "port: 8080\n\n"
                        "webhooks:\n  - url: \"https://hooks.example.com/notify\"\n    events:\n      - "
                        "job.completed\n"
                        "      - job.failed\n    enabled: true\n    timeout: 30\n    retry_count: 3\n    "
                        "headers:\n"
                        "      Authorization: \"Bearer token123\"\n  - url: http://b.example/\n    secret: "
                        "\"12\"\n");
        s = loaded(dir);
        ck_assert_uint_eq(json_array_size(s->webhooks), 2);
        expected = json_pack("{s:s, s:[s, s], s:b, s:i, s:i, s:{s:s}}", "url",
                        "https://hooks.example.com/notify", "events", "job.completed", "job.failed",
                        "enabled", 1, "timeout", 30, "retry_count", 3, "headers", "Authorization",
                        "Bearer token123");
        ck_assert(json_equal(json_array_get(s->webhooks, 0), expected));
        shown = settings_to_json(s);
        _cleanup_free_ char *text = json_dumps(shown, 0);
        ck_assert_ptr_null(strstr(text, "token123"));
        ck_assert_ptr_nonnull(strstr(text, "\"Authorization\": \"***\""));
        ck_assert_ptr_nonnull(strstr(text, "\"secret\": \"***\""));

        /* A drop-in has a list of its own, and makes it another version. */
        _cleanup_free_ char *drop_ins = strprintf("%s/config.d", dir);
        ck_assert_int_eq(mkdir(drop_ins, 0700), 0);
        put(dir, "config.d/a.yaml", "webhooks: []\n");
        later = loaded(dir);
        ck_assert_uint_eq(json_array_size(later->webhooks), 0);
        ck_assert_str_ne(later->version, s->version);
}
END_TEST

START_TEST(what_is_wrong_with_a_webhook_is_named_with_its_line) {
        check_error("webhooks: 1\n",
                        "f:1: webhooks: must be a list of webhooks, or a section with allow_private and "
                        "list");
        check_error("webhooks:\n  - url: http://a/\n  - url: ftp://b/\n    timeout: 0\n",
                        "f:3: webhooks[1]: timeout: must be 1 to 300; url: must be an http:// or https:// "
                        "URL");
        check_error("webhooks:\n  - events: [job.failed]\n", "f:2: webhooks[0]: url: must be given");
        check_error("webhooks:\n  - url: http://a/\n    colour: blue\n",
                        "f:2: webhooks[0]: colour: there is no such key");
        check_error("webhooks:\n  - url: http://a/\n    url: http://b/\n", "f:3: url: is given twice");
        check_error("webhooks:\n  - url: http://a/\n    headers: {A: [[b]]}\n",
                        "f:3: webhooks: is nested too deeply");
        check_error("webhooks:\n  - http://a/\n", "f:2: webhooks[0]: must be an object");
        check_error("webhooks: []\nwebhooks: []\n", "f:2: webhooks: is given twice");
        check_error("webhooks:\n  - &a {url: http://a/}\n", "f:2: anchors and aliases are not supported");
}
END_TEST

TEST_MAIN("settings", without_a_file_there_are_defaults,
                the_database_is_in_the_state_directory_unless_it_is_set, everything_can_be_set,
                webhooks_are_a_list_or_a_section_with_one, drop_ins_win_in_the_order_of_their_names,
                empty_files_and_sections_set_nothing, an_error_names_line_and_key,
                what_yaml_has_beyond_this_is_refused, broken_yaml_is_refused_with_its_line,
                a_bad_drop_in_is_named_and_nothing_is_in_force, a_file_that_cannot_be_read_is_named,
                what_is_in_force_is_shown_in_the_shape_of_the_file, limits_have_a_number_for_each_pattern,
                storage_has_a_label_for_each_path, webhooks_are_read_as_published,
                what_is_wrong_with_a_webhook_is_named_with_its_line)
