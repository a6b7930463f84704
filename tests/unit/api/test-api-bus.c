/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.hyper1.Api on a bus of the test's own: what is reloaded, what is in force, and that a wrong
 * configuration changes nothing. */

#include <sys/stat.h>

#include "api/api-bus.h"
#include "shared/bus-util.h"
#include "unit/lib/introspection.h"
#include "unit/lib/private-bus.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

typedef struct Fixture {
        char *dir;
        pid_t daemon;
        sd_event *event;
        sd_bus *bus;
        Api *api;
        ApiBus *api_bus;
} Fixture;

static void write_config(Fixture *f, const char *text) {
        _cleanup_free_ char *path = strprintf("%s/config.yaml", f->dir);
        FILE *file = fopen(path, "we");

        ck_assert_ptr_nonnull(file);
        ck_assert_int_ge(fputs(text, file), 0);
        ck_assert_int_eq(fclose(file), 0);
}

static void fixture_open(Fixture *f) {
        _cleanup_free_ char *address = NULL, *why = NULL;
        Settings *settings;
        ApiConfig config;

        *f = (Fixture){ .dir = test_dir() };
        f->daemon = private_bus_start(f->dir);
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        f->bus = private_bus_connect(f->dir, f->event);
        ck_assert_ptr_nonnull(f->bus);
        write_config(f, "database: {path: /nowhere/hyper.db}\n");
        ck_assert_int_ge(settings_load(f->dir, &settings, &why), 0);
        config = api_config_from_settings(settings);
        ck_assert_int_ge(api_new(f->event, &config, &f->api), 0);
        address = strprintf("unix:path=%s/bus", f->dir);
        ck_assert_int_ge(api_bus_new(f->api, address, f->dir, settings, &f->api_bus), 0);
        while (sd_bus_get_name_creds(f->bus, HYPER_API_BUS_NAME, 0, NULL) == -ENXIO)
                ck_assert_int_ge(sd_event_run(f->event, 10000), 0);
}

static void fixture_close(Fixture *f) {
        api_bus_free(f->api_bus);
        api_free(f->api);
        sd_bus_flush_close_unref(f->bus);
        sd_event_unref(f->event);
        private_bus_stop(f->daemon);
        test_dir_freep(&f->dir);
}

static sd_bus_message *call(Fixture *f, const char *interface, const char *method) {
        sd_bus_message *m;

        ck_assert_int_ge(sd_bus_message_new_method_call(f->bus, &m, HYPER_API_BUS_NAME, HYPER_API_BUS_PATH,
                                         interface, method),
                        0);
        return private_bus_call(m);
}

static bool reload(Fixture *f, char **ret_error) {
        sd_bus_message *reply = call(f, HYPER_API_INTERFACE, "Reload");
        const sd_bus_error *e = sd_bus_message_get_error(reply);

        if (e && ret_error)
                *ret_error = strdup(e->message);
        sd_bus_message_unref(reply);
        return !e;
}

static json_t *get_config(Fixture *f) {
        sd_bus_message *reply = call(f, HYPER_API_INTERFACE, "GetConfig");
        const char *text;
        json_t *config;

        ck_assert_int_gt(sd_bus_message_read(reply, "s", &text), 0);
        config = json_loads(text, 0, NULL);
        ck_assert_ptr_nonnull(config);
        sd_bus_message_unref(reply);
        return config;
}

static void assert_in_force(Fixture *f, bool require_key, int limit) {
        _cleanup_json_ json_t *config = get_config(f);
        json_t *api = json_object_get(config, "api");

        ck_assert(json_is_boolean(json_object_get(api, "require_key")));
        ck_assert_int_eq(json_is_true(json_object_get(api, "require_key")), require_key);
        ck_assert_int_eq(json_integer_value(json_object_get(api, "rate_limit")), limit);
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(config, "database"), "path")),
                        "/nowhere/hyper.db");
}

START_TEST(what_was_reloaded_is_in_force) {
        _cleanup_free_ char *error = NULL;
        Fixture f;

        fixture_open(&f);
        assert_in_force(&f, false, 0);
        ck_assert_ptr_nonnull(api_metrics(f.api));

        write_config(&f,
                        "database: {path: /nowhere/hyper.db}\nmetrics: {enabled: false}\n"
                        "api: {require_key: true, rate_limit: 7}\n");
        assert_in_force(&f, false, 0);
        ck_assert(reload(&f, NULL));
        assert_in_force(&f, true, 7);
        ck_assert_ptr_null(api_metrics(f.api));

        write_config(&f, "api: {require_key: perhaps}\n");
        ck_assert(!reload(&f, &error));
        ck_assert_ptr_nonnull(strstr(error, "api.require_key"));
        assert_in_force(&f, true, 7);
        fixture_close(&f);
}
END_TEST

START_TEST(what_needs_a_restart_is_named) {
        char **settings = NULL;
        Fixture f;

        fixture_open(&f);
        write_config(&f, "database: {path: /elsewhere/hyper.db}\n");
        ck_assert(reload(&f, NULL));
        assert_in_force(&f, false, 0);
        sd_bus_message *m, *reply;
        ck_assert_int_ge(sd_bus_message_new_method_call(f.bus, &m, HYPER_API_BUS_NAME, HYPER_API_BUS_PATH,
                                         "org.freedesktop.DBus.Properties", "Get"),
                        0);
        ck_assert_int_ge(sd_bus_message_append(m, "ss", HYPER_API_INTERFACE, "RestartNeeded"), 0);
        reply = private_bus_call(m);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'v', "as"), 0);
        ck_assert_int_gt(sd_bus_message_read_strv(reply, &settings), 0);
        ck_assert_uint_eq(strv_length(settings), 1);
        ck_assert_str_eq(settings[0], "database.path");
        strv_free(settings);
        sd_bus_message_unref(reply);
        fixture_close(&f);
}
END_TEST

START_TEST(the_description_is_what_the_daemon_says) {
        sd_bus_message *reply;
        const char *xml;
        Fixture f;

        fixture_open(&f);
        reply = call(&f, "org.freedesktop.DBus.Introspectable", "Introspect");
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &xml), 0);
        introspection_compare(xml, HYPER_API_INTERFACE);
        sd_bus_message_unref(reply);
        fixture_close(&f);
}
END_TEST

TEST_MAIN("api-bus", what_was_reloaded_is_in_force, what_needs_a_restart_is_named,
                the_description_is_what_the_daemon_says)
