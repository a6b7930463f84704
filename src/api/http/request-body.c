/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <strings.h>

#include "api/http/query.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/http/request-state.h"
#include "api/http/yaml-body.h"
#include "basic/string-util.h"
#include "json/json-parse.h"
#include "json/json-table.h"

int request_query_decode(Request *r, void *base) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *text = NULL;
        int k;

        assert(r->route && r->route->query);

        if (r->n_query == 0)
                return 0;
        k = query_decode(r->route->query, r->query, r->n_query, base, &errors);
        if (k != -EBADMSG)
                return k;

        text = json_errors_text(&errors);
        if (!text)
                return -ENOMEM;
        request_reply_error(r, MHD_HTTP_BAD_REQUEST, "%s", text);
        return -EINVAL;
}

static int refuse_body(Request *r, const char *language, const char *error) {
        (void) request_reply_error(
                        r, MHD_HTTP_BAD_REQUEST, "The body is not valid %s: %s", language, strempty(error));
        return -EBADMSG;
}

static int parse_yaml(Request *r, const char *text, size_t size, bool object, json_t **ret) {
        _cleanup_free_ char *error = NULL;
        _cleanup_json_ json_t *value = NULL;
        int k;

        k = yaml_parse_any(text, size, &value, &error);
        if (k == -EBADMSG)
                return refuse_body(r, "YAML", error);
        if (k < 0)
                return k;
        if (object && !json_is_object(value))
                return refuse_body(r, "YAML", "it must be a mapping");
        *ret = TAKE_PTR(value);
        return 0;
}

static int request_parse_body(Request *r, bool object, json_t **ret) {
        static const char bom[] = "\xef\xbb\xbf"; /* some clients begin with one (RFC 8259, 8.1) */
        const char *encoding = request_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING), *text = r->body;
        _cleanup_free_ char *error = NULL;
        size_t size = r->body_size;
        int k;

        if (size >= strlen(bom) && memcmp(text, bom, strlen(bom)) == 0) {
                text += strlen(bom);
                size -= strlen(bom);
        }
        if (encoding && strcasecmp(encoding, "identity") != 0) {
                request_reply_error(r, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                "The body has a Content-Encoding; send it without one.");
                return -EBADMSG;
        }
        if (size == 0) {
                request_reply_error(r, MHD_HTTP_BAD_REQUEST, "The request has no body; JSON is expected.");
                return -EBADMSG;
        }

        if (content_type_is_yaml(request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE)))
                return parse_yaml(r, text, size, object, ret);
        if (object)
                k = json_parse_object(text, size, ret, &error);
        else
                k = json_parse_any(text, size, ret, &error);
        return k == -EBADMSG ? refuse_body(r, "JSON", error) : k;
}

void request_wipe_body(Request *r) {
        if (r->body)
                explicit_bzero(r->body, r->body_size);
        r->body_size = 0;
}

int request_json(Request *r, json_t **ret) {
        return request_parse_body(r, false, ret);
}

int request_json_object(Request *r, json_t **ret) {
        return request_parse_body(r, true, ret);
}
