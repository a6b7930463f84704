/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long does an event loop not look for what is new? To be preloaded into a daemon: says on its standard
 * error how much CPU time went by from one call of epoll by libsystemd to the next, if it is more than
 * $LOOP_HOLD_MIN microseconds. CPU time, so that other work on the machine does not count. (libmicrohttpd
 * calls epoll, too, from within the loop.) */

#ifndef _GNU_SOURCE
#        define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static uint64_t since, least; /* ns */
static const void *known; /* where libsystemd calls from */

static uint64_t cpu_time(void) {
        struct timespec t;

        return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) < 0
                        ? 0
                        : (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

/* In the main thread only: others have no loop of their own. */
static bool is_loop(const void *caller) {
        Dl_info info;

        if (caller == known)
                return true;
        if (gettid() != getpid() || dladdr(caller, &info) == 0 || !strstr(info.dli_fname, "libsystemd"))
                return false;
        known = caller;
        return true;
}

static void begins_to_wait(void) {
        uint64_t now = cpu_time();
        char line[64];

        if (least == 0) {
                const char *text = getenv("LOOP_HOLD_MIN");

                least = (text ? strtoull(text, NULL, 10) : 500) * 1000;
        }
        if (since == 0 || now < since + least)
                return;
        int n = snprintf(line, sizeof(line), "hold %.2f ms\n", (double) (now - since) / 1000000);
        (void) !write(STDERR_FILENO, line, (size_t) n);
}

EXPORT int epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *timeout,
                const sigset_t *mask) {
        static int (*next)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
        bool loop = is_loop(__builtin_return_address(0));

        if (!next)
                *(void **) &next = dlsym(RTLD_NEXT, "epoll_pwait2");
        if (loop)
                begins_to_wait();
        int n = next(fd, events, max, timeout, mask);
        if (loop)
                since = cpu_time();
        return n;
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int max, int timeout) {
        static int (*next)(int, struct epoll_event *, int, int);
        bool loop = is_loop(__builtin_return_address(0));

        if (!next)
                *(void **) &next = dlsym(RTLD_NEXT, "epoll_wait");
        if (loop)
                begins_to_wait();
        int n = next(fd, events, max, timeout);
        if (loop)
                since = cpu_time();
        return n;
}
