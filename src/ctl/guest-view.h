/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job has found and changed in a guest, for a person: the object "guest" of a result. */

#include "ctl/view.h"

/* All that was found. 0 or -ENOMEM. */
int guest_view_report(Ctl *ctl, json_t *guest);
/* What was changed, or with @dry_run what would be, and what could not be. 0 or -ENOMEM. */
int guest_view_changes(Ctl *ctl, json_t *guest, bool dry_run);
/* Whether it starts on KVM, and if not, why. 0 or -ENOMEM. */
int guest_view_boots(Ctl *ctl, json_t *guest);
