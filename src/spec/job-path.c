/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Paths in a spec, as far as they can be judged without looking at the disk. */

#include <limits.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/job-path.h"

/* The longest file in a part directory, and the temporary name it is written under. */
#define PART_FILE_ROOM (sizeof("/checkpoint.new") - 1)
#define PART_ROOM (sizeof(JOB_PART_PREFIX JOB_PART_SUFFIX) - 1)

static const char *check_component(const char *s, size_t n, size_t max) {
        if (n == 0)
                return "must not have an empty component (\"//\" or a slash at the end)";
        if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
                return "must not have a \".\" or \"..\" component";
        if (n > max)
                return "must have a shorter file name";
        size_t suffix = strlen(JOB_PART_SUFFIX);
        if (s[0] == '.' && n > suffix && memcmp(s + n - suffix, JOB_PART_SUFFIX, suffix) == 0)
                return "must not be in the unfinished output of a job (.*" JOB_PART_SUFFIX ")";
        return NULL;
}

static const char *find_reason(const char *path, bool is_destination) {
        size_t room = is_destination ? PART_ROOM : 0;

        if (path[0] != '/')
                return "must be an absolute path";
        if (!utf8_is_valid(path))
                return "must be valid UTF-8";
        if (utf8_has_control(path))
                return "must not have control characters";
        if (strlen(path) + room + (is_destination ? PART_FILE_ROOM : 0) >= PATH_MAX)
                return "must be a shorter path";
        for (const char *p = path + 1;;) {
                size_t n = strcspn(p, "/");
                const char *reason = check_component(p, n, NAME_MAX - (p[n] ? 0 : room));

                if (reason || !p[n])
                        return reason;
                p += n + 1;
        }
}

bool job_path_is_valid(const char *path, bool is_destination, const char **ret_reason) {
        const char *reason = find_reason(path, is_destination);

        if (reason)
                *ret_reason = reason;
        return !reason;
}

char *job_part_path(const char *destination) {
        const char *slash = strrchr(destination, '/');
        const char *name = slash ? slash + 1 : destination;

        return strprintf("%.*s" JOB_PART_PREFIX "%s" JOB_PART_SUFFIX, (int) (name - destination),
                        destination, name);
}
