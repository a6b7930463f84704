/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/source-kind.h"
#include "job/source-file.h"
#include "job/source-nbd.h"
#include "job/source-settle.h"
#include "job/source-vsphere.h"

static const SourceKind kinds[_ENDPOINT_MAX] = {
        [ENDPOINT_FILE] = {
                .open = source_open_file,
                .verify_checksum = source_verify_file_checksum,
                .settle = source_settle_file,
                .inspect = source_inspect_images,
                .check_unchanged = source_check_files,
                .explain = source_explain_files,
                .connect = source_connect_image,
        },
        [ENDPOINT_NBD] = {
                .open = source_open_server,
                .inspecting = "Connecting to the source server",
                .connect = source_connect_server,
        },
        [ENDPOINT_VSPHERE] = {
                .open = source_open_vm,
                .inspecting = "Connecting to the vSphere server",
                .settle = source_settle_vm,
                .inspect = source_inspect_vm,
                .check_unchanged = source_check_vm_unchanged,
                .explain = source_explain_vm,
                .finish = source_finish_vm,
                .progress = source_vm_progress,
                .digest = source_vm_digest,
                .add_metrics = source_vm_add_metrics,
                .connect = source_connect_vm,
        },
};

const SourceKind *source_kind(int type) {
        return type >= 0 && type < _ENDPOINT_MAX ? &kinds[type] : NULL;
}

int source_open(Attempt *a, Source **ret) {
        _cleanup_source_ Source *s = source_new(a);

        if (!s)
                return -ENOMEM;
        if (!source_kind(s->spec->type))
                return attempt_fail(a, EOPNOTSUPP, "unsupported", "The source's type is not built in");
        int r = source_kind(s->spec->type)->open(s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

static int optional(int (*call)(Source *), Source *s) {
        return call ? call(s) : 0;
}

int source_verify_checksum(Source *s) {
        return optional(source_kind(s->spec->type)->verify_checksum, s);
}

int source_settle(Source *s) {
        return optional(source_kind(s->spec->type)->settle, s);
}

int source_inspect(Source *s) {
        return optional(source_kind(s->spec->type)->inspect, s);
}

int source_check_unchanged(Source *s) {
        return optional(source_kind(s->spec->type)->check_unchanged, s);
}

void source_explain(Source *s) {
        if (source_kind(s->spec->type)->explain)
                source_kind(s->spec->type)->explain(s);
}

int source_finish(Source *s) {
        return optional(source_kind(s->spec->type)->finish, s);
}

void source_progress(Source *s, unsigned percent) {
        if (source_kind(s->spec->type)->progress)
                source_kind(s->spec->type)->progress(s, percent);
}

int source_digest(const Source *s, size_t disk, uint8_t ret[static DISK_DIGEST_SIZE]) {
        const SourceKind *kind = source_kind(s->spec->type);

        return kind->digest ? kind->digest(s, disk, ret) : 0;
}

int source_add_metrics(const Source *s, json_t *metrics) {
        const SourceKind *kind = source_kind(s->spec->type);

        return kind->add_metrics ? kind->add_metrics(s, metrics) : 0;
}

int source_connect(Source *s, size_t disk, Connection *ret) {
        return source_kind(s->spec->type)->connect(s, disk, ret);
}
