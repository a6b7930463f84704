/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The half of recognize.h that libraries do. */

#include <blkid/blkid.h>
#include <inttypes.h>
#include <magic.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/zero.h"
#include "job/recognize-child.h"

#define INPUT_FD 3
#define HEAD ((size_t) 256 * 1024)
#define ZERO_HEAD ((size_t) 64 * 1024)
#define SECTOR 512u

static void say(const char *key, const char *value) {
        printf("%s %s\n", key, value);
}

static void say_partitions(blkid_probe probe) {
        blkid_partlist list = blkid_probe_get_partitions(probe);
        int n = list ? blkid_partlist_numof_partitions(list) : 0;
        uint64_t end = 0;

        for (int i = 0; i < n; i++) {
                blkid_partition p = blkid_partlist_get_partition(list, i);
                uint64_t start = (uint64_t) blkid_partition_get_start(p),
                         size = (uint64_t) blkid_partition_get_size(p);

                /* The one partition of a protective table stands for all of the disk, whatever its size. */
                if (blkid_partition_get_type(p) == 0xee)
                        continue;
                if (start < UINT64_MAX / SECTOR / 2 && size < UINT64_MAX / SECTOR / 2)
                        end = MAX(end, (start + size) * SECTOR);
        }
        printf("end %" PRIu64 "\n", end);
}

/* Every kind of content that it finds counts: a disk may have several. */
static int say_content(int fd, uint64_t offset, uint64_t length) {
        blkid_probe probe = blkid_new_probe();
        const char *value;

        if (!probe)
                return -ENOMEM;
        if (blkid_probe_set_device(probe, fd, (blkid_loff_t) offset, (blkid_loff_t) length) == 0) {
                (void) blkid_probe_enable_superblocks(probe, 1);
                (void) blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE);
                (void) blkid_probe_enable_partitions(probe, 1);
                while (blkid_do_probe(probe) == 0) {
                        if (blkid_probe_lookup_value(probe, "TYPE", &value, NULL) == 0)
                                say("fs", value);
                        if (blkid_probe_lookup_value(probe, "PTTYPE", &value, NULL) == 0)
                                say("pt", value);
                }
                blkid_reset_probe(probe);
                say_partitions(probe);
        }
        blkid_free_probe(probe);
        return 0;
}

static void say_magic(const char *head, size_t size) {
        static const struct {
                const char *key;
                int flags;
        } kinds[] = { { "magic", MAGIC_NONE }, { "mime", MAGIC_MIME_TYPE } };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                magic_t m = magic_open(kinds[i].flags | MAGIC_NO_CHECK_COMPRESS);
                const char *text = m && magic_load(m, NULL) == 0 ? magic_buffer(m, head, size) : NULL;

                if (text)
                        say(kinds[i].key, text);
                if (m)
                        magic_close(m);
        }
}

int verb_recognize(int argc, char *argv[]) {
        uint64_t offset, length;
        _cleanup_free_ char *head = malloc(HEAD);

        if (!head || argc != 2 || parse_uint64(argv[0], &offset) < 0 || parse_uint64(argv[1], &length) < 0)
                return EXIT_FAILURE;
        size_t n = (size_t) MIN((uint64_t) HEAD, length);
        if (pread_full(INPUT_FD, head, n, offset) < 0)
                return EXIT_FAILURE;
        if (n >= SECTOR && (unsigned char) head[510] == 0x55 && (unsigned char) head[511] == 0xaa)
                say("boot", "yes");
        if (memory_is_zero(head, MIN(n, ZERO_HEAD)))
                say("zero", "yes");
        if (say_content(INPUT_FD, offset, length) < 0)
                return EXIT_FAILURE;
        say_magic(head, n);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
