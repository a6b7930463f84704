/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The orders of hyper-guest: see README.md. Plain C: it is built for Windows, and for the unit tests. */

#include <stdbool.h>
#include <stddef.h>

#define ORDERS_SIZE_MAX 65536
#define INTERFACES_MAX 32
#define ADDRESSES_MAX 16
#define COMMAND_MAX 256

typedef struct Interface {
        char id[39]; /* {GUID} */
        char mac[18]; /* lower case; "" if it is not known */
        char addresses[ADDRESSES_MAX][16]; /* none: DHCP */
        char masks[ADDRESSES_MAX][16];
        size_t n_addresses;
        char gateways[ADDRESSES_MAX][16];
        size_t n_gateways;
        char servers[ADDRESSES_MAX][16];
        size_t n_servers;
} Interface;

typedef struct FirstBootOrders {
        Interface interfaces[INTERFACES_MAX];
        size_t n;
} FirstBootOrders;

/* @text is changed. False if a line is malformed. */
bool first_boot_orders_parse(char *text, FirstBootOrders *ret);

/* An interface that Windows has now. */
typedef struct Adapter {
        char id[39];
        char mac[18];
        unsigned long index;
        const Interface *like; /* the old one whose configuration it gets, or NULL */
} Adapter;

/* True if it is one of the source. */
bool orders_know(const FirstBootOrders *o, const char *id);
/* Assigns the old interfaces to new ones. */
void orders_assign(const FirstBootOrders *o, Adapter *adapters, size_t n);

/* The arguments of netsh that configure an adapter, one command after another: @i counts from 0. False after
 * the last one. */
bool orders_command(const Adapter *a, size_t i, char ret[COMMAND_MAX]);
