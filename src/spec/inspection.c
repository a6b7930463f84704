/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/inspection.h"

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/vm-json.h"
#include "json/json-parse.h"
#include "json/json-table.h"

#define DISKS_MAX 1024u
#define CONCERNS_MAX 4096u
#define PARAMETERS_MAX 10u
#define TEXT_MAX 2000u
#define ERRNO_MAX 4095

static bool is_text(const json_t *value, size_t max) {
        const char *text = json_string_value(value);

        return text && json_string_length(value) == strlen(text) && strlen(text) <= max &&
                        !utf8_has_control(text);
}

static bool is_disk(const json_t *disk) {
        const json_t *format = json_object_get(disk, "format"), *size = json_object_get(disk, "size");

        return json_object_size(disk) == 3 && is_text(json_object_get(disk, "file"), TEXT_MAX) &&
                        (json_is_null(format) || is_text(format, VM_WORD_MAX)) &&
                        (json_is_null(size) || (json_is_integer(size) && json_integer_value(size) > 0));
}

static bool is_list(const json_t *list, size_t max, bool (*is)(const json_t *)) {
        const json_t *item;
        size_t i;

        json_array_foreach(list, i, item)
                if (!is(item))
                        return false;
        return json_is_array(list) && json_array_size(list) <= max;
}

static bool is_parameter(const json_t *parameter) {
        return is_text(parameter, TEXT_MAX);
}

static bool is_concern(const json_t *concern) {
        static const char *const severities[] = { "error", "warning", "information" };
        const json_t *severity = json_object_get(concern, "severity");
        bool known = false;

        for (size_t i = 0; i < ELEMENTSOF(severities); i++)
                known = known || streq_ptr(json_string_value(severity), severities[i]);
        return known && json_object_size(concern) == 5 && is_text(json_object_get(concern, "code"), 64) &&
                        is_text(json_object_get(concern, "text"), TEXT_MAX) &&
                        is_text(json_object_get(concern, "remedy"), TEXT_MAX) &&
                        is_list(json_object_get(concern, "parameters"), PARAMETERS_MAX, is_parameter);
}

static int check_vm(json_t *vm) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        VmHardware *hardware = NULL;
        int r = json_is_null(vm) ? 0 : vm_hardware_from_json(vm, "vm", &hardware, &errors);

        vm_hardware_free(hardware);
        return r;
}

static int read_error(const json_t *o) {
        json_int_t error = json_integer_value(json_object_get(o, "error"));

        return error > 0 && error <= ERRNO_MAX && json_object_size(o) == 1 ? -(int) error : -EBADMSG;
}

int inspection_decode(const char *text, size_t size, json_t **ret) {
        _cleanup_json_ json_t *o = NULL;
        _cleanup_free_ char *why = NULL;
        int r = size <= INSPECTION_MAX ? json_parse_object(text, size, &o, &why) : -EBADMSG;
        json_t *format = json_object_get(o, "format"), *vm = json_object_get(o, "vm");

        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        if (json_object_get(o, "error"))
                return read_error(o);
        if (json_object_size(o) != 4 || !vm || (!json_is_null(format) && !is_text(format, VM_WORD_MAX)) ||
                        !is_list(json_object_get(o, "disks"), DISKS_MAX, is_disk) ||
                        !is_list(json_object_get(o, "concerns"), CONCERNS_MAX, is_concern))
                return -EBADMSG;
        r = check_vm(vm);
        if (r >= 0)
                *ret = TAKE_PTR(o);
        return r;
}
