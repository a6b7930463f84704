/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The target of a request, and what each route of each dialect makes of its query: nothing is written
 * outside of the route's struct, numbers are within their ranges, strings are UTF-8, and errors come exactly
 * with refusals. */

#include <stdalign.h>
#include <stdio.h>

#include "api/hosts/hosts-routes.h"
#include "api/http/router.h"
#include "api/http/uri.h"
#include "api/hypersdk/hypersdk-routes.h"
#include "api/worker/worker-routes.h"
#include "basic/string-util.h"
#include "fuzz.h"

#define PAIRS_MAX 64

static void check(bool b, const char *what) {
        if (!b) {
                fprintf(stderr, "not true: %s\n", what);
                abort();
        }
}

/* The largest struct that a route's parameters are decoded into is far smaller. */
typedef union Target {
        char bytes[4096];
        max_align_t aligned;
} Target;

static void check_field(const QueryField *f, const char *base) {
        const void *target = base + f->offset;

        switch (f->type) {
        case QUERY_STRING:
                if (*(const char *const *) target)
                        check(utf8_is_valid(*(const char *const *) target), "a string is UTF-8");
                break;
        case QUERY_UNSIGNED:
                check(*(const unsigned *) target <= f->max, "a number is within its range");
                break;
        case QUERY_UINT64:
                check(*(const uint64_t *) target <= f->max, "a number is within its range");
                break;
        case QUERY_BOOLEAN:
                check(*(const unsigned char *) target <= 1, "true or false");
                break;
        default:
                break;
        }
}

static void try_route(const Route *route, const QueryPair *pairs, size_t n) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        Target target = {};
        int r;

        if (!route->query)
                return;
        r = query_decode(route->query, pairs, n, &target, &errors);
        check((r == -EBADMSG) == (errors.n_errors > 0), "errors come with a refusal");
        for (const QueryField *f = route->query; f->key && r >= 0; f++)
                check_field(f, target.bytes);
}

static void try_dialect(const Dialect *d, const char *const *segments, size_t n_segments,
                const QueryPair *pairs, size_t n_pairs) {
        _cleanup_(router_freep) Router *router = NULL;
        RouteMatch match = {};

        for (const Route *route = d->routes; route->handler; route++)
                try_route(route, pairs, n_pairs);
        if (router_new(d, &router) < 0 || router_match(router, segments, n_segments, &match) < 0)
                return;
        check(match.n_params <= ROUTER_PARAMS_MAX, "so many parameters and no more");
        for (size_t i = 0; i < match.n_params; i++)
                check(utf8_is_valid(match.param_values[i]), "a path's parameter is UTF-8");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const Dialect *const dialects[] = { &worker_dialect, &hypersdk_dialect, &hosts_dialect };
        _cleanup_free_ char *text = strndup((const char *) data, size);
        const char *segments[ROUTER_SEGMENTS_MAX], *host;
        QueryPair pairs[PAIRS_MAX];
        size_t n_segments = 0, n_pairs = 0;
        char *path, *query;

        if (!text || uri_split_target(text, &host, &path, &query) < 0 ||
                        uri_split_path(path, segments, ELEMENTSOF(segments), &n_segments) < 0 ||
                        (query && uri_split_query(query, pairs, ELEMENTSOF(pairs), &n_pairs) < 0))
                return 0;
        check(n_segments <= ELEMENTSOF(segments) && n_pairs <= ELEMENTSOF(pairs),
                        "no more than there is room for");
        for (size_t i = 0; i < ELEMENTSOF(dialects); i++)
                try_dialect(dialects[i], segments, n_segments, pairs, n_pairs);
        return 0;
}
