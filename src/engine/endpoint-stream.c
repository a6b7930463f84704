/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/endpoint-stream.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/uio.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"

#define HELD_MAX (UINT64_C(64) << 20)
#define RECEIVE_MAX (UINT64_C(8) << 20) /* at a time, so that the destination gets its turn */
#define READ_SIZE ((size_t) 1 << 20)
#define READS 16u
/* A server that looks for data in a large empty disk sends nothing meanwhile. */
#define SILENCE_MAX (USEC_PER_HOUR)

/* A run that was received. */
typedef struct Held {
        uint64_t offset, length;
        STAILQ_ENTRY(Held) entry;
        char data[];
} Held;

typedef struct Stream {
        Endpoint endpoint;
        int fd; /* -EBADF: it has ended */
        int ready; /* an eventfd that is always readable */
        DiskDigest *digest;
        int (*ended)(void *userdata, bool complete, char **ret_error);
        void (*release)(void *userdata);
        void *userdata;

        STAILQ_HEAD(, Held) held;
        uint64_t held_bytes;
        Held *next; /* the first run that was not told of completely */
        uint64_t told; /* what lies at and behind that was not told of */
        uint64_t position; /* what lies before is not needed any more */
        bool begun; /* the first question was asked */

        StreamRun head; /* what is being received: first this */
        size_t head_size;
        Held *body; /* then this */
        size_t body_size;
        uint64_t received; /* the end of the last run */

        /* The question that waits for an answer. */
        EndpointExtentsDone done;
        void *done_userdata;
        uint64_t length;

        bool complete;
        bool completed; /* something was completed at once: the engine shall not wait */
        int error;
} Stream;

static Stream *stream_of(Endpoint *e) {
        return CONTAINER_OF(e, Stream, endpoint);
}

static uint64_t end_of(const Held *h) {
        return h->offset + h->length;
}

/* --- receiving ------------------------------------------------------------------------------------- */

static void fail(Stream *s, int error, const char *why) {
        s->error = s->endpoint.error
                        ? error
                        : endpoint_fail(&s->endpoint, error, "receiving %s%s%s", s->endpoint.label,
                                          isempty(why) ? "" : ": ", strempty(why));
}

static void end(Stream *s, bool complete) {
        _cleanup_free_ char *why = NULL;

        s->fd = safe_close(s->fd);
        int r = s->ended(s->userdata, complete, &why);
        if (r >= 0 && !complete)
                r = -EPIPE;
        if (r >= 0)
                s->complete = true;
        else if (why && !s->endpoint.error) { /* it says all there is to say */
                s->endpoint.error = TAKE_PTR(why);
                s->error = r;
        } else
                fail(s, r, why);
}

/* The header of a run is there. */
static int begin_run(Stream *s) {
        const StreamRun *h = &s->head;

        s->head_size = 0;
        if (h->length == 0 && h->offset == s->endpoint.size) {
                end(s, true);
                return 0;
        }
        if (h->length == 0 || h->length > STREAM_RUN_MAX || h->offset < s->received ||
                        h->offset > s->endpoint.size || h->length > s->endpoint.size - h->offset)
                return -EPROTO;
        s->body = malloc(sizeof(Held) + h->length);
        if (!s->body)
                return -ENOMEM;
        s->body->offset = h->offset;
        s->body->length = h->length;
        s->body_size = 0;
        s->received = h->offset + h->length;
        return 0;
}

static int take_run(Stream *s) {
        _cleanup_free_ Held *h = TAKE_PTR(s->body);

        int r = s->digest ? disk_digest_add(s->digest, h->data, h->length, h->offset) : 0;
        if (r < 0 || end_of(h) <= s->position)
                return r;
        STAILQ_INSERT_TAIL(&s->held, h, entry);
        s->held_bytes += h->length;
        if (!s->next)
                s->next = h;
        h = NULL;
        return 0;
}

/* The rest of a run, and the next one's header. 1; 0 if nothing is there at the moment. */
static int receive_some(Stream *s, uint64_t *total) {
        struct iovec parts[2] = {};
        size_t body = s->body ? s->body->length - s->body_size : 0;

        if (s->body)
                parts[0] = (struct iovec){ s->body->data + s->body_size, body };
        parts[1] = (struct iovec){ (char *) &s->head + s->head_size, sizeof(s->head) - s->head_size };
        ssize_t n = readv(s->fd, s->body ? parts : parts + 1, s->body ? 2 : 1);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0) {
                end(s, false);
                return 0;
        }
        *total += (uint64_t) n;
        s->endpoint.bytes_read += (uint64_t) n;
        s->endpoint.active = now_monotonic();
        int r = 0;
        if (s->body && (size_t) n >= body) {
                r = take_run(s);
                n -= (ssize_t) body;
        } else if (s->body) {
                s->body_size += (size_t) n;
                return 1;
        }
        s->head_size += (size_t) n;
        if (r >= 0 && s->head_size == sizeof(s->head))
                r = begin_run(s);
        return r < 0 ? r : s->fd >= 0;
}

static bool wants_more(const Stream *s) {
        return s->fd >= 0 && s->error == 0 && s->held_bytes < HELD_MAX;
}

static void receive(Stream *s) {
        uint64_t total = 0;
        int r = 1;

        while (r > 0 && wants_more(s) && total < RECEIVE_MAX)
                r = receive_some(s, &total);
        if (r < 0)
                fail(s, r, NULL);
}

/* --- what is asked --------------------------------------------------------------------------------- */

/* Data at the end of the disk is passed on only when the stream is known to be right: the copy may be over
 * then. */
static bool may_tell(const Stream *s, const Held *h) {
        return s->complete || end_of(h) < s->endpoint.size;
}

/* What lies at s->told. False if it is not known yet. */
static bool look(Stream *s, uint64_t length, Extent *ret) {
        Held *h = s->next;
        uint64_t to = h ? h->offset : s->complete ? s->endpoint.size : s->told;

        if (s->told < to) {
                *ret = (Extent){ .length = MIN(to - s->told, length), .zero = true };
                return true;
        }
        for (; h && h->offset <= to && may_tell(s, h); h = STAILQ_NEXT(h, entry))
                to = end_of(h);
        *ret = (Extent){ .length = MIN(to - s->told, length) };
        return to > s->told;
}

static void answer(Stream *s) {
        EndpointExtentsDone done = s->done;
        Extent x = {};

        if (!done || (s->error == 0 && !look(s, s->length, &x)))
                return;
        s->done = NULL;
        s->told += x.length;
        while (s->next && end_of(s->next) <= s->told)
                s->next = STAILQ_NEXT(s->next, entry);
        done(s->done_userdata, s->error < 0 ? NULL : &x, s->error < 0 ? 0 : 1, s->error);
        s->completed = true;
}

/* Nobody needs what lies before @position. */
static void drop(Stream *s, uint64_t position) {
        Held *h;

        s->position = position;
        while ((h = STAILQ_FIRST(&s->held)) && end_of(h) <= position) {
                STAILQ_REMOVE_HEAD(&s->held, entry);
                s->held_bytes -= h->length;
                if (s->next == h)
                        s->next = STAILQ_FIRST(&s->held);
                free(h);
        }
}

static int stream_extents(
                Endpoint *e, uint64_t offset, uint64_t length, EndpointExtentsDone done, void *userdata) {
        Stream *s = stream_of(e);

        if (!s->begun) {
                s->begun = true;
                s->told = offset;
                drop(s, offset);
        }
        if (s->done || offset != s->told)
                return endpoint_fail(e, EINVAL, "asking about byte %" PRIu64 " of %s, which is a stream",
                                offset, e->label);
        s->done = done;
        s->done_userdata = userdata;
        s->length = length;
        answer(s);
        return 0;
}

static int stream_read(
                Endpoint *e, void *buf, size_t length, uint64_t offset, EndpointDone done, void *userdata) {
        Stream *s = stream_of(e);
        Held *h;

        if (offset < s->position || offset + length > s->told)
                return endpoint_fail(e, EINVAL, "reading byte %" PRIu64 " of %s, which is a stream", offset,
                                e->label);
        memset(buf, 0, length);
        STAILQ_FOREACH(h, &s->held, entry) {
                uint64_t from = MAX(h->offset, offset), to = MIN(end_of(h), offset + length);
                if (h->offset >= offset + length)
                        break;
                if (from < to)
                        memcpy((char *) buf + (from - offset), h->data + (from - h->offset), to - from);
        }
        drop(s, offset + length);
        s->completed = true;
        done(userdata, 0);
        return 0;
}

/* --- the endpoint ---------------------------------------------------------------------------------- */

static void stream_stop(Endpoint *e) {
        stream_of(e)->done = NULL;
}

static size_t stream_wait(Endpoint *e, struct pollfd *fds, size_t max) {
        Stream *s = stream_of(e);
        size_t n = 0;

        if (wants_more(s) && n < max)
                fds[n++] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
        if (s->completed && n < max)
                fds[n++] = (struct pollfd){ .fd = s->ready, .events = POLLIN };
        return n;
}

static int stream_dispatch(Endpoint *e, const struct pollfd *fds, size_t n) {
        Stream *s = stream_of(e);

        s->completed = false;
        for (size_t i = 0; i < n; i++)
                if (fds[i].fd == s->fd && fds[i].revents)
                        receive(s);
        answer(s);
        return 0;
}

static void stream_free(Endpoint *e) {
        Stream *s = stream_of(e);

        safe_close(s->fd);
        safe_close(s->ready);
        if (s->release)
                s->release(s->userdata);
        drop(s, UINT64_MAX);
        free(s->body);
        free(s);
}

static const EndpointOps stream_ops = {
        .name = "stream",
        .free = stream_free,
        .stop = stream_stop,
        .extents = stream_extents,
        .read = stream_read,
        .wait = stream_wait,
        .dispatch = stream_dispatch,
};

int endpoint_stream_new(const StreamOptions *o, Endpoint **ret) {
        Stream *s = new0(Stream, 1);

        if (!s)
                return -ENOMEM;
        *s = (Stream){
                .endpoint = {
                        .ops = &stream_ops,
                        .size = o->size,
                        .label = strdup(o->label),
                        .preferred = READ_SIZE,
                        .in_flight_max = READS,
                        .once = true,
                        .stall_timeout = SILENCE_MAX,
                },
                .fd = o->fd,
                .ready = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK),
                .digest = o->digest,
                .ended = o->ended,
                .release = o->free,
                .userdata = o->userdata,
        };
        STAILQ_INIT(&s->held);
        int flags = fcntl(o->fd, F_GETFL);
        if (!s->endpoint.label || s->ready < 0 || flags < 0 ||
                        fcntl(o->fd, F_SETFL, flags | O_NONBLOCK) < 0) {
                safe_close(s->ready);
                free(s->endpoint.label);
                free(s);
                return -ENOMEM;
        }
        *ret = &s->endpoint;
        return 0;
}
