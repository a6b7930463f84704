/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-seen.h"

void v1_inventory_done(V1Inventory *i) {
        for (size_t k = 0; k < i->n; k++)
                v1_vm_done(&i->vms[k]);
        free(i->vms);
        *i = (V1Inventory){};
}

V1Provider *v1_provider_ref(V1Provider *p) {
        p->n_ref++;
        return p;
}

V1Provider *v1_provider_unref(V1Provider *p) {
        if (!p || --p->n_ref > 0)
                return NULL;
        free(p->id);
        free(p->host);
        free(p->endpoint);
        free(p->username);
        free(p->error);
        free(p->version);
        v1_inventory_done(&p->inventory);
        return mfree(p);
}
