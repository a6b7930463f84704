/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "carbon/carbon-fetch.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <nettle/base64.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "carbon/carbon-answer.h"

#define TIMEOUT (10 * USEC_PER_SEC)

typedef enum Step {
        STEP_ONLY, /* Great Britain, and the forecast of WattTime */
        STEP_LATEST, /* Electricity Maps */
        STEP_FORECAST,
        STEP_LOGIN, /* WattTime */
} Step;

struct CarbonFetch {
        CarbonFetchOptions options;
        char *token;
        bool tls;
        HttpClient *http;
        sd_event_source *defer;
        CarbonData *data;
        char *why; /* it has ended without data */
        Step step;
};

CarbonFetch *carbon_fetch_free(CarbonFetch *f) {
        if (!f)
                return NULL;
        http_client_free(f->http);
        sd_event_source_disable_unref(f->defer);
        carbon_data_free(f->data);
        free(f->why);
        if (f->token)
                explicit_bzero(f->token, strlen(f->token));
        free(f->token);
        return mfree(f);
}

/* Also of an IPv4 address, as a mapped one. */
static int take_address(const struct sockaddr *address, socklen_t size, struct in6_addr *ret) {
        if (address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
                *ret = ((const struct sockaddr_in6 *) address)->sin6_addr;
                return 0;
        }
        if (address->sa_family != AF_INET || size < sizeof(struct sockaddr_in))
                return -EAFNOSUPPORT;
        *ret = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
        memcpy(ret->s6_addr + 12, &((const struct sockaddr_in *) address)->sin_addr, 4);
        return 0;
}

const char *carbon_fetch_refuse(const struct sockaddr *address, socklen_t size, void *userdata,
                char buffer[static HTTP_REFUSE_SIZE]) {
        const bool *tls = userdata;
        struct in6_addr ip;
        const uint8_t *four = ip.s6_addr + 12;
        bool mapped;

        if (take_address(address, size, &ip) < 0)
                return "it is no address of IPv4 or IPv6";
        mapped = IN6_IS_ADDR_V4MAPPED(&ip);
        if (mapped ? four[0] == 169 && four[1] == 254 : IN6_IS_ADDR_LINKLOCAL(&ip))
                return "a carbon source must not have a link-local address";
        if (!*tls && !(mapped ? four[0] == 127 : IN6_IS_ADDR_LOOPBACK(&ip)))
                return "without TLS, only this machine is asked";
        return NULL;
}

static int on_ended(sd_event_source *s, void *userdata) {
        CarbonFetch *f = userdata;
        CarbonData *data = f->why ? NULL : TAKE_PTR(f->data);

        if (data && data->updated_at == 0)
                data->updated_at = f->options.clock();
        f->options.done(data, f->why, f->options.userdata);
        return 0;
}

/* The owner is told from the loop, since it frees @f, and with it the client whose callback this may be. */
static int end(CarbonFetch *f, const char *why) {
        if (why && free_and_strdup(&f->why, why) < 0)
                return -ENOMEM;
        return sd_event_add_defer(f->options.event, &f->defer, on_ended, f);
}

static void end_or_log(CarbonFetch *f, const char *why) {
        int r = end(f, why);

        if (r < 0)
                log_error_errno(r, "Failed to end a request to the carbon source: %m");
}

static char *base64(const char *text) {
        char *encoded = malloc(BASE64_ENCODE_RAW_LENGTH(strlen(text)) + 1);

        if (!encoded)
                return NULL;
        base64_encode_raw(encoded, strlen(text), (const uint8_t *) text);
        encoded[BASE64_ENCODE_RAW_LENGTH(strlen(text))] = '\0';
        return encoded;
}

/* --- requests -------------------------------------------------------------------------------------- */

static char *step_url(const CarbonFetch *f) {
        const Settings *s = f->options.settings;
        const char *base = carbon_source_url(s, f->options.kind), *zone = s->carbon.zone;

        if (f->options.kind == CARBON_SOURCE_GB)
                return carbon_source_gb_url(s, f->options.clock());
        switch (f->step) {
        case STEP_LATEST:
                return strprintf("%s/carbon-intensity/latest?zone=%s", base, zone);
        case STEP_FORECAST:
                return strprintf("%s/carbon-intensity/forecast?zone=%s", base, zone);
        case STEP_LOGIN:
                return strprintf("%s/login", base);
        default:
                return strprintf("%s/v3/forecast?region=%s&signal_type=co2_moer&horizon_hours=48", base,
                                zone);
        }
}

/* The value of a header that proves who we are; *ret is NULL if there is none. */
static int step_header(const CarbonFetch *f, const char **ret_name, char **ret) {
        _cleanup_free_ char *encoded = NULL;

        *ret = NULL;
        if (f->options.kind == CARBON_SOURCE_GB)
                return 0;
        if (f->options.kind == CARBON_SOURCE_ELECTRICITY_MAPS) {
                *ret_name = "auth-token";
                *ret = strdup(f->token);
        } else if (f->step == STEP_LOGIN) {
                encoded = base64(f->token);
                *ret_name = "Authorization";
                *ret = encoded ? strprintf("Basic %s", encoded) : NULL;
        } else {
                *ret_name = "Authorization";
                *ret = strprintf("Bearer %s", f->token);
        }
        if (encoded)
                explicit_bzero(encoded, strlen(encoded));
        return *ret ? 0 : -ENOMEM;
}

static int send_step(CarbonFetch *f) {
        _cleanup_free_ char *url = step_url(f), *value = NULL;
        const char *name = NULL;
        int r = url ? step_header(f, &name, &value) : -ENOMEM;
        char *headers[] = { (char *) "Accept", (char *) "application/json", (char *) name, value, NULL };
        const HttpRequest request = { .method = "GET", .url = url, .headers = headers, .timeout = TIMEOUT };

        if (r >= 0)
                r = http_client_send(f->http, &request, f);
        if (value)
                explicit_bzero(value, strlen(value));
        return r;
}

/* The token of the login replaces user and password. */
static int take_login(CarbonFetch *f, const HttpResult *result, char **ret_error) {
        _cleanup_free_ char *token = NULL;
        int r = carbon_answer_login(result->response, result->response_size, &token, ret_error);

        if (r < 0)
                return r;
        explicit_bzero(f->token, strlen(f->token));
        free(f->token);
        f->token = TAKE_PTR(token);
        f->step = STEP_ONLY;
        return 1;
}

/* 1: another request follows. */
static int take_answer(CarbonFetch *f, const HttpResult *result, char **ret_error) {
        const char *text = result->response;
        size_t size = result->response_size;
        int r;

        if (f->options.kind == CARBON_SOURCE_GB)
                return carbon_answer_gb(text, size, f->data, ret_error);
        switch (f->step) {
        case STEP_LATEST:
                r = carbon_answer_latest(text, size, f->options.clock(), f->data, ret_error);
                f->step = STEP_FORECAST;
                return r < 0 ? r : 1;
        case STEP_FORECAST:
                return carbon_answer_forecast(text, size, f->data, ret_error);
        case STEP_LOGIN:
                return take_login(f, result, ret_error);
        default:
                return carbon_answer_watttime(text, size, f->data, ret_error);
        }
}

/* Not every customer may read forecasts. */
static bool is_no_forecast(const CarbonFetch *f, const HttpResult *result) {
        return f->step == STEP_FORECAST && (result->status == 401 || result->status == 403);
}

static void on_done(const HttpResult *result, void *request_userdata, void *userdata) {
        _cleanup_free_ char *why = NULL;
        CarbonFetch *f = request_userdata;
        int r = 0;

        if (is_no_forecast(f, result))
                return end_or_log(f, NULL);
        if (!result->success)
                return end_or_log(f, result->error);
        r = take_answer(f, result, &why);
        if (r == 0)
                return end_or_log(f, NULL);
        if (r > 0)
                r = send_step(f);
        if (r < 0)
                end_or_log(f, why ? why : strerror(-r));
}

/* --- a file ---------------------------------------------------------------------------------------- */

static int read_file(const char *path, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_free_ char *text = NULL;
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if (st.st_size > (off_t) CARBON_TEXT_MAX)
                return -EFBIG;
        text = malloc((size_t) st.st_size + 1);
        if (!text)
                return -ENOMEM;
        r = pread_full(fd, text, (size_t) st.st_size, 0);
        if (r < 0)
                return r;
        text[st.st_size] = '\0';
        *ret_size = (size_t) st.st_size;
        *ret = TAKE_PTR(text);
        return 0;
}

static int take_file(CarbonFetch *f, char **ret_why) {
        const char *zone = f->options.settings->carbon.zone,
                   *path = f->options.settings->carbon.url + strlen("file://");
        _cleanup_free_ char *text = NULL, *wrong = NULL;
        _cleanup_(carbon_data_freep) CarbonData *data = NULL;
        size_t size = 0;
        int r = read_file(path, &text, &size);

        if (r >= 0)
                r = carbon_data_decode(text, size, &data, &wrong);
        if (r < 0) {
                *ret_why = strprintf("%s: %s", path, wrong ? wrong : strerror(-r));
                return r;
        }
        if (!streq(data->zone, zone)) {
                *ret_why = strprintf("%s: zone: must be \"%s\", as in carbon.zone", path, zone);
                return -EBADMSG;
        }
        data->error = mfree(data->error);
        carbon_data_free(f->data);
        f->data = TAKE_PTR(data);
        return free_and_strdup(&f->data->source, "file");
}

static int read_source_file(CarbonFetch *f) {
        _cleanup_free_ char *why = NULL;
        int r = take_file(f, &why);

        return end(f, r < 0 ? (why ? why : strerror(-r)) : NULL);
}

/* --- the beginning --------------------------------------------------------------------------------- */

static int begin(CarbonFetch *f) {
        if (f->options.kind == CARBON_SOURCE_FILE)
                return read_source_file(f);
        const HttpClientOptions http = { .event = f->options.event,
                .done = on_done,
                .response_max = CARBON_TEXT_MAX,
                .response_whole = true,
                .refuse = carbon_fetch_refuse,
                .refuse_userdata = &f->tls,
                .ca_file = f->options.ca_file };
        int r = http_client_new(&http, &f->http);

        f->step = f->options.kind == CARBON_SOURCE_ELECTRICITY_MAPS ? STEP_LATEST
                        : f->options.kind == CARBON_SOURCE_WATTTIME ? STEP_LOGIN
                                                                    : STEP_ONLY;
        return r < 0 ? r : send_step(f);
}

int carbon_fetch_start(const CarbonFetchOptions *options, CarbonFetch **ret) {
        _cleanup_(carbon_fetch_freep) CarbonFetch *f = new0(CarbonFetch, 1);
        const Settings *s = options->settings;
        int r;

        if (!f)
                return -ENOMEM;
        f->options = *options;
        f->tls = !startswith(strempty(s->carbon.url), "http://");
        f->data = carbon_data_new();
        f->token = strdup(strempty(options->token));
        if (!f->data || !f->token || !(f->data->zone = strdup(s->carbon.zone)) ||
                        !(f->data->source = strdup(s->carbon.source)))
                return -ENOMEM;
        r = begin(f);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}
