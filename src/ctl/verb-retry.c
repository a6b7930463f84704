/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb-retry.h"

#include <fcntl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/watch.h"

#define SECRET_MAX ((size_t) 64 * 1024)

/* --- secrets --------------------------------------------------------------------------------------- */

/* A name and its value; the value is wiped. */
typedef struct Secret {
        char *name;
        char value[SECRET_MAX + 1];
} Secret;

static Secret *secret_free(Secret *s) {
        if (!s)
                return NULL;
        explicit_bzero(s->value, sizeof(s->value));
        free(s->name);
        return mfree(s);
}
DEFINE_CLEANUP_FUNC(Secret *, secret_free);

/* Text, without the line break at its end. */
static int read_value(const char *file, char value[static SECRET_MAX + 1]) {
        _cleanup_close_ int opened = streq(file, "-") ? -EBADF : open(file, O_RDONLY | O_CLOEXEC);
        int fd = streq(file, "-") ? STDIN_FILENO : opened;
        size_t n = 0;

        if (fd < 0)
                return -errno;
        for (ssize_t k; n <= SECRET_MAX; n += (size_t) k) {
                k = read(fd, value + n, SECRET_MAX + 1 - n);
                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
        }
        if (n > SECRET_MAX)
                return -EFBIG;
        if (n > 0 && value[n - 1] == '\n')
                n--;
        value[n] = '\0';
        return strlen(value) == n && n > 0 ? 0 : -EBADMSG;
}

/* @given: "NAME:FILE". */
static int append_secret(sd_bus_message *m, const char *given) {
        _cleanup_(secret_freep) Secret *s = new0(Secret, 1);
        const char *colon = strchr(given, ':');
        int r;

        if (!s)
                return -ENOMEM;
        s->name = strndup(given, (size_t) (colon - given));
        if (!s->name)
                return -ENOMEM;
        r = read_value(colon + 1, s->value);
        if (r == -EBADMSG)
                log_error("The secret %s in %s must be text, and not empty.", s->name, colon + 1);
        else if (r < 0)
                log_error_errno(r, "Failed to read the secret %s from %s: %m", s->name, colon + 1);
        return r < 0 ? -ECANCELED : sd_bus_message_append(m, "{ss}", s->name, s->value);
}

/* The options of RetryJob. -ECANCELED: it has been said why. */
static int append_options(sd_bus_message *m, char *const *secrets) {
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        if (r < 0 || !secrets)
                return r < 0 ? r : sd_bus_message_close_container(m);
        /* So that sd-bus wipes the message's memory when it is done with it. */
        r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "secrets");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "a{ss}");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{ss}");
        STRV_FOREACH(s, secrets)
                if (r >= 0)
                        r = append_secret(m, *s);
        for (int i = 0; i < 4 && r >= 0; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

/* --- the verb -------------------------------------------------------------------------------------- */

static int retry_one(Ctl *ctl, sd_bus *bus, const char *id) {
        _cleanup_free_ char *what = strprintf("Retrying job %s", id);
        _cleanup_message_ sd_bus_message *m = NULL;
        int r;

        if (!what)
                return log_oom(), EXIT_OTHER;
        r = sd_bus_message_new_method_call(
                        bus, &m, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, "RetryJob");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", id);
        if (r >= 0)
                r = append_options(m, ctl->args.secrets);
        if (r == -ECANCELED)
                return EXIT_OTHER;
        return r < 0 ? client_failure(ctl, NULL, r, what) : client_call_message(ctl, bus, m, NULL, what);
}

/* A secret belongs to one job. All are tried, also behind one that fails. */
int verb_retry(Ctl *ctl, char **words) {
        _cleanup_strv_free_ char **retried = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int first, status;

        if (ctl->args.secrets && words[1]) {
                log_error("With --secret=, only one job can be retried at a time.");
                return EXIT_USAGE;
        }
        first = client_connect(ctl, &bus);
        if (first != EXIT_OK)
                return first;
        STRV_FOREACH(id, words) {
                status = retry_one(ctl, bus, *id);
                if (status == EXIT_OK && strv_extend(&retried, *id) < 0)
                        return log_oom(), EXIT_OTHER;
                if (first == EXIT_OK)
                        first = status;
        }
        if (!ctl->args.wait || !retried)
                return first;
        status = watch_jobs(ctl, &bus, retried);
        return first != EXIT_OK ? first : status;
}
