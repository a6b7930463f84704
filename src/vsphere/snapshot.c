/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/snapshot.h"

#include "basic/string-util.h"
#include "vsphere/property.h"
#include "vsphere/vm-devices.h"

#define CREATE_TIMEOUT (600 * USEC_PER_SEC)

int snapshot_create(Session *s, const char *vm, const char *name, const char *description, bool quiesce,
                char **ret_id) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_free_ char *id = NULL;

        int r = soap_request_new("CreateSnapshot_Task", "VirtualMachine", vm, &q);
        if (r < 0)
                return r;
        soap_request_text(q, "name", name);
        soap_request_text(q, "description", description);
        soap_request_bool(q, "memory", false);
        soap_request_bool(q, "quiesce", quiesce);
        r = task_run(s, q, CREATE_TIMEOUT, NULL, NULL, &id);
        if (r < 0)
                return r;
        if (!id)
                return session_fail(s, -EBADMSG, NULL,
                                "%s: the server does not say which snapshot it has created",
                                soap_host(session_soap(s)));
        *ret_id = TAKE_PTR(id);
        return 0;
}

/* The depth of documents is limited. */
static const xmlNode *find(const xmlNode *list, const char *element, const char *name) {
        NODE_FOREACH(i, list, element) {
                if (node_is(node_child(i, "name"), name))
                        return node_child(i, "snapshot");
                const xmlNode *below = find(i, "childSnapshotList", name);
                if (below)
                        return below;
        }
        return NULL;
}

int snapshot_find(Session *s, const char *vm, const char *name, char **ret_id) {
        _cleanup_answer_ SoapAnswer answer = {};
        _cleanup_free_ char *id = NULL;
        PropertyObject o;

        int r = property_read(s, "VirtualMachine", vm, PROPERTIES("snapshot"), &answer, &o);
        if (r >= 0)
                r = node_dup(find(property_value(o, "snapshot"), "rootSnapshotList", name), &id);
        if (r < 0)
                return r;
        if (!id)
                return session_fail(s, -ENOENT, NULL, "%s: there is no snapshot \"%s\"",
                                soap_host(session_soap(s)), name);
        *ret_id = TAKE_PTR(id);
        return 0;
}

int snapshot_read_disks(Session *s, const char *id, VmDetail *ret) {
        return vm_devices_of(s, "VirtualMachineSnapshot", id, ret);
}

int snapshot_remove(
                Session *s, const char *id, usec_t timeout, task_progress_func progress, void *userdata) {
        _cleanup_request_ SoapRequest *q = NULL;

        int r = soap_request_new("RemoveSnapshot_Task", "VirtualMachineSnapshot", id, &q);
        if (r < 0)
                return r;
        soap_request_bool(q, "removeChildren", false);
        soap_request_bool(q, "consolidate", true);
        r = task_run(s, q, timeout, progress, userdata, NULL);
        return r == -ENOENT ? 0 : r;
}
