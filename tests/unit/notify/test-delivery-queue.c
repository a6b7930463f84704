/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify/delivery-queue.h"
#include "unit/lib/test.h"

static void add(DeliveryQueues *l, int64_t queue, int64_t seq) {
        Delivery *d = NULL;

        ck_assert_int_eq(delivery_new(queue, seq, "id", "event", "http://a/", 30, "", "{}", &d), 0);
        ck_assert_int_eq(delivery_queues_add(l, d), 0);
}

static const Delivery *expect(DeliveryQueues *l, int64_t seq) {
        const Delivery *d = delivery_queues_next(l);

        ck_assert_ptr_nonnull(d);
        ck_assert_int_eq(d->seq, seq);
        return d;
}

static DeliveryQueues *make(void) {
        DeliveryQueues *l = NULL;

        ck_assert_int_eq(delivery_queues_new(&l), 0);
        return l;
}

START_TEST(one_at_a_time_in_order) {
        _cleanup_(delivery_queues_freep) DeliveryQueues *l = make();
        const Delivery *d;

        add(l, 1, 10);
        add(l, 1, 11);
        d = expect(l, 10);
        ck_assert_ptr_null(delivery_queues_next(l));
        ck_assert_uint_eq(delivery_queues_active(l), 1);
        delivery_queues_tried(l, d, true);
        d = expect(l, 11);
        delivery_queues_tried(l, d, true);
        ck_assert_ptr_null(delivery_queues_next(l));
        ck_assert_uint_eq(delivery_queues_active(l), 0);
}
END_TEST

START_TEST(delivery_queues_do_not_wait_for_each_other) {
        _cleanup_(delivery_queues_freep) DeliveryQueues *l = make();
        const Delivery *d;

        add(l, 1, 10);
        add(l, 1, 11);
        add(l, 2, 20);
        add(l, 2, 21);
        (void) expect(l, 10); /* and hangs */
        d = expect(l, 20);
        delivery_queues_tried(l, d, true);
        d = expect(l, 21);
        delivery_queues_tried(l, d, true);
        ck_assert_uint_eq(delivery_queues_active(l), 1);
}
END_TEST

START_TEST(after_a_failure_the_rest_is_the_managers) {
        _cleanup_(delivery_queues_freep) DeliveryQueues *l = make();

        add(l, 1, 10);
        add(l, 1, 11);
        delivery_queues_tried(l, expect(l, 10), false);
        ck_assert_ptr_null(delivery_queues_next(l));
        ck_assert_uint_eq(delivery_queues_count(l), 1);
        delivery_queues_recorded(l, 1, 1);
        ck_assert_uint_eq(delivery_queues_count(l), 0);
}
END_TEST

START_TEST(a_queue_is_busy_until_the_last_result_is_recorded) {
        _cleanup_(delivery_queues_freep) DeliveryQueues *l = make();
        _cleanup_free_ int64_t *list = NULL;
        size_t n;

        add(l, 7, 10);
        add(l, 7, 11);
        delivery_queues_tried(l, expect(l, 10), true);
        delivery_queues_recorded(l, 7, 1);
        ck_assert_uint_eq(delivery_queues_count(l), 1);
        delivery_queues_tried(l, expect(l, 11), true);
        ck_assert_int_eq(delivery_queues_list(l, &list, &n), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(list[0], 7);
        delivery_queues_recorded(l, 7, 1);
        ck_assert_uint_eq(delivery_queues_count(l), 0);
}
END_TEST

START_TEST(what_was_not_begun_can_be_given_back) {
        _cleanup_(delivery_queues_freep) DeliveryQueues *l = make();

        add(l, 1, 10);
        add(l, 1, 11);
        add(l, 2, 20);
        delivery_queues_give_back(l, expect(l, 10));
        ck_assert_uint_eq(delivery_queues_count(l), 1);
        delivery_queues_drop_waiting(l);
        ck_assert_uint_eq(delivery_queues_count(l), 0);
        ck_assert_ptr_null(delivery_queues_next(l));
}
END_TEST

START_TEST(what_is_being_tried_stays_when_the_rest_is_dropped) {
        _cleanup_(delivery_queues_freep) DeliveryQueues *l = make();
        const Delivery *d;

        add(l, 1, 10);
        add(l, 1, 11);
        add(l, 2, 20);
        d = expect(l, 10);
        delivery_queues_drop_waiting(l);
        ck_assert_uint_eq(delivery_queues_count(l), 1);
        delivery_queues_tried(l, d, true);
        ck_assert_ptr_null(delivery_queues_next(l));
        delivery_queues_recorded(l, 1, 1);
        ck_assert_uint_eq(delivery_queues_count(l), 0);
}
END_TEST

TEST_MAIN("delivery-queue", one_at_a_time_in_order, delivery_queues_do_not_wait_for_each_other,
                after_a_failure_the_rest_is_the_managers, a_queue_is_busy_until_the_last_result_is_recorded,
                what_was_not_begun_can_be_given_back, what_is_being_tried_stays_when_the_rest_is_dropped)
