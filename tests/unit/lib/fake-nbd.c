/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The numbers are those of the NBD protocol (doc/proto.md of the nbd project). */

#include <endian.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "unit/lib/fake-nbd.h"

#define OPTION_MAGIC UINT64_C(0x49484156454f5054)
#define OPTION_REPLY_MAGIC UINT64_C(0x0003e889045565a9)
#define REQUEST_MAGIC UINT32_C(0x25609513)
#define CHUNK_MAGIC UINT32_C(0x668e33ef)
#define CONTEXT_ID 7

enum { OPT_ABORT = 2, OPT_GO = 7, OPT_STRUCTURED = 8, OPT_SET_META_CONTEXT = 10 };
enum { REP_ACK = 1, REP_INFO = 3, REP_META_CONTEXT = 4 };
#define REP_ERR_UNSUP UINT32_C(0x80000001)
enum { CMD_READ = 0, CMD_DISC = 2, CMD_BLOCK_STATUS = 7 };
enum { CHUNK_OFFSET_DATA = 1, CHUNK_BLOCK_STATUS = 5, CHUNK_ERROR = 0x8001 };

typedef struct Client {
        int fd;
        FakeNbd what;
        uint64_t size;
} Client;

typedef struct __attribute__((packed)) Request {
        uint32_t magic;
        uint16_t flags, type;
        uint64_t handle, offset;
        uint32_t length;
} Request;

static void put(const Client *c, const void *data, size_t size) {
        for (const char *p = data; size > 0;) {
                ssize_t n = send(c->fd, p, size, MSG_NOSIGNAL);
                if (n <= 0)
                        _exit(0);
                p += n;
                size -= (size_t) n;
        }
}

/* False when the client is gone. */
static bool get(const Client *c, void *data, size_t size) {
        for (char *p = data; size > 0;) {
                ssize_t n = recv(c->fd, p, size, 0);
                if (n <= 0)
                        return false;
                p += n;
                size -= (size_t) n;
        }
        return true;
}

static void put16(const Client *c, uint16_t v) {
        v = htobe16(v);
        put(c, &v, sizeof(v));
}

static void put32(const Client *c, uint32_t v) {
        v = htobe32(v);
        put(c, &v, sizeof(v));
}

static void put64(const Client *c, uint64_t v) {
        v = htobe64(v);
        put(c, &v, sizeof(v));
}

static void put_option_reply(const Client *c, uint32_t option, uint32_t type, uint32_t length) {
        put64(c, OPTION_REPLY_MAGIC);
        put32(c, option);
        put32(c, type);
        put32(c, length);
}

/* True when the transmission phase begins. */
static bool handle_option(const Client *c, uint32_t option) {
        static const char context[] = "base:allocation";

        switch (option) {
        case OPT_STRUCTURED:
                put_option_reply(c, option, REP_ACK, 0);
                return false;
        case OPT_SET_META_CONTEXT:
                put_option_reply(c, option, REP_META_CONTEXT, 4 + strlen(context));
                put32(c, CONTEXT_ID);
                put(c, context, strlen(context));
                put_option_reply(c, option, REP_ACK, 0);
                return false;
        case OPT_GO:
                put_option_reply(c, option, REP_INFO, 12);
                put16(c, 0);
                put64(c, c->what == FAKE_SIZE_HUGE ? UINT64_C(1) << 63 : c->size);
                put16(c, 3); /* flags are there, read only */
                put_option_reply(c, option, REP_ACK, 0);
                return true;
        default:
                put_option_reply(c, option, REP_ERR_UNSUP, 0);
                return false;
        }
}

static bool negotiate(const Client *c) {
        uint32_t flags, option, length;
        uint64_t magic;
        char data[4096];

        put(c, "NBDMAGICIHAVEOPT", 16);
        put16(c, 3);
        if (!get(c, &flags, 4))
                return false;
        for (;;) {
                if (!get(c, &magic, 8) || be64toh(magic) != OPTION_MAGIC || !get(c, &option, 4) ||
                                !get(c, &length, 4) || be32toh(length) > sizeof(data) ||
                                !get(c, data, be32toh(length)) || be32toh(option) == OPT_ABORT)
                        return false;
                if (handle_option(c, be32toh(option)))
                        return true;
        }
}

static void put_chunk(const Client *c, uint64_t handle, uint16_t type, uint32_t length) {
        put32(c, CHUNK_MAGIC);
        put16(c, 1); /* the last one */
        put16(c, type);
        put64(c, handle);
        put32(c, length);
}

static void put_extents(const Client *c, uint64_t handle, uint32_t context, uint32_t n, uint32_t length) {
        _cleanup_free_ uint32_t *payload = new0(uint32_t, 1 + 2 * n);

        payload[0] = htobe32(context);
        for (uint32_t i = 0; i < n; i++)
                payload[1 + 2 * i] = htobe32(length);
        put_chunk(c, handle, CHUNK_BLOCK_STATUS, 4 + n * 8);
        put(c, payload, 4 + n * 8);
}

static void answer_block_status(const Client *c, const Request *q) {
        uint32_t length = be32toh(q->length);

        switch (c->what) {
        case FAKE_EXTENT_EMPTY:
                put_extents(c, q->handle, CONTEXT_ID, 1, 0);
                break;
        case FAKE_EXTENT_LONG:
                put_extents(c, q->handle, CONTEXT_ID, 1, UINT32_MAX);
                break;
        case FAKE_EXTENT_TINY:
                put_extents(c, q->handle, CONTEXT_ID, 1, 512);
                break;
        case FAKE_EXTENT_NONE:
                put_extents(c, q->handle, CONTEXT_ID, 0, 0);
                break;
        case FAKE_EXTENT_MANY:
                put_extents(c, q->handle, CONTEXT_ID, 100000, 1);
                break;
        case FAKE_EXTENT_OTHER_CONTEXT:
                put_extents(c, q->handle, CONTEXT_ID + 1, 1, length);
                break;
        case FAKE_EXTENT_ERROR:
                put_chunk(c, q->handle, CHUNK_ERROR, 6);
                put32(c, EIO);
                put16(c, 0);
                break;
        default:
                put_extents(c, q->handle, CONTEXT_ID, 1, length);
        }
}

static void put_data(const Client *c, const Request *q, uint64_t offset, uint32_t claimed, uint32_t length) {
        char data[65536];

        memset(data, 0x55, sizeof(data));
        put_chunk(c, q->handle, CHUNK_OFFSET_DATA, 8 + claimed);
        put64(c, offset);
        for (; length > 0; length -= MIN(length, (uint32_t) sizeof(data)))
                put(c, data, MIN(length, (uint32_t) sizeof(data)));
}

/* False: hang up. */
static bool answer_read(const Client *c, Request *q) {
        uint32_t length = be32toh(q->length);
        uint64_t offset = be64toh(q->offset);

        switch (c->what) {
        case FAKE_READ_SHORT:
                put_data(c, q, offset, length / 2, length / 2);
                return true;
        case FAKE_READ_OUTSIDE:
                put_data(c, q, offset + length, length, length);
                return true;
        case FAKE_READ_ENDLESS:
                put_data(c, q, offset, UINT32_MAX - 8, 65536);
                return true;
        case FAKE_READ_GARBAGE:
                put(c, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
                return true;
        case FAKE_READ_HANGUP:
                put_data(c, q, offset, length, length / 2);
                return false;
        case FAKE_READ_END:
                put_data(c, q, offset, length, length / 2);
                return shutdown(c->fd, SHUT_WR) == 0;
        case FAKE_READ_END_BETWEEN:
                return shutdown(c->fd, SHUT_WR) == 0;
        case FAKE_READ_UNASKED:
                q->handle = ~q->handle;
                put_data(c, q, offset, length, length);
                return true;
        default:
                put_data(c, q, offset, length, length);
                return true;
        }
}

static void transmit(const Client *c) {
        Request q;

        while (get(c, &q, sizeof(q)) && be32toh(q.magic) == REQUEST_MAGIC && be16toh(q.type) != CMD_DISC) {
                q.handle = be64toh(q.handle);
                if (be16toh(q.type) == CMD_BLOCK_STATUS)
                        answer_block_status(c, &q);
                else if (be16toh(q.type) != CMD_READ || !answer_read(c, &q))
                        return;
        }
}

Server serve_fake(const char *dir, const char *name, FakeNbd what, uint64_t size) {
        Server s = { .socket = strprintf("%s/%s.sock", dir, name) };
        int fd = listen_at(s.socket);

        s.pid = fork();
        ck_assert_int_ge(s.pid, 0);
        if (s.pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;) {
                        Client c = { .fd = accept(fd, NULL, NULL), .what = what, .size = size };
                        if (c.fd < 0)
                                _exit(1);
                        if (negotiate(&c))
                                transmit(&c);
                        close(c.fd);
                }
        }
        close(fd);
        return s;
}
