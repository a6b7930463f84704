/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The directories of the inventory: what the paths of virtual machines consist of. */

#include "vsphere/property.h"

typedef struct Tree Tree;

/* Reads all directories, datacenters and vApps. Blocks. */
int tree_load(Session *s, Tree **ret);
Tree *tree_free(Tree *t);
DEFINE_CLEANUP_FUNC(Tree *, tree_free);

/* Where an object with the properties "parent" and "parentVApp" is. Strings are the caller's to free. */
typedef struct TreePlace {
        char *path; /* "/DIRECTORY/DATACENTER/vm/DIRECTORY" */
        char *datacenter_path; /* "DIRECTORY/DATACENTER", or NULL if it is in none */
        char *datacenter; /* decoded, or NULL */
        char *below; /* "DIRECTORY": the part below the directory of all VMs of the datacenter, or "" */
} TreePlace;

void tree_place_done(TreePlace *p);
#define _cleanup_place_ _cleanup_(tree_place_done)

/* 0, -EBADMSG if the tree is a circle, or -ENOMEM. */
int tree_find(const Tree *t, PropertyObject o, TreePlace *ret);
/* True if there is a datacenter of this name or path. */
bool tree_has_datacenter(const Tree *t, const char *name);
/* True if @p is in it. */
bool tree_place_is_in(const TreePlace *p, const char *datacenter);
