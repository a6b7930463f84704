/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job's id, and the names of units and directories that are made from it. */

#include <stdio.h>
#include <systemd/sd-id128.h>

#include "basic/string-util.h"
#include "spec/job-id.h"

#define UNIT_PREFIX "hyper-job-"
#define UNIT_SUFFIX ".service"
#define UNIT_NAME_MAX 255 /* systemd.unit(5) */

/* The locale must not matter, so <ctype.h> is not asked. */
static bool is_alnum(char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool job_id_is_valid(const char *id) {
        size_t n = strlen(id), escaped = 0;

        if (n < 1 || n > JOB_ID_MAX || !is_alnum(id[0]))
                return false;
        for (size_t i = 0; i < n; i++) {
                if (!is_alnum(id[i]) && !strchr("._:-", id[i]))
                        return false;
                escaped += id[i] == '-' ? strlen("\\x2d") : 1;
        }
        return strlen(UNIT_PREFIX) + escaped + strlen(UNIT_SUFFIX) <= UNIT_NAME_MAX;
}

int job_id_make(char **ret) {
        sd_id128_t id;
        int r = sd_id128_randomize(&id); /* already has the bits of version 4 set */

        if (r < 0)
                return r;
        char *s = malloc(SD_ID128_UUID_STRING_MAX);
        if (!s)
                return -ENOMEM;
        *ret = sd_id128_to_uuid_string(id, s);
        return 0;
}

/* As systemd.unit(5), "String Escaping for Inclusion in Unit Names", has it. */
char *job_escape_id(const char *id) {
        char *escaped = malloc(4 * strlen(id) + 1), *p = escaped;

        if (!escaped)
                return NULL;
        for (const char *s = id; *s; s++)
                if (*s == '/')
                        *p++ = '-';
                else if (is_alnum(*s) || *s == ':' || *s == '_' || (*s == '.' && s != id))
                        *p++ = *s;
                else
                        p += sprintf(p, "\\x%02x", (unsigned char) *s);
        *p = 0;
        return escaped;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return -EINVAL;
}

/* Undoes job_escape_id() for @n bytes. */
static int unescape(const char *s, size_t n, char **ret) {
        _cleanup_free_ char *id = malloc(n + 1);
        char *p = id;

        if (!id)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (s[i] == '-')
                        *p++ = '/';
                else if (s[i] != '\\')
                        *p++ = s[i];
                else {
                        if (n - i < 4 || s[i + 1] != 'x' || hex_digit(s[i + 2]) < 0 ||
                                        hex_digit(s[i + 3]) < 0)
                                return -EINVAL;
                        *p++ = (char) (hex_digit(s[i + 2]) << 4 | hex_digit(s[i + 3]));
                        i += 3;
                }
        *p = 0;
        *ret = TAKE_PTR(id);
        return 0;
}

char *job_unit_name(const char *id) {
        _cleanup_free_ char *escaped = job_escape_id(id);

        return escaped ? strprintf(UNIT_PREFIX "%s" UNIT_SUFFIX, escaped) : NULL;
}

int job_id_from_unit_name(const char *unit, char **ret) {
        const char *escaped = startswith(unit, UNIT_PREFIX);
        const char *end = escaped ? endswith(escaped, UNIT_SUFFIX) : NULL;
        _cleanup_free_ char *id = NULL, *again = NULL;
        int r;

        if (!end)
                return -EINVAL;
        r = unescape(escaped, (size_t) (end - escaped), &id);
        if (r < 0)
                return r;
        /* One unit, one id: another spelling of the same id is another unit. */
        if (!job_id_is_valid(id))
                return -EINVAL;
        again = job_unit_name(id);
        if (!again)
                return -ENOMEM;
        if (!streq(again, unit))
                return -EINVAL;
        *ret = TAKE_PTR(id);
        return 0;
}
