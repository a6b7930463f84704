/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job-source.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/source.h"
#include "shared/error-table.h"

bool job_source_is_stored(const JobSpec *spec) {
        return spec->source.type == ENDPOINT_VSPHERE && spec->source.vsphere.name;
}

/* NULL removes the field. */
static int set_field(json_t *source, const char *key, char **p, const char *value) {
        int r = free_and_strdup(p, value);

        if (r < 0)
                return r;
        if (!value)
                return (void) json_object_del(source, key), 0;
        return json_object_set_new(source, key, json_string(value)) < 0 ? -ENOMEM : 0;
}

int job_source_resolve(Manager *m, JobSpec *spec, sd_bus_error *error) {
        VsphereSpec *v = &spec->source.vsphere;
        json_t *source = json_object_get(spec->document, "source");
        _cleanup_(source_row_freep) SourceRow *row = NULL;
        int r;

        if (!job_source_is_stored(spec))
                return 0;
        r = manager_find_source(m, v->name, &row, error);
        if (r < 0)
                return r;
        const struct {
                const char *key;
                char **p;
                const char *value;
        } fields[] = {
                { "vcenter_url", &v->url, row->url },
                { "username", &v->username, row->username },
                { "ca", &v->ca, row->ca },
                { "thumbprint", &v->thumbprint, row->thumbprint },
                { "datacenter", &v->datacenter, v->datacenter ? v->datacenter : row->datacenter },
        };
        for (size_t i = 0; i < ELEMENTSOF(fields) && r >= 0; i++) {
                _cleanup_free_ char *value = fields[i].value ? strdup(fields[i].value) : NULL;

                r = fields[i].value && !value ? -ENOMEM
                                              : set_field(source, fields[i].key, fields[i].p, value);
        }
        /* The mark of a source that is resolved. */
        if (r >= 0 && json_object_set_new(source, "password", json_string("***")) < 0)
                r = -ENOMEM;
        return r;
}

int job_source_give_password(Manager *m, const JobSpec *spec, sd_bus_error *error) {
        _cleanup_(source_row_freep) SourceRow *row = NULL;
        int r;

        if (!job_source_is_stored(spec))
                return 0;
        r = manager_find_source(m, spec->source.vsphere.name, &row, error);
        if (r < 0)
                return r;
        r = manager_give_source(m, row, spec->job_id);
        if (r >= 0 || r == -ENOMEM)
                return r;
        log_error_errno(r, "Failed to give job %s the password of source %s: %m", spec->job_id, row->name);
        return bus_error_setf(error, HYPER_BUS_ERROR_INTERNAL,
                        "The password of source %s could not be passed to the job; see the log of "
                        "hyper-managerd",
                        row->name);
}
