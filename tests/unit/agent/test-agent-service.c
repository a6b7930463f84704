/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.hyper1.Agent on a bus of the test's own: what is reloaded, what is in force, and that a wrong
 * configuration changes nothing. */

#include "agent/agent-service.h"
#include "shared/bus-util.h"
#include "unit/lib/introspection.h"
#include "unit/lib/private-bus.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

typedef struct Fixture {
        char *dir, *file;
        pid_t daemon;
        sd_event *event;
        sd_bus *bus, *service_bus;
        AgentService *service;
} Fixture;

static void write_config(Fixture *f, const char *text) {
        FILE *file = fopen(f->file, "we");

        ck_assert_ptr_nonnull(file);
        ck_assert_int_ge(fputs(text, file), 0);
        ck_assert_int_eq(fclose(file), 0);
}

static void fixture_open(Fixture *f) {
        _cleanup_free_ char *why = NULL;
        AgentSettings *settings;

        *f = (Fixture){ .dir = test_dir() };
        f->file = strprintf("%s/agent.yaml", f->dir);
        f->daemon = private_bus_start(f->dir);
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        f->bus = private_bus_connect(f->dir, f->event);
        f->service_bus = private_bus_connect(f->dir, f->event);
        /* (No server listens there.) */
        write_config(f, "server: {url: http://127.0.0.1:1}\nworker: {id: w, max_jobs: 3}\n");
        ck_assert_int_ge(agent_settings_load(f->file, f->dir, &settings, &why), 0);
        const AgentServiceOptions options = { .event = f->event,
                .bus = f->service_bus,
                .config = f->file,
                .credentials = f->dir,
                .directory = f->dir,
                .journal_directory = f->dir };
        ck_assert_int_ge(agent_service_new(&options, settings, &f->service), 0);
        while (sd_bus_get_name_creds(f->bus, HYPER_AGENT_BUS_NAME, 0, NULL) == -ENXIO)
                ck_assert_int_ge(sd_event_run(f->event, 10000), 0);
}

static void fixture_close(Fixture *f) {
        agent_service_free(f->service);
        sd_bus_flush_close_unref(f->service_bus);
        sd_bus_flush_close_unref(f->bus);
        sd_event_unref(f->event);
        private_bus_stop(f->daemon);
        free(f->file);
        test_dir_freep(&f->dir);
}

static sd_bus_message *call(Fixture *f, const char *interface, const char *method) {
        sd_bus_message *m;

        ck_assert_int_ge(sd_bus_message_new_method_call(f->bus, &m, HYPER_AGENT_BUS_NAME,
                                         HYPER_AGENT_BUS_PATH, interface, method),
                        0);
        return private_bus_call(m);
}

/* NULL, or the text of the error. */
static char *reload(Fixture *f) {
        sd_bus_message *reply = call(f, HYPER_AGENT_INTERFACE, "Reload");
        const sd_bus_error *e = sd_bus_message_get_error(reply);
        char *text = e ? strdup(e->message) : NULL;

        sd_bus_message_unref(reply);
        return text;
}

static void assert_in_force(Fixture *f, const char *url, int max_jobs) {
        sd_bus_message *reply = call(f, HYPER_AGENT_INTERFACE, "GetConfig");
        const char *text;

        ck_assert_int_gt(sd_bus_message_read(reply, "s", &text), 0);
        _cleanup_json_ json_t *config = json_loads(text, 0, NULL);
        json_t *server = json_object_get(config, "server"), *worker = json_object_get(config, "worker");
        ck_assert_str_eq(json_string_value(json_object_get(server, "url")), url);
        ck_assert_int_eq(json_integer_value(json_object_get(worker, "max_jobs")), max_jobs);
        ck_assert(json_is_null(json_object_get(server, "ca_file")));
        ck_assert_ptr_null(strstr(text, "the-key"));
        sd_bus_message_unref(reply);
}

START_TEST(what_was_reloaded_is_in_force) {
        _cleanup_free_ char *key = NULL, *config = NULL, *error = NULL;
        Fixture f;

        fixture_open(&f);
        assert_in_force(&f, "http://127.0.0.1:1", 3);
        key = strprintf("%s/key", f.dir);
        FILE *file = fopen(key, "we");
        ck_assert_int_ge(fputs("the-key\n", file), 0);
        ck_assert_int_eq(fclose(file), 0);
        config = strprintf("server: {url: http://127.0.0.1:2, api_key_file: %s}\n"
                           "worker: {id: w, max_jobs: 7}\n",
                        key);
        write_config(&f, config);
        assert_in_force(&f, "http://127.0.0.1:1", 3);
        ck_assert_ptr_null(reload(&f));
        assert_in_force(&f, "http://127.0.0.1:2", 7);

        write_config(&f, "server: {url: http://127.0.0.1:2}\nworker: {id: w, max_jobs: many}\n");
        error = reload(&f);
        ck_assert_ptr_nonnull(error);
        ck_assert_ptr_nonnull(strstr(error, "worker.max_jobs"));
        assert_in_force(&f, "http://127.0.0.1:2", 7);
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
        introspection_compare(xml, HYPER_AGENT_INTERFACE);
        sd_bus_message_unref(reply);
        fixture_close(&f);
}
END_TEST

TEST_MAIN("agent-service", what_was_reloaded_is_in_force, the_description_is_what_the_daemon_says)
