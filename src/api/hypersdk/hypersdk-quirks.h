/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where two clients of the HyperSDK API expect opposite things, the table in hypersdk-quirks.c decides who
 * gets what. Pure. */

#include <jansson.h>

#include "shared/settings.h"

typedef enum HypersdkQuirk {
        QUIRK_SUBMIT_IS_200, /* an accepted submission is answered with 200, not with the published 201 */
        QUIRK_SCHEDULE_IS_TEXT, /* "schedule" in answers to changes of schedules is the cron expression */
        _QUIRK_MAX,
} HypersdkQuirk;

/* Whether a client that sends this User-Agent (may be NULL) and this body (may be NULL) has the quirk. */
bool hypersdk_quirk_applies(HypersdkQuirk quirk, const char *user_agent, const json_t *body);

/* The status of an accepted submission. */
unsigned hypersdk_submit_status(SubmitStatus setting, const char *user_agent);
