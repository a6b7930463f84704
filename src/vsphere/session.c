/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/session.h"

#include "basic/string-util.h"

#define RENEWAL_INTERVAL USEC_PER_MINUTE
#define LOGOUT_TIMEOUT (5 * USEC_PER_SEC)
#define RETRY_DELAY USEC_PER_SEC
#define RETRIES 5U

struct Session {
        Soap *soap;
        char *username, *password;
        clock_func clock;
        usec_t retry_delay;
        unsigned retries;
        void (*logged_in)(void *userdata);
        void *userdata;
        ServerInfo server;
        bool known; /* @server is filled in */
        bool open;
        bool refused; /* user or password are wrong: never tried again */
        usec_t login_at; /* 0: never */
        unsigned generation;
};

void server_info_done(ServerInfo *i) {
        free(i->full_name);
        free(i->version);
        free(i->api_version);
        free(i->property_collector);
        free(i->session_manager);
        free(i->view_manager);
        free(i->root_directory);
        *i = (ServerInfo){};
}

Session *session_free(Session *s) {
        if (!s)
                return NULL;
        soap_free(s->soap);
        server_info_done(&s->server);
        free(s->username);
        if (s->password)
                explicit_bzero(s->password, strlen(s->password));
        free(s->password);
        return mfree(s);
}

int session_new(const SessionOptions *options, Session **ret, char **ret_error) {
        _cleanup_(session_freep) Session *s = new0(Session, 1);
        int r;

        if (!s)
                return -ENOMEM;
        s->clock = options->clock ? options->clock : now_monotonic;
        s->retry_delay = options->retry_delay > 0 ? options->retry_delay : RETRY_DELAY;
        s->retries = options->retries > 0 ? options->retries : RETRIES;
        s->logged_in = options->logged_in;
        s->userdata = options->userdata;
        s->username = strdup(options->username);
        s->password = strdup(options->password);
        if (!s->username || !s->password)
                return -ENOMEM;
        r = soap_new(&options->server, &s->soap, ret_error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

/* --- calls ----------------------------------------------------------------------------------------- */

/* Methods that change nothing: they can be repeated if it is unknown whether the server has executed them. */
static bool is_repeatable(const char *method) {
        static const char *const methods[] = {
                "HttpNfcLeaseGetManifest",
                "HttpNfcLeaseProgress",
                "QueryChangedDiskAreas",
                "RetrievePropertiesEx",
                "RetrieveServiceContent",
        };

        for (size_t i = 0; i < ELEMENTSOF(methods); i++)
                if (streq(methods[i], method))
                        return true;
        return false;
}

/* A server that is busy by a fault (TaskInProgress) stays so for long; that is for the caller. */
static bool is_transient(const Session *s, int r, const char *method) {
        if (r == -EBUSY)
                return isempty(soap_error(s->soap)->fault);
        return (r == -ECONNRESET || r == -ECONNREFUSED) && is_repeatable(method);
}

/* Repeats a call to a busy server after 1, 2, 4 … times the delay. */
static int call(Session *s, SoapRequest *request, SoapAnswer *ret) {
        usec_t delay = s->retry_delay;

        for (unsigned attempt = 0;; attempt++, delay *= 2) {
                int r = soap_call(s->soap, request, ret);

                if (r >= 0 || !is_transient(s, r, soap_request_method(request)) || attempt == s->retries)
                        return r;
                r = soap_sleep(s->soap, delay);
                if (r < 0)
                        return r;
        }
}

/* --- login ----------------------------------------------------------------------------------------- */

static int read_reference(const xmlNode *content, const char *name, char **ret) {
        int r = node_dup(node_child(content, name), ret);

        return r < 0 ? r : *ret ? 0 : -EBADMSG;
}

static bool is_version(const char *s) {
        return s && *s && strlen(s) <= 16 && strspn(s, "0123456789.") == strlen(s);
}

int server_info_read(const xmlNode *content, ServerInfo *ret) {
        const xmlNode *about = node_child(content, "about");
        ServerInfo i = { .vcenter = node_is(node_child(about, "apiType"), "VirtualCenter") };
        int r = node_dup(node_child(about, "fullName"), &i.full_name);

        if (r >= 0)
                r = node_dup(node_child(about, "version"), &i.version);
        if (r >= 0)
                r = node_dup(node_child(about, "apiVersion"), &i.api_version);
        if (r >= 0)
                r = read_reference(content, "propertyCollector", &i.property_collector);
        if (r >= 0)
                r = read_reference(content, "sessionManager", &i.session_manager);
        if (r >= 0)
                r = read_reference(content, "viewManager", &i.view_manager);
        if (r >= 0)
                r = read_reference(content, "rootFolder", &i.root_directory);
        if (r >= 0 && !is_version(i.api_version))
                r = -EBADMSG;
        if (r < 0) {
                server_info_done(&i);
                return r;
        }
        *ret = i;
        return 0;
}

static int read_server(Session *s) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_answer_ SoapAnswer answer = {};
        int r = soap_request_new("RetrieveServiceContent", "ServiceInstance", "ServiceInstance", &q);

        if (r >= 0)
                r = call(s, q, &answer);
        if (r < 0)
                return r;
        r = server_info_read(answer.value, &s->server);
        if (r == -EBADMSG)
                return session_fail(s, r, NULL,
                                "%s: the server does not describe itself as a vSphere server does",
                                soap_host(s->soap));
        if (r >= 0)
                r = soap_set_version(s->soap, s->server.api_version);
        s->known = r >= 0;
        return r;
}

static int new_logout(Session *s, SoapRequest **ret) {
        return soap_request_new("Logout", "SessionManager", s->server.session_manager, ret);
}

static int send_login(Session *s) {
        _cleanup_request_ SoapRequest *q = NULL;
        _cleanup_answer_ SoapAnswer answer = {};
        int r = soap_request_new("Login", "SessionManager", s->server.session_manager, &q);

        if (r < 0)
                return r;
        soap_request_text(q, "userName", s->username);
        soap_request_text(q, "password", s->password);
        return call(s, q, &answer);
}

/* If the connection breaks after the cookie was received, there is a session. */
static void end_half_open(Session *s) {
        _cleanup_request_ SoapRequest *q = NULL;

        if (soap_cookie(s->soap) && new_logout(s, &q) >= 0)
                session_call_quietly(s, q);
        soap_forget_cookie(s->soap);
}

/* Beside the credentials, a server refuses a login because of its limits, with 503, or with a fault that is
 * not documented. */
static bool refuses_for_now(const Session *s, int r) {
        return r == -EREMOTEIO || (r == -EBUSY && !isempty(soap_error(s->soap)->fault));
}

int session_login(Session *s) {
        usec_t delay = s->retry_delay;
        int r = 0;

        if (s->refused)
                return session_fail(s, -EACCES, "InvalidLogin",
                                "%s: Login: the user name or the password was refused before",
                                soap_host(s->soap));
        if (!s->known)
                r = read_server(s);
        for (unsigned attempt = 0; r >= 0; attempt++, delay *= 2) {
                soap_forget_cookie(s->soap);
                r = send_login(s);
                if ((r != -ECONNRESET && !refuses_for_now(s, r)) || attempt == s->retries)
                        break;
                if (r == -ECONNRESET)
                        end_half_open(s);
                r = soap_sleep(s->soap, delay);
        }
        r = r < 0 && refuses_for_now(s, r) ? -EBUSY : r;
        s->refused = r == -EACCES;
        s->open = r >= 0;
        if (r < 0)
                return r;
        s->login_at = s->clock();
        s->generation++;
        if (s->logged_in)
                s->logged_in(s->userdata);
        return 0;
}

int session_adopt(Session *s, const char *cookie) {
        int r = s->known ? 0 : read_server(s);

        if (r >= 0)
                r = soap_set_cookie(s->soap, cookie);
        if (r < 0)
                return r;
        s->open = true;
        s->generation++;
        /* So that it counts as new, and is not renewed. */
        s->login_at = s->clock();
        return 0;
}

int session_renew(Session *s) {
        usec_t now = s->clock();

        s->open = false;
        if (s->login_at > 0 && now - s->login_at < RENEWAL_INTERVAL)
                return session_fail(s, -EKEYEXPIRED, "NotAuthenticated",
                                "%s: the server has ended the session within a minute after the login",
                                soap_host(s->soap));
        return session_login(s);
}

int session_call(Session *s, SoapRequest *request, SoapAnswer *ret) {
        int r = call(s, request, ret);

        if (r != -EKEYEXPIRED)
                return r;
        r = session_renew(s);
        return r < 0 ? r : call(s, request, ret);
}

void session_call_quietly(Session *s, SoapRequest *request) {
        _cleanup_answer_ SoapAnswer answer = {};
        SoapError error = soap_take_error(s->soap);

        (void) soap_call(s->soap, request, &answer);
        soap_put_error(s->soap, error);
}

void session_logout(Session *s) {
        _cleanup_request_ SoapRequest *q = NULL;

        if (soap_cookie(s->soap) && new_logout(s, &q) >= 0) {
                soap_set_timeout(s->soap, LOGOUT_TIMEOUT);
                soap_set_cancel_fd(s->soap, -1);
                session_call_quietly(s, q);
        }
        soap_forget_cookie(s->soap);
        s->open = false;
}

/* --- what there is to know ------------------------------------------------------------------------- */

bool session_is_open(const Session *s) {
        return s->open;
}

unsigned session_generation(const Session *s) {
        return s->generation;
}

const char *session_error(const Session *s) {
        const char *text = soap_error(s->soap)->text;

        /* Nothing else has no text. */
        return text ? text : "out of memory";
}

void session_set_cancel_fd(Session *s, int fd) {
        soap_set_cancel_fd(s->soap, fd);
}

Soap *session_soap(const Session *s) {
        return s->soap;
}

const ServerInfo *session_server(const Session *s) {
        return &s->server;
}
