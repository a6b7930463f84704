/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job tells the world while it runs: events in the journal (journal/job-event.h), and outside of a
 * unit lines on standard error. Telling is best effort: a journal that is away never fails a job. */

#include "basic/time-util.h"
#include "journal/job-event.h"
#include "spec/job-file.h"
#include "spec/job-state.h"

/* All work is so much more, with a package: its bytes are not known before. */
#define REPORT_PACKAGE(work) ((work) + (work) / 4)

/* Progress at least this often while bytes move, and hardly ever more often. */
#define REPORT_INTERVAL (500 * USEC_PER_MSEC)

typedef struct Report {
        const char *job_id; /* not owned */
        JobPhase phase;
        uint64_t work_done, work_total; /* bytes of all steps that count: those finished, and all; 0: not
                                           known yet */
        double percent; /* last one told; never falls */
        usec_t last; /* when progress was told last */
        bool print; /* to standard error too */
        bool flushing; /* the step's last event was about its flush */
        bool told; /* something was sent to the journal */
        bool odd; /* the next status is the second, the fourth, … */
        json_t *details; /* of events about progress; NULL: none; not owned */
} Report;

void report_init(Report *r, const char *job_id);

/* Waits until the journal has read what was sent, at most 2 s. To be called right before a process ends that
 * may reach journald's own socket: a message whose sender is gone belongs to no unit, and readers leave it
 * out. */
void report_sync(Report *r);

/* A phase begins. */
void report_phase(Report *r, JobPhase phase, const char *format, ...) _printf_(3, 4);

/* Something worth knowing. */
void report_note(Report *r, const char *format, ...) _printf_(2, 3);

/* An event of a kind of its own; takes @details, which may be NULL. */
void report_event(Report *r, EventKind kind, json_t *details, const char *format, ...) _printf_(4, 5);

/* Why the attempt fails; @code for programs. */
void report_error(Report *r, const char *code, const char *message);

/* One step of the work: @what is done ("Converting disk format"), @done of @total bytes. @counts says that
 * it is part of work_total: the last hundredth of it is for what follows the last byte, the flush. Left out
 * when the last one is not long ago, unless it is the step's end. */
void report_progress(Report *r, const char *what, uint64_t done, uint64_t total, uint64_t rate, bool counts);

/* All of a step is written, and @unflushed bytes of it are on their way to the disk. The bar stands where it
 * is. */
void report_flush(Report *r, uint64_t total, uint64_t unflushed);

/* @percent of a step without bytes are done, which counts for @weight of the work. */
void report_part(Report *r, const char *what, unsigned percent, uint64_t weight);

/* A package is written: @total bytes that count for the last fifth of the work (REPORT_PACKAGE). */
void report_package(Report *r, uint64_t total);

/* All is done: the bar is full. */
void report_complete(Report *r);

/* A counting step of @total bytes is finished. */
void report_step_done(Report *r, uint64_t total);

/* What a helper program wrote to its standard error, line by line. */
void report_lines(Report *r, const char *program, const char *text);
