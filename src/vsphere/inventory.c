/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/inventory.h"

#include <strings.h>

#include "basic/string-util.h"
#include "vsphere/inventory-name.h"
#include "vsphere/tree.h"

#define CANDIDATES_SHOWN 5

/* --- list ------------------------------------------------------------------------------------------ */

typedef struct List {
        const Tree *tree;
        inventory_func func;
        void *userdata;
} List;

static char *path_of(const TreePlace *place, const char *name) {
        _cleanup_free_ char *encoded = inventory_name_encode(name);

        return encoded ? strprintf("%s/%s", place->path, encoded) : NULL;
}

static int list_one(PropertyObject o, void *userdata) {
        _cleanup_vm_summary_ VmSummary v = {};
        _cleanup_place_ TreePlace place = {};
        const List *list = userdata;
        int r = vm_summary_read(o, &v);

        /* Without a name: it vanishes at this moment. */
        if (r == -EBADMSG)
                return 0;
        if (r >= 0)
                r = tree_find(list->tree, o, &place);
        if (r < 0)
                return r;
        v.path = path_of(&place, v.name);
        v.datacenter = TAKE_PTR(place.datacenter);
        return v.path ? list->func(&v, list->userdata) : -ENOMEM;
}

int inventory_list(Session *s, inventory_func func, void *userdata) {
        const PropertySet set = { "VirtualMachine", (char *const *) vm_summary_properties };
        _cleanup_(tree_freep) Tree *tree = NULL;
        int r = tree_load(s, &tree);

        return r < 0 ? r : property_walk(s, &set, 1, list_one, &(List){ tree, func, userdata });
}

/* --- find ------------------------------------------------------------------------------------------ */

typedef struct Find {
        const Tree *tree;
        const char *datacenter; /* or NULL */
        const char *text;
        char *decoded; /* @text as a name */
        char *path; /* @text as a path, normalized */
        char *id; /* the first match */
        char **paths; /* of all matches */
        size_t matches;
} Find;

static void find_done(Find *f) {
        free(f->decoded);
        free(f->path);
        free(f->id);
        strv_free(f->paths);
}

static bool is_path(const char *text) {
        return strchr(text, '/') != NULL;
}

/* The path without the directory of all VMs, in which users do not see the VMs; or below that directory */
static int matches_path(const Find *f, const TreePlace *place, const char *full, const char *name) {
        _cleanup_free_ char *encoded = inventory_name_encode(name), *below = NULL, *shorter = NULL;

        if (streq(full, f->path))
                return true;
        if (!place->datacenter_path)
                return false;
        if (!encoded)
                return -ENOMEM;
        below = strprintf("%s%s/%s", *place->below ? "/" : "", place->below, encoded);
        shorter = below ? strprintf("/%s%s", place->datacenter_path, below) : NULL;
        if (!shorter)
                return -ENOMEM;
        return streq(shorter, f->path) || (f->text[0] != '/' && streq(below, f->path));
}

static bool matches_name(const Find *f, PropertyObject o, const char *name) {
        return streq(name, f->text) || streq(name, f->decoded) ||
                        strcasecmp(node_text(property_value(o, "summary.config.uuid")), f->text) == 0 ||
                        strcasecmp(node_text(property_value(o, "summary.config.instanceUuid")), f->text) ==
                        0;
}

static int remember(Find *f, PropertyObject o, const char *path) {
        int r;

        if (f->matches++ == 0) {
                f->id = strdup(property_object_id(o));
                if (!f->id)
                        return -ENOMEM;
        }
        r = f->matches <= CANDIDATES_SHOWN ? strv_extend(&f->paths, path) : 0;
        return r;
}

static int compare(PropertyObject o, void *userdata) {
        _cleanup_free_ char *name = inventory_name_decode(node_text(property_value(o, "name"))),
                            *full = NULL;
        _cleanup_place_ TreePlace place = {};
        Find *f = userdata;
        int r = name ? tree_find(f->tree, o, &place) : -ENOMEM;

        if (r < 0 || (f->datacenter && !tree_place_is_in(&place, f->datacenter)))
                return r;
        full = path_of(&place, name);
        if (!full)
                return -ENOMEM;
        if (is_path(f->text))
                r = matches_path(f, &place, full, name);
        else
                r = matches_name(f, o, name);
        return r > 0 ? remember(f, o, full) : r;
}

static int fail_several(Session *s, Find *f) {
        _cleanup_free_ char *paths = strv_join(f->paths, ", ");

        if (!paths)
                return -ENOMEM;
        return session_fail(s, -ENOTUNIQ, NULL,
                        "%s: there are %zu virtual machines \"%s\": %s%s; give a path",
                        soap_host(session_soap(s)), f->matches, f->text, paths,
                        f->matches > CANDIDATES_SHOWN ? ", …" : "");
}

static int fail_none(Session *s, const Find *f) {
        return session_fail(s, -ENOENT, NULL, "%s: there is no virtual machine \"%s\"%s%s%s",
                        soap_host(session_soap(s)), f->text, f->datacenter ? " in the datacenter \"" : "",
                        strempty(f->datacenter), f->datacenter ? "\"" : "");
}

/* "vm-42", or a number on an ESXi host */
static int find_by_id(Session *s, const Find *f, char **ret_id) {
        _cleanup_answer_ SoapAnswer answer = {};
        PropertyObject o;
        int r;

        if (f->datacenter || is_path(f->text))
                return fail_none(s, f);
        r = property_read(s, "VirtualMachine", f->text, PROPERTIES("name"), &answer, &o);
        if (r == -ENOENT || r == -EINVAL)
                return fail_none(s, f);
        if (r < 0)
                return r;
        *ret_id = strdup(f->text);
        return *ret_id ? 0 : -ENOMEM;
}

int inventory_find(Session *s, const char *datacenter, const char *name, char **ret_id) {
        const PropertySet set = {
                "VirtualMachine",
                PROPERTIES("name", "parent", "parentVApp", "summary.config.uuid",
                                "summary.config.instanceUuid"),
        };
        _cleanup_(find_done) Find f = { .text = name };
        _cleanup_(tree_freep) Tree *tree = NULL;
        int r;

        if (isempty(name))
                return session_fail(s, -ENOENT, NULL, "the name of the virtual machine is empty");
        f.datacenter = isempty(datacenter) ? NULL : datacenter;
        f.decoded = inventory_name_decode(name);
        f.path = inventory_path_normalize(name);
        if (!f.decoded || !f.path)
                return -ENOMEM;
        r = tree_load(s, &tree);
        if (r < 0)
                return r;
        f.tree = tree;
        if (f.datacenter && !tree_has_datacenter(tree, f.datacenter))
                return session_fail(s, -ENOENT, NULL, "%s: there is no datacenter \"%s\"",
                                soap_host(session_soap(s)), f.datacenter);
        r = property_walk(s, &set, 1, compare, &f);
        if (r < 0)
                return r;
        if (f.matches > 1)
                return fail_several(s, &f);
        if (f.matches == 0)
                return find_by_id(s, &f, ret_id);
        *ret_id = TAKE_PTR(f.id);
        return 0;
}
