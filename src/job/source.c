/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdlib.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "job/source.h"

Source *source_new(Attempt *a) {
        Source *s = new0(Source, 1);

        if (!s)
                return NULL;
        s->attempt = a;
        s->spec = &a->plan->spec->source;
        s->fd = s->archive_fd = s->part_fd = -EBADF;
        return s;
}

Source *source_free(Source *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_disks && s->disk_fds; i++)
                safe_close(s->disk_fds[i]);
        for (size_t i = 0; i < s->n_disks && s->warnings; i++)
                strv_free(s->warnings[i]);
        free(s->disk_fds);
        free(s->warnings);
        safe_close(s->fd);
        safe_close(s->archive_fd);
        ova_free(s->ova);
        vm_hardware_free(s->vm);
        for (size_t i = 0; i < s->n_images; i++)
                image_done(&s->images[i]);
        free(s->images);
        for (size_t i = 0; i < s->n_further; i++)
                safe_close(s->further_fds[i]);
        free(s->identity);
        if (s->free_of_kind)
                s->free_of_kind(s->of_kind);
        free(s);
        return NULL;
}

int source_warn(Source *s, size_t disk, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = vstrprintf(format, ap);
        va_end(ap);
        if (!text)
                return -ENOMEM;
        report_note(&s->attempt->report, "%s", text);
        return strv_consume(&s->warnings[disk], TAKE_PTR(text));
}

int source_reserve_disks(Source *s, Image *disks, size_t n) {
        s->disk_fds = malloc(MAX(n, (size_t) 1) * sizeof(*s->disk_fds));
        s->warnings = new0(char **, MAX(n, (size_t) 1));
        if (!s->disk_fds || !s->warnings)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                s->disk_fds[i] = -EBADF;
        s->disks = disks;
        s->n_disks = n;
        return 0;
}
