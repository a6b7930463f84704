/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers to requests that were passed on over the bus: the error, if there is one, or status 200. */

#include "api/bus-client.h"

/* {"message": @message, "timestamp": now}, with @status. */
int hypersdk_reply_message(Request *r, unsigned status, const sd_bus_error *error, const char *message);

/* The object that a method has answered with as JSON text; the caller frees it. -EBADMSG if it is none. */
int hypersdk_read_object(sd_bus_message *m, json_t **ret);

/* The same as a reply: the object, and the time; @message is added to it unless it
 * is NULL. */
int hypersdk_reply_object(Request *r, sd_bus_message *m, const sd_bus_error *error, const char *message);
