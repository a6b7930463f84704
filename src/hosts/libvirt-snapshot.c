/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/libvirt-snapshot.h"

#include "basic/string-util.h"
#include "hosts/libvirt-domain.h"
#include "hosts/libvirt-error.h"
#include "hosts/xml-util.h"
#include "json/json-table.h"

static inline void snapshot_freep(virDomainSnapshotPtr *s) {
        if (*s)
                (void) virDomainSnapshotFree(*s);
}
#define _cleanup_snapshot_ _cleanup_(snapshot_freep)

const char *snapshot_action_to_string(SnapshotAction action) {
        static const char *const words[] = { "created", "reverted to", "deleted" };

        return words[action];
}

bool snapshot_name_is_valid(const char *name) {
        size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

        return n >= 1 && n <= SNAPSHOT_NAME_MAX && !name[n];
}

/* --- the list -------------------------------------------------------------------------------------- */

/* One that is deleted meanwhile is left out. */
static int add_snapshot(virDomainSnapshotPtr s, json_t *list) {
        _cleanup_free_ char *xml = virDomainSnapshotGetXMLDesc(s, 0), *state = NULL;
        const char *name = virDomainSnapshotGetName(s);
        _cleanup_doc_ xmlDoc *doc = NULL;
        uint64_t seconds;
        int r;

        if (!xml || !name)
                return 0;
        r = xml_parse(xml, strlen(xml), "domainsnapshot", &doc);
        if (r < 0)
                return r == -EBADMSG ? 0 : r;
        state = xml_text(xml_child(xmlDocGetRootElement(doc), "state"));
        seconds = xml_number(xml_child(xmlDocGetRootElement(doc), "creationTime"));
        if (!state)
                return -ENOMEM;
        json_t *o = json_pack("{s:s, s:s, s:o, s:b}", "name", name, "state", state, "created_at",
                        json_time(MIN(seconds, (uint64_t) UINT32_MAX) * USEC_PER_SEC), "current",
                        virDomainSnapshotIsCurrent(s, 0) == 1);
        /* A name that is no UTF-8 cannot be given back, either. */
        return o && json_array_append_new(list, o) < 0 ? -ENOMEM : 0;
}

int libvirt_snapshots(virConnectPtr connection, const char *uuid, json_t **ret, char **ret_error) {
        _cleanup_domain_ virDomainPtr domain = NULL;
        _cleanup_json_ json_t *list = json_array();
        virDomainSnapshotPtr *snapshots = NULL;
        int n, r = libvirt_lookup(connection, uuid, &domain, ret_error);

        if (r < 0)
                return r;
        n = virDomainListAllSnapshots(domain, &snapshots, 0);
        if (n < 0)
                return libvirt_error(ret_error);
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = add_snapshot(snapshots[i], list);
                (void) virDomainSnapshotFree(snapshots[i]);
        }
        free(snapshots);
        if (r < 0 || !list)
                return r < 0 ? r : -ENOMEM;
        *ret = TAKE_PTR(list);
        return 0;
}

/* --- one ------------------------------------------------------------------------------------------- */

static int create(virDomainPtr domain, const char *name, char **ret_error) {
        _cleanup_free_ char *xml = strprintf("<domainsnapshot><name>%s</name></domainsnapshot>", name);
        _cleanup_snapshot_ virDomainSnapshotPtr s = NULL;

        if (!xml)
                return -ENOMEM;
        s = virDomainSnapshotLookupByName(domain, name, 0);
        if (s) {
                *ret_error = strprintf("there is a snapshot %s already", name);
                return *ret_error ? -EBADFD : -ENOMEM;
        }
        s = virDomainSnapshotCreateXML(domain, xml, 0);
        return s ? 0 : libvirt_error(ret_error);
}

int libvirt_snapshot_act(virConnectPtr connection, const char *uuid, SnapshotAction action, const char *name,
                char **ret_error) {
        _cleanup_domain_ virDomainPtr domain = NULL;
        _cleanup_snapshot_ virDomainSnapshotPtr s = NULL;
        int r = libvirt_lookup(connection, uuid, &domain, ret_error);

        if (r < 0)
                return r;
        if (action == SNAPSHOT_CREATE)
                return create(domain, name, ret_error);
        s = virDomainSnapshotLookupByName(domain, name, 0);
        if (!s) {
                *ret_error = strprintf("there is no snapshot %s", name);
                return *ret_error ? -EBADFD : -ENOMEM;
        }
        r = action == SNAPSHOT_REVERT ? virDomainRevertToSnapshot(s, 0) : virDomainSnapshotDelete(s, 0);
        return r < 0 ? libvirt_error(ret_error) : 0;
}
