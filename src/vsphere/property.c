/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/property.h"

#include <uthash.h>

#include "basic/string-util.h"
#include "vsphere/fault.h"

#define PAGE_OBJECTS 500
#define RESTARTS 3U
/* Of the IDs in an inventory: half a million VMs */
#define SEEN_MAX ((size_t) 48 * 1024 * 1024)
/* Pages in a row without a new object: after a restart, there are as many as were read before. */
#define PAGES_WITHOUT_NEWS_MAX 1000U

/* --- objects of an answer -------------------------------------------------------------------------- */

const char *property_object_id(PropertyObject o) {
        return node_text(node_child(o.node, "obj"));
}

const char *property_object_type(PropertyObject o) {
        const xmlNode *obj = node_child(o.node, "obj");
        const xmlAttr *a = obj ? xmlHasNsProp(obj, (const xmlChar *) "type", NULL) : NULL;

        return a && a->children && a->children->content ? (const char *) a->children->content : "";
}

const xmlNode *property_value(PropertyObject o, const char *path) {
        NODE_FOREACH(i, o.node, "propSet")
        if (node_is(node_child(i, "name"), path))
                return node_child(i, "val");
        return NULL;
}

/* --- one object ------------------------------------------------------------------------------------ */

static void put_properties(SoapRequest *q, const char *type, char *const *paths) {
        soap_request_open(q, "propSet", NULL);
        soap_request_text(q, "type", type);
        STRV_FOREACH(path, paths)
                soap_request_text(q, "pathSet", *path);
        soap_request_close(q);
}

static int new_retrieve(Session *s, SoapRequest **ret) {
        return soap_request_new("RetrievePropertiesEx", "PropertyCollector",
                        session_server(s)->property_collector, ret);
}

/* A property that cannot be read has a fault in its place. */
static int check_missing(Session *s, PropertyObject o) {
        const xmlNode *missing = node_child(o.node, "missingSet");
        _cleanup_fault_ Fault f = {};
        int r;

        if (!missing)
                return 0;
        r = fault_from_error(node_child(missing, "fault"), &f);
        if (r < 0)
                return r;
        return session_fail(s, fault_errno(strempty(f.type)), f.type, "%s: property \"%s\" of %s: %s (%s)",
                        soap_host(session_soap(s)), node_text(node_child(missing, "path")),
                        property_object_id(o), f.text ? f.text : "it cannot be read",
                        f.type ? f.type : "unknown fault");
}

static int ask(Session *s, const char *type, char *const *ids, char *const *paths, SoapAnswer *ret) {
        _cleanup_request_ SoapRequest *q = NULL;
        int r = new_retrieve(s, &q);

        if (r < 0)
                return r;
        soap_request_open(q, "specSet", NULL);
        put_properties(q, type, paths);
        STRV_FOREACH(id, ids) {
                soap_request_open(q, "objectSet", NULL);
                soap_request_object(q, "obj", type, *id);
                soap_request_close(q);
        }
        soap_request_close(q);
        soap_request_open(q, "options", NULL);
        soap_request_close(q);
        return session_call(s, q, ret);
}

static int ask_one(Session *s, const char *type, const char *id, char *const *paths, SoapAnswer *ret) {
        return ask(s, type, PROPERTIES(id), paths, ret);
}

static int take_object(Session *s, const char *type, const char *id, const SoapAnswer *answer,
                PropertyObject *ret) {
        PropertyObject o = { node_child(answer->value, "objects") };
        int r;

        if (!o.node || !streq(property_object_id(o), id))
                return session_fail(s, -ENOENT, "ManagedObjectNotFound", "%s: there is no %s %s",
                                soap_host(session_soap(s)), type, id);
        r = check_missing(s, o);
        if (r < 0)
                return r;
        *ret = o;
        return 0;
}

int property_read(Session *s, const char *type, const char *id, char *const *paths, SoapAnswer *ret,
                PropertyObject *ret_object) {
        _cleanup_answer_ SoapAnswer answer = {};
        int r = ask_one(s, type, id, paths, &answer);

        if (r < 0)
                return r;
        r = take_object(s, type, id, &answer, ret_object);
        if (r == -EKEYEXPIRED) {
                /* Some servers report the end of the session only in place of a property. */
                soap_answer_done(&answer);
                r = session_renew(s);
                if (r >= 0)
                        r = ask_one(s, type, id, paths, &answer);
                if (r >= 0)
                        r = take_object(s, type, id, &answer, ret_object);
        }
        if (r < 0)
                return r;
        *ret = answer;
        answer = (SoapAnswer){};
        return 0;
}

/* --- all objects ----------------------------------------------------------------------------------- */

typedef struct Seen {
        UT_hash_handle hh;
        char id[];
} Seen;

typedef struct Walk {
        Session *session;
        const PropertySet *sets;
        size_t n_sets;
        property_func func;
        void *userdata;
        Seen *seen;
        size_t size; /* of @seen */
        unsigned without_news; /* pages in a row */
        char *view; /* valid in this generation of the session */
        char *token; /* of the next page */
        unsigned generation;
        bool func_failed;
} Walk;

static void walk_done(Walk *w) {
        Seen *i, *next;

        HASH_ITER(hh, w->seen, i, next) {
                HASH_DEL(w->seen, i);
                free(i);
        }
        free(w->view);
        free(w->token);
}

/* 1 if it is new */
static int remember(Walk *w, const char *id) {
        size_t size = strlen(id);
        Seen *found;

        HASH_FIND(hh, w->seen, id, size, found);
        if (found)
                return 0;
        w->size += sizeof(Seen) + size + 1;
        if (w->size > SEEN_MAX)
                return session_fail(w->session, -EFBIG, NULL, "%s: the inventory has too many objects",
                                soap_host(session_soap(w->session)));
        found = malloc(sizeof(Seen) + size + 1);
        if (!found)
                return -ENOMEM;
        memcpy(found->id, id, size + 1);
        HASH_ADD_KEYPTR(hh, w->seen, found->id, size, found);
        return 1;
}

static int create_view(Walk *w) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_answer_ SoapAnswer answer = {};
        int r = soap_request_new(
                        "CreateContainerView", "ViewManager", session_server(w->session)->view_manager, &q);

        if (r < 0)
                return r;
        soap_request_object(q, "container", "Folder", session_server(w->session)->root_directory);
        for (size_t i = 0; i < w->n_sets; i++)
                soap_request_text(q, "type", w->sets[i].type);
        soap_request_bool(q, "recursive", true);
        r = session_call(w->session, q, &answer);
        if (r < 0)
                return r;
        w->generation = session_generation(w->session);
        return node_dup(answer.value, &w->view);
}

static int first_page(Walk *w, SoapAnswer *ret) {
        _cleanup_request_ SoapRequest *q = NULL;
        int r = new_retrieve(w->session, &q);

        if (r < 0)
                return r;
        soap_request_open(q, "specSet", NULL);
        for (size_t i = 0; i < w->n_sets; i++)
                put_properties(q, w->sets[i].type, w->sets[i].paths);
        soap_request_open(q, "objectSet", NULL);
        soap_request_object(q, "obj", "ContainerView", strempty(w->view));
        soap_request_bool(q, "skip", true);
        soap_request_open(q, "selectSet", "TraversalSpec");
        soap_request_text(q, "name", "view");
        soap_request_text(q, "type", "ContainerView");
        soap_request_text(q, "path", "view");
        soap_request_bool(q, "skip", false);
        soap_request_close(q);
        soap_request_close(q);
        soap_request_close(q);
        soap_request_open(q, "options", NULL);
        soap_request_number(q, "maxObjects", PAGE_OBJECTS);
        soap_request_close(q);
        return session_call(w->session, q, ret);
}

static int next_page(Walk *w, SoapAnswer *ret) {
        _cleanup_request_ SoapRequest *q = NULL;
        int r = soap_request_new("ContinueRetrievePropertiesEx", "PropertyCollector",
                        session_server(w->session)->property_collector, &q);

        if (r < 0)
                return r;
        soap_request_text(q, "token", w->token);
        return session_call(w->session, q, ret);
}

/* 1 if @func wants no more */
static int take_page(Walk *w, const SoapAnswer *answer) {
        free(w->token);
        w->token = NULL;
        if (++w->without_news > PAGES_WITHOUT_NEWS_MAX)
                return session_fail(w->session, -EBADMSG, NULL, "%s: the inventory has no end",
                                soap_host(session_soap(w->session)));
        NODE_FOREACH(i, answer->value, "objects") {
                PropertyObject o = { i };
                int r = remember(w, property_object_id(o));

                if (r > 0) {
                        w->without_news = 0;
                        r = w->func(o, w->userdata);
                        w->func_failed = r < 0;
                }
                if (r != 0)
                        return r;
        }
        return node_dup(node_child(answer->value, "token"), &w->token);
}

static void end_pages(Walk *w) {
        _cleanup_request_ SoapRequest *q = NULL;

        if (w->token &&
                        soap_request_new("CancelRetrievePropertiesEx", "PropertyCollector",
                                        session_server(w->session)->property_collector, &q) >= 0) {
                soap_request_text(q, "token", w->token);
                session_call_quietly(w->session, q);
        }
        w->token = mfree(w->token);
}

static void destroy_view(Walk *w) {
        _cleanup_request_ SoapRequest *q = NULL;

        if (w->view && w->generation == session_generation(w->session) &&
                        soap_request_new("DestroyView", "ContainerView", w->view, &q) >= 0)
                session_call_quietly(w->session, q);
        w->view = mfree(w->view);
}

/* Reads all pages once. Views and tokens are gone after a renewal of the session. */
static int walk_once(Walk *w) {
        _cleanup_answer_ SoapAnswer first = {};
        int r = create_view(w);

        if (r >= 0)
                r = first_page(w, &first);
        if (r >= 0)
                r = take_page(w, &first);
        soap_answer_done(&first);
        while (r == 0 && w->token) {
                _cleanup_answer_ SoapAnswer page = {};

                r = next_page(w, &page);
                if (r >= 0)
                        r = take_page(w, &page);
        }
        if (r != -ECANCELED) {
                end_pages(w);
                destroy_view(w);
        }
        return r;
}

static bool is_worth_a_restart(const Walk *w, int r) {
        return r < 0 && !w->func_failed &&
                        (w->generation != session_generation(w->session) || r == -ECONNRESET);
}

int property_walk(Session *s, const PropertySet *sets, size_t n_sets, property_func func, void *userdata) {
        _cleanup_(walk_done) Walk w = {
                .session = s,
                .sets = sets,
                .n_sets = n_sets,
                .func = func,
                .userdata = userdata,
                .generation = session_generation(s),
        };
        int r;

        for (unsigned attempt = 0;; attempt++) {
                r = walk_once(&w);
                if (w.func_failed && r == -EBADMSG)
                        return session_fail(s, r, NULL, "%s: an object of the inventory is malformed",
                                        soap_host(session_soap(s)));
                if (w.func_failed && r == -EFBIG)
                        return session_fail(s, r, NULL, "%s: the inventory needs too much memory",
                                        soap_host(session_soap(s)));
                if (!is_worth_a_restart(&w, r) || attempt == RESTARTS)
                        return r < 0 ? r : 0;
                w.generation = session_generation(s);
                w.view = mfree(w.view);
                w.token = mfree(w.token);
        }
}

/* --- several objects ------------------------------------------------------------------------------- */

int property_read_many(Session *s, const char *type, char *const *ids, char *const *paths,
                property_func func, void *userdata) {
        _cleanup_(walk_done) Walk w = { .session = s, .func = func, .userdata = userdata };
        _cleanup_answer_ SoapAnswer first = {};
        int r = ask(s, type, ids, paths, &first);

        if (r >= 0)
                r = take_page(&w, &first);
        while (r == 0 && w.token) {
                _cleanup_answer_ SoapAnswer page = {};

                r = next_page(&w, &page);
                if (r >= 0)
                        r = take_page(&w, &page);
        }
        if (r != -ECANCELED)
                end_pages(&w);
        return r < 0 ? r : 0;
}
