/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Named sources over the bus. Passwords are encrypted with systemd-creds(1), as they are in production. */

#include <dirent.h>

#include "manager/source.h"
#include "shared/error-table.h"
#include "unit/lib/manager-test.h"

#define PASSWORD "päss'w\"ord $x"
#define DEFINITION(name) \
        "{\"name\":\"" name "\",\"vcenter_url\":\"VC.example.com/sdk\",\"username\":\"admin\"}"

static void add(Fixture *f, const char *definition, const char *password) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};

        ck_assert_msg(call(f, "AddSource", NULL, &error, "ss", definition, password) >= 0, "%s: %s",
                        definition, error.message);
}

static void refuse_add(Fixture *f, const char *definition, const char *password, const char *name,
                const char *part) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};

        ck_assert_msg(call(f, "AddSource", NULL, &error, "ss", definition, password) < 0, "%s was accepted",
                        definition);
        ck_assert_str_eq(error.name, name);
        ck_assert_msg(strstr(error.message, part), "no \"%s\" in: %s", part, error.message);
}

static json_t *list(Fixture *f) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *text;
        json_t *sources;

        ck_assert_int_ge(call(f, "ListSources", &reply, NULL, NULL), 0);
        ck_assert_int_ge(sd_bus_message_read(reply, "s", &text), 0);
        ck_assert_ptr_null(strstr(text, "assword"));
        sources = json_loads(text, 0, NULL);
        ck_assert(json_is_array(sources));
        return sources;
}

/* The number of files with secrets whose names begin with @prefix. */
static unsigned count_secrets(Fixture *f, const char *prefix) {
        _cleanup_free_ char *path = strprintf("%s/credentials", f->state);
        DIR *d = opendir(path);
        unsigned n = 0;

        for (struct dirent *de; d && (de = readdir(d));)
                n += !!startswith(de->d_name, prefix);
        if (d)
                closedir(d);
        return n;
}

static int get_login(Fixture *f, const char *name, sd_bus_message **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        ck_assert_int_ge(sd_bus_message_new_method_call(f->client, &m, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         HYPER_SOURCES_INTERFACE, "GetLogin"),
                        0);
        ck_assert_int_ge(sd_bus_message_append(m, "s", name), 0);
        return call_message(f, TAKE_PTR(m), ret, error);
}

BUS_TEST(a_source_is_kept_and_its_password_is_given_to_the_daemon_only)
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *url, *user, *password, *datacenter, *ca, *thumbprint;
        _cleanup_json_ json_t *sources = NULL, *left = NULL;

        add(&f, DEFINITION("vc1"), PASSWORD);
        manager_down(&f);
        manager_up(&f);
        sources = list(&f);
        ck_assert_uint_eq(json_array_size(sources), 1);
        ck_assert_int_eq(json_unpack(json_array_get(sources, 0), "{s:s, s:s, s:n, s:n, s:n}", "vcenter_url",
                                         &url, "username", &user, "datacenter", "ca", "thumbprint"),
                        0);
        ck_assert_str_eq(url, "https://vc.example.com");
        ck_assert_int_ge(get_login(&f, "vc1", &reply, NULL), 0);
        ck_assert_int_ge(sd_bus_message_read(reply, "ssssss", &url, &user, &password, &datacenter, &ca,
                                         &thumbprint),
                        0);
        ck_assert_str_eq(url, "https://vc.example.com");
        ck_assert_str_eq(password, PASSWORD);
        ck_assert_str_eq(ca, "");
        ck_assert_uint_eq(count_secrets(&f, "source-"), 1);
        ck_assert_int_ge(call(&f, "RemoveSource", NULL, NULL, "s", "vc1"), 0);
        ck_assert_uint_eq(count_secrets(&f, "source-"), 0);
        left = list(&f);
        ck_assert_uint_eq(json_array_size(left), 0);
BUS_TEST_END

BUS_TEST(a_source_is_replaced_with_its_password)
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *url, *user, *password, *datacenter, *ca, *thumbprint;
        _cleanup_json_ json_t *sources = NULL;

        /* also the first of its name */
        add(&f, "{\"name\":\"vc1\",\"vcenter_url\":\"old\",\"username\":\"a\",\"replace\":true}", PASSWORD);
        add(&f, "{\"name\":\"vc1\",\"vcenter_url\":\"new\",\"username\":\"b\",\"replace\":true}", "other");
        refuse_add(&f, DEFINITION("vc1"), PASSWORD, HYPER_BUS_ERROR_SOURCE_EXISTS, "vc1");
        sources = list(&f);
        ck_assert_uint_eq(json_array_size(sources), 1);
        ck_assert_uint_eq(count_secrets(&f, "source-"), 1);
        ck_assert_int_ge(get_login(&f, "vc1", &reply, NULL), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "ssssss", &url, &user, &password, &datacenter, &ca,
                                         &thumbprint),
                        0);
        ck_assert_str_eq(url, "https://new");
        ck_assert_str_eq(user, "b");
        ck_assert_str_eq(password, "other");
BUS_TEST_END

BUS_TEST(a_job_gets_a_copy_of_the_password)
        _cleanup_(source_row_freep) SourceRow *row = NULL;
        _cleanup_free_ char *password = NULL;

        add(&f, DEFINITION("vc1"), PASSWORD);
        ck_assert_int_eq(manager_find_source(f.manager, "vc1", &row, NULL), 0);
        ck_assert_int_eq(manager_give_source(f.manager, row, "job-1"), 0);
        ck_assert_int_ge(call(&f, "RemoveSource", NULL, NULL, "s", "vc1"), 0);
        ck_assert_int_eq(credential_reveal(
                                         f.state, CREDENTIALS_OF_JOB, "job-1", "source.password", &password),
                        0);
        ck_assert_str_eq(password, PASSWORD);
BUS_TEST_END

/* An addition that was cut off has left a secret that no row names. */
BUS_TEST(secrets_without_a_source_are_removed_at_start)
        add(&f, DEFINITION("vc1"), PASSWORD);
        ck_assert_int_eq(credential_store(f.state, CREDENTIALS_OF_SOURCE, "cut-off", "source.password", "x"),
                        0);
        ck_assert_uint_eq(count_secrets(&f, "source-"), 2);
        manager_down(&f);
        manager_up(&f);
        ck_assert_uint_eq(count_secrets(&f, "source-"), 1);
        ck_assert_int_ge(get_login(&f, "vc1", NULL, NULL), 0);
BUS_TEST_END

BUS_TEST(a_password_that_was_tampered_with_is_an_error)
        _cleanup_(source_row_freep) SourceRow *row = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};
        _cleanup_strv_free_ char **files = NULL;

        add(&f, DEFINITION("vc1"), PASSWORD);
        ck_assert_int_eq(manager_find_source(f.manager, "vc1", &row, NULL), 0);
        ck_assert_int_eq(credentials_list(f.state, CREDENTIALS_OF_SOURCE, row->credentials, &files), 0);
        ck_assert_uint_eq(strv_length(files), 2);
        ck_assert_int_eq(truncate(files[1], 100), 0);
        ck_assert_int_lt(get_login(&f, "vc1", NULL, &error), 0);
        ck_assert_msg(strstr(error.message, "could not be decrypted"), "%s", error.message);
BUS_TEST_END

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

BUS_TEST(what_is_wrong_is_named)
        static const struct {
                const char *definition, *part;
        } bad[] = {
                { "", "" },
                { "[]", "" },
                { "{}", "name" },
                { "{}", "vcenter_url" },
                { "{}", "username" },
                { "{\"name\":\"a b\",\"vcenter_url\":\"vc\",\"username\":\"u\"}", "name: must be 1 to 64" },
                { "{\"name\":\"a\",\"vcenter_url\":\"http://vc\",\"username\":\"u\"}",
                                "vcenter_url: must use https" },
                { "{\"name\":\"a\",\"vcenter_url\":\"https://u:p@vc\",\"username\":\"u\"}",
                                "vcenter_url: must not" },
                { "{\"name\":\"a\",\"vcenter_url\":\"vc\",\"username\":\"\"}", "username" },
                { "{\"name\":\"a\",\"vcenter_url\":\"vc\",\"username\":\"u\",\"type\":\"aws\"}",
                                "type: must be vsphere" },
                { "{\"name\":\"a\",\"vcenter_url\":\"vc\",\"username\":\"u\",\"ca\":\"x\"}", "ca: must be" },
                { "{\"name\":\"a\",\"vcenter_url\":\"vc\",\"username\":\"u\",\"thumbprint\":\"AA\"}",
                                "thumbprint: must be" },
                { "{\"name\":\"a\",\"vcenter_url\":\"vc\",\"username\":\"u\",\"thumbprint\":\"" HEX
                  "\",\"ca\":\"x\"}",
                                "must not be given together" },
                { "{\"name\":\"a\",\"vcenter_url\":\"vc\",\"username\":\"u\",\"insecure\":true}",
                                "insecure: there is no such field" },
                { "{\"name\":\"a\",\"vcenter_url\":\"vc\",\"username\":\"u\",\"password\":\"p\"}",
                                "password: there is no such field" },
        };
        _cleanup_(sd_bus_error_free) sd_bus_error none = {}, other = {};
        _cleanup_json_ json_t *sources = NULL;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                refuse_add(&f, bad[i].definition, "p", HYPER_BUS_ERROR_INVALID_ARGUMENT, bad[i].part);
        refuse_add(&f, DEFINITION("vc1"), "", HYPER_BUS_ERROR_INVALID_ARGUMENT, "password: must be 1 to");
        ck_assert_int_lt(get_login(&f, "vc1", NULL, &none), 0);
        ck_assert_str_eq(none.name, HYPER_BUS_ERROR_NO_SUCH_SOURCE);
        ck_assert_msg(strstr(none.message, "hyperctl source add"), "%s", none.message);
        add(&f, DEFINITION("vc1"), PASSWORD);
        refuse_add(&f, DEFINITION("vc1"), PASSWORD, HYPER_BUS_ERROR_SOURCE_EXISTS, "vc1");
        ck_assert_int_lt(call(&f, "RemoveSource", NULL, &other, "s", "../x"), 0);
        ck_assert_str_eq(other.name, HYPER_BUS_ERROR_NO_SUCH_SOURCE);
        ck_assert_msg(strstr(other.message, "of such a name, only vc1"), "%s", other.message);
        sources = list(&f);
        ck_assert_uint_eq(json_array_size(sources), 1);
        ck_assert_uint_eq(count_secrets(&f, "source-"), 1);
BUS_TEST_END

TEST_MAIN("manager-sources", a_source_is_kept_and_its_password_is_given_to_the_daemon_only,
                a_source_is_replaced_with_its_password, a_job_gets_a_copy_of_the_password,
                secrets_without_a_source_are_removed_at_start, a_password_that_was_tampered_with_is_an_error,
                what_is_wrong_is_named)
