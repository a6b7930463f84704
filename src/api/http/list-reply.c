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
        char *text; /* made, and not sent yet from @sent on; NULL: the next step is due */
        size_t size, sent;
        bool has_elements, is_complete;
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

/* The text of the next elements, without the brackets; behind the last ones, the end. */
static int make_text(ListReply *l) {
        _cleanup_json_ json_t *elements = NULL;
        int r = l->step(l->list, &elements);

        if (r < 0)
                return r;
        if (json_array_size(elements) == 0) {
                l->is_complete = true;
                l->text = strdup("]}");
                if (!l->text)
                        return -ENOMEM;
        } else {
                r = dump(elements, &l->text);
                if (r < 0)
                        return r;
                l->text[0] = l->has_elements ? ',' : ' ';
                l->text[strlen(l->text) - 1] = ' ';
                l->has_elements = true;
        }
        l->size = strlen(l->text);
        l->sent = 0;
        return 0;
}

static ssize_t on_read(void *userdata, uint64_t position, char *buffer, size_t max) {
        ListReply *l = userdata;
        size_t n;

        if (l->text && l->sent == l->size) {
                l->text = mfree(l->text);
                if (l->is_complete)
                        return MHD_CONTENT_READER_END_OF_STREAM;
        }
        if (!l->text) {
                int r = make_text(l);

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

/* What goes before the elements: the object without its end, and the key of the list. */
static int make_head(ListReply *l, const json_t *head, const char *key) {
        _cleanup_free_ char *object = NULL;
        int r = dump(head, &object);

        if (r < 0)
                return r;
        object[strlen(object) - 1] = '\0';
        l->text = strprintf("%s%s\"%s\":[", object, json_object_size(head) > 0 ? "," : "", key);
        if (!l->text)
                return -ENOMEM;
        l->size = strlen(l->text);
        return 0;
}

int request_reply_list(Request *r, json_t *head, const char *key, list_step step, void *list,
                void (*free_list)(void *list)) {
        _cleanup_json_ json_t *owned = head;
        struct MHD_Response *response;
        ListReply *l;
        int k;

        l = r->answered || !r->connection || !owned ? NULL : new0(ListReply, 1);
        if (!l) {
                free_list(list);
                return r->answered || !r->connection ? 0 : -ENOMEM;
        }
        *l = (ListReply){ .step = step, .list = list, .free_list = free_list };
        k = make_head(l, owned, key);
        if (k < 0) {
                list_reply_free(l);
                return k;
        }
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read, l, list_reply_free);
        if (!response) {
                list_reply_free(l);
                return -ENOMEM;
        }
        if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            "application/json; charset=utf-8") != MHD_YES) {
                MHD_destroy_response(response);
                return -ENOMEM;
        }
        request_answer(r, MHD_HTTP_OK, response);
        return 0;
}
