/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The first-boot helper: its orders, as hyper-guest writes them, and what it does with them. */

#include "firstboot/orders.h"
#include "guest/first-boot.h"
#include "unit/lib/test.h"

#define FIRST "{848F537B-D3A3-4FD7-9360-3F7098E5EDE5}"
#define SECOND "{00000000-D3A3-4FD7-9360-3F7098E5EDE5}"
#define THIRD "{33333333-D3A3-4FD7-9360-3F7098E5EDE5}"

/* The commands for an adapter, each on a line. */
static char *commands(const Adapter *a) {
        _cleanup_strv_free_ char **list = NULL;
        char command[COMMAND_MAX];

        for (size_t i = 0; orders_command(a, i, command); i++)
                ck_assert_int_eq(strv_extend(&list, command), 0);
        return list ? strv_join(list, "\n") : strdup("");
}

START_TEST(orders_of_hyper_guest_are_understood) {
        WindowsInterface interfaces[2] = { { .id = SECOND },
                { .id = FIRST,
                                .mac = "00:50:56:95:08:bb",
                                .fixed = true,
                                .n_addresses = 2,
                                .n_gateways = 2,
                                .n_servers = 2 } };
        const WindowsNetwork network = { .items = interfaces, .n = 2 };
        static FirstBootOrders orders;

        for (unsigned i = 0; i < 2; i++) {
                (void) snprintf(interfaces[1].addresses[i].address, 16, "192.0.2.1%u", i);
                (void) snprintf(interfaces[1].addresses[i].mask, 16, "255.255.255.0");
                (void) snprintf(interfaces[1].gateways[i], 16, "192.0.2.%u", i + 1);
                (void) snprintf(interfaces[1].servers[i], 16, "192.0.2.5%u", i);
        }
        _cleanup_free_ char *text = first_boot_text(&network);
        ck_assert(first_boot_orders_parse(text, &orders));
        ck_assert_uint_eq(orders.n, 2);
        Adapter a = { .index = 7, .mac = "00:50:56:95:08:BB" };
        orders_assign(&orders, &a, 1);
        _cleanup_free_ char *found = commands(&a);
        ck_assert_str_eq(found,
                        "interface ipv4 set address name=7 source=static address=192.0.2.10 "
                        "mask=255.255.255.0 gateway=192.0.2.1 gwmetric=1\n"
                        "interface ipv4 add address name=7 address=192.0.2.11 mask=255.255.255.0\n"
                        "interface ipv4 add address name=7 gateway=192.0.2.2 gwmetric=2\n"
                        "interface ipv4 set dnsservers name=7 source=static address=192.0.2.50 "
                        "register=primary validate=no\n"
                        "interface ipv4 add dnsservers name=7 address=192.0.2.51 index=2 validate=no");
        ck_assert(orders_know(&orders, "{848f537b-d3a3-4fd7-9360-3f7098e5ede5}"));
        ck_assert(!orders_know(&orders, THIRD));
}
END_TEST

/* The longest of all, of each kind: no limit of the program is below those of hyper-guest. */
START_TEST(limits_agree) {
        _cleanup_free_ WindowsInterface *items = new0(WindowsInterface, WINDOWS_INTERFACES_MAX);
        const WindowsNetwork network = { .items = items, .n = WINDOWS_INTERFACES_MAX };
        static FirstBootOrders orders;

        ck_assert_ptr_nonnull(items);
        for (size_t i = 0; i < WINDOWS_INTERFACES_MAX; i++) {
                items[i] = (WindowsInterface){ .id = FIRST,
                        .mac = "00:50:56:95:08:bb",
                        .fixed = true,
                        .n_addresses = WINDOWS_ADDRESSES_MAX,
                        .n_gateways = WINDOWS_ADDRESSES_MAX,
                        .n_servers = WINDOWS_ADDRESSES_MAX };
                for (size_t k = 0; k < WINDOWS_ADDRESSES_MAX; k++) {
                        strcpy(items[i].addresses[k].address, "255.255.255.255");
                        strcpy(items[i].addresses[k].mask, "255.255.255.255");
                        strcpy(items[i].gateways[k], "255.255.255.255");
                        strcpy(items[i].servers[k], "255.255.255.255");
                }
        }
        _cleanup_free_ char *text = first_boot_text(&network);
        ck_assert_uint_le(strlen(text), ORDERS_SIZE_MAX);
        ck_assert(first_boot_orders_parse(text, &orders));
        ck_assert_uint_eq(orders.n, WINDOWS_INTERFACES_MAX);
        ck_assert_uint_eq(orders.interfaces[31].n_servers, WINDOWS_ADDRESSES_MAX);
        Adapter a = { .index = UINT32_MAX, .like = &orders.interfaces[0] };
        _cleanup_free_ char *found = commands(&a);
        ck_assert_ptr_nonnull(strstr(found, "index=16 validate=no"));
}
END_TEST

START_TEST(what_is_malformed_is_refused) {
        static const char *const texts[] = { "address 192.0.2.1 255.255.255.0\r\n", "interface\r\n",
                "interface " FIRST "\r\n", "interface {848F} -\r\n", "interface " FIRST " 00:50\r\n",
                "interface " FIRST " -\r\naddress 192.0.2.1\r\n", "interface " FIRST " -\r\ngateway\r\n",
                "interface " FIRST " -\r\ndns 192.0.2.1&calc\r\n",
                "interface " FIRST " -\r\ndns 192.000.000.0001\r\n",
                "interface " FIRST " -\r\nformat c:\r\n" };
        static FirstBootOrders orders;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *text = strdup(texts[i]);
                ck_assert_msg(!first_boot_orders_parse(text, &orders), "%s", texts[i]);
        }
        _cleanup_free_ char *empty = strdup("\r\n \r\n");
        ck_assert(first_boot_orders_parse(empty, &orders));
        ck_assert_uint_eq(orders.n, 0);
}
END_TEST

/* The IDs of those that the new ones are like, "-" for none. */
static const struct {
        const char *orders;
        const char *macs[3];
        const char *expected;
} rows[] = {
        /* one and one */
        { "interface " FIRST " -\n", { "52:54:00:00:00:01" }, FIRST },
        { "interface " FIRST " 00:50:56:00:00:01\n", { "52:54:00:00:00:01" }, FIRST },
        /* by address, and what is left */
        { "interface " FIRST " 00:50:56:00:00:01\ninterface " SECOND " 00:50:56:00:00:02\n",
                        { "00:50:56:00:00:02", "00:50:56:00:00:01" }, SECOND " " FIRST },
        { "interface " FIRST " -\ninterface " SECOND " 00:50:56:00:00:02\n",
                        { "52:54:00:00:00:01", "00:50:56:00:00:02" }, FIRST " " SECOND },
        /* ambiguous */
        { "interface " FIRST " -\ninterface " SECOND " -\n", { "52:54:00:00:00:01", "52:54:00:00:00:02" },
                        "- -" },
        { "interface " FIRST " -\n", { "52:54:00:00:00:01", "52:54:00:00:00:02" }, "- -" },
        { "interface " FIRST " -\ninterface " SECOND " -\n", { "52:54:00:00:00:01" }, "-" },
        { "", { "52:54:00:00:00:01" }, "-" },
};

START_TEST(interfaces_are_assigned) {
        static FirstBootOrders orders;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = strdup(rows[i].orders), *joined = NULL;
                _cleanup_strv_free_ char **found = NULL;
                Adapter adapters[3] = {};
                size_t n = 0;

                ck_assert(first_boot_orders_parse(text, &orders));
                for (; n < 3 && rows[i].macs[n]; n++)
                        strcpy(adapters[n].mac, rows[i].macs[n]);
                orders_assign(&orders, adapters, n);
                for (size_t k = 0; k < n; k++)
                        ck_assert_int_eq(strv_extend(&found, adapters[k].like ? adapters[k].like->id : "-"),
                                        0);
                joined = strv_join(found, " ");
                ck_assert_str_eq(joined, rows[i].expected);
        }
}
END_TEST

START_TEST(dhcp_needs_no_command) {
        const Interface dhcp = { .id = FIRST };
        const Adapter with = { .index = 1, .like = &dhcp }, without = { .index = 1 };
        char command[COMMAND_MAX];

        ck_assert(!orders_command(&with, 0, command));
        ck_assert(!orders_command(&without, 0, command));
}
END_TEST

TEST_MAIN("guest-first-boot", orders_of_hyper_guest_are_understood, limits_agree,
                what_is_malformed_is_refused, interfaces_are_assigned, dhcp_needs_no_command)
