/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-slurmd is there while jobs are to be handed over to Slurm, or Slurm has some. */

#include "manager/manager.h"

typedef struct SlurmFeed {
        Manager *manager;
        uid_t uid; /* of hyper-slurmd; SLURM_UID_INVALID: there is no such user */
        sd_event_source *wake_source;
        sd_bus_slot *object_slot, *start_call;
        sd_bus_track *slurmd; /* hyper-slurmd, while it is connected */
} SlurmFeed;
#define SLURM_UID_INVALID ((uid_t) -1)

int slurm_feed_new(Manager *m, SlurmFeed **ret);
SlurmFeed *slurm_feed_free(SlurmFeed *f);
DEFINE_CLEANUP_FUNC(SlurmFeed *, slurm_feed_free);

/* Looks, once the current messages are handled, whether there is something to do. @f may be NULL. */
void slurm_feed_wake(SlurmFeed *f);
/* Does that if the job concerns Slurm. */
void slurm_feed_job_changed(Job *j);
/* The manager has to stay. @f may be NULL. */
bool slurm_feed_is_busy(const SlurmFeed *f) _pure_;
/* The sender of @message is hyper-slurmd. 0 or negative errno. */
int slurm_feed_meet(SlurmFeed *f, sd_bus_message *message);
