/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-vsphered on a bus of the test's own, with real threads and the simulator. A stand-in for
 * hyper-managerd knows one named source. */

#include "basic/log.h"
#include "shared/error-table.h"
#include "unit/lib/introspection.h"
#include "unit/lib/private-bus.h"
#include "unit/lib/test.h"
#include "unit/lib/vcsim.h"
#include "vsphered/vsphered.h"

typedef struct Fixture {
        char *dir;
        pid_t dbus_pid;
        sd_event *event;
        sd_bus *daemon_bus, *manager_bus, *client;
        Vsphered *daemon;
        Vcsim sim;
        bool exited;
} Fixture;

/* --- the fixture ----------------------------------------------------------------------------------- */

static int get_login(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Fixture *f = userdata;
        const char *name;

        ck_assert_int_gt(sd_bus_message_read(m, "s", &name), 0);
        if (!streq(name, "vc1"))
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_SOURCE, "There is no source %s", name);
        return sd_bus_reply_method_return(
                        m, "ssssss", f->sim.url, VCSIM_USER, VCSIM_PASSWORD, "", f->sim.ca, "");
}

static const sd_bus_vtable sources_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetLogin", "s", "ssssss", get_login, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static void up(Fixture *f, usec_t call_timeout, usec_t session_idle) {
        f->daemon_bus = private_bus_connect(f->dir, f->event);
        const VspheredOptions options = {
                .event = f->event,
                .bus = f->daemon_bus,
                .settings = settings_new(),
                .call_timeout = call_timeout,
                .session_idle = session_idle,
        };
        options.settings->daemon.idle_timeout = session_idle > 0 ? USEC_PER_SEC : USEC_INFINITY;
        ck_assert_int_eq(vsphered_new(&options, &f->daemon), 0);
        ck_assert_int_ge(sd_bus_request_name(f->daemon_bus, HYPER_VSPHERE_BUS_NAME, 0), 0);
}

static void down(Fixture *f) {
        f->daemon = vsphered_free(f->daemon);
        f->daemon_bus = sd_bus_flush_close_unref(f->daemon_bus);
}

static void fixture_open(Fixture *f, usec_t call_timeout, usec_t session_idle) {
        _cleanup_free_ char *inventory = NULL;
        const char *srcdir = getenv("srcdir");

        *f = (Fixture){ .dir = test_dir() };
        log_set_max_level(LOG_EMERG);
        inventory = strprintf("%s/tests/unit/vsphered/inventory.json", srcdir ? srcdir : ".");
        f->sim = vcsim_start(f->dir, "-inventory", inventory, NULL);
        f->dbus_pid = private_bus_start(f->dir);
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        f->client = private_bus_connect(f->dir, f->event);
        f->manager_bus = private_bus_connect(f->dir, f->event);
        ck_assert_int_ge(sd_bus_add_object_vtable(f->manager_bus, NULL, HYPER_BUS_PATH,
                                         HYPER_SOURCES_INTERFACE, sources_vtable, f),
                        0);
        ck_assert_int_ge(sd_bus_request_name(f->manager_bus, HYPER_BUS_NAME, 0), 0);
        up(f, call_timeout, session_idle);
}

static void fixture_close(Fixture *f) {
        down(f);
        sd_bus_flush_close_unref(f->manager_bus);
        sd_bus_flush_close_unref(f->client);
        sd_event_unref(f->event);
        private_bus_stop(f->dbus_pid);
        vcsim_stop(&f->sim);
        test_dir_freep(&f->dir);
}

#define VSPHERE_TEST(name, call_timeout, session_idle)            \
        START_TEST(name) {                                        \
                Fixture f;                                        \
                fixture_open(&f, (call_timeout), (session_idle)); \
                {
#define VSPHERE_TEST_END   \
        }                  \
        fixture_close(&f); \
        }                  \
        END_TEST

static void turn(Fixture *f) {
        int r = sd_event_run(f->event, 30 * USEC_PER_SEC);

        ck_assert_msg(r > 0, "nothing came in 30 s: %s", strerror(-r));
        f->exited = sd_event_get_state(f->event) == SD_EVENT_FINISHED;
}

#define wait_until(f, condition)     \
        do {                         \
                while (!(condition)) \
                        turn(f);     \
        } while (0)

/* --- calls ----------------------------------------------------------------------------------------- */

/* What logs in to the simulator with this password, and with its CA or else the thumbprint. */
static char *source(const Vcsim *sim, const char *password, const char *trust, const char *value) {
        _cleanup_json_ json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "vcenter_url", sim->url, "username",
                        VCSIM_USER, "password", password, trust, value);

        return json_dumps(o, JSON_COMPACT);
}

static sd_bus_message *make_call(sd_bus *bus, const char *member, const char *types, ...) {
        sd_bus_message *m;
        va_list ap;

        ck_assert_int_ge(sd_bus_message_new_method_call(bus, &m, HYPER_VSPHERE_BUS_NAME,
                                         HYPER_VSPHERE_BUS_PATH, HYPER_VSPHERE_INTERFACE, member),
                        0);
        va_start(ap, types);
        ck_assert_int_ge(sd_bus_message_appendv(m, types, ap), 0);
        va_end(ap);
        return m;
}

#define CALL(f, ...) private_bus_call(make_call((f)->client, __VA_ARGS__))

/* The JSON that a successful call returns first. */
static json_t *result(sd_bus_message *reply) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        const char *text;
        json_t *json;

        ck_assert_msg(!error, "%s: %s", error ? error->name : "", error ? error->message : "");
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &text), 0);
        json = json_loads(text, 0, NULL);
        ck_assert_ptr_nonnull(json);
        return json;
}

static void is_error(sd_bus_message *reply, const char *name, const char *part) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        ck_assert_msg(error != NULL, "the call has succeeded");
        ck_assert_msg(streq(error->name, name) && strstr(error->message, part), "%s: %s", error->name,
                        error->message);
        sd_bus_message_unref(reply);
}

#define NAMED "{\"name\":\"vc1\"}"

static json_t *list(Fixture *f, const char *filter, unsigned limit, char **cursor) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply =
                        CALL(f, "ListVMs", "ssus", NAMED, filter, limit, *cursor);
        json_t *vms = result(reply);
        const char *next;

        ck_assert_int_gt(sd_bus_message_read(reply, "s", &next), 0);
        ck_assert_int_eq(free_and_strdup(cursor, next), 0);
        return vms;
}

static json_t *get_vm(Fixture *f, const char *vm) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = CALL(f, "GetVM", "ss", NAMED, vm);

        return result(reply);
}

static const char *string(json_t *o, const char *key) {
        const char *text = json_string_value(json_object_get(o, key));

        return text ? text : "";
}

/* The concern @i, NULL: it is not a warning. */
static void expect_concern(json_t *vm, const char *code, size_t i) {
        json_t *concerns = json_object_get(vm, "concerns"), *concern = json_array_get(concerns, i);

        ck_assert(json_is_array(concerns));
        if (code)
                ck_assert_str_eq(string(concern, "code"), code);
        else
                ck_assert_str_ne(string(concern, "severity"), "warning");
}

/* --- tests ----------------------------------------------------------------------------------------- */

VSPHERE_TEST(vms_are_listed_in_pages_and_found_by_path, 0, 0)
        _cleanup_free_ char *cursor = strdup(""), *previous = strdup("");
        unsigned n = 0, sessions;

        do {
                _cleanup_json_ json_t *page = list(&f, "", 2, &cursor);
                json_t *vm;
                size_t i;

                ck_assert_uint_le(json_array_size(page), 2);
                json_array_foreach(page, i, vm) {
                        _cleanup_json_ json_t *by_path = get_vm(&f, string(vm, "path"));
                        bool tools = !streq(string(vm, "name"), "without-tools");

                        /* A list has warnings; the details have all. */
                        expect_concern(vm, tools ? NULL : "tools_not_running", 0);
                        expect_concern(by_path, tools ? NULL : "tools_not_running", 0);
                        if (streq(string(vm, "power_state"), "poweredOn"))
                                expect_concern(by_path, "running", tools ? 0 : 1);

                        ck_assert_str_gt(string(vm, "path"), previous);
                        ck_assert_int_eq(free_and_strdup(&previous, string(vm, "path")), 0);
                        ck_assert_str_eq(string(by_path, "id"), string(vm, "id"));
                        n++;
                }
        } while (*cursor);
        ck_assert_uint_ge(n, 4);
        sessions = vcsim_sessions(&f.sim);
        ck_assert_uint_eq(sessions, 1);
        ck_assert_uint_eq(vcsim_calls(&f.sim, "Login"), 1);
VSPHERE_TEST_END

VSPHERE_TEST(several_vms_are_read_with_one_call, 0, 0)
        _cleanup_free_ char *cursor = strdup(""), *web = vcsim_vm(&f.sim, "web"),
                            *other = vcsim_vm(&f.sim, "without-tools");
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *page = list(&f, "", 10, &cursor), *details = NULL;
        unsigned before = vcsim_calls(&f.sim, "RetrievePropertiesEx");

        reply = CALL(&f, "GetVMs", "sas", NAMED, 2, web, other);
        ck_assert_uint_eq(vcsim_calls(&f.sim, "RetrievePropertiesEx"), before + 1);
        details = result(reply);
        ck_assert_uint_eq(json_array_size(details), 2);
        for (size_t i = 0; i < 2; i++) {
                json_t *vm = json_array_get(details, i), *disks = json_object_get(vm, "disks");

                ck_assert(streq(string(vm, "id"), web) || streq(string(vm, "id"), other));
                ck_assert_int_eq(json_integer_value(json_object_get(
                                                 json_array_get(disks, 0), "capacity_bytes")),
                                1 << 20);
        }
        is_error(CALL(&f, "GetVMs", "sas", NAMED, 0), HYPER_BUS_ERROR_INVALID_ARGUMENT, "ids: must be");
        sd_bus_message *gone = CALL(&f, "GetVMs", "sas", NAMED, 1, "vm-999999");
        ck_assert(sd_bus_message_is_method_error(gone, NULL));
        sd_bus_message_unref(gone);
VSPHERE_TEST_END

static unsigned readings(Fixture *f) {
        return vcsim_calls(&f->sim, "RetrievePropertiesEx");
}

static bool has_name(json_t *page, const char *name) {
        json_t *vm;
        size_t i;

        json_array_foreach(page, i, vm)
                if (streq(string(vm, "name"), name))
                        return true;
        return false;
}

/* The pages of a list are from one reading, and a new list is read anew. */
VSPHERE_TEST(the_inventory_is_read_once_for_a_list, 0, 0)
        _cleanup_free_ char *cursor = strdup(""), *again = strdup(""), *first = NULL;
        _cleanup_json_ json_t *page = list(&f, "", 1, &cursor), *fresh = NULL;
        unsigned n = 1, before = readings(&f);
        uint64_t read_at;

        ck_assert_uint_gt(before, 0);
        first = strdup(cursor);
        vcsim_control(&f.sim, "/vm?name=web&rename=renamed");
        while (*cursor) {
                json_decref(page);
                page = list(&f, "", 1, &cursor);
                ck_assert(!has_name(page, "renamed"));
                n++;
        }
        ck_assert_uint_eq(readings(&f), before);
        fresh = list(&f, "", 10000, &again);
        ck_assert(has_name(fresh, "renamed"));
        ck_assert_uint_eq(json_array_size(fresh), n);
        ck_assert_uint_gt(readings(&f), before);

        /* When it was read is in the reply of each page. */
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply =
                        CALL(&f, "ListVMs", "ssus", NAMED, "", 1, first);
        ck_assert_int_gt(sd_bus_message_read(reply, "sstt", NULL, NULL, NULL, &read_at), 0);
        ck_assert_uint_eq(read_at, strtoull(first, NULL, 10));

        /* With other credentials it is not there. */
        _cleanup_free_ char *own = source(&f.sim, VCSIM_PASSWORD, "thumbprint", f.sim.thumbprint);
        before = readings(&f);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *theirs =
                        CALL(&f, "ListVMs", "ssus", own, "", 1, first);
        _cleanup_json_ json_t *of_others = result(theirs);
        ck_assert_uint_eq(json_array_size(of_others), 1);
        ck_assert_uint_gt(readings(&f), before);
VSPHERE_TEST_END

VSPHERE_TEST(names_may_have_any_characters, 0, 0)
        _cleanup_free_ char *cursor = strdup("");
        _cleanup_json_ json_t *page = list(&f, "{\"name\":\"a/b\"}", 10, &cursor),
                              *vm = get_vm(&f, "a%2fb %25+\xc3\xa9& c");

        ck_assert_uint_eq(json_array_size(page), 1);
        ck_assert_str_eq(string(json_array_get(page, 0), "name"), "a/b %+\xc3\xa9& c");
        ck_assert_str_eq(string(vm, "path"), "DC0/vm/odd/a%2fb %25+\xc3\xa9& c");
        ck_assert_str_eq(string(vm, "path"), string(json_array_get(page, 0), "path"));
        ck_assert_uint_eq(json_array_size(json_object_get(vm, "disks")), 1);
        ck_assert_int_eq(json_integer_value(json_object_get(
                                         json_array_get(json_object_get(vm, "disks"), 0), "capacity_kb")),
                        1024);
        ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(vm, "hardware"), "num_cpu")), 2);
        ck_assert_int_eq(json_integer_value(json_object_get(vm, "memory_mb")), 2048);
        ck_assert_str_eq(string(vm, "power_state"), "poweredOff");
VSPHERE_TEST_END

VSPHERE_TEST(vms_are_stopped_and_lose_their_cdroms, 0, 0)
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *shut = NULL, *off = NULL, *again = NULL,
                                                        *removed = NULL, *none = NULL;
        _cleanup_json_ json_t *vm = NULL;
        uint32_t n;

        is_error(CALL(&f, "PowerVM", "sss", NAMED, "without-tools", "shutdown"), HYPER_BUS_ERROR_WRONG_STATE,
                        "vc1");
        is_error(CALL(&f, "PowerVM", "sss", NAMED, "web", "reset"), HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "action: must be shutdown or off");
        is_error(CALL(&f, "PowerVM", "sss", NAMED, "no such VM", "off"), HYPER_BUS_ERROR_NO_SUCH_SOURCE_VM,
                        "no such VM");
        is_error(CALL(&f, "GetVM", "ss", NAMED, "twin"), HYPER_BUS_ERROR_AMBIGUOUS_VM, "one/twin");
        shut = CALL(&f, "PowerVM", "sss", NAMED, "DC0/vm/prod/web", "shutdown");
        ck_assert_ptr_null(sd_bus_message_get_error(shut));
        off = CALL(&f, "PowerVM", "sss", NAMED, "without-tools", "off");
        ck_assert_ptr_null(sd_bus_message_get_error(off));
        vm = get_vm(&f, "without-tools");
        ck_assert_str_eq(string(vm, "power_state"), "poweredOff");
        again = CALL(&f, "PowerVM", "sss", NAMED, "without-tools", "off");
        ck_assert_ptr_null(sd_bus_message_get_error(again));
        removed = CALL(&f, "RemoveCdroms", "ss", NAMED, "web");
        ck_assert_int_gt(sd_bus_message_read(removed, "u", &n), 0);
        ck_assert_uint_eq(n, 1);
        none = CALL(&f, "RemoveCdroms", "ss", NAMED, "web");
        ck_assert_int_gt(sd_bus_message_read(none, "u", &n), 0);
        ck_assert_uint_eq(n, 0);
VSPHERE_TEST_END

VSPHERE_TEST(a_wrong_certificate_shows_its_thumbprint_which_then_works, 0, 0)
        static const char zeros[] = "00000000000000000000000000000000"
                                    "00000000000000000000000000000000";
        _cleanup_free_ char *untrusted = source(&f.sim, VCSIM_PASSWORD, "ca", ""),
                            *other = source(&f.sim, VCSIM_PASSWORD, "thumbprint", zeros),
                            *right = source(&f.sim, VCSIM_PASSWORD, "thumbprint", f.sim.thumbprint);

        is_error(CALL(&f, "TestSource", "s", untrusted), HYPER_BUS_ERROR_CERTIFICATE_REFUSED,
                        f.sim.thumbprint);
        is_error(CALL(&f, "TestSource", "s", other), HYPER_BUS_ERROR_CERTIFICATE_REFUSED, f.sim.thumbprint);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = CALL(&f, "TestSource", "s", right);
        _cleanup_json_ json_t *server = result(reply);
        ck_assert(json_is_true(json_object_get(server, "vcenter")));
        ck_assert_uint_eq(vcsim_calls(&f.sim, "Login"), 1);
VSPHERE_TEST_END

/* Servers lock accounts: what was refused is not sent again. */
VSPHERE_TEST(a_wrong_password_is_sent_once, 0, 0)
        _cleanup_free_ char *wrong = source(&f.sim, "wrong", "ca", f.sim.ca),
                            *right = source(&f.sim, VCSIM_PASSWORD, "ca", f.sim.ca);

        is_error(CALL(&f, "TestSource", "s", wrong), HYPER_BUS_ERROR_LOGIN_REFUSED, "");
        is_error(CALL(&f, "GetVM", "ss", wrong, "web"), HYPER_BUS_ERROR_LOGIN_REFUSED, "");
        ck_assert_uint_eq(vcsim_calls(&f.sim, "Login"), 1);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = CALL(&f, "TestSource", "s", right);
        _cleanup_json_ json_t *server = result(reply);
        ck_assert_uint_eq(vcsim_calls(&f.sim, "Login"), 2);
VSPHERE_TEST_END

VSPHERE_TEST(sources_are_checked, 0, 0)
        is_error(CALL(&f, "TestSource", "s", "{}"), HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "vcenter_url: is required");
        is_error(CALL(&f, "TestSource", "s", "{\"name\":\"vc2\"}"), HYPER_BUS_ERROR_NO_SUCH_SOURCE, "vc2");
        is_error(CALL(&f, "GetVM", "ss", NAMED, ""), HYPER_BUS_ERROR_INVALID_ARGUMENT, "vm: must be");
        is_error(CALL(&f, "ListVMs", "ssus", NAMED, "", 0, ""), HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "limit: must be");
        is_error(CALL(&f, "ListVMs", "ssus", NAMED, "", 1, "x"), HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "cursor: must be");
        is_error(CALL(&f, "ListVMs", "ssus", NAMED, "{\"x\":1}", 1, ""), HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "x: there is no such filter");
        ck_assert_uint_eq(vcsim_calls(&f.sim, "Login"), 0);
VSPHERE_TEST_END

/* --- servers that hang ----------------------------------------------------------------------------- */

#define HANG "{\"on\":\"sdk\",\"method\":\"Login\",\"kind\":\"delay\",\"delay_ms\":600000}"

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        *(sd_bus_message **) userdata = sd_bus_message_ref(reply);
        return 0;
}

/* Starts a call that the server does not answer, on a connection of its own, and waits until it has come. */
static void start_hanging_call(Fixture *f, sd_bus *bus, sd_bus_message **reply) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = make_call(bus, "TestSource", "s", NAMED);

        ck_assert_int_ge(sd_bus_call_async(bus, NULL, m, on_reply, reply, USEC_INFINITY), 0);
        wait_until(f, f->daemon->calls && servers_count(f->daemon->servers) > 0);
}

VSPHERE_TEST(a_server_that_hangs_delays_no_other, 0, 0)
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *pending = NULL;
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim other = vcsim_start(dir, NULL);
        _cleanup_free_ char *good = source(&other, VCSIM_PASSWORD, "ca", other.ca);

        vcsim_fault(&f.sim, HANG);
        start_hanging_call(&f, f.client, &pending);
        for (unsigned i = 0; i < 3; i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = CALL(&f, "TestSource", "s", good);
                _cleanup_json_ json_t *server = result(reply);

                ck_assert_ptr_null(pending);
        }
        /* Its end does not wait for the server that hangs, and leaves no session with the other one. */
        down(&f);
        ck_assert_uint_eq(vcsim_sessions(&other), 0);
        wait_until(&f, pending);
        ck_assert(sd_bus_message_is_method_error(pending, NULL));
        up(&f, 0, 0);
VSPHERE_TEST_END

VSPHERE_TEST(the_call_of_a_client_that_is_gone_ends, 0, 0)
        sd_bus *bus = private_bus_connect(f.dir, f.event);
        sd_bus_message *never = NULL;

        vcsim_fault(&f.sim, HANG);
        start_hanging_call(&f, bus, &never);
        sd_bus_flush_close_unref(bus);
        wait_until(&f, !f.daemon->calls);
        ck_assert_ptr_null(never);
        vcsim_no_faults(&f.sim);
        /* The thread is free again. */
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = CALL(&f, "TestSource", "s", NAMED);
        _cleanup_json_ json_t *server = result(reply);
        ck_assert_uint_eq(servers_count(f.daemon->servers), 1);
VSPHERE_TEST_END

/* hyper-apid has one connection for all of its clients. */
VSPHERE_TEST(a_client_cancels_one_of_its_calls, 0, 0)
        sd_bus *other = private_bus_connect(f.dir, f.event);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL,
                                                        *m = make_call(f.client, "TestSource", "s", NAMED);
        uint64_t serial;

        vcsim_fault(&f.sim, HANG);
        ck_assert_int_ge(sd_bus_call_async(f.client, NULL, m, on_reply, &reply, USEC_INFINITY), 0);
        ck_assert_int_ge(sd_bus_message_get_cookie(m, &serial), 0);
        wait_until(&f, f.daemon->calls && servers_count(f.daemon->servers) > 0);

        /* Neither another call nor that of somebody else. */
        sd_bus_message_unref(CALL(&f, "CancelCall", "t", serial + 1));
        sd_bus_message_unref(private_bus_call(make_call(other, "CancelCall", "t", serial)));
        ck_assert_ptr_null(reply);
        sd_bus_message_unref(CALL(&f, "CancelCall", "t", serial));
        wait_until(&f, reply);
        is_error(sd_bus_message_ref(reply), HYPER_BUS_ERROR_UNAVAILABLE, "was cancelled");
        ck_assert_ptr_null(f.daemon->calls);
        vcsim_no_faults(&f.sim);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *next = CALL(&f, "TestSource", "s", NAMED);
        _cleanup_json_ json_t *server = result(next);
        sd_bus_flush_close_unref(other);
VSPHERE_TEST_END

/* So that they leave room for others in whoever has sent them. */
VSPHERE_TEST(few_calls_wait_for_a_server_that_hangs, 0, 0)
        sd_bus_message *replies[TASKS_MAX] = {};
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_vcsim_ Vcsim good = vcsim_start(dir, NULL);
        _cleanup_free_ char *text = source(&good, VCSIM_PASSWORD, "ca", good.ca);

        vcsim_fault(&f.sim, HANG);
        for (unsigned i = 0; i < TASKS_MAX; i++)
                start_hanging_call(&f, f.client, &replies[i]);
        wait_until(&f, f.daemon->n_calls == TASKS_MAX);
        is_error(CALL(&f, "TestSource", "s", NAMED), HYPER_BUS_ERROR_UNAVAILABLE, "Too many calls wait");
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = CALL(&f, "TestSource", "s", text);
        _cleanup_json_ json_t *server = result(reply);
        down(&f);
        for (unsigned i = 0; i < TASKS_MAX; i++) {
                wait_until(&f, replies[i]);
                sd_bus_message_unref(replies[i]);
        }
        up(&f, 0, 0);
VSPHERE_TEST_END

VSPHERE_TEST(a_call_that_takes_too_long_is_given_up, 200 * USEC_PER_MSEC, 0)
        vcsim_fault(&f.sim, HANG);
        is_error(CALL(&f, "TestSource", "s", NAMED), HYPER_BUS_ERROR_SERVER_TIMEOUT,
                        "did not answer within");
        ck_assert_ptr_null(f.daemon->calls);
VSPHERE_TEST_END

VSPHERE_TEST(a_server_that_is_not_there_is_named, 0, 0)
        _cleanup_free_ char *gone =
                        strdup("{\"vcenter_url\":\"127.0.0.1:1\",\"username\":\"u\",\"password\":\"p\"}");

        is_error(CALL(&f, "TestSource", "s", gone), HYPER_BUS_ERROR_SERVER_UNREACHABLE, "127.0.0.1:1");
VSPHERE_TEST_END

/* --- the end --------------------------------------------------------------------------------------- */

VSPHERE_TEST(without_a_call_it_logs_out_and_ends, 0, 50 * USEC_PER_MSEC)
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = CALL(&f, "TestSource", "s", NAMED);
        _cleanup_json_ json_t *server = result(reply);

        wait_until(&f, servers_count(f.daemon->servers) == 0);
        ck_assert_uint_eq(vcsim_sessions(&f.sim), 0);
        ck_assert_uint_eq(vcsim_calls(&f.sim, "Logout"), 1);
        wait_until(&f, f.exited);
VSPHERE_TEST_END

VSPHERE_TEST(a_session_that_the_server_ends_is_replaced, 0, 0)
        _cleanup_json_ json_t *before = get_vm(&f, "web"), *after = NULL;

        /* Not within a minute after a login: such a server ends each session at once. */
        vcsim_control(&f.sim, "/sessions/end");
        is_error(CALL(&f, "GetVM", "ss", NAMED, "web"), HYPER_BUS_ERROR_VSPHERE, "has ended the session");
        ck_assert_uint_eq(servers_sessions(f.daemon->servers), 0);
        after = get_vm(&f, "web");
        ck_assert_str_eq(string(before, "id"), string(after, "id"));
        ck_assert_uint_eq(servers_sessions(f.daemon->servers), 1);
        down(&f);
        ck_assert_uint_eq(vcsim_sessions(&f.sim), 0);
        up(&f, 0, 0);
VSPHERE_TEST_END

VSPHERE_TEST(the_description_is_what_the_daemon_says, 0, 0)
        sd_bus_message *m, *reply;
        const char *xml;

        ck_assert_int_ge(sd_bus_message_new_method_call(f.client, &m, HYPER_VSPHERE_BUS_NAME,
                                         HYPER_VSPHERE_BUS_PATH, "org.freedesktop.DBus.Introspectable",
                                         "Introspect"),
                        0);
        reply = private_bus_call(m);
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &xml), 0);
        introspection_compare(xml, HYPER_VSPHERE_INTERFACE);
        sd_bus_message_unref(reply);
VSPHERE_TEST_END

TEST_MAIN("vsphered", vms_are_listed_in_pages_and_found_by_path, several_vms_are_read_with_one_call,
                names_may_have_any_characters, vms_are_stopped_and_lose_their_cdroms,
                a_wrong_certificate_shows_its_thumbprint_which_then_works, a_wrong_password_is_sent_once,
                sources_are_checked, the_inventory_is_read_once_for_a_list,
                a_server_that_hangs_delays_no_other, the_call_of_a_client_that_is_gone_ends,
                a_client_cancels_one_of_its_calls, few_calls_wait_for_a_server_that_hangs,
                a_call_that_takes_too_long_is_given_up, a_server_that_is_not_there_is_named,
                without_a_call_it_logs_out_and_ends, a_session_that_the_server_ends_is_replaced,
                the_description_is_what_the_daemon_says)
