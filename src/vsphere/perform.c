/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/perform.h"

#include <poll.h>

#include "basic/string-util.h"
#include "basic/utf8.h"

#define CONNECT_TIMEOUT_MS 30000L
#define POLL_MS 1000
#define TEXT_MAX ((size_t) 512)

int perform_prepare(CURL *easy, TlsTrust *trust, const char *agent, char *error) {
        CURLcode bad = CURLE_OK;
        int r = tls_trust_apply(trust, easy);

        if (r < 0)
                return r;
#define SET(option, value)   \
        if (bad == CURLE_OK) \
        bad = curl_easy_setopt(easy, (option), (value))
        SET(CURLOPT_PROTOCOLS_STR, "https");
        SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
        SET(CURLOPT_PROXY, "");
        SET(CURLOPT_FOLLOWLOCATION, 0L);
        SET(CURLOPT_USERAGENT, agent);
        SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
        SET(CURLOPT_NOSIGNAL, 1L);
        /* A name server that does not answer would delay the end after a cancel. */
        SET(CURLOPT_QUICK_EXIT, 1L);
        SET(CURLOPT_ERRORBUFFER, error);
#undef SET
        return bad == CURLE_OK ? 0 : bad == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

static bool is_cancelled(int fd) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        return fd >= 0 && poll(&p, 1, 0) > 0;
}

static CURLcode result_of(CURLM *multi) {
        CURLcode code = CURLE_FAILED_INIT;
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(multi, &left)))
                if (message->msg == CURLMSG_DONE)
                        code = message->data.result;
        return code;
}

int perform(CURLM *multi, CURL *easy, int cancel_fd, CURLcode *ret) {
        struct curl_waitfd extra = { .fd = cancel_fd, .events = CURL_WAIT_POLLIN };
        unsigned n_extra = cancel_fd >= 0 ? 1 : 0;
        int running = 1, r = 0;

        if (is_cancelled(cancel_fd))
                return -ECANCELED;
        if (curl_multi_add_handle(multi, easy) != CURLM_OK)
                return -ENOMEM;
        while (r >= 0) {
                if (curl_multi_perform(multi, &running) != CURLM_OK)
                        r = -ENOMEM;
                else if (running == 0)
                        break;
                else if (is_cancelled(cancel_fd))
                        r = -ECANCELED;
                else if (curl_multi_poll(multi, &extra, n_extra, POLL_MS, NULL) != CURLM_OK)
                        r = -ENOMEM;
        }
        if (r >= 0)
                *ret = result_of(multi);
        (void) curl_multi_remove_handle(multi, easy);
        return r;
}

int perform_errno(CURLcode code, const TlsTrust *trust) {
        static const struct {
                CURLcode code;
                int error;
        } table[] = {
                { CURLE_OUT_OF_MEMORY, -ENOMEM },
                { CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT },
                { CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH },
                { CURLE_COULDNT_CONNECT, -ECONNREFUSED },
        };

        if (tls_trust_refused(trust, code))
                return -EKEYREJECTED;
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].code == code)
                        return table[i].error;
        return -ECONNRESET;
}

char *perform_describe(CURLcode code, const TlsTrust *trust, const char *error) {
        _cleanup_free_ char *text = NULL;
        char *valid;

        if (!isempty(error))
                text = utf8_make_valid(error, strlen(error), TEXT_MAX);
        else
                text = strdup(curl_easy_strerror(code));
        if (!text || !tls_trust_refused(trust, code))
                return text ? utf8_replace_control(TAKE_PTR(text), ' ') : NULL;
        valid = strprintf(
                        "the certificate is not accepted (%s). If its SHA-256 thumbprint %s is that of the "
                        "server, configure this thumbprint",
                        text, trust->seen);
        return valid ? utf8_replace_control(valid, ' ') : NULL;
}
