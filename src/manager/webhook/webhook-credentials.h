/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Secrets of webhooks: one file each in <state>/credentials/webhooks/, encrypted by systemd-creds(1).
 * systemd decrypts the whole directory for hyper-notifyd when it starts (LoadCredentialEncrypted=), and to
 * nobody else; the manager cannot read them any more. A file is never changed, only made and removed: its
 * name, which the database has, stands for what is in it. */

#include "basic/macro.h"

/* Keeps @text under a new name, which is the caller's. 0, or as credential_store() says. */
int webhook_credential_store(const char *state_directory, const char *text, char **ret_name);
/* 0 also if it is not there. */
int webhook_credential_remove(const char *state_directory, const char *name);
/* Removes all but the @wanted ones, and makes the directory if it is not there. */
int webhook_credentials_sweep(const char *state_directory, char *const *wanted);
