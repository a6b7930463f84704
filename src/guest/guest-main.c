/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-guest: inspects and fixes the guest on disk images. Orders come on descriptor 3, events go to
 * standard output, one JSON object a line: {"event": "progress"}, and in the end {"event": "result"} or
 * {"event": "error"}. See src/guest/README.md. */

#include <stdio.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "guest/appliance.h"
#include "guest/work.h"

#define ORDERS_FD 3

static int read_orders(char **ret, size_t *ret_size) {
        _cleanup_free_ char *text = malloc(ORDERS_MAX + 1);
        size_t size = 0;
        ssize_t n = 1;

        while (text && n > 0 && size < ORDERS_MAX) {
                n = read(ORDERS_FD, text + size, ORDERS_MAX - size);
                if (n < 0 && errno != EINTR)
                        return -errno;
                size += (size_t) MAX(n, 0);
        }
        if (!text)
                return -ENOMEM;
        text[size] = 0;
        *ret_size = size;
        *ret = TAKE_PTR(text);
        return 0;
}

static int say(json_t *event) {
        int k = event ? json_dumpf(event, stdout, JSON_COMPACT) : -1;

        json_decref(event);
        return k < 0 || putchar('\n') == EOF || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int say_error(const char *code, const char *message) {
        (void) say(json_pack(
                        "{s:s, s:s, s:o}", "event", "error", "code", code, "message", guest_text(message)));
        return EXIT_FAILURE;
}

static void errors_done(JsonErrors *e) {
        json_errors_done(e);
}

static int run(void) {
        _cleanup_(errors_done) JsonErrors errors = {};
        _cleanup_(guest_done) Guest guest = {};
        _cleanup_orders_ Orders orders = {};
        _cleanup_free_ char *text = NULL;
        json_t *result = NULL;
        size_t size = 0;
        int r;

        r = read_orders(&text, &size);
        if (r >= 0)
                r = orders_parse(text, size, &orders, &errors);
        if (r == -EBADMSG) {
                _cleanup_free_ char *why = json_errors_text(&errors);
                return say_error("unsupported", strna(why));
        }
        guest.orders = &orders;
        if (r >= 0)
                r = work_run(&guest, &result);
        if (r < 0)
                return say_error(guest.code                    ? guest.code
                                                : r == -ENOMEM ? "out_of_memory"
                                                               : "failed",
                                guest.message ? guest.message : strerror(-r));
        return say(json_pack("{s:s, s:o}", "event", "result", "guest", result));
}

int main(int argc, char *argv[]) {
        log_open("hyper-guest");
        if (argc == 2 && streq(argv[1], "--help"))
                return printf("Usage: hyper-guest 3<ORDERS\n\n"
                              "Inspects and fixes the guest on disk images. Started by hyper-job; see "
                              "hyper-job(8).\n\n"
                              "  --help     show this\n  --version  show the version\n") < 0;
        if (argc == 2 && streq(argv[1], "--version"))
                return printf("hyper %s\n", PACKAGE_VERSION) < 0;
        /* libguestfs starts this program as its hypervisor. */
        return argc > 1 ? appliance_exec_qemu(argc, argv) : run();
}
