/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>
#include <strings.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "shared/vmdk-descriptor.h"

#define BLANKS " \t"
#define MAGIC "# Disk DescriptorFile"

void vmdk_descriptor_done(VmdkDescriptor *d) {
        free(d->create_type);
        strv_free(d->extents);
        free(d->parent);
        *d = (VmdkDescriptor){};
}

static bool line_begins(const char *data, size_t size, const char *word) {
        return size >= strlen(word) && memcmp(data, word, strlen(word)) == 0;
}

bool vmdk_is_descriptor(const char *data, size_t size) {
        for (size_t i = 0; i < size;) {
                const char *end = memchr(data + i, '\n', size - i);

                if (line_begins(data + i, size - i, MAGIC) || line_begins(data + i, size - i, "version="))
                        return true;
                size_t blank = i;
                while (blank < size && strchr(" \t\r", data[blank]) && data[blank])
                        blank++;
                if (!end || (data[i] != '#' && data + blank != end))
                        return false;
                i = (size_t) (end - data) + 1;
        }
        return false;
}

static int complain(char **ret_error, unsigned line, const char *what) {
        char *text = strprintf("line %u: %s", line, what);

        if (!text)
                return -ENOMEM;
        *ret_error = text;
        return -EBADMSG;
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

static bool is_one_of(const char *word, const char *const *words, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (strcasecmp(word, words[i]) == 0)
                        return true;
        return false;
}

static bool is_access(const char *word) {
        static const char *const words[] = { "RW", "RDONLY", "NOACCESS" };

        return is_one_of(word, words, ELEMENTSOF(words));
}

/* RW 4192256 SPARSE "disk-s001.vmdk" [offset [more]] */
static int parse_extent(VmdkDescriptor *d, char *rest, unsigned line, char **ret_error) {
        static const char *const types[] = { "FLAT", "SPARSE", "VMFS", "VMFSSPARSE", "VMFSRDM", "VMFSRAW",
                "VMFSTHIN", "SESPARSE" };
        uint64_t number;

        if (parse_uint64(next_word(&rest), &number) < 0)
                return complain(ret_error, line, "an extent must have its size in sectors");
        char *type = next_word(&rest);
        if (strcasecmp(type, "ZERO") == 0 && !rest[strspn(rest, BLANKS)])
                return 0;
        if (!is_one_of(type, types, ELEMENTSOF(types)))
                return complain(ret_error, line, "an extent must be of a known type");
        char *name = next_quoted(&rest);
        if (!name)
                return complain(ret_error, line, "an extent must have its file name in quotes");
        char *offset = next_word(&rest);
        if (*offset && parse_uint64(offset, &number) < 0)
                return complain(ret_error, line, "an extent's offset must be a number");
        /* Behind the offset of a raw device stand its ids; a second name must not. */
        if (strchr(rest, '"'))
                return complain(ret_error, line, "an extent must have one file name");
        return strv_contains(d->extents, name) ? 0 : strv_extend(&d->extents, name);
}

/* key = "value", or without quotes */
static int parse_assignment(VmdkDescriptor *d, char *text, unsigned line, char **ret_error) {
        char *equals = strchr(text, '='), *value, **slot = NULL;

        if (!equals)
                return complain(ret_error, line, "this is neither a comment, nor an extent, nor key=value");
        *equals = 0;
        char *rest = text, *key = next_word(&rest);
        if (!*key || rest[strspn(rest, BLANKS)])
                return complain(ret_error, line, "a key must be one word");

        rest = equals + 1;
        value = next_quoted(&rest);
        if (!value)
                value = rest + strspn(rest, BLANKS);
        else if (rest[strspn(rest, BLANKS)])
                return complain(ret_error, line, "there is text behind the value");
        if (strcasecmp(key, "createType") == 0)
                slot = &d->create_type;
        else if (strcasecmp(key, "parentFileNameHint") == 0)
                slot = &d->parent;
        else
                return 0;
        if (*slot)
                return complain(ret_error, line, "this key was given before");
        return free_and_strdup(slot, value);
}

static int parse_line(VmdkDescriptor *d, char *text, unsigned line, char **ret_error) {
        size_t n = strlen(text);

        if (n > 0 && text[n - 1] == '\r')
                text[n - 1] = 0;
        text += strspn(text, BLANKS);
        if (!*text || *text == '#')
                return 0;
        for (char *p = text; *p; p++)
                if (((unsigned char) *p < ' ' && *p != '\t') || *p == 0x7f)
                        return complain(ret_error, line, "there is a control character");

        char *word = strndup(text, strcspn(text, BLANKS));
        if (!word)
                return -ENOMEM;
        bool extent = is_access(word);
        free(word);
        if (!extent)
                return parse_assignment(d, text, line, ret_error);
        (void) next_word(&text);
        return parse_extent(d, text, line, ret_error);
}

int vmdk_descriptor_parse(const char *data, size_t size, VmdkDescriptor *ret, char **ret_error) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        _cleanup_free_ char *text = NULL;
        unsigned line = 1;
        int r;

        if (size > VMDK_DESCRIPTOR_MAX)
                return complain(ret_error, 1, "the descriptor is longer than 65536 bytes");
        text = strndup(data, size);
        if (!text)
                return -ENOMEM;
        if (!vmdk_is_descriptor(text, strlen(text)))
                return complain(ret_error, 1, "this is no VMDK descriptor");
        for (char *p = text, *end; p; p = end, line++) {
                end = strchr(p, '\n');
                if (end)
                        *end++ = 0;
                r = parse_line(&d, p, line, ret_error);
                if (r < 0)
                        return r;
        }
        *ret = d;
        d = (VmdkDescriptor){};
        return 0;
}

bool vmdk_extent_name_is_plain(const char *name) {
        return *name && strlen(name) <= NAME_MAX && !strchr(BLANKS, name[0]) && !strpbrk(name, "/:") &&
                        !streq(name, ".") && !streq(name, "..") && utf8_is_valid(name) &&
                        !utf8_has_control(name);
}
