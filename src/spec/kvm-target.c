/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/kvm-target.h"

#include "basic/string-util.h"
#include "spec/vm.h"
#include "json/json-parse.h"

static const JsonField target_fields[] = {
        { "type", JSON_FIELD_STRING, offsetof(KvmTarget, type), .flags = JSON_REQUIRED | JSON_NONEMPTY,
                        .max = VM_WORD_MAX },
        { "q35", JSON_FIELD_BOOLEAN, offsetof(KvmTarget, q35) },
        { "efi", JSON_FIELD_BOOLEAN, offsetof(KvmTarget, efi) },
        { "secure_boot", JSON_FIELD_BOOLEAN, offsetof(KvmTarget, secure_boot) },
        { "tpm", JSON_FIELD_BOOLEAN, offsetof(KvmTarget, tpm) },
        { "host_model", JSON_FIELD_BOOLEAN, offsetof(KvmTarget, host_model) },
        { "maximum", JSON_FIELD_BOOLEAN, offsetof(KvmTarget, maximum) },
        { "virtio_vga", JSON_FIELD_BOOLEAN, offsetof(KvmTarget, virtio_vga) },
        { "networks", JSON_FIELD_STRV, offsetof(KvmTarget, networks), .flags = JSON_REQUIRED },
        { "bridges", JSON_FIELD_STRV, offsetof(KvmTarget, bridges), .flags = JSON_REQUIRED },
        { "inactive", JSON_FIELD_STRV, offsetof(KvmTarget, inactive) },
        { "pools", JSON_FIELD_STRV, offsetof(KvmTarget, pools) },
        { "pool", JSON_FIELD_STRING, offsetof(KvmTarget, pool) },
        { "pool_type", JSON_FIELD_STRING, offsetof(KvmTarget, pool_type) },
        { "pool_path", JSON_FIELD_STRING, offsetof(KvmTarget, pool_path) },
        { "pool_active", JSON_FIELD_BOOLEAN, offsetof(KvmTarget, pool_active) },
        { "pool_available", JSON_FIELD_UINT64, offsetof(KvmTarget, pool_available) },
        { "volumes", JSON_FIELD_ANY, offsetof(KvmTarget, volumes) },
        { "domains", JSON_FIELD_KNOWN, 0, .flags = JSON_REQUIRED },
        {},
};

static const JsonField domain_fields[] = {
        { "name", JSON_FIELD_STRING, offsetof(KvmNeighbour, name), .flags = JSON_REQUIRED },
        { "uuid", JSON_FIELD_STRING, offsetof(KvmNeighbour, uuid), .flags = JSON_REQUIRED },
        { "macs", JSON_FIELD_STRV, offsetof(KvmNeighbour, macs), .flags = JSON_REQUIRED },
        {},
};

KvmTarget *kvm_target_free(KvmTarget *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_domains; i++)
                json_table_done(domain_fields, &t->domains[i]);
        free(t->domains);
        json_table_done(target_fields, t);
        return mfree(t);
}

KvmNeighbour *kvm_target_add_domain(KvmTarget *t) {
        errno = t->n_domains < KVM_DOMAINS_MAX ? ENOMEM : E2BIG;
        if (t->n_domains >= KVM_DOMAINS_MAX ||
                        !GREEDY_REALLOC(t->domains, t->allocated_domains, t->n_domains + 1))
                return NULL;
        t->domains[t->n_domains] = (KvmNeighbour){};
        return &t->domains[t->n_domains++];
}

static int decode_domains(KvmTarget *t, json_t *list, JsonErrors *errors) {
        json_t *entry;
        size_t i;

        if (!json_is_array(list) || json_array_size(list) > KVM_DOMAINS_MAX)
                return json_errors_add(errors, "domains", "must be a list");
        json_array_foreach(list, i, entry) {
                KvmNeighbour *d = kvm_target_add_domain(t);
                int r = d ? json_table_decode(domain_fields, entry, "domains", d, errors) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

int kvm_target_decode(const char *text, size_t size, KvmTarget **ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_kvm_target_ KvmTarget *t = new0(KvmTarget, 1);
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *error = NULL;

        if (!t)
                return -ENOMEM;
        int r = json_parse_object(text, size, &object, &error);
        if (r >= 0)
                r = json_table_decode(target_fields, object, "", t, &errors);
        if (r >= 0)
                r = decode_domains(t, json_object_get(object, "domains"), &errors);
        if (r < 0)
                return r;
        if (errors.n_errors > 0 || errors.unknown || (t->volumes && !json_is_array(t->volumes)))
                return -EBADMSG;
        *ret = TAKE_PTR(t);
        return 0;
}

static json_t *strv_to_json(char *const *l) {
        _cleanup_json_ json_t *list = json_array();

        STRV_FOREACH(s, l)
                if (json_array_append_new(list, json_string(*s)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static json_t *domains_to_json(const KvmTarget *t) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < t->n_domains; i++) {
                const KvmNeighbour *d = &t->domains[i];
                if (json_array_append_new(list,
                                    json_pack("{s:s, s:s, s:o}", "name", d->name, "uuid", d->uuid, "macs",
                                                    strv_to_json(d->macs))) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

static int add_storage(const KvmTarget *t, json_t *object) {
        _cleanup_json_ json_t *storage = json_pack("{s:o, s:s*, s:s*, s:s*, s:b, s:I, s:O*}", "pools",
                        strv_to_json(t->pools), "pool", t->pool, "pool_type", t->pool_type, "pool_path",
                        t->pool_path, "pool_active", t->pool_active, "pool_available",
                        (json_int_t) MIN(t->pool_available, (uint64_t) INT64_MAX), "volumes", t->volumes);

        return storage && json_object_update(object, storage) >= 0 ? 0 : -ENOMEM;
}

json_t *kvm_target_to_json(const KvmTarget *t) {
        _cleanup_json_ json_t *object = json_pack(
                        "{s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:o}", "type", t->type,
                        "q35", t->q35, "efi", t->efi, "secure_boot", t->secure_boot, "tpm", t->tpm,
                        "host_model", t->host_model, "maximum", t->maximum, "virtio_vga", t->virtio_vga,
                        "networks", strv_to_json(t->networks), "bridges", strv_to_json(t->bridges),
                        "inactive", strv_to_json(t->inactive), "domains", domains_to_json(t));

        return object && add_storage(t, object) >= 0 ? TAKE_PTR(object) : NULL;
}
