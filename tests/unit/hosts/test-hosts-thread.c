/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads that hang: a task here waits for a pipe, as one of libvirt's would for a machine that does not
 * answer. */

#include <pthread.h>
#include <unistd.h>

#include "hosts/host-thread.h"
#include "hosts/libvirt-events.h"
#include "unit/lib/test.h"

typedef struct TestTask {
        Task task;
        int fd; /* waits for a byte, unless -1 */
        int *result, *n_freed;
} TestTask;

typedef struct World {
        sd_event *event;
        HostThread *thread;
        int pipe[2];
        int n_freed;
} World;

static int run_task(Task *t, HostThread *w, virConnectPtr *connection) {
        TestTask *tt = CONTAINER_OF(t, TestTask, task);
        char c;

        return tt->fd < 0 ? 7 : (int) read(tt->fd, &c, 1);
}

static void done_task(Task *t, int r) {
        TestTask *tt = CONTAINER_OF(t, TestTask, task);

        ck_assert_int_eq(*tt->result, 0); /* exactly once */
        *tt->result = r;
}

static void free_task(Task *t) {
        TestTask *tt = CONTAINER_OF(t, TestTask, task);

        __atomic_add_fetch(tt->n_freed, 1, __ATOMIC_SEQ_CST);
        free(tt);
}

static int give(World *w, HostThread *thread, int fd, usec_t timeout, int *result) {
        TestTask *t = new0(TestTask, 1);

        ck_assert_ptr_nonnull(t);
        *result = 0;
        t->task = (Task){ .run = run_task, .done = done_task, .free = free_task };
        t->fd = fd;
        t->result = result;
        t->n_freed = &w->n_freed;
        return host_thread_run(thread, &t->task, timeout);
}

static void on_vm(void *userdata, const char *uuid) {
}

static void on_closed(void *userdata) {
}

static HostThread *make_thread(World *w) {
        const HostThreadHandler handler = { .on_vm = on_vm, .on_closed = on_closed, .userdata = w };
        HostThread *thread = NULL;

        ck_assert_int_eq(host_thread_new(w->event, &handler, &thread), 0);
        return thread;
}

static void open_world(World *w) {
        *w = (World){};
        ck_assert_int_ge(sd_event_new(&w->event), 0);
        ck_assert_int_eq(pipe(w->pipe), 0);
        w->thread = make_thread(w);
}

static void wait_for(World *w, const int *result) {
        while (*result == 0)
                ck_assert_int_gt(sd_event_run(w->event, 20 * USEC_PER_SEC), 0);
}

/* All threads are at their ends. */
static void close_world(World *w) {
        host_thread_abandon(w->thread);
        while (host_thread_abandoned() > 0)
                usleep(1000);
        close(w->pipe[0]);
        close(w->pipe[1]);
        sd_event_unref(w->event);
}

START_TEST(tasks_are_done_in_order) {
        int results[50];
        World w;

        open_world(&w);
        for (size_t i = 0; i < ELEMENTSOF(results); i++)
                ck_assert_int_eq(give(&w, w.thread, -1, 20 * USEC_PER_SEC, results + i), 0);
        wait_for(&w, results + ELEMENTSOF(results) - 1);
        for (size_t i = 0; i < ELEMENTSOF(results); i++)
                ck_assert_int_eq(results[i], 7);
        close_world(&w);
        ck_assert_int_eq(w.n_freed, ELEMENTSOF(results));
}
END_TEST

START_TEST(a_thread_that_hangs_is_let_go_and_ends_when_it_can) {
        int hangs, waits, after;
        HostThread *other, *ghost;
        World w;

        open_world(&w);
        other = make_thread(&w);
        ck_assert_int_eq(give(&w, w.thread, w.pipe[0], USEC_PER_SEC / 10, &hangs), 0);
        ck_assert_int_eq(give(&w, w.thread, -1, USEC_PER_SEC / 10, &waits), 0);
        /* Others go on. */
        ck_assert_int_eq(give(&w, other, -1, 20 * USEC_PER_SEC, &after), 0);
        wait_for(&w, &after);
        ck_assert_int_eq(after, 7);
        wait_for(&w, &hangs);
        wait_for(&w, &waits);
        ck_assert_int_eq(hangs, -ETIMEDOUT);
        ck_assert_int_eq(waits, -ETIMEDOUT);
        ck_assert(host_thread_hangs(w.thread));

        ghost = host_thread_ref(w.thread);
        w.thread = host_thread_abandon(w.thread);
        ck_assert_uint_eq(host_thread_abandoned(), 1);
        ck_assert(!host_thread_has_ended(ghost));
        ck_assert_int_eq(write(w.pipe[1], "x", 1), 1);
        while (!host_thread_has_ended(ghost))
                usleep(1000);
        host_thread_unref(ghost);
        host_thread_abandon(other);
        close_world(&w);
        ck_assert_int_eq(w.n_freed, 3);
}
END_TEST

START_TEST(what_waits_is_cancelled_when_it_is_let_go) {
        int runs, waits;
        World w;

        open_world(&w);
        ck_assert_int_eq(give(&w, w.thread, w.pipe[0], 20 * USEC_PER_SEC, &runs), 0);
        ck_assert_int_eq(give(&w, w.thread, -1, 20 * USEC_PER_SEC, &waits), 0);
        w.thread = host_thread_abandon(w.thread);
        ck_assert_int_eq(runs, -ECANCELED);
        ck_assert_int_eq(waits, -ECANCELED);
        ck_assert_int_eq(write(w.pipe[1], "x", 1), 1);
        close_world(&w);
        ck_assert_int_eq(w.n_freed, 2);
}
END_TEST

START_TEST(a_queue_has_an_end) {
        int hangs, results[HOST_THREAD_QUEUE_MAX], one_more;
        World w;

        open_world(&w);
        ck_assert_int_eq(give(&w, w.thread, w.pipe[0], 20 * USEC_PER_SEC, &hangs), 0);
        for (size_t i = 0; i < HOST_THREAD_QUEUE_MAX - 1; i++)
                ck_assert_int_eq(give(&w, w.thread, -1, 20 * USEC_PER_SEC, results + i), 0);
        ck_assert_int_eq(give(&w, w.thread, -1, 20 * USEC_PER_SEC, &one_more), -EBUSY);
        ck_assert_int_eq(one_more, 0);
        ck_assert_int_eq(write(w.pipe[1], "x", 1), 1);
        wait_for(&w, results + HOST_THREAD_QUEUE_MAX - 2);
        close_world(&w);
        ck_assert_int_eq(w.n_freed, HOST_THREAD_QUEUE_MAX + 1);
}
END_TEST

TEST_MAIN("hosts-thread", tasks_are_done_in_order, a_thread_that_hangs_is_let_go_and_ends_when_it_can,
                what_waits_is_cancelled_when_it_is_let_go, a_queue_has_an_end)
