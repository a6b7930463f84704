/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/executors.h"

#include "manager/executor-unit-list.h"
#include "manager/executor-worker.h"

const Executor *const executors[] = { &executor_unit, &executor_worker, NULL };

const Executor *executor_of(const Job *j) {
        return j->row->worker_id ? &executor_worker : &executor_unit;
}
