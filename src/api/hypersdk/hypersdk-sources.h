/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /sources: named sources. No answer has a password. */

#include "api/http/request.h"

int hypersdk_list_sources(Request *r);
int hypersdk_add_source(Request *r);
int hypersdk_remove_source(Request *r);
int hypersdk_test_source(Request *r);
