/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-vms.h"

#include <nettle/base64.h>
#include <strings.h>

#include "api/bus-client.h"
#include "api/http/list-reply.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/hypersdk/hypersdk-reply.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"

#define LIMIT_MAX 10000u
#define BASIC_MAX 4096u

/* --- what the client sends ------------------------------------------------------------------------- */

typedef struct VmRequest {
        json_t *source; /* for hyper-vsphered */
        json_t *filter;
        char *vm, *cursor;
        unsigned limit;
} VmRequest;

static void vm_request_done(VmRequest *q) {
        json_t *password = json_object_get(q->source, "password");

        /* Copies of secrets do not linger in freed memory. */
        if (json_is_string(password))
                explicit_bzero((char *) json_string_value(password), json_string_length(password));
        json_decref(q->source);
        json_decref(q->filter);
        free(q->vm);
        free(q->cursor);
        *q = (VmRequest){};
}

/* Where a parameter goes: into the source, or into the filter, under this name. */
static const struct {
        const char *key, *name;
        bool filter;
} parameters[] = {
        { "source", "name" },
        { "vcenter_url", "vcenter_url" },
        { "username", "username" },
        { "password", "password" },
        { "datacenter", "datacenter" },
        { "ca", "ca" },
        { "thumbprint", "thumbprint" },
        { "name", "name", true },
        { "power_state", "power_state", true },
};

int hypersdk_basic_decode(const char *header, char **ret) {
        const char *digits = strncasecmp(header, "Basic ", 6) == 0 ? header + 6 : NULL;
        struct base64_decode_ctx decoder;
        size_t n;

        if (!digits)
                return -ENOENT;
        digits += strspn(digits, " ");
        if (strlen(digits) > BASIC_MAX)
                return -EBADMSG;
        _cleanup_free_ char *text = malloc(BASE64_DECODE_LENGTH(strlen(digits)) + 1);
        if (!text)
                return -ENOMEM;
        n = BASE64_DECODE_LENGTH(strlen(digits));
        base64_decode_init(&decoder);
        if (!base64_decode_update(&decoder, &n, (uint8_t *) text, strlen(digits), digits) ||
                        !base64_decode_final(&decoder))
                return -EBADMSG;
        text[n] = '\0';
        if (strlen(text) != n || !strchr(text, ':') || !utf8_is_valid(text))
                return -EBADMSG;
        *ret = TAKE_PTR(text);
        return 0;
}

/* The password of a request that names no user has the header's user. */
static int take_basic(Request *r, VmRequest *q) {
        const char *header = request_header(r, "Authorization");
        char *text, *colon;
        int k;

        if (!header || json_object_get(q->source, "username") || json_object_get(q->source, "name"))
                return 0;
        k = hypersdk_basic_decode(header, &text);
        if (k == -ENOENT)
                return 0;
        if (k == -EBADMSG)
                return request_reply_error(
                                       r, 400, "Authorization: must be Basic with base64 of USER:PASSWORD"),
                       -EINVAL;
        if (k < 0)
                return k;
        colon = strchr(text, ':');
        *colon = '\0';
        k = json_object_set_new(q->source, "username", json_string(text)) < 0 ||
                                        json_object_set_new(q->source, "password", json_string(colon + 1)) <
                                                        0
                        ? -ENOMEM
                        : 0;
        explicit_bzero(colon + 1, strlen(colon + 1));
        free(text);
        return k;
}

/* A field of the body, or else a parameter of the query. NULL if neither is given; "" counts as not given,
 * as typed clients send it. */
static const char *find_value(Request *r, json_t *body, const char *key, bool *ret_wrong) {
        json_t *value = json_object_get(body, key);
        const char *text = value ? json_string_value(value) : request_query(r, key);

        *ret_wrong = value && !json_is_string(value) && !json_is_null(value);
        return isempty(text) ? NULL : text;
}

static int wrong_type(Request *r, const char *key) {
        return request_reply_error(r, 400, "%s: must be a string", key), -EINVAL;
}

static int take_parameters(Request *r, json_t *body, VmRequest *q) {
        for (size_t i = 0; i < ELEMENTSOF(parameters); i++) {
                json_t *to = parameters[i].filter ? q->filter : q->source;
                bool wrong;
                const char *value = find_value(r, body, parameters[i].key, &wrong);

                if (wrong)
                        return wrong_type(r, parameters[i].key);
                if (value && json_object_set_new(to, parameters[i].name, json_string(value)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int take_vm(Request *r, json_t *body, VmRequest *q) {
        static const char *const keys[] = { "vm_path", "path", "uuid" };
        bool wrong;

        for (size_t i = 0; i < ELEMENTSOF(keys) && !q->vm; i++) {
                const char *value = find_value(r, body, keys[i], &wrong);

                if (wrong)
                        return wrong_type(r, keys[i]);
                if (value && !(q->vm = strdup(value)))
                        return -ENOMEM;
        }
        if (!q->vm)
                return request_reply_error(r, 400, "vm_path: is required"), -EINVAL;
        return 0;
}

static int take_page(Request *r, json_t *body, VmRequest *q) {
        json_t *number = json_object_get(body, "limit");
        const char *text = request_query(r, "limit"), *cursor;
        bool wrong;

        if (json_is_integer(number))
                q->limit = (unsigned) CLAMP(json_integer_value(number), 0, (json_int_t) LIMIT_MAX + 1);
        else if (number ? !json_is_null(number) : !isempty(text) && parse_unsigned(text, &q->limit) < 0)
                q->limit = LIMIT_MAX + 1;
        if (q->limit > LIMIT_MAX)
                return request_reply_error(r, 400, "limit: must be 1 to %u", LIMIT_MAX), -EINVAL;
        cursor = find_value(r, body, "cursor", &wrong);
        if (wrong)
                return wrong_type(r, "cursor");
        q->cursor = strdup(strempty(cursor));
        return q->cursor ? 0 : -ENOMEM;
}

/* Reads what all have in common. What is wrong has been answered. */
static int read_request(Request *r, json_t **ret_body, VmRequest *q) {
        _cleanup_json_ json_t *body = NULL;
        size_t size;
        int k = 0;

        q->source = json_object();
        q->filter = json_object();
        if (!q->source || !q->filter)
                return -ENOMEM;
        (void) request_body(r, &size);
        if (size > 0 && request_route(r)->method == HTTP_POST)
                k = request_json_object(r, &body);
        if (k >= 0)
                k = take_parameters(r, body, q);
        if (k >= 0)
                k = take_basic(r, q);
        if (k < 0)
                return k;
        if (!json_object_get(q->source, "name") && !json_object_get(q->source, "vcenter_url"))
                return request_reply_error(r, 400,
                                       "vcenter_url: is required, with username and password, or source: the "
                                       "name of a source"),
                       -EINVAL;
        /* A connection to a server of the client's choice is more than reading. */
        if (!json_object_get(q->source, "name") && request_role(r) < ROLE_OPERATOR)
                return request_reply_error(r, 403,
                                       "The role operator is required for a server that is not a named "
                                       "source"),
                       -EACCES;
        *ret_body = TAKE_PTR(body);
        return 0;
}

/* --- calls ----------------------------------------------------------------------------------------- */

static int call_new(Request *r, const char *member, const VmRequest *q, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char *source = json_dumps(q->source, JSON_COMPACT);
        int k = source ? vsphere_call_new(r, member, &m) : -ENOMEM;

        if (k >= 0)
                k = sd_bus_message_sensitive(m);
        if (k >= 0)
                k = sd_bus_message_append(m, "s", source);
        if (source)
                explicit_bzero(source, strlen(source));
        free(source);
        if (k < 0)
                return k;
        *ret = TAKE_PTR(m);
        return 0;
}

/* A list is read in pages, since libsystemd checks the whole text of a reply in one go: a page takes about a
 * millisecond. The pages are of one reading of the server's inventory. */
#define PAGE_SIZE 1000u
#define PAGES_MAX (LIMIT_MAX / PAGE_SIZE + 1)

typedef struct VmPages {
        VmRequest request; /* its cursor is that of the next page */
        char *filter;
        unsigned left; /* so many VMs may follow */
        sd_bus_message *messages[PAGES_MAX];
        const char *texts[PAGES_MAX]; /* in these */
        size_t n;
} VmPages;

static void vm_pages_free(void *userdata) {
        VmPages *p = userdata;

        if (!p)
                return;
        for (size_t i = 0; i < p->n; i++)
                sd_bus_message_unref(p->messages[i]);
        vm_request_done(&p->request);
        free(p->filter);
        free(p);
}

static int ask_for_page(Request *r, VmPages *p);

/* The response has the pages until it is sent. */
static int reply_pages(Request *r, uint64_t total, uint64_t read_at) {
        VmPages *p = request_take_userdata(r);
        const char *cursor = p->request.cursor;
        json_t *head = json_pack("{s:I, s:o, s:o}", "total", (json_int_t) total, "next_cursor",
                        *cursor ? json_string(cursor) : json_null(), "timestamp", json_time(read_at));

        return request_reply_list_texts(r, head, "vms", p->texts, p->n, p, vm_pages_free);
}

/* hyper-vsphered has made JSON of what the server sent. */
static int on_listed(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        VmPages *p = request_userdata(r);
        const char *text, *cursor;
        uint64_t total, read_at;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(m, "sstt", &text, &cursor, &total, &read_at);
        if (k >= 0)
                k = free_and_strdup(&p->request.cursor, cursor);
        if (k < 0)
                return k;
        p->texts[p->n] = text;
        p->messages[p->n++] = sd_bus_message_ref(m);
        p->left -= MIN(p->left, PAGE_SIZE);
        return *cursor && p->left > 0 && p->n < PAGES_MAX ? ask_for_page(r, p)
                                                          : reply_pages(r, total, read_at);
}

static int ask_for_page(Request *r, VmPages *p) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = call_new(r, "ListVMs", &p->request, &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "sus", p->filter, MIN(p->left, PAGE_SIZE), p->request.cursor);
        return k < 0 ? k : manager_call(r, m, on_listed, NULL);
}

int hypersdk_list_vms(Request *r) {
        VmPages *p = new0(VmPages, 1);
        _cleanup_json_ json_t *body = NULL;
        json_t *datacenter;
        int k;

        if (!p)
                return -ENOMEM;
        request_set_userdata(r, p, vm_pages_free);
        k = read_request(r, &body, &p->request);
        if (k >= 0)
                k = take_page(r, body, &p->request);
        if (k < 0)
                return k;
        /* Of a list, the datacenter is a filter. */
        datacenter = json_object_get(p->request.source, "datacenter");
        if (datacenter && json_object_set(p->request.filter, "datacenter", datacenter) < 0)
                return -ENOMEM;
        p->left = p->request.limit > 0 ? p->request.limit : LIMIT_MAX;
        p->filter = json_dumps(p->request.filter, JSON_COMPACT);
        return p->filter ? ask_for_page(r, p) : -ENOMEM;
}

/* A call about one VM; @argument may be NULL. */
static int call_vm(Request *r, const char *member, const char *argument, manager_reply_func func) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(vm_request_done) VmRequest q = {};
        _cleanup_json_ json_t *body = NULL;
        int k = read_request(r, &body, &q);

        if (k >= 0)
                k = take_vm(r, body, &q);
        if (k >= 0)
                k = call_new(r, member, &q, &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "s", q.vm);
        if (k >= 0 && argument)
                k = sd_bus_message_append(m, "s", argument);
        return k < 0 ? k : manager_call(r, m, func, NULL);
}

static int on_details(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return hypersdk_reply_object(r, m, error, NULL);
}

int hypersdk_vm_info(Request *r) {
        return call_vm(r, "GetVM", NULL, on_details);
}

static int on_shutting_down(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return hypersdk_reply_message(r, 200, error, "VM shutdown initiated");
}

int hypersdk_shut_down_vm(Request *r) {
        return call_vm(r, "PowerVM", "shutdown", on_shutting_down);
}

static int on_powered_off(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return hypersdk_reply_message(r, 200, error, "VM powered off");
}

int hypersdk_power_off_vm(Request *r) {
        return call_vm(r, "PowerVM", "off", on_powered_off);
}

static int on_removed(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return hypersdk_reply_message(r, 200, error, "CD-ROM devices removed");
}

int hypersdk_remove_cdroms(Request *r) {
        return call_vm(r, "RemoveCdroms", NULL, on_removed);
}
