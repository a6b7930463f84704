/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The schema of hyper-hostd's database. */

#include "store/schema.h"

extern const Schema schema_hosts;
