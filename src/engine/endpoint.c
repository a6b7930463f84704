/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/string-util.h"
#include "engine/endpoint.h"

Endpoint *endpoint_free(Endpoint *e) {
        if (!e)
                return NULL;
        free(e->label);
        free(e->error);
        e->ops->free(e);
        return NULL;
}

const char *endpoint_error(const Endpoint *e) {
        return strempty(e->error);
}

int endpoint_fail(Endpoint *e, int error, const char *format, ...) {
        _cleanup_free_ char *what = NULL;
        va_list ap;

        error = abs(error);
        if (e->error) /* the first one is the cause, the rest follows from it */
                return -error;
        va_start(ap, format);
        what = vstrprintf(format, ap);
        va_end(ap);
        e->error = what ? strprintf("%s: %s", what, strerror(error)) : NULL;
        return -error;
}

static bool range_is_inside(const Endpoint *e, uint64_t offset, uint64_t length) {
        return offset <= e->size && length <= e->size - offset;
}

static int refuse_range(Endpoint *e, const char *verb, uint64_t offset, uint64_t length) {
        return endpoint_fail(e, EINVAL, "%s %" PRIu64 " bytes at %" PRIu64 " of %s, which has %" PRIu64,
                        verb, length, offset, e->label, e->size);
}

int endpoint_extents(
                Endpoint *e, uint64_t offset, uint64_t length, EndpointExtentsDone done, void *userdata) {
        if (length == 0 || !range_is_inside(e, offset, length))
                return refuse_range(e, "asking about", offset, length);
        if (!e->ops->extents) {
                const Extent all = { .length = length, .zero = false };
                done(userdata, &all, 1, 0);
                return 0;
        }
        return e->ops->extents(e, offset, length, done, userdata);
}

int endpoint_read(
                Endpoint *e, void *buf, size_t length, uint64_t offset, EndpointDone done, void *userdata) {
        if (!e->ops->read || !range_is_inside(e, offset, length))
                return refuse_range(e, "reading", offset, length);
        if (length == 0) {
                done(userdata, 0);
                return 0;
        }
        return e->ops->read(e, buf, length, offset, done, userdata);
}

int endpoint_write(Endpoint *e, const void *buf, size_t length, uint64_t offset, EndpointDone done,
                void *userdata) {
        if (!e->ops->write || !range_is_inside(e, offset, length))
                return refuse_range(e, "writing", offset, length);
        if (length == 0) {
                done(userdata, 0);
                return 0;
        }
        return e->ops->write(e, buf, length, offset, done, userdata);
}

int endpoint_write_file(Endpoint *e, const FileRange *from, uint64_t offset, int *ret_source_error,
                EndpointDone done, void *userdata) {
        if (!e->ops->write_file || !range_is_inside(e, offset, from->length))
                return refuse_range(e, "writing", offset, from->length);
        return e->ops->write_file(e, from, offset, ret_source_error, done, userdata);
}

int endpoint_zero(Endpoint *e, uint64_t offset, uint64_t length, EndpointDone done, void *userdata) {
        if (!e->ops->write || !range_is_inside(e, offset, length))
                return refuse_range(e, "zeroing", offset, length);
        if (length == 0 || !e->ops->zero) {
                done(userdata, 0);
                return 0;
        }
        return e->ops->zero(e, offset, length, done, userdata);
}

int endpoint_flush(Endpoint *e, EndpointDone done, void *userdata) {
        if (!e->ops->flush) {
                done(userdata, 0);
                return 0;
        }
        return e->ops->flush(e, done, userdata);
}

int endpoint_finish(Endpoint *e, EndpointDone done, void *userdata) {
        return e->ops->finish ? e->ops->finish(e, done, userdata) : endpoint_flush(e, done, userdata);
}

void endpoint_state(Endpoint *e, uint64_t ret_state[static 2]) {
        ret_state[0] = ret_state[1] = 0;
        if (e->ops->state)
                e->ops->state(e, ret_state);
}

void endpoint_stop(Endpoint *e) {
        if (e->ops->stop)
                e->ops->stop(e);
}

static int dispatch(Endpoint *e, const struct pollfd *fds, size_t n) {
        return e && e->ops->dispatch ? e->ops->dispatch(e, fds, n) : 0;
}

int endpoints_run(Endpoint *a, Endpoint *b, int cancel_fd, usec_t timeout) {
        struct pollfd fds[2 * ENDPOINT_FDS_MAX + 1];
        size_t n_a = 0, n_b = 0;
        int r;

        if (a && a->ops->wait)
                n_a = a->ops->wait(a, fds, ENDPOINT_FDS_MAX);
        if (b && b->ops->wait)
                n_b = b->ops->wait(b, fds + n_a, ENDPOINT_FDS_MAX);
        fds[n_a + n_b] = (struct pollfd){ .fd = cancel_fd, .events = POLLIN };

        int timeout_msec = timeout >= (usec_t) INT32_MAX * USEC_PER_MSEC
                        ? INT32_MAX
                        : (int) ((timeout + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
        if (poll(fds, n_a + n_b + 1, timeout_msec) < 0)
                return errno == EINTR ? 0 : -errno;
        if (cancel_fd >= 0 && fds[n_a + n_b].revents != 0)
                return -ECANCELED;
        r = dispatch(a, fds, n_a);
        if (r < 0)
                return r;
        return dispatch(b, fds + n_a, n_b);
}
