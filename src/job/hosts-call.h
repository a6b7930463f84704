/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls of hyper-hostd, which makes all calls of libvirt. */

#include <systemd/sd-bus.h>

#include "basic/macro.h"

/* libvirtd may be restarted, and hyper-hostd, too: a call is tried so many times. */
#define HOSTS_TRIES 5u

/* Begins a call of a method whose first argument is the URI of a libvirt. 0 or negative errno. */
int hosts_call_new(const char *uri, const char *method, sd_bus **ret_bus, sd_bus_message **ret);

/* What the result of a call means: @r with @error. 0; -EINVAL: it was refused and would be refused again; or
 * another negative errno. Then *ret_error (the caller frees) says why. */
int hosts_call_result(int r, const sd_bus_error *error, char **ret_error);

/* The second argument is @text, unless it is NULL. With @limit, there is a third one, and the call may
 * take any time. As hosts_call_result(). */
int hosts_call_once(const char *uri, const char *method, const char *text, const uint32_t *limit,
                sd_bus_message **ret, char **ret_error);

/* Is another try, after try number @n (from 0) has failed with @r, of use? Then it sleeps for a while. */
bool hosts_call_again(unsigned n, int r, char **error);

/* Until it is answered with a string. Likewise. */
int hosts_call(const char *uri, const char *method, const char *text, char **ret, char **ret_error);
