/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Preloaded: the real time is shifted by the seconds in the file $CLOCK_SHIFT. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *t) {
        static int (*real)(clockid_t, struct timespec *);
        const char *path = getenv("CLOCK_SHIFT");
        long shift = 0;
        FILE *f;
        int r;

        if (!real)
                real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
        r = real(clock, t);
        if (clock != CLOCK_REALTIME || !path || !(f = fopen(path, "re")))
                return r;
        if (fscanf(f, "%ld", &shift) == 1)
                t->tv_sec += shift;
        fclose(f);
        return r;
}
