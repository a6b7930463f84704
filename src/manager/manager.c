/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/manager.h"
#include "store/jobs.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/credentials.h"
#include "manager/job-directory.h"
#include "shared/error-table.h"

static const char *spec_destination(const JobSpec *spec) {
        const JobEndpoint *e = job_spec_has_destination(spec) ? &spec->destination : &spec->source;

        if (e == &spec->source && job_operation_has(spec->operation, OPERATION_READS_ONLY))
                return NULL;
        return endpoint_identity(e);
}

int spec_destinations(const JobSpec *spec, const char *resolved, char ***ret) {
        const char *first = spec_destination(spec);
        _cleanup_strv_free_ char **list = NULL;
        int r = isempty(first) ? 0 : strv_extend(&list, resolved ? resolved : first);

        if (job_spec_is_in_place(spec))
                STRV_FOREACH(disk, spec->source.further_disks)
                        if (r >= 0)
                                r = strv_extend(&list, *disk);
        if (r >= 0)
                *ret = TAKE_PTR(list);
        return r;
}

int manager_parse_spec(const JobRow *row, JobSpec **ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *document = json_loads(row->spec, 0, NULL);
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        int r;

        if (!document)
                return -EBADMSG;
        r = job_spec_from_json(document, &spec, &errors);
        if (r >= 0 && row->source_path)
                r = free_and_strdup(&spec->source.path, row->source_path);
        if (r >= 0 && row->destination_path)
                r = free_and_strdup(&spec->destination.path, row->destination_path);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(spec);
        return 0;
}

int manager_load_spec(Manager *m, const char *id, JobSpec **ret) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int r = store_job_get(m->store, id, &row);

        return r < 0 ? r : manager_parse_spec(row, ret);
}

int manager_add_job(Manager *m, JobRow *row, char *const *destinations, const char *server, Job **ret) {
        _cleanup_(job_row_freep) JobRow *taken = row;
        _cleanup_(job_freep) Job *j = NULL;
        int r = job_new(m->store, m->clock, m->observer, m, row, &j);

        if (r < 0)
                return r;
        TAKE_PTR(taken);
        r = job_set_destinations(j, destinations);
        if (r < 0)
                return r;
        if (server && !(j->server = strdup(server)))
                return -ENOMEM;
        /* The long texts stay in the store. */
        j->row->spec = mfree(j->row->spec);
        j->row->request = mfree(j->row->request);
        r = job_index_add(&m->index, j);
        if (r < 0)
                return r;
        HASH_ADD_KEYPTR(hh, m->jobs, j->row->id, strlen(j->row->id), j);
        job_index_put(&m->index, j, m->clock());
        *ret = TAKE_PTR(j);
        return 0;
}

int manager_add_job_of_spec(Manager *m, JobRow *row, const JobSpec *spec, Job **ret) {
        _cleanup_(job_row_freep) JobRow *taken = row;
        _cleanup_strv_free_ char **destinations = NULL;
        int r = spec_destinations(spec, NULL, &destinations);

        return r < 0 ? r : manager_add_job(m, TAKE_PTR(taken), destinations, job_spec_server(spec), ret);
}

Job *manager_get_job(Manager *m, const char *id) {
        Job *j;

        HASH_FIND_STR(m->jobs, id, j);
        return j;
}

int no_such_job(sd_bus_error *error, const char *id) {
        return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_JOB, "There is no job %s",
                        job_id_is_valid(id) ? id : "with such an id");
}

void manager_forget_job(Manager *m, Job *j) {
        _cleanup_free_ char *directory = job_directory_path(m->state_directory, j->row->id),
                            *root = job_root_path(m->runtime_directory, j->row->id);
        int r;

        if (!directory || !root)
                log_oom();
        else {
                r = remove_tree(root);
                if (r < 0)
                        log_warning_errno(r, "Failed to remove %s: %m", root);
                r = credentials_remove(m->state_directory, CREDENTIALS_OF_JOB, j->row->id);
                if (r < 0)
                        log_warning_errno(r, "Failed to remove the secrets of job %s: %m", j->row->id);
                /* Last: a directory that is left tells the next start that there is something to do. */
                r = remove_tree(directory);
                if (r < 0)
                        log_warning_errno(r, "Failed to remove %s: %m", directory);
        }
        manager_drop_job(m, j);
}

void manager_drop_job(Manager *m, Job *j) {
        job_index_remove(&m->index, j);
        HASH_DEL(m->jobs, j);
        job_free(j);
        queue_wake(m);
}

void queue_wake(Manager *m) {
        queue_state_wake(m->queue);
}
