/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Virtual machines as JSON, with the fields of GET /vms/list and /vms/info of the HyperSDK API. */

#include <jansson.h>

#include "vsphere/vm.h"

/* New references, or NULL when out of memory. */
json_t *vm_summary_json(const VmSummary *v);
json_t *vm_detail_json(const VmDetail *d);
