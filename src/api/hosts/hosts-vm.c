/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-vm.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "api/hosts/hosts-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "shared/bus-util.h"
#include "json/json-table.h"

/* --- one VM ---------------------------------------------------------------------------------------- */

static int on_vm(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const VmCall *call = userdata;
        const char *path;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(reply, "o", &path);
        if (k >= 0)
                k = hosts_call_new(r, path, HYPER_HOSTS_VM_INTERFACE, call->method, &m);
        if (k >= 0 && call->append)
                k = call->append(r, m);
        return k < 0 ? k : manager_call(r, m, call->func, NULL);
}

int hosts_call_vm(Request *r, const VmCall *call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_manager_call_new(r, "GetVm", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "ss", request_param(r, "id"), request_param(r, "name"));
        return k < 0 ? k : manager_call(r, m, on_vm, (void *) call);
}

int hosts_get_hardware(Request *r) {
        static const VmCall call = { "GetHardware", hosts_reply_json_text, NULL };

        return hosts_call_vm(r, &call);
}

int hosts_get_extended_hardware(Request *r) {
        static const VmCall call = { "GetExtendedHardware", hosts_reply_json_text, NULL };

        return hosts_call_vm(r, &call);
}

int hosts_get_vm_stats(Request *r) {
        static const VmCall call = { "GetStats", hosts_reply_json_text, NULL };

        return hosts_call_vm(r, &call);
}

static int on_screenshot(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int k, its;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(reply, "h", &its);
        if (k < 0)
                return k;
        fd = fcntl(its, F_DUPFD_CLOEXEC, 3);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        return request_reply_file(r, 200, "image/png", TAKE_FD(fd), (uint64_t) st.st_size);
}

int hosts_get_screenshot(Request *r) {
        static const VmCall call = { "Screenshot", on_screenshot, NULL };

        return hosts_call_vm(r, &call);
}

/* --- actions --------------------------------------------------------------------------------------- */

/* The words of the body, the last parts of paths (which differ in two), and the method of the bus. */
static const struct {
        const char *action, *path;
        VmCall call;
} actions[] = {
        { "start", "/start", { "Start", NULL, NULL } },
        { "shutdown", "/shutdown", { "Shutdown", NULL, NULL } },
        { "reboot", "/reboot", { "Reboot", NULL, NULL } },
        { "destroy", "/forceoff", { "Destroy", NULL, NULL } },
        { "reset", "/forcereset", { "Reset", NULL, NULL } },
};

int hosts_post_action(Request *r) {
        _cleanup_json_ json_t *body = NULL;
        const char *action;
        int k = request_json_object(r, &body);

        if (k < 0)
                return k;
        action = json_string_value(json_object_get(body, "action"));
        for (size_t i = 0; action && i < ELEMENTSOF(actions); i++)
                if (streq(action, actions[i].action))
                        return hosts_call_vm(r, &actions[i].call);
        return request_reply_error(r, 400, "action: must be one of start, shutdown, reboot, destroy, reset");
}

int hosts_post_short_action(Request *r) {
        for (size_t i = 0; i < ELEMENTSOF(actions); i++)
                if (endswith(request_route(r)->path, actions[i].path))
                        return hosts_call_vm(r, &actions[i].call);
        return -ENOENT;
}
