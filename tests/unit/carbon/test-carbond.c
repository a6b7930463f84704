/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-carbond on a bus of the test's own. Simulated services speak what the real ones publish, on the
 * loopback interface, in the event loop of the test. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "carbon/carbon-fetch.h"
#include "carbon/carbond.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "spec/carbon-data.h"
#include "unit/lib/introspection.h"
#include "unit/lib/private-bus.h"
#include "unit/lib/test.h"

#define NOW ((usec_t) 1749427200 * USEC_PER_SEC) /* 2025-06-09T00:00:00Z */

typedef struct Fixture {
        char *dir, *config, *cache, *credentials;
        pid_t dbus_pid;
        sd_event *event;
        sd_bus *daemon_bus, *client;
        Carbond *daemon;
        sd_event_source *listener;
        unsigned port;
        /* The service */
        bool broken; /* it answers 500 */
        unsigned forecast_status; /* of Electricity Maps */
        unsigned n_requests;
        char requests[16384]; /* all of them, as they came */
} Fixture;

static usec_t clock_now = NOW;

static usec_t test_time(void) {
        return clock_now;
}

/* --- the services ---------------------------------------------------------------------------------- */

static const struct {
        const char *path, *body;
} answers[] = {
        { "/intensity/2025-06-09T00:00Z/fw48h ",
                        "{\"data\":[{\"from\":\"2025-06-09T00:00Z\",\"to\":\"2025-06-09T00:30Z\",\"intensity\":"
                        "{\"forecast\":142,\"actual\":139,\"index\":\"moderate\"}},{\"from\":"
                        "\"2025-06-09T00:30Z\",\"to\":\"2025-06-09T01:00Z\",\"intensity\":{\"forecast\":120,"
                        "\"actual\":null,\"index\":\"low\"}}]}" },
        { "/regional/intensity/2025-06-09T00:00Z/fw48h/regionid/13 ",
                        "{\"data\":{\"regionid\":13,\"data\":[{\"from\":\"2025-06-09T00:00Z\",\"to\":"
                        "\"2025-06-09T00:30Z\",\"intensity\":{\"forecast\":88,\"index\":\"low\"}}]}}" },
        { "/carbon-intensity/latest?zone=DE ",
                        "{\"zone\":\"DE\",\"carbonIntensity\":302,\"datetime\":\"2025-06-09T00:00:00.000Z\","
                        "\"updatedAt\":\"2025-06-09T00:00:00.350Z\",\"isEstimated\":true}" },
        { "/carbon-intensity/forecast?zone=DE ",
                        "{\"zone\":\"DE\",\"forecast\":[{\"carbonIntensity\":326,\"datetime\":"
                        "\"2025-06-09T01:00:00.000Z\"}],\"updatedAt\":\"2025-06-09T00:00:00.350Z\"}" },
        { "/login ", "{\"token\":\"ab.cd\"}" },
        { "/v3/forecast?region=CAISO_NORTH&signal_type=co2_moer&horizon_hours=48 ",
                        "{\"data\":[{\"point_time\":\"2025-06-09T00:00:00+00:00\",\"value\":1000}],\"meta\":{"
                        "\"data_point_period_seconds\":300,\"region\":\"CAISO_NORTH\",\"units\":"
                        "\"lbs_co2_per_mwh\"}}" },
};

static char *make_answer(const Fixture *f, const char *request) {
        const char *path = startswith(request, "GET ");
        unsigned status = f->broken ? 500 : 404;
        const char *body = "{}";

        for (size_t i = 0; path && i < ELEMENTSOF(answers) && !f->broken; i++)
                if (startswith(path, answers[i].path)) {
                        body = answers[i].body;
                        status = strstr(answers[i].path, "/forecast?zone") ? f->forecast_status : 200;
                }
        return strprintf("HTTP/1.1 %u X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                         "Connection: close\r\n\r\n%s",
                        status, strlen(body), body);
}

/* One request, which comes in one piece on this interface, or is waited for. */
static int on_client(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        _cleanup_free_ char *answer = NULL;
        Fixture *f = userdata;
        size_t used = strlen(f->requests);
        ssize_t n = read(fd, f->requests + used, sizeof(f->requests) - used - 1);

        if (n > 0) {
                f->requests[used + (size_t) n] = '\0';
                if (!strstr(f->requests + used, "\r\n\r\n"))
                        return 0;
                f->n_requests++;
                answer = make_answer(f, f->requests + used);
                ck_assert_int_eq(write(fd, answer, strlen(answer)), (ssize_t) strlen(answer));
        }
        sd_event_source_disable_unref(s);
        return 0;
}

static int on_connection(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        Fixture *f = userdata;
        sd_event_source *source;

        ck_assert_int_ge(client, 0);
        ck_assert_int_ge(sd_event_add_io(f->event, &source, client, EPOLLIN, on_client, f), 0);
        ck_assert_int_ge(sd_event_source_set_io_fd_own(source, true), 0);
        return 0;
}

static void listen_on_loopback(Fixture *f) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        socklen_t size = sizeof(address);

        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, size), 0);
        ck_assert_int_eq(listen(fd, 16), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        f->port = ntohs(address.sin_port);
        ck_assert_int_ge(sd_event_add_io(f->event, &f->listener, fd, EPOLLIN, on_connection, f), 0);
        ck_assert_int_ge(sd_event_source_set_io_fd_own(f->listener, true), 0);
}

/* --- the fixture ----------------------------------------------------------------------------------- */

static void put(const char *directory, const char *name, const char *text) {
        _cleanup_free_ char *path = strprintf("%s/%s", directory, name);

        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, path, text, strlen(text), 0600), 0);
}

static void up(Fixture *f) {
        CarbondOptions options = { .event = f->event,
                .config_directory = f->config,
                .cache_directory = f->cache,
                .credentials_directory = f->credentials,
                .clock = test_time };
        _cleanup_free_ char *error = NULL;

        f->daemon_bus = private_bus_connect(f->dir, f->event);
        options.bus = f->daemon_bus;
        ck_assert_msg(settings_load(f->config, &options.settings, &error) == 0, "%s", strna(error));
        ck_assert_int_eq(carbond_new(&options, &f->daemon), 0);
        ck_assert_int_ge(sd_bus_request_name(f->daemon_bus, HYPER_CARBON_BUS_NAME, 0), 0);
}

static void down(Fixture *f) {
        f->daemon = carbond_free(f->daemon);
        f->daemon_bus = sd_bus_flush_close_unref(f->daemon_bus);
}

static char *subdirectory(const Fixture *f, const char *name) {
        char *path = strprintf("%s/%s", f->dir, name);

        ck_assert_int_eq(mkdir(path, 0700), 0);
        return path;
}

static void fixture_open(Fixture *f) {
        *f = (Fixture){ .dir = test_dir(), .forecast_status = 200 };
        clock_now = NOW;
        log_set_max_level(LOG_EMERG);
        f->config = subdirectory(f, "config");
        f->cache = subdirectory(f, "cache");
        f->credentials = subdirectory(f, "credentials");
        f->dbus_pid = private_bus_start(f->dir);
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        f->client = private_bus_connect(f->dir, f->event);
        listen_on_loopback(f);
}

static void fixture_close(Fixture *f) {
        down(f);
        sd_event_source_disable_unref(f->listener);
        sd_bus_flush_close_unref(f->client);
        sd_event_unref(f->event);
        private_bus_stop(f->dbus_pid);
        test_dir_freep(&f->dir);
        free(f->config);
        free(f->cache);
        free(f->credentials);
}

static void configure(Fixture *f, const char *source, const char *zone) {
        _cleanup_free_ char *text =
                        strprintf("carbon:\n  source: %s\n  zone: \"%s\"\n  url: http://127.0.0.1:%u\n",
                                        source, zone, f->port);

        put(f->config, "config.yaml", text);
}

/* --- calls ----------------------------------------------------------------------------------------- */

static sd_bus_message *get_data(Fixture *f) {
        sd_bus_message *m;

        ck_assert_int_ge(sd_bus_message_new_method_call(f->client, &m, HYPER_CARBON_BUS_NAME,
                                         HYPER_CARBON_BUS_PATH, HYPER_CARBON_INTERFACE, "GetData"),
                        0);
        return private_bus_call(m);
}

static CarbonData *data(Fixture *f) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = get_data(f);
        const sd_bus_error *refusal = sd_bus_message_get_error(reply);
        _cleanup_free_ char *error = NULL;
        CarbonData *d = NULL;
        const char *text;
        uint64_t refresh;

        ck_assert_msg(!refusal, "%s", refusal->message);
        ck_assert_int_gt(sd_bus_message_read(reply, "st", &text, &refresh), 0);
        ck_assert_uint_eq(refresh, 900 * USEC_PER_SEC);
        ck_assert_msg(carbon_data_decode(text, strlen(text), &d, &error) == 0, "%s", strna(error));
        return d;
}

static void unavailable(Fixture *f, const char *words) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = get_data(f);
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        ck_assert_ptr_nonnull(error);
        ck_assert_str_eq(error->name, HYPER_BUS_ERROR_UNAVAILABLE);
        ck_assert_msg(strstr(error->message, words), "%s", error->message);
}

static void expect_now(Fixture *f, double intensity) {
        _cleanup_(carbon_data_freep) CarbonData *d = data(f);
        const CarbonPoint *p = carbon_data_at(d, clock_now);

        ck_assert_ptr_nonnull(p);
        ck_assert_double_eq_tol(p->intensity, intensity, 0.001);
}

#define CARBON_TEST(name)  \
        START_TEST(name) { \
                Fixture f; \
                fixture_open(&f);
#define CARBON_TEST_END    \
        fixture_close(&f); \
        }                  \
        END_TEST

/* clang-format off */
CARBON_TEST(great_britain_is_asked_once_until_it_is_old)
        configure(&f, "carbonintensity-gb", "GB");
        up(&f);
        expect_now(&f, 139);
        expect_now(&f, 139);
        ck_assert_uint_eq(f.n_requests, 1);
        /* No token goes there. */
        ck_assert_ptr_null(strstr(f.requests, "uthorization"));
        /* The next process knows it, too. */
        down(&f);
        up(&f);
        expect_now(&f, 139);
        ck_assert_uint_eq(f.n_requests, 1);
        clock_now += 900 * USEC_PER_SEC;
        f.broken = true;
        expect_now(&f, 139);
        ck_assert_uint_eq(f.n_requests, 2);
CARBON_TEST_END

CARBON_TEST(a_region_has_an_address_of_its_own)
        configure(&f, "carbonintensity-gb", "13");
        up(&f);
        expect_now(&f, 88);
        ck_assert_ptr_nonnull(strstr(f.requests, "/regionid/13 "));
CARBON_TEST_END

CARBON_TEST(old_data_are_used_for_a_while_if_the_source_fails)
        _cleanup_(carbon_data_freep) CarbonData *d = NULL;

        configure(&f, "carbonintensity-gb", "GB");
        up(&f);
        expect_now(&f, 139);
        f.broken = true;
        clock_now += 3 * USEC_PER_HOUR;
        d = data(&f);
        ck_assert_msg(strstr(d->error, "status 500"), "%s", d->error);
        ck_assert_uint_eq(d->updated_at, NOW);
        ck_assert_uint_eq(f.n_requests, 2);
        /* It is left alone then. */
        d = carbon_data_free(d);
        d = data(&f);
        ck_assert_uint_eq(f.n_requests, 2);
        clock_now = NOW + 6 * USEC_PER_HOUR + 1;
        unavailable(&f, "status 500");
        /* A clock that was set back does not make them new. */
        clock_now = NOW - 1;
        unavailable(&f, "status 500");
CARBON_TEST_END

CARBON_TEST(electricity_maps_gets_the_token)
        configure(&f, "electricitymaps", "DE");
        up(&f);
        unavailable(&f, "hyper.carbon-token");
        down(&f);
        put(f.credentials, "hyper.carbon-token", "\n");
        put(f.credentials, "hyper.carbon-token.plain", "s3cret\n");
        up(&f);
        expect_now(&f, 302);
        ck_assert_uint_eq(f.n_requests, 2);
        ck_assert_ptr_nonnull(strstr(f.requests, "auth-token: s3cret\r\n"));
CARBON_TEST_END

CARBON_TEST(electricity_maps_may_refuse_forecasts)
        _cleanup_(carbon_data_freep) CarbonData *d = NULL;

        configure(&f, "electricitymaps", "DE");
        put(f.credentials, "hyper.carbon-token", "s3cret");
        f.forecast_status = 403;
        up(&f);
        d = data(&f);
        ck_assert(!d->has_forecast && d->is_estimated);
        ck_assert_uint_eq(d->n_points, 1);
        ck_assert_ptr_null(d->error);
CARBON_TEST_END

CARBON_TEST(watttime_needs_a_login)
        _cleanup_(carbon_data_freep) CarbonData *d = NULL;

        configure(&f, "watttime", "CAISO_NORTH");
        put(f.credentials, "hyper.carbon-token", "user:pass");
        up(&f);
        d = data(&f);
        ck_assert(d->is_marginal);
        ck_assert_double_eq_tol(d->points[0].intensity, 453.592, 0.001);
        ck_assert_ptr_nonnull(strstr(f.requests, "Authorization: Basic dXNlcjpwYXNz\r\n"));
        ck_assert_ptr_nonnull(strstr(f.requests, "Authorization: Bearer ab.cd\r\n"));
CARBON_TEST_END

CARBON_TEST(a_file_is_read_each_time)
        _cleanup_free_ char *text = strprintf("carbon:\n  source: file\n  zone: X\n  url: file://%s/f\n", f.dir),
                            *path = strprintf("%s/f", f.dir);

        put(f.config, "config.yaml", text);
        up(&f);
        unavailable(&f, "No such file");
        put(f.dir, "f", "{\"zone\":\"X\",\"updated_at\":\"2025-06-09T00:00:00Z\",\"points\":[{\"from\":"
                        "\"2025-06-09T00:00:00Z\",\"to\":\"2025-06-09T01:00:00Z\",\"intensity\":7}]}");
        expect_now(&f, 7);
        put(f.dir, "f", "{\"zone\":\"Y\",\"updated_at\":\"2025-06-09T00:00:00Z\",\"points\":[]}");
        unavailable(&f, "zone");
        ck_assert_int_eq(unlink(path), 0);
        unavailable(&f, "No such file");
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        unavailable(&f, "Invalid argument");
CARBON_TEST_END

CARBON_TEST(the_configuration_is_read_with_each_call)
        up(&f);
        unavailable(&f, "carbon.source is not set");
        put(f.config, "config.yaml", "carbon:\n  source: carbonintensity-gb\n");
        unavailable(&f, "carbon.zone");
        put(f.config, "config.yaml", "carbon:\n  source: carbonintensity-gb\n  zone: Z\n");
        unavailable(&f, "carbon.zone");
        configure(&f, "carbonintensity-gb", "GB");
        expect_now(&f, 139);
        configure(&f, "carbonintensity-gb", "13");
        expect_now(&f, 88);
CARBON_TEST_END

static void refused(const char *text, bool tls, bool expected) {
        struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
        struct sockaddr_in four = { .sin_family = AF_INET };
        char buffer[HTTP_REFUSE_SIZE];
        const char *why;

        if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
                why = carbon_fetch_refuse((struct sockaddr *) &four, sizeof(four), &tls, buffer);
        else {
                ck_assert_int_eq(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
                why = carbon_fetch_refuse((struct sockaddr *) &six, sizeof(six), &tls, buffer);
        }
        ck_assert_msg((why != NULL) == expected, "%s: %s", text, strna(why));
}

START_TEST(link_local_addresses_are_not_connected_to) {
        refused("169.254.169.254", true, true);
        refused("::ffff:169.254.169.254", true, true);
        refused("fe80::1", true, true);
        refused("192.0.2.1", true, false);
        refused("2001:db8::1", true, false);
        refused("192.0.2.1", false, true);
        refused("2001:db8::1", false, true);
        refused("127.0.0.1", false, false);
        refused("::1", false, false);
}
END_TEST

CARBON_TEST(the_bus_shows_what_is_documented)
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        sd_bus_message *m;
        const char *xml;

        up(&f);
        ck_assert_int_ge(sd_bus_message_new_method_call(f.client, &m, HYPER_CARBON_BUS_NAME,
                                         HYPER_CARBON_BUS_PATH, "org.freedesktop.DBus.Introspectable",
                                         "Introspect"), 0);
        reply = private_bus_call(m);
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &xml), 0);
        introspection_compare(xml, HYPER_CARBON_INTERFACE);
CARBON_TEST_END

TEST_MAIN("carbond", great_britain_is_asked_once_until_it_is_old, a_region_has_an_address_of_its_own,
          old_data_are_used_for_a_while_if_the_source_fails, electricity_maps_gets_the_token,
          electricity_maps_may_refuse_forecasts, watttime_needs_a_login, a_file_is_read_each_time,
          the_configuration_is_read_with_each_call, link_local_addresses_are_not_connected_to,
          the_bus_shows_what_is_documented)
