/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/file/file-bus.h"

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/file/file-open.h"
#include "manager/idle.h"
#include "manager/manager.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "shared/thread-call.h"

/* One call, which a thread works on. */
typedef struct FileCall {
        Manager *manager;
        sd_bus_message *message; /* the loop's; NULL: it was answered */
        char **roots, *path;
        int fd;
        FileEntries list;
        sd_bus_error error;
} FileCall;

static void file_call_free(void *userdata) {
        FileCall *c = userdata;

        strv_free(c->roots);
        free(c->path);
        safe_close(c->fd);
        file_entries_done(&c->list);
        sd_bus_error_free(&c->error);
        free(c);
}

static int work_open(void *userdata) {
        FileCall *c = userdata;

        return file_open(c->roots, c->path, S_IFREG, &c->fd, &c->error);
}

static int work_list(void *userdata) {
        FileCall *c = userdata;

        return file_list(c->roots, c->path, &c->list, &c->error);
}

static int append_list(sd_bus_message *reply, const FileEntries *list) {
        int r = sd_bus_message_append(reply, "b", list->is_root);

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sbtt)");

        for (size_t i = 0; r >= 0 && i < list->n; i++) {
                const FileEntry *e = &list->entries[i];

                r = sd_bus_message_append(
                                reply, "(sbtt)", e->name, e->is_directory, e->size, e->modified_at);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int reply(FileCall *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_return(c->message, &m);

        if (r >= 0)
                r = c->fd >= 0 ? sd_bus_message_append(m, "h", c->fd) : append_list(m, &c->list);
        return r < 0 ? r : sd_bus_send(NULL, m, NULL);
}

void file_call_end(Manager *m, sd_bus_message **message, int r, const sd_bus_error *error) {
        if (r < 0)
                r = sd_bus_error_is_set(error) ? sd_bus_reply_method_error(*message, error)
                                               : sd_bus_reply_method_errno(*message, r, NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to answer a client that uses files: %m");
        *message = sd_bus_message_unref(*message);
        idle_lookup_done(m);
}

static void on_done(int r, void *userdata) {
        FileCall *c = userdata;

        if (r >= 0)
                r = reply(c);
        file_call_end(c->manager, &c->message, r, &c->error);
}

int files_busy(sd_bus_error *error) {
        return bus_error_setf(
                        error, HYPER_BUS_ERROR_UNAVAILABLE, "Too many calls wait for files; try again");
}

static int copy_list(char *const *list, char ***ret) {
        STRV_FOREACH(s, list) {
                int r = strv_extend(ret, *s);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int start(sd_bus_message *message, void *userdata, int (*work)(void *), sd_bus_error *error) {
        Manager *m = userdata;
        const char *path;
        FileCall *c;
        int r = bus_verify_polkit(message, MANAGE_FILES, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &path);
        if (r < 0)
                return r;
        c = new0(FileCall, 1);
        if (!c)
                return -ENOMEM;
        c->manager = m;
        c->fd = -EBADF;
        c->path = strdup(path);
        r = c->path ? copy_list(m->settings->files.roots, &c->roots) : -ENOMEM;
        if (r >= 0)
                r = thread_call(m->file_calls, work, on_done, file_call_free, c);
        if (r < 0) {
                file_call_free(c);
                return r == -EBUSY ? files_busy(error) : r;
        }
        c->message = sd_bus_message_ref(message);
        return 1;
}

int method_open_file(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return start(message, userdata, work_open, error);
}

int method_list_files(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return start(message, userdata, work_list, error);
}
