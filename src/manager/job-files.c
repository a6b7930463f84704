/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job-files.h"

#include "basic/string-util.h"
#include "spec/job-file.h"

void job_files_done(JobFiles *f) {
        free(f->source_path);
        strv_free(f->source_files);
        free(f->destination_path);
        free(f->part_dir);
        strv_free(f->sockets);
        strv_free(f->tls_files);
        strv_free(f->bound);
        strv_free(f->devices);
        *f = (JobFiles){};
}

int job_files_note(JobFiles *f, const char *path, const struct stat *st) {
        return strv_consume(&f->bound, file_identity_text(path, st));
}
