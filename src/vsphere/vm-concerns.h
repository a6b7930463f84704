/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What may prevent the migration of a VM, as far as the server tells. */

#include <jansson.h>

#include "vsphere/vm-detail.h"

/* A list of spec/concern.h. 0 or -ENOMEM. */
int vm_concerns(const VmDetail *d, json_t **ret);
/* The same of what lists have, without what is good to know only. */
int vm_summary_concerns(const VmSummary *v, json_t **ret);
