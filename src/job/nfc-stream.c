/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/nfc-stream.h"

#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "engine/endpoint-stream.h"
#include "job/complaint.h"
#include "job/decode-child.h"
#include "job/helper.h"
#include "job/nfc-export.h"
#include "vsphere/download.h"

#define PIPE_SIZE (1 << 20)
#define DECODER_MEMORY (UINT64_C(256) << 20)
#define ERRORS_MAX ((size_t) 4096)

/* --- a download ------------------------------------------------------------------------------------ */

typedef enum Sum {
        SUM_SHA1,
        SUM_SHA256,
        _SUM_MAX,
} Sum;

typedef struct NfcStream {
        VsphereSource *source; /* not owned */
        size_t disk;
        const LeaseDevice *device; /* of the lease */
        char *label;
        DiskDigest *digest;

        pid_t decoder; /* 0: there is none */
        int complaints; /* its standard error */
        int to_decoder;
        int cancel; /* an eventfd: the download shall end */
        pthread_t thread;
        bool has_thread;

        /* The thread's, until it has ended: */
        EVP_MD_CTX *sums[_SUM_MAX];
        uint64_t size;
        int result;
        char *why;
} NfcStream;

/* The decoder may have nothing to do for long, while what it has decoded is not needed. */
static int write_all(const NfcStream *s, const char *data, size_t size) {
        struct pollfd p[] = { { .fd = s->to_decoder, .events = POLLOUT },
                { .fd = s->cancel, .events = POLLIN } };

        while (size > 0) {
                ssize_t n = write(s->to_decoder, data, size);
                if (n >= 0) {
                        data += n;
                        size -= (size_t) n;
                        continue;
                }
                if (errno != EAGAIN && errno != EINTR)
                        return -errno;
                if (poll(p, ELEMENTSOF(p), -1) < 0 && errno != EINTR)
                        return -errno;
                if (p[1].revents)
                        return -ECANCELED;
        }
        return 0;
}

static int on_data(void *userdata, const void *data, size_t size) {
        NfcStream *s = userdata;

        s->size += size;
        (void) __atomic_fetch_add(&s->source->counts->received[VSPHERE_METHOD_NFC], size, __ATOMIC_RELAXED);
        for (Sum i = 0; i < _SUM_MAX; i++)
                if (EVP_DigestUpdate(s->sums[i], data, size) != 1)
                        return -ENOMEM;
        return write_all(s, data, size);
}

static void *run_download(void *userdata) {
        NfcStream *s = userdata;
        const VsphereSpec *spec = s->source->spec;
        const DownloadOptions options = {
                .url = s->device->url,
                .ca = spec->ca,
                .thumbprint = s->device->thumbprint ? s->device->thumbprint : spec->thumbprint,
                .agent = s->source->attempt->plan->job_id,
                .cancel_fd = s->cancel,
                .sink = on_data,
                .userdata = s,
        };

        s->result = download(&options, &s->why);
        s->to_decoder = safe_close(s->to_decoder);
        return NULL;
}

static void join_download(NfcStream *s) {
        if (s->has_thread)
                (void) pthread_join(s->thread, NULL);
        s->has_thread = false;
}

static void stream_free(void *userdata) {
        NfcStream *s = userdata;

        (void) eventfd_write(s->cancel, 1);
        join_download(s);
        if (s->decoder > 0)
                child_kill(s->decoder);
        for (Sum i = 0; i < _SUM_MAX; i++)
                EVP_MD_CTX_free(s->sums[i]);
        disk_digest_free(s->digest);
        safe_close(s->complaints);
        safe_close(s->to_decoder);
        safe_close(s->cancel);
        nfc_export_release(s->source);
        free(s->label);
        free(s->why);
        free(s);
}

static void stream_freep(NfcStream **s) {
        if (*s)
                stream_free(*s);
}

/* --- its end --------------------------------------------------------------------------------------- */

/* What the decoder says; its exit status, or DECODE_FAILED. */
static int decoder_end(NfcStream *s, char **ret_complaint) {
        char text[ERRORS_MAX + 1] = {};
        int status = 0;

        while (waitpid(s->decoder, &status, 0) < 0)
                if (errno != EINTR)
                        break;
        s->decoder = 0;
        ssize_t n = read(s->complaints, text, ERRORS_MAX);
        text[MAX(n, 0)] = 0;
        child_clean_text(text);
        *ret_complaint = complaint_text(text);
        return WIFEXITED(status) ? WEXITSTATUS(status) : DECODE_FAILED;
}

/* The thread has ended because the connection broke, or because the decoder did. */
static int download_fail(NfcStream *s) {
        Attempt *a = s->source->attempt;
        int r = s->result;

        if (r == -EKEYREJECTED)
                return attempt_fail(
                                a, r, "certificate", "Downloading %s failed: %s", s->label, strna(s->why));
        if (r == -ENOENT || r == -EACCES || r == -EBUSY)
                return attempt_fail(a, r, "connection_failed",
                                "Downloading %s failed: the server refuses it (%s): the export may be over",
                                s->label, strna(s->why));
        return attempt_fail(a, r, "connection_failed", "Downloading %s failed after %" PRIu64 " bytes: %s",
                        s->label, s->size, s->why ? s->why : strerror(-r));
}

static int stream_fail(NfcStream *s, int status, const char *complaint) {
        Attempt *a = s->source->attempt;

        /* The others come from the end of the decoder. */
        if (s->result < 0 && s->result != -EPIPE && s->result != -ECANCELED)
                return download_fail(s);
        if (status == DECODE_CUT_OFF)
                return attempt_fail(a, ECONNRESET, "connection_failed",
                                "What was received of %s is incomplete: %s", s->label, strna(complaint));
        if (status == DECODE_REFUSED)
                return attempt_fail(a, EPROTO, "image_damaged", "What was received of %s cannot be used: %s",
                                s->label, strna(complaint));
        return attempt_fail(a, EIO, "io_error", "Decoding %s failed: %s", s->label, strna(complaint));
}

static int sum_hex(const NfcStream *s, Sum sum, char ret[static 2 * EVP_MAX_MD_SIZE + 1]) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        if (EVP_DigestFinal_ex(s->sums[sum], digest, &n) != 1)
                return -ENOMEM;
        for (unsigned i = 0; i < n; i++)
                snprintf(ret + 2 * i, 3, "%02x", digest[i]);
        return 0;
}

/* Whether it is what the server has sent. */
static int check_manifest(NfcStream *s) {
        Attempt *a = s->source->attempt;
        _cleanup_free_ char *hex = NULL;
        char ours[2 * EVP_MAX_MD_SIZE + 1] = "";
        uint64_t size = 0;
        bool sha256 = false;

        int r = nfc_export_checksum(s->source, s->device, &size, &sha256, &hex);
        if (r < 0)
                return r;
        if (r == 0) {
                report_note(&a->report, "The server has no checksum of %s", s->label);
                return 0;
        }
        r = sum_hex(s, sha256 ? SUM_SHA256 : SUM_SHA1, ours);
        if (r < 0)
                return r;
        if (!streq(hex, ours) || (size > 0 && size != s->size))
                return attempt_fail(a, EPROTO, "checksum_mismatch",
                                "What was received of %s has the %s %s and %" PRIu64
                                " bytes, but the server says %s and %" PRIu64 ": it was changed on its way",
                                s->label, sha256 ? "SHA-256" : "SHA-1", ours, s->size, hex, size);
        report_note(&a->report, "%s was received as it was sent: the %s is %s", s->label,
                        sha256 ? "SHA-256" : "SHA-1", hex);
        return 0;
}

static int on_ended(void *userdata, bool complete, _unused_ char **ret_error) {
        NfcStream *s = userdata;
        _cleanup_free_ char *complaint = NULL;

        int status = decoder_end(s, &complaint);
        if (!complete) /* nobody reads what still comes */
                (void) eventfd_write(s->cancel, 1);
        join_download(s);
        if (attempt_is_cancelled(s->source->attempt))
                return -ECANCELED;
        if (!complete || status != 0 || s->result < 0)
                return stream_fail(s, status, complaint);
        int r = check_manifest(s);
        VsphereDisk *d = &s->source->disks[s->disk];
        if (r >= 0)
                r = disk_digest_get(s->digest, d->digest);
        d->digested = r >= 0;
        return r;
}

/* --- its begin ------------------------------------------------------------------------------------- */

static int start_decoder(NfcStream *s, int *ret_fd) {
        const VmDisk *d = s->source->disks[s->disk].device;
        static const ChildLimits limits = { .address_space = DECODER_MEMORY };
        _cleanup_free_ char *capacity = strprintf("%" PRIu64, d->capacity);
        const char *const argv[] = { "decode", capacity, NULL };
        int in[2], out[2], err[2];

        if (!capacity)
                return -ENOMEM;
        if (pipe2(in, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int in_read = in[0];
        s->to_decoder = in[1];
        if (pipe2(out, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int out_read = out[0];
        _cleanup_close_ int out_write = out[1];
        if (pipe2(err, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        s->complaints = err[0];
        _cleanup_close_ int err_write = err[1];
        /* Larger ones save switches between the processes. */
        (void) fcntl(in_read, F_SETPIPE_SZ, PIPE_SIZE);
        (void) fcntl(out_read, F_SETPIPE_SZ, PIPE_SIZE);
        if (fcntl(s->to_decoder, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        int r = helper_start(argv, &limits, in_read, out_write, err_write, &s->decoder);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(out_read);
        return 0;
}

static int start(NfcStream *s, int *ret_fd) {
        static const EVP_MD *(*const algorithms[_SUM_MAX])(void) = { EVP_sha1, EVP_sha256 };

        s->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        s->label = strdup(strna(s->source->disks[s->disk].device->label));
        if (s->cancel < 0 || !s->label)
                return -ENOMEM;
        for (Sum i = 0; i < _SUM_MAX; i++) {
                s->sums[i] = EVP_MD_CTX_new();
                if (!s->sums[i] || EVP_DigestInit_ex(s->sums[i], algorithms[i](), NULL) != 1)
                        return -ENOMEM;
        }
        int r = disk_digest_new(&s->digest);
        if (r >= 0)
                r = start_decoder(s, ret_fd);
        if (r < 0)
                return r;
        r = pthread_create(&s->thread, NULL, run_download, s);
        s->has_thread = r == 0;
        return -r;
}

int nfc_stream_open(VsphereSource *v, size_t disk, const LeaseDevice *device, Endpoint **ret) {
        _cleanup_(stream_freep) NfcStream *s = new0(NfcStream, 1);
        _cleanup_close_ int fd = -EBADF;

        if (!s) {
                nfc_export_release(v);
                return -ENOMEM;
        }
        s->source = v;
        s->disk = disk;
        s->device = device;
        s->complaints = s->to_decoder = s->cancel = -EBADF;
        int r = start(s, &fd);
        if (r < 0)
                return attempt_fail(v->attempt, r, NULL, "Starting the download of %s failed: %s",
                                strna(s->label), strerror(-r));
        const StreamOptions options = {
                .fd = fd,
                .size = v->disks[disk].device->capacity,
                .label = s->label,
                .digest = s->digest,
                .ended = on_ended,
                .free = stream_free,
                .userdata = s,
        };
        r = endpoint_stream_new(&options, ret);
        if (r < 0)
                return r;
        TAKE_FD(fd);
        TAKE_PTR(s);
        return 0;
}
