/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.hyper1.Deliveries: what hyper-notifyd asks for and tells. */

#include "manager/webhook/outbox.h"

extern const sd_bus_vtable deliveries_vtable[];
int outbox_bus_register(Outbox *o);
