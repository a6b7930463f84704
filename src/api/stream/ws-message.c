/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/stream/ws-message.h"
#include "json/json-table.h"

#define FRAME_BINARY 0x82u
#define FRAME_TEXT 0x81u /* the whole message in one frame: FIN and opcode 1 (RFC 6455, 5.2) */
#define LENGTH_16 126u
#define LENGTH_64 127u
#define HEADER_MAX 10u

static WsMessage *message_allocate(size_t size) {
        WsMessage *m = malloc(sizeof(*m) + size);

        if (!m)
                return NULL;
        m->n_ref = 1;
        m->size = size;
        return m;
}

/* The payload's length as RFC 6455, 5.2 writes it; returns the header's size. */
static size_t frame_header(uint8_t header[static HEADER_MAX], uint8_t first, uint64_t length) {
        unsigned n = length < LENGTH_16 ? 0 : length <= UINT16_MAX ? 2 : 8;

        header[0] = first;
        header[1] = (uint8_t) (n == 0 ? length : n == 2 ? LENGTH_16 : LENGTH_64);
        for (unsigned i = 0; i < n; i++)
                header[2 + i] = (uint8_t) (length >> 8 * (n - 1 - i));
        return 2 + n;
}

static WsMessage *message_new(uint8_t first, const void *data, size_t size) {
        uint8_t header[HEADER_MAX];
        size_t n = frame_header(header, first, size);
        WsMessage *m = message_allocate(n + size);

        if (!m)
                return NULL;
        memcpy(m->frame, header, n);
        memcpy(m->frame + n, data, size);
        return m;
}

WsMessage *ws_message_new(const char *text, size_t size) {
        return message_new(FRAME_TEXT, text, size);
}

WsMessage *ws_message_new_binary(const void *data, size_t size) {
        return message_new(FRAME_BINARY, data, size);
}

WsMessage *ws_message_from_json(json_t *value) {
        _cleanup_json_ json_t *owned = value;
        _cleanup_free_ char *text = NULL;

        text = owned ? json_dumps(owned, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : NULL;
        return text ? ws_message_new(text, strlen(text)) : NULL;
}

WsMessage *ws_message_from_frame(const void *frame, size_t size) {
        WsMessage *m = message_allocate(size);

        if (m)
                memcpy(m->frame, frame, size);
        return m;
}

WsMessage *ws_message_ref(WsMessage *m) {
        m->n_ref++;
        return m;
}

WsMessage *ws_message_unref(WsMessage *m) {
        if (m && --m->n_ref == 0)
                free(m);
        return NULL;
}

/* --- the queue ------------------------------------------------------------------------------------- */

void ws_queue_done(WsQueue *q) {
        for (size_t i = q->begin; i < q->end; i++)
                ws_message_unref(q->messages[i]);
        free(q->messages);
        *q = (WsQueue){};
}

int ws_queue_push(WsQueue *q, WsMessage *m) {
        if (q->begin == q->end)
                q->begin = q->end = 0;
        /* Room at the front is used again, before more is asked for. */
        if (q->end == q->allocated && q->begin >= q->allocated / 2 && q->begin > 0) {
                memmove(q->messages, q->messages + q->begin, (q->end - q->begin) * sizeof(*q->messages));
                q->end -= q->begin;
                q->begin = 0;
        }
        if (!GREEDY_REALLOC(q->messages, q->allocated, q->end + 1))
                return -ENOMEM;
        q->messages[q->end++] = ws_message_ref(m);
        q->bytes += m->size;
        return 0;
}

size_t ws_queue_pieces(const WsQueue *q, struct iovec *pieces, size_t max) {
        size_t n = MIN(q->end - q->begin, max), skip = q->sent;

        for (size_t i = 0; i < n; i++) {
                WsMessage *m = q->messages[q->begin + i];

                pieces[i] = (struct iovec){ .iov_base = m->frame + skip, .iov_len = m->size - skip };
                skip = 0;
        }
        return n;
}

void ws_queue_sent(WsQueue *q, size_t n) {
        assert(n <= q->bytes);

        q->bytes -= n;
        q->sent += n;
        while (q->begin < q->end && q->sent >= q->messages[q->begin]->size) {
                q->sent -= q->messages[q->begin]->size;
                ws_message_unref(q->messages[q->begin++]);
        }
}

void ws_queue_drop(WsQueue *q) {
        size_t keep = q->begin + (q->sent > 0);

        while (q->end > keep)
                ws_message_unref(q->messages[--q->end]);
        q->bytes = q->sent > 0 ? q->messages[q->begin]->size - q->sent : 0;
}
