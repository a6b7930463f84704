/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "unit/lib/ws-frames.h"
#include "unit/lib/test.h"

void ws_bytes_done(WsBytes *b) {
        free(b->data);
        *b = (WsBytes){};
}

void ws_bytes_add(WsBytes *b, const void *data, size_t size) {
        if (size == 0)
                return;
        ck_assert(GREEDY_REALLOC(b->data, b->allocated, b->size + size));
        memcpy(b->data + b->size, data, size);
        b->size += size;
}

void ws_add_odd_frame(WsBytes *b, unsigned first, bool masked, unsigned length_bytes, uint64_t length,
                const void *payload, size_t size) {
        static const uint8_t key[4] = { 0x12, 0x34, 0x56, 0x78 };
        uint8_t header[10];

        header[0] = (uint8_t) first;
        header[1] = (uint8_t) (length_bytes == 0 ? length : length_bytes == 2 ? 126 : 127);
        header[1] |= masked ? 0x80 : 0;
        for (unsigned i = 0; i < length_bytes; i++)
                header[2 + i] = (uint8_t) (length >> 8 * (length_bytes - 1 - i));
        ws_bytes_add(b, header, 2 + length_bytes);
        if (masked)
                ws_bytes_add(b, key, sizeof(key));
        for (size_t i = 0; i < size; i++) {
                uint8_t c = ((const uint8_t *) payload)[i];

                c ^= masked ? key[i % sizeof(key)] : 0;
                ws_bytes_add(b, &c, 1);
        }
}

void ws_add_frame(WsBytes *b, unsigned first, const void *payload, size_t size) {
        ws_add_odd_frame(b, first, true, size < 126 ? 0 : size < 65536 ? 2 : 8, size, payload, size);
}

void ws_add_close(WsBytes *b, unsigned code, const char *reason) {
        uint8_t payload[125] = { (uint8_t) (code >> 8), (uint8_t) code };
        size_t n = strlen(reason);

        ck_assert_uint_le(n + 2, sizeof(payload));
        memcpy(payload + 2, reason, n);
        ws_add_frame(b, WS_FIN | WS_CLOSE, payload, code == 0 ? 0 : 2 + n);
}

void ws_frame_done(WsFrame *f) {
        free(f->payload);
        *f = (WsFrame){};
}

bool ws_take_frame(WsBytes *b, WsFrame *ret) {
        size_t header = 2, length;

        if (b->size < header)
                return false;
        ck_assert_msg((b->data[1] & 0x80) == 0, "a server must not mask");
        length = b->data[1];
        if (length >= 126) {
                unsigned n = length == 126 ? 2 : 8;

                header += n;
                if (b->size < header)
                        return false;
                length = 0;
                for (unsigned i = 0; i < n; i++)
                        length = length << 8 | b->data[2 + i];
        }
        if (b->size < header + length)
                return false;

        *ret = (WsFrame){ .first = b->data[0], .payload = calloc(1, length + 1), .size = length };
        memcpy(ret->payload, b->data + header, length);
        if (ret->first == (WS_FIN | WS_CLOSE))
                ret->code = length >= 2 ? (unsigned) ret->payload[0] << 8 | ret->payload[1] : 1005;
        b->size -= header + length;
        memmove(b->data, b->data + header + length, b->size);
        return true;
}
