/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls to org.hyper1, org.hyper1.Hosts, org.hyper1.VSphere and org.hyper1.Carbon for a request, without
 * waiting: the HTTP connection is suspended until the answer comes. The bus starts the manager if it is not
 * running. If the bus itself goes away, calls in flight fail with 503 and the next call connects anew; reads
 * and streams do not notice. */

#include "api/http/request.h"

/* A call of org.hyper1.Manager.@member, to append arguments to (sd_bus_message_append(3)). If the bus cannot
 * be reached 503 is answered and the return is negative. The caller unrefs. */
int manager_call_new(Request *r, const char *member, sd_bus_message **ret);

/* The same of org.hyper1.Job.@member, of a job that exists. */
int job_call_new(Request *r, const char *id, const char *member, sd_bus_message **ret);

/* The same to hyper-hostd, about one of its objects, over a connection of its own: what waits for a host
 * that does not answer delays no call of the manager. */
int hosts_call_new(Request *r, const char *path, const char *interface, const char *member,
                sd_bus_message **ret);

/* The same to hyper-vsphered. If the HTTP client closes its connection, manager_call() cancels the call,
 * which may wait for a server that does not answer. */
int vsphere_call_new(Request *r, const char *member, sd_bus_message **ret);

/* The same to hyper-carbond, over a connection of its own. */
int carbon_call_new(Request *r, const char *member, sd_bus_message **ret);

/* Called when the answer is there. @error is NULL, or says why the call failed; then @reply is of no use.
 * Timeouts and lost connections are bus errors as well. It answers the request, starts further calls, or,
 * while other calls of this request are out, just notes the result. A
 * negative return is answered like a handler's. */
typedef int (*manager_reply_func)(
                Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata);

/* Sends the call. A request may have any number of calls out at once (they are sent in order, a bounded
 * number at a time); the last one to come back must have answered, else the client gets a 500. With @func
 * NULL an error is answered as it came and success as 204. @userdata must live as long as the request
 * (request_set_userdata()), or be the index of the call (SIZE_TO_PTR). 0 or negative errno. */
int manager_call(Request *r, sd_bus_message *m, manager_reply_func func, void *userdata);

/* The same, but it fails with SD_BUS_ERROR_NO_REPLY when there is no answer within @timeout. */
int manager_call_within(
                Request *r, sd_bus_message *m, usec_t timeout, manager_reply_func func, void *userdata);

/* Reads a property of hyper-vsphered, which is not started for that: @func gets the error of the bus if it
 * does not run, or does not answer within two seconds. Negative errno: the bus cannot be reached; nothing was
 * answered. */
int vsphere_get_property(Request *r, const char *name, manager_reply_func func);
/* Sends EndChunk for a chunk that was begun and not written: no reply is waited for, and nothing happens if
 * the connection over which it was begun is lost, since the manager knows then. */
void manager_drop_chunk(Api *a, const char *upload_id, uint64_t index);

#define SIZE_TO_PTR(n) ((void *) (uintptr_t) (n))
#define PTR_TO_SIZE(p) ((size_t) (uintptr_t) (p))

/* --- for api.c ------------------------------------------------------------------------------------- */

/* Connects to the bus at @address, or to the system bus if it is NULL. 0 or negative errno. */
int api_bus_open(const char *address, const char *description, sd_bus **ret);

/* @timeout: for each call; @max_calls: out at once, the others wait. */
int bus_client_new(sd_event *event, const char *bus_address, usec_t timeout, unsigned max_calls,
                BusClient **ret);
/* Has @func called for each job that waits, and with NULL when the connection is lost, once
 * bus_client_watch_queue() was called, which needs a connection (manager_call_new()): 0 or negative errno. */
typedef void (*bus_client_job_func)(const char *job_id, void *userdata);
void bus_client_set_waiters(BusClient *c, bus_client_job_func func, void *userdata);
int bus_client_watch_queue(BusClient *c);
BusClient *bus_client_free(BusClient *c);
DEFINE_CLEANUP_FUNC(BusClient *, bus_client_free);

/* Call @func from the loop whenever the journal may have new events: systemd has announced a change of a
 * job's unit (hyper-job sends STATUS= with each event), the manager has emitted a signal or replied to a
 * call. NULL ends this. It is a hint: without a bus there is none. */
void bus_client_watch_events(BusClient *c, void (*func)(void *userdata), void *userdata);

/* Has the daemon @name started (the manager, or hyper-hostd), if it does not run, at most once a second: it
 * is to look after its database. Nothing is waited for, failures are logged. */
void bus_client_wake(BusClient *c, const char *name);

/* How long a call may take: longer than starting the manager, shorter than clients wait. */
#define MANAGER_CALL_TIMEOUT (25 * USEC_PER_SEC)
/* hyper-hostd answers in any case, after hosts.call_timeout at the latest. */
#define HOSTS_CALL_TIMEOUT (660 * USEC_PER_SEC)
/* hyper-vsphered answers within a minute. */
#define VSPHERE_CALL_TIMEOUT (90 * USEC_PER_SEC)
/* Calls out at once on our connection; dbus-daemon(1) allows 128 replies outstanding. */
#define MANAGER_CALLS_MAX 64
/* hyper-hostd lets 96 calls wait for one host and refuses more: some are left for others. */
#define HOSTS_CALLS_MAX 112
/* hyper-carbond asks its source three times at most, with ten seconds for each; 256 may wait for it. */
#define CARBON_CALL_TIMEOUT (45 * USEC_PER_SEC)
#define CARBON_CALLS_MAX 64
/* It lets 64 calls wait for one server. */
#define VSPHERE_CALLS_MAX 112
