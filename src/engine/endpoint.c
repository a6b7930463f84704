/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/string-util.h"
#include "engine/endpoint.h"

Endpoint *endpoint_free(Endpoint *e) {
        if (!e)
                return NULL;
        if (e->tally)
                *e->tally += e->bytes_read;
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

int endpoints_wait(Endpoint *const *endpoints, size_t n, int cancel_fd, usec_t timeout, int *errors) {
        struct pollfd fds[ENDPOINTS_MAX * ENDPOINT_FDS_MAX + 1];
        size_t counts[ENDPOINTS_MAX] = {}, used = 0;

        assert(n <= ENDPOINTS_MAX);
        for (size_t i = 0; i < n; i++) {
                Endpoint *e = endpoints[i];
                counts[i] = e && e->ops->wait ? e->ops->wait(e, fds + used, ENDPOINT_FDS_MAX) : 0;
                used += counts[i];
                errors[i] = 0;
        }
        fds[used] = (struct pollfd){ .fd = cancel_fd, .events = POLLIN };

        int timeout_msec = timeout >= (usec_t) INT32_MAX * USEC_PER_MSEC
                        ? INT32_MAX
                        : (int) ((timeout + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
        if (poll(fds, used + 1, timeout_msec) < 0)
                return errno == EINTR ? 0 : -errno;
        if (cancel_fd >= 0 && fds[used].revents != 0)
                return -ECANCELED;
        for (size_t i = 0, at = 0; i < n; at += counts[i++])
                errors[i] = dispatch(endpoints[i], fds + at, counts[i]);
        return 0;
}

int endpoints_run(Endpoint *a, Endpoint *b, int cancel_fd, usec_t timeout) {
        Endpoint *const both[] = { a, b };
        int errors[ELEMENTSOF(both)] = {};

        int r = endpoints_wait(both, ELEMENTSOF(both), cancel_fd, timeout, errors);
        if (r >= 0)
                r = errors[0] < 0 ? errors[0] : errors[1];
        return r;
}
