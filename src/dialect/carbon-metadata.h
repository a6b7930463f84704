/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Clients of HyperSDK ask for a low carbon intensity in the metadata of a job: carbon_aware,
 * carbon_max_intensity, carbon_max_delay (nanoseconds), and carbon_zone, which is ignored: these clients
 * have a default for it, and the zone of the configuration counts. */

#include "dialect/dialect-job.h"

/* Puts them into "carbon", unless that is given. 0 or -ENOMEM. */
int carbon_metadata_take(Translation *t);
