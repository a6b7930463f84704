/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/soap.h"

#include <poll.h>
#include <strings.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "vsphere/fault.h"
#include "vsphere/perform.h"

#define DEFAULT_TIMEOUT (2 * USEC_PER_MINUTE)
#define HEADERS_MAX ((size_t) 64 * 1024)
#define COOKIE_MAX ((size_t) 4096)
#define TEXT_MAX ((size_t) 1024)
#define COOKIE_NAME "vmware_soap_session="
/* What all servers since vSphere 6.0 understand; soap_set_version() */
#define FIRST_VERSION "6.0"

struct Soap {
        char *origin, *host, *port, *url, *agent;
        struct curl_slist *headers;
        TlsTrust trust;
        CURLM *multi;
        CURL *easy;
        int cancel_fd;
        usec_t timeout;
        char *cookie;
        SoapError error;

        /* of the call that is in progress */
        char *body;
        size_t n_body, allocated, header_bytes;
        int broken; /* why we ended it, or 0 */
        char curl_error[CURL_ERROR_SIZE];
};

/* --- creation -------------------------------------------------------------------------------------- */

static void curl_text_freep(char **s) {
        curl_free(*s);
}

static void curl_url_freep(CURLU **u) {
        curl_url_cleanup(*u);
}

static int refuse_url(const char *reason, char **ret_error) {
        *ret_error = strprintf("the address of the server %s; it must be https://HOST[:PORT]", reason);
        return *ret_error ? -EINVAL : -ENOMEM;
}

static bool has_part(CURLU *u, CURLUPart part) {
        _cleanup_(curl_text_freep) char *text = NULL;

        return curl_url_get(u, part, &text, 0) == CURLUE_OK;
}

/* "[::1]" is a host in a URL, and "::1" elsewhere. */
static char *host_name(const char *host) {
        size_t n = strlen(host);

        return host[0] == '[' && host[n - 1] == ']' ? strndup(host + 1, n - 2) : strdup(host);
}

static int parse_url(Soap *s, const char *url, char **ret_error) {
        _cleanup_(curl_text_freep) char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
        _cleanup_(curl_url_freep) CURLU *u = curl_url();

        if (!u)
                return -ENOMEM;
        if (curl_url_set(u, CURLUPART_URL, url, CURLU_DEFAULT_SCHEME) != CURLUE_OK)
                return refuse_url("is malformed", ret_error);
        if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD) || has_part(u, CURLUPART_QUERY) ||
                        has_part(u, CURLUPART_FRAGMENT))
                return refuse_url("contains more than a host and a port", ret_error);
        if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
                        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || !*host ||
                        curl_url_get(u, CURLUPART_PATH, &path, 0) != CURLUE_OK)
                return refuse_url("is malformed", ret_error);
        if (!streq(scheme, "https"))
                return refuse_url("does not use https", ret_error);
        if (!streq(path, "/") && !streq(path, "/sdk") && !streq(path, "/sdk/"))
                return refuse_url("contains a path other than /sdk", ret_error);
        (void) curl_url_get(u, CURLUPART_PORT, &port, 0);
        s->host = host_name(host);
        s->port = strdup(port ? port : "443");
        s->origin = strprintf("https://%s%s%s", host, port ? ":" : "", strempty(port));
        s->url = s->origin ? strprintf("%s/sdk", s->origin) : NULL;
        return s->host && s->port && s->url ? 0 : -ENOMEM;
}

static int parse_trust(Soap *s, const SoapOptions *options, char **ret_error) {
        int r = tls_trust_init(&s->trust, options->ca, options->thumbprint);

        if (r != -EINVAL)
                return r;
        *ret_error = strdup(isempty(options->thumbprint)
                                        ? "the CA certificates are not in PEM format"
                                        : "the thumbprint must have the 64 hexadecimal digits of SHA-256");
        return *ret_error ? -EINVAL : -ENOMEM;
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        Soap *s = userdata;

        size *= n;
        if (size > XML_SIZE_MAX - s->n_body)
                s->broken = -EFBIG;
        else if (!GREEDY_REALLOC(s->body, s->allocated, s->n_body + size))
                s->broken = -ENOMEM;
        if (s->broken < 0)
                return 0;
        memcpy(s->body + s->n_body, data, size);
        s->n_body += size;
        return size;
}

/* Set-Cookie: vmware_soap_session="52…"; Path=/; HttpOnly; Secure */
static int read_cookie(Soap *s, const char *line, size_t size) {
        static const char name[] = "Set-Cookie:";
        _cleanup_free_ char *cookie = NULL;
        size_t n;

        if (size < strlen(name) || strncasecmp(line, name, strlen(name)) != 0)
                return 0;
        cookie = strndup(line + strlen(name), size - strlen(name));
        if (!cookie)
                return -ENOMEM;
        n = strspn(cookie, " \t");
        memmove(cookie, cookie + n, strlen(cookie + n) + 1);
        cookie[strcspn(cookie, "; \t\r\n")] = '\0';
        if (!startswith(cookie, COOKIE_NAME) || strlen(cookie) > COOKIE_MAX)
                return 0;
        soap_forget_cookie(s);
        s->cookie = TAKE_PTR(cookie);
        return 0;
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        Soap *s = userdata;

        size *= n;
        s->header_bytes += size;
        s->broken = s->header_bytes > HEADERS_MAX ? -EFBIG : read_cookie(s, data, size);
        return s->broken < 0 ? 0 : size;
}

static int add_header(struct curl_slist **list, const char *text) {
        struct curl_slist *new = curl_slist_append(*list, text);

        if (!new)
                return -ENOMEM;
        *list = new;
        return 0;
}

int soap_set_version(Soap *s, const char *version) {
        _cleanup_free_ char *action = strprintf("SOAPAction: \"urn:vim25/%s\"", version);
        struct curl_slist *list = NULL;

        if (!action || add_header(&list, action) < 0 ||
                        add_header(&list, "Content-Type: text/xml; charset=utf-8") < 0 ||
                        add_header(&list, "Expect:") < 0) {
                curl_slist_free_all(list);
                return -ENOMEM;
        }
        (void) curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, list);
        curl_slist_free_all(s->headers);
        s->headers = list;
        return 0;
}

static int prepare_handle(Soap *s) {
        int r;

        s->multi = curl_multi_init();
        s->easy = curl_easy_init();
        if (!s->multi || !s->easy)
                return -ENOMEM;
        r = perform_prepare(s->easy, &s->trust, s->agent, s->curl_error);
        if (r >= 0)
                r = soap_set_version(s, FIRST_VERSION);
        if (r < 0)
                return r;
        if (curl_easy_setopt(s->easy, CURLOPT_URL, s->url) != CURLE_OK)
                return -ENOMEM;
        (void) curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, on_body);
        (void) curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s);
        (void) curl_easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, on_header);
        (void) curl_easy_setopt(s->easy, CURLOPT_HEADERDATA, s);
        return 0;
}

int soap_new(const SoapOptions *options, Soap **ret, char **ret_error) {
        _cleanup_(soap_freep) Soap *s = new0(Soap, 1);
        int r;

        if (!s)
                return -ENOMEM;
        s->cancel_fd = options->cancel_fd;
        s->timeout = options->timeout > 0 ? options->timeout : DEFAULT_TIMEOUT;
        s->agent = strprintf(isempty(options->agent) ? "hyper/%s" : "hyper/%s (%s)", PACKAGE_VERSION,
                        options->agent);
        if (!s->agent)
                return -ENOMEM;
        r = parse_url(s, options->url, ret_error);
        if (r >= 0)
                r = parse_trust(s, options, ret_error);
        if (r >= 0)
                r = prepare_handle(s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

static void clear_body(Soap *s) {
        free(s->body);
        s->body = NULL;
        s->n_body = s->allocated = s->header_bytes = 0;
        s->broken = 0;
        s->curl_error[0] = '\0';
}

static void clear_error(Soap *s) {
        free(s->error.fault);
        free(s->error.text);
        s->error = (SoapError){};
}

Soap *soap_free(Soap *s) {
        if (!s)
                return NULL;
        if (s->easy)
                curl_easy_cleanup(s->easy);
        if (s->multi)
                (void) curl_multi_cleanup(s->multi);
        curl_slist_free_all(s->headers);
        tls_trust_done(&s->trust);
        soap_forget_cookie(s);
        clear_body(s);
        clear_error(s);
        free(s->origin);
        free(s->host);
        free(s->port);
        free(s->url);
        free(s->agent);
        return mfree(s);
}

void soap_set_cancel_fd(Soap *s, int fd) {
        s->cancel_fd = fd;
}

void soap_set_timeout(Soap *s, usec_t timeout) {
        s->timeout = timeout > 0 ? timeout : DEFAULT_TIMEOUT;
}

/* --- errors ---------------------------------------------------------------------------------------- */

const SoapError *soap_error(const Soap *s) {
        return &s->error;
}

int soap_fail(Soap *s, int r, const char *fault, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *type = fault ? strdup(fault) : NULL;
        unsigned status = s->error.status;
        va_list ap;

        va_start(ap, format);
        text = vstrprintf(format, ap);
        va_end(ap);
        clear_error(s);
        if (!text || (fault && !type))
                return -ENOMEM;
        s->error = (SoapError){
                .fault = TAKE_PTR(type),
                .text = utf8_make_valid(text, strlen(text), TEXT_MAX),
                .status = status,
        };
        if (!s->error.text)
                return -ENOMEM;
        (void) utf8_replace_control(s->error.text, ' ');
        return r;
}

static int fail_transfer(Soap *s, const char *method, CURLcode code) {
        _cleanup_free_ char *why = NULL;

        if (s->broken == -ENOMEM)
                return -ENOMEM;
        if (s->broken == -EFBIG)
                return soap_fail(s, -EFBIG, NULL, "%s: %s: the answer is longer than %zu MiB", s->host,
                                method, XML_SIZE_MAX >> 20);
        why = perform_describe(code, &s->trust, s->curl_error);
        if (!why)
                return -ENOMEM;
        return soap_fail(s, perform_errno(code, &s->trust), NULL, "%s: %s: %s", s->host, method, why);
}

static int fail_fault(Soap *s, const char *method, const xmlNode *node) {
        _cleanup_fault_ Fault f = {};
        int r = fault_from_soap(node, &f);

        if (r < 0)
                return r;
        return soap_fail(s, fault_errno(strempty(f.type)), f.type, "%s: %s: %s%s%s%s", s->host, method,
                        f.text ? f.text : "the request has failed", f.type ? " (" : "", strempty(f.type),
                        f.type ? ")" : "");
}

static int fail_status(Soap *s, const char *method, unsigned status) {
        bool busy = status == 503 || status == 429;

        return soap_fail(s, busy ? -EBUSY : -EPROTO, NULL,
                        busy ? "%s: %s: the server is busy (status %u)"
                             : "%s: %s: the answer has status %u; is this a vCenter Server or an ESXi host?",
                        s->host, method, status);
}

/* --- a call ---------------------------------------------------------------------------------------- */

void soap_answer_done(SoapAnswer *a) {
        if (a->document)
                xmlFreeDoc(a->document);
        *a = (SoapAnswer){};
}

int soap_answer_parse(const char *data, size_t size, const char *method, SoapAnswer *ret,
                const xmlNode **ret_fault) {
        _cleanup_xml_ xmlDoc *document = NULL;
        _cleanup_free_ char *name = strprintf("%sResponse", method);
        const xmlNode *body, *fault, *response;
        int r = name ? xml_document_parse(data, size, &document) : -ENOMEM;

        if (r < 0)
                return r;
        body = node_child(xmlDocGetRootElement(document), "Body");
        fault = node_child(body, "Fault");
        response = node_child(body, name);
        if (!fault && !response)
                return -EBADMSG;
        *ret_fault = fault;
        *ret = (SoapAnswer){ .document = TAKE_PTR(document), .value = node_child(response, "returnval") };
        return 0;
}

static int read_answer(Soap *s, const char *method, unsigned status, SoapAnswer *ret) {
        _cleanup_answer_ SoapAnswer answer = {};
        const xmlNode *fault = NULL;
        int r;

        /* Faults have status 500. */
        if (status != 200 && status != 500)
                return fail_status(s, method, status);
        r = soap_answer_parse(s->n_body > 0 ? s->body : "", s->n_body, method, &answer, &fault);
        if (r == -EFBIG)
                return soap_fail(s, r, NULL, "%s: %s: the answer has too many elements", s->host, method);
        if (r == -EBADMSG && status != 200)
                return fail_status(s, method, status);
        if (r == -EBADMSG)
                return soap_fail(s, r, NULL, "%s: %s: the answer is not valid SOAP", s->host, method);
        if (r < 0)
                return r;
        if (fault)
                return fail_fault(s, method, fault);
        *ret = answer;
        answer = (SoapAnswer){};
        return 0;
}

static int transfer(Soap *s, const char *method, const char *body, size_t size, SoapAnswer *ret) {
        CURLcode code = CURLE_OK;
        long status = 0;
        int r;

        if (curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) size) != CURLE_OK ||
                        curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, body) != CURLE_OK ||
                        curl_easy_setopt(s->easy, CURLOPT_COOKIE, s->cookie) != CURLE_OK ||
                        curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, (long) (s->timeout / USEC_PER_MSEC)) !=
                                        CURLE_OK)
                return -ENOMEM;
        r = perform(s->multi, s->easy, s->cancel_fd, &code);
        if (r == -ECANCELED)
                return soap_fail(s, r, NULL, "%s: %s: cancelled", s->host, method);
        if (r < 0)
                return r;
        (void) curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
        s->error.status = (unsigned) status;
        if (code != CURLE_OK)
                return fail_transfer(s, method, code);
        return read_answer(s, method, (unsigned) status, ret);
}

int soap_call(Soap *s, SoapRequest *request, SoapAnswer *ret) {
        const char *body, *method = soap_request_method(request);
        size_t size;
        int r = soap_request_end(request, &body, &size);

        clear_error(s);
        if (r == -EINVAL)
                return soap_fail(s, r, NULL, "%s: a value contains characters that XML cannot represent",
                                method);
        if (r < 0)
                return r;
        r = transfer(s, method, body, size, ret);
        clear_body(s);
        return r;
}

int soap_sleep(Soap *s, usec_t delay) {
        struct pollfd p = { .fd = s->cancel_fd, .events = POLLIN };
        usec_t end = now_monotonic() + delay;

        for (;;) {
                usec_t now = now_monotonic();
                int n = poll(&p, s->cancel_fd >= 0 ? 1 : 0,
                                now < end ? (int) MIN((end - now) / USEC_PER_MSEC + 1, (usec_t) 60000) : 0);

                if (n > 0)
                        return soap_fail(s, -ECANCELED, NULL, "%s: cancelled", s->host);
                if (now >= end)
                        return 0;
        }
}

const char *soap_origin(const Soap *s) {
        return s->origin;
}

const char *soap_host(const Soap *s) {
        return s->host;
}

const char *soap_port(const Soap *s) {
        return s->port;
}

const char *soap_sha1_thumbprint(const Soap *s) {
        return s->trust.seen_sha1;
}

const char *soap_cookie(const Soap *s) {
        return s->cookie;
}

void soap_forget_cookie(Soap *s) {
        if (s->cookie)
                explicit_bzero(s->cookie, strlen(s->cookie));
        s->cookie = mfree(s->cookie);
}

int soap_set_cookie(Soap *s, const char *cookie) {
        char *copy;

        if (!startswith(cookie, COOKIE_NAME) || strlen(cookie) > COOKIE_MAX)
                return -EINVAL;
        for (const char *p = cookie; *p; p++)
                if (*p <= ' ' || *p >= 0x7f || *p == ';')
                        return -EINVAL;
        copy = strdup(cookie);
        if (!copy)
                return -ENOMEM;
        soap_forget_cookie(s);
        s->cookie = copy;
        return 0;
}

SoapError soap_take_error(Soap *s) {
        SoapError e = s->error;

        s->error = (SoapError){};
        return e;
}

void soap_put_error(Soap *s, SoapError e) {
        clear_error(s);
        s->error = e;
}
