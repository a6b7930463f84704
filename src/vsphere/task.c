/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/task.h"

#include <inttypes.h>

#include "basic/string-util.h"
#include "vsphere/fault.h"
#include "vsphere/property.h"

#define POLL_MIN (20 * USEC_PER_MSEC)
#define POLL_MAX (2 * USEC_PER_SEC)

static int on_error(Session *s, const char *method, const xmlNode *error) {
        _cleanup_fault_ Fault f = {};

        int r = fault_from_error(error, &f);
        return r < 0 ? r
                     : session_fail(s, fault_errno(strempty(f.type)), f.type, "%s: %s failed: %s (%s)",
                                       soap_host(session_soap(s)), method,
                                       f.text ? f.text : "no reason is given",
                                       f.type ? f.type : "unknown fault");
}

/* 1: it runs; 0: it has succeeded. */
static int look(Session *s, const char *id, const char *method, unsigned *ret_percent, char **ret_result) {
        _cleanup_answer_ SoapAnswer answer = {};
        PropertyObject o;

        int r = property_read(s, "Task", id, PROPERTIES("info"), &answer, &o);
        if (r < 0)
                return r;
        const xmlNode *info = property_value(o, "info"), *state = node_child(info, "state");
        *ret_percent = (unsigned) MIN(node_number(node_child(info, "progress")), UINT64_C(100));
        if (node_is(state, "queued") || node_is(state, "running"))
                return 1;
        if (node_is(state, "error"))
                return on_error(s, method, node_child(info, "error"));
        if (!node_is(state, "success"))
                return session_fail(s, -EBADMSG, NULL, "%s: %s is in an unknown state",
                                soap_host(session_soap(s)), method);
        return ret_result ? node_dup(node_child(info, "result"), ret_result) : 0;
}

static int wait_for_task(Session *s, const char *id, const char *method, usec_t timeout,
                task_progress_func progress, void *userdata, char **ret_result) {
        usec_t deadline = now_monotonic() + timeout, delay = POLL_MIN;
        unsigned percent = 0, last = 0;

        for (;;) {
                int r = look(s, id, method, &percent, ret_result);
                if (r <= 0)
                        return r;
                if (progress && percent != last)
                        progress(percent, userdata);
                last = percent;
                if (now_monotonic() >= deadline)
                        return session_fail(s, -ETIMEDOUT, NULL,
                                        "%s: %s is still running after %" PRIu64 " seconds",
                                        soap_host(session_soap(s)), method, timeout / USEC_PER_SEC);
                r = soap_sleep(session_soap(s), delay);
                if (r < 0)
                        return r;
                delay = MIN(2 * delay, POLL_MAX);
        }
}

int task_run(Session *s, SoapRequest *request, usec_t timeout, task_progress_func progress, void *userdata,
                char **ret_result) {
        _cleanup_free_ char *id = NULL, *method = strdup(soap_request_method(request));
        _cleanup_answer_ SoapAnswer answer = {};

        if (!method)
                return -ENOMEM;
        int r = session_call(s, request, &answer);
        if (r >= 0)
                r = node_dup(answer.value, &id);
        if (r < 0)
                return r;
        if (!id)
                return session_fail(s, -EBADMSG, NULL, "%s: %s returned no task", soap_host(session_soap(s)),
                                method);
        return wait_for_task(s, id, method, timeout, progress, userdata, ret_result);
}
