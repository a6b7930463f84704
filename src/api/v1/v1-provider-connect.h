/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST /providers/connect and /providers/test, DELETE /providers/{id}. Providers of vSphere are named
 * sources, those of libvirt are hosts of hyper-hostd. */

#include "api/http/router.h"

int v1_connect_provider(Request *r);
int v1_test_provider(Request *r);
int v1_remove_provider(Request *r);

extern const Schema v1_connect_body;
extern const Reply v1_connect_replies[], v1_test_replies[], v1_removed_replies[];
