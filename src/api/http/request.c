/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/http/request.h"
#include "api/api-state.h"
#include "api/http/http-server-state.h"
#include "api/http/query.h"
#include "api/http/request-state.h"
#include "basic/string-util.h"

static void request_free(Request *r) {
        assert(!r->connection);

        if (r->userdata_done)
                r->userdata_done(r->userdata);
        if (r->response)
                MHD_destroy_response(r->response);
        while (r->headers) {
                RequestHeader *h = r->headers;

                r->headers = h->next;
                free(h);
        }
        api_give_body(http_server_api(r->server), r->body_allocated);
        free(r->body);
        session_row_free(r->session);
        free(r->query);
        free(r->path_text);
        free(r);
}

Request *request_ref(Request *r) {
        r->n_ref++;
        return r;
}

Request *request_unref(Request *r) {
        if (r && --r->n_ref == 0)
                request_free(r);
        return NULL;
}

/* --- what handlers ask ----------------------------------------------------------------------------- */

Api *request_api(Request *r) {
        return http_server_api(r->server);
}

const Route *request_route(Request *r) {
        return r->route;
}

const Dialect *request_dialect(Request *r) {
        return http_server_dialect(r->server);
}

char *request_owner(Request *r, char buf[static REQUEST_OWNER_SIZE]) {
        if (!isempty(r->key.text))
                (void) snprintf(buf, REQUEST_OWNER_SIZE, "key:%s", r->key.text);
        else
                (void) snprintf(buf, REQUEST_OWNER_SIZE, "user:%u",
                                (unsigned) (r->session ? r->session->uid : r->uid));
        return buf;
}

const char *request_user_name(const Request *r) {
        return r->session ? r->session->username : r->key_name;
}

Role request_role(Request *r) {
        return r->role;
}

const char *request_path(Request *r) {
        return r->path_text ? r->path_text : "/";
}

const char *request_param(Request *r, const char *name) {
        for (size_t i = 0; i < r->match.n_params; i++)
                if (streq(r->match.param_names[i], name))
                        return r->match.param_values[i];
        assert(!"the route has such a parameter");
        return "";
}

const char *request_header(Request *r, const char *name) {
        if (!r->connection)
                return NULL;
        return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *request_query_nth(Request *r, const char *key, size_t n) {
        return query_get(r->query, r->n_query, key, n);
}

const char *request_query(Request *r, const char *key) {
        return request_query_nth(r, key, 0);
}

const char *request_body(Request *r, size_t *ret_size) {
        if (ret_size)
                *ret_size = r->body_size;
        return strempty(r->body);
}

void request_set_userdata(Request *r, void *userdata, void (*done)(void *userdata)) {
        assert(!r->userdata);

        r->userdata = userdata;
        r->userdata_done = done;
}

void *request_userdata(Request *r) {
        return r->userdata;
}

void *request_take_userdata(Request *r) {
        r->userdata_done = NULL;
        return TAKE_PTR(r->userdata);
}
