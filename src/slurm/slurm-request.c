/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slurm/slurm-request.h"

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "spec/job-settings.h"
#include "spec/placement.h"
#include "json/json-table.h"

#define PATH_TEXT "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
/* Slurm ends a job so much later than hyper itself does. */
#define TIME_MARGIN 15u /* minutes */
#define NICE_STEP 100

/* The agent is a unit and not a child of the script, so it goes on if Slurm kills the script. */
static char *make_script(const char *id) {
        return strprintf("#!/bin/bash\n"
                         "unit='hyper-agent-job@%s.service'\n"
                         "trap 'systemctl stop \"$unit\"' TERM\n"
                         "systemctl start --wait \"$unit\" &\n"
                         "waiting=$!\n"
                         "# A trap ends the first wait.\n"
                         "wait \"$waiting\"\n"
                         "wait \"$waiting\" 2>/dev/null\n"
                         "status=$(systemctl show --property=ExecMainStatus --value \"$unit\")\n"
                         "systemctl reset-failed \"$unit\" 2>/dev/null\n"
                         "exit \"${status:-69}\"\n",
                        id);
}

static bool has_objects(const Settings *s) {
        const char *digits = startswith(s->slurm.api, "v0.0.");
        unsigned n;

        return digits && parse_unsigned(digits, &n) >= 0 && n >= 39;
}

static json_t *number(const Settings *s, uint64_t n) {
        return has_objects(s)
                        ? json_pack("{s:b, s:b, s:I}", "set", 1, "infinite", 0, "number", (json_int_t) n)
                        : json_integer((json_int_t) n);
}

static json_t *environment(const Settings *s) {
        return has_objects(s) ? json_pack("[s]", "PATH=" PATH_TEXT) : json_pack("{s:s}", "PATH", PATH_TEXT);
}

static bool is_license(const Settings *s, const char *limit) {
        STRV_FOREACH(pattern, s->slurm.licenses) {
                size_t n = strlen(*pattern);

                if (n > 0 && (*pattern)[n - 1] == '*' ? strncmp(*pattern, limit, n - 1) == 0
                                                      : streq(*pattern, limit))
                        return true;
        }
        return false;
}

/* "vcenter:vc1.example.com" is "vcenter_vc1.example.com:1". */
static int add_license(char **text, const char *limit) {
        _cleanup_free_ char *name = strdup(limit);
        char *longer;

        if (!name)
                return -ENOMEM;
        for (char *p = name; *p; p++)
                if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                                    strchr("._-", *p)))
                        *p = '_';
        longer = strprintf("%s%s%s:1", strempty(*text), *text ? "," : "", name);
        if (!longer)
                return -ENOMEM;
        free(*text);
        *text = longer;
        return 0;
}

static int set(json_t *job, const char *key, json_t *value) {
        return json_object_set_new(job, key, value) < 0 ? -ENOMEM : 0;
}

static int set_given(json_t *job, const char *key, const char *value) {
        return value ? set(job, key, json_string(value)) : 0;
}

/* The labels that the job needs are features of nodes, besides those of the configuration. What it prefers is
 * left out: not all versions have that. */
static int make_constraint(const Settings *s, const SlurmOrder *o, char **ret) {
        const char *all = strempty(s->slurm.constraint);
        bool simple = !all[strcspn(all, "|*()[]:=")];
        _cleanup_free_ char *text = NULL;

        STRV_FOREACH(word, o->limits) {
                if (!placement_is_word(*word) || !placement_is_needed(*word))
                        continue;
                char *longer = text      ? strprintf("%s&%s", text, *word + 1)
                                : !*all  ? strdup(*word + 1)
                                : simple ? strprintf("%s&%s", all, *word + 1)
                                         : strprintf("(%s)&%s", all, *word + 1);
                if (!longer)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        if (!text && *all && !(text = strdup(all)))
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

static int set_resources(const Settings *s, const SlurmOrder *o, json_t *job) {
        unsigned minutes = (o->timeout_seconds + 59) / 60;
        _cleanup_free_ char *licenses = NULL, *constraint = NULL;
        int r = set(job, "memory_per_node",
                        number(s, o->memory_gb > 0 ? (uint64_t) o->memory_gb * 1024 : s->slurm.memory));

        if (r >= 0 && minutes > 0)
                r = set(job, "time_limit", number(s, minutes + TIME_MARGIN));
        STRV_FOREACH(limit, o->limits)
                if (r >= 0 && is_license(s, *limit))
                        r = add_license(&licenses, *limit);
        if (r >= 0)
                r = set_given(job, "licenses", licenses);
        if (r >= 0)
                r = make_constraint(s, o, &constraint);
        if (r >= 0)
                r = set_given(job, "constraints", constraint);
        if (r >= 0)
                r = set_given(job, "partition", s->slurm.partition);
        return r < 0 ? r : set_given(job, "account", s->slurm.account);
}

char *slurm_request_body(const Settings *s, const char *prefix, const SlurmOrder *o) {
        _cleanup_free_ char *script = make_script(o->id), *name = strprintf("hyper-%s", o->id),
                            *comment = strprintf("%s%s", prefix, o->id);
        _cleanup_json_ json_t *body = NULL;
        json_t *job;

        if (!script || !name || !comment)
                return NULL;
        body = json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:s, s:b, s:i, s:i, s:o}}", "script", script, "job",
                        "name", name, "comment", comment, "current_working_directory", "/",
                        "standard_output", "/dev/null", "standard_error", "/dev/null", "requeue", 1, "tasks",
                        1, "nice", ((int) JOB_PRIORITY_MAX - (int) o->priority) * NICE_STEP, "environment",
                        environment(s));
        job = body ? json_object_get(body, "job") : NULL;
        if (!job || set_resources(s, o, job) < 0)
                return NULL;
        if (has_objects(s) &&
                        (set(job, "script", json_string(script)) < 0 || json_object_del(body, "script") < 0))
                return NULL;
        return json_dumps(body, JSON_COMPACT);
}
