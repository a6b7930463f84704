/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/epoll.h>

#include "basic/string-util.h"
#include "journal/journal-follow.h"
#include "journal/journal-open.h"

/* How much is told in one go; then other sources of the loop have their turn. */
#define BATCH 256

/* When journal_follow_look() looks again, counted from its last look. */
static const usec_t look_again[] = {
        2 * USEC_PER_MSEC,
        5 * USEC_PER_MSEC,
        15 * USEC_PER_MSEC,
        40 * USEC_PER_MSEC,
        80 * USEC_PER_MSEC,
};

struct JournalFollow {
        sd_journal *journal;
        journal_follow_func func;
        journal_follow_schedule_func schedule_func; /* or NULL */
        void *userdata;

        char *cursor; /* of the last event told, or where it began */
        bool at_cursor; /* nothing read yet: the first entry may be the one at the cursor */

        sd_event_source *io; /* the journal's inotify */
        sd_event_source *timer; /* what inotify does not see (network file systems) */
        sd_event_source *drain; /* oneshot: there may be entries to read */
        sd_event_source *look; /* oneshot: look_again[n_looks] is over */
        size_t n_looks;
};

JournalFollow *journal_follow_free(JournalFollow *f) {
        if (!f)
                return NULL;
        sd_event_source_disable_unref(f->io);
        sd_event_source_disable_unref(f->timer);
        sd_event_source_disable_unref(f->drain);
        sd_event_source_disable_unref(f->look);
        sd_journal_close(f->journal);
        free(f->cursor);
        return mfree(f);
}

const char *journal_follow_cursor(JournalFollow *f) {
        return f->cursor;
}

void journal_follow_schedules(JournalFollow *f, journal_follow_schedule_func func) {
        f->schedule_func = func;
}

static void tell_schedule(JournalFollow *f) {
        ScheduleEvent event;

        if (schedule_event_read(f->journal, &event) < 0)
                return;
        f->schedule_func(f, &event, f->userdata);
        schedule_event_done(&event);
}

/* The entry under the follower, if it is an event that may be believed. */
static void tell(JournalFollow *f) {
        _cleanup_(job_event_freep) JobEvent *event = NULL;
        int r;

        r = job_event_read(f->journal, &event);
        if (r == -ENODATA && f->schedule_func)
                tell_schedule(f);
        if (r < 0)
                return;
        /* Without memory for the cursor the old one stays: telling twice after a restart is better than
         * not. */
        (void) free_and_strdup(&f->cursor, event->cursor);
        f->func(f, event, f->userdata);
}

static int on_drain(sd_event_source *source, void *userdata) {
        JournalFollow *f = userdata;

        for (int i = 0; i < BATCH; i++) {
                /* An error here is that of one file, which libsystemd then leaves out; the next change wakes
                 * us. */
                if (sd_journal_next(f->journal) <= 0)
                        return 0;
                bool known = f->at_cursor && f->cursor && sd_journal_test_cursor(f->journal, f->cursor) > 0;
                f->at_cursor = false;
                if (!known)
                        tell(f);
        }
        return sd_event_source_set_enabled(f->drain, SD_EVENT_ONESHOT);
}

static int arm_timer(JournalFollow *f) {
        usec_t due;
        int r = sd_journal_get_timeout(f->journal, &due);

        if (r < 0)
                return r;
        if (due == USEC_INFINITY)
                return sd_event_source_set_enabled(f->timer, SD_EVENT_OFF);
        r = sd_event_source_set_time(f->timer, due);
        return r < 0 ? r : sd_event_source_set_enabled(f->timer, SD_EVENT_ONESHOT);
}

/* Files that come and go (INVALIDATE) need nothing more than appended entries do: libsystemd keeps the place
 * by the entry's own numbers, not by file and offset. */
static int on_change(JournalFollow *f) {
        int r = sd_journal_process(f->journal);

        if (r >= 0)
                r = arm_timer(f);
        if (r >= 0)
                r = sd_event_source_set_enabled(f->drain, SD_EVENT_ONESHOT);
        return r;
}

static int arm_look(JournalFollow *f) {
        int r;

        if (f->n_looks >= ELEMENTSOF(look_again))
                return 0;
        r = sd_event_source_set_time_relative(f->look, look_again[f->n_looks++]);
        return r < 0 ? r : sd_event_source_set_enabled(f->look, SD_EVENT_ONESHOT);
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata) {
        JournalFollow *f = userdata;
        int r = sd_event_source_set_enabled(f->drain, SD_EVENT_ONESHOT);

        return r < 0 ? r : arm_look(f);
}

/* (What cannot be armed is seen a little later.) */
void journal_follow_look(JournalFollow *f) {
        f->n_looks = 0;
        (void) sd_event_source_set_enabled(f->drain, SD_EVENT_ONESHOT);
        (void) arm_look(f);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        return on_change(userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        return on_change(userdata);
}

/* The end is that of the whole journal, found without matches: with matches that nothing fulfils yet,
 * sd_journal_seek_tail(3) leaves a place from which sd_journal_next(3) never comes to the first entry that
 * does. */
static int seek_end(JournalFollow *f) {
        int r;

        r = sd_journal_seek_tail(f->journal);
        if (r >= 0)
                r = sd_journal_previous(f->journal);
        if (r < 0)
                return r;
        if (r == 0) /* empty: all there will be is new */
                return sd_journal_seek_head(f->journal);
        r = sd_journal_get_cursor(f->journal, &f->cursor);
        return r < 0 ? r : sd_journal_seek_cursor(f->journal, f->cursor);
}

static int seek(JournalFollow *f, const char *cursor) {
        int r;

        if (cursor) {
                f->cursor = strdup(cursor);
                if (!f->cursor)
                        return -ENOMEM;
                r = sd_journal_seek_cursor(f->journal, cursor);
        } else
                r = seek_end(f);
        f->at_cursor = true;
        /* Matches change nothing about the place. */
        return r < 0 ? r : job_event_add_matches(f->journal, NULL);
}

static int add_sources(JournalFollow *f, sd_event *event, int fd) {
        int events = sd_journal_get_events(f->journal), r;

        if (events < 0)
                return events;
        r = sd_event_add_io(event, &f->io, fd, (uint32_t) events, on_io, f);
        if (r >= 0)
                r = sd_event_add_time(event, &f->timer, CLOCK_MONOTONIC, USEC_INFINITY, 0, on_timer, f);
        if (r >= 0)
                r = sd_event_add_time(event, &f->look, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_look, f);
        if (r >= 0)
                r = sd_event_source_set_enabled(f->look, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &f->drain, on_drain, f);
        if (r >= 0)
                (void) sd_event_source_set_description(f->io, "journal");
        return r < 0 ? r : arm_timer(f);
}

int journal_follow_new(sd_event *event, const char *directory, const char *cursor, journal_follow_func func,
                void *userdata, JournalFollow **ret) {
        _cleanup_(journal_follow_freep) JournalFollow *f = new0(JournalFollow, 1);
        int r, fd;

        if (!f)
                return -ENOMEM;
        f->func = func;
        f->userdata = userdata;
        r = journal_open(directory, &f->journal);
        if (r < 0)
                return r;
        /* Watch first, look then: what is written in between is seen. */
        fd = sd_journal_get_fd(f->journal);
        if (fd < 0)
                return fd;
        r = seek(f, cursor);
        if (r >= 0)
                r = add_sources(f, event, fd);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}
