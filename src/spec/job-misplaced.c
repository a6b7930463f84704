/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-misplaced.h"
#include "basic/string-util.h"

/* The last part of a field's name, and the setting that it can only mean. */
static const struct {
        const char *key;
        const char *canonical, *other; /* other: the second place that could be meant, or NULL */
} settings[] = {
        /* sections */
        { "policy", "execution_policy", NULL },
        { "exec_policy", "execution_policy", NULL },
        { "execution", "execution_policy", NULL },
        { "execution_policy", "execution_policy", NULL },
        { "executionPolicy", "execution_policy", NULL },
        { "carbon", "carbon", NULL },
        /* execution_policy */
        { "timeout_seconds", "execution_policy.timeout_seconds", NULL },
        { "timeoutSeconds", "execution_policy.timeout_seconds", NULL },
        { "timeout_sec", "execution_policy.timeout_seconds", NULL },
        { "timeout", "execution_policy.timeout_seconds", NULL },
        { "retry_count", "execution_policy.retry_count", NULL },
        { "retryCount", "execution_policy.retry_count", NULL },
        { "retries", "execution_policy.retry_count", NULL },
        { "max_retries", "execution_policy.retry_count", NULL },
        { "priority", "execution_policy.priority", NULL },
        { "idempotent", "execution_policy.idempotent", NULL },
        /* parameters */
        { "compress", "parameters.compress", NULL },
        { "compression", "parameters.compression", NULL },
        { "verify", "parameters.verify", NULL },
        { "in_use", "parameters.in_use", NULL },
        { "chain", "parameters.chain", NULL },
        { "allow_larger", "parameters.allow_larger", NULL },
        { "fix", "parameters.fix", NULL },
        { "boot_check", "parameters.boot_check", NULL },
        { "boot_timeout_seconds", "parameters.boot_timeout_seconds", NULL },
        { "dry_run", "parameters.dry_run", NULL },
        { "relabel", "parameters.relabel", NULL },
        { "conversion_method", "parameters.conversion_method", NULL },
        { "source_power", "parameters.source_power", NULL },
        { "shutdown_timeout_seconds", "parameters.shutdown_timeout_seconds", NULL },
        { "power_off", "parameters.power_off", NULL },
        { "warm", "parameters.warm", NULL },
        { "cutover", "parameters.cutover", NULL },
        { "interval_seconds", "parameters.interval_seconds", NULL },
        { "power_on_after_failure", "parameters.power_on_after_failure", NULL },
        /* the two ends */
        { "checksum", "source.checksum", NULL },
        { "tls_psk", "source.tls_psk", "destination.tls_psk" },
        { "tls_certificates", "source.tls_certificates", "destination.tls_certificates" },
        { "format", "source.format", "destination.format" },
        { "source_format", "source.format", NULL },
        { "input_format", "source.format", NULL },
        { "output_format", "destination.format", NULL },
        { "destination_format", "destination.format", NULL },
        { "source_path", "source.path", NULL },
        { "input_path", "source.path", NULL },
        { "output_path", "destination.path", NULL },
        { "destination_path", "destination.path", NULL },
};

/* People write down what they like in these: nothing in them is a setting. */
static bool is_free_text(const char *path) {
        return startswith(path, "audit") || startswith(path, "capability_requirements");
}

int job_misplaced_check(JsonErrors *errors, job_field_name_func name, void *userdata) {
        STRV_FOREACH(path, errors->unknown) {
                const char *dot = strrchr(*path, '.'), *key = dot ? dot + 1 : *path;

                for (size_t i = 0; i < ELEMENTSOF(settings) && !is_free_text(*path); i++) {
                        if (!streq(key, settings[i].key))
                                continue;
                        _cleanup_free_ char *right = name(userdata, settings[i].canonical),
                                            *other = settings[i].other ? name(userdata, settings[i].other)
                                                                       : NULL;
                        if (!right || (settings[i].other && !other))
                                return -ENOMEM;
                        int r = json_errors_add(errors, *path, "must be given as %s%s%s", right,
                                        other ? " or " : "", strempty(other));
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}
