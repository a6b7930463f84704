/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/warm-state.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "json/json-parse.h"
#include "json/json-table.h"

#define STATE_VERSION 1u
#define STATE_MAX ((size_t) 256 * 1024)
#define CAPACITY_MAX ((uint64_t) INT64_MAX)

static const JsonField disk_fields[] = {
        { "key", JSON_FIELD_UNSIGNED, offsetof(WarmDisk, key), .flags = JSON_REQUIRED },
        { "uuid", JSON_FIELD_STRING, offsetof(WarmDisk, uuid), .flags = JSON_NULLABLE },
        { "capacity", JSON_FIELD_UINT64, offsetof(WarmDisk, capacity), .flags = JSON_REQUIRED, .min = 1,
                        .max = CAPACITY_MAX },
        { "change_id", JSON_FIELD_STRING, offsetof(WarmDisk, change_id),
                        .flags = JSON_NULLABLE | JSON_NONEMPTY },
        { "target", JSON_FIELD_STRING, offsetof(WarmDisk, target), .flags = JSON_NULLABLE | JSON_NONEMPTY },
        {},
};

static const JsonField state_fields[] = {
        { "version", JSON_FIELD_KNOWN, .flags = JSON_REQUIRED },
        { "vm", JSON_FIELD_STRING, offsetof(WarmState, vm), .flags = JSON_REQUIRED | JSON_NONEMPTY },
        { "verified", JSON_FIELD_BOOLEAN, offsetof(WarmState, verified), .flags = JSON_REQUIRED },
        { "differed", JSON_FIELD_BOOLEAN, offsetof(WarmState, differed), .flags = JSON_REQUIRED },
        { "down_at", JSON_FIELD_UINT64, offsetof(WarmState, down_at), .flags = JSON_REQUIRED,
                        .max = CAPACITY_MAX },
        { "disks", JSON_FIELD_KNOWN, .flags = JSON_REQUIRED },
        {},
};

WarmState *warm_state_free(WarmState *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_disks; i++)
                json_table_done(disk_fields, &s->disks[i]);
        free(s->disks);
        json_table_done(state_fields, s);
        return mfree(s);
}

static bool disks_make_sense(const WarmState *s) {
        for (size_t i = 0; i < s->n_disks; i++)
                if ((s->disks[i].change_id != NULL) != (s->disks[0].change_id != NULL))
                        return false; /* the first pass is complete for all of them at once */
        return true;
}

static int decode_disks(WarmState *s, json_t *list, JsonErrors *errors) {
        size_t n = json_array_size(list), i;
        json_t *disk;

        if (n < 1 || n > WARM_DISKS_MAX)
                return -EBADMSG;
        s->disks = new0(WarmDisk, n);
        if (!s->disks)
                return -ENOMEM;
        s->n_disks = n;
        json_array_foreach(list, i, disk) {
                int r = json_is_object(disk)
                                ? json_table_decode(disk_fields, disk, "disks", &s->disks[i], errors)
                                : -EBADMSG;
                if (r < 0)
                        return r;
        }
        return 0;
}

int warm_state_decode(const char *text, size_t size, WarmState **ret) {
        _cleanup_warm_state_ WarmState *s = new0(WarmState, 1);
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *error = NULL;

        if (!s)
                return -ENOMEM;
        int r = json_parse_object(text, size, &object, &error);
        if (r >= 0)
                r = json_table_decode(state_fields, object, "", s, &errors);
        if (r >= 0 && json_integer_value(json_object_get(object, "version")) != STATE_VERSION)
                r = -EBADMSG;
        if (r >= 0)
                r = decode_disks(s, json_object_get(object, "disks"), &errors);
        if (r < 0)
                return r;
        if (errors.n_errors > 0 || strv_length(errors.unknown) > 0 || !disks_make_sense(s))
                return -EBADMSG;
        *ret = TAKE_PTR(s);
        return 0;
}

char *warm_state_encode(const WarmState *s) {
        _cleanup_json_ json_t *disks = json_array();

        for (size_t i = 0; i < s->n_disks; i++) {
                const WarmDisk *d = &s->disks[i];

                if (json_array_append_new(disks,
                                    json_pack("{s:I, s:s?, s:I, s:s?, s:s?}", "key", (json_int_t) d->key,
                                                    "uuid", d->uuid, "capacity", (json_int_t) d->capacity,
                                                    "change_id", d->change_id, "target", d->target)) < 0)
                        return NULL;
        }
        _cleanup_json_ json_t *object = json_pack("{s:I, s:s, s:b, s:b, s:I, s:O}", "version",
                        (json_int_t) STATE_VERSION, "vm", s->vm, "verified", s->verified, "differed",
                        s->differed, "down_at", (json_int_t) s->down_at, "disks", disks);
        return object ? json_dumps(object, JSON_INDENT(2)) : NULL;
}

int warm_state_read(int part_fd, WarmState **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;

        int r = read_file_at(part_fd, WARM_STATE_FILE, STATE_MAX, &text, &size);
        return r < 0 ? r : warm_state_decode(text, size, ret);
}

int warm_state_write(int part_fd, const WarmState *s) {
        _cleanup_free_ char *text = warm_state_encode(s);

        return text ? write_file_atomic_at(part_fd, WARM_STATE_FILE, text, strlen(text), 0600) : -ENOMEM;
}

bool warm_state_is_complete(const WarmState *s) {
        return s->n_disks > 0 && s->disks[0].change_id;
}
