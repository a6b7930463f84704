/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/worker/worker-local.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/machine.h"
#include "spec/capability.h"
#include "spec/operation.h"
#include "store/workers.h"

/* Free space where the job writes, in GiB. */
static uint64_t free_space(const Job *j) {
        const char *path = j->n_destinations > 0 ? j->destinations[0].path : "", *slash = strrchr(path, '/');
        _cleanup_free_ char *directory = slash ? strndup(path, (size_t) (slash - path) + 1) : NULL;

        return directory && directory[0] == '/' ? machine_free_space_mb(directory) / 1024 : 0;
}

bool worker_could_be_local(const Job *j) {
        JobDemand d;

        /* It was given to this machine, whatever it says that it needs. */
        if (!j->row->any_worker)
                return true;
        if (!job_operation_is_built_in(job_operation_from_string(j->row->operation)))
                return false;
        d = job_demand_unpack(j->row->demand);
        return !(d.capabilities & ~(machine_capabilities() | machine_operations())) &&
                        (d.memory_gb == 0 || d.memory_gb <= machine_memory_mb() / 1024);
}

PlacementFit worker_local_fit(const char *labels, Store *store, int64_t limit_set) {
        PlacementFit fit;
        int r = labels ? store_placement_fit(store, limit_set, labels, &fit) : -ENOMEM;

        if (r >= 0)
                return fit;
        log_error_errno(r, "Failed to compare the labels of this machine with those that a job needs: %m");
        return PLACEMENT_REFUSED;
}

bool worker_is_local(const Settings *settings, const Job *j) {
        unsigned disk_gb = job_demand_unpack(j->row->demand).disk_gb;

        if (!j->row->any_worker)
                return true;
        if (!settings->worker.local || !worker_could_be_local(j))
                return false;
        _cleanup_free_ char *labels = labels_to_text(settings->worker.labels);
        return worker_local_fit(labels, j->store, j->row->limit_set) != PLACEMENT_REFUSED &&
                        (disk_gb == 0 || disk_gb <= free_space(j));
}

bool job_may_go_elsewhere(const Job *j) {
        bool any;

        return j->row->any_worker && store_workers_can(j->store, &(JobDemand){}, &any) >= 0 && any;
}
