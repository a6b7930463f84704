/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>
#include <strings.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "image/vmdk-descriptor.h"
#include "image/vmdk-text.h"

#define BLANKS " \t"
#define BOM "\xef\xbb\xbf"
/* 2^63 bytes. */
#define SECTORS_MAX (UINT64_C(1) << 54)

void vmdk_descriptor_done(VmdkDescriptor *d) {
        free(d->create_type);
        free(d->encoding);
        free(d->parent);
        for (size_t i = 0; i < d->n_extents; i++)
                free(d->extents[i].name);
        free(d->extents);
        *d = (VmdkDescriptor){};
}

/* --- recognition ----------------------------------------------------------------------------------- */

static size_t skip_blanks(const char *data, size_t size, size_t i) {
        while (i < size && (data[i] == ' ' || data[i] == '\t' || data[i] == '\r'))
                i++;
        return i;
}

/* True if @data continues with @word, in any case; *i is then behind it. */
static bool take_word(const char *data, size_t size, size_t *i, const char *word) {
        size_t n = strlen(word), at = skip_blanks(data, size, *i);

        if (size - at < n || strncasecmp(data + at, word, n) != 0)
                return false;
        *i = at + n;
        return true;
}

/* "# Disk DescriptorFile": programs differ in its blanks. */
static bool is_magic_line(const char *data, size_t size) {
        size_t i = 0;

        return take_word(data, size, &i, "#") && take_word(data, size, &i, "disk") &&
                        take_word(data, size, &i, "descriptor") && take_word(data, size, &i, "file");
}

bool vmdk_is_descriptor(const char *data, size_t size) {
        size_t i = size >= strlen(BOM) && memcmp(data, BOM, strlen(BOM)) == 0 ? strlen(BOM) : 0;

        while (i < size) {
                const char *end = memchr(data + i, '\n', size - i);
                size_t word = i;

                if (is_magic_line(data + i, size - i) || take_word(data, size, &word, "version="))
                        return true;
                if (!end || (data[i] != '#' && data + skip_blanks(data, size, i) != end))
                        return false;
                i = (size_t) (end - data) + 1;
        }
        return false;
}

/* --- lines ----------------------------------------------------------------------------------------- */

static int complain(char **ret_error, unsigned line, const char *format, ...) _printf_(3, 4);
static int complain(char **ret_error, unsigned line, const char *format, ...) {
        _cleanup_free_ char *what = NULL;
        va_list ap;

        va_start(ap, format);
        what = utf8_vprintf(format, ap);
        va_end(ap);
        *ret_error = what ? strprintf("line %u: %s", line, what) : NULL;
        return *ret_error ? -EBADMSG : -ENOMEM;
}

/* Cuts the next word off *p; "" at the end of the line. */
static char *next_word(char **p) {
        char *word = *p + strspn(*p, BLANKS);
        size_t n = strcspn(word, BLANKS);

        *p = word + n;
        if (**p)
                *(*p)++ = 0;
        return word;
}

/* Cuts a text in double quotes off *p; NULL if there is none. */
static char *next_quoted(char **p) {
        char *begin = *p + strspn(*p, BLANKS);
        char *end = *begin == '"' ? strchr(begin + 1, '"') : NULL;

        if (!end)
                return NULL;
        *end = 0;
        *p = end + 1;
        return begin + 1;
}

static bool at_end(const char *p) {
        return !p[strspn(p, BLANKS)];
}

static bool is_access(const char *word) {
        return strcasecmp(word, "RW") == 0 || strcasecmp(word, "RDONLY") == 0 ||
                        strcasecmp(word, "NOACCESS") == 0;
}

/* The types of the specification. */
static const struct {
        const char *name;
        VmdkExtentKind kind;
        const char *refusal; /* not NULL: what to do about it */
} types[] = {
        { "FLAT", VMDK_EXTENT_FLAT, NULL },
        { "VMFS", VMDK_EXTENT_FLAT, NULL },
        { "ZERO", VMDK_EXTENT_ZERO, NULL },
        { "SPARSE", VMDK_EXTENT_SPARSE, NULL },
        { "VMFSSPARSE", VMDK_EXTENT_VMFS_SPARSE, NULL },
        { "SESPARSE", VMDK_EXTENT_SE_SPARSE, NULL },
        { "VMFSTHIN", 0, "export the disk, or clone it with vmkfstools -i" },
        { "VMFSRDM", 0, "the disk is a device and not in these files: use the device as the source" },
        { "VMFSRAW", 0, "the disk is a device and not in these files: use the device as the source" },
};

/* [offset in sectors], which only FLAT has. VMFS may leave it out. */
static int parse_offset(VmdkExtent *x, const char *type, char *rest, unsigned line, char **ret_error) {
        char *offset = next_word(&rest);

        if (!*offset)
                return strcasecmp(type, "FLAT") == 0
                                ? complain(ret_error, line, "a FLAT extent must have its offset")
                                : 0;
        if (parse_uint64(offset, &x->offset) < 0 || x->offset > SECTORS_MAX)
                return complain(ret_error, line, "an extent's offset must be a number");
        if (x->kind != VMDK_EXTENT_FLAT && x->offset != 0)
                return complain(ret_error, line, "a sparse extent must not have an offset");
        if (!at_end(rest))
                return complain(ret_error, line, "there is text behind an extent's offset");
        return 0;
}

static int parse_file(VmdkExtent *x, const char *type, char *rest, unsigned line, char **ret_error) {
        if (x->kind == VMDK_EXTENT_ZERO)
                return at_end(rest) ? 0 : complain(ret_error, line, "a ZERO extent must not have a file");
        const char *name = next_quoted(&rest);
        if (!name)
                return complain(ret_error, line, "an extent must have its file name in quotes");
        int r = parse_offset(x, type, rest, line, ret_error);
        return r < 0 ? r : free_and_strdup(&x->name, name);
}

static int add_extent(VmdkDescriptor *d, VmdkExtent *x, unsigned line, char **ret_error) {
        if (d->n_extents == VMDK_EXTENTS_MAX)
                return complain(ret_error, line, "there are more than %u extents", VMDK_EXTENTS_MAX);
        if (x->sectors > SECTORS_MAX - d->sectors)
                return complain(ret_error, line, "the extents are longer than any disk");
        if (!GREEDY_REALLOC(d->extents, d->allocated, d->n_extents + 1))
                return -ENOMEM;
        d->sectors += x->sectors;
        d->extents[d->n_extents++] = *x;
        *x = (VmdkExtent){};
        return 0;
}

/* RW 4192256 SPARSE "disk-s001.vmdk" [offset] */
static int parse_extent(VmdkDescriptor *d, const char *access, char *rest, unsigned line, char **ret_error) {
        VmdkExtent x = {};
        size_t k = 0;

        if (strcasecmp(access, "NOACCESS") == 0)
                return complain(ret_error, line,
                                "the extent is NOACCESS: what is in it may not be read, so the disk "
                                "cannot be "
                                "converted");
        if (parse_uint64(next_word(&rest), &x.sectors) < 0 || x.sectors == 0)
                return complain(ret_error, line, "an extent must have its size in sectors");
        const char *type = next_word(&rest);
        while (k < ELEMENTSOF(types) && strcasecmp(type, types[k].name) != 0)
                k++;
        if (k == ELEMENTSOF(types))
                return complain(ret_error, line, "an extent must be of a known type, not \"%.32s\"", type);
        if (types[k].refusal)
                return complain(ret_error, line, "extents of type %s are not supported: %s", types[k].name,
                                types[k].refusal);
        x.kind = types[k].kind;
        int r = parse_file(&x, type, rest, line, ret_error);
        if (r >= 0)
                r = add_extent(d, &x, line, ret_error);
        free(x.name);
        return r;
}

/* --- keys ------------------------------------------------------------------------------------------ */

static int parse_cid(const char *value, uint32_t *ret, unsigned line, char **ret_error) {
        uint64_t v = 0;
        size_t n = 0;

        for (; value[n]; n++) {
                int digit = parse_hex_digit(value[n]);
                if (digit < 0 || n == 8)
                        return complain(ret_error, line, "a CID must have up to eight hexadecimal digits");
                v = v * 16 + (unsigned) digit;
        }
        if (n == 0)
                return complain(ret_error, line, "a CID must have up to eight hexadecimal digits");
        *ret = (uint32_t) v;
        return 0;
}

static int parse_version(const char *value, unsigned line, char **ret_error) {
        uint64_t version;

        if (parse_uint64(value, &version) < 0 || version < 1 || version > 4)
                return complain(ret_error, line, "version %.16s of the format is not known", value);
        return 0;
}

static bool says_encrypted(const char *key, const char *value) {
        const char *name = strncasecmp(key, "ddb.", 4) == 0 ? key + 4 : key;

        return strncasecmp(name, "encryption", strlen("encryption")) == 0 ||
                        strcasecmp(name, "keyID") == 0 ||
                        (strcasecmp(name, "iofilters") == 0 && strcasestr(value, "crypt"));
}

/* Keys that decide what the disk is, each at most once. */
enum { KEY_VERSION, KEY_ENCODING, KEY_CID, KEY_PARENT_CID, KEY_NATIVE, KEY_TYPE, KEY_PARENT, _KEYS };
static const char *const keys[_KEYS] = {
        [KEY_VERSION] = "version",
        [KEY_ENCODING] = "encoding",
        [KEY_CID] = "CID",
        [KEY_PARENT_CID] = "parentCID",
        [KEY_NATIVE] = "isNativeSnapshot",
        [KEY_TYPE] = "createType",
        [KEY_PARENT] = "parentFileNameHint",
};

static int set_key(VmdkDescriptor *d, int key, const char *value, unsigned line, char **ret_error) {
        switch (key) {
        case KEY_VERSION:
                return parse_version(value, line, ret_error);
        case KEY_CID:
                d->has_cid = true;
                return parse_cid(value, &d->cid, line, ret_error);
        case KEY_PARENT_CID:
                return parse_cid(value, &d->parent_cid, line, ret_error);
        case KEY_ENCODING:
                return free_and_strdup(&d->encoding, value);
        case KEY_TYPE:
                return free_and_strdup(&d->create_type, value);
        case KEY_PARENT:
                return *value ? free_and_strdup(&d->parent, value) : 0;
        default:
                return strcasecmp(value, "no") == 0
                                ? 0
                                : complain(ret_error, line,
                                                  "it is a native snapshot of a storage system, whose "
                                                  "other part "
                                                  "is not in a file: consolidate the machine's "
                                                  "snapshots first");
        }
}

/* key = "value", or without quotes. @seen: a bit for each of keys[]. */
static int parse_assignment(VmdkDescriptor *d, char *text, unsigned *seen, unsigned line, char **ret_error) {
        char *equals = strchr(text, '=');

        if (!equals)
                return complain(ret_error, line, "this is neither a comment, nor an extent, nor key=value");
        *equals = 0;
        char *rest = text, *key = next_word(&rest);
        if (!*key || !at_end(rest))
                return complain(ret_error, line, "a key must be one word");

        rest = equals + 1;
        char *value = next_quoted(&rest);
        if (!value) {
                value = rest + strspn(rest, BLANKS);
                size_t n = strlen(value);
                while (n > 0 && strchr(BLANKS, value[n - 1]))
                        value[--n] = 0;
        } else if (!at_end(rest))
                return complain(ret_error, line, "there is text behind the value");
        if (says_encrypted(key, value))
                return complain(ret_error, line,
                                "the disk is encrypted (%.64s): decrypt the machine first, by the "
                                "program that "
                                "encrypted it",
                                key);
        for (int k = 0; k < _KEYS; k++) {
                if (strcasecmp(key, keys[k]) != 0)
                        continue;
                if (*seen & (1u << k))
                        return complain(ret_error, line, "this key was given before");
                *seen |= 1u << k;
                return set_key(d, k, value, line, ret_error);
        }
        return 0;
}

static int parse_line(VmdkDescriptor *d, char *text, unsigned *seen, unsigned line, char **ret_error) {
        size_t n = strlen(text);

        if (n > 0 && text[n - 1] == '\r')
                text[n - 1] = 0;
        text += strspn(text, BLANKS);
        if (!*text || *text == '#')
                return 0;
        for (char *p = text; *p; p++)
                if (((unsigned char) *p < ' ' && *p != '\t') || *p == 0x7f)
                        return complain(ret_error, line, "there is a control character");

        _cleanup_free_ char *word = strndup(text, strcspn(text, BLANKS));
        if (!word)
                return -ENOMEM;
        if (!is_access(word))
                return parse_assignment(d, text, seen, line, ret_error);
        (void) next_word(&text);
        return parse_extent(d, word, text, line, ret_error);
}

int vmdk_descriptor_parse(const char *data, size_t size, VmdkDescriptor *ret, char **ret_error) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = { .parent_cid = VMDK_NO_PARENT };
        _cleanup_free_ char *text = NULL;
        unsigned line = 1, seen = 0;
        int r;

        if (size > VMDK_DESCRIPTOR_MAX)
                return complain(ret_error, 1, "the descriptor is longer than %zu bytes",
                                VMDK_DESCRIPTOR_MAX);
        size = strnlen(data, size);
        if (!vmdk_is_descriptor(data, size))
                return complain(ret_error, 1, "this is no VMDK descriptor");
        r = vmdk_text_decode(data, size, &text, ret_error);
        if (r < 0)
                return r;
        for (char *p = text, *end; p; p = end, line++) {
                end = strchr(p, '\n');
                if (end)
                        *end++ = 0;
                r = parse_line(&d, p, &seen, line, ret_error);
                if (r < 0)
                        return r;
        }
        *ret = d;
        d = (VmdkDescriptor){};
        return 0;
}

/* --- names ----------------------------------------------------------------------------------------- */

int vmdk_descriptor_files(const VmdkDescriptor *d, char ***ret) {
        _cleanup_strv_free_ char **files = NULL;

        for (size_t i = 0; i < d->n_extents; i++) {
                const char *name = d->extents[i].name;
                int r = name && !strv_contains(files, name) ? strv_extend(&files, name) : 0;
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(files);
        return 0;
}

bool vmdk_extent_name_is_plain(const char *name) {
        return *name && strlen(name) <= NAME_MAX && !strchr(BLANKS, name[0]) && !strpbrk(name, "/:") &&
                        !streq(name, ".") && !streq(name, "..") && utf8_is_valid(name) &&
                        !utf8_has_control(name);
}
