/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/lib/test.h"
#include "vsphered/login.h"
#include "vsphered/vm-list.h"

#define N 100u

/* A VM whose place in the order is @i; two in a row have the same path. */
static VmSummary make_vm(unsigned i) {
        return (VmSummary){
                .id = strprintf("vm-%03u", i),
                .name = strprintf("Name%u", i),
                .path = strprintf("/DC/vm/a %%2f %03u", i / 2),
                .datacenter = strdup(i % 2 ? "DC" : "DC2"),
                .power = i % 4 ? VM_POWERED_OFF : VM_POWERED_ON,
        };
}

#define READ_AT UINT64_C(1764506465000000)

/* Reads a page while the VMs come in another order than that of their paths; @rest may be NULL. */
static json_t *read_page_and_rest(const VmFilter *filter, unsigned limit, char **cursor, VmListing *rest,
                uint64_t *ret_total) {
        _cleanup_(vm_list_freep) VmList *l = NULL;
        _cleanup_vm_cursor_ VmCursor after = {};
        _cleanup_free_ char *text = NULL;
        json_t *page;

        ck_assert_int_eq(vm_cursor_parse(*cursor, &after), 0);
        ck_assert_int_eq(vm_list_new(filter, limit, &after, rest, &l), 0);
        for (unsigned i = 0; i < N; i++) {
                _cleanup_vm_summary_ VmSummary v = make_vm(i * 37 % N);

                ck_assert_int_eq(vm_list_add(&v, l), 0);
        }
        ck_assert_int_eq(vm_list_text(l, &text), 0);
        page = json_loads(text, 0, NULL);
        ck_assert_ptr_nonnull(page);
        free(*cursor);
        ck_assert_int_eq(vm_list_cursor(l, READ_AT, cursor), 0);
        *ret_total = vm_list_total(l);
        return page;
}

static json_t *read_page(const VmFilter *filter, unsigned limit, char **cursor, uint64_t *ret_total) {
        return read_page_and_rest(filter, limit, cursor, NULL, ret_total);
}

static unsigned number_of(json_t *vm) {
        return (unsigned) atoi(json_string_value(json_object_get(vm, "id")) + 3);
}

START_TEST(pages_have_all_in_order) {
        static const unsigned limits[] = { 1, 7, 50, 99, 100, 101, VM_LIST_LIMIT_MAX };
        const VmFilter all = { .power = -1 };

        for (size_t k = 0; k < ELEMENTSOF(limits); k++) {
                _cleanup_free_ char *cursor = strdup("");
                unsigned next = 0, pages = 0;
                uint64_t total;

                do {
                        _cleanup_json_ json_t *page = read_page(&all, limits[k], &cursor, &total);
                        json_t *vm;
                        size_t i;

                        ck_assert_uint_eq(total, N);
                        ck_assert_uint_le(json_array_size(page), limits[k]);
                        json_array_foreach(page, i, vm)
                                ck_assert_uint_eq(number_of(vm), next++);
                        pages++;
                } while (*cursor);
                ck_assert_uint_eq(next, N);
                ck_assert_uint_eq(pages, (N + limits[k] - 1) / limits[k]);
        }
}
END_TEST

START_TEST(paths_have_no_first_slash) {
        const VmFilter all = { .power = -1 };
        _cleanup_free_ char *cursor = strdup("");
        uint64_t total;
        _cleanup_json_ json_t *page = read_page(&all, 1, &cursor, &total);

        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(page, 0), "path")),
                        "DC/vm/a %2f 000");
        ck_assert_str_eq(cursor, "1764506465000000:vm-000 /DC/vm/a %2f 000");
}
END_TEST

START_TEST(cursors_are_of_a_page) {
        static const char *const bad[] = { "x", "1:x", "vm-1 /DC/vm/a", ":vm-1 /a", "0:vm-1 /a",
                "1x:vm-1 /a", "-1:vm-1 /a", "18446744073709551616:vm-1 /a" };
        _cleanup_vm_cursor_ VmCursor c = {};

        ck_assert_int_eq(vm_cursor_parse("", &c), 0);
        ck_assert(c.read_at == 0 && !c.id && !c.path);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(vm_cursor_parse(bad[i], &c) == -EINVAL, "%s", bad[i]);
        _cleanup_free_ char *text = vm_cursor_format(7, "vm-1", "/a: b");
        ck_assert_int_eq(vm_cursor_parse(text, &c), 0);
        ck_assert_uint_eq(c.read_at, 7);
        ck_assert_str_eq(c.id, "vm-1");
        ck_assert_str_eq(c.path, "/a: b");
}
END_TEST

/* --- what is kept for further pages ---------------------------------------------------------------- */

/* The first page of a list, whose rest is put into @kept. */
static json_t *begin_list(VmListings *kept, unsigned limit, usec_t now, char **cursor) {
        const VmFilter all = { .power = -1 };
        VmListing *rest = NULL;
        uint64_t total;

        ck_assert_int_eq(vm_listing_new("{}", READ_AT, &rest), 0);
        json_t *page = read_page_and_rest(&all, limit, cursor, rest, &total);
        vm_listings_put(kept, rest, total, now);
        return page;
}

static VmListing *find(VmListings *kept, const char *cursor, const char *filter, usec_t now) {
        _cleanup_vm_cursor_ VmCursor c = {};

        ck_assert_int_eq(vm_cursor_parse(cursor, &c), 0);
        return vm_listings_find(kept, &c, filter, now);
}

static json_t *kept_page(const VmListing *l, unsigned limit, char **cursor) {
        _cleanup_vm_cursor_ VmCursor after = {};
        _cleanup_free_ char *text = NULL, *next = NULL;

        ck_assert_int_eq(vm_cursor_parse(*cursor, &after), 0);
        ck_assert_int_eq(vm_listing_page(l, &after, limit, &text, &next), 0);
        free(*cursor);
        *cursor = TAKE_PTR(next);
        json_t *page = json_loads(text, 0, NULL);
        ck_assert_ptr_nonnull(page);
        return page;
}

START_TEST(the_rest_has_the_other_pages) {
        static const unsigned limits[] = { 1, 7, 50, 99 };

        for (size_t k = 0; k < ELEMENTSOF(limits); k++) {
                _cleanup_free_ char *cursor = strdup("");
                VmListings kept = {};
                _cleanup_json_ json_t *page = begin_list(&kept, limits[k], 1, &cursor);
                unsigned next = 0;

                for (;;) {
                        json_t *vm;
                        size_t i;

                        ck_assert_uint_le(json_array_size(page), limits[k]);
                        json_array_foreach(page, i, vm)
                                ck_assert_uint_eq(number_of(vm), next++);
                        if (!*cursor)
                                break;
                        VmListing *l = find(&kept, cursor, "{}", 1);
                        ck_assert_ptr_nonnull(l);
                        ck_assert_uint_eq(vm_listing_total(l), N);
                        json_decref(page);
                        page = kept_page(l, limits[k], &cursor);
                }
                ck_assert_uint_eq(next, N);
                vm_listings_done(&kept);
        }
}
END_TEST

START_TEST(a_listing_is_kept_for_its_cursors_and_some_time) {
        _cleanup_free_ char *cursor = strdup("");
        VmListings kept = {};
        _cleanup_json_ json_t *page = begin_list(&kept, 10, USEC_PER_SEC, &cursor);
        usec_t now = USEC_PER_SEC;

        ck_assert_ptr_null(find(&kept, "", "{}", now));
        ck_assert_ptr_null(find(&kept, cursor, "{\"name\":\"x\"}", now));
        ck_assert_ptr_null(find(&kept, "1764506465000001:vm-000 /DC/vm/a", "{}", now));
        /* Each page prolongs it, up to five minutes. */
        for (unsigned i = 0; i < 6; i++, now += 59 * USEC_PER_SEC)
                ck_assert_ptr_nonnull(find(&kept, cursor, "{}", now));
        now = USEC_PER_SEC + 5 * USEC_PER_MINUTE - 1;
        ck_assert_ptr_nonnull(find(&kept, cursor, "{}", now));
        ck_assert_ptr_null(find(&kept, cursor, "{}", now + 1));
        ck_assert_ptr_null(kept.first);

        cursor[0] = '\0';
        json_decref(page);
        page = begin_list(&kept, 10, USEC_PER_SEC, &cursor);
        ck_assert_ptr_null(find(&kept, cursor, "{}", USEC_PER_SEC + USEC_PER_MINUTE));
        ck_assert_ptr_null(kept.first);
}
END_TEST

static unsigned count_listings(const VmListings *kept, const char *cursor) {
        unsigned n = 0;

        for (unsigned i = 0; i < 10; i++) {
                _cleanup_free_ char *filter = strprintf("%u", i);

                n += find((VmListings *) kept, cursor, filter, 1) != NULL;
        }
        return n;
}

START_TEST(a_login_has_few_listings) {
        static const char cursor[] = "1764506465000000:vm-000 /DC/vm/a";
        _cleanup_vm_summary_ VmSummary v = make_vm(0);
        VmListings kept = {};

        for (unsigned i = 0; i < 10; i++) {
                _cleanup_free_ char *filter = strprintf("%u", i);
                VmListing *l = NULL;

                ck_assert_int_eq(vm_listing_new(filter, READ_AT, &l), 0);
                ck_assert_int_eq(vm_listing_add(l, &v), 0);
                vm_listings_put(&kept, l, 1, 1);
        }
        ck_assert_uint_eq(count_listings(&kept, cursor), VM_LISTINGS_OF_LOGIN);
        ck_assert_ptr_nonnull(find(&kept, cursor, "9", 1));
        vm_listings_done(&kept);
}
END_TEST

/* A listing with as many VMs as are allowed, and one more. */
static void fill(VmListing *l, size_t size) {
        _cleanup_free_ char *name = malloc((size_t) 1 << 20);

        ck_assert_ptr_nonnull(name);
        memset(name, 'x', ((size_t) 1 << 20) - 1);
        name[((size_t) 1 << 20) - 1] = '\0';
        for (size_t i = 0; i < size >> 20; i++) {
                VmSummary v = { .id = (char *) "vm-1", .name = name, .path = (char *) "/DC/vm/x" };

                ck_assert_int_eq(vm_listing_add(l, &v), 0);
        }
}

START_TEST(listings_have_limits) {
        static const char cursor[] = "1764506465000000:vm-000 /";
        VmListings one = {}, other = {};
        VmListing *l = NULL;

        ck_assert_int_eq(vm_listing_new("", READ_AT, &l), 0);
        fill(l, VM_LISTING_MAX);
        vm_listings_put(&one, l, 1, 1);
        ck_assert_ptr_null(find(&one, cursor, "", 1));

        /* All logins together; what is freed is of use again. */
        for (unsigned i = 0; i < 3; i++) {
                VmListings *to = i == 2 ? &other : &one;

                ck_assert_int_eq(vm_listing_new("", READ_AT + i, &l), 0);
                fill(l, VM_LISTING_MAX - (1 << 20));
                vm_listings_put(to, l, 1, 1);
        }
        ck_assert_ptr_nonnull(one.first);
        ck_assert_ptr_null(other.first);
        vm_listings_done(&one);
        ck_assert_int_eq(vm_listing_new("", READ_AT, &l), 0);
        fill(l, VM_LISTING_MAX - (1 << 20));
        vm_listings_put(&other, l, 1, 1);
        ck_assert_ptr_nonnull(other.first);
        vm_listings_done(&other);
}
END_TEST

/* @limit VMs of a page with @n bytes of text each, in the order that replaces all of them. */
static int add_long(unsigned limit, unsigned vms, size_t n) {
        const VmFilter all = { .power = -1 };
        const VmCursor start = {};
        _cleanup_(vm_list_freep) VmList *l = NULL;
        int r = 0;

        ck_assert_int_eq(vm_list_new(&all, limit, &start, NULL, &l), 0);
        for (unsigned i = 0; i < vms && r >= 0; i++) {
                _cleanup_vm_summary_ VmSummary v = make_vm(2 * (vms - i));

                v.guest_name = malloc(n + 1);
                memset(v.guest_name, 'x', n);
                v.guest_name[n] = '\0';
                r = vm_list_add(&v, l);
        }
        return r;
}

START_TEST(a_page_has_limits) {
        ck_assert_int_eq(add_long(10000, 10000, 2000), 0);
        ck_assert_int_eq(add_long(10000, 10000, 3000), -EFBIG);
        ck_assert_int_eq(add_long(100, 10000, 3000), 0);
}
END_TEST

START_TEST(filters_select) {
        static const struct {
                const char *filter;
                unsigned n;
        } cases[] = { { "", N }, { "{}", N }, { "{\"datacenter\":\"DC\"}", N / 2 },
                { "{\"datacenter\":\"D\"}", 0 }, { "{\"name\":\"nAME7\"}", 11 },
                { "{\"power_state\":\"poweredOn\"}", N / 4 },
                { "{\"power_state\":\"poweredOn\",\"datacenter\":\"DC\"}", 0 } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(vm_filter_done) VmFilter filter = {};
                _cleanup_(json_errors_done) JsonErrors errors = {};
                _cleanup_free_ char *cursor = strdup("");
                uint64_t total;

                ck_assert_int_eq(vm_filter_decode(cases[i].filter, &filter, &errors), 0);
                _cleanup_json_ json_t *page = read_page(&filter, N, &cursor, &total);
                ck_assert_msg(json_array_size(page) == cases[i].n, "%s: %zu", cases[i].filter,
                                json_array_size(page));
                ck_assert_uint_eq(total, cases[i].n);
                ck_assert_str_eq(cursor, "");
        }
}
END_TEST

START_TEST(wrong_filters_are_named) {
        static const char *const bad[][2] = { { "x", "" }, { "[]", "" },
                { "{\"power_state\":\"on\"}", "power_state" }, { "{\"name\":1}", "name" },
                { "{\"folder\":\"x\"}", "folder: there is no such filter" } };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(json_errors_done) JsonErrors errors = {};
                VmFilter filter;

                ck_assert_int_eq(vm_filter_decode(bad[i][0], &filter, &errors), -EBADMSG);
                _cleanup_free_ char *text = json_errors_text(&errors);
                ck_assert_msg(strstr(text, bad[i][1]), "%s: %s", bad[i][0], text);
        }
}
END_TEST

/* --- logins ---------------------------------------------------------------------------------------- */

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(logins_are_equal_if_all_of_them_is) {
        static const char *const different[] = {
                "{\"vcenter_url\":\"vc\",\"username\":\"u\",\"password\":\"p\"}",
                "{\"vcenter_url\":\"vd\",\"username\":\"u\",\"password\":\"p\"}",
                "{\"vcenter_url\":\"vc\",\"username\":\"v\",\"password\":\"p\"}",
                "{\"vcenter_url\":\"vc\",\"username\":\"u\",\"password\":\"q\"}",
                "{\"vcenter_url\":\"vc\",\"username\":\"u\",\"password\":\"p\",\"thumbprint\":\"" HEX "\"}",
        };
        _cleanup_(json_errors_done) JsonErrors errors = {};
        Login logins[ELEMENTSOF(different)], same;

        for (size_t i = 0; i < ELEMENTSOF(different); i++)
                ck_assert_int_eq(login_decode(different[i], &logins[i], &errors), 0);
        for (size_t i = 0; i < ELEMENTSOF(different); i++)
                for (size_t j = 0; j < ELEMENTSOF(different); j++)
                        ck_assert_int_eq(login_equal(&logins[i], &logins[j]), i == j);
        ck_assert_int_eq(
                        login_decode("{\"vcenter_url\":\"HTTPS://VC:443/sdk\",\"username\":\"u\",\"password\":\"p\","
                                     "\"datacenter\":\"DC\",\"ca\":\"\"}",
                                        &same, &errors),
                        0);
        ck_assert(login_equal(&logins[0], &same));
        ck_assert_str_eq(same.url, "https://vc");
        for (size_t i = 0; i < ELEMENTSOF(different); i++)
                login_done(&logins[i]);
        login_done(&same);
}
END_TEST

START_TEST(wrong_logins_are_named) {
        static const char *const bad[][2] = {
                { "", "" },
                { "{}", "vcenter_url: is required" },
                { "{}", "username: is required" },
                { "{}", "password: is required" },
                { "{\"vcenter_url\":\"http://vc\",\"username\":\"u\",\"password\":\"p\"}",
                                "must use https" },
                { "{\"vcenter_url\":\"vc\",\"username\":\"u\",\"password\":\"p\",\"thumbprint\":\"AA\"}",
                                "thumbprint: must be" },
                { "{\"vcenter_url\":\"vc\",\"username\":\"u\",\"password\":\"p\",\"ca\":\"x\"}",
                                "ca: must be" },
                { "{\"vcenter_url\":\"vc\",\"username\":\"u\",\"password\":\"p\",\"insecure\":true}",
                                "insecure: there is no such field" },
                { "{\"name\":\"a/b\"}", "name: must be the name" },
                { "{\"name\":\"vc1\",\"password\":\"p\"}", "must not be given together" },
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(json_errors_done) JsonErrors errors = {};
                Login l;

                ck_assert_int_eq(login_decode(bad[i][0], &l, &errors), -EBADMSG);
                _cleanup_free_ char *text = json_errors_text(&errors);
                ck_assert_msg(strstr(text, bad[i][1]), "%s: %s", bad[i][0], text);
        }
}
END_TEST

TEST_MAIN("vsphered-list", pages_have_all_in_order, paths_have_no_first_slash, cursors_are_of_a_page,
                the_rest_has_the_other_pages, a_listing_is_kept_for_its_cursors_and_some_time,
                a_login_has_few_listings, listings_have_limits, a_page_has_limits, filters_select,
                wrong_filters_are_named, logins_are_equal_if_all_of_them_is, wrong_logins_are_named)
