/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/source-nbd.h"
#include "engine/endpoint-nbd.h"
#include "engine/nbd-connect.h"
#include "job/identity.h"

int source_open_server(Source *s) {
        s->n_disks = 1;
        s->identity = identity_of_server(s->spec->uri, s->attempt->plan->job_id);
        return s->identity ? 0 : -ENOMEM;
}

int source_connect_server(Source *s, _unused_ size_t disk, Connection *ret) {
        *ret = (Connection){};
        return connect_nbd(s->attempt, s->spec, "source", NBD_SOURCE, &ret->endpoint);
}
