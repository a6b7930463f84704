/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST /vms/deploy. */

#include "api/http/router.h"

int v1_deploy_vm(Request *r);

extern const Schema v1_deploy_body;
extern const Reply v1_deploy_replies[];
