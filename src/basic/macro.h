/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ownership and small conveniences, after systemd's CODING_STYLE: _cleanup_ frees when a scope ends,
 * TAKE_PTR() hands a pointer on, destructors take NULL and return NULL. */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(f) __attribute__((__cleanup__(f)))
#define _sentinel_ __attribute__((__sentinel__))
#define _printf_(a, b) __attribute__((__format__(__printf__, a, b)))
#define _unused_ __attribute__((__unused__))
#define _pure_ __attribute__((__pure__))
#define _fallthrough_ __attribute__((__fallthrough__))

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *) (void *) ((char *) (ptr) -offsetof(type, member)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CLAMP(x, low, high) ((x) < (low) ? (low) : (x) > (high) ? (high) : (x))

#define TAKE_PTR(p)                     \
        ({                              \
                typeof(p) _taken = (p); \
                (p) = NULL;             \
                _taken;                 \
        })
#define TAKE_FD(fd)                \
        ({                         \
                int _taken = (fd); \
                (fd) = -EBADF;     \
                _taken;            \
        })

/* Defines xp(T *p), for use with _cleanup_, from a destructor that takes a T. */
#define DEFINE_CLEANUP_FUNC(type, func)       \
        static inline void func##p(type *p) { \
                if (*p)                       \
                        *p = func(*p);        \
        }

static inline void freep(void *p) {
        free(*(void **) p);
}

#define _cleanup_free_ _cleanup_(freep)

/* Frees and returns NULL, so that a pointer can be cleared in one statement. */
#define mfree(p)         \
        ({               \
                free(p); \
                NULL;    \
        })

#define new0(type, n) ((type *) calloc((n), sizeof(type)))

/* Makes room for at least @need elements in a malloc()ed array; false when out of memory, the array then
 * untouched. */
#define GREEDY_REALLOC(array, allocated, need) \
        greedy_realloc((void **) &(array), &(allocated), (need), sizeof((array)[0]))

static inline bool greedy_realloc(void **array, size_t *allocated, size_t need, size_t size) {
        if (*allocated >= need)
                return true;
        size_t n = MAX(need, MAX(*allocated * 2, (size_t) 8));
        void *p = reallocarray(*array, n, size);
        if (!p)
                return false;
        *array = p;
        *allocated = n;
        return true;
}
