/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The carbon intensity, from hyper-carbond. Many may ask for it at once: there is one call. */

#include "manager/manager.h"
#include "spec/carbon-data.h"

typedef struct CarbonFeed CarbonFeed;

int carbon_feed_new(Manager *m, CarbonFeed **ret);
CarbonFeed *carbon_feed_free(CarbonFeed *f);
DEFINE_CLEANUP_FUNC(CarbonFeed *, carbon_feed_free);

/* True if hyper-carbond was asked a few seconds ago: what it said holds. */
bool carbon_feed_is_fresh(const CarbonFeed *f);
/* Asks it. @w->done is called from the event loop, once, when carbon_feed_data() is fresh; @w must stay
 * where it is until its done() is called, or it is forgotten. 0 or negative errno. */
int carbon_feed_ask(CarbonFeed *f, CarbonWaiter *w);
void carbon_feed_forget(CarbonFeed *f, CarbonWaiter *w);

/* What was answered last. NULL: there is nothing that can be used, and *ret_why is why, for people. */
const CarbonData *carbon_feed_data(const CarbonFeed *f, const char **ret_why);
/* How often the source is asked. */
usec_t carbon_feed_refresh(const CarbonFeed *f) _pure_;
