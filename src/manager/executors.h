/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of executors. */

#include "manager/executor.h"

/* All of them; NULL ends the list. */
extern const Executor *const executors[];

/* Whose the attempt of @j is. A job that waits is this machine's. */
const Executor *executor_of(const Job *j);
