/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The session and the export lease of an attempt, noted in a file in the directory of the job, so that
 * "finish" can end both if the attempt was killed. A cookie is as good as a password while the session lasts:
 * the file is encrypted with a key that is derived from the password of the source (scrypt, AES-256-GCM). */

#include "job/vsphere-source.h"

#define VSPHERE_SESSION_FILE JOB_RESULTS_DIRECTORY "/vsphere-session"

/* Derives the key; from then on, v->lease and the session are noted by the other functions. Without memory,
 * nothing will be noted. */
void vsphere_session_begin(VsphereSource *v, const char *password);

/* Notes the cookie of the session and v->lease as they are now. The session is locked. */
void vsphere_session_note(VsphereSource *v);

/* Removes the file: the session was ended. */
void vsphere_session_forget(const VsphereSource *v);

/* What was noted by an attempt that was killed. */
typedef struct VsphereNoted {
        char *cookie, *lease; /* @lease: NULL if there was none */
} VsphereNoted;

void vsphere_noted_done(VsphereNoted *n);

/* 0, -ENOENT, -EBADMSG if the file is not what this program has written with this password, or -ENOMEM. */
int vsphere_session_read(const char *directory, const char *password, VsphereNoted *ret);

/* Aborts the lease and ends the session, with @s, which is not logged in. 0 or negative errno. Blocks. */
int vsphere_noted_end(const VsphereNoted *n, Session *s);
