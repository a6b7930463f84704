/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callers wait while the source is asked, all for the same request. The daemon ends when no call has come for
 * some time: it sends STOPPING=1, releases its name, and when the bus has confirmed that, no call is lost. */

#include "carbon/carbond.h"

#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "carbon/carbon-cache.h"
#include "carbon/carbon-fetch.h"
#include "shared/bus-util.h"
#include "shared/daemon.h"
#include "shared/error-table.h"
#include "json/json-table.h"

/* A source that has failed is not asked again for so long. */
#define FAILURE_PAUSE USEC_PER_MINUTE
#define WAITING_MAX 256u
/* It is cheap to start. */
#define IDLE_MAX (10 * USEC_PER_SEC)

struct Carbond {
        CarbondOptions options;
        sd_event *event;
        sd_bus *bus;
        Settings *settings;
        char *token; /* NULL: there is none */
        CarbonData *data; /* the last that was read */
        CarbonFetch *fetch; /* the source is being asked */
        char *failure; /* why it could not be, the last time; NULL: it could */
        usec_t failed_at; /* monotonic */
        sd_bus_message *waiting[WAITING_MAX]; /* calls that are answered when the source has answered */
        size_t n_waiting;
        sd_bus_slot *slots[2], *release_call;
        sd_event_source *idle_timer;
        usec_t last_call;
        bool released; /* the name is given up: the end comes with the last answer */
};

Carbond *carbond_free(Carbond *c) {
        if (!c)
                return NULL;
        for (size_t i = 0; i < c->n_waiting; i++)
                sd_bus_message_unref(c->waiting[i]);
        for (size_t i = 0; i < ELEMENTSOF(c->slots); i++)
                sd_bus_slot_unref(c->slots[i]);
        sd_bus_slot_unref(c->release_call);
        sd_event_source_disable_unref(c->idle_timer);
        carbon_fetch_free(c->fetch);
        carbon_data_free(c->data);
        if (c->token)
                explicit_bzero(c->token, strlen(c->token));
        free(c->token);
        free(c->failure);
        settings_free(c->settings);
        sd_bus_unref(c->bus);
        sd_event_unref(c->event);
        return mfree(c);
}

/* --- answers --------------------------------------------------------------------------------------- */

/* How old the data are; what is of the future is of a clock that was set back, and is too old, too. */
static usec_t data_age(const Carbond *c) {
        usec_t now = c->options.clock();

        return c->data && c->data->updated_at <= now ? now - c->data->updated_at : USEC_INFINITY;
}

static bool is_of_file(const Carbond *c) {
        return streq_ptr(c->settings->carbon.source, "file");
}

/* Old data are better than none, for a while. Those of a file are what the file says. */
static bool is_usable(const Carbond *c) {
        return data_age(c) <= c->settings->carbon.stale_after && !(is_of_file(c) && c->failure);
}

static const char *why_not(const Carbond *c) {
        return c->failure ? c->failure : "the last data are too old (carbon.stale_after)";
}

static int answer(Carbond *c, sd_bus_message *call) {
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *text = NULL;

        if (!is_usable(c))
                return sd_bus_reply_method_errorf(call, HYPER_BUS_ERROR_UNAVAILABLE,
                                "There is no carbon intensity: %s", why_not(c));
        free(c->data->error);
        c->data->error = c->failure ? strdup(c->failure) : NULL;
        json = carbon_data_to_json(c->data);
        text = json ? json_dumps(json, JSON_COMPACT) : NULL;
        if (!text)
                return -ENOMEM;
        return sd_bus_reply_method_return(call, "st", text, (uint64_t) c->settings->carbon.refresh);
}

static void answer_all(Carbond *c) {
        for (size_t i = 0; i < c->n_waiting; i++) {
                int r = answer(c, c->waiting[i]);

                if (r < 0)
                        log_warning_errno(r, "Failed to answer a call: %m");
                sd_bus_message_unref(c->waiting[i]);
        }
        c->n_waiting = 0;
        if (c->released)
                (void) sd_event_exit(c->event, EXIT_SUCCESS);
}

static void take_failure(Carbond *c, const char *why) {
        if (!streq_ptr(c->failure, why))
                log_warning("Failed to read carbon intensity from %s: %s.", c->settings->carbon.source, why);
        c->failed_at = now_monotonic();
        if (free_and_strdup(&c->failure, why) < 0)
                log_oom();
}

static void on_fetched(CarbonData *data, const char *why, void *userdata) {
        Carbond *c = userdata;
        int r;

        if (data) {
                carbon_data_free(c->data);
                c->data = data;
                c->failure = mfree(c->failure);
                r = is_of_file(c) ? 0 : carbon_cache_write(c->options.cache_directory, data);
                if (r < 0)
                        log_warning_errno(r, "Failed to keep carbon intensity: %m");
        } else
                take_failure(c, strna(why));
        c->fetch = carbon_fetch_free(c->fetch); /* which @why is of */
        answer_all(c);
}

/* --- questions ------------------------------------------------------------------------------------- */

static void forget_other_source(Carbond *c) {
        const Settings *s = c->settings;

        if (c->data &&
                        (!streq_ptr(c->data->source, s->carbon.source) ||
                                        !streq_ptr(c->data->zone, s->carbon.zone)))
                c->data = carbon_data_free(c->data);
}

/* The configuration may have changed. */
static void reload(Carbond *c) {
        _cleanup_free_ char *why = NULL, *before = NULL;
        int r;

        if (!c->options.config_directory || c->fetch)
                return;
        before = strdup(strempty(c->settings->version));
        r = daemon_reload_settings(c->options.config_directory, NULL, &c->settings, &why);
        if (r < 0)
                log_error("The configuration is not in force: %s", strna(why));
        else if (before && !streq(before, strempty(c->settings->version))) {
                c->failure = mfree(c->failure);
                forget_other_source(c);
        }
}

static bool is_fresh(const Carbond *c) {
        if (c->failure && now_monotonic() < c->failed_at + FAILURE_PAUSE && !is_of_file(c))
                return true; /* what there is */
        return !is_of_file(c) && !c->failure && data_age(c) < c->settings->carbon.refresh;
}

static int start_fetch(Carbond *c, CarbonSourceKind kind) {
        const CarbonFetchOptions options = { .event = c->event,
                .settings = c->settings,
                .kind = kind,
                .token = c->token,
                .clock = c->options.clock,
                .ca_file = c->options.ca_file,
                .done = on_fetched,
                .userdata = c };

        return carbon_fetch_start(&options, &c->fetch);
}

static int get_data(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *why = NULL;
        CarbonSourceKind kind;
        Carbond *c = userdata;
        int r;

        reload(c);
        r = carbon_source_check(c->settings, c->token != NULL, &kind, &why);
        if (r == -ENODATA)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE, "carbon.source is not set");
        if (r < 0)
                return why ? bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE, "%s", why) : r;
        if (is_fresh(c) && !c->fetch) {
                r = answer(c, call);
                return r < 0 ? r : 1;
        }
        if (c->n_waiting >= WAITING_MAX)
                return bus_error_setf(
                                error, HYPER_BUS_ERROR_UNAVAILABLE, "Too many callers wait; try again");
        r = c->fetch ? 0 : start_fetch(c, kind);
        if (r < 0)
                return r;
        c->waiting[c->n_waiting++] = sd_bus_message_ref(call);
        return 1;
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetData", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", data, "t", refresh), get_data,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

/* --- the end --------------------------------------------------------------------------------------- */

static int on_released(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Carbond *c = userdata;

        c->released = true;
        return c->n_waiting > 0 ? 0 : sd_event_exit(c->event, EXIT_SUCCESS);
}

static int on_idle_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Carbond *c = userdata;
        usec_t timeout = MIN(c->settings->daemon.idle_timeout, IDLE_MAX), now = now_monotonic();
        int r;

        if (c->n_waiting == 0 && now >= c->last_call + timeout) {
                (void) sd_notify(false, "STOPPING=1\nSTATUS=Nothing to do.");
                return sd_bus_release_name_async(
                                c->bus, &c->release_call, HYPER_CARBON_BUS_NAME, on_released, c);
        }
        r = sd_event_source_set_time_relative(s, c->n_waiting > 0 ? timeout : c->last_call + timeout - now);
        return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Carbond *c = userdata;

        if (sd_bus_message_is_method_call(message, NULL, NULL) > 0)
                c->last_call = now_monotonic();
        return 0;
}

/* --- the beginning --------------------------------------------------------------------------------- */

static int set_up(Carbond *c) {
        int r = carbon_token_read(c->options.credentials_directory, &c->token);

        if (r >= 0)
                r = carbon_cache_read(c->options.cache_directory, &c->data);
        if (r < 0)
                log_warning_errno(r, "Failed to read the token, or what was kept: %m");
        forget_other_source(c);
        c->last_call = now_monotonic();
        r = sd_bus_add_filter(c->bus, &c->slots[0], on_message, c);
        if (r >= 0)
                r = sd_bus_add_object_vtable(c->bus, &c->slots[1], HYPER_CARBON_BUS_PATH,
                                HYPER_CARBON_INTERFACE, vtable, c);
        if (r < 0 || c->settings->daemon.idle_timeout == USEC_INFINITY)
                return r;
        return sd_event_add_time_relative(c->event, &c->idle_timer, CLOCK_MONOTONIC,
                        MIN(c->settings->daemon.idle_timeout, IDLE_MAX), USEC_PER_SEC / 4, on_idle_timer, c);
}

int carbond_new(const CarbondOptions *options, Carbond **ret) {
        _cleanup_(carbond_freep) Carbond *c = new0(Carbond, 1);
        int r;

        if (!c) {
                settings_free(options->settings);
                return -ENOMEM;
        }
        c->options = *options;
        c->event = sd_event_ref(options->event);
        c->bus = sd_bus_ref(options->bus);
        c->settings = options->settings;
        r = set_up(c);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}
