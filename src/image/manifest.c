/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <strings.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/utf16.h"
#include "image/manifest.h"

#define BLANKS " \t\r\f\v"

static const struct {
        const char *name; /* compared without case, "-", "_" and "/" */
        const char *algorithm;
        size_t length;
} algorithms[] = {
        { "MD5", "MD5", 32 },
        { "SHA1", "SHA1", 40 },
        { "SHA224", "SHA224", 56 },
        { "SHA2224", "SHA224", 56 },
        { "SHA256", "SHA256", 64 },
        { "SHA2256", "SHA256", 64 },
        { "SHA384", "SHA384", 96 },
        { "SHA2384", "SHA384", 96 },
        { "SHA512", "SHA512", 128 },
        { "SHA2512", "SHA512", 128 },
};

#define manifest_error(ret, ...)                 \
        ({                                       \
                *(ret) = strprintf(__VA_ARGS__); \
                *(ret) ? -EBADMSG : -ENOMEM;     \
        })

void manifest_done(Manifest *m) {
        for (size_t i = 0; i < m->n_entries; i++) {
                free(m->entries[i].file);
                free(m->entries[i].digest);
        }
        free(m->entries);
        *m = (Manifest){};
}

/* "SHA2-256 " is SHA256. */
static int find_algorithm(const char *name, size_t n, const char **ret, size_t *ret_length) {
        char tidy[16];
        size_t k = 0;

        for (size_t i = 0; i < n; i++) {
                if (strchr("-_/" BLANKS, name[i]))
                        continue;
                if (k + 1 >= sizeof(tidy))
                        return -EINVAL;
                tidy[k++] = name[i];
        }
        tidy[k] = 0;
        for (size_t i = 0; i < ELEMENTSOF(algorithms); i++)
                if (strcasecmp(algorithms[i].name, tidy) == 0) {
                        *ret = algorithms[i].algorithm;
                        *ret_length = algorithms[i].length;
                        return 0;
                }
        return -EINVAL;
}

static const char *algorithm_by_length(size_t length) {
        for (size_t i = 0; i < ELEMENTSOF(algorithms); i++)
                if (algorithms[i].length == length)
                        return algorithms[i].algorithm;
        return NULL;
}

static size_t hex_length(const char *s) {
        return strspn(s, "0123456789abcdefABCDEF");
}

static char *lower(const char *hex, size_t n) {
        char *s = strndup(hex, n);

        for (char *p = s; p && *p; p++)
                if (*p >= 'A' && *p <= 'F')
                        *p = (char) (*p - 'A' + 'a');
        return s;
}

static int make_entry(const char *algorithm, const char *file, size_t file_length, const char *digest,
                size_t digest_length, ManifestEntry *ret) {
        _cleanup_free_ char *name = strndup(file, file_length), *hex = lower(digest, digest_length);

        if (!name || !hex)
                return -ENOMEM;
        if (isempty(name))
                return -EINVAL;
        *ret = (ManifestEntry){ .algorithm = algorithm, .file = TAKE_PTR(name), .digest = TAKE_PTR(hex) };
        return 0;
}

/* "SHA256 (name) = hex". -EINVAL: another form; -EBADMSG with a text: an algorithm that is not known. */
static int parse_openssl(const char *line, ManifestEntry *ret, const char **ret_why) {
        const char *open = strchr(line, '('), *close = strrchr(line, ')'), *algorithm;
        size_t length;

        if (!open || !close || close < open)
                return -EINVAL;
        const char *p = close + 1 + strspn(close + 1, BLANKS);
        if (*p != '=')
                return -EINVAL;
        p += 1 + strspn(p + 1, BLANKS);
        if (find_algorithm(line, (size_t) (open - line), &algorithm, &length) < 0) {
                *ret_why = "has an algorithm that is not supported (MD5, SHA1, SHA224, SHA256, SHA384 and "
                           "SHA512 are)";
                return -EBADMSG;
        }
        if (hex_length(p) != length || p[length]) {
                *ret_why = "has a digest of a wrong length";
                return -EBADMSG;
        }
        return make_entry(algorithm, open + 1, (size_t) (close - open - 1), p, length, ret);
}

/* "hex  name", "hex *name". */
static int parse_coreutils(const char *line, ManifestEntry *ret) {
        size_t length = hex_length(line);
        const char *algorithm = algorithm_by_length(length), *p = line + length;

        if (!algorithm || !strchr(BLANKS, *p) || !*p)
                return -EINVAL;
        p += strspn(p, BLANKS);
        if (*p == '*')
                p++;
        return make_entry(algorithm, p, strlen(p), line, length, ret);
}

static int parse_line(char *line, Manifest *m, unsigned number, char **ret_error) {
        ManifestEntry entry = {};
        const char *why = "is neither \"SHA256(file)= digest\" nor \"digest  file\"";
        size_t n = strlen(line);

        while (n > 0 && strchr(BLANKS, line[n - 1]))
                line[--n] = 0;
        line += strspn(line, BLANKS);
        if (!*line || *line == '#')
                return 0;
        if (!GREEDY_REALLOC(m->entries, m->allocated, m->n_entries + 1))
                return -ENOMEM;
        int r = parse_openssl(line, &entry, &why);
        if (r == -EINVAL)
                r = parse_coreutils(line, &entry);
        if (r == -EINVAL || r == -EBADMSG)
                return manifest_error(ret_error, "line %u of the manifest %s", number, why);
        if (r < 0)
                return r;
        entry.line = number;
        m->entries[m->n_entries++] = entry;
        return 0;
}

int manifest_parse(const char *text, size_t size, Manifest *ret, char **ret_error) {
        _cleanup_manifest_ Manifest m = {};
        _cleanup_free_ char *copy = NULL;
        unsigned line = 0;
        size_t n = 0;

        if (size > MANIFEST_MAX)
                return manifest_error(
                                ret_error, "the manifest is longer than %zu bytes", (size_t) MANIFEST_MAX);
        int r = text_to_utf8(text, size, &copy, &n);
        if (r == -EILSEQ || (r >= 0 && strlen(copy) != n))
                return manifest_error(ret_error, "the manifest is no text");
        if (r < 0)
                return r;
        for (char *p = copy; p;) {
                char *next = strchr(p, '\n');

                if (next)
                        *next++ = 0;
                r = parse_line(p, &m, ++line, ret_error);
                if (r < 0)
                        return r;
                p = next;
        }
        *ret = m;
        m = (Manifest){};
        return 0;
}
