/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <uthash.h>

#include "api/access/access.h"
#include "api/access/client-address.h"
#include "api/api-state.h"
#include "api/http/http-server.h"
#include "api/http/origin.h"
#include "api/http/reply.h"
#include "api/http/request-handle.h"
#include "api/http/request-state.h"
#include "api/http/request.h"
#include "api/http/tls-transport.h"
#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"

/* One per client that is connected; libmicrohttpd keeps the pointer for us. */
typedef struct Connection {
        LIST_ENTRY(Connection) connections;
        struct MHD_Connection *mhd;
        Request *request; /* the one being worked on */
        usec_t waiting_since; /* accepted, or the last answer sent */
        bool asked; /* there was a request */
        bool lingers; /* it is closed before the body of its request was read */
        bool has_uid; /* it is known who made it */
        uid_t uid;
        struct UserConnections *user; /* NULL: not counted */
        TlsTransport transport; /* with TLS */
} Connection;

/* Who connects: a user, where only this machine can come; elsewhere an address (client-address.h). */
typedef union Peer {
        uid_t uid; /* UID_UNKNOWN: of all whose user is not known */
        uint8_t address[16];
} Peer;

/* How many connections it has. */
typedef struct UserConnections {
        Peer peer;
        unsigned n;
        bool told; /* that there are too many */
        UT_hash_handle hh;
} UserConnections;

#define UID_UNKNOWN ((uid_t) -1)

/* --- the life of a request ------------------------------------------------------------------------- */

_printf_(2, 0) static void on_mhd_log(void *userdata, const char *format, va_list ap) {
        char buf[512];

        if (vsnprintf(buf, sizeof(buf), format, ap) < 0)
                return;
        buf[strcspn(buf, "\n")] = '\0';
        log_debug("libmicrohttpd: %s", buf);
}

/* We decode ourselves, strictly and after taking the path apart: libmicrohttpd is to leave %2F and %00
 * be. */
static size_t on_unescape(void *userdata, struct MHD_Connection *connection, char *s) {
        return strlen(s);
}

static Connection *connection_of(struct MHD_Connection *mhd) {
        const union MHD_ConnectionInfo *info;

        info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        return info ? info->socket_context : NULL;
}

/* Right after the connection was accepted, once: what is asked later may find that the client has closed
 * it. */
static void http_server_identify(HttpServer *s, Connection *c) {
        const union MHD_ConnectionInfo *info =
                        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

        if (s->is_local && info)
                c->has_uid = api_find_peer(s->api, info->connect_fd, &c->uid);
}

static Peer read_peer(HttpServer *s, const Connection *c) {
        const union MHD_ConnectionInfo *info;
        Peer p = {};

        if (s->is_local)
                p.uid = c->has_uid ? c->uid : UID_UNKNOWN;
        else {
                info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
                client_address_prefix(info ? info->client_addr : NULL, p.address);
        }
        return p;
}

/* One user of this machine, or one address, that need not have a role to connect, leaves room for the others.
 * Root has no limit. */
static bool user_has_room(HttpServer *s, Connection *c) {
        Peer p = read_peer(s, c);
        UserConnections *u;

        if (s->is_local && p.uid == 0)
                return true;
        HASH_FIND(hh, s->users, &p, sizeof(p), u);
        if (!u) {
                u = new0(UserConnections, 1);
                if (!u)
                        return false;
                u->peer = p;
                HASH_ADD(hh, s->users, peer, sizeof(u->peer), u);
        }
        c->user = u;
        if (++u->n <= (s->is_local ? HTTP_CONNECTIONS_PER_USER : HTTP_CONNECTIONS_PER_ADDRESS))
                return true;
        if (!u->told && c->has_uid)
                log_warning("The user with the UID %u has %u connections to %s.socket: more are closed at "
                            "once",
                                (unsigned) p.uid, HTTP_CONNECTIONS_PER_USER, s->dialect->fd_name);
        u->told = true;
        return false;
}

static void user_leaves(HttpServer *s, Connection *c) {
        UserConnections *u = c->user;

        if (!u || --u->n > 0)
                return;
        HASH_DEL(s->users, u);
        free(u);
}

static void connection_shut_down(Connection *c) {
        const union MHD_ConnectionInfo *info =
                        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

        /* libmicrohttpd sees the end and cleans up. */
        if (info)
                (void) shutdown(info->connect_fd, SHUT_RDWR);
}

static void connection_linger(HttpServer *s, Connection *c) {
        const union MHD_ConnectionInfo *info =
                        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

        if (c->lingers && info)
                linger_start(&s->lingers, api_event(s->api), info->connect_fd);
}

/* So that clients can resume their sessions. GnuTLS changes the keys of tickets by itself. */
static void offer_ticket(const HttpServer *s, struct MHD_Connection *mhd) {
        const union MHD_ConnectionInfo *info;

        if (!s->ticket_key.data)
                return;
        info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        if (info)
                (void) gnutls_session_ticket_enable_server(info->tls_session, &s->ticket_key);
}

void http_connection_upgraded(struct MHD_Connection *mhd) {
        Connection *c = connection_of(mhd);

        if (c)
                c->transport.upgraded = true;
}

static void connection_use_transport(HttpServer *s, Connection *c) {
        const union MHD_ConnectionInfo *info;
        int fd;

        if (!s->dialect->tls)
                return;
        info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        fd = info ? info->connect_fd : -EBADF;
        /* (In libmicrohttpd 1.0, this is the same union as before.) */
        info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        if (info && fd >= 0)
                tls_transport_init(&c->transport, info->tls_session, fd, &s->moved, &s->handshakes);
}

static void on_connection(void *userdata, struct MHD_Connection *mhd, void **context,
                enum MHD_ConnectionNotificationCode code) {
        HttpServer *s = userdata;
        Connection *c;

        s->moved++;
        if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
                c = *context;
                if (!c)
                        return;
                *context = NULL;
                connection_linger(s, c);
                LIST_REMOVE(c, connections);
                tls_transport_done(&c->transport);
                user_leaves(s, c);
                free(c);
                api_connection_closed(s->api);
                return;
        }

        c = new0(Connection, 1);
        if (!c)
                return; /* its requests are refused in on_request_line() */
        c->mhd = mhd;
        c->waiting_since = now_monotonic();
        http_server_identify(s, c);
        connection_use_transport(s, c);
        offer_ticket(s, mhd);
        if (!user_has_room(s, c))
                connection_shut_down(c);
        LIST_INSERT_HEAD(&s->connections, c, connections);
        *context = c;
        api_connection_opened(s->api);
}

/* The first line of a request is here; what is returned is the request's userdata from now on. */
static void *on_request_line(void *userdata, const char *target, struct MHD_Connection *mhd) {
        Connection *c = connection_of(mhd);
        HttpServer *s = userdata;
        Request *r;

        if (!c)
                return NULL;
        r = request_new(s, mhd, target);
        if (!r)
                return NULL;
        c->request = r;
        c->asked = true;
        c->transport.kept = 0;
        r->has_uid = c->has_uid;
        r->uid = c->uid;
        api_request_begun(s->api, r);
        return r;
}

static void on_request_completed(void *userdata, struct MHD_Connection *mhd, void **request_userdata,
                enum MHD_RequestTerminationCode code) {
        Connection *c = connection_of(mhd);
        HttpServer *s = userdata;
        Request *r = *request_userdata;

        if (!r)
                return;
        *request_userdata = NULL;
        if (c) {
                c->request = NULL;
                c->waiting_since = now_monotonic();
        }
        if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
                r->status = 0; /* nobody got the answer */
        api_request_done(s->api, r);
        request_over(r);
        request_unref(r);
}

static size_t request_body_max(const Request *r) {
        return r->route && r->route->max_body > 0 ? r->route->max_body : REQUEST_BODY_MAX;
}

static void reply_too_large(Request *r) {
        request_reply_error(r, MHD_HTTP_CONTENT_TOO_LARGE,
                        "The body is too large: at most %zu bytes are read.", request_body_max(r));
        r->close = true; /* the rest of the body is not read */
}

/* All headers are here. An error found now is kept until the body has been read, so that the connection can
 * go on; only a body that is too large by its own account is not waited for. */
static enum MHD_Result on_headers(Request *r, const char *method, const char *version) {
        Connection *c = connection_of(r->connection);
        const char *length;
        uint64_t n = 0;
        int k;

        r->stage = REQUEST_BODY;
        r->is_http_1_0 = streq(version, MHD_HTTP_VERSION_1_0);
        k = request_begin(r, method);
        if (k < 0)
                request_handler_returned(r, k);

        length = request_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
        if (length &&
                        (parse_uint64(length, &n) < 0 || n > request_body_max(r) ||
                                        (r->answered && n > REQUEST_BODY_MAX))) {
                if (!r->answered)
                        reply_too_large(r);
                r->close = true;
                if (c)
                        c->lingers = true;
                return request_send(r);
        }
        return MHD_YES;
}

/* The piece is taken in any case. While calls are out, libmicrohttpd reads nothing more. */
static enum MHD_Result on_piece(Request *r, const char *data, size_t size) {
        if (size > request_body_max(r) || r->body_size > request_body_max(r) - size) {
                reply_too_large(r);
                return MHD_YES;
        }
        r->body_size += size;
        request_body_piece(r, data, size);
        if (!r->answered && r->n_calls > 0) {
                r->suspended = true;
                MHD_suspend_connection(r->connection);
        }
        return MHD_YES;
}

static enum MHD_Result on_body(Request *r, const char *data, size_t size) {
        size_t max = request_body_max(r);

        /* Answered already, with an error: read the rest and forget it, but not without end. */
        if (r->answered) {
                r->body_size += size;
                return r->body_size > MAX(max, 2 * REQUEST_BODY_MAX) ? MHD_NO : MHD_YES;
        }
        if (r->route && r->route->read_body)
                return on_piece(r, data, size);

        switch (request_append_body(r, data, size, max)) {
        case 0:
                return MHD_YES;
        case -EFBIG:
                reply_too_large(r);
                return MHD_YES;
        case -ENOBUFS:
                request_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE,
                                "Too many large requests at once; try again in a moment.");
                return MHD_YES;
        default:
                return MHD_NO;
        }
}

/* Called by libmicrohttpd when the headers are here (once), for each piece of the body, when the body is
 * complete, and again when a suspended connection is resumed. */
static enum MHD_Result on_request(void *userdata, struct MHD_Connection *mhd, const char *url,
                const char *method, const char *version, const char *data, size_t *size, void **request) {
        Connection *c = connection_of(mhd);
        HttpServer *s = userdata;
        Request *r = *request;

        s->moved++;
        if (c)
                c->transport.kept = 0;
        if (!r)
                return MHD_NO; /* no memory when it began */

        if (r->stage == REQUEST_HEADERS)
                return on_headers(r, method, version);
        if (*size > 0) {
                enum MHD_Result result = on_body(r, data, *size);

                *size = 0;
                return result;
        }

        if (r->stage == REQUEST_BODY && !r->answered)
                request_handle(r);
        if (r->answered)
                return request_send(r);

        r->suspended = true;
        MHD_suspend_connection(mhd);
        return MHD_YES;
}

/* --- the event loop -------------------------------------------------------------------------------- */

/* Honours MHD_get_timeout(). The timer may be early, never late: it is set anew only if it would be late, so
 * that a busy server does not set it for each request. @stuck: nothing could be done at all; then the rest of
 * a handshake is missing, whose arrival is an event of the epoll, but libmicrohttpd does not wait for it. */
static void http_server_arm(HttpServer *s, bool stuck) {
        MHD_UNSIGNED_LONG_LONG msec;
        usec_t now, at;

        if (MHD_get_timeout(s->mhd, &msec) != MHD_YES)
                return;
        if (msec == 0 && stuck)
                msec = HTTP_STUCK_MSEC;
        if (msec == 0) {
                (void) sd_event_source_set_enabled(s->again, SD_EVENT_ONESHOT);
                return;
        }

        if (sd_event_now(api_event(s->api), CLOCK_MONOTONIC, &now) < 0)
                now = now_monotonic();
        at = now + msec * USEC_PER_MSEC;
        if (s->timer_at <= at)
                return;
        if (sd_event_source_set_time(s->timer, at) >= 0 &&
                        sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT) >= 0)
                s->timer_at = at;
}

/* libmicrohttpd tries each handshake that is not complete in each of its rounds, which makes them slow for
 * all if there are thousands. Then those that have taken long are closed. */
static void http_server_end_handshakes(HttpServer *s) {
        usec_t now = now_monotonic();
        Connection *c;

        if (s->handshakes <= HTTP_HANDSHAKES_MAX || now < s->handshakes_looked_at + USEC_PER_SEC / 2)
                return;
        s->handshakes_looked_at = now;
        LIST_FOREACH(c, &s->connections, connections)
                if (tls_transport_in_handshake(&c->transport) &&
                                now >= c->waiting_since + HTTP_HANDSHAKE_TIME)
                        connection_shut_down(c);
}

void http_server_run(HttpServer *s) {
        uint64_t moved = s->moved;

        if (MHD_run(s->mhd) != MHD_YES)
                log_warning("libmicrohttpd failed to run the connections of %s.socket.",
                                s->dialect->fd_name);
        http_server_end_handshakes(s);
        http_server_arm(s, s->dialect->tls && s->moved == moved);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        http_server_run(userdata);
        return 0;
}

static int on_again(sd_event_source *source, void *userdata) {
        http_server_run(userdata);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        HttpServer *s = userdata;

        s->timer_at = USEC_INFINITY;
        http_server_run(s);
        return 0;
}

static int http_server_watch(HttpServer *s) {
        sd_event *event = api_event(s->api);
        const union MHD_DaemonInfo *info;
        int r;

        info = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
        if (!info)
                return -ENOTSUP;
        r = sd_event_add_io(event, &s->io, info->epoll_fd, EPOLLIN, on_io, s);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &s->timer, CLOCK_MONOTONIC, USEC_INFINITY, USEC_PER_MSEC, on_timer, s);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        /* Once at the start: clients may be waiting already. */
        return sd_event_add_defer(event, &s->again, on_again, s);
}

static int http_server_read_address(HttpServer *s, int fd) {
        union {
                struct sockaddr sa;
                struct sockaddr_storage storage;
        } address = {};
        socklen_t length = sizeof(address);

        if (getsockname(fd, &address.sa, &length) < 0)
                return -errno;
        s->is_inet = address.sa.sa_family != AF_UNIX;
        s->is_local = address_is_local(&address.sa, length);
        return 0;
}

/* -EADDRNOTAVAIL if strangers could come, and none of them could show a key. Where the keys are not known,
 * requests have to wait until they are. */
static int http_server_check_address(HttpServer *s) {
        Access *access;
        int r;

        if (s->is_local || s->dialect->tls || api_refusal(s->api))
                return 0;
        r = api_access(s->api, &access);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return access_has_keys(access) ? 0 : -EADDRNOTAVAIL;
}

/* TLS 1.2 and 1.3, and nothing older (RFC 8996). */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

/* -EIO if libmicrohttpd does not accept something; it has logged what. */
static int http_server_start(HttpServer *s, int fd, const TlsPair *tls) {
        unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_UPGRADE | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
        const struct MHD_OptionItem tls_options[] = {
                { MHD_OPTION_HTTPS_MEM_CERT, 0, tls ? tls->certificate : NULL },
                { MHD_OPTION_HTTPS_MEM_KEY, 0, tls ? tls->key : NULL },
                { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *) TLS_PRIORITIES },
                { MHD_OPTION_END, 0, NULL },
        };

        /* The logger is the first option, so that errors in the other ones are logged. */
        s->mhd = MHD_start_daemon(tls ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, on_request, s,
                        MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL, MHD_OPTION_ARRAY,
                        tls ? tls_options : tls_options + ELEMENTSOF(tls_options) - 1,
                        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
                        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, s, MHD_OPTION_NOTIFY_COMPLETED,
                        on_request_completed, s, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
                        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT,
                        (unsigned) HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_MEMORY_MAX,
                        MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_SEC, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
                        MHD_OPTION_END);
        return s->mhd ? 0 : -EIO;
}

int http_server_new(Api *api, const Dialect *dialect, const Router *router, int fd, const TlsPair *tls,
                HttpServer **ret) {
        _cleanup_(http_server_freep) HttpServer *s = NULL;
        _cleanup_close_ int owned = fd;
        int r;

        s = new0(HttpServer, 1);
        if (!s)
                return -ENOMEM;
        s->api = api;
        s->dialect = dialect;
        s->router = router;
        s->timer_at = USEC_INFINITY;
        LIST_INIT(&s->connections);
        LIST_INIT(&s->lingers.list);

        r = http_server_read_address(s, fd);
        if (r >= 0)
                r = http_server_check_address(s);
        if (r >= 0 && tls && gnutls_session_ticket_key_generate(&s->ticket_key) < 0)
                r = -ENOMEM;
        if (r >= 0)
                r = http_server_start(s, fd, tls);
        if (r < 0)
                return r;
        TAKE_FD(owned);

        r = http_server_watch(s);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}

void http_server_quiesce(HttpServer *s) {
        safe_close(MHD_quiesce_daemon(s->mhd));
}

void http_server_sweep(HttpServer *s, usec_t now) {
        Connection *c;

        LIST_FOREACH(c, &s->connections, connections) {
                usec_t since = c->waiting_since, limit = HTTP_HEADERS_TIMEOUT * 2;

                if (c->request) {
                        if (c->request->stage > REQUEST_BODY)
                                continue;
                        since = c->request->started;
                        limit = c->request->stage == REQUEST_BODY ? HTTP_BODY_TIMEOUT : HTTP_HEADERS_TIMEOUT;
                }
                if (now >= since + limit)
                        connection_shut_down(c);
        }
}

bool http_server_has_newcomers(HttpServer *s, usec_t now) {
        Connection *c;

        LIST_FOREACH(c, &s->connections, connections)
                if (!c->asked && now < c->waiting_since + HTTP_NEWCOMER_TIME)
                        return true;
        return false;
}

HttpServer *http_server_free(HttpServer *s) {
        if (!s)
                return NULL;

        s->io = sd_event_source_disable_unref(s->io);
        s->timer = sd_event_source_disable_unref(s->timer);
        s->again = sd_event_source_disable_unref(s->again);
        if (s->mhd)
                MHD_stop_daemon(s->mhd);
        linger_stop_all(&s->lingers);
        if (s->ticket_key.data)
                gnutls_memset(s->ticket_key.data, 0, s->ticket_key.size);
        gnutls_free(s->ticket_key.data);
        free(s);
        return NULL;
}
