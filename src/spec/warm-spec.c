/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/warm-spec.h"
#include "basic/string-util.h"

static bool is_given(json_t *parameters, const char *key) {
        json_t *value = json_object_get(parameters, key);

        return value && !json_is_null(value);
}

/* For other jobs they would say nothing. */
static int refuse_without_warm(const JobSpec *s, json_t *parameters, JsonErrors *errors) {
        static const char *const keys[] = { "cutover", "interval_seconds", "power_on_after_failure" };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(keys) && r >= 0; i++) {
                if (!is_given(parameters, keys[i]))
                        continue;
                _cleanup_free_ char *path = strprintf("parameters.%s", keys[i]);
                r = path ? json_errors_add(errors, path, "must not be given unless parameters.warm is true")
                         : -ENOMEM;
        }
        if (r >= 0 && s->parameters.verify > VERIFY_FULL)
                r = json_errors_add(errors, "parameters.verify",
                                "must be true, false or full unless parameters.warm is true");
        return r;
}

/* What a warm job cannot do, and why. */
static int check_rest(const JobSpec *s, json_t *parameters, JsonErrors *errors) {
        bool has_file = s->destination.type == ENDPOINT_FILE || s->destination.type == ENDPOINT_KVM,
             has_image = s->destination.format == FORMAT_QCOW2 || s->destination.format == FORMAT_RAW;
        const struct {
                bool wrong;
                const char *field, *text;
        } rules[] = {
                { s->source.type >= 0 && s->source.type != ENDPOINT_VSPHERE, "parameters.warm",
                                "must be false unless the source is of type \"vsphere\"" },
                { s->operation >= 0 && s->operation != OPERATION_CONVERT, "parameters.warm",
                                "must be false unless operation is convert" },
                { s->destination.type >= 0 && (!has_file || !has_image), "parameters.warm",
                                "must be false unless the destination is a qcow2 or raw file" },
                { s->destination.path && startswith(s->destination.path, "/dev/"), "parameters.warm",
                                "must be false if the destination is a device: the passes change an image" },
                { s->parameters.compress || s->parameters.compression != JOB_COMPRESSION_NONE,
                                is_given(parameters, "compression") ? "parameters.compression"
                                                                    : "parameters.compress",
                                "must not be given for a warm job: later passes cannot change compressed "
                                "clusters" },
                { is_given(parameters, "source_power"), "parameters.source_power",
                                "must not be given for a warm job: the virtual machine runs until the "
                                "cutover" },
                { s->parameters.conversion_method == VSPHERE_METHOD_NFC, "parameters.conversion_method",
                                "must not be nfc for a warm job: an export has all of a disk, not what has "
                                "changed" },
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(rules) && r >= 0; i++)
                if (rules[i].wrong)
                        r = json_errors_add(errors, rules[i].field, "%s", rules[i].text);
        return r;
}

static int check_cutover(JobSpec *s, JsonErrors *errors) {
        const char *text = s->parameters.cutover;

        if (!text || streq(text, "manual"))
                return 0;
        return parse_rfc3339(text, &s->parameters.cutover_at) < 0 || s->parameters.cutover_at == 0
                        ? json_errors_add(errors, "parameters.cutover",
                                          "must be \"manual\", or a time such as 2026-05-01T02:00:00Z")
                        : 0;
}

int warm_spec_check(JobSpec *s, json_t *parameters, JsonErrors *errors) {
        if (!s->parameters.warm)
                return refuse_without_warm(s, parameters, errors);
        int r = check_rest(s, parameters, errors);
        if (r >= 0)
                r = check_cutover(s, errors);
        /* Areas that the server has forgotten are found by a comparison only. */
        if (!is_given(parameters, "verify") || s->parameters.verify == VERIFY_ON ||
                        s->parameters.verify == VERIFY_FULL)
                s->parameters.verify = VERIFY_PRECOPY;
        return r;
}

static const char *verify_word(int verify) {
        return verify == VERIFY_PRECOPY ? "precopy" : verify == VERIFY_CUTOVER ? "cutover" : "none";
}

int warm_spec_fill(const JobSpec *s, json_t *parameters) {
        char time[RFC3339_SIZE];
        const char *cutover = s->parameters.cutover_at > 0 ? format_rfc3339(time, s->parameters.cutover_at)
                                                           : "manual";

        if (!s->parameters.warm) {
                (void) json_object_del(parameters, "warm");
                return 0;
        }
        if (s->parameters.power_on_after_failure)
                (void) json_object_del(parameters, "power_on_after_failure");
        return json_object_set_new(parameters, "cutover", json_string(cutover)) < 0 ||
                                        json_object_set_new(parameters, "interval_seconds",
                                                        json_integer(s->parameters.interval_seconds)) < 0 ||
                                        json_object_set_new(parameters, "verify",
                                                        json_string(verify_word(s->parameters.verify))) < 0
                        ? -ENOMEM
                        : 0;
}
