/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-vm-select.h"

#include "api/v1/v1-page.h"
#include "basic/string-util.h"

int v1_vm_sort_from_string(const char *s) {
        static const char *const words[] = { "name", "provider", "os", "cpu", "memory_mb", "power_state",
                "last_seen" };

        for (int i = 0; i < _V1_VM_SORT_MAX; i++)
                if (streq(words[i], s))
                        return i;
        return -EINVAL;
}

/* --- which ----------------------------------------------------------------------------------------- */

static bool is_in(uint32_t mask, int value) {
        return mask == 0 || (value >= 0 && mask & 1u << value);
}

static bool matches(const V1Vm *vm, const V1VmFilter *f) {
        if (!is_in(f->powers, vm->power) || !is_in(f->oses, vm->os))
                return false;
        return !f->search || v1_search_matches(vm->name, f->search) ||
                        v1_search_matches(vm->id, f->search) || v1_search_matches(vm->path, f->search) ||
                        v1_search_matches(vm->os_version, f->search) || v1_search_matches(vm->ip, f->search);
}

/* --- the order ------------------------------------------------------------------------------------- */

/* The key of an order: a number, or a text with @number 0. Unknown: @known false. */
typedef struct Key {
        bool known;
        uint64_t number;
        const char *text;
} Key;

static Key key_of(const V1SelectedVm *s, V1VmSort sort) {
        const V1Vm *vm = s->vm;
        const char *text = NULL;

        switch (sort) {
        case V1_VM_SORT_CPU:
                return (Key){ vm->cpu > 0, vm->cpu, "" };
        case V1_VM_SORT_MEMORY:
                return (Key){ vm->memory_mb > 0, vm->memory_mb, "" };
        case V1_VM_SORT_SEEN:
                return (Key){ vm->last_seen > 0, vm->last_seen, "" };
        case V1_VM_SORT_PROVIDER:
                text = v1_provider_type_to_string(s->provider->type);
                break;
        case V1_VM_SORT_OS:
                text = v1_os_to_string(vm->os);
                break;
        case V1_VM_SORT_POWER:
                text = v1_power_to_string(vm->power);
                break;
        default:
                text = vm->name;
        }
        return (Key){ text != NULL, 0, strempty(text) };
}

static int compare(const void *a, const void *b, void *userdata) {
        const V1SelectedVm *x = a, *y = b;
        const V1VmFilter *f = userdata;
        Key p = key_of(x, f->sort), q = key_of(y, f->sort);
        int c;

        if (p.known != q.known)
                return p.known ? -1 : 1;
        c = p.number != q.number ? (p.number < q.number ? -1 : 1) : strcmp(p.text, q.text);
        if (c != 0)
                return f->descending ? -c : c;
        c = strcmp(x->vm->name, y->vm->name);
        if (c == 0)
                c = strcmp(x->vm->id, y->vm->id);
        return c != 0 ? c : strcmp(x->provider->id, y->provider->id);
}

int v1_vms_select(V1Provider *const *providers, size_t n, const V1VmFilter *filter, V1SelectedVm **ret,
                size_t *ret_n) {
        _cleanup_free_ V1SelectedVm *list = NULL;
        size_t allocated = 0, length = 0;

        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < providers[i]->inventory.n; k++) {
                        const V1Vm *vm = &providers[i]->inventory.vms[k];

                        if (!matches(vm, filter))
                                continue;
                        if (!GREEDY_REALLOC(list, allocated, length + 1))
                                return -ENOMEM;
                        list[length++] = (V1SelectedVm){ providers[i], vm };
                }
        if (length > 0)
                qsort_r(list, length, sizeof(V1SelectedVm), compare, (void *) filter);
        *ret = TAKE_PTR(list);
        *ret_n = length;
        return 0;
}
