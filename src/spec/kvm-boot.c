/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/kvm-boot.h"

#include <inttypes.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/job-file-internal.h"
#include "spec/job-file.h"
#include "json/json-parse.h"

static const char *const boots_names[_KVM_BOOTS_MAX] = {
        [KVM_BOOTS_YES] = "yes",
        [KVM_BOOTS_NO] = "no",
        [KVM_BOOTS_UNKNOWN] = "unknown",
};

const char *kvm_boots_to_string(KvmBoots b) {
        return b >= 0 && b < _KVM_BOOTS_MAX ? boots_names[b] : NULL;
}

KvmBoots kvm_boots_from_string(const char *s) {
        for (int i = 0; s && i < _KVM_BOOTS_MAX; i++)
                if (streq(boots_names[i], s))
                        return i;
        return _KVM_BOOTS_INVALID;
}

static int boots_from_string(const char *s) {
        return kvm_boots_from_string(s);
}

static const JsonField boot_fields[] = {
        { "boots", JSON_FIELD_ENUM, offsetof(KvmBoot, boots), .flags = JSON_REQUIRED,
                        .from_string = boots_from_string, .expected = "yes, no, unknown" },
        { "message", JSON_FIELD_STRING, offsetof(KvmBoot, message), .flags = JSON_REQUIRED | JSON_NONEMPTY },
        { "console", JSON_FIELD_STRV, offsetof(KvmBoot, console), .max = KVM_BOOT_LINE_MAX },
        { "screenshot", JSON_FIELD_STRING, offsetof(KvmBoot, screenshot), .flags = JSON_NONEMPTY },
        { "seconds", JSON_FIELD_UNSIGNED, offsetof(KvmBoot, seconds) },
        { "bytes_read", JSON_FIELD_UINT64, offsetof(KvmBoot, bytes_read), .max = INT64_MAX },
        {},
};

KvmBoot *kvm_boot_free(KvmBoot *b) {
        if (!b)
                return NULL;
        json_table_done(boot_fields, b);
        return mfree(b);
}

KvmBoot *kvm_boot_new(KvmBoots boots, const char *message) {
        _cleanup_kvm_boot_ KvmBoot *b = new0(KvmBoot, 1);

        if (!b || !(b->message = strdup(message)))
                return NULL;
        b->boots = boots;
        return TAKE_PTR(b);
}

/* They come from a guest. */
static bool lines_are_valid(char *const *lines) {
        if (strv_length(lines) > KVM_BOOT_LINES_MAX)
                return false;
        STRV_FOREACH(line, lines)
                if (utf8_has_control(*line))
                        return false;
        return true;
}

int kvm_boot_decode(const char *text, size_t size, KvmBoot **ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_kvm_boot_ KvmBoot *b = new0(KvmBoot, 1);
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *error = NULL;

        if (!b)
                return -ENOMEM;
        int r = size > KVM_BOOT_MAX ? -EBADMSG : json_parse_object(text, size, &object, &error);
        if (r >= 0)
                r = json_table_decode(boot_fields, object, "", b, &errors);
        if (r < 0)
                return r;
        if (errors.n_errors > 0 || errors.unknown || utf8_has_control(b->message) ||
                        !lines_are_valid(b->console))
                return -EBADMSG;
        *ret = TAKE_PTR(b);
        return 0;
}

json_t *kvm_boot_to_json(const KvmBoot *b) {
        _cleanup_json_ json_t *console = json_array();

        STRV_FOREACH(line, b->console)
                if (json_array_append_new(console, json_string(*line)) < 0)
                        return NULL;
        return json_pack("{s:s, s:s, s:O, s:s*, s:I, s:I}", "boots", kvm_boots_to_string(b->boots),
                        "message", b->message, "console", console, "screenshot", b->screenshot, "seconds",
                        (json_int_t) b->seconds, "bytes_read", (json_int_t) b->bytes_read);
}

int kvm_boot_read(const char *directory, KvmBoot **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = job_file_read(directory, KVM_BOOT_FILE, KVM_BOOT_MAX, &text, &size);

        return r < 0 ? r : kvm_boot_decode(text, size, ret);
}

int kvm_boot_write(const KvmBoot *b, const char *directory) {
        _cleanup_json_ json_t *object = kvm_boot_to_json(b);

        return object ? job_file_write(directory, KVM_BOOT_FILE, object) : -ENOMEM;
}

/* FNV-1a: short, and other IDs have other names. */
char *kvm_boot_domain_name(const char *job_id) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325);

        for (const char *c = job_id; *c; c++)
                hash = (hash ^ (uint8_t) *c) * UINT64_C(0x100000001b3);
        return strprintf("hyper-boot-%016" PRIx64, hash);
}
