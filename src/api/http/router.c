/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A tree of path segments. A node has children by literal text and at most one for a parameter; a literal is
 * tried first, and if nothing is found below it, the parameter. */

#include "api/http/router.h"
#include "basic/string-util.h"

typedef struct Node Node;
struct Node {
        char *name; /* the literal, or the parameter's name */
        Node *children, *next; /* literals */
        Node *param;
        const Route *routes[_HTTP_METHOD_MAX];
        bool is_end; /* at least one route ends here */
};

struct Router {
        Node root;
};

static const char *const http_method_table[_HTTP_METHOD_MAX] = {
        [HTTP_GET] = "GET",
        [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",
        [HTTP_PATCH] = "PATCH",
        [HTTP_DELETE] = "DELETE",
};

const char *http_method_to_string(HttpMethod m) {
        if (m < 0 || m >= _HTTP_METHOD_MAX)
                return NULL;
        return http_method_table[m];
}

HttpMethod http_method_from_string(const char *s) {
        for (HttpMethod m = 0; m < _HTTP_METHOD_MAX; m++)
                if (streq(http_method_table[m], s))
                        return m;
        return _HTTP_METHOD_INVALID;
}

/* Whether @d has a route of its own for the method and path of one of another dialect. */
static bool has_own(const Dialect *d, const Route *other) {
        for (const Route *route = d->routes; route->handler; route++)
                if (route->method == other->method && streq(route->path, other->path))
                        return true;
        return false;
}

static bool is_own(const Dialect *d, const Route *route) {
        for (const Route *own = d->routes; own->handler; own++)
                if (own == route)
                        return true;
        return false;
}

const Route *dialect_next_route(const Dialect *d, const Route *route) {
        bool own = !route || is_own(d, route);
        const Route *next = route ? route + 1 : d->routes;

        if (own && next->handler)
                return next;
        if (!d->also)
                return NULL;
        for (next = own ? d->also->routes : next; next->handler; next++)
                if (!has_own(d, next))
                        return next;
        return NULL;
}

static Node *node_free(Node *n) {
        if (!n)
                return NULL;

        while (n->children) {
                Node *child = n->children;

                n->children = child->next;
                node_free(child);
        }
        node_free(n->param);
        free(n->name);
        free(n);
        return NULL;
}

Router *router_free(Router *r) {
        if (!r)
                return NULL;

        while (r->root.children) {
                Node *child = r->root.children;

                r->root.children = child->next;
                node_free(child);
        }
        node_free(r->root.param);
        free(r);
        return NULL;
}

/* The child of @n for one segment of a route's path, made if it is not there yet. */
static int node_descend(Node *n, const char *segment, size_t length, Node **ret) {
        bool is_param = segment[0] == '{';
        Node *child;

        if (is_param) {
                if (length < 3 || segment[length - 1] != '}')
                        return -EINVAL;
                segment++;
                length -= 2;
        }

        for (child = is_param ? n->param : n->children; child; child = child->next)
                if (strlen(child->name) == length && strncmp(child->name, segment, length) == 0) {
                        *ret = child;
                        return 0;
                }
        if (is_param && n->param)
                return -EINVAL; /* one place, two names */

        child = new0(Node, 1);
        if (!child)
                return -ENOMEM;
        child->name = strndup(segment, length);
        if (!child->name) {
                node_free(child);
                return -ENOMEM;
        }

        if (is_param)
                n->param = child;
        else {
                child->next = n->children;
                n->children = child;
        }
        *ret = child;
        return 0;
}

/* The node for @path below @n, made if it is not there yet. */
static int node_find(Node *n, const char *path, Node **ret) {
        size_t n_segments = 0, n_params = 0;
        int r;

        if (path[0] != '/')
                return -EINVAL;
        for (const char *p = path + 1; *p;) {
                size_t length = strcspn(p, "/");

                if (length == 0 || ++n_segments > ROUTER_SEGMENTS_MAX)
                        return -EINVAL;
                if (*p == '{' && ++n_params > ROUTER_PARAMS_MAX)
                        return -EINVAL;
                r = node_descend(n, p, length, &n);
                if (r < 0)
                        return r;
                p += length;
                if (*p == '/')
                        p++;
        }
        *ret = n;
        return 0;
}

/* -EEXIST if there is a route for this method and path. */
static int router_add(Router *router, const char *base, const Route *route) {
        _cleanup_free_ char *path = strprintf("%s%s", base, route->path);
        Node *n = NULL;
        int r;

        if (!path)
                return -ENOMEM;
        if (route->method < 0 || route->method >= _HTTP_METHOD_MAX)
                return -EINVAL;
        r = node_find(&router->root, path, &n);
        if (r < 0)
                return r;
        if (n->routes[route->method])
                return -EEXIST;
        n->routes[route->method] = route;
        n->is_end = true;
        return 0;
}

/* The routes of a dialect, where @router has none yet. */
static int router_add_missing(Router *router, const char *base, const Dialect *dialect) {
        int r;

        for (const Route *route = dialect->routes; route->handler; route++) {
                r = router_add(router, base, route);
                if (r < 0 && r != -EEXIST)
                        return r;
        }
        return 0;
}

/* Those that have precedence everywhere. */
static int router_add_at_root(Router *router, const Dialect *dialect) {
        int r = 0;

        for (const Route *route = dialect->routes; route->handler && r >= 0; route++)
                if (route->at_root)
                        r = router_add(router, "", route);
        return r;
}

int router_new(const Dialect *dialect, Router **ret) {
        _cleanup_(router_freep) Router *router = NULL;
        int r;

        router = new0(Router, 1);
        if (!router)
                return -ENOMEM;

        for (const Route *route = dialect->routes; route->handler; route++) {
                r = router_add(router, strempty(dialect->base), route);
                if (r < 0)
                        return r == -EEXIST ? -EINVAL : r;
        }
        if (dialect->also) {
                r = router_add_at_root(router, dialect);
                if (r >= 0)
                        r = router_add_missing(router, "", dialect->also);
                if (r >= 0)
                        r = router_add_missing(router, dialect->base, dialect->also);
                if (r >= 0)
                        r = router_add_missing(router, "", dialect);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(router);
        return 0;
}

static const Node *node_match(const Node *n, const char *const *segments, size_t left, RouteMatch *m) {
        const Node *found;
        size_t n_params = m->n_params;

        if (left == 0)
                return n->is_end ? n : NULL;

        for (const Node *child = n->children; child; child = child->next)
                if (streq(child->name, segments[0])) {
                        found = node_match(child, segments + 1, left - 1, m);
                        if (found)
                                return found;
                        break;
                }

        if (!n->param)
                return NULL;
        m->param_names[n_params] = n->param->name;
        m->param_values[n_params] = segments[0];
        m->n_params = n_params + 1;
        found = node_match(n->param, segments + 1, left - 1, m);
        if (!found)
                m->n_params = n_params;
        return found;
}

int router_match(const Router *r, const char *const *segments, size_t n, RouteMatch *ret) {
        RouteMatch m = {};
        const Node *found;

        found = node_match(&r->root, segments, n, &m);
        if (!found)
                return -ENOENT;

        memcpy(m.routes, found->routes, sizeof(m.routes));
        *ret = m;
        return 0;
}

char *route_match_allow(const RouteMatch *m, char buf[static ALLOW_SIZE]) {
        char *p = buf;

        for (HttpMethod method = 0; method < _HTTP_METHOD_MAX; method++) {
                if (!m->routes[method])
                        continue;
                p = stpcpy(stpcpy(p, http_method_to_string(method)), ", ");
                if (method == HTTP_GET)
                        p = stpcpy(p, "HEAD, ");
        }
        strcpy(p, "OPTIONS");
        return buf;
}
