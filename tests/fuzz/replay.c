/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands in for libFuzzer in plain builds: gives a fuzzer the files named on the command line, or those of
 * its corpus
 * ($srcdir/tests/fuzz/corpus/<name without fuzz->). A fuzzer without a corpus fails, so that none is
 * forgotten. */

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "fuzz.h"

static int replay_file(int dir_fd, const char *name) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r = read_file_at(dir_fd, name, 64 * 1024 * 1024, &data, &size);

        if (r < 0) {
                fprintf(stderr, "Failed to read %s: %s\n", name, strerror(-r));
                return r;
        }
        /* An allocation of exactly the input's size, so that valgrind and ASan see a read behind its end. */
        _cleanup_free_ uint8_t *exact = malloc(size > 0 ? size : 1);
        if (!exact)
                return -ENOMEM;
        memcpy(exact, data, size);
        (void) LLVMFuzzerTestOneInput(exact, size);
        return 0;
}

int main(int argc, char *argv[]) {
        _cleanup_free_ char *corpus = NULL;
        unsigned n = 0;

        if (argc > 1) {
                for (int i = 1; i < argc; i++)
                        if (replay_file(AT_FDCWD, argv[i]) < 0)
                                return 1;
                return 0;
        }

        const char *srcdir = getenv("srcdir"), *name = startswith(basename(argv[0]), "fuzz-");
        if (name)
                corpus = strprintf("%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name);
        DIR *d = corpus ? opendir(corpus) : NULL;
        if (!d) {
                fprintf(stderr, "%s: no corpus in %s\n", argv[0], strna(corpus));
                return 1;
        }
        for (struct dirent *de; (de = readdir(d));)
                if (de->d_name[0] != '.') {
                        if (replay_file(dirfd(d), de->d_name) < 0) {
                                closedir(d);
                                return 1;
                        }
                        n++;
                }
        closedir(d);
        printf("%s: %u inputs\n", name, n);
        return n > 0 ? 0 : 1;
}
