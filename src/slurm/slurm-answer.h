/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The answers of slurmrestd, of its API v0.0.38 and later ones. They come from another program, and hold
 * what users of a cluster have written: each decoder checks types and ranges, and takes nothing that it does
 * not understand. Pure. */

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"

/* All jobs of a cluster; Slurm itself needs 3 KiB for each. */
#define SLURM_ANSWER_MAX ((size_t) 128 * 1024 * 1024)
#define SLURM_WORD_MAX 48

typedef struct SlurmJob {
        uint32_t number;
        char state[SLURM_WORD_MAX]; /* "PENDING", "RUNNING", "NODE_FAIL", … */
        bool over; /* nothing of it runs, and it does not begin again */
        char reason[SLURM_WORD_MAX]; /* why it waits, or what has ended it: "Licenses"; "": nothing is said */
        int exit_status; /* of its script; negative: the signal that has ended it; 0 if it is not over */
        const char *id; /* what follows the prefix in its comment */
} SlurmJob;

/* True for the state of a job that has ended, as Slurm writes it. */
bool slurm_state_is_over(const char *state) _pure_;

/* A word of Slurm: letters, digits, and "_", "-", at most SLURM_WORD_MAX - 1. */
bool slurm_word_is_valid(const char *word) _pure_;

/* All of these: 0; -EBADMSG with *ret_error, for people (caller frees); -ENOMEM. */

/* POST job/submit: the number of the new job. */
int slurm_answer_submitted(const char *text, size_t size, uint32_t *ret_number, char **ret_error);

/* A negative value ends the list, and is returned. */
typedef int (*slurm_job_func)(const SlurmJob *job, void *userdata);

/* GET jobs: calls @func for each job whose comment begins with @prefix (letters, digits, ":"). Others are
 * skipped unread, so that an answer of many MiB is never in memory as JSON. */
int slurm_answer_jobs(const char *text, size_t size, const char *prefix, slurm_job_func func, void *userdata,
                char **ret_error);

/* What slurmrestd says about a request that failed; NULL if it says nothing. The caller frees. */
char *slurm_answer_why(const char *text, size_t size);
