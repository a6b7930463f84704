/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hosts API from the client's socket to libvirt's test driver: hyper-apid's core and hyper-hostd as it
 * ships, on a bus of the test's own. The server is a process of its own, whose end says whether anything
 * leaked. */

#include <jansson.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "api/hosts/hosts-routes.h"
#include "unit/lib/private-bus.h"
#include "unit/lib/test.h"
#include "unit/lib/ws-client.h"
#include "json/json-table.h"

typedef struct World {
        char *dir, *database, *address;
        pid_t bus, hostd;
        TestServer server;
} World;

/* --- the world ------------------------------------------------------------------------------------- */

static void start_hostd(World *w) {
        _cleanup_free_ char *state = strprintf("--state-directory=%s", w->dir),
                            *config = strprintf("--config-directory=%s/config", w->dir);

        w->hostd = fork();
        ck_assert_int_ge(w->hostd, 0);
        if (w->hostd == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) setenv("DBUS_SYSTEM_BUS_ADDRESS", w->address, 1);
                (void) setenv("HYPER_LOG_LEVEL", "err", 1);
                execl("./hyper-hostd", "hyper-hostd", state, config, NULL);
                _exit(127);
        }
}

static void stop_hostd(World *w, int signal) {
        kill(w->hostd, signal);
        waitpid(w->hostd, NULL, 0);
}

static unsigned ask(const World *w, const char *method, const char *path, const char *body, json_t **ret) {
        _cleanup_reply_ TestReply reply = {};

        test_request(&w->server, &reply,
                        "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
                        "%zu\r\n\r\n%s",
                        method, path, strlen(body), body);
        if (ret)
                *ret = reply.body_size > 0 ? json_loadb(reply.body, reply.body_size, 0, NULL) : NULL;
        return reply.status;
}

/* The hosts are those of libvirt's test driver. */
static void configure(World *w) {
        _cleanup_free_ char *directory = strprintf("%s/config", w->dir),
                            *file = strprintf("%s/config.yaml", directory);
        FILE *f;

        ck_assert_int_eq(mkdir(directory, 0755), 0);
        f = fopen(file, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs("hosts: {allow_test: true}\n", f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

/* The body that adds a host without anything in it. */
static char *make_host(const World *w) {
        _cleanup_free_ char *path = strprintf("%s/other.xml", w->dir);
        FILE *f = fopen(path, "we");

        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs("<node/>", f), 0);
        ck_assert_int_eq(fclose(f), 0);
        return strprintf("{\"uri\":\"test://%s\"}", path);
}

static void start(World *w) {
        if (access("./hyper-hostd", X_OK) < 0)
                exit(77);
        *w = (World){};
        w->dir = test_dir();
        w->database = strprintf("%s/hosts.db", w->dir);
        w->address = strprintf("unix:path=%s/bus", w->dir);
        w->bus = private_bus_start(w->dir);
        configure(w);
        start_hostd(w);
        const ApiConfig config = {
                .database = "/nonexistent/hyper.db",
                .hosts_database = w->database,
                .bus_address = w->address,
        };
        test_server_start(&w->server, AF_INET, &hosts_dialect, &config);
        /* Nobody starts it here: until it has its name there is nobody to ask. */
        for (unsigned i = 0; ask(w, "GET", "/api/hosts", "", NULL) != 200; i++) {
                ck_assert_msg(i < 500, "hyper-hostd does not come up");
                usleep(20 * 1000);
        }
}

static void stop(World *w) {
        ck_assert_int_eq(test_server_stop(&w->server), 0);
        stop_hostd(w, SIGTERM);
        private_bus_stop(w->bus);
        free(w->database);
        free(w->address);
        test_dir_freep(&w->dir);
}

/* The next message of that type; its payload, as a new reference. */
static json_t *next_of(WsClient *c, const char *type) {
        WsFrame f;

        while (ws_client_read_frame(c, &f)) {
                json_t *m = f.first == (WS_FIN | WS_TEXT) ? json_loadb((char *) f.payload, f.size, 0, NULL)
                                                          : NULL;
                json_t *payload = NULL;

                ws_frame_done(&f);
                if (m && streq_ptr(json_string_value(json_object_get(m, "type")), type))
                        payload = json_incref(json_object_get(m, "payload"));
                json_decref(m);
                if (payload)
                        return payload;
        }
        ck_abort_msg("the end, instead of %s", type);
        return NULL;
}

static void expect(WsClient *c, const char *type) {
        json_decref(next_of(c, type));
}

#define SUBSCRIBE "{\"type\":\"subscribe-vm-stats\",\"payload\":{\"hostId\":\"h\",\"vmName\":\"test\"}}"
#define UNSUBSCRIBE "{\"type\":\"unsubscribe-vm-stats\",\"payload\":{\"hostId\":\"h\",\"vmName\":\"test\"}}"

/* --- the tests ------------------------------------------------------------------------------------- */

START_TEST(hosts_and_vms_over_http) {
        const char *id, *name, *state;
        json_t *body;
        World w;
        int number;

        start(&w);
        ck_assert_uint_eq(ask(&w, "POST", "/api/hosts", "{\"id\":\"h\",\"uri\":\"test:///default\"}", &body),
                        200);
        ck_assert_int_eq(json_unpack(body, "{s:s}", "id", &id), 0);
        ck_assert_str_eq(id, "h");
        json_decref(body);
        ck_assert_uint_eq(ask(&w, "POST", "/api/v1/hosts", "{\"uri\":\"test:///default\"}", NULL), 409);
        _cleanup_free_ char *other = make_host(&w);
        ck_assert_uint_eq(ask(&w, "POST", "/api/v1/hosts", other, NULL), 201);
        ck_assert_uint_eq(ask(&w, "POST", "/api/hosts", "{\"uri\":\"test:///default\"}", NULL), 400);
        ck_assert_uint_eq(ask(&w, "POST", "/api/hosts", "{\"id\":\"h\",\"uri\":\"test:///default\"}", NULL),
                        409);
        ck_assert_uint_eq(ask(&w, "POST", "/api/hosts", "{\"id\":\"x\",\"uri\":\"test:///no.xml\"}", NULL),
                        500);
        ck_assert_uint_eq(ask(&w, "POST", "/api/hosts", "[", NULL), 400);
        ck_assert_uint_eq(ask(&w, "GET", "/api/hosts/h/info", "", NULL), 200);
        ck_assert_uint_eq(ask(&w, "GET", "/api/hosts/none/info", "", NULL), 404);
        ck_assert_uint_eq(ask(&w, "GET", "/api/hosts/none", "", NULL), 404);
        ck_assert_uint_eq(ask(&w, "GET", "/api/hosts/none/vms", "", NULL), 404);

        ck_assert_uint_eq(ask(&w, "GET", "/api/v1/hosts/h/vms", "", &body), 200);
        ck_assert_int_eq(json_unpack(body, "[{s:s, s:s}]", "name", &name, "state", &state), 0);
        ck_assert_str_eq(name, "test");
        ck_assert_str_eq(state, "ACTIVE");
        json_decref(body);
        ck_assert_uint_eq(ask(&w, "GET", "/api/hosts/h/vms/test/hardware", "", NULL), 200);
        ck_assert_uint_eq(ask(&w, "GET", "/api/hosts/h/vms/none/hardware", "", NULL), 404);
        ck_assert_uint_eq(ask(&w, "POST", "/api/hosts/h/vms/test/action", "{\"action\":\"start\"}", NULL),
                        409);
        ck_assert_uint_eq(ask(&w, "POST", "/api/hosts/h/vms/test/action", "{}", NULL), 400);
        ck_assert_uint_eq(ask(&w, "POST", "/api/v1/hosts/h/vms/test/forceoff", "", NULL), 204);
        ck_assert_uint_eq(ask(&w, "GET", "/api/hosts/h/vms", "", &body), 200);
        ck_assert_int_eq(json_unpack(body, "[{s:i}]", "state", &number), 0);
        ck_assert_int_eq(number, 5);
        json_decref(body);
        ck_assert_uint_eq(ask(&w, "DELETE", "/api/hosts/h", "", NULL), 204);
        ck_assert_uint_eq(ask(&w, "DELETE", "/api/hosts/h", "", NULL), 404);
        stop(&w);
}
END_TEST

#define MANY 120u

/* A host of many VMs; the body that adds it. */
static char *make_large_host(const World *w) {
        _cleanup_free_ char *path = strprintf("%s/large.xml", w->dir);
        FILE *f = fopen(path, "we");

        ck_assert_ptr_nonnull(f);
        fputs("<node>", f);
        for (unsigned i = MANY; i > 0; i--)
                fprintf(f,
                                "<domain type='test'><name>vm%03u</name><memory>1024</memory>"
                                "<os><type>hvm</type></os></domain>",
                                i);
        fputs("</node>", f);
        ck_assert_int_eq(fclose(f), 0);
        return strprintf("{\"id\":\"large\",\"uri\":\"test://%s\"}", path);
}

static void check_many(const World *w, const char *path) {
        json_t *body = NULL;

        ck_assert_uint_eq(ask(w, "GET", path, "", &body), 200);
        ck_assert_uint_eq(json_array_size(body), MANY);
        for (unsigned i = 0; i < MANY; i++) {
                _cleanup_free_ char *name = strprintf("vm%03u", i + 1);
                const json_t *vm = json_array_get(body, i);

                ck_assert_str_eq(json_string_value(json_object_get(vm, "name")), name);
                ck_assert_str_eq(json_string_value(json_object_get(vm, "host_id")), "large");
        }
        json_decref(body);
}

START_TEST(a_list_that_takes_several_steps_is_complete) {
        World w;

        start(&w);
        _cleanup_free_ char *large = make_large_host(&w);
        ck_assert_uint_eq(ask(&w, "POST", "/api/hosts", large, NULL), 200);
        check_many(&w, "/api/v1/hosts/large/vms");
        check_many(&w, "/api/v1/vms");
        stop(&w);
}
END_TEST

static void check_object(const World *w, const char *path) {
        _cleanup_free_ char *full = strprintf("/api/v1%s", path);
        json_t *body = NULL;
        unsigned status = ask(w, "GET", full, "", &body);

        ck_assert_msg(status == 200 && json_is_object(body), "%s: %u", path, status);
        json_decref(body);
}

/* How many are in a list. */
static size_t count(const World *w, const char *path) {
        _cleanup_free_ char *full = strprintf("/api/v1%s", path);
        json_t *body = NULL;
        unsigned status = ask(w, "GET", full, "", &body);
        size_t n = json_array_size(body);

        ck_assert_msg(status == 200 && json_is_array(body), "%s: %u", path, status);
        json_decref(body);
        return n;
}

/* Every route that the web client asks for, and what it reads of each answer. */
START_TEST(the_web_client_finds_what_it_reads) {
        static const char *const lists[] = { "/hosts", "/vms", "/storage/pools", "/networks",
                "/storage/disk-attachments", "/hosts/h/storage/pools", "/hosts/h/networks", "/ports",
                "/port-attachments", "/hosts/h/ports", "/hosts/h/vms/test/port-attachments" };
        static const char *const empty[] = { "/discovered-vms", "/storage/volumes",
                "/hosts/h/discovered-vms", "/hosts/h/storage/volumes" };
        static const char *const objects[] = { "/hosts/h", "/hosts/h/info", "/hosts/h/stats",
                "/hosts/h/capabilities", "/hosts/h/vms/test/hardware", "/hosts/h/vms/test/hardware/extended",
                "/hosts/h/vms/test/stats", "/dashboard/activity", "/dashboard/overview", "/dashboard/stats",
                "/settings/metrics", "/health" };
        json_t *body;
        World w;

        start(&w);
        ck_assert_uint_eq(
                        ask(&w, "POST", "/api/v1/hosts", "{\"id\":\"h\",\"uri\":\"test:///default\"}", NULL),
                        201);
        for (size_t i = 0; i < ELEMENTSOF(objects); i++)
                check_object(&w, objects[i]);
        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                ck_assert_msg(count(&w, lists[i]) == 1, "%s", lists[i]);
        for (size_t i = 0; i < ELEMENTSOF(empty); i++)
                ck_assert_msg(count(&w, empty[i]) == 0, "%s", empty[i]);
        ck_assert_uint_eq(ask(&w, "GET", "/api/v1/hosts/none/stats", "", NULL), 404);
        ck_assert_uint_eq(ask(&w, "GET", "/api/v1/hosts/none/storage/pools", "", NULL), 404);
        ck_assert_uint_eq(ask(&w, "GET", "/api/v1/hosts/none/discovered-vms", "", NULL), 404);
        ck_assert_uint_eq(ask(&w, "GET", "/api/v1/hosts/h/vms/none/stats", "", NULL), 404);
        ck_assert_uint_eq(ask(&w, "GET", "/api/v1/dashboard/activity?limit=0", "", NULL), 400);

        ck_assert_uint_eq(ask(&w, "GET", "/api/v1/dashboard/stats", "", &body), 200);
        int hosts, connected, vms, running, stopped;
        ck_assert_int_eq(json_unpack(body, "{s:{s:i, s:i, s:i, s:i, s:i}}", "infrastructure", "totalHosts",
                                         &hosts, "connectedHosts", &connected, "totalVMs", &vms,
                                         "runningVMs", &running, "stoppedVMs", &stopped),
                        0);
        ck_assert(hosts == 1 && connected == 1 && vms == 1 && running == 1 && stopped == 0);
        json_decref(body);
        stop(&w);
}
END_TEST

START_TEST(hosts_are_changed_over_http) {
        const char *name, *state, *unit;
        int manual;
        json_t *body;
        World w;

        start(&w);
        ck_assert_uint_eq(
                        ask(&w, "POST", "/api/v1/hosts", "{\"id\":\"h\",\"uri\":\"test:///default\"}", NULL),
                        201);
        ck_assert_uint_eq(ask(&w, "PATCH", "/api/v1/hosts/h",
                                          "{\"name\":\"Büro\",\"uri\":\"test:///default\"}", &body),
                        200);
        ck_assert_int_eq(json_unpack(body, "{s:s, s:b}", "name", &name, "auto_reconnect_disabled", &manual),
                        0);
        ck_assert_str_eq(name, "Büro");
        ck_assert(!manual);
        json_decref(body);
        ck_assert_uint_eq(ask(&w, "PATCH", "/api/v1/hosts/h", "{\"uri\":\"qemu:///system\"}", NULL), 400);
        ck_assert_uint_eq(ask(&w, "PATCH", "/api/v1/hosts/h", "{\"name\":\"\"}", NULL), 400);
        ck_assert_uint_eq(ask(&w, "PATCH", "/api/v1/hosts/none", "{\"name\":\"x\"}", NULL), 404);
        ck_assert_uint_eq(ask(&w, "POST", "/api/v1/hosts/h/disconnect", "", &body), 200);
        ck_assert_int_eq(
                        json_unpack(body, "{s:s, s:b}", "state", &state, "auto_reconnect_disabled", &manual),
                        0);
        ck_assert_str_eq(state, "DISCONNECTED");
        ck_assert(manual);
        json_decref(body);
        ck_assert_uint_eq(ask(&w, "GET", "/api/v1/hosts/h/stats", "", NULL), 503);
        /* What it had is not known now, and no reason to fail. */
        ck_assert_uint_eq(count(&w, "/storage/pools"), 0);
        ck_assert_uint_eq(count(&w, "/vms"), 1);
        ck_assert_uint_eq(ask(&w, "POST", "/api/v1/hosts/h/connect", "", &body), 200);
        ck_assert_int_eq(json_unpack(body, "{s:s}", "state", &state), 0);
        ck_assert_str_eq(state, "CONNECTED");
        json_decref(body);
        ck_assert_uint_eq(ask(&w, "POST", "/api/v1/hosts/none/connect", "", NULL), 404);

        ck_assert_uint_eq(
                        ask(&w, "PUT", "/api/v1/settings/metrics", "{\"units\":{\"disk\":\"mib\"}}", &body),
                        200);
        ck_assert_int_eq(json_unpack(body, "{s:{s:s}}", "units", "disk", &unit), 0);
        ck_assert_str_eq(unit, "mib");
        json_decref(body);
        ck_assert_uint_eq(ask(&w, "PUT", "/api/v1/settings/metrics", "{\"diskSmoothAlpha\":2}", NULL), 400);
        ck_assert_uint_eq(ask(&w, "PUT", "/api/v1/settings/metrics", "{\"units\":{\"disk\":\"kib|mib\"}}",
                                          NULL),
                        400);
        stop(&w);
}
END_TEST

START_TEST(websocket_clients_outlive_the_daemon_behind_them) {
        WsClient one, two;
        json_t *payload;
        const char *vm;
        World w;

        start(&w);
        ck_assert_uint_eq(ask(&w, "POST", "/api/hosts", "{\"id\":\"h\",\"uri\":\"test:///default\"}", NULL),
                        200);
        ws_client_open(&one, &w.server);
        ws_client_open(&two, &w.server);
        ws_client_send(&one, SUBSCRIBE);
        payload = next_of(&one, "vm-stats-updated");
        ck_assert_int_eq(json_unpack(payload, "{s:s}", "vmName", &vm), 0);
        ck_assert_str_eq(vm, "test");
        json_decref(payload);
        ws_client_send(&two, SUBSCRIBE);
        ws_client_send(&two, SUBSCRIBE);
        expect(&two, "vm-stats-updated");
        ws_client_send(&two, UNSUBSCRIBE);
        ws_client_send(&two, UNSUBSCRIBE);
        ws_client_send(&two, "nonsense");
        expect(&two, "error");
        ws_client_send(&two,
                        "{\"type\":\"subscribe-vm-stats\",\"payload\":{\"hostId\":\"h\",\"vmName\":\"none\"}"
                        "}");
        payload = next_of(&two, "error");
        json_decref(payload);

        ck_assert_uint_eq(ask(&w, "POST", "/api/hosts/h/vms/test/reboot", "", NULL), 204);
        ck_assert_uint_eq(ask(&w, "POST", "/api/hosts/h/vms/test/forceoff", "", NULL), 204);
        payload = next_of(&two, "vms-changed");
        ck_assert_str_eq(json_string_value(json_object_get(payload, "hostId")), "h");
        json_decref(payload);

        /* The VM of a new process runs again. */
        stop_hostd(&w, SIGKILL);
        start_hostd(&w);
        expect(&two, "hosts-changed");
        expect(&two, "host-connection-changed");
        do {
                payload = next_of(&one, "vm-stats-updated");
                vm = json_integer_value(json_object_get(json_object_get(payload, "stats"), "state")) == 1
                                ? "on"
                                : "off";
                json_decref(payload);
        } while (streq(vm, "off"));
        ws_client_close(&two);
        ws_client_send_close(&one, 1000);
        ws_client_close(&one);
        stop(&w);
}
END_TEST

TEST_MAIN("hosts-api", hosts_and_vms_over_http, a_list_that_takes_several_steps_is_complete,
                the_web_client_finds_what_it_reads, hosts_are_changed_over_http,
                websocket_clients_outlive_the_daemon_behind_them)
