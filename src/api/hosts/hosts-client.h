/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the handlers of the hosts API share: calls of hyper-hostd. */

#include "api/bus-client.h"
#include "api/hosts/hosts-json.h"
#include "api/http/request.h"

/* Under /api/v1 some answers differ. */
bool hosts_is_v1(Request *r);

/* A call of org.hyper1.Hosts.Manager, as hosts_call_new(). */
int hosts_manager_call_new(Request *r, const char *member, sd_bus_message **ret);
/* The same of org.hyper1.Hosts.Host for the host @id. */
int hosts_host_call_new(Request *r, const char *id, const char *member, sd_bus_message **ret);

/* Calls ListHosts. */
int hosts_list(Request *r, manager_reply_func func);
/* In the answer to that: enters the list, then the next host. 1, 0 at the end, or negative errno. */
int hosts_list_enter(sd_bus_message *m);
int hosts_list_next(sd_bus_message *m, HostView *ret);
/* The host @id; 1, 0 if it is not there, or negative errno. */
int hosts_list_find(sd_bus_message *m, const char *id, HostView *ret);
/* The host that the path names as {id}, in the answer to ListHosts. 1, 0 if that was answered already, or
 * negative errno. */
int hosts_list_find_asked(Request *r, sd_bus_message *reply, const sd_bus_error *error, HostView *ret);

/* 404 */
int hosts_reply_no_host(Request *r, const char *id);
/* Answers an error of a call of a host's object: one that is not there is no host. */
int hosts_reply_host_error(Request *r, const sd_bus_error *error);
/* A manager_reply_func: answers with the JSON text that came back. */
int hosts_reply_json_text(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata);
