/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GET /system/alerts: what needs attention, found when it is asked for, from what is stored. */

#include "api/http/request.h"

int v1_list_alerts(Request *r);
extern const QueryField v1_alerts_query[];
extern const Reply v1_alerts_replies[];

/* All alerts as an array, worst first: {"id", "name", "severity", "subject", "message", "started_at"}.
 * Nothing is waited for. NULL when out of memory. */
json_t *v1_alerts_json(Api *a, usec_t now);
/* Only those of its disks, its clock and its certificate, in any order. */
json_t *v1_alerts_of_machine_json(usec_t now);

/* When the certificate of hyper-tls.socket ends; 0: it is not known. */
usec_t v1_certificate_end(void);

/* Each is a part of it, which appends to @alerts. Without the database, nothing is appended. */
int v1_alerts_of_disks(json_t *alerts, char *const *roots);
int v1_alerts_of_certificate(json_t *alerts, usec_t not_after, usec_t now);
int v1_alerts_of_jobs(json_t *alerts, Store *store, usec_t now);
int v1_alerts_of_schedules(json_t *alerts, Store *store);
int v1_alerts_of_webhooks(json_t *alerts, Store *store);
int v1_alerts_of_workers(json_t *alerts, Store *store, usec_t now);
