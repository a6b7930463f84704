/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/time-util.h"

/* Waits until systemd-journald(8) has written all entries that were sent to it before, as "journalctl
 * --sync" does, at most
 * @timeout. 0; -ETIMEDOUT; -EPROTO if the answer is an error; another negative errno if journald cannot be
 * asked. */
int journal_sync(usec_t timeout);
