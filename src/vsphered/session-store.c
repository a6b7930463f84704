/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphered/session-store.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "vsphere/session.h"
#include "json/json-table.h"

#define PREFIX "session-"

static void notify(const char *what, const char *name, const int *fds, unsigned n) {
        _cleanup_free_ char *text = strprintf("%s=1\nFDNAME=" PREFIX "%s", what, name);

        if (text)
                (void) sd_pid_notify_with_fds(0, false, text, fds, n);
}

void session_store_put(const char *name, const Login *login, const char *cookie) {
        _cleanup_json_ json_t *o = json_pack("{s:s, s:s?, s:s?, s:s}", "url", strempty(login->url), "ca",
                        isempty(login->ca) ? NULL : login->ca, "thumbprint",
                        isempty(login->thumbprint) ? NULL : login->thumbprint, "cookie", strempty(cookie));
        _cleanup_close_ int fd = memfd_create("session", MFD_CLOEXEC);

        if (!o || fd < 0 || json_dumpfd(o, fd, JSON_COMPACT) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return;
        session_store_remove(name);
        notify("FDSTORE", name, &fd, 1);
}

void session_store_remove(const char *name) {
        notify("FDSTOREREMOVE", name, NULL, 0);
}

/* --- those of a process before this one ------------------------------------------------------------ */

typedef struct Old {
        int fd;
        char *name; /* without the prefix */
} Old;

static Old *old_free(Old *o) {
        if (!o)
                return NULL;
        safe_close(o->fd);
        free(o->name);
        return mfree(o);
}
DEFINE_CLEANUP_FUNC(Old *, old_free);

static int end_session(json_t *o) {
        _cleanup_(session_freep) Session *s = NULL;
        _cleanup_free_ char *why = NULL;
        const char *url = json_string_value(json_object_get(o, "url")),
                   *cookie = json_string_value(json_object_get(o, "cookie"));
        const SessionOptions options = {
                .server = { .url = strempty(url),
                                .ca = json_string_value(json_object_get(o, "ca")),
                                .thumbprint = json_string_value(json_object_get(o, "thumbprint")),
                                .cancel_fd = -1 },
                .username = "",
                .password = "",
                .retries = 1,
        };
        int r = session_new(&options, &s, &why);

        if (r >= 0)
                r = session_adopt(s, strempty(cookie));
        if (r >= 0)
                session_logout(s);
        return r;
}

/* If it fails, the server ends the session when it finds it unused. */
static void *run_old(void *userdata) {
        _cleanup_(old_freep) Old *old = userdata;
        _cleanup_json_ json_t *o = json_loadfd(old->fd, 0, NULL);
        int r = o ? end_session(o) : -EBADMSG;

        if (r < 0)
                log_warning_errno(r, "Failed to end a session of a process that was killed: %m");
        else
                log_info("A session of a process that was killed was ended.");
        session_store_remove(old->name);
        return NULL;
}

static void start_old(int fd, const char *name) {
        _cleanup_(old_freep) Old *old = new0(Old, 1);
        pthread_t thread;

        if (!old) {
                close(fd);
                return;
        }
        old->fd = fd;
        old->name = strdup(name);
        if (!old->name || pthread_create(&thread, NULL, run_old, old) != 0)
                return;
        TAKE_PTR(old);
        (void) pthread_detach(thread);
}

void session_store_end_old(void) {
        char **names = NULL;
        int n = sd_listen_fds_with_names(true, &names);

        for (int i = 0; i < n; i++) {
                const char *name = startswith(names[i], PREFIX);
                int fd = SD_LISTEN_FDS_START + i;

                if (name)
                        start_old(fd, name);
                else
                        close(fd);
        }
        strv_free(names);
}
