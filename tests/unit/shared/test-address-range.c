/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>

#include "shared/address-range.h"
#include "unit/lib/test.h"

static bool contains(const char *range, const char *address) {
        AddressRange r, a;

        ck_assert_msg(address_range_parse(range, &r) == 0, "%s is refused", range);
        ck_assert_msg(address_range_parse(address, &a) == 0, "%s is refused", address);
        return address_range_contains(&r, &a.address);
}

START_TEST(ranges_contain_what_is_in_them) {
        static const struct {
                const char *range, *in, *out;
        } cases[] = {
                { "10.0.0.0/8", "10.255.0.1", "11.0.0.0" },
                { "127.0.0.1", "127.0.0.1", "127.0.0.2" },
                { "192.168.4.0/22", "192.168.7.255", "192.168.8.0" },
                { "0.0.0.0/0", "8.8.8.8", "2001:db8::1" },
                { "fd00::/8", "fd12::1", "fc00::1" },
                { "::1", "::1", "127.0.0.1" },
                { "fe80::/10", "febf::1", "fec0::1" },
                { "::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ck_assert_msg(contains(cases[i].range, cases[i].in), "%s", cases[i].range);
                ck_assert_msg(!contains(cases[i].range, cases[i].out), "%s", cases[i].range);
        }
        ck_assert(contains("::/0", "10.0.0.1"));
}
END_TEST

START_TEST(what_is_no_range_is_refused) {
        static const char *const bad[] = { "", "/", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                "10.0.0.1/8", "10.0.0.0/8/8", "localhost", "fd00::/129", "fd00::1/8", "fe80::1%lo",
                " 10.0.0.0/8", "010.0.0.0/8", "0x7f.1", "10.0.0.0/ 8",
                "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000" };
        AddressRange range;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(address_range_parse(bad[i], &range) == -EINVAL, "\"%s\" was taken", bad[i]);
}
END_TEST

START_TEST(socket_addresses_are_read) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        AddressRange range;
        Address a;

        ck_assert_int_eq(address_range_parse("127.0.0.1", &range), 0);
        ck_assert_int_eq(address_from_sockaddr((struct sockaddr *) &in, sizeof(in), &a), 0);
        ck_assert(address_range_contains(&range, &a));
        ck_assert_int_eq(address_from_sockaddr((struct sockaddr *) &in, 4, &a), -EAFNOSUPPORT);
        in.sin_family = AF_UNIX;
        ck_assert_int_eq(address_from_sockaddr((struct sockaddr *) &in, sizeof(in), &a), -EAFNOSUPPORT);
}
END_TEST

TEST_MAIN("address-range", ranges_contain_what_is_in_them, what_is_no_range_is_refused,
                socket_addresses_are_read)
