/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/hosts-client.h"

#include <stdarg.h>
#include <strings.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "json/json-table.h"

#define PAGE UINT64_C(1000)

int hosts_connect(Ctl *ctl, sd_bus **ret) {
        ctl->daemon = "hyper-hostd";
        ctl->action = "org.hyper1.manage-hosts";
        return client_connect(ctl, ret);
}

int hosts_call(Ctl *ctl, sd_bus *bus, sd_bus_message **ret, const char *what, const char *method,
                const char *types, ...) {
        _cleanup_message_ sd_bus_message *m = NULL;
        va_list ap;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, HYPER_HOSTS_BUS_NAME, HYPER_HOSTS_BUS_PATH,
                        HYPER_HOSTS_MANAGER_INTERFACE, method);
        if (r >= 0 && types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(m, types, ap);
                va_end(ap);
        }
        return r < 0 ? client_failure(ctl, NULL, r, what) : client_call_message(ctl, bus, m, ret, what);
}

int hosts_call_object(Ctl *ctl, sd_bus *bus, sd_bus_message **ret, const char *what, const char *path,
                const char *interface, const char *method) {
        _cleanup_message_ sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_call(bus, &m, HYPER_HOSTS_BUS_NAME, path, interface, method);

        return r < 0 ? client_failure(ctl, NULL, r, what) : client_call_message(ctl, bus, m, ret, what);
}

static int find_on_host(Ctl *ctl, sd_bus *bus, const char *host, const char *vm, char **ret_path) {
        _cleanup_free_ char *what = strprintf("Finding VM %s on host %s", vm, host);
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *path;
        int status, r;

        if (!what)
                return log_oom(), EXIT_OTHER;
        status = hosts_call(ctl, bus, &reply, what, "GetVm", "ss", host, vm);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        *ret_path = strdup(path);
        return *ret_path ? EXIT_OK : (log_oom(), EXIT_OTHER);
}

/* --- properties ------------------------------------------------------------------------------------ */

/* One value; NULL with *ret_known false: of a type that is passed over. */
static int read_value(sd_bus_message *m, char type, json_t **ret) {
        const char *s;
        uint64_t t;
        uint32_t u;
        int b, r;

        switch (type) {
        case 's':
                r = sd_bus_message_read(m, "s", &s);
                *ret = r < 0 ? NULL : json_string(s);
                return r;
        case 'b':
                r = sd_bus_message_read(m, "b", &b);
                *ret = r < 0 ? NULL : json_boolean(b);
                return r;
        case 'u':
                r = sd_bus_message_read(m, "u", &u);
                *ret = r < 0 ? NULL : json_integer(u);
                return r;
        case 't':
                r = sd_bus_message_read(m, "t", &t);
                *ret = r < 0 ? NULL : json_integer((json_int_t) t);
                return r;
        default:
                return -EBADMSG;
        }
}

static int read_property(sd_bus_message *m, json_t *o) {
        const char *name, *contents;
        json_t *value = NULL;
        char type;
        int r = sd_bus_message_read(m, "s", &name);

        if (r >= 0)
                r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (!strchr("sbut", contents[0]) || contents[1])
                return sd_bus_message_skip(m, "v");
        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r >= 0)
                r = read_value(m, contents[0], &value);
        if (r >= 0 && json_object_set_new(o, name, value) < 0)
                r = -ENOMEM;
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int hosts_get_properties(Ctl *ctl, sd_bus *bus, const char *what, const char *path, const char *interface,
                json_t **ret) {
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_json_ json_t *o = json_object();
        int status, r;

        r = o ? sd_bus_message_new_method_call(bus, &m, HYPER_HOSTS_BUS_NAME, path,
                                "org.freedesktop.DBus.Properties", "GetAll")
              : -ENOMEM;
        if (r >= 0)
                r = sd_bus_message_append(m, "s", interface);
        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        status = client_call_message(ctl, bus, m, &reply, what);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = read_property(reply, o);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        *ret = TAKE_PTR(o);
        return EXIT_OK;
}

/* --- VMs ------------------------------------------------------------------------------------------- */

/* One page; *ret_n is how many it had. */
static int each_on_page(sd_bus_message *reply, int (*func)(const ListedVm *vm, void *userdata),
                void *userdata, uint64_t *ret_n) {
        ListedVm vm;
        int r = sd_bus_message_skip(reply, "t");

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sossssuts)");
        for (*ret_n = 0; r >= 0; (*ret_n)++) {
                r = sd_bus_message_read(reply, "(sossssuts)", &vm.host, &vm.path, &vm.uuid, &vm.name,
                                &vm.description, &vm.state, &vm.vcpus, &vm.memory, &vm.concerns);
                if (r <= 0)
                        break;
                r = func(&vm, userdata);
        }
        return r;
}

int hosts_each_vm(Ctl *ctl, sd_bus *bus, const char *host, int (*func)(const ListedVm *vm, void *userdata),
                void *userdata) {
        static const char what[] = "Listing VMs";

        for (uint64_t offset = 0, n = PAGE; n == PAGE; offset += n) {
                _cleanup_message_ sd_bus_message *reply = NULL;
                int status = hosts_call(
                                ctl, bus, &reply, what, "ListVms", "stt", strempty(host), offset, PAGE);

                if (status != EXIT_OK)
                        return status;
                int r = each_on_page(reply, func, userdata, &n);
                if (r < 0)
                        return client_failure(ctl, NULL, r, what);
        }
        return EXIT_OK;
}

/* --- a VM without its host ------------------------------------------------------------------------- */

typedef struct Found {
        const char *vm; /* name or UUID */
        char *host, *path; /* of the first one */
        char *other; /* another host that has it */
} Found;

static void found_done(Found *f) {
        free(f->host);
        free(f->path);
        free(f->other);
}

static int find_vm(const ListedVm *vm, void *userdata) {
        Found *f = userdata;

        if (!streq(vm->name, f->vm) && strcasecmp(vm->uuid, f->vm) != 0)
                return 0;
        if (f->host)
                return free_and_strdup(&f->other, vm->host);
        f->host = strdup(vm->host);
        f->path = strdup(vm->path);
        return f->host && f->path ? 0 : -ENOMEM;
}

static int find_on_any_host(Ctl *ctl, sd_bus *bus, Found *f) {
        int status = hosts_each_vm(ctl, bus, NULL, find_vm, f);

        if (status != EXIT_OK)
                return status;
        if (!f->host) {
                log_error("There is no VM %s on any host. \"hyperctl vm list\" shows the VMs there are.",
                                f->vm);
                return EXIT_NO_SUCH_JOB;
        }
        if (f->other) {
                log_error("VM %s exists on several hosts: put the host before it, as in \"%s %s\".", f->vm,
                                f->host, f->vm);
                return EXIT_REFUSED;
        }
        return EXIT_OK;
}

int hosts_find_vm(
                Ctl *ctl, sd_bus *bus, const char *host, const char *vm, char **ret_path, char **ret_host) {
        _cleanup_(found_done) Found f = { .vm = vm };
        int status;

        if (host) {
                f.host = strdup(host);
                status = f.host ? find_on_host(ctl, bus, host, vm, &f.path) : (log_oom(), EXIT_OTHER);
        } else
                status = find_on_any_host(ctl, bus, &f);
        if (status != EXIT_OK)
                return status;
        *ret_path = TAKE_PTR(f.path);
        if (ret_host)
                *ret_host = TAKE_PTR(f.host);
        return EXIT_OK;
}

/* --- for people ------------------------------------------------------------------------------------ */

Colour colour_of_host_state(const char *state) {
        return streq(state, "CONNECTED") ? COLOUR_GREEN : streq(state, "ERROR") ? COLOUR_RED : COLOUR_YELLOW;
}

Colour colour_of_vm_state(const char *state) {
        return streq(state, "ACTIVE")             ? COLOUR_GREEN
                        : streq(state, "ERROR")   ? COLOUR_RED
                        : streq(state, "STOPPED") ? COLOUR_GREY
                                                  : COLOUR_YELLOW;
}
