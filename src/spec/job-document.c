/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-document.h"
#include "basic/string-util.h"
#include "spec/carbon-spec.h"
#include "spec/warm-spec.h"

static void drop_nulls(json_t *object) {
        const char *key;
        json_t *value;
        void *next;

        json_object_foreach_safe(object, next, key, value) if (json_is_null(value))
                        json_object_del(object, key);
}

static json_t *section_of(json_t *document, const char *key) {
        json_t *section = json_object_get(document, key);

        if (!section && json_object_set_new(document, key, json_object()) == 0)
                section = json_object_get(document, key);
        return section;
}

/* What is rarely asked for is in the document only if it was. */
static void fill_exceptions(const JobSpec *s, json_t *parameters) {
        if (s->parameters.in_use == IN_USE_REFUSE)
                (void) json_object_del(parameters, "in_use");
        if (s->parameters.compression != JOB_COMPRESSION_ZSTD)
                (void) json_object_del(parameters, "compression");
        if (s->parameters.chain == CHAIN_REFUSE)
                (void) json_object_del(parameters, "chain");
        if (!s->parameters.allow_larger)
                (void) json_object_del(parameters, "allow_larger");
        if (s->parameters.fix == 0 && s->destination.type != ENDPOINT_KVM)
                (void) json_object_del(parameters, "fix");
        if (s->parameters.method == INITRAMFS_APPEND)
                (void) json_object_del(parameters, "method");
        if (s->parameters.relabel == RELABEL_CHANGED)
                (void) json_object_del(parameters, "relabel");
        if (!s->parameters.boot_check)
                (void) json_object_del(parameters, "boot_check");
        if (!s->parameters.dry_run)
                (void) json_object_del(parameters, "dry_run");
        if (!s->parameters.force)
                (void) json_object_del(parameters, "force");
        if (s->parameters.conversion_method == VSPHERE_METHOD_AUTO)
                (void) json_object_del(parameters, "conversion_method");
        if (s->parameters.source_power == VSPHERE_POWER_KEEP)
                (void) json_object_del(parameters, "source_power");
        if (!s->parameters.power_off)
                (void) json_object_del(parameters, "power_off");
}

static int fill_kvm(const JobSpec *s, json_t *destination, json_t *parameters) {
        const JobEndpoint *e = &s->destination;

        (void) json_object_del(destination, "directory");
        if (!kvm_spec_is_remote(&e->kvm))
                (void) json_object_del(destination, "libvirt_uri"); /* the default */
        else if (json_object_set_new(destination, "pool", json_string(e->kvm.pool)) < 0)
                return -1;
        if (!e->kvm.start)
                (void) json_object_del(destination, "start");
        /* Here, the default is another one. */
        if (s->operation == OPERATION_CONVERT &&
                        json_object_set_new(parameters, "fix", job_fix_to_json(s->parameters.fix)) < 0)
                return -ENOMEM;
        if (e->kvm.pool && !kvm_spec_is_remote(&e->kvm)) /* the path is not known yet */
                return json_object_set_new(destination, "name", json_string(e->kvm.name));
        return json_object_set_new(destination, "path", json_string(e->path)) |
                        json_object_set_new(destination, "name", json_string(e->kvm.name));
}

int job_document_fill(JobSpec *s) {
        static const char *const sections[] = { "source", "destination", "parameters", "execution_policy",
                "carbon" };
        json_t *parameters, *policy, *source;
        int failed = 0;

        drop_nulls(s->document);
        for (size_t i = 0; i < ELEMENTSOF(sections); i++)
                drop_nulls(json_object_get(s->document, sections[i]));
        source = section_of(s->document, "source");
        parameters = section_of(s->document, "parameters");
        policy = section_of(s->document, "execution_policy");

        if (vsphere_spec_normalize(&s->source.vsphere, source) < 0)
                return -ENOMEM;
        if (s->source.format != FORMAT_PROBE)
                failed |= json_object_set_new(
                                source, "format", json_string(disk_format_to_string(s->source.format)));
        if (s->source.checksum)
                failed |= json_object_set_new(source, "checksum", json_string(s->source.checksum));
        if (strv_length(s->source.further_disks) == 0)
                (void) json_object_del(source, "further_disks");
        if (job_spec_has_destination(s))
                failed |= json_object_set_new(section_of(s->document, "destination"), "format",
                                json_string(disk_format_to_string(s->destination.format)));
        if (s->destination.type == ENDPOINT_KVM)
                failed |= fill_kvm(s, json_object_get(s->document, "destination"), parameters);
        failed |= json_object_set_new(parameters, "compress", json_boolean(s->parameters.compress));
        failed |= json_object_set_new(parameters, "verify",
                        s->parameters.verify == VERIFY_FULL ? json_string("full")
                                                            : json_boolean(s->parameters.verify));
        fill_exceptions(s, parameters);
        failed |= warm_spec_fill(s, parameters);
        if (s->policy.timeout_seconds == 0) /* no limit */
                (void) json_object_del(policy, "timeout_seconds");
        failed |= json_object_set_new(policy, "retry_count", json_integer(s->policy.retry_count));
        failed |= json_object_set_new(policy, "priority", json_integer(s->policy.priority));
        failed |= json_object_set_new(policy, "idempotent", json_boolean(s->policy.idempotent));
        failed |= carbon_spec_fill(s);
        return failed ? -ENOMEM : 0;
}
