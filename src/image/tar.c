/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "image/tar-number.h"
#include "image/tar-sparse.h"
#include "image/tar.h"

#define BLOCK 512u
#define NAME_LENGTH_MAX 4096u
#define EXTENSION_MAX ((uint64_t) 16 * 1024 * 1024) /* the map of a sparse file may be in it */
#define MAP_MAX ((size_t) 32 * 1024 * 1024)

/* The header of ustar interchange format, pax(1). All of it is text. */
typedef struct TarHeader {
        char name[100];
        char mode[8], uid[8], gid[8];
        char size[12];
        char mtime[12];
        char checksum[8];
        char type;
        char link[100];
        char magic[6], version[2];
        char owner[32], group[32];
        char major[8], minor[8];
        char prefix[155];
        char padding[12];
} TarHeader;

_Static_assert(sizeof(TarHeader) == BLOCK, "a tar header is one block");

/* What extension headers say about the member that follows them. */
typedef struct TarPending {
        char *name;
        bool has_size;
        uint64_t size;
        TarSparse sparse;
} TarPending;

typedef struct TarReader {
        tar_read_func read;
        void *userdata;
        uint64_t size, offset;
        TarPending pending;
        TarIndex index;
        char *error;
} TarReader;

static void tar_member_done(TarMember *m) {
        free(m->name);
        free(m->segments);
}

void tar_index_done(TarIndex *index) {
        for (size_t i = 0; i < index->n_members; i++)
                tar_member_done(&index->members[i]);
        free(index->members);
        *index = (TarIndex){};
}

static void pending_done(TarPending *p) {
        free(p->name);
        tar_sparse_done(&p->sparse);
        *p = (TarPending){};
}

#define tar_error(t, ...)                            \
        ({                                           \
                (t)->error = mfree((t)->error);      \
                (t)->error = strprintf(__VA_ARGS__); \
                (t)->error ? -EBADMSG : -ENOMEM;     \
        })

bool tar_is_header(const void *block) {
        const unsigned char *b = block;
        const TarHeader *h = block;
        uint64_t sum = 0, expected;

        for (size_t i = 0; i < BLOCK; i++)
                sum += i >= offsetof(TarHeader, checksum) &&
                                                i < offsetof(TarHeader, checksum) + sizeof(h->checksum)
                                ? ' '
                                : b[i];
        return h->name[0] && tar_parse_number(h->checksum, sizeof(h->checksum), &expected) >= 0 &&
                        expected == sum;
}

static bool is_zero_block(const TarHeader *h) {
        const char *b = (const char *) h;
        return b[0] == 0 && memcmp(b, b + 1, BLOCK - 1) == 0;
}

/* Relative, no empty, "." or ".." component, no control characters, UTF-8. */
static bool name_is_safe(const char *name) {
        if (isempty(name) || strlen(name) > NAME_LENGTH_MAX || !utf8_is_valid(name))
                return false;
        for (const char *p = name; *p; p++)
                if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        return false;
        for (const char *p = name;;) {
                size_t n = strcspn(p, "/");
                if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
                        return false;
                if (!p[n])
                        return true;
                p += n + 1;
        }
}

static int header_name(const TarHeader *h, char **ret) {
        int prefix = memcmp(h->magic, "ustar", 6) == 0 ? (int) strnlen(h->prefix, sizeof(h->prefix)) : 0;

        *ret = strprintf("%.*s%s%.*s", prefix, h->prefix, prefix > 0 ? "/" : "",
                        (int) strnlen(h->name, sizeof(h->name)), h->name);
        return *ret ? 0 : -ENOMEM;
}

/* The content of an extension header; the caller frees *ret, which ends with NUL. */
static int read_extension(TarReader *t, uint64_t size, char **ret) {
        if (size > EXTENSION_MAX)
                return tar_error(t, "an extension header of %" PRIu64 " bytes at byte %" PRIu64, size,
                                t->offset);
        _cleanup_free_ char *data = calloc(size + 1, 1);
        if (!data)
                return -ENOMEM;
        int r = t->read(t->userdata, data, size, t->offset + BLOCK);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(data);
        return 0;
}

static int pax_apply(TarReader *t, const char *key, const char *value) {
        if (streq(key, "path"))
                return free_and_strdup(&t->pending.name, value);
        if (streq(key, "size")) {
                if (parse_uint64(value, &t->pending.size) < 0)
                        return tar_error(t, "a pax size that is no number at byte %" PRIu64, t->offset);
                t->pending.has_size = true;
                return 0;
        }
        int r = tar_sparse_pax(&t->pending.sparse, key, value);
        if (r == -EBADMSG || startswith(key, "SCHILY.realsize"))
                return tar_error(t, "a sparse member of an unknown form at byte %" PRIu64, t->offset);
        if (r < 0)
                return r;
        return 0; /* times, owners and the like do not matter here */
}

/* "LENGTH KEY=VALUE\n" records; LENGTH counts the whole record. */
static int parse_pax(TarReader *t, char *data, size_t size) {
        for (char *p = data, *end = data + size; p < end;) {
                char *blank = memchr(p, ' ', MIN((size_t) (end - p), (size_t) 8));
                uint64_t length;

                if (blank)
                        *blank = 0;
                if (!blank || parse_uint64(p, &length) < 0 || length <= (size_t) (blank - p) + 2 ||
                                length > (size_t) (end - p) || p[length - 1] != '\n')
                        return tar_error(t, "a broken pax header at byte %" PRIu64, t->offset);
                p[length - 1] = 0;
                char *equals = strchr(blank + 1, '=');
                if (!equals || strlen(blank + 1) != length - (size_t) (blank - p) - 2)
                        return tar_error(t, "a broken pax header at byte %" PRIu64, t->offset);
                *equals = 0;
                int r = pax_apply(t, blank + 1, equals + 1);
                if (r < 0)
                        return r;
                p += length;
        }
        return 0;
}

static int handle_extension(TarReader *t, char type, uint64_t size) {
        _cleanup_free_ char *data = NULL;
        int r = read_extension(t, size, &data);

        if (r < 0)
                return r;
        if (type == 'x')
                return parse_pax(t, data, size);
        if (type == 'L')
                return free_and_strdup(&t->pending.name, data);
        /* A global header stands for all members that follow: nothing in one can be meant well that
         * changes where they are. */
        TarPending saved = t->pending;
        t->pending = (TarPending){};
        r = parse_pax(t, data, size);
        bool changes = t->pending.name || t->pending.has_size || t->pending.sparse.is_sparse;
        pending_done(&t->pending);
        t->pending = saved;
        if (r >= 0 && changes)
                return tar_error(t, "a global pax header with a path or size at byte %" PRIu64, t->offset);
        return r;
}

/* Programs of Windows write "\" for "/"; some write "./" in front, or in between. */
static void tidy_name(char *name) {
        char *to = name;

        for (char *p = name; *p; p++)
                if (*p == '\\')
                        *p = '/';
        for (const char *p = name; *p;) {
                size_t n = strcspn(p, "/");

                if (n == 1 && p[0] == '.' && p[1] == '/')
                        p += 2;
                else {
                        memmove(to, p, n + (p[n] == '/'));
                        to += n + (p[n] == '/');
                        p += n + (p[n] == '/');
                }
        }
        *to = 0;
}

static int add_directory(TarReader *t, char *name, uint64_t size) {
        size_t n = strlen(name);

        if (n > 0 && name[n - 1] == '/')
                name[n - 1] = 0;
        if (*name && !streq(name, ".") && !name_is_safe(name))
                return tar_error(t, "a member whose name is not a plain relative path at byte %" PRIu64,
                                t->offset);
        return size > 0 ? tar_error(t, "a directory with content at byte %" PRIu64, t->offset) : 0;
}

/* The stored bytes of a sparse member are the ranges that its map lists. */
static int place_sparse(TarReader *t, TarMember *m) {
        TarSparse *s = &t->pending.sparse;

        if (!s->is_sparse)
                return 0;
        int r = tar_sparse_place(s, m->offset, m->size);
        if (r < 0)
                return tar_error(t, "a sparse member whose map does not fit its data at byte %" PRIu64,
                                t->offset);
        m->is_sparse = true;
        m->size = s->size;
        m->segments = TAKE_PTR(s->segments);
        m->n_segments = s->n_segments;
        return 0;
}

static int add_member(TarReader *t, const TarHeader *h, uint64_t offset, uint64_t size) {
        _cleanup_free_ char *name = TAKE_PTR(t->pending.name);
        TarMember m = { .offset = offset, .size = size };
        int r = 0;

        if (t->pending.sparse.name) {
                free(name);
                name = TAKE_PTR(t->pending.sparse.name);
        }
        if (!name)
                r = header_name(h, &name);
        if (r < 0)
                return r;
        tidy_name(name);
        if (h->type == '5')
                return add_directory(t, name, size);
        if (!name_is_safe(name))
                return tar_error(t, "a member whose name is not a plain relative path at byte %" PRIu64,
                                t->offset);
        if (tar_index_find(&t->index, name))
                return tar_error(t, "two members of the name %s", name);
        if (t->index.n_members >= TAR_MEMBERS_MAX)
                return tar_error(t, "more than %u members", TAR_MEMBERS_MAX);
        if (!GREEDY_REALLOC(t->index.members, t->index.allocated, t->index.n_members + 1))
                return -ENOMEM;
        r = place_sparse(t, &m);
        if (r < 0)
                return r;
        m.name = TAKE_PTR(name);
        t->index.members[t->index.n_members++] = m;
        return 0;
}

/* --- sparse members -------------------------------------------------------------------------------- */

#define broken_map(t) tar_error(t, "a sparse member with a broken map at byte %" PRIu64, (t)->offset)

/* Type "S": the map is in the header and in blocks behind it. *offset is moved behind these. */
static int read_old_map(TarReader *t, const TarHeader *h, uint64_t *offset) {
        char block[BLOCK];
        bool more = false;

        tar_sparse_done(&t->pending.sparse);
        int r = tar_sparse_header(&t->pending.sparse, h, &more);
        while (r >= 0 && more) {
                if (t->size - *offset < BLOCK)
                        return broken_map(t);
                r = t->read(t->userdata, block, BLOCK, *offset);
                if (r < 0)
                        return r;
                r = tar_sparse_block(&t->pending.sparse, block, &more);
                *offset += BLOCK;
        }
        return r == -EBADMSG ? broken_map(t) : r;
}

/* pax 1.0: the map is text in front of the data. */
static int read_data_map(TarReader *t, uint64_t *offset, uint64_t *size) {
        size_t n = 0, length = 0;
        int r;

        do {
                n = n > 0 ? 4 * n : 16 * BLOCK;
                n = (size_t) MIN((uint64_t) n, *size);
                if (n > MAP_MAX)
                        return broken_map(t);
                _cleanup_free_ char *text = malloc(MAX(n, (size_t) 1));
                if (!text)
                        return -ENOMEM;
                r = t->read(t->userdata, text, n, *offset);
                if (r < 0)
                        return r;
                r = tar_sparse_map(&t->pending.sparse, text, n, &length);
        } while (r == -EAGAIN && n < *size);
        if (r == -EAGAIN || r == -EBADMSG || (r >= 0 && length > *size))
                return broken_map(t);
        if (r < 0)
                return r;
        *offset += length;
        *size -= length;
        return 0;
}

static const char *refused_type(char type) {
        switch (type) {
        case '1':
                return "a hard link";
        case '2':
                return "a symbolic link";
        case '3':
        case '4':
                return "a device";
        case '6':
                return "a FIFO";
        default:
                return "a member of an unknown type";
        }
}

/* One header with its content. 1: go on, 0: the end, negative: error. */
static int read_entry(TarReader *t) {
        TarHeader h;
        uint64_t size;
        int r;

        if (t->size - t->offset < BLOCK)
                return 0;
        r = t->read(t->userdata, &h, sizeof(h), t->offset);
        if (r < 0)
                return r;
        if (is_zero_block(&h))
                return 0;
        if (!tar_is_header(&h))
                return tar_error(t, "no tar header at byte %" PRIu64 ", where one must be", t->offset);
        if (tar_parse_number(h.size, sizeof(h.size), &size) < 0)
                return tar_error(t, "a member whose size is no number at byte %" PRIu64, t->offset);

        bool extension = h.type == 'x' || h.type == 'g' || h.type == 'L';
        bool file = h.type == '0' || h.type == 0 || h.type == '7' || h.type == 'S';
        if (!extension && !file && h.type != '5')
                return tar_error(t, "%s at byte %" PRIu64, refused_type(h.type), t->offset);
        if (!extension && t->pending.has_size)
                size = t->pending.size;
        uint64_t offset = t->offset + BLOCK;
        r = h.type == 'S' ? read_old_map(t, &h, &offset) : 0;
        if (r < 0)
                return r;
        uint64_t rest = t->size - offset, next;
        if (size > rest)
                return tar_error(t,
                                "a member of %" PRIu64 " bytes at byte %" PRIu64
                                ", but the file ends %" PRIu64 " bytes later",
                                size, t->offset, rest);
        /* The last member's padding may be missing; size <= rest, so nothing wraps. */
        next = offset + MIN(rest, (size + BLOCK - 1) / BLOCK * BLOCK);
        if (file && t->pending.sparse.is_sparse && t->pending.sparse.map_in_data) {
                r = read_data_map(t, &offset, &size);
                if (r < 0)
                        return r;
        }

        r = extension ? handle_extension(t, h.type, size) : add_member(t, &h, offset, size);
        if (r < 0)
                return r;
        if (!extension)
                pending_done(&t->pending);
        t->offset = next;
        return 1;
}

int tar_index_read(tar_read_func read, void *userdata, uint64_t size, TarIndex *ret, char **ret_error) {
        TarReader t = { .read = read, .userdata = userdata, .size = size };
        unsigned headers = 0;
        int r;

        do {
                /* Extension headers count too: a tar of nothing else must end as well. */
                r = ++headers > 4 * TAR_MEMBERS_MAX ? tar_error(&t, "more than %u headers", headers - 1)
                                                    : read_entry(&t);
        } while (r > 0);
        if (r >= 0 && (t.pending.name || t.pending.sparse.is_sparse))
                r = tar_error(&t, "an extension header with no member behind it");
        pending_done(&t.pending);
        if (r < 0) {
                tar_index_done(&t.index);
                if (t.error && r == -EBADMSG)
                        *ret_error = t.error;
                else
                        free(t.error);
                return r;
        }
        free(t.error);
        *ret = t.index;
        return 0;
}

const TarMember *tar_index_find(const TarIndex *index, const char *name) {
        for (size_t i = 0; i < index->n_members; i++)
                if (streq(index->members[i].name, name))
                        return &index->members[i];
        return NULL;
}
