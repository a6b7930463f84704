/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The session and the export lease of an attempt, noted in a file in the directory of the job, so that
 * "finish" can end both if the attempt was killed. A cookie is as good as a password while the session lasts:
 * the file is encrypted with a key that is derived from the password of the source (scrypt, AES-256-GCM). */

#include "spec/job-file.h"
#include "vsphere/session.h"

#define VSPHERE_SESSION_FILE JOB_RESULTS_DIRECTORY "/vsphere-session"
/* The same of a child of a privileged command (vsphere-child.h), which is nobody: the file is opened before,
 * and is empty when the session was ended. */
#define VSPHERE_CHILD_FILE "vsphere-child"
#define VSPHERE_KEY_SIZE 32u
#define VSPHERE_KEY_SALT 16u

typedef struct VsphereNote {
        int directory_fd; /* of the job; not owned */
        int fd; /* the file of a child; 0: it is VSPHERE_SESSION_FILE */
        bool has_key; /* else nothing is noted */
        uint8_t key[VSPHERE_KEY_SIZE], salt[VSPHERE_KEY_SALT];
        char *lease; /* ID of the export that was begun; NULL: none */
} VsphereNote;

/* Opens the file of a child, for all that follows. */
int vsphere_note_open(VsphereNote *n, int directory_fd);

/* Derives the key, without which nothing is noted. */
void vsphere_note_begin(VsphereNote *n, int directory_fd, const char *password);

/* Notes the cookie of @s and n->lease as they are now. */
void vsphere_note_write(const VsphereNote *n, const Session *s);

/* The session was ended: removes the file, or empties it, and frees what is in @n. */
void vsphere_note_done(VsphereNote *n);

/* What was noted by an attempt that was killed. */
typedef struct VsphereNoted {
        char *cookie, *lease; /* @lease: NULL if there was none */
} VsphereNoted;

void vsphere_noted_done(VsphereNoted *n);

/* 0, -ENOENT, -EBADMSG if @file is not what this program has written with this password, or -ENOMEM. */
int vsphere_session_read(const char *directory, const char *file, const char *password, VsphereNoted *ret);

/* Aborts the lease and ends the session, with @s, which is not logged in. 0 or negative errno. Blocks. */
int vsphere_noted_end(const VsphereNoted *n, Session *s);
