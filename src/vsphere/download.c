/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/download.h"

#include "basic/string-util.h"
#include "vsphere/perform.h"

/* The most that libcurl hands over at a time. */
#define PIECE 524288L

typedef struct Download {
        const DownloadOptions *options;
        CURL *easy;
        CURLM *multi;
        TlsTrust trust;
        char error[CURL_ERROR_SIZE];
        int sink_error;
} Download;

static void download_done(Download *d) {
        if (d->easy)
                curl_easy_cleanup(d->easy);
        if (d->multi)
                (void) curl_multi_cleanup(d->multi);
        tls_trust_done(&d->trust);
}

static size_t on_data(char *data, size_t size, size_t n, void *userdata) {
        Download *d = userdata;
        long status = 0;

        /* Redirects are not followed, and their body is no file. */
        (void) curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status != 200)
                return CURL_WRITEFUNC_ERROR;
        d->sink_error = d->options->sink(d->options->userdata, data, size * n);
        return d->sink_error < 0 ? CURL_WRITEFUNC_ERROR : size * n;
}

static int prepare(Download *d) {
        _cleanup_free_ char *agent = strprintf("hyper/%s (%s)", PACKAGE_VERSION,
                        d->options->agent ? d->options->agent : "download");
        CURLcode bad = CURLE_OK;

        d->easy = curl_easy_init();
        d->multi = curl_multi_init();
        if (!agent || !d->easy || !d->multi)
                return -ENOMEM;
        int r = perform_prepare(d->easy, &d->trust, agent, d->error);
        if (r < 0)
                return r;
#define SET(option, value)   \
        if (bad == CURLE_OK) \
        bad = curl_easy_setopt(d->easy, (option), (value))
        SET(CURLOPT_URL, d->options->url);
        SET(CURLOPT_WRITEFUNCTION, on_data);
        SET(CURLOPT_WRITEDATA, d);
        SET(CURLOPT_BUFFERSIZE, PIECE);
        SET(CURLOPT_FAILONERROR, 1L);
        /* A server may look for data in an empty disk for long, but not a dead one. */
        SET(CURLOPT_TCP_KEEPALIVE, 1L);
#undef SET
        return bad == CURLE_OK ? 0 : -ENOMEM;
}

static int status_errno(long status) {
        switch (status) {
        case 401:
        case 403:
                return -EACCES;
        case 404:
        case 410:
                return -ENOENT;
        case 429:
        case 500:
        case 502:
        case 503:
        case 504:
                return -EBUSY;
        default:
                return -EPROTO;
        }
}

/* An answer without a body can be a redirect, too. */
static bool is_complete(const Download *d, CURLcode code) {
        long status = 0;

        (void) curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
        return code == CURLE_OK && status == 200;
}

static int on_failure(Download *d, CURLcode code, char **ret_error) {
        long status = 0;

        if (code == CURLE_WRITE_ERROR && d->sink_error < 0)
                return d->sink_error;
        (void) curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
        if (code == CURLE_OK || code == CURLE_WRITE_ERROR || code == CURLE_HTTP_RETURNED_ERROR) {
                *ret_error = strprintf("the answer has status %ld", status);
                return *ret_error ? status_errno(status) : -ENOMEM;
        }
        *ret_error = perform_describe(code, &d->trust, d->error);
        return *ret_error ? perform_errno(code, &d->trust) : -ENOMEM;
}

int download(const DownloadOptions *options, char **ret_error) {
        _cleanup_(download_done) Download d = { .options = options };
        CURLcode code = CURLE_OK;

        *ret_error = NULL;
        int r = tls_trust_init(&d.trust, options->ca, options->thumbprint);
        if (r >= 0)
                r = prepare(&d);
        if (r >= 0)
                r = perform(d.multi, d.easy, options->cancel_fd, &code);
        if (r >= 0 && !is_complete(&d, code))
                r = on_failure(&d, code, ret_error);
        return r;
}
