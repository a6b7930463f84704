/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-hostd on a bus of the test's own, over libvirt's test driver: real threads, real events, VMs that
 * are made up. */

#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "hosts/bus-objects.h"
#include "hosts/host-bus.h"
#include "hosts/host.h"
#include "hosts/hostd.h"
#include "hosts/hosts-bus.h"
#include "hosts/hosts-idle.h"
#include "hosts/libvirt-events.h"
#include "hosts/running.h"
#include "hosts/subscription.h"
#include "hosts/vm-bus.h"
#include "shared/error-table.h"
#include "unit/lib/introspection.h"
#include "unit/lib/private-bus.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

#define ROOT HYPER_HOSTS_BUS_PATH
#define MANAGER HYPER_HOSTS_MANAGER_INTERFACE
#define UUID_A "11111111-2222-3333-4444-555555555555"

typedef struct Fixture {
        char *dir;
        pid_t dbus_pid;
        sd_event *event;
        sd_bus *hosts_bus, *client;
        Store *store;
        Hosts *hosts;
        bool exited;
        bool no_test_hosts; /* hosts.allow_test: false, from the next start on */
        int exit_code;

        unsigned n_hosts_changed, n_vms_changed, n_added, n_removed;
        int connected; /* of the last HostConnectionChanged, -1: none */
        unsigned n_stats;
        char *stats; /* of the last VmStats */
} Fixture;

/* --- the fixture ----------------------------------------------------------------------------------- */

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *host, *vm, *stats;
        Fixture *f = userdata;

        if (sd_bus_message_is_signal(m, MANAGER, "HostsChanged") > 0)
                f->n_hosts_changed++;
        else if (sd_bus_message_is_signal(m, MANAGER, "VmsChanged") > 0)
                f->n_vms_changed++;
        else if (sd_bus_message_is_signal(m, MANAGER, "HostConnectionChanged") > 0)
                ck_assert_int_gt(sd_bus_message_read(m, "sb", &host, &f->connected), 0);
        else if (sd_bus_message_is_signal(m, NULL, "InterfacesAdded") > 0)
                f->n_added++;
        else if (sd_bus_message_is_signal(m, NULL, "InterfacesRemoved") > 0)
                f->n_removed++;
        else if (sd_bus_message_is_signal(m, MANAGER, "VmStats") > 0) {
                ck_assert_int_gt(sd_bus_message_read(m, "sss", &host, &vm, &stats), 0);
                ck_assert_int_eq(free_and_strdup(&f->stats, stats), 0);
                f->n_stats++;
        }
        return 0;
}

static void up(Fixture *f) {
        _cleanup_free_ char *path = strprintf("%s/hosts.db", f->dir);

        ck_assert_int_eq(store_open_hosts(path, STORE_OWNER, &f->store), 0);
        f->hosts_bus = private_bus_connect(f->dir, f->event);
        const HostsOptions options = {
                .event = f->event,
                .bus = f->hosts_bus,
                .store = f->store,
                .settings = settings_new(),
                .state_directory = f->dir,
                .config_directory = f->dir,
        };
        options.settings->hosts.allow_test = !f->no_test_hosts;
        ck_assert_int_eq(hosts_new(&options, &f->hosts), 0);
        ck_assert_int_ge(hosts_start(f->hosts), 0);
}

static void down(Fixture *f) {
        f->hosts = hosts_free(f->hosts);
        f->hosts_bus = sd_bus_flush_close_unref(f->hosts_bus);
        f->store = store_free(f->store);
}

static void fixture_open(Fixture *f) {
        *f = (Fixture){ .connected = -1 };
        f->dir = test_dir();
        log_set_max_level(LOG_EMERG);
        f->dbus_pid = private_bus_start(f->dir);
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        f->client = private_bus_connect(f->dir, f->event);
        ck_assert_int_ge(
                        sd_bus_add_match(f->client, NULL, "type='signal',path='" ROOT "'", on_signal, f), 0);
        up(f);
}

static void fixture_close(Fixture *f) {
        down(f);
        sd_bus_flush_close_unref(f->client);
        sd_event_unref(f->event);
        private_bus_stop(f->dbus_pid);
        free(f->stats);
        test_dir_freep(&f->dir);
        /* All threads end, so that nothing counts as leaked. */
        while (host_thread_abandoned() > 0)
                usleep(1000);
        libvirt_events_stop();
}

#define HOSTS_TEST(name)          \
        START_TEST(name) {        \
                Fixture f;        \
                fixture_open(&f); \
                {
#define HOSTS_TEST_END     \
        }                  \
        fixture_close(&f); \
        }                  \
        END_TEST

static void turn(Fixture *f) {
        int r = sd_event_run(f->event, 20 * USEC_PER_SEC);

        ck_assert_msg(r > 0, "nothing came in 20 s: %s", strerror(-r));
        if (sd_event_get_state(f->event) == SD_EVENT_FINISHED) {
                f->exited = true;
                (void) sd_event_get_exit_code(f->event, &f->exit_code);
        }
}

#define wait_until(f, condition) \
        while (!(condition))     \
        turn(f)

static sd_bus_message *ask_over(sd_bus *bus, const char *path, const char *interface, const char *member,
                const char *types, va_list ap) {
        sd_bus_message *m = NULL;

        ck_assert_int_ge(sd_bus_message_new_method_call(
                                         bus, &m, HYPER_HOSTS_BUS_NAME, path, interface, member),
                        0);
        if (types)
                ck_assert_int_ge(sd_bus_message_appendv(m, types, ap), 0);
        return private_bus_call(m);
}

/* The answer, which may be an error. */
static sd_bus_message *ask(Fixture *f, const char *path, const char *interface, const char *member,
                const char *types, ...) {
        sd_bus_message *m;
        va_list ap;

        va_start(ap, types);
        m = ask_over(f->client, path, interface, member, types, ap);
        va_end(ap);
        return m;
}

static void check_ok(sd_bus_message *m) {
        const sd_bus_error *e = sd_bus_message_get_error(m);

        ck_assert_msg(!e, "%s: %s", e ? e->name : "", e ? e->message : "");
        sd_bus_message_unref(m);
}

static void check_error(sd_bus_message *m, const char *name, const char *part) {
        const sd_bus_error *e = sd_bus_message_get_error(m);

        ck_assert_ptr_nonnull(e);
        ck_assert_str_eq(e->name, name);
        ck_assert_msg(strstr(e->message, part) != NULL, "\"%s\" is not in \"%s\"", part, e->message);
        sd_bus_message_unref(m);
}

static sd_bus_message *add(Fixture *f, const char *id, const char *uri) {
        return ask(f, ROOT, MANAGER, "AddHost", "sa{sv}", uri, 1, "id", "s", id);
}

static char *vm_path(Fixture *f, const char *host, const char *vm) {
        sd_bus_message *m = ask(f, ROOT, MANAGER, "GetVm", "ss", host, vm);
        const char *path;

        ck_assert_int_gt(sd_bus_message_read(m, "o", &path), 0);
        char *copy = strdup(path);
        sd_bus_message_unref(m);
        return copy;
}

static char *property(Fixture *f, const char *path, const char *interface, const char *name) {
        sd_bus_message *m = ask(f, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, name);
        const char *s;

        ck_assert_int_gt(sd_bus_message_read(m, "v", "s", &s), 0);
        char *copy = strdup(s);
        sd_bus_message_unref(m);
        return copy;
}

static char *vm_state(Fixture *f, const char *host, const char *vm) {
        _cleanup_free_ char *path = vm_path(f, host, vm);

        return property(f, path, HYPER_HOSTS_VM_INTERFACE, "State");
}

static bool vm_state_is(Fixture *f, const char *host, const char *vm, const char *expected) {
        _cleanup_free_ char *state = vm_state(f, host, vm);

        return streq(state, expected);
}

static json_t *json_answer(sd_bus_message *m) {
        json_error_t error;
        const char *text;

        ck_assert_msg(!sd_bus_message_is_method_error(m, NULL), "%s", sd_bus_message_get_error(m)->message);
        ck_assert_int_gt(sd_bus_message_read(m, "s", &text), 0);
        json_t *o = json_loads(text, 0, &error);
        ck_assert_msg(o != NULL, "%s: %s", error.text, text);
        sd_bus_message_unref(m);
        return o;
}

static uint64_t count_vms(Fixture *f, const char *host) {
        sd_bus_message *m = ask(f, ROOT, MANAGER, "ListVms", "stt", host, UINT64_C(0), UINT64_C(1));
        uint64_t total;

        ck_assert_int_gt(sd_bus_message_read(m, "t", &total), 0);
        sd_bus_message_unref(m);
        return total;
}

/* A host of the test driver with @vms in it; its URI. */
static char *make_host(Fixture *f, const char *name, const char *vms) {
        _cleanup_free_ char *path = strprintf("%s/%s.xml", f->dir, name);
        _cleanup_free_ char *text = strprintf("<node><cpu><mhz>1000</mhz><model>x</model><active>8</active>"
                                              "<nodes>1</nodes><sockets>1</sockets><cores>4</cores>"
                                              "<threads>2</threads></cpu><memory>16777216</memory>%s</node>",
                        vms);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_int_eq(pwrite_full(fd, text, strlen(text), 0), 0);
        return strprintf("test://%s", path);
}

static void put_configuration(Fixture *f, const char *text) {
        _cleanup_free_ char *path = strprintf("%s/config.yaml", f->dir);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_int_eq(pwrite_full(fd, text, strlen(text), 0), 0);
}

/* --- hosts ----------------------------------------------------------------------------------------- */

HOSTS_TEST(a_host_is_added_and_has_its_vms)
        _cleanup_(vm_rows_done) VmRows rows = {};
        _cleanup_(host_row_done) HostRow row = {};
        const char *id, *path, *uri, *name, *state, *error;
        uint32_t n_vms;
        uint64_t created, updated;

        check_ok(add(&f, "here", "test:///default"));
        sd_bus_message *m = ask(&f, ROOT, MANAGER, "ListHosts", NULL);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(sossssutt)"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "(sossssutt)", &id, &path, &uri, &name, &state, &error,
                                         &n_vms, &created, &updated),
                        0);
        ck_assert_str_eq(id, "here");
        ck_assert_str_eq(path, "/org/hyper1/hosts/here");
        ck_assert_str_eq(uri, "test:///default");
        ck_assert_str_eq(name, "here");
        ck_assert_str_eq(state, "CONNECTED");
        ck_assert_str_eq(error, "");
        ck_assert_uint_eq(n_vms, 1);
        ck_assert_uint_gt(created, 0);
        sd_bus_message_unref(m);
        /* What was answered is in the database. */
        ck_assert_int_eq(store_host_get(f.store, "here", &row), 0);
        ck_assert_int_eq(row.state, HOST_CONNECTED);
        ck_assert_int_eq(store_vms_list(f.store, "here", &rows), 0);
        ck_assert_uint_eq(rows.n, 1);
        ck_assert_str_eq(rows.rows[0].name, "test");
        ck_assert_int_eq(rows.rows[0].state, VIR_DOMAIN_RUNNING);
        ck_assert_uint_gt(rows.rows[0].memory_bytes, 0);
        ck_assert(vm_state_is(&f, "here", "test", "ACTIVE"));
        ck_assert_uint_eq(f.n_hosts_changed, 1);
        ck_assert_int_eq(f.connected, 1);
        ck_assert_uint_eq(f.n_added, 2);
HOSTS_TEST_END

HOSTS_TEST(what_cannot_be_a_host_is_refused)
        check_ok(add(&f, "here", "test:///default"));
        check_error(add(&f, "here", "test:///default"), HYPER_BUS_ERROR_HOST_EXISTS, "here exists");
        check_error(add(&f, "a/b", "test:///default"), HYPER_BUS_ERROR_INVALID_ARGUMENT, "id: must be");
        check_error(add(&f, "bad", "qemu+ext:///system?command=/bin/sh"), HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "uri: must");
        check_error(ask(&f, ROOT, MANAGER, "AddHost", "sa{sv}", "test:///default", 1, "colour", "s", "red"),
                        HYPER_BUS_ERROR_INVALID_ARGUMENT, "colour");
        /* libvirt's own words */
        check_error(add(&f, "gone", "test:///nonexistent.xml"), HYPER_BUS_ERROR_LIBVIRT, "nonexistent.xml");
        check_error(ask(&f, ROOT, MANAGER, "RemoveHost", "s", "gone"), HYPER_BUS_ERROR_NO_SUCH_HOST, "gone");
        check_error(ask(&f, ROOT, MANAGER, "RemoveHost", "s", "\n"), HYPER_BUS_ERROR_NO_SUCH_HOST,
                        "such an id");
        check_error(ask(&f, ROOT, MANAGER, "GetVm", "ss", "gone", "x"), HYPER_BUS_ERROR_NO_SUCH_HOST,
                        "gone");
        check_error(ask(&f, ROOT, MANAGER, "GetVm", "ss", "here", "x"), HYPER_BUS_ERROR_NO_SUCH_VM, "x");
        ck_assert_uint_eq(f.n_hosts_changed, 1);
HOSTS_TEST_END

HOSTS_TEST(a_host_without_an_id_gets_one)
        sd_bus_message *m = ask(&f, ROOT, MANAGER, "AddHost", "sa{sv}", "test:///default", 0);
        const char *id, *again;

        ck_assert_int_gt(sd_bus_message_read(m, "s", &id), 0);
        ck_assert_str_eq(id, "local");
        _cleanup_free_ char *other = make_host(&f, "other", "");
        sd_bus_message *n = ask(&f, ROOT, MANAGER, "AddHost", "sa{sv}", other, 0);
        ck_assert_int_gt(sd_bus_message_read(n, "s", &again), 0);
        ck_assert_str_eq(again, "local-2");
        sd_bus_message_unref(m);
        sd_bus_message_unref(n);
HOSTS_TEST_END

HOSTS_TEST(a_host_that_is_removed_takes_its_vms_along)
        _cleanup_(vm_rows_done) VmRows rows = {};

        check_ok(add(&f, "here", "test:///default"));
        _cleanup_free_ char *path = vm_path(&f, "here", "test");
        check_ok(ask(&f, ROOT, MANAGER, "RemoveHost", "s", "here"));
        wait_until(&f, f.n_removed == 2);
        check_error(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "Start", NULL), SD_BUS_ERROR_UNKNOWN_OBJECT, "");
        ck_assert_uint_eq(count_vms(&f, ""), 0);
        ck_assert_int_eq(store_vms_list(f.store, "here", &rows), 0);
        ck_assert_uint_eq(rows.n, 0);
        check_ok(add(&f, "here", "test:///default"));
HOSTS_TEST_END

HOSTS_TEST(facts_of_a_host)
        _cleanup_free_ char *uri = make_host(&f, "facts", "");
        const char *hostname;
        uint32_t cpu, cores, threads;
        uint64_t memory, used, uptime;

        check_ok(add(&f, "h", uri));
        sd_bus_message *m = ask(&f, ROOT "/h", HYPER_HOSTS_HOST_INTERFACE, "GetInfo", NULL);
        ck_assert_int_gt(sd_bus_message_read(m, "suttuut", &hostname, &cpu, &memory, &used, &cores, &threads,
                                         &uptime),
                        0);
        ck_assert(!isempty(hostname));
        ck_assert_uint_eq(cpu, 8);
        ck_assert_uint_eq(cores, 4);
        ck_assert_uint_eq(threads, 2);
        ck_assert_uint_eq(memory, UINT64_C(16) << 30);
        ck_assert_uint_le(used, memory);
        ck_assert_uint_gt(uptime, 0);
        sd_bus_message_unref(m);
HOSTS_TEST_END

HOSTS_TEST(while_a_host_is_away_what_was_known_of_it_is_there)
        _cleanup_free_ char *uri = make_host(&f, "away",
                        "<domain type='test'><name>a</name><uuid>" UUID_A "</uuid><memory>1024</memory>"
                        "<os><type>hvm</type></os></domain>");
        _cleanup_free_ char *file = strdup(uri + strlen("test://")), *hidden = strprintf("%s.hidden", file);

        check_ok(add(&f, "h", uri));
        down(&f);
        ck_assert_int_eq(rename(file, hidden), 0);
        f.connected = -1;
        up(&f);
        ck_assert_uint_eq(count_vms(&f, "h"), 1);
        _cleanup_free_ char *path = vm_path(&f, "h", "a"), *state = NULL, *error = NULL;
        do {
                free(error);
                error = property(&f, ROOT "/h", HYPER_HOSTS_HOST_INTERFACE, "Error");
        } while (isempty(error));
        ck_assert_ptr_nonnull(strstr(error, "away.xml"));
        state = property(&f, ROOT "/h", HYPER_HOSTS_HOST_INTERFACE, "State");
        ck_assert_str_ne(state, "CONNECTED");
        check_error(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "GetHardware", NULL),
                        HYPER_BUS_ERROR_HOST_NOT_CONNECTED, "away.xml");
        /* It comes back by itself. */
        ck_assert_int_eq(rename(hidden, file), 0);
        wait_until(&f, f.connected == 1);
        sd_bus_message_unref(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "GetHardware", NULL));
HOSTS_TEST_END

HOSTS_TEST(one_uri_is_one_host)
        _cleanup_free_ char *uri = make_host(&f, "one", "");

        check_ok(add(&f, "here", "test:///default"));
        check_error(add(&f, "again", "test:///default"), HYPER_BUS_ERROR_HOST_EXISTS,
                        "host here has this URI already");
        check_ok(add(&f, "one", uri));
        check_error(add(&f, "two", uri), HYPER_BUS_ERROR_HOST_EXISTS, "host one has this URI already");
        check_ok(ask(&f, ROOT, MANAGER, "RemoveHost", "s", "one"));
        check_ok(add(&f, "two", uri));
HOSTS_TEST_END

HOSTS_TEST(a_host_is_disconnected_and_connected_on_request)
        _cleanup_(host_row_done) HostRow row = {};
        _cleanup_free_ char *path = host_bus_path("here"), *vm = NULL;

        check_ok(add(&f, "here", "test:///default"));
        vm = vm_path(&f, "here", "test");
        check_ok(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "Disconnect", NULL));
        wait_until(&f, f.connected == 0);
        check_error(ask(&f, vm, HYPER_HOSTS_VM_INTERFACE, "GetStats", NULL),
                        HYPER_BUS_ERROR_HOST_NOT_CONNECTED, "it was disconnected; connect it first");
        /* Also after a restart. */
        down(&f);
        up(&f);
        ck_assert_int_eq(store_host_get(f.store, "here", &row), 0);
        ck_assert(row.manual);
        ck_assert_int_eq(row.state, HOST_DISCONNECTED);
        check_error(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "GetInfo", NULL),
                        HYPER_BUS_ERROR_HOST_NOT_CONNECTED, "connect it");
        check_ok(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "Connect", NULL));
        check_ok(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "GetInfo", NULL));
        /* Once more does nothing. */
        check_ok(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "Connect", NULL));
HOSTS_TEST_END

HOSTS_TEST(a_host_that_cannot_be_connected_says_why)
        _cleanup_free_ char *uri = make_host(&f, "gone", ""), *path = host_bus_path("gone");

        check_ok(add(&f, "gone", uri));
        check_ok(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "Disconnect", NULL));
        ck_assert_int_eq(unlink(uri + strlen("test://")), 0);
        check_error(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "Connect", NULL), HYPER_BUS_ERROR_LIBVIRT,
                        "cannot be read");
HOSTS_TEST_END

HOSTS_TEST(a_host_gets_another_name)
        _cleanup_(host_row_done) HostRow row = {};
        _cleanup_free_ char *path = host_bus_path("here"), *name = NULL;

        check_ok(add(&f, "here", "test:///default"));
        check_ok(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "Update", "a{sv}", 2, "name", "s", "Büro",
                        "auto_connect", "b", 0));
        name = property(&f, path, HYPER_HOSTS_HOST_INTERFACE, "Name");
        ck_assert_str_eq(name, "Büro");
        ck_assert_int_eq(store_host_get(f.store, "here", &row), 0);
        ck_assert_str_eq(row.name, "Büro");
        ck_assert(row.manual);
        check_error(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "Update", "a{sv}", 1, "name", "s", "a\nb"),
                        HYPER_BUS_ERROR_INVALID_ARGUMENT, "name: must");
        check_error(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "Update", "a{sv}", 1, "uri", "s", "x"),
                        HYPER_BUS_ERROR_INVALID_ARGUMENT, "uri");
HOSTS_TEST_END

HOSTS_TEST(what_a_host_has_is_listed)
        _cleanup_free_ char *path = host_bus_path("here");
        const char *name, *uuid, *type, *where, *state, *bridge, *mode;
        uint64_t capacity, allocation, available;
        int starts, persistent;

        check_ok(add(&f, "here", "test:///default"));
        sd_bus_message *m = ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "ListPools", NULL);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(ssssstttb)"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "(ssssstttb)", &name, &uuid, &type, &where, &state,
                                         &capacity, &allocation, &available, &starts),
                        0);
        ck_assert_str_eq(name, "default-pool");
        ck_assert_str_eq(type, "dir");
        ck_assert_str_eq(where, "/default-pool");
        ck_assert_str_eq(state, "active");
        ck_assert_uint_gt(capacity, 0);
        ck_assert_uint_eq(available, capacity - allocation);
        sd_bus_message_unref(m);
        m = ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "ListNetworks", NULL);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(sssssbb)"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "(sssssbb)", &name, &uuid, &bridge, &mode, &state, &starts,
                                         &persistent),
                        0);
        ck_assert_str_eq(name, "default");
        ck_assert_str_eq(bridge, "virbr0");
        ck_assert_str_eq(mode, "nat");
        sd_bus_message_unref(m);
        check_ok(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "ListVolumes", NULL));
        check_ok(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "ListDisks", NULL));
        check_ok(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "ListPorts", NULL));
        check_ok(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "GetStats", NULL));
        json_t *o = json_answer(ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "GetCapabilities", NULL));
        ck_assert(json_is_array(json_object_get(json_object_get(o, "virt_info"), "guests")));
        json_decref(o);
HOSTS_TEST_END

HOSTS_TEST(disks_and_ports_of_all_vms)
        _cleanup_free_ char *path = host_bus_path("h"), *vm = NULL;
        _cleanup_free_ char *uri = make_host(&f, "devices",
                        "<domain type='test'><name>a</name><uuid>" UUID_A
                        "</uuid><memory>1024</memory><os><type>hvm</type></os>"
                        "<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source "
                        "file='/a.qcow2'/>"
                        "<target dev='vda' bus='virtio'/></disk><interface type='network'><mac "
                        "address='52:54:00:00:00:01'/>"
                        "<source network='default'/><model type='virtio'/></interface></devices></domain>");
        const char *its, *name, *target, *bus, *device, *type, *format, *file, *mac, *model, *source, *group,
                        *link;
        uint64_t capacity;
        int readonly, shareable;

        check_ok(add(&f, "h", uri));
        sd_bus_message *m = ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "ListDisks", NULL);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(sssssssstbb)"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "(sssssssstbb)", &its, &name, &target, &bus, &device, &type,
                                         &format, &file, &capacity, &readonly, &shareable),
                        0);
        ck_assert_str_eq(its, UUID_A);
        ck_assert_str_eq(target, "vda");
        ck_assert_str_eq(format, "qcow2");
        ck_assert_str_eq(file, "/a.qcow2");
        ck_assert(!readonly && !shareable);
        sd_bus_message_unref(m);
        m = ask(&f, path, HYPER_HOSTS_HOST_INTERFACE, "ListPorts", NULL);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(ssssssssstt)"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "(ssssssssstt)", &its, &name, &mac, &model, &type, &source,
                                         &group, &target, &link, NULL, NULL),
                        0);
        ck_assert_str_eq(mac, "52:54:00:00:00:01");
        ck_assert_str_eq(type, "network");
        ck_assert_str_eq(source, "default");
        sd_bus_message_unref(m);
        vm = vm_path(&f, "h", "a");
        json_t *o = json_answer(ask(&f, vm, HYPER_HOSTS_VM_INTERFACE, "GetExtendedHardware", NULL));
        json_t *info = json_object_get(o, "vm_info");
        ck_assert_str_eq(json_string_value(json_object_get(info, "name")), "a");
        ck_assert_str_eq(json_string_value(json_object_get(info, "osType")), "hvm");
        ck_assert_uint_eq(json_array_size(json_object_get(o, "disk_attachments")), 1);
        json_decref(o);
        /* This driver has no displays. */
        check_error(ask(&f, vm, HYPER_HOSTS_VM_INTERFACE, "OpenConsole", "s", "telnet"),
                        HYPER_BUS_ERROR_INVALID_ARGUMENT, "type: must be");
        check_error(ask(&f, vm, HYPER_HOSTS_VM_INTERFACE, "OpenConsole", "s", ""),
                        HYPER_BUS_ERROR_WRONG_STATE, "VNC or SPICE");
HOSTS_TEST_END

HOSTS_TEST(what_happens_is_remembered_and_settings_are_kept)
        const char *kind, *severity, *host, *uuid, *name, *text;
        uint64_t total, id, at;

        check_ok(add(&f, "here", "test:///default"));
        _cleanup_free_ char *vm = vm_path(&f, "here", "test");
        check_ok(ask(&f, vm, HYPER_HOSTS_VM_INTERFACE, "Destroy", NULL));
        sd_bus_message *m = ask(&f, ROOT, MANAGER, "ListActivity", "tt", UINT64_C(0), UINT64_C(1));
        ck_assert_int_gt(sd_bus_message_read(m, "t", &total), 0);
        ck_assert_uint_eq(total, 2);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(ttssssss)"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "(ttssssss)", &id, &at, &kind, &severity, &host, &uuid,
                                         &name, &text),
                        0);
        ck_assert_str_eq(kind, "vm_state_change");
        ck_assert_str_eq(name, "test");
        ck_assert_str_eq(text, "VM test: STOPPED");
        ck_assert_int_eq(sd_bus_message_at_end(m, false), 1);
        sd_bus_message_unref(m);
        check_ok(ask(&f, ROOT, MANAGER, "SetSetting", "ss", "metrics", "{\"a\":1}"));
        json_t *o = json_answer(ask(&f, ROOT, MANAGER, "GetSetting", "s", "metrics"));
        ck_assert_int_eq(json_integer_value(json_object_get(o, "a")), 1);
        json_decref(o);
        check_error(ask(&f, ROOT, MANAGER, "SetSetting", "ss", "metrics", "[1]"),
                        HYPER_BUS_ERROR_INVALID_ARGUMENT, "value");
        check_error(ask(&f, ROOT, MANAGER, "SetSetting", "ss", "colour", "{}"),
                        HYPER_BUS_ERROR_INVALID_ARGUMENT, "name: must");
HOSTS_TEST_END

/* --- VMs ------------------------------------------------------------------------------------------- */

HOSTS_TEST(a_vm_is_stopped_and_started)
        _cleanup_(vm_rows_done) VmRows rows = {};

        check_ok(add(&f, "here", "test:///default"));
        _cleanup_free_ char *path = vm_path(&f, "here", "test");
        check_error(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "Start", NULL), HYPER_BUS_ERROR_WRONG_STATE,
                        "running");
        check_ok(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "Destroy", NULL));
        /* Whoever looks after the answer sees it. */
        ck_assert(vm_state_is(&f, "here", "test", "STOPPED"));
        ck_assert_int_eq(store_vms_list(f.store, "here", &rows), 0);
        ck_assert_int_eq(rows.rows[0].state, VIR_DOMAIN_SHUTOFF);
        check_error(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "Destroy", NULL), HYPER_BUS_ERROR_WRONG_STATE,
                        "not running");
        check_error(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "Shutdown", NULL), HYPER_BUS_ERROR_WRONG_STATE,
                        "not running");
        check_ok(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "Start", NULL));
        ck_assert(vm_state_is(&f, "here", "test", "ACTIVE"));
        check_ok(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "Shutdown", NULL));
        ck_assert(vm_state_is(&f, "here", "test", "STOPPED"));
        wait_until(&f, f.n_vms_changed > 0);
HOSTS_TEST_END

/* All connections of a process to test:///default are one host. */
HOSTS_TEST(a_vm_that_others_change_is_seen)
        virConnectPtr other = virConnectOpen("test:///default");
        static const char xml[] = "<domain type='test'><name>späte Maschine</name><uuid>" UUID_A "</uuid>"
                                  "<title>t</title><description>Ünter &lt;uns&gt;</description>"
                                  "<memory unit='MiB'>64</memory><vcpu>3</vcpu><os><type>hvm</type></os>"
                                  "<devices><graphics type='vnc' port='5901'/></devices></domain>";

        ck_assert_ptr_nonnull(other);
        check_ok(add(&f, "here", "test:///default"));
        virDomainPtr vm = virDomainDefineXML(other, xml);
        ck_assert_ptr_nonnull(vm);
        wait_until(&f, f.n_added == 3);
        ck_assert(vm_state_is(&f, "here", "späte Maschine", "STOPPED"));
        _cleanup_free_ char *path = vm_path(&f, "here", UUID_A);
        _cleanup_free_ char *description = property(&f, path, HYPER_HOSTS_VM_INTERFACE, "Description");
        ck_assert_str_eq(description, "Ünter <uns>");
        ck_assert_str_eq(path, ROOT "/here/vm/_311111111_2d2222_2d3333_2d4444_2d555555555555");
        ck_assert_int_eq(virDomainCreate(vm), 0);
        while (!vm_state_is(&f, "here", UUID_A, "ACTIVE"))
                turn(&f);
        ck_assert_int_eq(virDomainSuspend(vm), 0);
        while (!vm_state_is(&f, "here", UUID_A, "PAUSED"))
                turn(&f);
        ck_assert_int_eq(virDomainDestroy(vm), 0);
        ck_assert_int_eq(virDomainUndefine(vm), 0);
        wait_until(&f, f.n_removed == 1);
        check_error(ask(&f, ROOT, MANAGER, "GetVm", "ss", "here", UUID_A), HYPER_BUS_ERROR_NO_SUCH_VM,
                        UUID_A);
        virDomainFree(vm);
        virConnectClose(other);
HOSTS_TEST_END

HOSTS_TEST(names_may_be_anything)
        static const char *const names[] = { "with blanks", "Größe ⚙", "..", "%s%n", "'\"<&>" };
        _cleanup_free_ char *vms = strdup(""), *uri = NULL;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *quoted = NULL, *before = vms;

                /* The last one is made of what XML has words for. */
                quoted = strdup(i == ELEMENTSOF(names) - 1 ? "'\"&lt;&amp;&gt;" : names[i]);
                vms = strprintf("%s<domain "
                                "type='test'><name>%s</name><memory>1024</memory><os><type>hvm</type></os></"
                                "domain>",
                                before, quoted);
        }
        uri = make_host(&f, "names", vms);
        check_ok(add(&f, "Büro 1", uri));
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = vm_path(&f, "Büro 1", names[i]);
                _cleanup_free_ char *name = property(&f, path, HYPER_HOSTS_VM_INTERFACE, "Name");

                ck_assert_str_eq(name, names[i]);
                check_ok(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "Destroy", NULL));
                ck_assert(vm_state_is(&f, "Büro 1", names[i], "STOPPED"));
        }
HOSTS_TEST_END

HOSTS_TEST(hardware_is_json)
        _cleanup_free_ char *uri = make_host(&f, "hw",
                        "<domain type='test'><name>a</name><uuid>" UUID_A "</uuid><memory>1024</memory>"
                        "<os><type>hvm</type></os><devices><disk type='file' device='disk'>"
                        "<driver name='qemu' type='qcow2'/><source file='/srv/ä b.qcow2'/><target dev='vda' "
                        "bus='virtio'/>"
                        "</disk><interface type='bridge'><mac address='52:54:00:11:22:33'/><source "
                        "bridge='br0'/>"
                        "<model type='virtio'/></interface></devices></domain>");
        const char *path, *model, *type;

        check_ok(add(&f, "h", uri));
        _cleanup_free_ char *vm = vm_path(&f, "h", "a");
        _cleanup_json_ json_t *o = json_answer(ask(&f, vm, HYPER_HOSTS_VM_INTERFACE, "GetHardware", NULL));
        ck_assert_int_eq(json_unpack(o, "{s:[{s:s}], s:[{s:{s:s, s:s}}]}", "disks", "path", &path,
                                         "networks", "model", "model_type", &model, "type", &type),
                        0);
        ck_assert_str_eq(path, "/srv/ä b.qcow2");
        ck_assert_str_eq(model, "virtio");
        ck_assert_str_eq(type, "virtio");
HOSTS_TEST_END

HOSTS_TEST(a_thousand_vms_are_listed_in_pages_and_as_objects)
        _cleanup_free_ char *uri = NULL, *text = NULL;
        size_t size, n = 0;
        FILE *vms = open_memstream(&text, &size);
        const char *name;
        /* (under valgrind a call with all of them would take longer than the bus waits) */
        const uint64_t there = getenv("VALGRIND") ? 100 : 1000;
        uint64_t total;

        for (unsigned i = 0; i < there; i++)
                fprintf(vms,
                                "<domain "
                                "type='test'><name>vm%u</name><memory>1024</memory><os><type>hvm</type></os>"
                                "</domain>",
                                i);
        ck_assert_int_eq(fclose(vms), 0);
        uri = make_host(&f, "many", text);
        check_ok(add(&f, "h", uri));
        sd_bus_message *m = ask(&f, ROOT, MANAGER, "ListVms", "stt", "h", there - 10, UINT64_C(1000));
        ck_assert_int_gt(sd_bus_message_read(m, "t", &total), 0);
        ck_assert_uint_eq(total, there);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(sossssuts)"), 0);
        while (sd_bus_message_read(m, "(sossssuts)", NULL, NULL, NULL, &name, NULL, NULL, NULL, NULL, NULL) >
                        0)
                n++;
        ck_assert_uint_eq(n, 10);
        sd_bus_message_unref(m);
        check_error(ask(&f, ROOT, MANAGER, "ListVms", "stt", "h", UINT64_C(0), UINT64_C(1001)),
                        HYPER_BUS_ERROR_INVALID_ARGUMENT, "limit");
        m = ask(&f, ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}"), 0);
        for (n = 0; sd_bus_message_skip(m, "{oa{sa{sv}}}") > 0;)
                n++;
        ck_assert_uint_ge(n, there + 1);
        sd_bus_message_unref(m);
HOSTS_TEST_END

static int on_objects(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        int *n = userdata;

        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}"), 0);
        for (*n = 0; sd_bus_message_skip(reply, "{oa{sa{sv}}}") > 0;)
                (*n)++;
        return 0;
}

/* 121 objects take several steps; between them, the host goes. */
HOSTS_TEST(a_host_may_go_while_its_objects_are_listed)
        _cleanup_free_ char *text = NULL, *uri = NULL;
        size_t size;
        FILE *vms = open_memstream(&text, &size);
        int n = -1;

        for (unsigned i = 0; i < 120; i++)
                fprintf(vms,
                                "<domain type='test'><name>vm%u</name><memory>1024</memory><os>"
                                "<type>hvm</type></os></domain>",
                                i);
        ck_assert_int_eq(fclose(vms), 0);
        uri = make_host(&f, "many", text);
        check_ok(add(&f, "h", uri));
        ck_assert_int_ge(sd_bus_call_method_async(f.client, NULL, HYPER_HOSTS_BUS_NAME, ROOT,
                                         "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                                         on_objects, &n, NULL),
                        0);
        wait_until(&f, !TAILQ_EMPTY(&f.hosts->replies.replies));
        ck_assert_int_eq(n, -1);
        f.n_removed = 0;
        check_ok(ask(&f, ROOT, MANAGER, "RemoveHost", "s", "h"));
        wait_until(&f, n >= 0);
        ck_assert_int_lt(n, 122);
        /* Once when they went, and if the list was not complete by then, once more after it. */
        wait_until(&f, f.n_removed >= 121);
HOSTS_TEST_END

/* --- statistics ------------------------------------------------------------------------------------ */

HOSTS_TEST(statistics_come_to_who_subscribed)
        unsigned calls, n;

        check_ok(add(&f, "here", "test:///default"));
        _cleanup_free_ char *path = vm_path(&f, "here", "test");
        _cleanup_json_ json_t *o = json_answer(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "GetStats", NULL));
        json_int_t state, memory, vcpu, cpu_time;
        json_t *disks, *uptime;
        double cpu;
        ck_assert_int_eq(json_unpack(o, "{s:I, s:I, s:I, s:I, s:o, s:F, s:o}", "state", &state, "memory",
                                         &memory, "vcpu", &vcpu, "cpu_time", &cpu_time, "disk_stats", &disks,
                                         "cpu_percent", &cpu, "uptime", &uptime),
                        0);
        ck_assert_int_eq(state, VIR_DOMAIN_RUNNING);
        ck_assert_int_gt(memory, 0);
        ck_assert_int_gt(vcpu, 0);
        ck_assert(json_is_array(disks));
        ck_assert(json_is_null(uptime));

        check_error(ask(&f, ROOT, MANAGER, "SubscribeStats", "ss", "none", "test"),
                        HYPER_BUS_ERROR_NO_SUCH_HOST, "none");
        check_error(ask(&f, ROOT, MANAGER, "SubscribeStats", "ss", "here", "none"),
                        HYPER_BUS_ERROR_NO_SUCH_VM, "none");
        check_ok(ask(&f, ROOT, MANAGER, "SubscribeStats", "ss", "here", "test"));
        wait_until(&f, f.n_stats > 0);
        /* Once more, under another name, and by another client: libvirt is not asked for that. */
        calls = libvirt_sample_calls();
        check_ok(ask(&f, ROOT, MANAGER, "SubscribeStats", "ss", "here", "test"));
        wait_until(&f, f.n_stats > 1);
        ck_assert_uint_eq(libvirt_sample_calls(), calls);
        /* Then by itself. */
        wait_until(&f, f.n_stats > 2);
        ck_assert_uint_gt(libvirt_sample_calls(), calls);

        /* Off: a last word. On again: it goes on. */
        check_ok(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "Destroy", NULL));
        while (!strstr(f.stats, "\"state\":5"))
                turn(&f);
        n = f.n_stats;
        check_ok(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "Start", NULL));
        wait_until(&f, f.n_stats > n && strstr(f.stats, "\"state\":1"));
        ck_assert_ptr_null(strstr(f.stats, "\"uptime\":null"));

        check_ok(ask(&f, ROOT, MANAGER, "UnsubscribeStats", "ss", "here", "test"));
        ck_assert_ptr_null(f.hosts->subscriptions);
        ck_assert_ptr_null(f.hosts->clients);
HOSTS_TEST_END

HOSTS_TEST(a_client_that_leaves_the_bus_takes_its_subscriptions_along)
        sd_bus *other = private_bus_connect(f.dir, f.event), *mine = f.client;

        check_ok(add(&f, "here", "test:///default"));
        f.client = other;
        check_ok(ask(&f, ROOT, MANAGER, "SubscribeStats", "ss", "here", "test"));
        f.client = mine;
        ck_assert_uint_eq(HASH_COUNT(f.hosts->subscriptions), 1);
        sd_bus_flush_close_unref(other);
        wait_until(&f, !f.hosts->subscriptions);
        ck_assert_ptr_null(f.hosts->clients);
HOSTS_TEST_END

HOSTS_TEST(a_subscription_outlives_its_vm)
        virConnectPtr other = virConnectOpen("test:///default");
        static const char xml[] =
                        "<domain type='test'><name>x</name><uuid>" UUID_A "</uuid><memory>1024</memory>"
                        "<os><type>hvm</type></os></domain>";

        check_ok(add(&f, "here", "test:///default"));
        virDomainPtr vm = virDomainCreateXML(other, xml, 0);
        wait_until(&f, f.n_added == 3);
        check_ok(ask(&f, ROOT, MANAGER, "SubscribeStats", "ss", "here", "x"));
        wait_until(&f, f.n_stats > 0);
        ck_assert_int_eq(virDomainDestroy(vm), 0); /* it was transient: now there is none */
        virDomainFree(vm);
        wait_until(&f, f.n_removed == 1);
        unsigned n = f.n_stats;
        vm = virDomainCreateXML(other, xml, 0);
        wait_until(&f, f.n_stats > n && strstr(f.stats, "\"state\":1"));
        virDomainDestroy(vm);
        virDomainFree(vm);
        virConnectClose(other);
HOSTS_TEST_END

/* --- the rest -------------------------------------------------------------------------------------- */

static void compare(Fixture *f, const char *path, const char *interface) {
        sd_bus_message *m = ask(f, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
        const char *xml;

        ck_assert_int_gt(sd_bus_message_read(m, "s", &xml), 0);
        introspection_compare(xml, interface);
        sd_bus_message_unref(m);
}

HOSTS_TEST(the_bus_has_what_is_written_down)
        check_ok(add(&f, "here", "test:///default"));
        _cleanup_free_ char *vm = vm_path(&f, "here", "test");
        compare(&f, ROOT, MANAGER);
        compare(&f, ROOT "/here", HYPER_HOSTS_HOST_INTERFACE);
        compare(&f, vm, HYPER_HOSTS_VM_INTERFACE);
HOSTS_TEST_END

HOSTS_TEST(the_configuration_is_read_again)
        put_configuration(&f, "hosts:\n  call_timeout: 7\n");
        check_ok(ask(&f, ROOT, MANAGER, "Reload", NULL));
        ck_assert_uint_eq(f.hosts->settings->hosts.call_timeout, 7 * USEC_PER_SEC);
        /* A bad one is not taken. */
        put_configuration(&f, "hosts:\n  call_timeout: 8\n  calltimeout: 9\n");
        check_error(ask(&f, ROOT, MANAGER, "Reload", NULL), HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "config.yaml:3: hosts.calltimeout");
        ck_assert_uint_eq(f.hosts->settings->hosts.call_timeout, 7 * USEC_PER_SEC);
HOSTS_TEST_END

static bool host_is(Fixture *f, const char *state) {
        _cleanup_free_ char *now = property(f, ROOT "/here", HYPER_HOSTS_HOST_INTERFACE, "State");

        return streq(now, state);
}

/* An older hyper has taken it, or the configuration was another one. */
HOSTS_TEST(a_uri_that_is_not_allowed_any_more_is_never_opened)
        check_ok(add(&f, "here", "test:///default"));
        down(&f);
        f.no_test_hosts = true;
        up(&f);
        ck_assert(host_is(&f, "ERROR"));
        _cleanup_free_ char *error = property(&f, ROOT "/here", HYPER_HOSTS_HOST_INTERFACE, "Error");
        ck_assert_msg(strstr(error, "its URI is not allowed") && strstr(error, "hosts.allow_test"), "%s",
                        error);
        ck_assert_ptr_null(f.hosts->by_id->thread);
        ck_assert_ptr_null(f.hosts->by_id->retry);
        check_error(add(&f, "more", "test:///default"), HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "hosts.allow_test");
        check_error(add(&f, "more", "qemu:///system?name=test:///default"), HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "no parameter but no_verify=1");
        /* What was known of its VMs is there, and it can be removed. */
        ck_assert_uint_eq(count_vms(&f, "here"), 1);

        put_configuration(&f, "hosts:\n  allow_test: true\n");
        check_ok(ask(&f, ROOT, MANAGER, "Reload", NULL));
        wait_until(&f, host_is(&f, "CONNECTED"));
        put_configuration(&f, "hosts:\n  allow_test: false\n");
        check_ok(ask(&f, ROOT, MANAGER, "Reload", NULL));
        ck_assert(host_is(&f, "ERROR"));
        ck_assert_ptr_null(f.hosts->by_id->thread);
        check_ok(ask(&f, ROOT, MANAGER, "RemoveHost", "s", "here"));
HOSTS_TEST_END

/* A file's first line is nobody's business. */
HOSTS_TEST(an_error_does_not_quote_a_file)
        static const char *const contents[] = {
                "secret:x:0:0\n", "<secret/>", "<node><domain type='secret'/></node>",
                "<node><domain type='test'><name>secret</name><os><type>secret</type></os></domain></node>"
        };
        for (size_t i = 0; i < ELEMENTSOF(contents); i++) {
                _cleanup_free_ char *path = strprintf("%s/quoted.xml", f.dir),
                                    *uri = strprintf("test://%s", path);
                _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
                ck_assert_int_eq(pwrite_full(fd, contents[i], strlen(contents[i]), 0), 0);
                sd_bus_message *m = add(&f, "quoted", uri);
                const sd_bus_error *e = sd_bus_message_get_error(m);
                ck_assert_ptr_nonnull(e);
                ck_assert_msg(!strstr(e->message, "secret"), "%s", e->message);
                sd_bus_message_unref(m);
        }
HOSTS_TEST_END

HOSTS_TEST(domains_are_defined_on_known_hosts_only)
        static const struct {
                const char *method, *uri, *text, *error;
        } cases[] = {
                { "DescribeTarget", "qemu+ssh://root@elsewhere/system", "",
                                "uri: qemu+ssh://***@elsewhere/system is not the URI of a host that was added" },
                { "DescribeTarget", "lxc:///", "", "uri: " },
                { "DefineVm", "qemu+tls://elsewhere/system", "{}", "is not the URI of a host" },
                { "DefineVm", "qemu:///system", "{}", "domain: job_id: must be given" },
                { "DefineVm", "qemu:///system",
                                "{\"job_id\":\"a\",\"name\":\"../a\",\"vm\":{},"
                                "\"disks\":[{\"path\":\"/a\",\"format\":\"raw\"}]}",
                                "domain: name: must be" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check_error(ask(&f, ROOT, MANAGER, cases[i].method, "ss", cases[i].uri, cases[i].text),
                                HYPER_BUS_ERROR_INVALID_ARGUMENT, cases[i].error);
HOSTS_TEST_END

static KvmDomain *parse_domain(const char *text) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        KvmDomain *d;

        ck_assert_int_eq(kvm_domain_decode(text, strlen(text), &d, &errors), 0);
        return d;
}

static void assert_running(Fixture *f, const KvmDomain *d, const Host *target, const char *expected) {
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(hosts_find_running(f->hosts, d, target, &text), 0);
        if (expected)
                ck_assert_msg(text && strstr(text, expected), "\"%s\" is not in \"%s\"", expected,
                                strempty(text));
        else
                ck_assert_msg(!text, "%s", text);
}

HOSTS_TEST(a_domain_is_not_started_while_its_source_runs)
        _cleanup_free_ char *
                        uri = make_host(&f, "source",
                                       "<domain type='test'><name>web</name><uuid>" UUID_A
                                       "</uuid><memory>1024</memory>"
                                       "<os><type>hvm</type></os><devices><interface type='network'>"
                                       "<mac address='00:50:56:AA:BB:CC'/><source network='default'/></interface></devices>"
                                       "</domain>"),
                       *path = NULL;
        _cleanup_kvm_domain_ KvmDomain *
                        mac = parse_domain("{\"job_id\":\"a\",\"name\":\"a\",\"disks\":[{\"path\":\"/a\","
                                           "\"format\":\"raw\"}],\"vm\":{\"nics\":[{\"mac\":"
                                           "\"00:50:56:aa:bb:cc\"}]}}"),
                       *uuid = parse_domain("{\"job_id\":\"a\",\"name\":\"a\",\"disks\":[{\"path\":"
                                            "\"/a\",\"format\":\"raw\"}],\"vm\":{\"uuid\":\"" UUID_A "\"}}"),
                       *other = parse_domain(
                                       "{\"job_id\":\"a\",\"name\":\"web\",\"disks\":[{\"path\":\"/a\","
                                       "\"format\":\"raw\"}],\"vm\":{\"nics\":[{\"mac\":"
                                       "\"00:50:56:aa:bb:cd\"}]}}");

        assert_running(&f, mac, NULL, NULL);
        check_ok(add(&f, "source", uri));
        path = vm_path(&f, "source", "web");
        assert_running(&f, mac, NULL,
                        "web on the host source runs with the MAC address 00:50:56:aa:bb:cc: stop");
        assert_running(&f, uuid, NULL, "runs with the UUID " UUID_A);
        assert_running(&f, other, NULL, NULL);
        /* On the host itself, libvirt knows. */
        assert_running(&f, mac, hosts_find(f.hosts, "source"), NULL);
        /* It was running when it was last seen. */
        check_ok(ask(&f, ROOT "/source", HYPER_HOSTS_HOST_INTERFACE, "Disconnect", NULL));
        wait_until(&f, f.connected == 0);
        assert_running(&f, mac, NULL, "ran on the host source when this was last connected");
        check_ok(ask(&f, ROOT "/source", HYPER_HOSTS_HOST_INTERFACE, "Connect", NULL));
        check_ok(ask(&f, path, HYPER_HOSTS_VM_INTERFACE, "Destroy", NULL));
        wait_until(&f, !vm_is_active(host_find_vm(hosts_find(f.hosts, "source"), UUID_A)));
        assert_running(&f, mac, NULL, NULL);
        assert_running(&f, uuid, NULL, NULL);
HOSTS_TEST_END

HOSTS_TEST(without_a_host_it_ends)
        f.hosts->settings->daemon.idle_timeout = USEC_PER_SEC / 5;
        down(&f);
        up(&f);
        f.hosts->settings->daemon.idle_timeout = USEC_PER_SEC / 5;
        f.hosts->idle_timer = sd_event_source_disable_unref(f.hosts->idle_timer);
        f.hosts->slots[5] = sd_bus_slot_unref(f.hosts->slots[5]);
        ck_assert_int_ge(hosts_idle_start(f.hosts), 0);
        while (!f.exited)
                turn(&f);
        ck_assert_int_eq(f.exit_code, 0);
HOSTS_TEST_END

HOSTS_TEST(a_vm_is_inspected_as_a_source)
        _cleanup_free_ char *uri = make_host(&f, "source",
                        "<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os>"
                        "<devices><disk type='network'><source protocol='nbd' name='x'/><target dev='vda'/>"
                        "</disk></devices></domain>");
        const char *name, *concerns;

        check_ok(add(&f, "h", uri));
        _cleanup_json_ json_t *o = json_answer(ask(&f, ROOT, MANAGER, "InspectVm", "ss", "h", "web"));
        const json_t *vm = json_object_get(o, "vm");
        ck_assert_str_eq(json_string_value(json_object_get(vm, "name")), "web");
        ck_assert_str_eq(json_string_value(json_object_get(vm, "host")), "h");
        ck_assert_str_eq(json_string_value(json_object_get(vm, "state")), "ACTIVE");
        ck_assert_str_eq(json_string_value(json_object_get(
                                         json_array_get(json_object_get(o, "concerns"), 0), "code")),
                        "disk_kind");
        /* The list has the same. */
        sd_bus_message *m = ask(&f, ROOT, MANAGER, "ListVms", "stt", "h", UINT64_C(0), UINT64_C(10));
        ck_assert_int_gt(sd_bus_message_skip(m, "t"), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(sossssuts)"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "(sossssuts)", NULL, NULL, NULL, &name, NULL, NULL, NULL,
                                         NULL, &concerns),
                        0);
        ck_assert_ptr_nonnull(strstr(concerns, "\"disk_kind\""));
        ck_assert_ptr_nonnull(strstr(concerns, "\"in_use\""));
        sd_bus_message_unref(m);
        check_error(ask(&f, ROOT, MANAGER, "InspectVm", "ss", "h", "none"), HYPER_BUS_ERROR_NO_SUCH_VM,
                        "none");
        check_error(ask(&f, ROOT, MANAGER, "InspectVm", "ss", "none", "web"), HYPER_BUS_ERROR_NO_SUCH_HOST,
                        "none");
HOSTS_TEST_END

TEST_MAIN("hosts-bus", a_vm_is_inspected_as_a_source, a_host_is_added_and_has_its_vms,
                what_cannot_be_a_host_is_refused, a_host_without_an_id_gets_one,
                a_host_that_is_removed_takes_its_vms_along, one_uri_is_one_host,
                a_host_is_disconnected_and_connected_on_request, a_host_that_cannot_be_connected_says_why,
                a_host_gets_another_name, what_a_host_has_is_listed, disks_and_ports_of_all_vms,
                what_happens_is_remembered_and_settings_are_kept, facts_of_a_host,
                while_a_host_is_away_what_was_known_of_it_is_there, a_vm_is_stopped_and_started,
                a_vm_that_others_change_is_seen, names_may_be_anything, hardware_is_json,
                a_thousand_vms_are_listed_in_pages_and_as_objects,
                a_host_may_go_while_its_objects_are_listed, statistics_come_to_who_subscribed,
                a_client_that_leaves_the_bus_takes_its_subscriptions_along, a_subscription_outlives_its_vm,
                the_bus_has_what_is_written_down, the_configuration_is_read_again,
                a_uri_that_is_not_allowed_any_more_is_never_opened, an_error_does_not_quote_a_file,
                domains_are_defined_on_known_hosts_only, a_domain_is_not_started_while_its_source_runs,
                without_a_host_it_ends)
