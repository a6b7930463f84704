/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The opening handshake (RFC 6455, 4.2). */

#include <gnutls/crypto.h>
#include <strings.h>

#include "api/api-state.h"
#include "api/http/http-server-state.h"
#include "api/http/origin.h"
#include "api/http/reply.h"
#include "api/http/request-state.h"
#include "api/stream/websocket-handshake.h"
#include "basic/string-util.h"

#define PROTOCOL_VERSION "13"
/* RFC 6455, 1.3: what is put behind the client's key. */
#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_LENGTH 24 /* 16 bytes of base64 */
#define SHA1_SIZE 20

typedef struct TokenSearch {
        const char *name, *token;
        bool found;
} TokenSearch;

static bool has_token(const char *list, const char *token) {
        static const char separators[] = ", \t";
        size_t n = strlen(token);

        for (const char *p = list + strspn(list, separators); *p; p += strspn(p, separators)) {
                size_t length = strcspn(p, separators);

                if (length == n && strncasecmp(p, token, n) == 0)
                        return true;
                p += length;
        }
        return false;
}

static enum MHD_Result on_header(
                void *userdata, enum MHD_ValueKind kind, const char *name, const char *value) {
        TokenSearch *s = userdata;

        s->found = s->found || (strcasecmp(name, s->name) == 0 && has_token(strempty(value), s->token));
        return s->found ? MHD_NO : MHD_YES;
}

/* A list in a header may be spread over several lines of it. */
static bool request_header_has_token(Request *r, const char *name, const char *token) {
        TokenSearch s = { .name = name, .token = token };

        if (r->connection)
                (void) MHD_get_connection_values(r->connection, MHD_HEADER_KIND, on_header, &s);
        return s.found;
}

/* 16 bytes have 22 characters and two to fill up. Which bytes does not matter. */
static bool key_is_valid(const char *key) {
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        return strlen(key) == KEY_LENGTH && strspn(key, digits) == KEY_LENGTH - 2 &&
                        streq(key + KEY_LENGTH - 2, "==");
}

static int make_accept(const char *key, char accept[static WEBSOCKET_ACCEPT_SIZE]) {
        char text[KEY_LENGTH + sizeof(ACCEPT_GUID)];
        uint8_t hash[SHA1_SIZE];
        gnutls_datum_t in = { .data = hash, .size = sizeof(hash) }, out;

        stpcpy(stpcpy(text, key), ACCEPT_GUID);
        if (gnutls_hash_fast(GNUTLS_DIG_SHA1, text, strlen(text), hash) < 0 ||
                        gnutls_base64_encode2(&in, &out) < 0)
                return -ENOMEM;
        assert(out.size == WEBSOCKET_ACCEPT_SIZE - 1);
        memcpy(accept, out.data, out.size);
        accept[out.size] = '\0';
        gnutls_free(out.data);
        return 0;
}

static int refuse_upgrade(Request *r, const char *message) {
        int k;

        k = request_add_header(r, MHD_HTTP_HEADER_UPGRADE, "websocket");
        if (k >= 0)
                k = request_add_header(r, MHD_HTTP_HEADER_SEC_WEBSOCKET_VERSION, PROTOCOL_VERSION);
        if (k < 0)
                return k;
        request_reply_error(r, MHD_HTTP_UPGRADE_REQUIRED, "%s", message);
        return -EBADMSG;
}

/* A browser lets any page open a WebSocket to anywhere: only the server can refuse (RFC 6455, 10.2). */
static bool origin_is_welcome(Request *r, const WebSocketProtocol *protocol) {
        const char *origin = request_header(r, MHD_HTTP_HEADER_ORIGIN),
                   *host = r->host ? r->host : request_header(r, MHD_HTTP_HEADER_HOST);

        return !origin || !http_server_is_inet(r->server) || origin_is_same(origin, host) ||
                        (origin_is_loopback(origin) && !protocol->same_origin) ||
                        api_allows_origin(request_api(r), origin);
}

const char *websocket_choose_subprotocol(Request *r, const WebSocketProtocol *protocol) {
        return protocol->subprotocol &&
                                        request_header_has_token(r, MHD_HTTP_HEADER_SEC_WEBSOCKET_PROTOCOL,
                                                        protocol->subprotocol)
                        ? protocol->subprotocol
                        : NULL;
}

int websocket_handshake(Request *r, const WebSocketProtocol *protocol,
                char ret_accept[static WEBSOCKET_ACCEPT_SIZE]) {
        const char *key = request_header(r, MHD_HTTP_HEADER_SEC_WEBSOCKET_KEY);
        const char *version = request_header(r, MHD_HTTP_HEADER_SEC_WEBSOCKET_VERSION);

        if (r->is_head || r->is_http_1_0 ||
                        !request_header_has_token(r, MHD_HTTP_HEADER_UPGRADE, "websocket") ||
                        !request_header_has_token(r, MHD_HTTP_HEADER_CONNECTION, "upgrade"))
                return refuse_upgrade(r,
                                "There is a WebSocket at this path: it takes GET with the headers "
                                "\"Connection: Upgrade\" and \"Upgrade: websocket\".");
        if (!streq_ptr(version, PROTOCOL_VERSION))
                return refuse_upgrade(r,
                                "The WebSocket protocol is spoken in version " PROTOCOL_VERSION
                                " here (Sec-WebSocket-Version).");
        if (!key || !key_is_valid(key)) {
                request_reply_error(r, MHD_HTTP_BAD_REQUEST,
                                "The header Sec-WebSocket-Key must be 16 bytes in base64.");
                return -EBADMSG;
        }
        if (!origin_is_welcome(r, protocol)) {
                request_reply_error(r, MHD_HTTP_FORBIDDEN,
                                "This request comes from a web page of another origin (its Origin header is "
                                "neither the one of this server nor on this machine), and such a page may "
                                "not "
                                "listen here.");
                return -EBADMSG;
        }
        return make_accept(key, ret_accept);
}
