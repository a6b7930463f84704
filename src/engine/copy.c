/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Slots form a ring in the order of the disk:
 *
 *      head ........ unwritten ........ tail
 *      written or    read or being      free
 *      being written read
 *
 * Reads go out in order and come back in any; a slot is written when its data is there and all before it
 * have been handed over; head moves on when its slot is done, and where it begins is the watermark. */

#include "engine/copy.h"
#include "basic/string-util.h"
#include "engine/extent-cursor.h"
#include "engine/part.h"
#include "engine/rate.h"

#define SLOTS_PER_BUFFER 4 /* slots of zeroes need no buffer */
#define ZERO_MAX (UINT64_C(1) << 30) /* of one slot */
#define FILE_MAX (UINT64_C(4) << 20) /* of one that is taken from a file */
#define PROGRESS_INTERVAL (500 * USEC_PER_MSEC)
#define CHECKPOINT_INTERVAL (5 * USEC_PER_SEC)
#define STALL_TIMEOUT (300 * USEC_PER_SEC)
#define SAVE_TIMEOUT (60 * USEC_PER_SEC)

typedef enum SlotState {
        SLOT_READING,
        SLOT_READ,
        SLOT_WRITING,
        SLOT_DONE,
} SlotState;

typedef struct Slot {
        Copy *copy;
        uint64_t offset, length;
        SlotState state;
        char *buf; /* NULL: zeroes, or what is in a file */
        FileRange from; /* its length is 0 if the data is in @buf */
        int source_error; /* why the file could not be read */
} Slot;

struct Copy {
        Endpoint *source, *destination;
        Part *part;
        const CopyOptions *options;
        ExtentCursor cursor;

        Slot *slots;
        size_t n_slots;
        uint64_t head, unwritten, tail; /* count up; the slot is this modulo n_slots */

        char **buffers; /* all of them, and how many of them are not in use: those at the end */
        size_t n_buffers, n_free;
        size_t request_size;
        unsigned writing; /* requests at the destination */

        CopyProgress progress;
        RateMeter rate;
        usec_t started, last_progress, last_activity;

        bool saving; /* a flush for a checkpoint is under way */
        usec_t last_save;
        uint64_t save_watermark, save_state[2]; /* what it will speak of */
        uint64_t saved_watermark;
        uint64_t save_written, saved_written; /* the destination's bytes_written, then and at the last
                                                 flush's begin */

        bool room; /* slots became free after fill() */
        bool begun, finishing, finished, stopped;
        int error; /* the first one */
        bool destination_stopped; /* takes no more writes */
        bool destination_broken; /* cannot even be flushed */
};

static Slot *slot_at(Copy *c, uint64_t i) {
        return &c->slots[i % c->n_slots];
}

static void fail(Copy *c, int error) {
        if (c->error == 0)
                c->error = error;
}

/* A full destination still holds what was written before it was full; after other errors nobody knows. */
static void destination_fail(Copy *c, int error) {
        c->destination_stopped = true;
        if (error != -ENOSPC && error != -EDQUOT)
                c->destination_broken = true;
        fail(c, error);
}

/* --- completions: they only take note
 * ----------------------------------------------------------------------- */

static void on_read(void *userdata, int error) {
        Slot *s = userdata;

        s->copy->last_activity = now_monotonic();
        if (error < 0)
                fail(s->copy, error); /* never read, so never written */
        else
                s->state = SLOT_READ;
}

static void on_written(void *userdata, int error) {
        Slot *s = userdata;
        Copy *c = s->copy;

        c->last_activity = now_monotonic();
        c->writing--;
        if (error == -EREMOTEIO && s->from.length > 0) {
                fail(c,
                                endpoint_fail(c->source, s->source_error,
                                                "reading %" PRIu64 " bytes at %" PRIu64 " of %s", s->length,
                                                s->offset, c->source->label));
                return;
        }
        if (error < 0) {
                destination_fail(c, error);
                return; /* never done, so that the watermark stays before it */
        }
        s->state = SLOT_DONE;
        if (s->buf)
                c->buffers[c->n_free++] = TAKE_PTR(s->buf);
}

static void on_saved(void *userdata, int error) {
        Copy *c = userdata;

        c->saving = false;
        c->last_save = c->last_activity = now_monotonic();
        if (error < 0) {
                destination_fail(c, error);
                c->destination_broken = true;
                return;
        }
        c->saved_watermark = c->save_watermark;
        c->saved_written = c->save_written;
        error = part_save(c->part, c->save_watermark, c->save_state);
        if (error < 0)
                fail(c,
                                endpoint_fail(c->destination, error, "writing the checkpoint of %s",
                                                c->destination->label));
}

static void on_finished(void *userdata, int error) {
        Copy *c = userdata;

        c->finished = true;
        if (error < 0) {
                destination_fail(c, error);
                c->destination_broken = true;
        }
}

/* --- steps
 * ---------------------------------------------------------------------------------------------------- */

/* What lies behind the source's end, in a slot that reaches over it, is zero. */
static int start_read(Copy *c, Slot *s) {
        uint64_t readable = s->offset < c->source->size ? MIN(s->length, c->source->size - s->offset) : 0;

        s->buf = c->buffers[--c->n_free];
        s->state = SLOT_READING;
        memset(s->buf + readable, 0, s->length - readable);
        c->progress.bytes_read += readable;
        return endpoint_read(c->source, s->buf, readable, s->offset, on_read, s);
}

/* True if the slot, at the source's data, does not have to be read: the destination takes it from a file. */
static bool take_from_file(Copy *c, Slot *s, uint64_t length) {
        if (!c->source->ops->place || !c->destination->ops->write_file || s->offset >= c->source->size)
                return false;
        length = MIN(MIN(length, FILE_MAX), c->source->size - s->offset);
        FileRange range = c->source->ops->place(c->source, s->offset, length);
        if (s->offset + range.length != c->progress.total)
                range.length -= range.length % EXTENT_BLOCK; /* for the watermark */
        if (range.fd < 0 || range.length == 0)
                return false;
        s->from = range;
        s->length = range.length;
        return true;
}

/* Sends out as many reads as there are slots and buffers. */
static int fill(Copy *c) {
        for (;;) {
                Extent x;
                int r = extent_cursor_prefetch(&c->cursor);
                if (r < 0)
                        return r;
                if (c->tail - c->head == c->n_slots)
                        return 0;
                r = extent_cursor_peek(&c->cursor, &x);
                if (r < 0)
                        return r;
                if (r == 0 || x.length == 0 || (!x.zero && c->n_free == 0))
                        return 0;

                Slot *s = slot_at(c, c->tail++);
                *s = (Slot){ .copy = c, .offset = c->cursor.position, .state = SLOT_READ };
                bool from_file = !x.zero && take_from_file(c, s, x.length);
                if (!from_file)
                        s->length = MIN(x.length, x.zero ? ZERO_MAX : (uint64_t) c->request_size);
                extent_cursor_advance(&c->cursor, s->length);
                if (x.zero)
                        c->progress.bytes_zero += s->length;
                else if (from_file)
                        c->progress.bytes_read += s->length;
                else {
                        r = start_read(c, s);
                        if (r < 0)
                                return r;
                }
        }
}

static int start_write(Copy *c, Slot *s) {
        if (s->from.length > 0)
                return endpoint_write_file(
                                c->destination, &s->from, s->offset, &s->source_error, on_written, s);
        if (!s->buf && c->options->keep_zeroes) {
                on_written(s, 0);
                return 0;
        }
        return s->buf ? endpoint_write(c->destination, s->buf, s->length, s->offset, on_written, s)
                      : endpoint_zero(c->destination, s->offset, s->length, on_written, s);
}

static int drain(Copy *c) {
        for (; c->unwritten < c->tail && slot_at(c, c->unwritten)->state == SLOT_READ; c->unwritten++) {
                Slot *s = slot_at(c, c->unwritten);

                s->state = SLOT_WRITING;
                c->writing++;
                int r = start_write(c, s);
                if (r < 0) {
                        c->writing--;
                        destination_fail(c, r);
                        return r;
                }
        }
        return 0;
}

static void retire(Copy *c) {
        uint64_t head = c->head;

        for (; c->head < c->unwritten && slot_at(c, c->head)->state == SLOT_DONE; c->head++)
                c->progress.position = slot_at(c, c->head)->offset + slot_at(c, c->head)->length;
        c->room = c->head > head;
}

/* Takes down where the watermark is now, and has it made last while the copy goes on; on_saved() then writes
 * the checkpoint. */
static int start_save(Copy *c) {
        c->saving = true;
        c->save_watermark = c->progress.position;
        c->save_written = c->destination->bytes_written;
        endpoint_state(c->destination, c->save_state);
        return endpoint_flush(c->destination, on_saved, c);
}

static int save_when_due(Copy *c, usec_t now) {
        usec_t interval = c->options->checkpoint_interval > 0 ? c->options->checkpoint_interval
                                                              : CHECKPOINT_INTERVAL;

        if (!c->part || c->saving || c->finishing || interval == USEC_INFINITY ||
                        now < c->last_save + interval || c->progress.position == c->saved_watermark)
                return 0;
        return start_save(c);
}

static int report(Copy *c, usec_t now, bool always) {
        usec_t interval = c->options->progress_interval > 0 ? c->options->progress_interval
                                                            : PROGRESS_INTERVAL;

        if (!always && now - c->last_progress < interval)
                return 0;
        c->last_progress = now;
        c->progress.elapsed = now - c->started;
        c->progress.flushing = c->progress.position == c->progress.total && !c->finished;
        c->progress.unflushed = c->finished ? 0 : c->destination->bytes_written - c->saved_written;
        c->progress.rate = rate_meter_update(&c->rate, now, c->progress.position);
        return c->options->progress ? c->options->progress(&c->progress, c->options->userdata) : 0;
}

/* Flushing may take as long as it takes; everything else has to move. */
static int check_stall(Copy *c, usec_t now) {
        usec_t timeout = c->options->stall_timeout > 0 ? c->options->stall_timeout : STALL_TIMEOUT;
        bool source = c->head == c->tail || slot_at(c, c->head)->state == SLOT_READING;
        Endpoint *e = source ? c->source : c->destination;

        timeout = MAX(timeout, e->stall_timeout);
        if (c->saving || c->finishing || now < MAX(c->last_activity, e->active) + timeout)
                return 0;
        c->destination_stopped = c->destination_broken = !source;
        return endpoint_fail(e, ETIMEDOUT, "waiting for %s at %" PRIu64, e->label, c->progress.position);
}

static int step(Copy *c) {
        usec_t now = now_monotonic();
        int r = report(c, now, !c->begun);

        c->begun = true;
        if (r >= 0)
                r = fill(c);
        if (r >= 0)
                r = drain(c);
        if (r < 0)
                return r;
        retire(c);
        if (c->error < 0)
                return c->error;
        if (c->progress.position < c->progress.total) {
                r = save_when_due(c, now);
                if (r >= 0)
                        r = check_stall(c, now);
        } else if (!c->finishing && !c->saving) {
                c->finishing = true;
                r = endpoint_finish(c->destination, on_finished, c);
                if (r >= 0 && !c->finished)
                        r = report(c, now, true);
        }
        return r;
}

/* The source broke, or the destination is full: what was read in one piece from the watermark on is still
 * worth writing and remembering, so that the next attempt has less to do. Whether that works does not
 * matter, the copy has failed anyway. */
static void save_what_there_is(Copy *c) {
        usec_t deadline = now_monotonic() + SAVE_TIMEOUT;

        while (!c->destination_broken && now_monotonic() < deadline) {
                if (!c->destination_stopped && drain(c) < 0)
                        continue;
                retire(c);
                if (c->writing == 0 && !c->saving) {
                        if (c->progress.position == c->saved_watermark || start_save(c) < 0)
                                return;
                        continue;
                }
                if (endpoints_run(NULL, c->destination, c->options->cancel_fd, USEC_PER_SEC) < 0)
                        return;
        }
}

/* --- beginning and end
 * ---------------------------------------------------------------------------------------- */

static int allocate(Copy *c) {
        c->request_size = c->options->request_size > 0 ? c->options->request_size : c->source->preferred;
        c->n_buffers = c->options->requests > 0 ? c->options->requests : c->source->in_flight_max;
        c->request_size = CLAMP(c->request_size / EXTENT_BLOCK, (size_t) 1, (size_t) 512) * EXTENT_BLOCK;
        c->n_buffers = CLAMP(c->n_buffers, (size_t) 1, (size_t) 1024);
        c->n_slots = c->n_buffers * SLOTS_PER_BUFFER;
        c->slots = new0(Slot, c->n_slots);
        c->buffers = new0(char *, c->n_buffers);
        if (!c->slots || !c->buffers)
                return -ENOMEM;
        for (; c->n_free < c->n_buffers; c->n_free++) {
                c->buffers[c->n_free] = calloc(1, c->request_size);
                if (!c->buffers[c->n_free])
                        return -ENOMEM;
        }
        return 0;
}

static void release(Copy *c) {
        for (uint64_t i = c->head; i < c->tail; i++)
                free(slot_at(c, i)->buf);
        for (size_t i = 0; i < c->n_free; i++)
                free(c->buffers[i]);
        free(c->buffers);
        free(c->slots);
        extent_cursor_done(&c->cursor);
}

/* Requests in flight would write into what is freed. */
static void stop(Copy *c) {
        if (c->stopped)
                return;
        c->stopped = true;
        endpoint_stop(c->source);
        endpoint_stop(c->destination);
}

static void end_badly(Copy *c, int error) {
        if (c->part && error == -EBADMSG && c->finishing)
                /* The image is damaged: the next attempt must not go on with it. */
                (void) part_reset(c->part);
        else if (c->part && error != -ECANCELED)
                save_what_there_is(c);
        stop(c);
}

/* The text for an error: what the endpoint at fault said, which is always before what follows from it. */
static char *explain(const Copy *c, int error) {
        const char *text = error == -ECANCELED ? "" : endpoint_error(c->source);

        if (c->destination_stopped || isempty(text))
                text = error == -ECANCELED ? "" : endpoint_error(c->destination);
        return isempty(text) ? strprintf("copying %s to %s: %s", c->source->label, c->destination->label,
                                               strerror(-error))
                             : strdup(text);
}

int copy_step(Copy *c, char **ret_error) {
        int r = c->error < 0 ? c->error : step(c);

        if (r >= 0)
                r = c->error;
        if (r >= 0 && c->finished)
                r = report(c, now_monotonic(), true);
        if (r >= 0)
                return !c->finished;
        end_badly(c, r);
        *ret_error = explain(c, r);
        return r;
}

static usec_t next_report(const Copy *c) {
        usec_t interval = c->options->progress_interval > 0 ? c->options->progress_interval
                                                            : PROGRESS_INTERVAL;

        return c->last_progress + interval;
}

int copies_wait(Copy *const *copies, size_t n, int cancel_fd) {
        Endpoint *endpoints[ENDPOINTS_MAX];
        int errors[ENDPOINTS_MAX] = {};
        usec_t now = now_monotonic(), next = USEC_INFINITY;

        assert(n <= COPIES_MAX);
        for (size_t i = 0; i < n; i++) {
                endpoints[2 * i] = copies[i]->source;
                endpoints[2 * i + 1] = copies[i]->destination;
                next = copies[i]->room ? 0 : MIN(next, next_report(copies[i]));
        }
        int r = endpoints_wait(endpoints, 2 * n, cancel_fd, now < next ? next - now : 0, errors);
        for (size_t i = 0; i < n && r >= 0; i++) {
                int error = errors[2 * i] < 0 ? errors[2 * i] : errors[2 * i + 1];
                if (error < 0)
                        fail(copies[i], error);
        }
        return r;
}

void copy_interrupt(Copy *c) {
        if (c->part && !c->finishing && !c->stopped)
                save_what_there_is(c);
        stop(c);
}

const CopyProgress *copy_progress(const Copy *c) {
        return &c->progress;
}

Copy *copy_free(Copy *c) {
        if (!c)
                return NULL;
        if (!c->finished)
                stop(c);
        release(c);
        free(c);
        return NULL;
}

/* NULL: they go together. */
static char *check_sizes(const Endpoint *source, const Endpoint *destination, uint64_t total) {
        if (source->size <= total && total <= destination->size)
                return NULL;
        return strprintf("%s has %" PRIu64 " bytes, but %s has room for %" PRIu64, source->label,
                        source->size, destination->label, MIN(total, destination->size));
}

int copy_new(Endpoint *source, Endpoint *destination, Part *part, uint64_t watermark,
                const CopyOptions *options, Copy **ret, char **ret_error) {
        uint64_t total = options->size > 0 ? options->size : destination->size;
        _cleanup_(copy_freep) Copy *c = NULL;
        usec_t now = now_monotonic();

        *ret_error = check_sizes(source, destination, total);
        if (*ret_error || watermark > total || (watermark % EXTENT_BLOCK != 0 && watermark != total))
                return -EINVAL;
        c = new0(Copy, 1);
        if (!c)
                return -ENOMEM;
        *c = (Copy){
                .source = source,
                .destination = destination,
                .part = part,
                .options = options,
                .progress = { .position = watermark, .resumed_from = watermark, .total = total },
                .saved_watermark = watermark,
                .started = now,
                .last_activity = now,
                .last_save = now,
        };
        extent_cursor_init(&c->cursor, source, watermark, total);
        int r = allocate(c);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

int copy_run(Endpoint *source, Endpoint *destination, Part *part, uint64_t watermark,
                const CopyOptions *options, CopyProgress *ret_progress, char **ret_error) {
        _cleanup_(copy_freep) Copy *c = NULL;

        int r = copy_new(source, destination, part, watermark, options, &c, ret_error);
        if (r < 0)
                return r;
        while ((r = copy_step(c, ret_error)) > 0) {
                r = copies_wait(&c, 1, options->cancel_fd);
                if (r < 0)
                        fail(c, r);
        }
        if (ret_progress)
                *ret_progress = c->progress;
        return r;
}
