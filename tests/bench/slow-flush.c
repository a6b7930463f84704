/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A disk whose flushes take a millisecond, as many do: to be preloaded into a daemon, which then waits as long as
 * that for each fdatasync(2), and for each fsync(2). A flush that takes longer is not delayed. */

#ifndef _GNU_SOURCE
#        define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define FLUSH_NSEC 1000000

static void wait_until(struct timespec *begin) {
        begin->tv_nsec += FLUSH_NSEC;
        if (begin->tv_nsec >= 1000000000) {
                begin->tv_sec++;
                begin->tv_nsec -= 1000000000;
        }
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, begin, NULL) != 0)
                ;
}

static int flush(const char *name, int fd) {
        struct timespec begin;
        int (*next)(int);

        *(void **) &next = dlsym(RTLD_NEXT, name);
        (void) clock_gettime(CLOCK_MONOTONIC, &begin);
        int r = next(fd);
        wait_until(&begin);
        return r;
}

EXPORT int fdatasync(int fd) {
        return flush("fdatasync", fd);
}

EXPORT int fsync(int fd) {
        return flush("fsync", fd);
}
