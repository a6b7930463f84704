/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Properties of objects: RetrievePropertiesEx and ContinueRetrievePropertiesEx of the PropertyCollector. */

#include "vsphere/session.h"

/* One object of an answer. Borrowed from the answer. */
typedef struct PropertyObject {
        const xmlNode *node;
} PropertyObject;

/* The object's ID and type, "" if missing */
const char *property_object_id(PropertyObject o);
const char *property_object_type(PropertyObject o);
/* The value of a property, or NULL if it is not set */
const xmlNode *property_value(PropertyObject o, const char *path);

/* Reads properties of one object. Blocks. *ret_object borrows from *ret. A property that the server refuses
 * is an error, one that is not set is just missing. -ENOENT: there is no such object (any more). */
int property_read(Session *s, const char *type, const char *id, char *const *paths, SoapAnswer *ret,
                PropertyObject *ret_object);
#define PROPERTIES(...) ((char *const *) (const char *const[]){ __VA_ARGS__, NULL })

/* Called for each object. 0 goes on, 1 ends the walk, negative errno ends it with an error. */
typedef int (*property_func)(PropertyObject o, void *userdata);

/* Reads properties of several objects of a type, with one call or a few. Blocks. What the server refuses is
 * missing. @func is called in the order of the server. -ENOENT: one of them does not exist (any more). */
int property_read_many(Session *s, const char *type, char *const *ids, char *const *paths,
                property_func func, void *userdata);

/* What is read of all objects of a type */
typedef struct PropertySet {
        const char *type;
        char *const *paths;
} PropertySet;

/* Walks all objects of these types below the root directory, in pages of 500. Blocks. Needs memory for one
 * page and for the IDs of the objects. Each object is seen once, even if the session has to be renewed
 * meanwhile. Objects that appear or vanish meanwhile may or may not be seen. */
int property_walk(Session *s, const PropertySet *sets, size_t n_sets, property_func func, void *userdata);
