/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What hyper-vsphered and hyper-hostd have read of a VM, in the form of v1, and a comparison of two: text of
 * servers and guests. */

#include "api/v1/v1-compare.h"
#include "api/v1/v1-vm-detail.h"
#include "api/v1/v1-vm.h"
#include "fuzz.h"
#include "json/json-parse.h"

static json_t *to_v1(const json_t *o) {
        _cleanup_v1_vm_ V1Vm vm = {};
        json_t *json;

        if (v1_vm_from_vsphere(o, 1, &vm) < 0)
                return NULL;
        (void) v1_vm_is_called(&vm, "/DC/vm/web");
        json = v1_vm_json(&vm, V1_PROVIDER_VSPHERE, "vc1");
        if (!json || v1_vm_add_vsphere_all(json, o) < 0 || v1_vm_add_libvirt_all(json, o) < 0)
                abort();
        return json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *why = NULL;
        _cleanup_json_ json_t *o = NULL, *vm = NULL, *empty = json_object(), *comparison = NULL,
                              *same = NULL;

        if (json_parse_object((const char *) data, size, &o, &why) < 0)
                return 0;
        vm = to_v1(o);
        if (!vm)
                return 0;
        same = v1_compare(vm, vm, NULL, 1);
        if (!same || !json_is_true(json_object_get(same, "match")))
                abort();
        comparison = v1_compare(vm, empty, NULL, 1);
        if (!comparison || json_is_true(json_object_get(comparison, "match")))
                abort();
        return 0;
}
