/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "journal/journal-batch.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define IDENTIFIER "SYSLOG_IDENTIFIER="

void journal_batch_done(JournalBatch *b) {
        b->data = mfree(b->data);
        b->size = b->n = 0;
}

/* "NAME=value", or, if the value has several lines, the name, its length and the value. */
static size_t field_size(const char *field) {
        size_t n = strlen(field);

        return strchr(field, '\n') ? n + sizeof(uint64_t) + 1 : n + 1;
}

static char *put_field(char *p, const char *field) {
        const char *value = strchr(field, '=');
        size_t n = strlen(field);

        if (!strchr(field, '\n')) {
                p = mempcpy(p, field, n);
                *p++ = '\n';
                return p;
        }
        size_t name = (size_t) (value - field), length = n - name - 1;
        uint64_t le = htole64(length);

        p = mempcpy(p, field, name);
        *p++ = '\n';
        p = mempcpy(p, &le, sizeof(le));
        p = mempcpy(p, value + 1, length);
        *p++ = '\n';
        return p;
}

int journal_batch_add(JournalBatch *b, char *const *fields) {
        size_t size = sizeof(IDENTIFIER) + strlen(program_invocation_short_name) + (b->n > 0 ? 1 : 0);
        char *p;

        STRV_FOREACH(f, fields) {
                if (!strchr(*f, '='))
                        return -EINVAL;
                size += field_size(*f);
        }
        if (b->size + size > JOURNAL_BATCH_MAX)
                return -ENOBUFS;
        if (!b->data && !(b->data = malloc(JOURNAL_BATCH_MAX)))
                return -ENOMEM;
        p = b->data + b->size;
        if (b->n > 0)
                *p++ = '\n';
        STRV_FOREACH(f, fields)
                p = put_field(p, *f);
        p = mempcpy(p, IDENTIFIER, sizeof(IDENTIFIER) - 1);
        p = mempcpy(p, program_invocation_short_name, strlen(program_invocation_short_name));
        *p++ = '\n';
        b->size = (size_t) (p - b->data);
        b->n++;
        return 0;
}

/* One for the process, as libsystemd has it. */
static int journal_socket(void) {
        static int fd = -EBADF;

        if (fd < 0)
                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return fd < 0 ? -errno : fd;
}

int journal_batch_send(JournalBatch *b, const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd, r = 0;

        if (b->n == 0)
                return 0;
        path = path ?: JOURNAL_SOCKET;
        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        fd = journal_socket();
        if (fd < 0)
                return fd;
        while (sendto(fd, b->data, b->size, MSG_NOSIGNAL, (struct sockaddr *) &address, sizeof(address)) <
                        0) {
                if (errno == EINTR)
                        continue;
                r = errno == ENOENT ? 0 : -errno;
                break;
        }
        b->size = b->n = 0;
        return r;
}
