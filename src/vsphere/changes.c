/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/changes.h"

#include <inttypes.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "vsphere/task.h"

#define RECONFIGURE_TIMEOUT (5 * USEC_PER_MINUTE)

/* -EINVAL: it has no number. */
static int read_number(const char *id, size_t n, uint64_t *ret) {
        return id[n] == '/' ? parse_uint64(id + n + 1, ret) : -EINVAL;
}

bool change_ids_are_related(const char *before, const char *after) {
        size_t n = strcspn(strempty(before), "/");
        uint64_t from, to;

        if (n == 0 || strcspn(strempty(after), "/") != n || memcmp(before, after, n) != 0)
                return false;
        /* A VM that was reverted to a snapshot counts from there again. */
        return read_number(before, n, &from) < 0 || read_number(after, n, &to) < 0 || from <= to;
}

int changes_read(const xmlNode *answer, uint64_t start, uint64_t capacity, changes_func func, void *userdata,
                uint64_t *ret_next) {
        uint64_t length = node_number(node_child(answer, "length"));

        if (node_number(node_child(answer, "startOffset")) != start || start >= capacity || length == 0 ||
                        length > UINT64_MAX - start)
                return -EBADMSG;
        NODE_FOREACH(i, answer, "changedArea") {
                uint64_t from = node_number(node_child(i, "start"));
                uint64_t n = node_number(node_child(i, "length"));

                /* The last one may reach over the end of a disk that is no whole number of blocks. */
                if (n == 0 || from < start || from >= capacity || n > UINT64_MAX - from)
                        return -EBADMSG;
                int r = func(from, MIN(n, capacity - from), userdata);
                if (r < 0)
                        return r;
        }
        *ret_next = start + length;
        return 0;
}

/* Servers say so for a change ID that they do not know. */
static bool is_reset(const Session *s) {
        static const char *const faults[] = { "FileFault", "InvalidArgument", "FileNotFound" };
        const char *fault = strempty(soap_error(session_soap(s))->fault);

        for (size_t i = 0; i < ELEMENTSOF(faults); i++)
                if (streq(faults[i], fault))
                        return true;
        return false;
}

static int query(Session *s, const char *vm, const char *snapshot, uint32_t key, const char *change_id,
                uint64_t start, SoapAnswer *ret) {
        _cleanup_request_ SoapRequest *q = NULL;

        int r = soap_request_new("QueryChangedDiskAreas", "VirtualMachine", vm, &q);
        if (r < 0)
                return r;
        soap_request_object(q, "snapshot", "VirtualMachineSnapshot", snapshot);
        soap_request_number(q, "deviceKey", key);
        soap_request_number(q, "startOffset", start);
        soap_request_text(q, "changeId", change_id);
        r = session_call(s, q, ret);
        return r < 0 && is_reset(s) ? -ESTALE : r;
}

int changes_query(Session *s, const char *vm, const char *snapshot, uint32_t key, const char *change_id,
                uint64_t capacity, changes_func func, void *userdata) {
        /* A question at the end of the disk or behind it is a fault, and answers may reach over it. */
        for (uint64_t start = 0; start < capacity;) {
                _cleanup_answer_ SoapAnswer answer = {};

                int r = query(s, vm, snapshot, key, change_id, start, &answer);
                if (r >= 0)
                        r = changes_read(answer.value, start, capacity, func, userdata, &start);
                if (r == -EBADMSG)
                        return session_fail(s, r, NULL,
                                        "%s: QueryChangedDiskAreas: the answer for byte %" PRIu64
                                        " of a disk of %" PRIu64 " bytes is malformed",
                                        soap_host(session_soap(s)), start, capacity);
                if (r < 0)
                        return r;
        }
        return 0;
}

int changes_enable(Session *s, const char *vm, bool enable) {
        _cleanup_request_ SoapRequest *q = NULL;

        int r = soap_request_new("ReconfigVM_Task", "VirtualMachine", vm, &q);
        if (r < 0)
                return r;
        soap_request_open(q, "spec", NULL);
        soap_request_bool(q, "changeTrackingEnabled", enable);
        soap_request_close(q);
        return task_run(s, q, RECONFIGURE_TIMEOUT, NULL, NULL, NULL);
}
