/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Providers and their VMs in the form of v1, over HTTP. Stand-ins for hyper-managerd, hyper-vsphered and
 * hyper-hostd are on a bus of the test's own. */

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "api/v1/v1-compare.h"
#include "api/v1/v1-connect.h"
#include "api/v1/v1-routes.h"
#include "api/v1/v1-vm.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "store/api-keys.h"
#include "store/hosts.h"
#include "store/job-changes.h"
#include "store/sources.h"
#include "unit/lib/api-test.h"
#include "unit/lib/private-bus.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

#define N_VMS 87u
#define T0 (1767225600 * USEC_PER_SEC) /* 2026-01-01T00:00:00Z */
#define UUID "f47ac10b-58cc-4372-a567-0e02b2c3d479"
#define FINGERPRINT                                                       \
        "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:" \
        "55:66:77:88:99:AA:BB:CC:DD:EE:FF"

typedef struct Fixture {
        char *dir;
        Store *store, *hosts;
        pid_t bus, daemons;
        TestServer server;
        ApiKey key;
} Fixture;

/* --- stand-ins ------------------------------------------------------------------------------------- */

static char *read_source(sd_bus_message *m, const char *key) {
        _cleanup_json_ json_t *source = NULL;
        const char *text;

        ck_assert_int_gt(sd_bus_message_read(m, "s", &text), 0);
        source = json_loads(text, 0, NULL);
        return strdup(strempty(json_string_value(json_object_get(source, key))));
}

static json_t *vm_json(unsigned i) {
        return json_pack("{s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "id",
                        json_sprintf("vm-%u", i), "name", json_sprintf("web-server-%02u", i), "path",
                        json_sprintf("DC0/vm/%s/web-server-%02u", i % 2 ? "odd" : "even", i), "power_state",
                        i % 3 ? "poweredOn" : "poweredOff", "guest_id",
                        i % 2 ? "rhel9_64Guest" : "windows2019srv_64Guest", "guest_os",
                        i % 2 ? "RHEL 9.3" : "Windows Server 2019", "tools_status", "guestToolsRunning",
                        "num_cpu", 4, "memory_mb", 8192 - (int) i, "ip_address", "10.0.0.1");
}

static json_t *detail_json(unsigned i) {
        json_t *vm = vm_json(i);

        json_object_update_new(vm,
                        json_pack("{s:[{s:s, s:i, s:i}], s:[{s:s, s:I, s:s, s:i, s:i, s:b, s:s, s:b, s:b, s:s}], s:[{s:s, s:s, "
                                  "s:s, s:b}], s:{s:s, s:b, s:b, s:i}, s:i, s:b, s:s, s:[{s:s, s:s, s:s, s:b}]}",
                                        "controllers", "type", "ParaVirtualSCSIController", "key", 1000,
                                        "bus", 0, "disks", "label", "Hard disk 1", "capacity_bytes",
                                        (json_int_t) 100 << 30, "file_path", "[DS] web/web.vmdk", "key",
                                        2000, "unit", 0, "thin_provisioned", 1, "controller_type",
                                        "ParaVirtualSCSIController", "rdm", 0, "shared", 0, "mode",
                                        "persistent", "nics", "type", "VirtualVmxnet3", "network",
                                        "VM Network", "mac", "00:50:56:ab:cd:ef", "connected", 1, "hardware",
                                        "firmware", "bios", "secure_boot", 0, "tpm", 0, "cores_per_socket",
                                        2, "snapshot_count", 1, "change_tracking", 1, "host", "esx1",
                                        "snapshots", "id", "snapshot-7", "name", "before", "created_at",
                                        "2026-01-02T03:04:05.678Z", "current", 1));
        return vm;
}

static int reply_json(sd_bus_message *m, json_t *value) {
        _cleanup_free_ char *text = json_dumps(value, JSON_COMPACT);

        json_decref(value);
        return sd_bus_reply_method_return(m, "s", text);
}

/* While this file exists, no server answers. */
static char *down_file;

static void down(bool down) {
        if (!down)
                ck_assert_int_eq(unlink(down_file), 0);
        else
                ck_assert_int_ge(close(open(down_file, O_CREAT | O_WRONLY, 0600)), 0);
}

/* In two pages. */
static int list_vms(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *name = read_source(m, "name"), *text = NULL;
        _cleanup_json_ json_t *list = json_array();
        const char *filter, *cursor;
        uint32_t limit;

        ck_assert_int_gt(sd_bus_message_read(m, "sus", &filter, &limit, &cursor), 0);
        if (streq(name, "vc2") || access(down_file, F_OK) >= 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_SERVER_UNREACHABLE, "%s is down", name);
        for (unsigned i = *cursor ? 50 : 0; i < (*cursor ? N_VMS : 50); i++)
                json_array_append_new(list, vm_json(i));
        text = json_dumps(list, JSON_COMPACT);
        return sd_bus_reply_method_return(m, "sstt", text, *cursor ? "" : "50", (uint64_t) N_VMS, T0);
}

static int get_vms(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_strv_free_ char **ids = NULL;
        json_t *list = json_array();

        ck_assert_int_gt(sd_bus_message_skip(m, "s"), 0);
        ck_assert_int_ge(sd_bus_message_read_strv(m, &ids), 0);
        STRV_FOREACH(id, ids)
                json_array_append_new(list, detail_json((unsigned) atoi(*id + 3)));
        return reply_json(m, list);
}

static int get_vm(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *source, *vm;

        ck_assert_int_gt(sd_bus_message_read(m, "ss", &source, &vm), 0);
        return reply_json(m, detail_json((unsigned) atoi(strrchr(vm, '-') + 1)));
}

static int test_source(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *text;
        _cleanup_json_ json_t *source = NULL;

        ck_assert_int_gt(sd_bus_message_read(m, "s", &text), 0);
        source = json_loads(text, 0, NULL);
        const char *name = json_string_value(json_object_get(source, "name"));
        if (streq_ptr(name, "vc2"))
                return bus_error_setf(error, HYPER_BUS_ERROR_SERVER_UNREACHABLE, "vc2 is down");
        if (!name && !json_object_get(source, "thumbprint"))
                return bus_error_setf(error, HYPER_BUS_ERROR_CERTIFICATE_REFUSED,
                                "The certificate has the SHA-256 thumbprint " FINGERPRINT ".");
        if (!name && !streq(json_string_value(json_object_get(source, "password")), "right"))
                return bus_error_setf(error, HYPER_BUS_ERROR_LOGIN_REFUSED, "Wrong password");
        return reply_json(m, json_pack("{s:s, s:s}", "version", "8.0.2", "server", "VMware"));
}

static const sd_bus_vtable vsphere[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("ListVMs", "ssus", "sstt", list_vms, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetVMs", "sas", "s", get_vms, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetVM", "ss", "s", get_vm, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("TestSource", "s", "s", test_source, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int insert_source(Store *s, const char *name, usec_t created_at) {
        const SourceRow row = { .name = (char *) name,
                .type = (char *) "vsphere",
                .url = (char *) "https://vcenter.example.com",
                .username = (char *) "me",
                .credentials = (char *) name,
                .created_at = created_at };

        return store_source_insert(s, &row);
}

static int add_source(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_json_ json_t *definition = NULL;
        const char *text, *password;

        ck_assert_int_gt(sd_bus_message_read(m, "ss", &text, &password), 0);
        definition = json_loads(text, 0, NULL);
        ck_assert_str_eq(password, "right");
        const char *name = json_string_value(json_object_get(definition, "name"));
        if (json_is_true(json_object_get(definition, "replace")))
                ck_assert_int_eq(store_source_delete(userdata, name), 0);
        ck_assert_int_eq(insert_source(userdata, name, now_realtime()), 0);
        return sd_bus_reply_method_return(m, NULL);
}

static int remove_source(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name;

        ck_assert_int_gt(sd_bus_message_read(m, "s", &name), 0);
        ck_assert_int_eq(store_source_delete(userdata, name), 0);
        return sd_bus_reply_method_return(m, NULL);
}

static int deploy_vm(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *text;

        ck_assert_int_gt(sd_bus_message_read(m, "s", &text), 0);
        if (strstr(text, "taken"))
                return bus_error_setf(error, HYPER_BUS_ERROR_JOB_EXISTS, "A domain taken exists");
        if (strstr(text, "broken"))
                return bus_error_setf(error, HYPER_BUS_ERROR_LIBVIRT, "qemu has ended");
        return sd_bus_reply_method_return(m, "s", "{\"name\":\"web\",\"status\":\"running\"}");
}

static int list_sources(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "s", "[]");
}

static const sd_bus_vtable manager[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("DeployVm", "s", "s", deploy_vm, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListSources", "", "s", list_sources, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("AddSource", "ss", "", add_source, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("RemoveSource", "s", "", remove_source, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int list_hosts(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "a(sossssutt)", 1, "local", HYPER_HOSTS_BUS_PATH "/local",
                        "qemu:///system", "here", "CONNECTED", "", (uint32_t) 1, T0, T0);
}

static int find_vm(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "os", HYPER_HOSTS_BUS_PATH "/vm", UUID);
}

static const sd_bus_vtable hosts[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("ListHosts", "", "a(sossssutt)", list_hosts, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetVm", "ss", "os", find_vm, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int list_disks(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "a(sssssssstbb)", 2, UUID, "web-server-01", "vda", "virtio",
                        "disk", "file", "qcow2", "/var/lib/libvirt/images/web.qcow2", (uint64_t) 100 << 30,
                        0, 0, UUID, "web-server-01", "sda", "sata", "cdrom", "file", "raw", "", (uint64_t) 0,
                        1, 0);
}

static int list_ports(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "a(ssssssssstt)", 1, UUID, "web-server-01", "00:50:56:ab:cd:ef",
                        "virtio", "network", "default", "", "", "up", (uint64_t) 0, (uint64_t) 0);
}

static int list_networks(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "a(sssssbb)", 2, "default", UUID, "virbr0", "nat", "active", 1,
                        1, "other", UUID, "virbr1", "nat", "inactive", 0, 1);
}

static int list_pools(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "a(ssssstttb)", 1, "default", UUID, "dir", "/x", "inactive",
                        (uint64_t) 1, (uint64_t) 0, (uint64_t) 1, 1);
}

static const sd_bus_vtable host[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("ListNetworks", "", "a(sssssbb)", list_networks, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListPools", "", "a(ssssstttb)", list_pools, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListDisks", "", "a(sssssssstbb)", list_disks, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListPorts", "", "a(ssssssssstt)", list_ports, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int get_extended(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "s",
                        "{\"boot_config\":{\"firmware\":\"\",\"loader\":\"\"},\"tpm_attachments\":[],"
                        "\"cpu_topology\":{\"sockets\":2,\"cores\":2,\"threads\":1}}");
}

static int start_vm(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, NULL);
}

static int shut_down(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE, "It is off");
}

static int list_snapshots(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "s", "[{\"name\":\"a\"},{\"name\":\"b\"}]");
}

static int create_snapshot(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name;

        ck_assert_int_gt(sd_bus_message_read(m, "s", &name), 0);
        ck_assert_str_eq(name, "before");
        return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable vm[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("ListSnapshots", "", "s", list_snapshots, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CreateSnapshot", "s", "", create_snapshot, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Start", "", "", start_vm, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Shutdown", "", "", shut_down, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetExtendedHardware", "", "s", get_extended, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static void run_daemons(Fixture *f, int ready) {
        const struct {
                const char *path, *interface;
                const sd_bus_vtable *vtable;
        } objects[] = {
                { HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, manager },
                { HYPER_VSPHERE_BUS_PATH, HYPER_VSPHERE_INTERFACE, vsphere },
                { HYPER_HOSTS_BUS_PATH, HYPER_HOSTS_MANAGER_INTERFACE, hosts },
                { HYPER_HOSTS_BUS_PATH "/local", HYPER_HOSTS_HOST_INTERFACE, host },
                { HYPER_HOSTS_BUS_PATH "/vm", HYPER_HOSTS_VM_INTERFACE, vm },
        };
        static const char *const names[] = { HYPER_BUS_NAME, HYPER_VSPHERE_BUS_NAME, HYPER_HOSTS_BUS_NAME };
        sd_event *event;
        sd_bus *bus;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        ck_assert_int_ge(sd_event_new(&event), 0);
        bus = private_bus_connect(f->dir, event);
        for (size_t i = 0; i < ELEMENTSOF(objects); i++)
                ck_assert_int_ge(sd_bus_add_object_vtable(bus, NULL, objects[i].path, objects[i].interface,
                                                 objects[i].vtable, f->store),
                                0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ck_assert_int_ge(sd_bus_request_name(bus, names[i], 0), 0);
        ck_assert_int_eq(write(ready, "", 1), 1);
        (void) sd_event_loop(event);
        _exit(0);
}

/* --- the fixture ----------------------------------------------------------------------------------- */

static void start_daemons(Fixture *f) {
        int ready[2];
        char byte;

        ck_assert_int_eq(pipe(ready), 0);
        f->daemons = fork();
        ck_assert_int_ge(f->daemons, 0);
        if (f->daemons == 0)
                run_daemons(f, ready[1]);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        close(ready[1]);
}

static void add_host(Fixture *f) {
        HostRow row = { .id = (char *) "local",
                .uri = (char *) "qemu:///system",
                .shown_uri = (char *) "qemu:///system",
                .name = (char *) "here",
                .state = HOST_CONNECTED,
                .error = (char *) "",
                .created_at = T0,
                .updated_at = T0 };
        VmRow guest = { .uuid = (char *) UUID,
                .name = (char *) "web-server-01",
                .description = (char *) "",
                .state = 1,
                .vcpu_count = 4,
                .memory_bytes = (uint64_t) 8191 << 20,
                .cpu_model = (char *) "",
                .os_type = (char *) "rhel/9",
                .cpu_topology = (char *) "",
                .drift = (char *) "",
                .updated_at = T0 };
        VmRow *rows[] = { &guest };

        ck_assert_int_eq(store_host_insert(f->hosts, &row), 0);
        ck_assert_int_eq(store_vms_put(f->hosts, "local", rows, 1, NULL), 0);
}

static void start_server(Fixture *f) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", f->dir),
                            *hosts_path = strprintf("%s/hosts.db", f->dir),
                            *address = strprintf("unix:path=%s/bus", f->dir);

        test_server_start(&f->server, AF_INET, &v1_dialect,
                        &(ApiConfig){ .metrics = true,
                                        .database = path,
                                        .hosts_database = hosts_path,
                                        .bus_address = address,
                                        .cache_directory = f->dir });
}

static void fixture_open(Fixture *f) {
        _cleanup_free_ char *path = NULL, *hosts_path = NULL;
        ApiKeyRow row = { .name = (char *) "test", .scopes = 1u << SCOPE_ADMIN };

        *f = (Fixture){ .dir = test_dir() };
        down_file = strprintf("%s/down", f->dir);
        path = strprintf("%s/hyper.db", f->dir);
        hosts_path = strprintf("%s/hosts.db", f->dir);
        ck_assert_int_eq(store_open(path, STORE_OWNER, &f->store), 0);
        ck_assert_int_eq(store_open_hosts(hosts_path, STORE_OWNER, &f->hosts), 0);
        ck_assert_int_eq(api_key_make(&f->key), 0);
        row.id = f->key.id;
        api_key_hash(f->key.text, strlen(f->key.text), &row.hash);
        ck_assert_int_eq(store_api_key_insert(f->store, &row), 0);
        ck_assert_int_eq(insert_source(f->store, "vc1", T0), 0);
        add_host(f);
        f->bus = private_bus_start(f->dir);
        start_daemons(f);
        start_server(f);
}

static void fixture_done(Fixture *f) {
        ck_assert_int_eq(test_server_stop(&f->server), 0);
        (void) kill(f->daemons, SIGKILL);
        (void) waitpid(f->daemons, NULL, 0);
        private_bus_stop(f->bus);
        store_free(f->store);
        store_free(f->hosts);
        free(down_file);
        test_dir_freep(&f->dir);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

static json_t *ask_with(Fixture *f, const char *what, const char *body, unsigned status) {
        _cleanup_reply_ TestReply r = {};
        json_t *reply;

        test_request(&f->server, &r,
                        "%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: "
                        "%zu\r\n\r\n%s",
                        what, f->key.text, strlen(body), body);
        ck_assert_msg(r.status == status, "%s %s: %u: %s", what, body, r.status, r.body);
        reply = json_loads(r.body, 0, NULL);
        ck_assert(json_is_object(reply));
        return reply;
}

static json_t *ask(Fixture *f, const char *what, unsigned status) {
        return ask_with(f, what, "", status);
}

static json_t *member(const json_t *o, const char *path) {
        for (const char *p = path; o && *p;) {
                char key[64];
                size_t n = strcspn(p, ".");

                (void) snprintf(key, sizeof(key), "%.*s", (int) n, p);
                o = json_is_array(o) ? json_array_get(o, (size_t) atoi(key)) : json_object_get(o, key);
                p += n + (p[n] == '.');
        }
        return (json_t *) o;
}

#define is_text(o, path, expected)                                                                       \
        ck_assert_msg(streq_ptr(json_string_value(member((o), (path))), (expected)), "%s is %s", (path), \
                        json_dumps(member((o), (path)), JSON_ENCODE_ANY))
#define is_number(o, path, expected) ck_assert_int_eq(json_integer_value(member((o), (path))), (expected))

/* --- lists ----------------------------------------------------------------------------------------- */

START_TEST(vms_are_listed_as_published) {
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        _cleanup_json_ json_t *page = ask(&f, "GET /api/v1/vms/list?provider=vsphere&limit=5&offset=1", 200);
        is_number(page, "pagination.total", N_VMS);
        ck_assert(json_is_true(member(page, "pagination.has_more")));
        ck_assert_uint_eq(json_array_size(member(page, "data")), 5);
        is_text(page, "data.0.name", "web-server-01");
        is_text(page, "data.0.provider", "vsphere");
        is_text(page, "data.0.provider_id", "vc1");
        is_text(page, "data.0.os", "linux");
        is_text(page, "data.0.os_version", "RHEL 9.3");
        is_number(page, "data.0.cpu", 4);
        is_number(page, "data.0.memory_mb", 8191);
        is_text(page, "data.0.disks.0.name", "disk-0");
        is_number(page, "data.0.disks.0.size_gb", 100);
        is_text(page, "data.0.disks.0.format", "vmdk");
        ck_assert(json_is_true(member(page, "data.0.disks.0.thin_provisioned")));
        is_text(page, "data.0.nics.0.name", "nic-0");
        is_text(page, "data.0.nics.0.type", "vmxnet3");
        is_text(page, "data.0.nics.0.network", "VM Network");
        is_text(page, "data.0.nics.0.mac", "00:50:56:ab:cd:ef");
        is_text(page, "data.0.power_state", "poweredOn");
        is_text(page, "data.0.tools_status", "running");
        is_text(page, "data.0.last_seen", "2026-01-01T00:00:00Z");
        ck_assert_ptr_null(member(page, "warnings"));

        _cleanup_json_ json_t *here = ask(&f, "GET /api/v1/vms/list?provider=libvirt", 200);
        is_number(here, "pagination.total", 1);
        is_text(here, "data.0.id", UUID);
        is_text(here, "data.0.disks.0.format", "qcow2");
        is_number(here, "data.0.disks.0.size_gb", 100);
        ck_assert_uint_eq(json_array_size(member(here, "data.0.disks")), 1);
        is_text(here, "data.0.nics.0.network", "default");
}
END_TEST

/* The reply has the pages of hyper-vsphered, one after the other. */
START_TEST(the_old_list_has_all_pages) {
        static const struct {
                const char *query;
                unsigned n;
        } cases[] = { { "", N_VMS }, { "&limit=10000", N_VMS }, { "&cursor=50", N_VMS - 50 } };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *what = strprintf("GET /vms/list?source=vc1%s", cases[i].query);
                _cleanup_json_ json_t *list = ask(&f, what, 200);
                size_t n = json_array_size(member(list, "vms"));

                ck_assert_uint_eq(n, cases[i].n);
                for (size_t k = 0; k < n; k++) {
                        _cleanup_json_ json_t *expected = vm_json((unsigned) (k + N_VMS - n));

                        ck_assert(json_equal(json_array_get(member(list, "vms"), k), expected));
                }
                is_number(list, "total", N_VMS);
                ck_assert(json_is_null(member(list, "next_cursor")));
                is_text(list, "timestamp", "2026-01-01T00:00:00Z");
        }
        /* So many fit in one page, and the rest is left to the client. */
        _cleanup_json_ json_t *first = ask(&f, "GET /vms/list?source=vc1&limit=50", 200);
        ck_assert_uint_eq(json_array_size(member(first, "vms")), 50);
        is_text(first, "next_cursor", "50");
        json_decref(ask(&f, "GET /vms/list?source=vc2", 502));
}
END_TEST

START_TEST(vms_are_filtered_and_sorted) {
        static const struct {
                const char *query;
                unsigned total;
                const char *first;
        } cases[] = {
                { "", N_VMS + 1, "web-server-00" },
                { "search=SERVER-1", 10, "web-server-10" },
                { "os=windows&provider=vsphere", 44, "web-server-00" },
                { "os=linux,windows", N_VMS + 1, "web-server-00" },
                { "os=other", 0, NULL },
                { "status=running&os=linux&provider=vc1", 29, "web-server-01" },
                { "status=stopped,suspended", 29, "web-server-00" },
                { "sort=memory_mb", N_VMS + 1, "web-server-86" },
                { "sort=name&order=desc", N_VMS + 1, "web-server-86" },
                { "offset=1000", N_VMS + 1, NULL },
                { "provider=nbd", 0, NULL },
        };
        static const struct {
                const char *query, *field;
        } wrong[] = { { "limit=201", "limit" }, { "sort=disks", "sort" }, { "os=beos", "os" },
                { "status=on", "status" }, { "provider=aws", "provider" }, { "type=export", "type" },
                { "search=", "search" } };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *what = strprintf("GET /api/v1/vms/list?%s", cases[i].query);
                _cleanup_json_ json_t *page = ask(&f, what, 200);

                ck_assert_msg(json_integer_value(member(page, "pagination.total")) == cases[i].total,
                                "%s: %s", what, json_dumps(member(page, "pagination"), 0));
                is_text(page, "data.0.name", cases[i].first);
        }
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_free_ char *what = strprintf("GET /api/v1/vms/list?%s", wrong[i].query);
                _cleanup_json_ json_t *error = ask(&f, what, 400);

                is_text(error, "errors.0.field", wrong[i].field);
        }
}
END_TEST

START_TEST(a_provider_that_fails_is_a_warning) {
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        ck_assert_int_eq(insert_source(f.store, "vc2", T0), 0);
        _cleanup_json_ json_t *page = ask(&f, "GET /api/v1/vms/list", 200);
        is_number(page, "pagination.total", N_VMS + 1);
        is_text(page, "warnings.0", "vc2: vc2 is down");
        json_decref(ask(&f, "GET /api/v1/vms/list?provider=vc2", 502));
        _cleanup_json_ json_t *list = ask(&f, "GET /api/v1/providers?provider=vsphere", 200);
        is_text(list, "data.0.id", "vc1");
        is_text(list, "data.0.status", "connected");
        is_number(list, "data.0.vm_count", N_VMS);
        is_text(list, "data.1.status", "error");
        is_text(list, "data.1.error", "vc2 is down");
}
END_TEST

/* The daemon ends when it is idle, and vc1 cannot be reached when it has started again. */
START_TEST(an_inventory_is_there_when_the_daemon_starts_again) {
        static const char *const damages[] = { "", "{}\n", "[\n", "{\"id\":\"x\",\"n_vms\":3}\n{}\n" };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        _cleanup_free_ char *file = strprintf("%s/inventories", f.dir);
        json_decref(ask(&f, "GET /api/v1/vms/list?provider=vc1", 200));
        _cleanup_json_ json_t *providers = ask(&f, "GET /api/v1/providers?provider=vc1", 200);
        is_number(providers, "data.0.vm_count", N_VMS);
        for (unsigned i = 0; i < 2; i++) { /* the second time, it has only what it has read */
                ck_assert_int_eq(test_server_stop(&f.server), 0);
                start_server(&f);
                _cleanup_json_ json_t *again = ask(&f, "GET /api/v1/providers?provider=vc1", 200);
                ck_assert(json_equal(again, providers));
        }
        down(true);
        _cleanup_json_ json_t *before =
                        ask(&f, "GET /api/v1/vms/list?provider=vc1&limit=200&refresh=true", 200);
        is_number(before, "pagination.total", N_VMS);
        is_text(before, "warnings.0", "vc1: vc1 is down");
        ck_assert_int_eq(test_server_stop(&f.server), 0);
        start_server(&f);
        _cleanup_json_ json_t *after =
                        ask(&f, "GET /api/v1/vms/list?provider=vc1&limit=200&refresh=true", 200);
        ck_assert(json_equal(after, before));
        _cleanup_json_ json_t *failed = ask(&f, "GET /api/v1/providers?provider=vc1", 200);
        is_text(failed, "data.0.status", "error");
        is_number(failed, "data.0.vm_count", N_VMS);

        /* What was replaced since is another server. */
        ck_assert_int_eq(test_server_stop(&f.server), 0);
        ck_assert_int_eq(store_source_delete(f.store, "vc1"), 0);
        ck_assert_int_eq(insert_source(f.store, "vc1", T0 + 1), 0);
        start_server(&f);
        json_decref(ask(&f, "GET /api/v1/vms/list?provider=vc1", 502));

        for (size_t i = 0; i < ELEMENTSOF(damages); i++) {
                ck_assert_int_eq(test_server_stop(&f.server), 0);
                FILE *to = fopen(file, "we");
                ck_assert_int_ge(fputs(damages[i], to), 0);
                ck_assert_int_eq(fclose(to), 0);
                start_server(&f);
                json_decref(ask(&f, "GET /api/v1/vms/list?provider=vc1", 502));
        }
}
END_TEST

/* --- one VM, two VMs ------------------------------------------------------------------------------- */

START_TEST(a_vm_is_found_by_each_name) {
        static const char *const bodies[] = {
                "{\"provider\":\"vsphere\",\"vm\":\"web-server-01\"}",
                "{\"provider_id\":\"vc1\",\"vm_name\":\"DC0/vm/odd/web-server-01\"}",
                "{\"provider\":\"vc1\",\"vm\":\"/DC0/vm/odd/web-server-01\"}",
                "{\"id\":\"vm-1\"}",
        };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_json_ json_t *guest = ask_with(&f, "POST /api/v1/vms/browse", bodies[i], 200);

                is_text(guest, "id", "vm-1");
                is_text(guest, "hardware.boot", "bios");
                is_text(guest, "disks.0.bus", "pvscsi");
                is_text(guest, "hardware.controllers.0.type", "ParaVirtualSCSIController");
                ck_assert_int_eq(json_integer_value(member(guest, "hardware.controllers.0.key")), 1000);
                is_text(guest, "datastores.0", "DS");
                is_text(guest, "host", "esx1");
                is_text(guest, "snapshots.0.id", "snapshot-7");
                is_text(guest, "snapshots.0.name", "before");
                ck_assert(json_is_true(member(guest, "snapshots.0.current")));
                ck_assert(json_is_null(member(guest, "snapshots.0.size_bytes")));
                ck_assert(json_is_true(member(guest, "migration.supported")));
        }
        _cleanup_json_ json_t *here = ask_with(&f, "POST /vms/browse", "{\"vm\":\"" UUID "\"}", 200);
        is_text(here, "hardware.boot", "bios");
        is_text(here, "disks.0.bus", "virtio");
        is_text(here, "hardware.controllers.0.type", "virtio");
        is_text(here, "snapshots.1.id", "b");
        is_text(here, "snapshots.0.name", "a");
        is_number(here, "snapshot_count", 2);
        _cleanup_json_ json_t *two = ask_with(&f, "POST /vms/browse", "{\"vm\":\"web-server-01\"}", 409);
        ck_assert_uint_eq(json_array_size(member(two, "candidates")), 2);
        json_decref(ask_with(&f, "POST /vms/browse", "{\"vm\":\"nothing\"}", 404));
        json_decref(ask_with(&f, "POST /vms/browse", "{}", 400));
        json_decref(ask_with(&f, "POST /vms/browse", "{\"vm\":1}", 400));

        _cleanup_json_ json_t *root =
                        ask_with(&f, "POST /vms/browse", "{\"provider\":\"vc1\",\"path\":\"/\"}", 200);
        is_text(root, "folders.0.path", "DC0");
        _cleanup_json_ json_t *odd = ask_with(
                        &f, "POST /vms/browse", "{\"provider\":\"vc1\",\"path\":\"/DC0/vm/odd/\"}", 200);
        is_text(odd, "parent", "DC0/vm");
        ck_assert_uint_eq(json_array_size(member(odd, "vms")), N_VMS / 2);
        is_text(odd, "vms.0.name", "web-server-01");
}
END_TEST

START_TEST(a_migrated_vm_matches_its_source) {
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        _cleanup_json_ json_t *same = ask_with(&f, "POST /api/v1/vms/compare",
                        "{\"source\":{\"provider\":\"vsphere\",\"vm\":\"web-server-01\"},"
                        "\"target\":{\"provider\":\"libvirt\",\"vm\":\"web-server-01\"}}",
                        200);
        ck_assert_msg(json_is_true(member(same, "match")), "%s", json_dumps(same, 0));
        is_number(same, "summary.different", 0);
        is_number(same, "summary.expected", 4); /* bus, network, model, tools */
        _cleanup_json_ json_t *other = ask_with(&f, "POST /api/v1/vms/compare",
                        "{\"source\":\"web-server-02\",\"target\":\"" UUID "\",\"ignore\":[\"name\"]}", 200);
        ck_assert(json_is_false(member(other, "match")));
        is_number(other, "summary.different", 2); /* memory, os */
        json_decref(ask_with(&f, "POST /api/v1/vms/compare",
                        "{\"source\":\"web-server-02\",\"target\":\"vm-2\"}", 400));
        json_decref(ask_with(&f, "POST /api/v1/vms/compare", "{\"source\":\"web-server-02\"}", 400));
}
END_TEST

/* --- providers ------------------------------------------------------------------------------------- */

START_TEST(providers_are_connected_and_removed) {
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        _cleanup_json_ json_t *list = ask(&f, "GET /api/v1/providers", 200);
        is_number(list, "pagination.total", 3);
        is_text(list, "data.0.id", "libvirt");
        is_text(list, "data.1.id", "local");
        is_text(list, "data.2.id", "vc1");
        is_text(list, "data.2.version", "8.0.2");

#define BODY(more) "{\"provider\":\"vsphere\",\"endpoint\":\"vc.example.com\",\"username\":\"me\"," more "}"
        _cleanup_json_ json_t *unknown =
                        ask_with(&f, "POST /api/v1/providers/connect", BODY("\"password\":\"right\""), 400);
        is_text(unknown, "fingerprint", FINGERPRINT);
        json_decref(ask_with(&f, "POST /api/v1/providers/connect",
                        BODY("\"password\":\"wrong\",\"fingerprint\":\"" FINGERPRINT "\""), 400));
        json_decref(ask_with(&f, "POST /api/v1/providers/test",
                        BODY("\"password\":\"right\",\"insecure\":true"), 200));
        _cleanup_json_ json_t *item = ask_with(
                        &f, "POST /api/v1/providers", BODY("\"password\":\"right\",\"insecure\":true"), 201);
        is_text(item, "id", "vsphere-1");
        is_text(item, "status", "connected");
        is_text(item, "version", "8.0.2");
        json_decref(ask_with(&f, "POST /api/v1/providers",
                        BODY("\"password\":\"right\",\"id\":\"vsphere-1\",\"fingerprint\":\"" FINGERPRINT
                             "\""),
                        200));
        json_decref(ask_with(&f, "POST /api/v1/providers", "{\"provider\":\"aws\"}", 400));
        json_decref(ask(&f, "DELETE /api/v1/providers/vsphere-1", 200));
        json_decref(ask(&f, "DELETE /api/v1/providers/vsphere-1", 404));
        json_decref(ask(&f, "DELETE /api/v1/providers/local", 409));
}
END_TEST

START_TEST(a_provider_of_a_job_is_kept) {
        const JobStateRow states[] = { { JOB_CREATED, T0, (char *) "x" },
                { JOB_VALIDATED, T0, (char *) "x" }, { JOB_QUEUED, T0, (char *) "x" } };
        JobRow row = { .id = (char *) "job-1",
                .operation = (char *) "convert",
                .spec = (char *) "{\"source\":{\"type\":\"vsphere\",\"name\":\"vc1\",\"vm_path\":\"x\"},"
                                 "\"destination\":{\"type\":\"file\",\"path\":\"/srv/x\"}}",
                .dialect = (char *) "bus",
                .role = ROLE_OPERATOR,
                .created_at = T0,
                .updated_at = T0,
                .phase = _PHASE_INVALID,
                .percent = -1 };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        ck_assert_int_eq(store_job_insert(f.store, &row, states, ELEMENTSOF(states)), 0);
        free(row.reason);
        json_decref(ask(&f, "DELETE /api/v1/providers/vc1", 409));
}
END_TEST

START_TEST(what_is_not_built_in_is_said) {
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        _cleanup_json_ json_t *all = ask(&f, "GET /api/v1/providers/capabilities", 200);
        is_text(all, "data.3.provider", "vsphere");
        ck_assert(json_is_true(member(all, "data.3.capabilities.cbt")));
        _cleanup_json_ json_t *aws = ask(&f, "GET /api/v1/providers/capabilities?provider=aws", 200);
        ck_assert(json_is_false(member(aws, "registered")));
        _cleanup_json_ json_t *vc1 = ask(&f, "GET /api/v1/providers/capabilities?provider=vc1", 200);
        is_text(vc1, "provider", "vsphere");
        json_decref(ask(&f, "GET /api/v1/providers/capabilities?provider=x", 400));
}
END_TEST

/* --- deploy, libvirt ------------------------------------------------------------------------------- */

START_TEST(libvirt_has_its_own_paths) {
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        _cleanup_json_ json_t *deployed = ask_with(&f, "POST /api/v1/vms/deploy", "{\"name\":\"web\"}", 201);
        is_text(deployed, "status", "running");
        json_decref(ask_with(&f, "POST /api/v1/vms/deploy", "{\"name\":\"taken\"}", 409));
        json_decref(ask_with(&f, "POST /api/v1/vms/deploy", "{\"name\":\"broken\"}", 502));

        _cleanup_json_ json_t *domains = ask(&f, "GET /libvirt/domains?provider=vsphere", 200);
        is_number(domains, "pagination.total", 1);
        is_text(domains, "data.0.id", UUID);
        _cleanup_json_ json_t *domain = ask(&f, "GET /libvirt/domain?name=web-server-01", 200);
        is_text(domain, "hardware.boot", "bios");
        json_decref(ask(&f, "GET /libvirt/domain", 400));
        json_decref(ask(&f, "GET /libvirt/domain?name=none", 404));
        _cleanup_json_ json_t *done = ask_with(&f, "POST /libvirt/domain/start", "{\"name\":\"x\"}", 200);
        is_text(done, "action", "start");
        json_decref(ask_with(&f, "POST /libvirt/domain/shutdown", "{\"name\":\"x\"}", 409));
        json_decref(ask_with(&f, "POST /libvirt/domain/start", "{}", 400));
        _cleanup_json_ json_t *snapshots = ask(&f, "GET /libvirt/snapshots?name=x&offset=1", 200);
        is_number(snapshots, "pagination.total", 2);
        is_text(snapshots, "data.0.name", "b");
        json_decref(ask(&f, "GET /libvirt/snapshots", 400));
        _cleanup_json_ json_t *created = ask_with(&f, "POST /libvirt/snapshot/create",
                        "{\"name\":\"x\",\"snapshot\":\"before\"}", 200);
        is_text(created, "action", "create");
        json_decref(ask_with(&f, "POST /libvirt/snapshot/create", "{\"name\":\"x\"}", 400));
        _cleanup_json_ json_t *networks = ask(&f, "GET /libvirt/networks?limit=1&offset=1", 200);
        is_number(networks, "pagination.total", 2);
        is_text(networks, "data.0.name", "other");
        _cleanup_json_ json_t *pools = ask(&f, "GET /libvirt/pools", 200);
        is_text(pools, "data.0.state", "inactive");
        json_decref(ask(&f, "GET /convert/status", 400));
        json_decref(ask(&f, "GET /convert/status?job_id=none", 404));
        json_decref(ask_with(&f, "POST /convert/vm", "{\"format\":\"none\"}", 400));
}
END_TEST

/* --- the system ------------------------------------------------------------------------------------ */

static const char *check_status(json_t *readiness, const char *name) {
        json_t *check;
        size_t i;

        json_array_foreach(json_object_get(readiness, "checks"), i, check)
                if (streq(json_string_value(json_object_get(check, "name")), name))
                        return json_string_value(json_object_get(check, "status"));
        return NULL;
}

START_TEST(readiness_has_all_checks) {
        static const char *const names[] = { "database", "manager", "credential_key", "disk_space", "kvm",
                "cpu_virtualization", "libvirt", "default_network", "storage_pool", "qemu_img", "qemu_nbd",
                "nbdkit", "vddk", "ovmf", "hyper_guest", "virtio_win", "clock", "certificate", "providers",
                "carbon" };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        _cleanup_json_ json_t *all = ask(&f, "GET /api/v1/readiness", 200);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ck_assert_msg(check_status(all, names[i]) != NULL, "%s is missing", names[i]);
        ck_assert_uint_eq(json_array_size(json_object_get(all, "checks")), ELEMENTSOF(names));
        ck_assert_str_eq(check_status(all, "database"), "ok");
        ck_assert_str_eq(check_status(all, "manager"), "ok");
        ck_assert_str_eq(check_status(all, "libvirt"), "ok");
        ck_assert_str_eq(check_status(all, "default_network"), "ok");
        ck_assert_str_eq(check_status(all, "storage_pool"), "warning");
        ck_assert_str_eq(check_status(all, "providers"), "ok");

        ck_assert_int_eq(insert_source(f.store, "vc2", T0), 0);
        _cleanup_json_ json_t *worse = ask(&f, "GET /readiness", 200);
        ck_assert_str_eq(check_status(worse, "providers"), "warning");
}
END_TEST

START_TEST(readiness_for_a_vm) {
        static const struct {
                const char *name, *status;
        } checks[] = { { "vm_found", "ok" }, { "vm_disks", "ok" }, { "vm_snapshots", "warning" },
                { "cbt", "ok" }, { "guest_supported", "ok" }, { "networks", "warning" } };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        _cleanup_json_ json_t *all = ask(&f, "GET /api/v1/readiness?provider=vsphere&vm=web-server-01", 200);
        for (size_t i = 0; i < ELEMENTSOF(checks); i++)
                ck_assert_str_eq(strna(check_status(all, checks[i].name)), checks[i].status);
        ck_assert_ptr_nonnull(check_status(all, "space"));
        _cleanup_json_ json_t *none = ask(&f, "GET /api/v1/readiness?vm=none", 200);
        ck_assert_str_eq(strna(check_status(none, "vm_found")), "error");
        ck_assert(json_is_false(json_object_get(none, "ready")));
        ck_assert_ptr_null(check_status(none, "vm_disks"));
        json_decref(ask(&f, "GET /api/v1/readiness?vm=none&destination=/root", 403));
        json_decref(ask(&f, "GET /api/v1/readiness?vm=none&destination=/var/lib/hypersdk/../x", 403));
        json_decref(ask(&f, "GET /api/v1/readiness?vm=none&format=tar", 400));
}
END_TEST

START_TEST(metrics_have_those_of_v1) {
        static const char *const names[] = { "hypersdk_jobs_total",
                "hyper_logins_total{result=\"refused\"} 0", "hyper_rate_limited_total 0",
                "hyper_upload_bytes_total 0" };
        _cleanup_reply_ TestReply r = {};
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        test_request(&f.server, &r,
                        "GET /api/v1/metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
                        f.key.text);
        ck_assert_uint_eq(r.status, 200);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ck_assert_msg(strstr(r.body, names[i]) != NULL, "%s is missing: %s", names[i], r.body);
}
END_TEST

START_TEST(the_load_of_the_machine_is_shown) {
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        _cleanup_json_ json_t *health = ask(&f, "GET /api/v1/system/health", 200);
        ck_assert(json_integer_value(member(health, "cpu.cores")) > 0);
        ck_assert_uint_eq(json_array_size(member(health, "cpu.load")), 3);
        ck_assert(json_integer_value(member(health, "memory.total_bytes")) > 0);
        ck_assert(json_number_value(member(health, "memory.percent")) <= 100);
        is_text(health, "components.0.name", "database");
        is_text(health, "components.0.status", "ok");
        is_number(health, "jobs.queued", 0);
        _cleanup_json_ json_t *alerts = ask(&f, "GET /system/alerts?limit=5&sort=started_at", 200);
        ck_assert(json_is_array(member(alerts, "data")));
        json_decref(ask(&f, "GET /system/alerts?status=bad", 400));
}
END_TEST

START_TEST(bodies_are_checked) {
        static const struct {
                const char *body, *fields;
        } cases[] = {
                { "{}", "provider endpoint" },
                { "{\"provider\":\"azure\",\"endpoint\":\"x\"}", "provider" },
                { "{\"type\":\"vsphere\",\"host\":\"x y\",\"username\":\"\"}",
                                "endpoint username password" },
                { "{\"provider\":\"vsphere\",\"url\":\"169.254.169.254\",\"username\":\"a\","
                  "\"password\":\"b\"}",
                                "endpoint" },
                { "{\"provider\":\"vsphere\",\"url\":\"[fe80::1]\",\"username\":\"a\",\"password\":\"b\"}",
                                "endpoint" },
                { "{\"provider\":\"vsphere\",\"url\":\"[::ffff:169.254.1.1]:443\",\"username\":\"a\","
                  "\"password\":\"b\"}",
                                "endpoint" },
                { "{\"provider\":\"vsphere\",\"url\":\"vc\",\"username\":\"a\",\"password\":\"b\","
                  "\"id\":\"A b\"}",
                                "id" },
                { "{\"provider\":\"vsphere\",\"url\":\"vc\",\"username\":\"a\",\"password\":\"b\","
                  "\"id\":\"libvirt\"}",
                                "id" },
                { "{\"provider\":\"vsphere\",\"url\":\"vc\",\"username\":\"a\",\"password\":\"b\","
                  "\"fingerprint\":\"x\",\"ca\":\"y\"}",
                                "ca_certificate" },
                { "{\"provider\":\"libvirt\",\"host\":\"kvm2\",\"password\":\"b\"}", "password" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(json_errors_done) JsonErrors errors = {};
                _cleanup_json_ json_t *body = json_loads(cases[i].body, 0, NULL);
                _cleanup_strv_free_ char **fields = NULL;
                V1Connect c = {};

                ck_assert_msg(v1_connect_decode(body, &c, &errors) == -EBADMSG, "%s", cases[i].body);
                for (size_t k = 0; k < errors.n_errors; k++)
                        ck_assert_int_eq(strv_extend(&fields, errors.errors[k].field), 0);
                _cleanup_free_ char *joined = strv_join(fields, " ");
                ck_assert_str_eq(joined, cases[i].fields);
        }
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(v1_connect_done) V1Connect c = {};
        _cleanup_json_ json_t *body =
                        json_pack("{s:s, s:s, s:s}", "type", "libvirt", "server", "kvm2", "id", "k2");
        ck_assert_int_eq(v1_connect_decode(body, &c, &errors), 0);
        ck_assert_str_eq(c.endpoint, "qemu+ssh://root@kvm2/system");
        ck_assert_ptr_null(v1_fingerprint_in("AA:BB"));
}
END_TEST

TEST_MAIN("v1-vms", vms_are_listed_as_published, the_old_list_has_all_pages, vms_are_filtered_and_sorted,
                an_inventory_is_there_when_the_daemon_starts_again, a_provider_that_fails_is_a_warning,
                a_vm_is_found_by_each_name, a_migrated_vm_matches_its_source,
                providers_are_connected_and_removed, a_provider_of_a_job_is_kept,
                what_is_not_built_in_is_said, libvirt_has_its_own_paths, readiness_has_all_checks,
                readiness_for_a_vm, metrics_have_those_of_v1, the_load_of_the_machine_is_shown,
                bodies_are_checked)
