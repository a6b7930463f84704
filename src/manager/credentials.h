/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Secrets of jobs, of schedules' jobs to come, and of named sources: encrypted by systemd-creds(1) with the
 * machine's key into <state>/credentials/job-<escaped id>@<name>.cred (schedule-…), decrypted by
 * systemd when it starts the unit (LoadCredentialEncrypted=), removed when the job ends or the schedule is
 * deleted. They are never in the database, a command line, an environment, a unit property or a log line.
 *
 * The secrets of a schedule or source are a set with a name of its own, which its row has: a change writes
 * a new set, commits the row, and removes the old set. What no row names is removed when the manager
 * starts. */

#include "basic/macro.h"

#define CREDENTIALS_MAX 16
#define CREDENTIAL_SIZE_MAX 65536

/* The id that goes with it is the job's, or the name of the schedule's or source's set. */
typedef enum CredentialOwner {
        CREDENTIALS_OF_JOB,
        CREDENTIALS_OF_SCHEDULE,
        CREDENTIALS_OF_SOURCE,
} CredentialOwner;

/* [a-z0-9][a-z0-9_.-]{0,63}: the place in the spec that the secret was cut out of, "source.tls_psk". */
bool credential_name_is_valid(const char *name) _pure_;

/* Encrypts @value, at most CREDENTIAL_SIZE_MAX bytes, into the file @path, readable by root alone; systemd
 * will decrypt it under no other name than @name. Errors as below. */
int credential_write(const char *name, const char *value, const char *path);

/* Encrypts and writes one. Waits for systemd-creds, which takes some milliseconds, for at most 10 s. 0 or
 * negative errno: -ENOENT without systemd-creds, -EIO if it fails (what it said is on our stderr). */
int credential_store(const char *state_directory, CredentialOwner owner, const char *id, const char *name,
                const char *value);

/* All of an owner's, as "name", "path", "name", "path", …; the caller frees with strv_free(). */
int credentials_list(const char *state_directory, CredentialOwner owner, const char *id, char ***ret);

/* Decrypts one into *ret, which the caller wipes and frees. Waits like credential_store(), and has the same
 * errors; -EBADMSG if it is not a string. */
int credential_reveal(const char *state_directory, CredentialOwner owner, const char *id, const char *name,
                char **ret);

/* Gives a job the secrets of a set of @owner, still encrypted. 0 also if there are none. */
int credentials_copy(
                const char *state_directory, CredentialOwner owner, const char *set, const char *job_id);

/* Removes all of an owner's. 0 also if there are none. */
int credentials_remove(const char *state_directory, CredentialOwner owner, const char *id);

/* Those whose secrets are kept by credentials_sweep(). */
typedef struct CredentialOwners {
        char **prefixes; /* of the names of their files */
        size_t n, allocated;
} CredentialOwners;

void credential_owners_done(CredentialOwners *o);
int credential_owners_add(CredentialOwners *o, CredentialOwner owner, const char *id);

/* Removes all secrets but those of the owners, which it sorts. 0 or negative errno. */
int credentials_sweep(const char *state_directory, CredentialOwners *owners);
