/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A domain on this machine whose disks are to be in a storage pool of libvirt: its directory is asked for
 * before anything else, and takes the place of the pool in the spec. So the same rules apply as to a path. */

#include "manager/manager.h"
#include "spec/job-spec.h"
#include "spec/kvm-target.h"

/* Does @spec name such a pool? */
bool submit_has_pool(const JobSpec *spec) _pure_;

/* Asks hyper-hostd for it. @on_reply gets the reply in the loop, unless *ret is freed before. */
int submit_pool_ask(Manager *m, const JobSpec *spec, sd_bus_message_handler_t on_reply, void *userdata,
                sd_bus_slot **ret);

/* Reads the reply: *ret (the caller frees) is @text with a path. Negative errno with @error set, and
 * @fields. */
int submit_pool_read(sd_bus_message *reply, const char *text, const JobSpec *spec, char **ret,
                JsonErrors *fields, sd_bus_error *error);

/* The same by what is known of the pool: *ret is the path of the first disk. -EBADMSG with @fields. */
int submit_pool_path(const KvmTarget *t, const JobSpec *spec, char **ret, JsonErrors *fields);
