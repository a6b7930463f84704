/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/http/list-reply.h"
#include "api/http/reply.h"
#include "api/http/request-state.h"
#include "basic/log.h"
#include "basic/string-util.h"

/* What libmicrohttpd asks for at once. */
#define BLOCK ((size_t) 32 * 1024)

typedef struct ListReply {
        list_step step;
        void *list;
        void (*free_list)(void *list);
        char *text; /* made, and not sent yet from @sent on; then the next step is due */
        size_t size, sent;
        bool is_object, has_elements, is_complete;
} ListReply;

static void list_reply_free(void *userdata) {
        ListReply *l = userdata;

        l->free_list(l->list);
        free(l->text);
        free(l);
}

static int dump(const json_t *value, char **ret) {
        char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15));

        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

/* The text of the next elements, without the brackets; behind the last ones, the end. Blanks stand for the
 * brackets, and for no elements at all. */
static int set_text(ListReply *l, const json_t *elements) {
        const char *end = !l->is_complete ? "" : l->is_object ? "]}" : "]";
        _cleanup_free_ char *text = NULL;
        int r = dump(elements, &text);

        if (r < 0)
                return r;
        text[0] = text[strlen(text) - 1] = ' ';
        if (json_array_size(elements) > 0) {
                text[0] = l->has_elements ? ',' : ' ';
                l->has_elements = true;
        }
        free(l->text);
        l->text = strprintf("%s%s", text, end);
        if (!l->text)
                return -ENOMEM;
        l->size = strlen(l->text);
        l->sent = 0;
        return 0;
}

static int make_text(ListReply *l) {
        _cleanup_json_ json_t *elements = NULL;
        int r = l->step(l->list, &elements);

        if (r < 0)
                return r;
        l->is_complete = r == 0;
        return set_text(l, elements);
}

static ssize_t on_read(void *userdata, uint64_t position, char *buffer, size_t max) {
        ListReply *l = userdata;
        size_t n;

        if (l->sent == l->size) {
                int r;

                if (l->is_complete)
                        return MHD_CONTENT_READER_END_OF_STREAM;
                r = make_text(l);
                if (r < 0) {
                        log_error_errno(r, "Failed to read the next part of a list: %m");
                        return MHD_CONTENT_READER_END_WITH_ERROR;
                }
        }
        n = MIN(max, l->size - l->sent);
        memcpy(buffer, l->text + l->sent, n);
        l->sent += n;
        return (ssize_t) n;
}

/* What goes before the elements: the object without its end, and the key of the list. NULL: out of memory. */
static char *head_text(const json_t *head, const char *key) {
        _cleanup_free_ char *object = NULL;

        if (dump(head, &object) < 0)
                return NULL;
        object[strlen(object) - 1] = '\0';
        return strprintf("%s%s\"%s\":", object, json_object_size(head) > 0 ? "," : "", key);
}

static int add_head(ListReply *l, const json_t *head, const char *key) {
        _cleanup_free_ char *before = key ? head_text(head, key) : strdup(""), *elements = TAKE_PTR(l->text);

        l->text = before ? strprintf("%s[%s", before, elements) : NULL;
        if (!l->text)
                return -ENOMEM;
        l->size = strlen(l->text);
        return 0;
}

static int answer(Request *r, struct MHD_Response *response) {
        if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            "application/json; charset=utf-8") != MHD_YES) {
                MHD_destroy_response(response);
                return -ENOMEM;
        }
        request_answer(r, MHD_HTTP_OK, response);
        return 0;
}

/* Takes @l, also on failure. */
static int reply_in_steps(Request *r, ListReply *l) {
        struct MHD_Response *response = MHD_create_response_from_callback(
                        MHD_SIZE_UNKNOWN, BLOCK, on_read, l, list_reply_free);

        if (!response) {
                list_reply_free(l);
                return -ENOMEM;
        }
        return answer(r, response);
}

/* The first step was all. */
static int reply_at_once(Request *r, json_t *head, const char *key, json_t *elements) {
        if (!key)
                return request_reply_json(r, MHD_HTTP_OK, json_incref(elements));
        if (json_object_set(head, key, elements) < 0)
                return -ENOMEM;
        return request_reply_json(r, MHD_HTTP_OK, json_incref(head));
}

int request_reply_list(Request *r, json_t *head, const char *key, list_step step, void *list,
                void (*free_list)(void *list)) {
        _cleanup_json_ json_t *owned = head, *elements = NULL;
        ListReply *l;
        int k;

        l = r->answered || !r->connection || (key && !owned) ? NULL : new0(ListReply, 1);
        if (!l) {
                free_list(list);
                return r->answered || !r->connection ? 0 : -ENOMEM;
        }
        *l = (ListReply){ .step = step, .list = list, .free_list = free_list, .is_object = key };
        k = step(list, &elements);
        if (k > 0) {
                k = set_text(l, elements);
                if (k >= 0)
                        k = add_head(l, owned, key);
                if (k >= 0)
                        return reply_in_steps(r, l);
        } else if (k == 0)
                k = reply_at_once(r, owned, key, elements);
        list_reply_free(l);
        return k;
}

/* --- a list that is a text ------------------------------------------------------------------------- */

typedef struct TextReply {
        char *head;
        void *owner;
        void (*free_owner)(void *owner);
} TextReply;

static void text_reply_free(void *userdata) {
        TextReply *t = userdata;

        t->free_owner(t->owner);
        free(t->head);
        free(t);
}

/* What is between the brackets of each array, with commas between those that are not empty. */
static int add_parts(const char *const *texts, size_t n, struct MHD_IoVec *parts, unsigned *n_parts) {
        bool any = false;

        for (size_t i = 0; i < n; i++) {
                size_t size = strlen(texts[i]);

                if (size < 2 || texts[i][0] != '[' || texts[i][size - 1] != ']')
                        return -EBADMSG;
                if (size == 2)
                        continue;
                if (any)
                        parts[(*n_parts)++] = (struct MHD_IoVec){ ",", 1 };
                parts[(*n_parts)++] = (struct MHD_IoVec){ texts[i] + 1, size - 2 };
                any = true;
        }
        return 0;
}

/* @parts have room for all. Consumes @t. */
static int reply_texts(
                Request *r, TextReply *t, const char *const *texts, size_t n, struct MHD_IoVec *parts) {
        struct MHD_Response *response = NULL;
        unsigned n_parts = 0;
        int k = 0;

        parts[n_parts++] = (struct MHD_IoVec){ t->head, strlen(t->head) };
        parts[n_parts++] = (struct MHD_IoVec){ "[", 1 };
        k = add_parts(texts, n, parts, &n_parts);
        parts[n_parts++] = (struct MHD_IoVec){ "]}", 2 };
        if (k >= 0 && !(response = MHD_create_response_from_iovec(parts, n_parts, text_reply_free, t)))
                k = -ENOMEM;
        if (k < 0) {
                text_reply_free(t);
                return k;
        }
        return answer(r, response);
}

int request_reply_list_texts(Request *r, json_t *head, const char *key, const char *const *texts, size_t n,
                void *owner, void (*free_owner)(void *owner)) {
        _cleanup_free_ struct MHD_IoVec *parts = new0(struct MHD_IoVec, 2 * n + 3);
        _cleanup_json_ json_t *owned = head;
        TextReply *t = owned && parts ? new0(TextReply, 1) : NULL;

        if (!t) {
                free_owner(owner);
                return -ENOMEM;
        }
        *t = (TextReply){ .head = head_text(owned, key), .owner = owner, .free_owner = free_owner };
        if (!t->head) {
                text_reply_free(t);
                return -ENOMEM;
        }
        return reply_texts(r, t, texts, n, parts);
}
