/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Webhooks on the bus, and the outbox: hyper-notifyd is started when something is due, is told when it is
 * there, is given deliveries in order, and what it records counts. It is played by the test. */

#include "basic/log.h"
#include "manager/webhook/webhook.h"
#include "shared/error-table.h"
#include "unit/lib/manager-test.h"

static uint32_t add(Fixture *f, const char *definition) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        uint32_t index;
        int r = call(f, "AddWebhook", &reply, &error, "sa{sv}", definition, 0);

        ck_assert_msg(r >= 0, "%s", error.message);
        ck_assert_int_gt(sd_bus_message_read(reply, "u", &index), 0);
        sd_bus_message_unref(reply);
        return index;
}

static void refused(Fixture *f, const char *name, const char *words, const char *definition) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = call(f, "AddWebhook", NULL, &error, "sa{sv}", definition, 0);

        ck_assert_msg(r < 0, "accepted: %s", definition);
        ck_assert_msg(streq(error.name, name) && strstr(error.message, words), "%s: %s", error.name,
                        error.message);
        /* What is wrong with the definition is wrong with one of its fields, or with all of it. */
        const char *colon = strstr(words, ": ");
        _cleanup_free_ char *field = colon ? strndup(words, colon - words) : NULL;
        if (field)
                ck_assert_msg(json_errors_has(&f->fields, field), "no field %s: %s", field, error.message);
}

/* What a method that gives JSON text says, as a value. */
static json_t *read_json(sd_bus_message *reply) {
        const char *text;

        ck_assert_int_gt(sd_bus_message_read(reply, "s", &text), 0);
        json_t *value = json_loads(text, 0, NULL);
        ck_assert_ptr_nonnull(value);
        sd_bus_message_unref(reply);
        return value;
}

static json_t *list(Fixture *f) {
        sd_bus_message *reply = NULL;

        ck_assert_int_ge(call(f, "ListWebhooks", &reply, NULL, NULL), 0);
        return read_json(reply);
}

static json_t *deliveries(Fixture *f, uint32_t index) {
        sd_bus_message *reply = NULL;

        ck_assert_int_ge(call(f, "ListDeliveries", &reply, NULL, "ua{sv}", index, 0), 0);
        return read_json(reply);
}

static const char *string_at(json_t *array, size_t i, const char *key) {
        return json_string_value(json_object_get(json_array_get(array, i), key));
}

/* --- hyper-notifyd, played ------------------------------------------------------------------------- */

typedef struct Courier {
        Fixture *f;
        sd_bus *bus;
        int64_t queues[32], seqs[32];
        char *events, *ids; /* "1:job.submitted 1:job.started", and the ids in the same order */
        size_t n;
        uint64_t wait;
        unsigned n_signals;
} Courier;

static int on_pending(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Courier *c = userdata;

        c->n_signals++;
        return 0;
}

static Courier courier_up(Fixture *f) {
        return (Courier){ .f = f, .bus = connect_bus(f) };
}

static void courier_listen(Courier *c) {
        ck_assert_int_ge(sd_bus_match_signal(c->bus, NULL, NULL, HYPER_BUS_PATH, HYPER_DELIVERIES_INTERFACE,
                                         "DeliveriesPending", on_pending, c),
                        0);
}

static void courier_down(Courier *c) {
        c->bus = sd_bus_flush_close_unref(c->bus);
        free(c->events);
        free(c->ids);
        settle_down(c->f);
}

static sd_bus_message *courier_message(Courier *c, const char *member) {
        sd_bus_message *m = NULL;

        ck_assert_int_ge(sd_bus_message_new_method_call(c->bus, &m, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         HYPER_DELIVERIES_INTERFACE, member),
                        0);
        return m;
}

/* Asks for what is due, @busy aside (0: no queue is). */
static void next(Courier *c, int64_t busy) {
        sd_bus_message *m = courier_message(c, "NextDeliveries"), *reply = NULL;
        const char *id, *event;

        c->n = 0;
        free(c->events);
        free(c->ids);
        c->events = strdup("");
        c->ids = strdup("");
        ck_assert_int_ge(sd_bus_message_append_array(m, 'x', &busy, busy == 0 ? 0 : sizeof(busy)), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "u", 16u), 0);
        ck_assert_int_ge(call_message(c->f, m, &reply, NULL), 0);
        ck_assert_int_gt(sd_bus_message_skip(reply, "as"), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(xxsssuss)"), 0);
        while (sd_bus_message_read(reply, "(xxsssuss)", &c->queues[c->n], &c->seqs[c->n], &id, &event, NULL,
                               NULL, NULL, NULL) > 0) {
                char *events = strprintf(
                                     "%s%s%d:%s", c->events, c->n ? " " : "", (int) c->queues[c->n], event),
                     *ids = strprintf("%s%s%s", c->ids, c->n ? " " : "", id);
                free(c->events);
                free(c->ids);
                c->events = events;
                c->ids = ids;
                c->n++;
        }
        ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "t", &c->wait), 0);
        sd_bus_message_unref(reply);
}

static void record(Courier *c, int64_t seq, bool success) {
        sd_bus_message *m = courier_message(c, "RecordDeliveries");

        ck_assert_int_ge(sd_bus_message_append(m, "a(xbutss)", 1, seq, (int) success, success ? 200u : 503u,
                                         (uint64_t) 5000, success ? "" : "status 503", "hello"),
                        0);
        ck_assert_int_ge(call_message(c->f, m, NULL, NULL), 0);
}

/* --- definitions ----------------------------------------------------------------------------------- */

BUS_TEST(webhooks_are_added_listed_and_removed)
        ck_assert_uint_eq(add(&f,
                                          "{\"url\":\"https://a.example/"
                                          "x\",\"events\":[\"job.failed\"],\"timeout\":7}"),
                        0);
        ck_assert_uint_eq(add(&f, "{\"url\":\"http://b.example/\",\"enabled\":false,\"retry\":0}"), 1);
        json_t *hooks = list(&f);
        ck_assert_uint_eq(json_array_size(hooks), 2);
        ck_assert_str_eq(string_at(hooks, 0, "url"), "https://a.example/x");
        ck_assert_str_eq(string_at(hooks, 0, "origin"), "api");
        ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(hooks, 0), "timeout")), 7);
        ck_assert(json_is_false(json_object_get(json_array_get(hooks, 1), "enabled")));
        ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(hooks, 1), "retry_count")), 0);
        json_decref(hooks);
        ck_assert_int_ge(call(&f, "RemoveWebhook", NULL, NULL, "u", 0u), 0);
        hooks = list(&f);
        ck_assert_uint_eq(json_array_size(hooks), 1);
        ck_assert_str_eq(string_at(hooks, 0, "url"), "http://b.example/");
        json_decref(hooks);
BUS_TEST_END

BUS_TEST(what_is_wrong_with_a_webhook_is_said)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL, none = SD_BUS_ERROR_NULL;
        refused(&f, HYPER_BUS_ERROR_INVALID_ARGUMENT, "url: must be given\ntimeout: must be 1 to 300",
                        "{\"timeout\":0}");
        refused(&f, HYPER_BUS_ERROR_INVALID_ARGUMENT, "JSON", "[]");
        ck_assert_int_lt(call(&f, "RemoveWebhook", NULL, &none, "u", 0u), 0);
        ck_assert_str_eq(none.name, HYPER_BUS_ERROR_NO_SUCH_WEBHOOK);
        for (unsigned i = 0; i < WEBHOOKS_MAX; i++)
                add(&f, "{\"url\":\"http://a.example/\"}");
        refused(&f, HYPER_BUS_ERROR_INVALID_ARGUMENT, "cannot be more", "{\"url\":\"http://a.example/\"}");
        ck_assert_int_lt(call(&f, "ListDeliveries", NULL, &error, "ua{sv}", WEBHOOKS_MAX, 0), 0);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_NO_SUCH_WEBHOOK);
BUS_TEST_END

/* --- those of the configuration -------------------------------------------------------------------- */

static void configure(Fixture *f, const char *text) {
        _cleanup_free_ char *path = strprintf("%s/config.yaml", f->config);

        make_file(path, text);
        ck_assert_int_ge(call(f, "Reload", NULL, NULL, NULL), 0);
}

BUS_TEST(those_of_the_api_and_of_the_configuration_have_one_limit)
        for (unsigned i = 0; i < WEBHOOKS_MAX - 2; i++)
                add(&f, "{\"url\":\"http://a.example/\"}");
        configure(&f,
                        "webhooks:\n  - url: http://one.example/\n  - url: http://two.example/\n  - url: "
                        "http://three.example/\n");
        json_t *hooks = list(&f);
        ck_assert_uint_eq(json_array_size(hooks), WEBHOOKS_MAX);
        ck_assert_str_eq(string_at(hooks, WEBHOOKS_MAX - 1, "url"), "http://two.example/");
        json_decref(hooks);
        refused(&f, HYPER_BUS_ERROR_INVALID_ARGUMENT, "cannot be more", "{\"url\":\"http://a.example/\"}");
        /* One that goes makes room for another. */
        configure(&f, "webhooks:\n  - url: http://four.example/\n  - url: http://two.example/\n");
        hooks = list(&f);
        ck_assert_uint_eq(json_array_size(hooks), WEBHOOKS_MAX);
        ck_assert_str_eq(string_at(hooks, WEBHOOKS_MAX - 1, "url"), "http://four.example/");
        json_decref(hooks);
BUS_TEST_END

BUS_TEST(the_webhooks_of_the_configuration_follow_it)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        add(&f, "{\"url\":\"http://api.example/\"}");
        configure(&f,
                        "webhooks:\n  - url: http://one.example/\n  - url: http://two.example/\n    events: "
                        "[job.submitted]\n");
        json_t *hooks = list(&f);
        ck_assert_uint_eq(json_array_size(hooks), 3);
        ck_assert_str_eq(string_at(hooks, 1, "url"), "http://one.example/");
        ck_assert_str_eq(string_at(hooks, 1, "origin"), "config");
        json_decref(hooks);
        ck_assert_int_lt(call(&f, "RemoveWebhook", NULL, &error, "u", 1u), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "is in the configuration file"));

        /* One goes, one is changed and keeps what waits for it, one is new. */
        submit(&f, "a", NULL);
        configure(&f,
                        "webhooks:\n  - {url: http://three.example/, timeout: 9}\n  - {url: "
                        "http://two.example/, retry: 7}\n");
        hooks = list(&f);
        ck_assert_uint_eq(json_array_size(hooks), 3);
        ck_assert_str_eq(string_at(hooks, 0, "url"), "http://api.example/");
        ck_assert_str_eq(string_at(hooks, 1, "url"), "http://two.example/");
        ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(hooks, 1), "retry_count")), 7);
        ck_assert_int_ge(json_integer_value(json_object_get(json_array_get(hooks, 1), "pending")), 1);
        ck_assert_str_eq(string_at(hooks, 2, "url"), "http://three.example/");
        json_decref(hooks);

        /* A mistake changes nothing; an empty list removes all of them, and nobody else's. */
        _cleanup_free_ char *path = strprintf("%s/config.yaml", f.config);
        make_file(path, "webhooks:\n  - url: nowhere\n");
        ck_assert_int_lt(call(&f, "Reload", NULL, NULL, NULL), 0);
        hooks = list(&f);
        ck_assert_uint_eq(json_array_size(hooks), 3);
        json_decref(hooks);
        configure(&f, "webhooks: []\n");
        hooks = list(&f);
        ck_assert_uint_eq(json_array_size(hooks), 1);
        ck_assert_str_eq(string_at(hooks, 0, "origin"), "api");
        json_decref(hooks);
BUS_TEST_END

/* --- deliveries ------------------------------------------------------------------------------------ */

BUS_TEST(without_webhooks_nothing_is_started)
        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_uint_eq(f.n_service_starts, 0);
BUS_TEST_END

BUS_TEST(what_is_due_is_given_in_order_and_recorded)
        add(&f, "{\"url\":\"http://a.example/\",\"events\":[\"job.submitted\",\"job.cancelled\"]}");
        add(&f, "{\"url\":\"http://b.example/\",\"events\":[\"job.created\"]}");
        f.max_running = 1;
        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_uint_ge(f.n_service_starts, 1);
        ck_assert_int_ge(cancel(&f, "a"), 0);

        Courier c = courier_up(&f);
        next(&c, 0);
        ck_assert_str_eq(c.events, "1:job.submitted 1:job.cancelled 2:job.submitted");
        ck_assert_uint_eq(c.wait, 0);
        next(&c, 1);
        ck_assert_str_eq(c.events, "2:job.submitted");
        record(&c, c.seqs[0], true);
        next(&c, 0);
        ck_assert_str_eq(c.events, "1:job.submitted 1:job.cancelled");
        record(&c, c.seqs[0], false);
        /* The second waits for the retry of the first. */
        next(&c, 0);
        ck_assert_str_eq(c.events, "");
        ck_assert_uint_gt(c.wait, 0);
        ck_assert_uint_le(c.wait, USEC_PER_SEC);
        test_clock += USEC_PER_SEC;
        next(&c, 0);
        ck_assert_str_eq(c.events, "1:job.submitted 1:job.cancelled");
        record(&c, c.seqs[0], true);
        record(&c, c.seqs[1], true);
        next(&c, 0);
        ck_assert_uint_eq(c.n, 0);
        ck_assert_uint_eq(c.wait, UINT64_MAX);

        json_t *seen = deliveries(&f, 0);
        ck_assert_uint_eq(json_array_size(seen), 2);
        ck_assert_str_eq(string_at(seen, 0, "event"), "job.cancelled");
        ck_assert_str_eq(string_at(seen, 1, "status"), "delivered");
        ck_assert_str_eq(string_at(seen, 1, "response"), "hello");
        ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(seen, 1), "attempts")), 2);
        ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(seen, 1), "status_code")), 200);
        json_decref(seen);
        courier_down(&c);
BUS_TEST_END

BUS_TEST(a_courier_that_is_there_is_told_and_not_started)
        add(&f, "{\"url\":\"http://a.example/\"}");
        Courier c = courier_up(&f);
        courier_listen(&c);
        next(&c, 0);
        ck_assert_uint_eq(c.n, 0);
        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_uint_eq(f.n_service_starts, 0);
        ck_assert_uint_ge(c.n_signals, 1);
        /* It dies with everything undelivered. */
        courier_down(&c);
        ck_assert_uint_eq(f.n_service_starts, 1);
BUS_TEST_END

BUS_TEST(a_killed_courier_gets_the_same_deliveries_again)
        add(&f, "{\"url\":\"http://a.example/\",\"events\":[\"job.submitted\"]}");
        submit(&f, "a", NULL);
        Courier first = courier_up(&f);
        next(&first, 0);
        ck_assert_uint_eq(first.n, 1);
        _cleanup_free_ char *ids = strdup(first.ids);
        courier_down(&first);
        manager_down(&f);
        manager_up(&f);
        Courier second = courier_up(&f);
        next(&second, 0);
        ck_assert_str_eq(second.ids, ids);
        courier_down(&second);
BUS_TEST_END

BUS_TEST(a_far_retry_is_a_timer)
        add(&f, "{\"url\":\"http://a.example/\",\"events\":[\"job.submitted\"],\"retry_count\":10}");
        submit(&f, "a", NULL);
        settle_down(&f);
        Courier c = courier_up(&f);
        /* The seventh pause is longer than hyper-notifyd waits itself. */
        for (unsigned i = 0; i < 7; i++) {
                next(&c, 0);
                ck_assert_uint_eq(c.n, 1);
                record(&c, c.seqs[0], false);
                test_clock += i < 6 ? 64 * USEC_PER_SEC : 0;
        }
        next(&c, 0);
        ck_assert_uint_eq(c.n, 0);
        ck_assert_uint_gt(c.wait, WEBHOOK_WAIT_MAX);
        unsigned starts = f.n_service_starts;
        size_t units = f.n_units;
        courier_down(&c);
        ck_assert_uint_eq(f.n_service_starts, starts);
        ck_assert_uint_eq(f.n_units, units + 1);
        ck_assert_str_eq(f.units[units].name, "hyper-notifyd.timer");
BUS_TEST_END

/* --- tests ----------------------------------------------------------------------------------------- */

typedef struct TestAnswer {
        sd_bus_message *message;
} TestAnswer;

static int on_test_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        TestAnswer *a = userdata;

        a->message = sd_bus_message_ref(m);
        return 0;
}

static void start_test(Fixture *f, TestAnswer *a, const char *text) {
        ck_assert_int_ge(sd_bus_call_method_async(f->client, NULL, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         HYPER_MANAGER_INTERFACE, "TestWebhook", on_test_answer, a, "s",
                                         text),
                        0);
        settle_down(f);
}

BUS_TEST(a_test_is_delivered_once_and_answered)
        TestAnswer a = {};
        Courier c = courier_up(&f);
        next(&c, 0);
        start_test(&f, &a, "{\"url\":\"http://a.example/\",\"event\":\"hello\"}");
        ck_assert_ptr_null(a.message);
        next(&c, 0);
        ck_assert_uint_eq(c.n, 1);
        ck_assert_int_lt(c.queues[0], 0);
        ck_assert_ptr_nonnull(strstr(c.events, ":hello"));
        record(&c, c.seqs[0], false);
        settle_down(&f);
        json_t *answer = read_json(a.message);
        ck_assert(json_is_false(json_object_get(answer, "success")));
        ck_assert_int_eq(json_integer_value(json_object_get(answer, "status_code")), 503);
        ck_assert_int_eq(json_integer_value(json_object_get(answer, "duration_ms")), 5);
        ck_assert_str_eq(json_string_value(json_object_get(answer, "error")), "status 503");
        json_decref(answer);
        next(&c, 0);
        ck_assert_uint_eq(c.n, 0);
        courier_down(&c);
BUS_TEST_END

BUS_TEST(a_test_is_answered_when_there_is_no_courier)
        TestAnswer a = {};
        f.start_error = "Unit hyper-notifyd.service is masked.";
        log_set_max_level(LOG_CRIT);
        add(&f, "{\"url\":\"http://a.example/\"}");
        start_test(&f, &a, "{\"index\":0}");
        ck_assert_ptr_nonnull(a.message);
        json_t *answer = read_json(a.message);
        ck_assert(json_is_false(json_object_get(answer, "success")));
        ck_assert_ptr_nonnull(
                        strstr(json_string_value(json_object_get(answer, "error")), "could not be started"));
        json_decref(answer);
BUS_TEST_END

BUS_TEST(wrong_tests_are_refused)
        static const struct {
                const char *text, *name, *words, *field;
        } cases[] = {
                { "{}", HYPER_BUS_ERROR_INVALID_ARGUMENT, "url: must be given, or else index", "url" },
                { "{\"url\":\"http://a/\",\"index\":0}", HYPER_BUS_ERROR_INVALID_ARGUMENT, "or else index",
                                "url" },
                { "{\"url\":\"gopher://a/\"}", HYPER_BUS_ERROR_INVALID_ARGUMENT, "url: must be an http",
                                "url" },
                { "{\"url\":\"http://u:p@a/\"}", HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "url: must have no password", "url" },
                { "{\"index\":0}", HYPER_BUS_ERROR_NO_SUCH_WEBHOOK, "There are no webhooks", "" },
                { "no", HYPER_BUS_ERROR_INVALID_ARGUMENT, "line 1", "" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

                ck_assert_int_lt(call(&f, "TestWebhook", NULL, &error, "s", cases[i].text), 0);
                ck_assert_msg(streq(error.name, cases[i].name) && strstr(error.message, cases[i].words),
                                "%s: %s", error.name, error.message);
                ck_assert_uint_eq(f.fields.n_errors, 1);
                ck_assert_str_eq(f.fields.errors[0].field, cases[i].field);
        }
BUS_TEST_END

TEST_MAIN("manager-webhooks", webhooks_are_added_listed_and_removed, what_is_wrong_with_a_webhook_is_said,
                those_of_the_api_and_of_the_configuration_have_one_limit,
                the_webhooks_of_the_configuration_follow_it, without_webhooks_nothing_is_started,
                what_is_due_is_given_in_order_and_recorded, a_courier_that_is_there_is_told_and_not_started,
                a_killed_courier_gets_the_same_deliveries_again, a_far_retry_is_a_timer,
                a_test_is_delivered_once_and_answered, a_test_is_answered_when_there_is_no_courier,
                wrong_tests_are_refused)
