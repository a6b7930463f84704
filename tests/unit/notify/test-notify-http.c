/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests to receivers that behave and to some that do not; each is a process that says what it is told
 * to. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "notify/address.h"
#include "notify/credential.h"
#include "notify/signature.h"
#include "shared/webhook.h"
#include "unit/lib/test.h"

/* --- addresses ------------------------------------------------------------------------------------- */

/* What webhooks.allow_private lists: 127.0.0.0/8 as soon as there is a receiver. */
static AllowedRanges allowed;

static void allow(const char *range) {
        ck_assert_int_eq(allowed_ranges_add(&allowed, range), 0);
}

START_TEST(nothing_goes_to_addresses_that_are_not_the_internets) {
        static const struct {
                const char *address, *kind;
        } cases[] = {
                { "127.0.0.1", "a loopback address" },
                { "127.255.0.1", "a loopback address" },
                { "::1", "a loopback address" },
                { "::ffff:127.0.0.1", "a loopback address" },
                { "64:ff9b::7f00:1", "a loopback address" },
                { "2002:7f00:1::1", "a loopback address" },
                { "10.1.2.3", "a private address" },
                { "172.16.0.1", "a private address" },
                { "172.31.255.255", "a private address" },
                { "192.168.0.1", "a private address" },
                { "100.64.0.1", "a private address" },
                { "fd00::1", "a private address" },
                { "fc00::1", "a private address" },
                { "fec0::1", "a private address" },
                { "64:ff9b:1::1", "a private address" },
                { "169.254.169.254", "a link-local address" },
                { "fe80::1", "a link-local address" },
                { "febf::1", "a link-local address" },
                { "0.0.0.0", "an address of this machine" },
                { "::", "an address of this machine" },
                { "224.0.0.1", "a multicast address" },
                { "ff02::1", "a multicast address" },
                { "255.255.255.255", "a reserved address" },
                { "8.8.8.8", NULL },
                { "172.32.0.1", NULL },
                { "172.15.0.1", NULL },
                { "100.128.0.1", NULL },
                { "128.0.0.1", NULL },
                { "2001:db8::1", NULL },
                { "64:ff9b::808:808", NULL },
                { "2002:808:808::1", NULL },
                { "::ffff:8.8.8.8", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                AddressRange range;

                ck_assert_int_eq(address_range_parse(cases[i].address, &range), 0);
                const char *kind = address_kind(&range.address);
                ck_assert_msg(streq_ptr(kind, cases[i].kind), "%s: %s", cases[i].address, kind);
        }
}
END_TEST

START_TEST(what_is_no_address_is_refused) {
        struct sockaddr_in6 cut = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        struct sockaddr other = { .sa_family = AF_UNIX };
        char buffer[HTTP_REFUSE_SIZE];

        ck_assert_ptr_nonnull(address_refuse(&other, sizeof(other), NULL, buffer));
        ck_assert_ptr_nonnull(
                        address_refuse((struct sockaddr *) &cut, sizeof(struct sockaddr_in), NULL, buffer));
        allow("::/0");
        ck_assert_ptr_nonnull(address_refuse(&other, sizeof(other), &allowed, buffer));
}
END_TEST

START_TEST(the_signature_is_an_hmac) {
        /* RFC 4231, test case 2 */
        _cleanup_free_ char *s = signature_make("Jefe", "what do ya want for nothing?");

        ck_assert_str_eq(s, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
END_TEST

START_TEST(credentials_are_read_from_their_directory) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/webhooks_abc", dir);
        static const char text[] = "{\"secret\":\"hush\"}";
        WebhookSecrets secrets;

        ck_assert_int_eq(credential_read(dir, "abc", &secrets), -ENOENT);
        ck_assert_int_eq(credential_read(dir, "../abc", &secrets), -EBADMSG);
        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, path, text, strlen(text), 0600), 0);
        ck_assert_int_eq(credential_read(dir, "abc", &secrets), 0);
        ck_assert_str_eq(secrets.secret, "hush");
        webhook_secrets_done(&secrets);
        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, path, "no", 2, 0600), 0);
        ck_assert_int_eq(credential_read(dir, "abc", &secrets), -EBADMSG);
}
END_TEST

/* --- a receiver ------------------------------------------------------------------------------------ */

typedef enum Habit {
        ANSWERS, /* with the text it was given, then closes */
        ENDLESS, /* says the text again and again */
        HANGS, /* reads and never answers */
        RESETS, /* closes with data unread */
        ECHOES, /* 200, with the request it got as the body */
} Habit;

typedef struct Receiver {
        pid_t pid;
        char *url;
} Receiver;

static void receiver_done(Receiver *r) {
        if (r->pid > 0) {
                kill(r->pid, SIGKILL);
                waitpid(r->pid, NULL, 0);
        }
        free(r->url);
}
#define _cleanup_receiver_ _cleanup_(receiver_done)

static void say(int fd, const char *text) {
        (void) !write(fd, text, strlen(text));
}

/* Reads up to the end of the request's header, and its body. */
static char *read_request(int fd) {
        char *buffer = calloc(1, 65536);
        size_t n = 0;

        for (;;) {
                ssize_t k = read(fd, buffer + n, 65535 - n);
                const char *end;

                if (k <= 0)
                        return buffer;
                n += (size_t) k;
                end = strstr(buffer, "\r\n\r\n");
                /* Bodies in here are short and come in one piece with their header, or in the next. */
                if (end && strlen(end) > 4)
                        return buffer;
        }
}

static void behave(int fd, Habit habit, const char *text) {
        _cleanup_free_ char *request = NULL, *answer = NULL;
        char byte;

        switch (habit) {
        case RESETS:
                (void) !read(fd, &byte, 1);
                (void) setsockopt(
                                fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
                return;
        case HANGS:
                for (;;)
                        if (read(fd, &byte, 1) <= 0)
                                return;
        case ENDLESS:
                free(read_request(fd));
                say(fd, "HTTP/1.1 200 OK\r\n\r\n");
                while (write(fd, text, strlen(text)) > 0)
                        ;
                return;
        case ECHOES:
                request = read_request(fd);
                answer = strprintf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(request),
                                request);
                say(fd, answer);
                return;
        case ANSWERS:
                free(read_request(fd));
                say(fd, text);
                return;
        }
}

static Receiver receiver(Habit habit, const char *text) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        Receiver r = {};

        allow("127.0.0.0/8");
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, size), 0);
        ck_assert_int_eq(listen(fd, 8), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        r.url = strprintf("http://127.0.0.1:%u/hook", ntohs(address.sin_port));
        r.pid = fork();
        ck_assert_int_ge(r.pid, 0);
        if (r.pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) signal(SIGPIPE, SIG_IGN);
                for (;;) {
                        int client = accept(fd, NULL, NULL);

                        behave(client, habit, text);
                        close(client);
                }
        }
        close(fd);
        return r;
}

/* --- requests -------------------------------------------------------------------------------------- */

typedef struct Outcome {
        unsigned n, status;
        bool success;
        char *error, *response;
        usec_t duration, retry_after;
} Outcome;

static void outcome_done(Outcome *o) {
        free(o->error);
        free(o->response);
}
#define _cleanup_outcome_ _cleanup_(outcome_done)

static void on_done(const HttpResult *result, void *request_userdata, void *userdata) {
        Outcome *o = request_userdata;

        o->n++;
        o->status = result->status;
        o->success = result->success;
        o->error = strdup(strempty(result->error));
        o->response = strdup(result->response);
        o->duration = result->duration;
        o->retry_after = result->retry_after;
}

static HttpClient *client(sd_event *event) {
        const HttpClientOptions options = { .event = event,
                .done = on_done,
                .response_max = WEBHOOK_RESPONSE_MAX,
                .refuse = address_refuse,
                .refuse_userdata = &allowed };
        HttpClient *c;

        ck_assert_int_eq(http_client_new(&options, &c), 0);
        return c;
}

static void post(const char *url, char *const *headers, usec_t timeout, Outcome *o) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(http_client_freep) HttpClient *c = NULL;
        const HttpRequest request = {
                .method = "POST", .url = url, .body = "{\"a\":1}", .headers = headers, .timeout = timeout
        };

        ck_assert_int_ge(sd_event_new(&event), 0);
        c = client(event);
        ck_assert_int_eq(http_client_send(c, &request, o), 0);
        while (o->n == 0)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        ck_assert_uint_eq(o->n, 1);
        ck_assert(o->success == !*o->error);
}

#define LONG (30 * USEC_PER_SEC)

START_TEST(any_2xx_is_success) {
        static const struct {
                const char *answer;
                unsigned status;
                bool success;
                const char *error;
        } cases[] = {
                { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, true, "" },
                { "HTTP/1.1 204 No Content\r\n\r\n", 204, true, "" },
                { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 202,
                                true, "" },
                { "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 500, false, "the answer was status 500" },
                { "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nwhat", 404, false,
                                "the answer was status 404" },
                { "HTTP/1.1 302 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                                302, false, "redirects are not followed" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_receiver_ Receiver r = receiver(ANSWERS, cases[i].answer);
                _cleanup_outcome_ Outcome o = {};

                post(r.url, NULL, LONG, &o);
                ck_assert_uint_eq(o.status, cases[i].status);
                ck_assert_int_eq(o.success, cases[i].success);
                ck_assert_msg(strstr(o.error, cases[i].error), "%s", o.error);
        }
}
END_TEST

START_TEST(the_request_is_what_was_asked_for) {
        _cleanup_receiver_ Receiver r = receiver(ECHOES, NULL);
        char *headers[] = { (char *) "X-Hyper-Event", (char *) "job.completed", (char *) "X-Empty",
                (char *) "", (char *) "Authorization", (char *) "Bearer token123", NULL };
        _cleanup_outcome_ Outcome o = {};

        post(r.url, headers, LONG, &o);
        ck_assert(o.success);
        ck_assert_ptr_nonnull(startswith(o.response, "POST /hook HTTP/1.1\r\n"));
        static const char *const lines[] = { "\r\nX-Hyper-Event: job.completed\r\n", "\r\nX-Empty:\r\n",
                "\r\nAuthorization: Bearer token123\r\n",
                "\r\nContent-Type: application/json; charset=utf-8\r\n", "\r\nUser-Agent: hyper/",
                "\r\nContent-Length: 7\r\n", "\r\n\r\n{\"a\":1}" };
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                ck_assert_msg(strstr(o.response, lines[i]), "no %s in %s", lines[i], o.response);
        ck_assert_ptr_null(strstr(o.response, "Expect"));
}
END_TEST

START_TEST(a_password_in_the_url_is_sent_as_such) {
        _cleanup_receiver_ Receiver r = receiver(ECHOES, NULL);
        _cleanup_free_ char *url = strprintf("http://alice:s3cret@%s", r.url + strlen("http://"));
        char *headers[] = { (char *) "Content-Type", (char *) "text/plain", NULL };
        _cleanup_outcome_ Outcome o = {};

        post(url, headers, LONG, &o);
        ck_assert(o.success);
        ck_assert_ptr_nonnull(strstr(o.response, "\r\nAuthorization: Basic YWxpY2U6czNjcmV0\r\n"));
        ck_assert_ptr_nonnull(strstr(o.response, "\r\nContent-Type: text/plain\r\n"));
        ck_assert_ptr_null(strstr(o.response, "application/json"));
}
END_TEST

START_TEST(of_an_endless_answer_the_beginning_is_enough) {
        _cleanup_receiver_ Receiver r = receiver(ENDLESS, "all work and no play\n");
        _cleanup_outcome_ Outcome o = {};

        post(r.url, NULL, LONG, &o);
        ck_assert(o.success);
        ck_assert_uint_eq(strlen(o.response), 4096);
        ck_assert_ptr_nonnull(startswith(o.response, "all work and no play\nall work"));
}
END_TEST

START_TEST(endless_headers_are_cut_off) {
        _cleanup_free_ char *many = calloc(1, 200000);
        char *p = stpcpy(many, "HTTP/1.1 200 OK\r\n");

        for (unsigned i = 0; i < 3000; i++)
                p = stpcpy(p, "X-Nothing: but words, many words\r\n");
        _cleanup_receiver_ Receiver r = receiver(ANSWERS, many);
        _cleanup_outcome_ Outcome o = {};

        post(r.url, NULL, LONG, &o);
        ck_assert(!o.success);
        ck_assert_str_eq(o.error, "the answer's headers are longer than 64 KiB");
}
END_TEST

START_TEST(who_does_not_answer_is_given_up) {
        _cleanup_receiver_ Receiver r = receiver(HANGS, NULL);
        _cleanup_outcome_ Outcome o = {};

        post(r.url, NULL, USEC_PER_SEC, &o);
        ck_assert(!o.success);
        ck_assert_uint_eq(o.status, 0);
        ck_assert_str_eq(o.error, "there was no complete answer within 1s");
        ck_assert_uint_ge(o.duration, USEC_PER_SEC / 2);
}
END_TEST

START_TEST(other_failures_are_told_as_they_are) {
        _cleanup_receiver_ Receiver resets = receiver(RESETS, NULL),
                                    babbles = receiver(ANSWERS, "hello, who is there?\n");
        _cleanup_outcome_ Outcome o = {}, p = {}, q = {}, u = {};

        post(resets.url, NULL, LONG, &o);
        ck_assert(!o.success);
        ck_assert_msg(strstr(o.error, "reset"), "%s", o.error);
        post(babbles.url, NULL, LONG, &p);
        ck_assert(!p.success);
        post("http://127.0.0.1:1/", NULL, LONG, &q);
        ck_assert_msg(strstr(q.error, "connect"), "%s", q.error);
        post("gopher://127.0.0.1/", NULL, LONG, &u);
        ck_assert_msg(strstr(u.error, "not supported or disabled"), "%s", u.error);
}
END_TEST

START_TEST(what_the_configuration_lists_is_delivered_to_and_nothing_else) {
        _cleanup_receiver_ Receiver r = receiver(ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        _cleanup_free_ char *by_name =
                        strprintf("http://localhost%s", strchr(r.url + strlen("http://"), ':'));
        _cleanup_outcome_ Outcome none = {}, name = {}, other = {}, own = {};

        allowed_ranges_done(&allowed);
        post(r.url, NULL, LONG, &none);
        ck_assert_msg(strstr(none.error,
                                      "127.0.0.1 is a loopback address, to which nothing is delivered "
                                      "unless "
                                      "webhooks.allow_private lists it"),
                        "%s", none.error);
        ck_assert(!none.success && none.status == 0);
        post(by_name, NULL, LONG, &name);
        ck_assert_msg(strstr(name.error, "is a loopback address"), "%s", name.error);
        allow("10.0.0.0/8");
        allow("127.0.0.2");
        post(r.url, NULL, LONG, &other);
        ck_assert(!other.success);
        allow("127.0.0.1");
        post(r.url, NULL, LONG, &own);
        ck_assert_msg(own.success, "%s", own.error);
        ck_assert_int_eq(allowed_ranges_add(&allowed, "localhost"), -EINVAL);
}
END_TEST

START_TEST(nothing_goes_to_a_link_local_address) {
        static const char *const urls[] = { "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/",
                "http://[::ffff:169.254.169.254]/", "http://2852039166/", "http://0xa9fea9fe/" };

        for (size_t i = 0; i < ELEMENTSOF(urls); i++) {
                _cleanup_outcome_ Outcome o = {};

                post(urls[i], NULL, LONG, &o);
                ck_assert(!o.success);
                ck_assert_msg(strstr(o.error, "is a link-local address, to which nothing is delivered"),
                                "%s: %s", urls[i], o.error);
        }
}
END_TEST

START_TEST(one_that_hangs_does_not_hold_the_others_up) {
        _cleanup_receiver_ Receiver hangs = receiver(HANGS, NULL),
                                    answers = receiver(
                                                    ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(http_client_freep) HttpClient *c = NULL;
        HttpRequest request = { .method = "POST", .url = hangs.url, .body = "{}", .timeout = LONG };
        _cleanup_outcome_ Outcome never = {};

        ck_assert_int_ge(sd_event_new(&event), 0);
        c = client(event);
        ck_assert_int_eq(http_client_send(c, &request, &never), 0);
        request.url = answers.url;
        for (unsigned i = 0; i < 10; i++) {
                _cleanup_outcome_ Outcome o = {};

                ck_assert_int_eq(http_client_send(c, &request, &o), 0);
                while (o.n == 0)
                        ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
                ck_assert(o.success);
        }
        ck_assert_uint_eq(never.n, 0);
}
END_TEST

START_TEST(what_is_given_up_is_never_done) {
        _cleanup_receiver_ Receiver hangs = receiver(HANGS, NULL),
                                    answers = receiver(
                                                    ANSWERS, "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\n\r\n");
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(http_client_freep) HttpClient *c = NULL;
        HttpRequest request = { .method = "PUT", .url = hangs.url, .body = "{}", .timeout = USEC_PER_SEC };
        _cleanup_outcome_ Outcome never = {}, o = {};

        ck_assert_int_ge(sd_event_new(&event), 0);
        c = client(event);
        ck_assert_int_eq(http_client_send(c, &request, &never), 0);
        request.url = answers.url;
        ck_assert_int_eq(http_client_send(c, &request, &o), 0);
        http_client_abort(c, &never);
        while (o.n == 0)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        ck_assert_uint_eq(o.status, 429);
        ck_assert_uint_eq(o.retry_after, 7 * USEC_PER_SEC);
        /* longer than its time would have been */
        usec_t end = now_monotonic() + 2 * USEC_PER_SEC;
        while (now_monotonic() < end)
                ck_assert_int_ge(sd_event_run(event, USEC_PER_SEC), 0);
        ck_assert_uint_eq(never.n, 0);
}
END_TEST

START_TEST(an_answer_that_is_wanted_whole_is_refused_if_it_is_too_long) {
        _cleanup_receiver_ Receiver r = receiver(ENDLESS, "all work and no play\n");
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(http_client_freep) HttpClient *c = NULL;
        const HttpRequest request = { .method = "PUT", .url = r.url, .body = "{}", .timeout = LONG };
        _cleanup_outcome_ Outcome o = {};

        ck_assert_int_ge(sd_event_new(&event), 0);
        const HttpClientOptions options = {
                .event = event, .done = on_done, .response_max = 100000, .response_whole = true
        };
        ck_assert_int_eq(http_client_new(&options, &c), 0);
        ck_assert_int_eq(http_client_send(c, &request, &o), 0);
        while (o.n == 0)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        ck_assert(!o.success);
        ck_assert_str_eq(o.error, "the answer is longer than 100000 bytes");
}
END_TEST

TEST_MAIN("notify-http", nothing_goes_to_addresses_that_are_not_the_internets, what_is_no_address_is_refused,
                what_the_configuration_lists_is_delivered_to_and_nothing_else, the_signature_is_an_hmac,
                credentials_are_read_from_their_directory, any_2xx_is_success,
                the_request_is_what_was_asked_for, a_password_in_the_url_is_sent_as_such,
                of_an_endless_answer_the_beginning_is_enough, endless_headers_are_cut_off,
                who_does_not_answer_is_given_up, other_failures_are_told_as_they_are,
                nothing_goes_to_a_link_local_address, one_that_hangs_does_not_hold_the_others_up,
                what_is_given_up_is_never_done, an_answer_that_is_wanted_whole_is_refused_if_it_is_too_long)
