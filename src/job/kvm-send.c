/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/kvm-send.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "job/hosts-call.h"
#include "job/output-layout.h"
#include "spec/job-file.h"
#include "json/json-parse.h"

/* In the directory of the job */
#define RECORD_VOLUMES "volumes"
#define RECORD_MAX ((size_t) 1024 * 1024)

void kvm_sending_done(KvmSending *s) {
        for (size_t i = 0; i < s->n; i++)
                safe_close(s->fds[i]);
        free(s->fds);
        *s = (KvmSending){};
}

/* --- the record ------------------------------------------------------------------------------------ */

/* The volumes that were created, those of the first disks, by their paths on the host; and whether all of
 * them are complete: then a domain may exist that uses them. NULL: there is none, or it is malformed. */
static json_t *read_record(Attempt *a) {
        _cleanup_free_ char *text = NULL, *error = NULL;
        json_t *record = NULL;

        if (read_file_at(a->directory_fd, RECORD_VOLUMES, RECORD_MAX, &text, NULL) < 0)
                return NULL;
        return json_parse_object(text, strlen(text), &record, &error) < 0 ? NULL : record;
}

static int store_record(Attempt *a, json_t *record) {
        _cleanup_free_ char *text = json_dumps(record, JSON_COMPACT);

        return text ? write_file_atomic_at(a->directory_fd, RECORD_VOLUMES, text, strlen(text), 0644)
                    : -ENOMEM;
}

static int write_record(Attempt *a, char *const *paths, size_t n, bool complete) {
        _cleanup_json_ json_t *list = json_array(), *record = NULL;

        for (size_t i = 0; i < n; i++)
                if (json_array_append_new(list, json_string(paths[i])) < 0)
                        return -ENOMEM;
        record = json_pack("{s:O, s:b}", "paths", list, "complete", complete);
        return record ? store_record(a, record) : -ENOMEM;
}

static unsigned count_volumes(Attempt *a) {
        _cleanup_json_ json_t *record = read_record(a);

        return (unsigned) json_array_size(json_object_get(record, "paths"));
}

bool kvm_sent_all(Attempt *a) {
        _cleanup_json_ json_t *record = read_record(a);

        return json_is_true(json_object_get(record, "complete"));
}

/* The paths in @d become those on the host. */
static int use_record(Attempt *a, KvmDomain *d) {
        _cleanup_json_ json_t *record = read_record(a);
        json_t *paths = json_object_get(record, "paths");

        if (json_array_size(paths) != d->n_disks)
                return -EBADMSG;
        for (size_t i = 0; i < d->n_disks; i++) {
                const char *path = json_string_value(json_array_get(paths, i));
                int r = path ? free_and_strdup(&d->disks[i].path, path) : -EBADMSG;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- calls ----------------------------------------------------------------------------------------- */

static int append_volume(Attempt *a, sd_bus_message *call, const char *name) {
        return sd_bus_message_append(call, "ss", a->plan->spec->destination.kvm.pool, name);
}

static int create_once(
                Attempt *a, const KvmDisk *disk, const struct stat *st, char **ret_path, char **ret_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const char *path;

        int r = hosts_call_new(kvm_spec_uri(&a->plan->spec->destination.kvm), "CreateVolume", &bus, &call);
        if (r >= 0)
                r = append_volume(a, call, kvm_volume_name(disk));
        if (r >= 0)
                r = sd_bus_message_append(
                                call, "tt", (uint64_t) st->st_size, (uint64_t) st->st_blocks * 512);
        if (r >= 0)
                r = sd_bus_call(bus, call, 70 * USEC_PER_SEC, &error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &path);
        if (r < 0)
                return hosts_call_result(r, &error, ret_error);
        *ret_path = strdup(path);
        return *ret_path ? 0 : -ENOMEM;
}

int kvm_remove_volume(Attempt *a, const char *name, char **ret_error) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;

        int r = hosts_call_new(kvm_spec_uri(&a->plan->spec->destination.kvm), "RemoveVolume", &bus, &call);
        if (r >= 0)
                r = append_volume(a, call, name);
        if (r >= 0)
                r = sd_bus_call(bus, call, 70 * USEC_PER_SEC, &error, NULL);
        return hosts_call_result(r, &error, ret_error);
}

typedef struct SendCall {
        bool done;
        int result;
        char *error;
} SendCall;

static int on_sent(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        SendCall *c = userdata;

        c->done = true;
        c->result = error ? hosts_call_result(-sd_bus_error_get_errno(error), error, &c->error) : 0;
        return 0;
}

/* hyper-hostd reads with our descriptor, so its offset says how far it is. */
static void tell_progress(Attempt *a, size_t disk, int fd, const struct stat *st, usec_t began) {
        _cleanup_free_ char *what = strprintf("Sending disk %zu to the host", disk + 1);
        usec_t passed = now_monotonic() - began;
        off_t offset = lseek(fd, 0, SEEK_CUR);
        uint64_t done = (uint64_t) MIN(MAX(offset, 0), st->st_size);

        if (!what || done >= (uint64_t) st->st_size)
                return;
        report_progress(&a->report, what, done, (uint64_t) st->st_size,
                        passed > 0 ? (uint64_t) ((double) done / (double) passed * USEC_PER_SEC) : 0, false);
}

static int wait_sent(Attempt *a, sd_bus *bus, SendCall *c, size_t disk, int fd, const struct stat *st) {
        usec_t began = now_monotonic();

        while (!c->done) {
                int r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, REPORT_INTERVAL);
                if (r < 0 && r != -EINTR)
                        return r;
                tell_progress(a, disk, fd, st, began);
        }
        return c->result;
}

static int send_once(Attempt *a, const KvmDomain *d, size_t disk, int fd, const struct stat *st,
                char **ret_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        SendCall c = {};

        int r = hosts_call_new(kvm_spec_uri(&a->plan->spec->destination.kvm), "SendVolume", &bus, &call);
        if (r >= 0)
                r = append_volume(a, call, kvm_volume_name(&d->disks[disk]));
        if (r >= 0)
                r = sd_bus_message_append(call, "h", fd);
        if (r >= 0)
                r = sd_bus_call_async(bus, NULL, call, on_sent, &c, UINT64_MAX);
        if (r >= 0)
                r = wait_sent(a, bus, &c, disk, fd, st);
        *ret_error = TAKE_PTR(c.error);
        return r;
}

/* What libvirt has refused once, it refuses again. */
static bool call_again(unsigned n, int r, char **error) {
        return r != -EREMOTEIO && hosts_call_again(n, r, error);
}

/* --- the disks ------------------------------------------------------------------------------------- */

static int open_disks(const KvmDomain *d, KvmSending *s, char **ret_error) {
        s->fds = new0(int, d->n_disks + 1);
        if (!s->fds)
                return -ENOMEM;
        for (; s->n < d->n_disks; s->n++) {
                const char *path = d->disks[s->n].path;
                int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
                if (fd < 0) {
                        int r = -errno;
                        *ret_error = strprintf("%s cannot be opened: %s", path, strerror(-r));
                        return r;
                }
                s->fds[s->n] = fd;
        }
        return 0;
}

/* A stop has to wait until the volume is recorded. */
static void block_stop(bool block) {
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigprocmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static int create_volume(Attempt *a, const KvmDomain *d, size_t disk, const struct stat *st, char **paths,
                char **ret_error) {
        unsigned n = 0;
        int r;

        block_stop(true);
        do
                r = create_once(a, &d->disks[disk], st, &paths[disk], ret_error);
        while (call_again(n++, r, ret_error));
        if (r >= 0)
                r = write_record(a, paths, disk + 1, false);
        block_stop(false);
        return r;
}

static int send_disk(Attempt *a, const KvmDomain *d, size_t disk, int fd, char **paths, char **ret_error) {
        unsigned n = 0;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        int r = create_volume(a, d, disk, &st, paths, ret_error);
        if (r < 0)
                return r;
        report_note(&a->report, "Sending %s to the storage pool %s of the host", d->disks[disk].path,
                        a->plan->spec->destination.kvm.pool);
        do
                r = send_once(a, d, disk, fd, &st, ret_error);
        while (call_again(n++, r, ret_error));
        if (r < 0)
                return r;
        report_note(&a->report, "%s is on the host as %s, and was read back and compared",
                        d->disks[disk].path, paths[disk]);
        return 0;
}

static int send_disks(Attempt *a, const KvmDomain *d, const KvmSending *s, char **ret_error) {
        _cleanup_strv_free_ char **paths = new0(char *, d->n_disks + 1);
        int r = 0;

        if (!paths)
                return -ENOMEM;
        for (size_t i = 0; i < d->n_disks && r >= 0; i++)
                r = send_disk(a, d, i, s->fds[i], paths, ret_error);
        return r < 0 ? r : write_record(a, paths, d->n_disks, true);
}

/* Volumes of a call that was interrupted are in the way. */
static int clear_host(Attempt *a, const KvmDomain *d, char **ret_error) {
        kvm_withdraw(a, d);
        if (count_volumes(a) == 0)
                return 0;
        *ret_error = strdup("volumes of an earlier attempt cannot be removed from the host");
        return -EEXIST;
}

int kvm_send(Attempt *a, KvmDomain *d, KvmSending *s, char **ret_error) {
        int r = open_disks(d, s, ret_error);

        if (r < 0 || kvm_sent_all(a))
                return r < 0 ? r : use_record(a, d);
        report_complete(&a->report);
        r = job_mark_set(a->directory, JOB_MARK_SENDING);
        if (r >= 0)
                r = clear_host(a, d, ret_error);
        if (r >= 0)
                r = send_disks(a, d, s, ret_error);
        return r < 0 ? r : use_record(a, d);
}

static int remove_volume(Attempt *a, const KvmDisk *disk) {
        _cleanup_free_ char *error = NULL;
        unsigned n = 0;
        int r;

        do
                r = kvm_remove_volume(a, kvm_volume_name(disk), &error);
        while (call_again(n++, r, &error));
        if (r < 0)
                report_note(&a->report, "The volume %s remains in the storage pool %s: %s",
                                kvm_volume_name(disk), a->plan->spec->destination.kvm.pool,
                                error ? error : strerror(-r));
        return r;
}

/* The last one first, so that the record is always about the first ones. */
void kvm_withdraw(Attempt *a, const KvmDomain *d) {
        _cleanup_json_ json_t *record = read_record(a);
        json_t *paths = json_object_get(record, "paths");
        size_t n = MIN(json_array_size(paths), d->n_disks);
        int r = 0;

        if (n > 0 && json_object_set_new(record, "complete", json_false()) < 0)
                return;
        for (; n > 0 && r >= 0; n--) {
                r = remove_volume(a, &d->disks[n - 1]);
                if (r >= 0 && json_array_remove(paths, n - 1) >= 0)
                        r = store_record(a, record);
        }
}

/* If it is still the file that was sent. */
static void remove_disk(const char *path, int fd) {
        struct stat ours, there;

        if (fstat(fd, &ours) < 0 || lstat(path, &there) < 0 || ours.st_dev != there.st_dev ||
                        ours.st_ino != there.st_ino)
                return;
        if (unlink(path) < 0)
                log_warning_errno(errno, "Failed to remove %s, which is on the host now: %m", path);
}

int kvm_sent(Attempt *a, const KvmDomain *d, const KvmSending *s, KvmOutcome *o) {
        int r = 0;

        for (size_t i = 0; i < d->n_disks && r >= 0; i++)
                r = strv_extend(&o->disks, d->disks[i].path);
        if (r >= 0)
                r = kvm_outcome_write(o, a->directory);
        for (size_t i = 0; i < d->n_disks && r >= 0; i++) {
                _cleanup_free_ char *path = layout_path(&a->plan->spec->destination, (unsigned) i + 1);
                if (path)
                        remove_disk(path, s->fds[i]);
        }
        return r;
}
