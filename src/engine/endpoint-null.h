/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/endpoint.h"

/* Takes everything, keeps nothing: for measuring a source, or for reading it once to the end. */
int endpoint_null_new(uint64_t size, const char *label, Endpoint **ret);
