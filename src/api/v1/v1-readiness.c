/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-readiness.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "api/bus-client.h"
#include "api/hosts/hosts-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/job-json.h"
#include "api/v1/v1-alerts.h"
#include "api/v1/v1-carbon.h"
#include "api/v1/v1-hardware.h"
#include "api/v1/v1-readiness-vm.h"
#include "api/v1/v1-settings.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "shared/machine.h"
#include "spec/job-fix.h"
#include "json/json-table.h"

#define CPUINFO_MAX ((size_t) 1024 * 1024)
#define DESTINATION "/var/lib/hypersdk/exports"
#define CREDENTIAL_KEY "/var/lib/systemd/credential.secret"

static const SchemaField check_fields[] = {
        { "name", SCHEMA_STRING, .description = "\"kvm\", \"libvirt\"" },
        { "status", SCHEMA_STRING, .description = "ok, warning or error" },
        { "required", SCHEMA_BOOLEAN },
        { "message", SCHEMA_STRING },
        { "detail", SCHEMA_STRING, .description = "The same." },
        { "fix", SCHEMA_STRING, SCHEMA_NULLABLE, "What to do." },
        {},
};
static const Schema check_schema = { .name = "ReadinessCheck", .fields = check_fields };

static const SchemaField summary_fields[] = { { "ok", SCHEMA_INTEGER }, { "warning", SCHEMA_INTEGER },
        { "error", SCHEMA_INTEGER }, {} };
static const Schema summary_schema = { .name = "ReadinessSummary", .fields = summary_fields };

static const SchemaField readiness_fields[] = {
        { "ready", SCHEMA_BOOLEAN, .description = "No required check is an error." },
        { "status", SCHEMA_STRING, .description = "ready, degraded or not_ready" },
        { "timestamp", SCHEMA_TIMESTAMP },
        { "summary", SCHEMA_OBJECT, .schema = &summary_schema },
        { "checks", SCHEMA_ARRAY, .schema = &check_schema },
        {},
};
static const Schema readiness_schema = { .name = "Readiness", .fields = readiness_fields };
const Reply v1_readiness_replies[] = { REPLY_OBJECT(200, "All checks.", readiness_schema), {} };

/* The format that a migration writes; only whether it has holes matters. */
static int format_from_string(const char *s) {
        static const char *const formats[] = { "raw", "qcow2", "ova", "ovf", "vmdk", "vhd", "vhdx", "vdi" };

        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                if (streq(formats[i], s))
                        return (int) i;
        return -EINVAL;
}
#define FORMAT_RAW 0

typedef struct ReadinessQuery {
        const char *provider, *vm, *destination;
        int format;
} ReadinessQuery;

const QueryField v1_readiness_query[] = {
        { "vm", QUERY_STRING, offsetof(ReadinessQuery, vm), .max = 1024,
                        .description = "Also check a VM, by its name, path or ID." },
        { "provider", QUERY_STRING, offsetof(ReadinessQuery, provider), .max = 256,
                        .description = "Where it is: a type, or the ID of a provider." },
        { "destination", QUERY_STRING, offsetof(ReadinessQuery, destination), .max = 4096,
                        .description = "The directory for its disks; default " DESTINATION "." },
        { "format", QUERY_ENUM, offsetof(ReadinessQuery, format), .from_string = format_from_string,
                        .expected = "one of raw, qcow2, ova, ovf, vmdk, vhd, vhdx, vdi" },
        {},
};

typedef enum CheckStatus { CHECK_OK, CHECK_WARNING, CHECK_ERROR, _CHECK_MAX } CheckStatus;

typedef struct ReadinessRequest {
        V1VmsRequest vms;
        ReadinessQuery query;
        char **networks; /* of libvirt on this machine */
        Settings *settings;
        json_t *checks;
        unsigned counts[_CHECK_MAX];
        bool not_ready;
        unsigned n_out;
} ReadinessRequest;

static void readiness_request_free(void *userdata) {
        ReadinessRequest *q = userdata;

        v1_vms_request_done(&q->vms);
        strv_free(q->networks);
        settings_free(q->settings);
        json_decref(q->checks);
        free(q);
}

/* A check that is not @required has a warning instead of an error. @fix may be NULL. */
static int add(void *userdata, const char *name, bool required, bool ok, const char *message,
                const char *fix) {
        static const char *const words[] = { "ok", "warning", "error" };
        ReadinessRequest *q = userdata;
        CheckStatus status = ok ? CHECK_OK : required ? CHECK_ERROR : CHECK_WARNING;

        q->counts[status]++;
        q->not_ready |= status == CHECK_ERROR;
        return json_array_append_new(q->checks,
                               json_pack("{s:s, s:s, s:b, s:o, s:o, s:s?}", "name", name, "status",
                                               words[status], "required", required, "message",
                                               json_text(message), "detail", json_text(message), "fix",
                                               ok ? NULL : fix)) < 0
                        ? -ENOMEM
                        : 0;
}

/* --- this machine ---------------------------------------------------------------------------------- */

static int check_database(Request *r, ReadinessRequest *q) {
        Store *store;
        int k = api_store(request_api(r), &store);
        bool ok = k >= 0 || k == -ENOENT;

        return add(q, "database", true, ok, ok ? "It can be read." : "It cannot be read.",
                        "See the journal of hyper.service.");
}

static int check_programs(ReadinessRequest *q) {
        static const struct {
                const char *check, *program, *fix;
                bool required;
        } programs[] = {
                { "qemu_img", "qemu-img", "apt-get install qemu-utils", true },
                { "qemu_nbd", "qemu-nbd", "apt-get install qemu-utils", true },
                { "nbdkit", "nbdkit", "apt-get install nbdkit", false },
        };
        int k = 0;

        for (size_t i = 0; i < ELEMENTSOF(programs) && k >= 0; i++) {
                _cleanup_free_ char *path = machine_find_program(programs[i].program),
                                    *missing = strprintf("%s is not installed.", programs[i].program);

                k = missing ? add(q, programs[i].check, programs[i].required, path, path ? path : missing,
                                              programs[i].fix)
                            : -ENOMEM;
        }
        return k;
}

/* Any of these exists. */
static const char *find_path(const char *const *paths) {
        for (size_t i = 0; paths[i]; i++)
                if (access(paths[i], F_OK) >= 0)
                        return paths[i];
        return NULL;
}

static int check_files(ReadinessRequest *q) {
        static const char *const key[] = { CREDENTIAL_KEY, NULL }, *const guest[] = { GUEST_PROGRAM, NULL },
                                 *const kvm[] = { "/sys/class/misc/kvm", NULL },
                                 *const ovmf[] = { "/usr/share/OVMF/OVMF_CODE_4M.fd",
                                         "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_CODE.fd",
                                         "/usr/share/qemu/ovmf-x86_64-code.bin", NULL };
        const struct {
                const char *check, *path, *missing, *fix;
                bool required;
        } files[] = {
                { "credential_key", find_path(key), "There is no key for stored passwords.",
                                "systemd-creds setup", true },
                { "kvm", find_path(kvm), "The kernel has no KVM: virtual machines are emulated, and slow.",
                                "modprobe kvm_intel, or kvm_amd", false },
                { "ovmf", find_path(ovmf), "There is no firmware for virtual machines with EFI.",
                                "apt-get install ovmf", false },
                { "hyper_guest", find_path(guest),
                                "hyper-guest is not installed: guests are neither inspected nor changed, "
                                "and may not start on KVM.",
                                "apt-get install hyper-guest", false },
                { "virtio_win", q->settings->guest.virtio_win,
                                "No drivers for Windows are configured: it gets hardware that needs none.",
                                "Set guest.virtio_win, see hyper-config(5).", false },
                { "vddk", q->settings->vsphere.vddk_libdir,
                                "VMware's library is not configured: disks are read over HTTPS.",
                                "Set vsphere.vddk_libdir, see hyper-config(5).", false },
        };
        int k = 0;

        for (size_t i = 0; i < ELEMENTSOF(files) && k >= 0; i++)
                k = add(q, files[i].check, files[i].required, files[i].path,
                                files[i].path ? files[i].path : files[i].missing, files[i].fix);
        return k;
}

static int check_cpu(ReadinessRequest *q) {
        _cleanup_free_ char *text = NULL;
        bool ok = read_file_at(AT_FDCWD, "/proc/cpuinfo", CPUINFO_MAX, &text, NULL) >= 0 &&
                        (strstr(text, " vmx") || strstr(text, " svm"));

        return add(q, "cpu_virtualization", false, ok,
                        ok ? "The processor supports it."
                           : "The processor does not support it, or it is off.",
                        "Enable it in the firmware, or nested virtualization on the host of this machine.");
}

/* Alerts of this machine that are checks, too. */
static int check_alerts(ReadinessRequest *q) {
        static const struct {
                const char *check, *alert, *fix;
        } kinds[] = {
                { "disk_space", "disk_space", "Remove files, or set files.roots to another disk." },
                { "clock", "clock_unsynchronized", "Enable systemd-timesyncd." },
                { "certificate", "certificate_expiring", "Renew it, see hyper.socket(8)." },
        };
        _cleanup_json_ json_t *alerts = v1_alerts_of_machine_json(now_realtime());
        const json_t *alert;
        int k = alerts ? 0 : -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(kinds) && k >= 0; i++) {
                const char *message = NULL;
                bool critical = false;
                size_t n;

                json_array_foreach(alerts, n, alert) {
                        if (message ||
                                        !streq_ptr(json_string_value(json_object_get(alert, "name")),
                                                        kinds[i].alert))
                                continue;
                        message = json_string_value(json_object_get(alert, "message"));
                        critical = streq_ptr(
                                        json_string_value(json_object_get(alert, "severity")), "critical");
                }
                k = add(q, kinds[i].check, critical, !message, message ? message : "There is no alert.",
                                kinds[i].fix);
        }
        return k;
}

/* --- other daemons --------------------------------------------------------------------------------- */

static int reply_all(Request *r) {
        ReadinessRequest *q = request_userdata(r);
        bool degraded = q->counts[CHECK_WARNING] > 0;

        return request_reply_json(r, 200,
                        json_pack("{s:b, s:s, s:o, s:{s:i, s:i, s:i}, s:O}", "ready", !q->not_ready,
                                        "status",
                                        q->not_ready               ? "not_ready"
                                                        : degraded ? "degraded"
                                                                   : "ready",
                                        "timestamp", json_time(now_realtime()), "summary", "ok",
                                        (int) q->counts[CHECK_OK], "warning", (int) q->counts[CHECK_WARNING],
                                        "error", (int) q->counts[CHECK_ERROR], "checks", q->checks));
}

/* --- a virtual machine ----------------------------------------------------------------------------- */

static int find_vm(ReadinessRequest *q) {
        const ReadinessQuery *query = &q->query;
        const V1Gather *g = &q->vms.gather;
        _cleanup_free_ char *message = NULL;
        size_t n = 0;

        for (size_t i = 0; i < g->n; i++) {
                const V1Provider *p = g->providers[i];

                for (size_t k = 0; v1_provider_is_meant(p, query->provider) && k < p->inventory.n; k++) {
                        const V1Vm *vm = &p->inventory.vms[k];

                        if (!v1_vm_is_called(vm, query->vm) || n++ > 0)
                                continue;
                        if (json_array_append_new(q->vms.vms, v1_vm_json(vm, p->type, p->id)) < 0)
                                return -ENOMEM;
                }
        }
        if (n > 1)
                (void) json_array_clear(q->vms.vms);
        message = n == 1 ? strprintf("%s was found.", query->vm)
                         : strprintf("There %s called %s.", n == 0 ? "is no VM" : "are several VMs",
                                           query->vm);
        return message ? add(q, "vm_found", true, n == 1, message,
                                         n == 0 ? "See GET /vms/list." : "Give its path, and the provider.")
                       : -ENOMEM;
}

/* All that is asked for is there. */
static int check_vm(ReadinessRequest *q) {
        const json_t *vm = json_array_get(q->vms.vms, 0);

        return vm ? v1_readiness_of_vm(&(V1VmReadiness){ .vm = vm,
                                    .destination = q->query.destination,
                                    .raw = q->query.format == FORMAT_RAW,
                                    .networks = q->networks,
                                    .add = add,
                                    .userdata = q })
                  : 0;
}

static int finish_one(Request *r) {
        ReadinessRequest *q = request_userdata(r);
        int k = --q->n_out == 0 ? check_vm(q) : 1;

        return k < 0 ? k : k > 0 ? 0 : reply_all(r);
}

static int read_vm(Request *r) {
        ReadinessRequest *q = request_userdata(r);
        int k;

        if (!q->query.vm)
                return finish_one(r);
        k = find_vm(q);
        if (k < 0)
                return k;
        return json_array_size(q->vms.vms) == 0 ? finish_one(r) : v1_hardware_read(r, finish_one);
}

/* Of files.roots, since it is no secret how much space there is. */
static bool may_look_at(const ReadinessRequest *q) {
        const char *path = q->query.destination;

        if (*path != '/' || strstr(path, "/../") || endswith(path, "/.."))
                return false;
        STRV_FOREACH(root, q->settings->files.roots) {
                const char *rest = startswith(path, *root);

                if (rest && (!*rest || *rest == '/'))
                        return true;
        }
        return false;
}

/* --- other daemons, one by one --------------------------------------------------------------------- */

static int on_manager(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        int k = add(request_userdata(r), "manager", true, !error,
                        error ? strempty(error->message) : "It answers.",
                        "See the journal of hyper-managerd.service.");

        return k < 0 ? k : finish_one(r);
}

static int on_networks(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        ReadinessRequest *q = request_userdata(r);
        const char *name, *uuid, *bridge, *mode, *state;
        bool found = false;
        int k = error ? 0 : sd_bus_message_enter_container(m, 'a', "(sssssbb)"), autostart, persistent;

        while (!error && k >= 0 &&
                        (k = sd_bus_message_read(m, "(sssssbb)", &name, &uuid, &bridge, &mode, &state,
                                         &autostart, &persistent)) > 0)
                if (streq(state, "active")) {
                        found |= streq(name, "default");
                        k = strv_extend(&q->networks, name);
                        if (k < 0)
                                return k;
                }
        if (k >= 0)
                k = add(q, "default_network", false, found,
                                found ? "It is active." : "libvirt has no active network \"default\".",
                                "virsh net-start default; virsh net-autostart default");
        return k < 0 ? k : finish_one(r);
}

static int on_pools(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const char *name, *uuid, *type, *path, *state;
        uint64_t capacity, allocation, available;
        bool found = false;
        int k = error ? 0 : sd_bus_message_enter_container(m, 'a', "(ssssstttb)"), autostart;

        while (!error && k >= 0 &&
                        (k = sd_bus_message_read(m, "(ssssstttb)", &name, &uuid, &type, &path, &state,
                                         &capacity, &allocation, &available, &autostart)) > 0)
                found |= streq(state, "active");
        if (k >= 0)
                k = add(request_userdata(r), "storage_pool", false, found,
                                found ? "There is an active one." : "libvirt has no active storage pool.",
                                "virsh pool-define-as default dir --target /var/lib/libvirt/images; virsh "
                                "pool-start default");
        return k < 0 ? k : finish_one(r);
}

static int ask(Request *r, sd_bus_message *m, manager_reply_func func) {
        ReadinessRequest *q = request_userdata(r);

        q->n_out++;
        return manager_call_within(r, m, V1_PROVIDER_TIMEOUT, func, NULL);
}

/* Waiting jobs have no use for old data. */
static int on_carbon(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        _cleanup_(carbon_data_freep) CarbonData *d = NULL;
        _cleanup_free_ char *why = NULL;
        const char *text, *message = "It is known.";
        int k = error ? 0 : sd_bus_message_read(m, "st", &text, NULL);

        if (!error && k >= 0)
                k = carbon_data_decode(text, strlen(text), &d, &why);
        if (k == -ENOMEM)
                return k;
        if (d)
                v1_carbon_note(r, d);
        if (error)
                message = strempty(error->message);
        else if (!d)
                message = "hyper-carbond has not answered as expected.";
        else if (d->error)
                message = d->error;
        k = add(request_userdata(r), "carbon", false, d && !d->error, message,
                        "See hyper-carbond(8), and the journal of hyper-carbon.service.");
        return k < 0 ? k : finish_one(r);
}

static int ask_carbon(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        ReadinessRequest *q = request_userdata(r);
        int k;

        if (!q->settings->carbon.source)
                return add(q, "carbon", false, true, "No source is configured: jobs cannot wait for it.",
                                NULL);
        k = carbon_call_new(r, "GetData", &m);
        return k < 0 ? k : ask(r, m, on_carbon);
}

static int check_without_libvirt(ReadinessRequest *q) {
        static const char message[] = "It is not known: libvirt is not connected.";
        int k = add(q, "default_network", false, false, message, NULL);

        return k < 0 ? k : add(q, "storage_pool", false, false, message, NULL);
}

/* @host: the ID of the libvirt of this machine, NULL: it is not connected. */
static int ask_daemons(Request *r, const char *host) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *networks = NULL, *pools = NULL;
        int k = manager_call_new(r, "ListSources", &m);

        if (k >= 0)
                k = ask(r, m, on_manager);
        if (k >= 0)
                k = ask_carbon(r);
        if (k < 0)
                return k;
        if (!host)
                return check_without_libvirt(request_userdata(r));
        k = hosts_host_call_new(r, host, "ListNetworks", &networks);
        if (k >= 0)
                k = ask(r, networks, on_networks);
        if (k >= 0)
                k = hosts_host_call_new(r, host, "ListPools", &pools);
        return k < 0 ? k : ask(r, pools, on_pools);
}

/* All providers have answered. */
static int on_providers(Request *r) {
        ReadinessRequest *q = request_userdata(r);
        _cleanup_free_ char *message = NULL;
        const char *error = NULL, *host = NULL;
        bool ok = true;
        int k;

        for (size_t i = 0; i < q->vms.gather.n; i++) {
                const V1Provider *p = q->vms.gather.providers[i];

                if (streq(p->id, V1_LIBVIRT_ID)) {
                        host = p->connected ? p->host : NULL;
                        error = p->error;
                } else if (!p->connected && ok) {
                        ok = false;
                        message = strprintf("%s is not connected: %s", p->id, strempty(p->error));
                        if (!message)
                                return -ENOMEM;
                }
        }
        k = add(q, "libvirt", false, host, host ? "It is connected." : strempty(error),
                        "hyperctl host add qemu:///system");
        if (k >= 0)
                k = add(q, "providers", false, ok, ok ? "All are connected." : message,
                                "hyperctl provider test");
        /* One more, so that it does not end before all are asked. */
        q->n_out = 1;
        if (k >= 0)
                k = ask_daemons(r, host);
        return k < 0 ? k : read_vm(r);
}

int v1_get_readiness(Request *r) {
        ReadinessRequest *q = new0(ReadinessRequest, 1);
        int k;

        if (!q)
                return -ENOMEM;
        request_set_userdata(r, q, readiness_request_free);
        q->checks = json_array();
        q->settings = v1_settings();
        q->vms.vms = json_array();
        q->vms.all = true;
        q->query = (ReadinessQuery){ .destination = DESTINATION, .format = -1 };
        if (!q->checks || !q->settings || !q->vms.vms)
                return -ENOMEM;
        k = request_query_decode(r, &q->query);
        if (k < 0)
                return k;
        if (!may_look_at(q))
                return request_reply_error(r, 403, "destination: must lie in a directory of files.roots");
        k = check_database(r, q);
        if (k >= 0)
                k = check_files(q);
        if (k >= 0)
                k = check_cpu(q);
        if (k >= 0)
                k = check_programs(q);
        if (k >= 0)
                k = check_alerts(q);
        return k < 0 ? k
                     : v1_gather(r, &q->vms.gather,
                                       &(V1GatherOptions){ .vms = q->query.vm, .done = on_providers });
}
