/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/orders.h"
#include "basic/string-util.h"
#include "spec/job-file.h"
#include "spec/job-fix.h"
#include "spec/job-parameters.h"
#include "spec/vm.h"
#include "json/json-parse.h"

static int relabel(const char *s) {
        return job_relabel_from_string(s);
}

static const JsonField fields[] = {
        { "disks", JSON_FIELD_ANY, offsetof(Orders, disks), .flags = JSON_REQUIRED },
        { "operations", JSON_FIELD_ANY, offsetof(Orders, operations), .flags = JSON_REQUIRED },
        { "root", JSON_FIELD_STRING, offsetof(Orders, root), .flags = JSON_NULLABLE | JSON_NONEMPTY },
        { "nics", JSON_FIELD_ANY, offsetof(Orders, nics), .flags = JSON_NULLABLE },
        { "virtio_win", JSON_FIELD_STRING, offsetof(Orders, virtio_win),
                        .flags = JSON_NULLABLE | JSON_NONEMPTY },
        { "luks_keys", JSON_FIELD_ANY, offsetof(Orders, luks_keys), .flags = JSON_NULLABLE },
        { "native", JSON_FIELD_BOOLEAN, offsetof(Orders, native), .flags = JSON_NULLABLE },
        { "relabel", JSON_FIELD_ENUM, offsetof(Orders, relabel), .flags = JSON_NULLABLE,
                        .from_string = relabel, .expected = "changed, full, firstboot" },
        { "memory", JSON_FIELD_UNSIGNED, offsetof(Orders, memory), .flags = JSON_NULLABLE | JSON_OR_ZERO,
                        .min = JOB_APPLIANCE_MEMORY_MIN, .max = JOB_APPLIANCE_MEMORY_MAX },
        { "force", JSON_FIELD_BOOLEAN, offsetof(Orders, force), .flags = JSON_NULLABLE },
        { "appliance", JSON_FIELD_STRING, offsetof(Orders, appliance),
                        .flags = JSON_REQUIRED | JSON_NONEMPTY },
        { "runtime", JSON_FIELD_STRING, offsetof(Orders, runtime), .flags = JSON_REQUIRED | JSON_NONEMPTY },
        {},
};

void orders_done(Orders *o) {
        json_table_done(fields, o);
}

static int check_disks(const Orders *o, JsonErrors *errors) {
        json_t *disk;
        size_t i;

        if (!json_is_array(o->disks) || json_array_size(o->disks) == 0 ||
                        json_array_size(o->disks) > ORDERS_DISKS_MAX)
                return json_errors_add(errors, "disks", "must be a list of 1 to %u disks", ORDERS_DISKS_MAX);
        json_array_foreach(o->disks, i, disk)
                if (isempty(json_string_value(json_object_get(disk, "path"))) ||
                                isempty(json_string_value(json_object_get(disk, "format"))))
                        return json_errors_add(errors, "disks", "each disk must have a path and a format");
        return 0;
}

static int check_nics(const Orders *o, JsonErrors *errors) {
        json_t *nic;
        size_t i;

        if (!o->nics || json_is_null(o->nics))
                return 0;
        if (!json_is_array(o->nics) || json_array_size(o->nics) > VM_NICS_MAX)
                return json_errors_add(errors, "nics", "must be a list of at most %u NICs", VM_NICS_MAX);
        json_array_foreach(o->nics, i, nic)
                if (!json_is_object(nic))
                        return json_errors_add(errors, "nics", "each NIC must be an object");
        return 0;
}

static int check_luks_keys(const Orders *o, JsonErrors *errors) {
        json_t *key;
        size_t i;

        if (!o->luks_keys || json_is_null(o->luks_keys))
                return 0;
        if (!json_is_array(o->luks_keys) || json_array_size(o->luks_keys) > ORDERS_LUKS_KEYS_MAX)
                return json_errors_add(errors, "luks_keys", "must be a list of at most %u keys",
                                ORDERS_LUKS_KEYS_MAX);
        json_array_foreach(o->luks_keys, i, key)
                if (isempty(json_string_value(key)))
                        return json_errors_add(errors, "luks_keys", "each key must be a string");
        return 0;
}

int orders_parse(const char *text, size_t size, Orders *ret, JsonErrors *errors) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_orders_ Orders o = {};
        _cleanup_free_ char *why = NULL;
        int r;

        r = json_parse_object(text, size, &object, &why);
        if (r == -EBADMSG) {
                r = json_errors_add(errors, "", "the orders are no JSON object: %s", strna(why));
                return r < 0 ? r : -EBADMSG;
        }
        if (r >= 0)
                r = json_table_decode(fields, object, "", &o, errors);
        if (r >= 0 && errors->n_errors == 0)
                r = check_disks(&o, errors);
        if (r >= 0 && errors->n_errors == 0)
                r = check_nics(&o, errors);
        if (r >= 0 && errors->n_errors == 0)
                r = check_luks_keys(&o, errors);
        if (r >= 0 && errors->n_errors == 0)
                r = job_fix_from_json(o.operations, "operations", &o.fix, errors);
        if (r < 0)
                return r;
        if (errors->n_errors > 0 || errors->unknown)
                return -EBADMSG;
        *ret = o;
        o = (Orders){};
        return 0;
}
