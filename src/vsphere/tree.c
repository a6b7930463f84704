/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/tree.h"

#include <uthash.h>

#include "basic/string-util.h"
#include "vsphere/inventory-name.h"

#define DEPTH_MAX 64
/* Of directories: a hundred thousand with names of an average length */
#define MEMORY_MAX ((size_t) 24 * 1024 * 1024)

typedef struct Directory {
        UT_hash_handle hh;
        char *id;
        char *name; /* encoded */
        char *parent; /* ID, or NULL */
        bool datacenter;
} Directory;

struct Tree {
        Directory *directories;
        size_t size;
};

static void directory_free(Directory *d) {
        free(d->id);
        free(d->name);
        free(d->parent);
        free(d);
}

Tree *tree_free(Tree *t) {
        Directory *i, *next;

        if (!t)
                return NULL;
        HASH_ITER(hh, t->directories, i, next) {
                HASH_DEL(t->directories, i);
                directory_free(i);
        }
        return mfree(t);
}

static char *normal_name(const char *name) {
        _cleanup_free_ char *decoded = inventory_name_decode(name);

        return decoded ? inventory_name_encode(decoded) : NULL;
}

/* A vApp is in a directory, in another vApp, or in a pool, which is no part of paths. */
static const xmlNode *parent_of(PropertyObject o) {
        const xmlNode *parent = property_value(o, "parentFolder");

        return parent ? parent : property_value(o, "parent");
}

static int add(PropertyObject o, void *userdata) {
        Directory *d = new0(Directory, 1);
        Tree *t = userdata;
        int r;

        if (!d)
                return -ENOMEM;
        d->id = strdup(property_object_id(o));
        d->name = normal_name(node_text(property_value(o, "name")));
        d->datacenter = streq(property_object_type(o), "Datacenter");
        r = d->id && d->name ? node_dup(parent_of(o), &d->parent) : -ENOMEM;
        if (r >= 0) {
                t->size += sizeof(Directory) + strlen(d->id) + strlen(d->name) + strlen(strempty(d->parent));
                r = t->size > MEMORY_MAX ? -EFBIG : 0;
        }
        if (r < 0) {
                directory_free(d);
                return r;
        }
        HASH_ADD_KEYPTR(hh, t->directories, d->id, strlen(d->id), d);
        return 0;
}

int tree_load(Session *s, Tree **ret) {
        const PropertySet sets[] = {
                { "Folder", PROPERTIES("name", "parent") },
                { "Datacenter", PROPERTIES("name", "parent") },
                { "VirtualApp", PROPERTIES("name", "parent", "parentFolder") },
        };
        _cleanup_(tree_freep) Tree *t = new0(Tree, 1);
        int r;

        if (!t)
                return -ENOMEM;
        r = property_walk(s, sets, ELEMENTSOF(sets), add, t);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

/* --- places ---------------------------------------------------------------------------------------- */

void tree_place_done(TreePlace *p) {
        free(p->path);
        free(p->datacenter_path);
        free(p->datacenter);
        free(p->below);
        *p = (TreePlace){};
}

static const Directory *find(const Tree *t, const char *id) {
        Directory *found = NULL;

        if (id && *id)
                HASH_FIND(hh, t->directories, id, strlen(id), found);
        return found;
}

static int prepend(char **path, const char *name) {
        char *longer = strprintf("/%s%s", name, strempty(*path));

        if (!longer)
                return -ENOMEM;
        free(*path);
        *path = longer;
        return 0;
}

/* Sets the path of a directory, and what it is below of. */
static int walk_up(const Tree *t, const Directory *d, TreePlace *p) {
        const Directory *before = NULL;
        unsigned depth = 0;
        int r = 0;

        for (; d && r >= 0; before = d, d = find(t, d->parent)) {
                if (++depth > DEPTH_MAX)
                        return -EBADMSG;
                if (d->datacenter && !p->datacenter) {
                        /* The path begins with the directory of all VMs, "/vm". */
                        const char *below = before ? strempty(p->path) + strlen(before->name) + 1 : "";

                        p->below = strdup(*below == '/' ? below + 1 : below);
                        p->datacenter = inventory_name_decode(d->name);
                        if (!p->below || !p->datacenter)
                                return -ENOMEM;
                }
                r = prepend(&p->path, d->name);
                if (r >= 0 && p->datacenter)
                        r = prepend(&p->datacenter_path, d->name);
        }
        return r;
}

int tree_find(const Tree *t, PropertyObject o, TreePlace *ret) {
        _cleanup_place_ TreePlace p = {};
        const xmlNode *vapp = property_value(o, "parentVApp");
        int r = walk_up(t, find(t, node_text(vapp ? vapp : property_value(o, "parent"))), &p);

        if (r >= 0 && !p.path)
                r = free_and_strdup(&p.path, "");
        if (r >= 0 && !p.below)
                r = free_and_strdup(&p.below, "");
        if (r < 0)
                return r;
        if (p.datacenter_path) /* without the first "/" */
                memmove(p.datacenter_path, p.datacenter_path + 1, strlen(p.datacenter_path));
        *ret = p;
        p = (TreePlace){};
        return 0;
}

bool tree_place_is_in(const TreePlace *p, const char *datacenter) {
        if (!p->datacenter)
                return false;
        return streq(p->datacenter, datacenter) ||
                        streq(p->datacenter_path, datacenter[0] == '/' ? datacenter + 1 : datacenter);
}

bool tree_has_datacenter(const Tree *t, const char *name) {
        const char *slash = strrchr(name, '/');
        _cleanup_free_ char *normal = normal_name(slash ? slash + 1 : name);

        for (const Directory *d = t->directories; d && normal; d = d->hh.next)
                if (d->datacenter && streq(d->name, normal))
                        return true;
        return false;
}
