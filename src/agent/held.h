/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job of the server that this machine holds: what of it has to survive us, one small file each. Pure but
 * for the files; agent.h has the rest of a held job's life. */

#include "agent/answer.h"

typedef struct HeldFile {
        char *server; /* URL: a job of another server is none of this one's */
        char *worker_id;
        char *job_id; /* the server's */
        unsigned attempt; /* the server's, from 1 */
        char *local_id; /* the job's id on this machine */
        json_t *spec; /* for SubmitJob on this machine */
        char *cursor; /* the last event that the server has acknowledged, in our journal; NULL: none */
        uint64_t since; /* when that was, µs since 1970: what counts when its entry is gone; 0: none */
        uint64_t sequence; /* how many events it has acknowledged */
        bool dropped; /* it is not ours any more: it is to be cancelled on this machine and forgotten */
} HeldFile;

void held_file_done(HeldFile *f);

/* "<job>:<attempt>:<16 hexadecimal digits>": the same for the same attempt of the same job of the same
 * server, so that submitting it again is no second job, and another one for all else. NULL when out of
 * memory. */
char *held_local_id(const char *server, const JobAnswer *job);

/* What is to be done here. 0 with *ret; -EBADMSG with *ret_error (one line, the caller frees) for a spec
 * that cannot be carried out by anybody but the server itself, or not be understood; -ENOMEM. */
int held_file_from_answer(const char *server, const char *worker_id, const JobAnswer *job, HeldFile *ret,
                char **ret_error);

/* The decoder of held_file_read(). -EBADMSG or -ENOMEM. */
int held_file_decode(const char *text, size_t size, HeldFile *ret);

/* In @directory, durably. 0 or negative errno. */
int held_file_write(const char *directory, const HeldFile *f);
/* 0 also if it is not there. */
int held_file_remove(const char *directory, const HeldFile *f);
/* @name is that of the file. -EBADMSG for what is none of ours. */
int held_file_read(const char *directory, const char *name, HeldFile *ret);
