/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/decode-child.h"

#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "engine/endpoint-stream.h"
#include "image/vmdk-stream.h"
#include "job/decode-threads.h"

#define INPUT_FD 3

static int write_run(uint64_t offset, const char *data, size_t size) {
        StreamRun head = { .offset = offset, .length = size };
        struct iovec parts[] = { { &head, sizeof(head) }, { (void *) data, size } };
        size_t first = 0;

        while (first < ELEMENTSOF(parts)) {
                ssize_t n = writev(STDOUT_FILENO, parts + first, (int) (ELEMENTSOF(parts) - first));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                for (; first < ELEMENTSOF(parts) && (size_t) n >= parts[first].iov_len; first++)
                        n -= (ssize_t) parts[first].iov_len;
                if (first < ELEMENTSOF(parts)) {
                        parts[first].iov_base = (char *) parts[first].iov_base + n;
                        parts[first].iov_len -= (size_t) n;
                }
        }
        return 0;
}

static int on_grain(_unused_ void *userdata, uint64_t offset, const char *data, size_t size) {
        return write_run(offset, data, size);
}

static void on_inflate(void *userdata, VmdkGrain *grains, size_t n) {
        decode_threads_inflate(userdata, grains, n);
}

static int decode(uint64_t capacity, bool *ret_cut_off, char **ret_error) {
        _cleanup_(decode_threads_freep) DecodeThreads *threads = NULL;
        _cleanup_vmdk_stream_ VmdkStream *s = NULL;
        size_t space;

        int r = decode_threads_new(0, &threads);
        if (r < 0)
                return r;
        const VmdkStreamOptions options = {
                .capacity = capacity,
                .grain = on_grain,
                .inflate = on_inflate,
                .userdata = threads,
        };
        r = vmdk_stream_new(&options, &s);
        if (r < 0)
                return r;
        for (;;) {
                char *p = vmdk_stream_space(s, &space);
                ssize_t n = read(INPUT_FD, p, space);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                r = vmdk_stream_decode(s, (size_t) n, ret_error);
                if (r < 0)
                        return r;
        }
        r = vmdk_stream_end(s, ret_error);
        *ret_cut_off = r == -EBADMSG;
        return r < 0 ? r : write_run(capacity, NULL, 0);
}

int verb_decode(int argc, char *argv[]) {
        _cleanup_free_ char *why = NULL;
        bool cut_off = false;
        uint64_t capacity;

        if (argc != 1 || parse_uint64(argv[0], &capacity) < 0) {
                fprintf(stderr, "CAPACITY must be given\n");
                return DECODE_FAILED;
        }
        int r = decode(capacity, &cut_off, &why);
        if (r >= 0)
                return 0;
        fprintf(stderr, "%s\n", why ? why : strerror(-r));
        return cut_off ? DECODE_CUT_OFF : r == -EBADMSG ? DECODE_REFUSED : DECODE_FAILED;
}
