/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/kvm-outcome.h"

#include "basic/string-util.h"
#include "spec/job-file-internal.h"
#include "spec/job-file.h"
#include "spec/kvm-domain.h"
#include "json/json-parse.h"

#define XML_MAX (KVM_OUTCOME_MAX / 2)

static const JsonField outcome_fields[] = {
        { "name", JSON_FIELD_STRING, offsetof(KvmOutcome, name), .flags = JSON_REQUIRED | JSON_NONEMPTY,
                        .max = KVM_NAME_MAX },
        { "uuid", JSON_FIELD_STRING, offsetof(KvmOutcome, uuid), .flags = JSON_NONEMPTY,
                        .max = VM_UUID_SIZE - 1 },
        { "running", JSON_FIELD_BOOLEAN, offsetof(KvmOutcome, running) },
        { "xml", JSON_FIELD_STRING, offsetof(KvmOutcome, xml), .flags = JSON_NONEMPTY, .max = XML_MAX },
        { "warnings", JSON_FIELD_STRV, offsetof(KvmOutcome, warnings) },
        { "disks", JSON_FIELD_STRV, offsetof(KvmOutcome, disks) },
        { "error", JSON_FIELD_STRING, offsetof(KvmOutcome, error), .flags = JSON_NONEMPTY },
        {},
};

KvmOutcome *kvm_outcome_free(KvmOutcome *o) {
        if (!o)
                return NULL;
        json_table_done(outcome_fields, o);
        return mfree(o);
}

int kvm_outcome_decode(const char *text, size_t size, KvmOutcome **ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_kvm_outcome_ KvmOutcome *o = new0(KvmOutcome, 1);
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *error = NULL;

        if (!o)
                return -ENOMEM;
        int r = json_parse_object(text, size, &object, &error);
        if (r >= 0)
                r = json_table_decode(outcome_fields, object, "", o, &errors);
        if (r < 0)
                return r;
        /* It is defined, or it says why it is not. */
        if (errors.n_errors > 0 || errors.unknown || (!o->uuid && !o->error))
                return -EBADMSG;
        *ret = TAKE_PTR(o);
        return 0;
}

/* NULL when out of memory. */
static json_t *list_to_json(char *const *l) {
        _cleanup_json_ json_t *list = json_array();

        STRV_FOREACH(s, l)
                if (json_array_append_new(list, json_string(*s)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

json_t *kvm_outcome_to_json(const KvmOutcome *o) {
        _cleanup_json_ json_t *object = json_pack("{s:s, s:s*, s:b, s:s*, s:o, s:s*}", "name", o->name,
                        "uuid", o->uuid, "running", o->running, "xml", o->xml, "warnings",
                        list_to_json(o->warnings), "error", o->error);

        if (!object || (o->disks && json_object_set_new(object, "disks", list_to_json(o->disks)) < 0))
                return NULL;
        return TAKE_PTR(object);
}

int kvm_outcome_read(const char *directory, KvmOutcome **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = job_file_read(directory, KVM_OUTCOME_FILE, KVM_OUTCOME_MAX, &text, &size);

        return r < 0 ? r : kvm_outcome_decode(text, size, ret);
}

int kvm_outcome_write(const KvmOutcome *o, const char *directory) {
        _cleanup_json_ json_t *object = kvm_outcome_to_json(o);

        return object ? job_file_write(directory, KVM_OUTCOME_FILE, object) : -ENOMEM;
}
