/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The HyperSDK API (hyper.socket): which routes there are. hypersdk-decode reads what clients send,
 * hypersdk-json words what they get, hypersdk-submit and hypersdk-cancel change things. */

#include "api/http/request.h"

extern const Dialect hypersdk_dialect;
