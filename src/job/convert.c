/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "engine/part.h"
#include "job/complaint.h"
#include "job/convert.h"
#include "job/destination-kind.h"
#include "job/identity.h"
#include "job/source-kind.h"

/* --- its room -------------------------------------------------------------------------------------- */

static uint64_t allocated_bytes(const Conversion *c, size_t disk) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (part_directory_disk(c->part_fd, conversion_place(c, disk), false, &fd) < 0 ||
                        fstatat(fd, PART_IMAGE_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        return (uint64_t) st.st_blocks * 512;
}

/* What takes room in a source that has no map of its own may be written zeroes, which become holes. */
static bool allocation_is_data(const Image *i) {
        return i->format != FORMAT_RAW && !i->extents;
}

char *convert_space_text(
                const char *path, uint64_t source, uint64_t written, uint64_t available, bool sure) {
        char source_text[BYTES_SIZE], written_text[BYTES_SIZE], missing[BYTES_SIZE];
        uint64_t rest = source > written ? source - written : 0;

        format_bytes(source_text, source);
        format_bytes(written_text, written);
        format_bytes(missing, rest > available ? rest - available : 0);
        return strprintf("The file system of %s %s: the source takes %s%s%s%s, and %s more must be free",
                        path, sure ? "cannot hold the disk" : "may be too small", source_text,
                        written > 0 ? ", of which " : "", written > 0 ? written_text : "",
                        written > 0 ? " are written already" : "", missing);
}

int convert_check_space(Conversion *c) {
        uint64_t source = 0, written = 0;
        bool sure = true;
        struct statvfs fs;

        if (c->in_place || c->stream || !c->source->disks || c->attempt->plan->spec->parameters.compress)
                return 0;
        if (fstatvfs(c->part_fd, &fs) < 0)
                return attempt_fail(c->attempt, errno, NULL, "Asking for the free space of %s failed: %s",
                                c->part_dir, strerror(errno));
        for (size_t i = 0; i < c->source->n_disks; i++) {
                const Image *image = &c->source->disks[i];
                source += MIN(image->actual_size, image->virtual_size);
                written += allocated_bytes(c, i);
                sure = sure && allocation_is_data(image);
        }
        uint64_t available = (uint64_t) fs.f_bavail * fs.f_frsize;
        if (source <= written || source - written <= available)
                return 0;
        _cleanup_free_ char *text = convert_space_text(c->spec->path, source, written, available, sure);
        if (!text)
                return -ENOMEM;
        if (sure)
                return attempt_fail(c->attempt, ENOSPC, "no_space", "%s", text);
        report_note(&c->attempt->report, "%s", text);
        return 0;
}

/* --- destinations ---------------------------------------------------------------------------------- */

static Compression compression_of(const Conversion *c) {
        static const Compression ours[_JOB_COMPRESSION_MAX] = {
                [JOB_COMPRESSION_NONE] = COMPRESSION_NONE,
                [JOB_COMPRESSION_ZLIB] = COMPRESSION_ZLIB,
                [JOB_COMPRESSION_ZSTD] = COMPRESSION_ZSTD,
        };

        return ours[c->attempt->plan->spec->parameters.compression];
}

/* What must be the same for a copy to go on, besides the source. */
static char *destination_identity(const Conversion *c, const Endpoint *nbd) {
        if (c->in_place) {
                _cleanup_free_ char *server =
                                identity_of_server(endpoint_identity(c->spec), c->attempt->plan->job_id);
                _cleanup_free_ char *full = server ? strprintf("%s %" PRIu64, server, nbd->size) : NULL;
                return full ? identity_shortened(full, CHECKPOINT_TEXT_MAX) : NULL;
        }
        const char *compression = compression_to_string(compression_of(c));
        return strprintf("%s%s%s", disk_format_to_string((DiskFormat) c->spec->format),
                        compression ? " " : "", strempty(compression));
}

typedef struct Destination {
        Connection connection; /* with a server: vmdk */
        Part *part;
        uint64_t watermark;
} Destination;

static void destination_done(Destination *d) {
        connection_done(&d->connection);
        part_close(d->part);
        *d = (Destination){};
}

static int open_part(
                Conversion *c, size_t disk, uint64_t size, const Endpoint *nbd, unsigned flags, Part **ret) {
        _cleanup_free_ char *full = strprintf("%s\ndisk %zu", c->source->identity, disk + 1);
        _cleanup_free_ char *source = full ? identity_shortened(full, CHECKPOINT_TEXT_MAX) : NULL;
        _cleanup_free_ char *destination = destination_identity(c, nbd), *why = NULL;
        CheckpointIdentity id = { .source = source, .size = size, .destination = destination };
        _cleanup_close_ int fd = -EBADF;

        if (!source || !destination)
                return -ENOMEM;
        int r = part_directory_disk(c->part_fd, conversion_place(c, disk), true, &fd);
        if (r >= 0)
                r = part_open(fd, &id, flags, ret, &why);
        if (r < 0)
                return attempt_fail(c->attempt, r, NULL,
                                "Opening the directory for the unfinished image, %s, failed: %s",
                                c->part_dir, why ? why : strerror(-r));
        return 0;
}

static int open_own_format(Conversion *c, const char *label, Destination *d) {
        _cleanup_free_ char *why = NULL;

        int r = part_open_endpoint(d->part, disk_format_to_qemu(c->format), compression_of(c), label,
                        &d->connection.endpoint, &d->watermark, &why);
        if (r < 0)
                return attempt_fail(c->attempt, r, NULL, "Making the image %s failed: %s", label,
                                why ? why : strerror(-r));
        return 0;
}

static int create_vmdk(Conversion *c, const Image *image, uint64_t size) {
        _cleanup_child_output_ ChildOutput o = {};
        _cleanup_free_ char *bytes = strprintf("%" PRIu64, size);
        const char *const argv[] = { "qemu-img", "create", "-q", "-f", "vmdk", "-o",
                c->stream ? "subformat=streamOptimized,adapter_type=lsilogic,hwversion=10"
                          : "subformat=monolithicSparse",
                image->path, bytes, NULL };
        _cleanup_free_ char *directory =
                        strndup(image->path, (size_t) (strrchr(image->path, '/') - image->path));
        char *directories[] = { directory, NULL };
        const ParserFiles files = { .write = directories };
        ChildLimits limits = { .files = &files, .timeout = 60 * USEC_PER_SEC, .output_max = 65536 };

        if (!bytes || !directory)
                return -ENOMEM;
        if (unlink(image->path) < 0 && errno != ENOENT)
                return attempt_fail(c->attempt, errno, NULL, "Removing an older %s failed: %s", image->path,
                                strerror(errno));
        int r = child_run(argv, &limits, c->attempt->cancel_fd, &o);
        if (r == -ENOENT)
                return attempt_fail(c->attempt, r, "program_missing",
                                "qemu-img was not found: install the package qemu-utils");
        if (r == -ECANCELED)
                return r;
        if (r < 0)
                return attempt_fail(c->attempt, r, NULL, "Making the image %s failed: %s", image->label,
                                strerror(-r));
        if (o.status == 0)
                return 0;
        _cleanup_free_ char *why = complaint_text(o.errors);
        if (why && strstr(why, strerror(ENOSPC)))
                return attempt_fail(c->attempt, ENOSPC, NULL, "Making the image %s failed: %s", image->label,
                                why);
        return attempt_fail(c->attempt, EINVAL, "unsupported", "Making the image %s failed: %s",
                        image->label, why ? why : "qemu-img did not say why");
}

/* qemu writes vmdk. Its image is left as it is between attempts, but for a stream: there, what is written
 * once cannot be written again. */
static int open_vmdk(Conversion *c, size_t disk, uint64_t size, Destination *d) {
        _cleanup_(image_done) Image image = {};
        int r = part_image(c, disk, &image);

        if (r < 0)
                return r;
        d->watermark = c->stream ? 0 : part_watermark(d->part);
        bool fresh = d->watermark == 0;
        if (fresh) {
                r = part_reset(d->part);
                if (r < 0)
                        return attempt_fail(c->attempt, r, NULL,
                                        "Forgetting an older attempt in %s failed: %s", c->part_dir,
                                        strerror(-r));
                r = create_vmdk(c, &image, size);
                if (r < 0)
                        return r;
        }
        return connect_image(c->attempt, &image, true, NBD_DESTINATION | (fresh ? NBD_KNOWN_ZERO : 0),
                        image.label, &d->connection);
}

/* A disk of another size is perhaps another disk. */
static int check_larger(Conversion *c, const Endpoint *e, uint64_t size) {
        if (!c->attempt->plan->spec->parameters.allow_larger)
                return attempt_fail(c->attempt, EINVAL, "destination_refused",
                                "The destination's disk has %" PRIu64
                                " bytes, more than the source's %" PRIu64
                                ". If it is the right one, set parameters.allow_larger: what lies behind "
                                "the end of "
                                "the source is left as it is.",
                                e->size, size);
        if (e->alignment > 1 && size % e->alignment != 0)
                return attempt_fail(c->attempt, EINVAL, "destination_refused",
                                "The destination takes whole blocks of %zu bytes only, and the source's "
                                "%" PRIu64 " bytes do not end with one: the rest of the last block would be "
                                "overwritten. Make the "
                                "destination's disk as large as the source.",
                                e->alignment, size);
        report_note(&c->attempt->report,
                        "The destination's disk is larger than the source: from byte %" PRIu64
                        " on it is left as it is",
                        size);
        return 0;
}

static int open_in_place(Conversion *c, uint64_t size, Destination *d) {
        int r = destination_kind(c->spec->type)->open_in_place(c, &d->connection);

        if (r < 0)
                return r;
        if (d->connection.endpoint->size < size)
                return attempt_fail(c->attempt, EINVAL, "destination_refused",
                                "The destination's disk has %" PRIu64
                                " bytes, fewer than the source's %" PRIu64,
                                d->connection.endpoint->size, size);
        return d->connection.endpoint->size > size ? check_larger(c, d->connection.endpoint, size) : 0;
}

static int open_destination(Conversion *c, size_t disk, uint64_t size, Destination *d) {
        bool own = !c->in_place && c->format != FORMAT_VMDK;
        int r;

        if (c->in_place) {
                r = open_in_place(c, size, d);
                if (r < 0)
                        return r;
        }
        r = open_part(c, disk, size, d->connection.endpoint,
                        own                           ? PART_OWN_IMAGE
                                        : c->in_place ? PART_NO_IMAGE
                                                      : 0,
                        &d->part);
        if (r < 0)
                return r;
        if (c->in_place) {
                d->watermark = part_watermark(d->part);
                return 0;
        }
        if (!own)
                return open_vmdk(c, disk, size, d);
        _cleanup_free_ char *label = layout_path(c->spec, conversion_place(c, disk));
        return label ? open_own_format(c, label, d) : -ENOMEM;
}

/* --- copying --------------------------------------------------------------------------------------- */

static void add_up(Conversion *c, const CopyProgress *p, const Endpoint *destination) {
        c->bytes_read += p->bytes_read;
        c->bytes_zero += p->bytes_zero;
        c->bytes_written += destination->bytes_written;
        c->resumed_from += p->resumed_from;
}

/* A vmdk's server must end by itself, so that all of the image is written. */
static int close_destination(Conversion *c, Destination *d) {
        _cleanup_free_ char *why = NULL;

        d->connection.endpoint = endpoint_free(d->connection.endpoint);
        int r = d->connection.servers ? server_group_stop(d->connection.servers, &why) : 0;
        if (r < 0)
                return attempt_fail(c->attempt, r, "server_died", "Closing the image %s failed: %s",
                                c->spec->path, why ? why : strerror(-r));
        return 0;
}

/* A server that was restarted may serve another disk, or an empty one: a sample of what was copied must be
 * there. 1 if it is, 0 if not, and then both ends can only be closed. */
static int holds_what_was_copied(Conversion *c, Connection *source, Destination *d) {
        /* A stream passes by once, and all of it has to be taken. */
        const CompareMode mode = {
                .data = source->endpoint->once ? COMPARE_ALL : COMPARE_SAMPLE,
                .zeroes = COMPARE_SAMPLE,
                .end = d->watermark,
        };
        const CopyOptions options = { .cancel_fd = c->attempt->cancel_fd };
        _cleanup_free_ char *why = NULL;
        uint64_t offset;

        int r = compare_disks(
                        source->endpoint, d->connection.endpoint, &options, &mode, NULL, &offset, &why);
        if (r < 0)
                return connection_fail(c->attempt, source, &d->connection, r,
                                "Looking for what an earlier attempt copied", why);
        if (r > 0)
                return 1;
        report_note(&c->attempt->report,
                        "What an earlier attempt left is not used: the destination's disk does not hold it");
        r = part_reset(d->part);
        return r < 0 ? attempt_fail(c->attempt, r, NULL, "Removing the checkpoint in %s failed: %s",
                                       c->part_dir, strerror(-r))
                     : 0;
}

static int open_once(Conversion *c, size_t disk, Connection *source, Destination *d) {
        int r = source_connect(c->source, disk, source);
        if (r < 0)
                return r;
        uint64_t size = c->sizes[disk] = source->endpoint->size;
        if (size == 0)
                return attempt_fail(c->attempt, EBADMSG, "image_refused", "The source's disk %zu is empty",
                                disk + 1);
        if (!c->source->disks)
                c->attempt->report.work_total = conversion_work(c, size);
        return open_destination(c, disk, size, d);
}

static int open_both(Conversion *c, size_t disk, Connection *source, Destination *d) {
        int r = open_once(c, disk, source, d);
        if (r < 0 || !c->in_place || d->watermark == 0)
                return r;
        r = holds_what_was_copied(c, source, d);
        if (r != 0)
                return MIN(r, 0);
        destination_done(d);
        connection_done(source);
        return open_once(c, disk, source, d); /* without a checkpoint it begins anew */
}

/* A disk that is being copied. */
typedef struct Running {
        size_t disk;
        Connection source;
        Destination destination;
        ConvertProgress progress;
        CopyOptions options;
        Copy *copy; /* NULL: there is none */
} Running;

static void running_done(Running *w) {
        w->copy = copy_free(w->copy);
        destination_done(&w->destination);
        connection_done(&w->source);
}

/* The disks that are copied at a time, and what they have in common. */
typedef struct Disks {
        Conversion *conversion;
        char *what;
        Running running[JOB_DISKS_PARALLEL_MAX]; /* the first @n_running ones are used */
        size_t n_running;
        size_t next; /* disk to begin with */
        ConvertSum sum;
} Disks;

static void disks_done(Disks *d) {
        for (size_t i = 0; i < d->n_running; i++)
                running_done(&d->running[i]);
        free(d->what);
}

static void note_beginning(Conversion *c, const Running *w) {
        const Destination *d = &w->destination;
        char a[BYTES_SIZE], b[BYTES_SIZE];

        if (d->watermark > 0)
                report_note(&c->attempt->report,
                                "Going on where an earlier attempt ended: %s of %s are done",
                                format_bytes(a, d->watermark), format_bytes(b, c->sizes[w->disk]));
        else if (part_why_anew(d->part))
                report_note(&c->attempt->report, "What an earlier attempt left is not used: %s",
                                part_why_anew(d->part));
}

static int begin_disk(Disks *all, Running *w) {
        Conversion *c = all->conversion;
        _cleanup_free_ char *why = NULL;

        w->disk = all->next++;
        int r = open_both(c, w->disk, &w->source, &w->destination);
        if (r < 0)
                return r;
        note_beginning(c, w);
        w->progress = (ConvertProgress){
                .attempt = c->attempt,
                .what = all->what,
                .source = &w->source,
                .destination = &w->destination.connection,
                .tell = c->source,
                .sum = c->source->n_disks > 1 ? &all->sum : NULL,
                .disk = w->disk,
        };
        w->options = (CopyOptions){
                .size = c->in_place ? c->sizes[w->disk] : 0,
                .progress = convert_on_progress,
                .userdata = &w->progress,
                .progress_interval = REPORT_INTERVAL,
                .cancel_fd = c->attempt->cancel_fd,
        };
        r = copy_new(w->source.endpoint, w->destination.connection.endpoint,
                        c->stream ? NULL : w->destination.part, w->destination.watermark, &w->options,
                        &w->copy, &why);
        return r < 0 ? connection_fail(c->attempt, &w->source, &w->destination.connection, r, all->what, why)
                     : 0;
}

/* All of it lasts. */
static int finish_disk(Disks *all, Running *w) {
        Conversion *c = all->conversion;

        add_up(c, copy_progress(w->copy), w->destination.connection.endpoint);
        all->sum.rate -= w->progress.rate;
        report_step_done(&c->attempt->report, c->source->n_disks > 1 ? 0 : c->sizes[w->disk]);
        w->copy = copy_free(w->copy);
        int r = close_destination(c, &w->destination);
        running_done(w);
        return r;
}

/* 1: under way; 0: finished. */
static int step_disk(Disks *all, Running *w) {
        Conversion *c = all->conversion;
        _cleanup_free_ char *why = NULL;

        int r = copy_step(w->copy, &why);
        if (r > 0)
                return r;
        if (r == 0)
                return finish_disk(all, w);
        if (r == -EBADMSG) /* what there was is forgotten */
                return attempt_fail(c->attempt, r, "output_damaged", "%s failed: %s", all->what, strna(why));
        if (r != -ECANCELED)
                source_explain(c->source);
        return connection_fail(c->attempt, &w->source, &w->destination.connection, r, all->what, why);
}

static int wait_for_disks(Disks *all) {
        Copy *copies[JOB_DISKS_PARALLEL_MAX];
        size_t n = 0;

        for (size_t i = 0; i < all->n_running; i++)
                if (all->running[i].copy)
                        copies[n++] = all->running[i].copy;
        return copies_wait(copies, n, all->conversion->attempt->cancel_fd);
}

/* One round: 1 if there is more to do. */
static int step_disks(Disks *all) {
        bool busy = false, wait = true;
        int r = 0;

        for (size_t i = 0; i < all->n_running; i++) {
                Running *w = &all->running[i];
                if (!w->copy && all->next == all->conversion->source->n_disks)
                        continue;
                if (!w->copy)
                        r = begin_disk(all, w);
                if (r >= 0)
                        r = step_disk(all, w);
                if (r < 0)
                        return r;
                wait = wait && r > 0;
                busy = true;
        }
        r = busy && wait ? wait_for_disks(all) : 0;
        return r < 0 ? r : busy;
}

/* What the other disks have copied counts for the next attempt, too, unless the job is cancelled. */
static void interrupt_disks(Disks *all, bool keep) {
        for (size_t i = 0; i < all->n_running; i++) {
                Running *w = &all->running[i];
                if (!w->copy)
                        continue;
                if (keep)
                        copy_interrupt(w->copy);
                add_up(all->conversion, copy_progress(w->copy), w->destination.connection.endpoint);
        }
}

int convert_disks(Conversion *c) {
        _cleanup_(disks_done) Disks all = { .conversion = c, .n_running = c->attempt->plan->disks_parallel };
        size_t n = c->source->n_disks;
        int r = 1;

        all.what = n == 1 ? strdup("Converting disk format") : strprintf("Converting %zu disks", n);
        if (!all.what)
                return -ENOMEM;
        for (size_t i = 0; c->source->disks && i < n; i++) {
                all.sum.totals[i] = c->source->disks[i].virtual_size;
                all.sum.total += all.sum.totals[i];
        }
        all.sum.n_disks = n;
        while (r > 0)
                r = step_disks(&all);
        if (r < 0)
                interrupt_disks(&all, r != -ECANCELED);
        if (r >= 0 && n > 1)
                report_step_done(&c->attempt->report, all.sum.total);
        return r;
}
