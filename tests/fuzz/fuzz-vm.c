/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "fuzz.h"
#include "spec/vm-json.h"
#include "spec/vm-value.h"
#include "json/json-parse.h"

/* Any text becomes a value that the decoder accepts, or none. */
static void fuzz_values(const char *text) {
        _cleanup_free_ char *line = vm_text(text, VM_TEXT_MAX), *word = NULL;
        char mac[VM_MAC_SIZE], uuid[VM_UUID_SIZE], again[VM_UUID_SIZE];

        if (line && (strlen(line) > VM_TEXT_MAX || utf8_has_control(line) || !utf8_is_valid(line)))
                abort();
        if (vm_word(text, &word) == 0 && word && (!vm_is_word(word) || strlen(word) > VM_WORD_MAX))
                abort();
        if (vm_mac_normalize(text, mac) == 0 && (vm_mac_normalize(mac, again) < 0 || !streq(mac, again)))
                abort();
        if (vm_uuid_normalize(text, uuid) == 0 &&
                        (vm_uuid_normalize(uuid, again) < 0 || !streq(uuid, again)))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size), *error = NULL;
        _cleanup_vm_ VmHardware *vm = NULL, *same = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {}, none = {};
        _cleanup_json_ json_t *object = NULL, *first = NULL, *second = NULL;

        if (text)
                fuzz_values(text);
        if (json_parse_object((const char *) data, size, &object, &error) < 0 ||
                        vm_hardware_from_json(object, "", &vm, &errors) < 0)
                return 0;
        first = vm_hardware_to_json(vm);
        if (!first || vm_hardware_from_json(first, "", &same, &none) < 0)
                abort();
        second = vm_hardware_to_json(same);
        if (!second || !json_equal(first, second))
                abort();
        return 0;
}
