/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphered/methods.h"

#include "basic/string-util.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "vsphered/call.h"
#include "vsphered/vm-json.h"

#define VM_NAME_MAX 4096u
#define CURSOR_MAX 8192u
#define VMS_MAX 200u
/* The bus disconnects who sends more than 32 MiB at once. */
#define TEXT_MAX ((size_t) 16 << 20)

static const char use_vsphere[] = "org.hyper1.use-vsphere";

/* --- in the thread --------------------------------------------------------------------------------- */

/* Paths of the API have no first slash, and name the datacenter first. */
static int find_vm(Call *c, Session *s, char **ret_id) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (strchr(c->vm, '/') && c->vm[0] != '/') {
                path = strprintf("/%s", c->vm);
                r = path ? inventory_find(s, NULL, path, ret_id) : -ENOMEM;
                if (r != -ENOENT)
                        return r;
        }
        return inventory_find(s, isempty(c->login.datacenter) ? NULL : c->login.datacenter, c->vm, ret_id);
}

static int fail_too_long(Session *s) {
        return session_fail(s, -EFBIG, NULL,
                        "%s: what the server sends is longer than %zu MiB: ask for fewer VMs",
                        soap_host(session_soap(s)), TEXT_MAX >> 20);
}

static int check_text(const Call *c, Session *s) {
        return strlen(c->text) > TEXT_MAX ? fail_too_long(s) : 0;
}

static int set_text(Call *c, Session *s, json_t *json) {
        c->text = json ? json_dumps(json, JSON_COMPACT) : NULL;
        return c->text ? check_text(c, s) : -ENOMEM;
}

/* A page of what an earlier call has read. */
static int use_listing(Call *c, const VmListing *l) {
        c->read_at = c->cursor.read_at;
        c->number = vm_listing_total(l);
        return vm_listing_page(l, &c->cursor, c->limit, &c->text, &c->next_cursor);
}

static int read_inventory(Call *c, Session *s, VmListing *rest) {
        _cleanup_(vm_list_freep) VmList *list = NULL;
        int r = vm_list_new(&c->filter, c->limit, &c->cursor, rest, &list);

        if (r >= 0)
                r = inventory_list(s, vm_list_add, list);
        if (r >= 0)
                r = vm_list_text(list, &c->text);
        if (r >= 0)
                r = check_text(c, s);
        if (r >= 0)
                r = vm_list_cursor(list, c->read_at, &c->next_cursor);
        if (r >= 0)
                c->number = vm_list_total(list);
        return r;
}

static int run_list(Call *c, Session *s) {
        VmListings *kept = task_listings(&c->task);
        const VmListing *listing = vm_listings_find(kept, &c->cursor, c->filter_text, now_monotonic());
        _cleanup_(vm_listing_freep) VmListing *rest = NULL;
        int r;

        if (listing)
                return use_listing(c, listing);
        c->read_at = now_realtime();
        r = vm_listing_new(c->filter_text, c->read_at, &rest);
        if (r >= 0)
                r = read_inventory(c, s, rest);
        if (r >= 0)
                vm_listings_put(kept, TAKE_PTR(rest), c->number, now_monotonic());
        return r;
}

static int run_get(Call *c, Session *s) {
        _cleanup_vm_detail_ VmDetail detail = {};
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *id = NULL;
        int r = find_vm(c, s, &id);

        if (r >= 0)
                r = vm_read(s, id, &detail);
        if (r < 0)
                return r;
        json = vm_detail_json(&detail);
        return set_text(c, s, json);
}

typedef struct Details {
        Session *session;
        FILE *file;
        unsigned n;
} Details;

/* One VM after the other, since values in memory are much larger than their text. */
static int add_details(const VmDetail *vm, void *userdata) {
        _cleanup_json_ json_t *json = vm_detail_json(vm);
        Details *d = userdata;

        if (!json || (d->n++ > 0 && fputc(',', d->file) == EOF) ||
                        json_dumpf(json, d->file, JSON_COMPACT) < 0)
                return -ENOMEM;
        return (size_t) ftell(d->file) > TEXT_MAX ? fail_too_long(d->session) : 0;
}

static int run_get_many(Call *c, Session *s) {
        size_t size;
        Details d = { .session = s, .file = open_memstream(&c->text, &size) };
        int r;

        if (!d.file)
                return -ENOMEM;
        fputc('[', d.file);
        r = vm_read_many(s, c->vms, add_details, &d);
        fputc(']', d.file);
        return fclose(d.file) != 0 && r >= 0 ? -ENOMEM : r;
}

static int run_power(Call *c, Session *s) {
        _cleanup_free_ char *id = NULL;
        int r = find_vm(c, s, &id);

        if (r < 0)
                return r;
        r = c->off ? vm_power_off(s, id) : vm_shutdown_guest(s, id);
        /* Without tools in the guest. */
        return r == -EOPNOTSUPP ? -EBADFD : r;
}

static int run_remove_cdroms(Call *c, Session *s) {
        _cleanup_free_ char *id = NULL;
        unsigned removed = 0;
        int r = find_vm(c, s, &id);

        if (r >= 0)
                r = vm_remove_cdroms(s, id, &removed);
        c->number = removed;
        return r;
}

static int run_test(Call *c, Session *s) {
        const ServerInfo *server = session_server(s);
        _cleanup_json_ json_t *json = json_pack("{s:s?, s:s?, s:s?, s:b}", "server", server->full_name,
                        "version", server->version, "api_version", server->api_version, "vcenter",
                        server->vcenter);

        return set_text(c, s, json);
}

/* --- replies --------------------------------------------------------------------------------------- */

static int append_nothing(const Call *c, sd_bus_message *reply) {
        return 0;
}

static int append_text(const Call *c, sd_bus_message *reply) {
        return sd_bus_message_append(reply, "s", c->text);
}

static int append_number(const Call *c, sd_bus_message *reply) {
        return sd_bus_message_append(reply, "u", (uint32_t) c->number);
}

static int append_list(const Call *c, sd_bus_message *reply) {
        return sd_bus_message_append(reply, "sstt", c->text, c->next_cursor, c->number, c->read_at);
}

static const CallKind list_kind = { run_list, append_list }, get_kind = { run_get, append_text },
                      get_many_kind = { run_get_many, append_text },
                      power_kind = { run_power, append_nothing },
                      remove_kind = { run_remove_cdroms, append_number },
                      test_kind = { run_test, append_text };

/* --- methods --------------------------------------------------------------------------------------- */

/* Users with any role may read what a named source shows. All else requires the action of operators: changes,
 * and connections to servers of the caller's choice. */
static bool needs_polkit(const Call *c) {
        return !c->login.name || c->kind == &power_kind || c->kind == &remove_kind;
}

/* Reads the source, which is the first argument, and after it the name of a VM. 1 with *ret; 0: polkit is
 * asked, and the handler is called again. */
static int begin(sd_bus_message *message, Vsphered *v, const CallKind *kind, bool with_vm,
                JsonErrors *fields, sd_bus_error *error, Call **ret) {
        _cleanup_(call_freep) Call *c = NULL;
        const char *source, *vm = "";
        int r = sd_bus_message_read(message, "s", &source);

        if (r >= 0 && with_vm)
                r = sd_bus_message_read(message, "s", &vm);
        if (r >= 0)
                r = call_new(v, kind, message, source, fields, error, &c);
        if (r < 0)
                return r;
        if (with_vm && (isempty(vm) || strlen(vm) > VM_NAME_MAX))
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "vm",
                                "must be the path, UUID or name of a VM, at most %u bytes long",
                                VM_NAME_MAX);
        c->vm = strdup(vm);
        if (!c->vm)
                return -ENOMEM;
        r = needs_polkit(c) ? bus_verify_polkit(message, use_vsphere, &v->polkit, error) : 1;
        if (r > 0)
                *ret = TAKE_PTR(c);
        return r;
}

/* What a handler returns, whatever begin() and what followed has returned. */
static int end(sd_bus_message *message, int r, sd_bus_error *error, const JsonErrors *fields) {
        return r < 0 ? bus_reply_fields_error(message, r, error, fields) : 1;
}

static int read_list(Call *c, sd_bus_message *message, JsonErrors *fields, sd_bus_error *error) {
        const char *filter, *cursor;
        uint32_t limit;
        int r = sd_bus_message_read(message, "sus", &filter, &limit, &cursor);

        if (r < 0)
                return r;
        if (limit < 1 || limit > VM_LIST_LIMIT_MAX)
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "limit",
                                "must be 1 to %u", VM_LIST_LIMIT_MAX);
        r = strlen(cursor) > CURSOR_MAX ? -EINVAL : vm_cursor_parse(cursor, &c->cursor);
        if (r == -EINVAL)
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "cursor",
                                "must be the cursor of the previous page");
        if (r < 0)
                return r;
        r = vm_filter_decode(filter, &c->filter, fields);
        if (r == -EBADMSG)
                return bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, fields);
        c->limit = limit;
        c->filter_text = strdup(filter);
        return r < 0 || c->filter_text ? r : -ENOMEM;
}

static int method_list(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        _cleanup_(call_freep) Call *c = NULL;
        int r = begin(message, userdata, &list_kind, false, &fields, error, &c);

        if (r > 0)
                r = read_list(c, message, &fields, error);
        if (r >= 0 && c)
                r = call_start(TAKE_PTR(c), error);
        return end(message, r, error, &fields);
}

static int method_power(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        _cleanup_(call_freep) Call *c = NULL;
        const char *action = "";
        int r = begin(message, userdata, &power_kind, true, &fields, error, &c);

        if (r > 0)
                r = sd_bus_message_read(message, "s", &action);
        if (r >= 0 && c) {
                c->off = streq(action, "off");
                r = c->off || streq(action, "shutdown")
                                ? call_start(TAKE_PTR(c), error)
                                : bus_error_add_field(&fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                                  "action", "must be shutdown or off");
        }
        return end(message, r, error, &fields);
}

static int start_simple(sd_bus_message *message, void *userdata, const CallKind *kind, bool with_vm,
                sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        _cleanup_(call_freep) Call *c = NULL;
        int r = begin(message, userdata, kind, with_vm, &fields, error, &c);

        if (r > 0)
                r = call_start(TAKE_PTR(c), error);
        return end(message, r, error, &fields);
}

static int method_get(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return start_simple(message, userdata, &get_kind, true, error);
}

static int method_get_many(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        _cleanup_(call_freep) Call *c = NULL;
        int r = begin(message, userdata, &get_many_kind, false, &fields, error, &c);

        if (r > 0)
                r = sd_bus_message_read_strv(message, &c->vms);
        if (r >= 0 && c) {
                size_t n = strv_length(c->vms);

                r = n >= 1 && n <= VMS_MAX
                                ? call_start(TAKE_PTR(c), error)
                                : bus_error_add_field(&fields, error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                                  "ids", "must be 1 to %u IDs of VMs", VMS_MAX);
        }
        return end(message, r, error, &fields);
}

static int method_remove_cdroms(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return start_simple(message, userdata, &remove_kind, true, error);
}

static int method_test(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return start_simple(message, userdata, &test_kind, false, error);
}

static int method_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        uint64_t cookie;
        int r = sd_bus_message_read(message, "t", &cookie);

        if (r < 0)
                return r;
        calls_cancel(userdata, sd_bus_message_get_sender(message), cookie);
        return sd_bus_reply_method_return(message, NULL);
}

static int get_sessions(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Vsphered *v = userdata;

        return sd_bus_message_append(reply, "u", servers_sessions(v->servers));
}

static int get_calls(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Vsphered *v = userdata;

        return sd_bus_message_append(reply, "t", v->n_calls);
}

const sd_bus_vtable vsphere_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("ListVMs", SD_BUS_ARGS("s", source, "s", filter, "u", limit, "s", cursor),
                        SD_BUS_RESULT("s", vms, "s", next_cursor, "t", total, "t", read_at), method_list,
                        SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("GetVM", SD_BUS_ARGS("s", source, "s", vm), SD_BUS_RESULT("s", details),
                        method_get, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("GetVMs", SD_BUS_ARGS("s", source, "as", ids), SD_BUS_RESULT("s", details),
                        method_get_many, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("PowerVM", SD_BUS_ARGS("s", source, "s", vm, "s", action), SD_BUS_NO_RESULT,
                        method_power, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("RemoveCdroms", SD_BUS_ARGS("s", source, "s", vm),
                        SD_BUS_RESULT("u", removed), method_remove_cdroms,
                        SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("TestSource", SD_BUS_ARGS("s", source), SD_BUS_RESULT("s", server),
                        method_test, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("CancelCall", SD_BUS_ARGS("t", serial), SD_BUS_NO_RESULT, method_cancel,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Sessions", "u", get_sessions, 0, 0),
        SD_BUS_PROPERTY("Calls", "t", get_calls, 0, 0),
        SD_BUS_VTABLE_END,
};

int methods_register(Vsphered *v) {
        return sd_bus_add_object_vtable(v->bus, &v->slots[0], HYPER_VSPHERE_BUS_PATH,
                        HYPER_VSPHERE_INTERFACE, vsphere_vtable, v);
}
