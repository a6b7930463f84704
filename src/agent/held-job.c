/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a held job on this machine: submitted to our own manager, looked at when it has ended,
 * cancelled when it is not ours any more. */

#include "agent/held-job.h"
#include "agent/agent-util.h"
#include "agent/report.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/bus-fields.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"

#define CALL_TIMEOUT (60 * USEC_PER_SEC)
/* Our manager does not answer: again after 1, 2, 4 … 32 s. */
#define PAUSE_MIN USEC_PER_SEC

HeldJob *held_find(Agent *a, const char *job_id) {
        HeldJob *h;

        LIST_FOREACH(h, &a->held, entries)
                if (streq(h->file.job_id, job_id))
                        return h;
        return NULL;
}

HeldJob *held_find_local(Agent *a, const char *local_id) {
        HeldJob *h;

        LIST_FOREACH(h, &a->held, entries)
                if (streq(h->file.local_id, local_id))
                        return h;
        return NULL;
}

int held_new(Agent *a, HeldFile *file, HeldJob **ret) {
        HeldJob *h = new0(HeldJob, 1);

        if (!h)
                return -ENOMEM;
        h->agent = a;
        h->file = *file;
        *file = (HeldFile){};
        h->stage = h->file.dropped ? HELD_DROPPED : HELD_SUBMITTING;
        h->taken_at = now_monotonic();
        h->batch = HELD_BATCH;
        h->report.agent = a;
        LIST_INSERT_HEAD(&a->held, h, entries);
        a->n_held++;
        *ret = h;
        return 0;
}

HeldJob *held_free(HeldJob *h) {
        if (!h)
                return NULL;
        h->agent->hooks->held_stop(h);
        sd_bus_slot_unref(h->call);
        sd_event_source_disable_unref(h->timer);
        LIST_REMOVE(h, entries);
        h->agent->n_held--;
        free(h->next_cursor);
        json_decref(h->result);
        held_file_done(&h->file);
        return mfree(h);
}

void held_forget(HeldJob *h) {
        Agent *a = h->agent;
        int r = held_file_remove(a->directory, &h->file);

        if (r < 0)
                agent_fail(a, r, "Failed to remove the file of a job");
        held_free(h);
        agent_status(a);
        a->hooks->room(a);
}

/* --- calls to our manager -------------------------------------------------------------------------- */

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        HeldJob *h = userdata;

        h->timer = sd_event_source_disable_unref(h->timer);
        if (h->stage == HELD_RUNNING)
                held_look(h);
        else
                held_begin(h);
        return 0;
}

/* Our manager could not be asked, which says nothing about the job. */
static void call_again(HeldJob *h, const sd_bus_error *error) {
        usec_t pause = PAUSE_MIN << MIN(h->failures, 5u);
        int r;

        if (h->failures++ == 0)
                log_warning("Failed to ask the manager of this machine about job %s, trying again: %s",
                                h->file.job_id, strna(error ? error->message : NULL));
        h->timer = sd_event_source_disable_unref(h->timer);
        r = sd_event_add_time_relative(
                        h->agent->event, &h->timer, CLOCK_MONOTONIC, pause, USEC_PER_MSEC, on_timer, h);
        if (r < 0)
                agent_fail(h->agent, r, "Failed to set a timer");
}

static void call(HeldJob *h, const char *member, const char *argument, bool with_options,
                sd_bus_message_handler_t func) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = h->agent->bus;
        int r = sd_bus_message_new_method_call(
                        bus, &m, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, member);

        if (r >= 0)
                r = sd_bus_message_append(m, "s", argument);
        if (r >= 0 && with_options)
                r = sd_bus_message_append(m, "a{sv}", 1, "dialect", "s", "agent");
        h->call = sd_bus_slot_unref(h->call);
        h->timer = sd_event_source_disable_unref(h->timer);
        if (r >= 0)
                r = sd_bus_call_async(bus, &h->call, m, func, h, CALL_TIMEOUT);
        if (r < 0)
                agent_fail(h->agent, r, "Failed to call the manager of this machine");
}

/* True for errors that are about the job: the manager will say the same again. */
static bool is_final(const sd_bus_error *error) {
        static const char *const names[] = { HYPER_BUS_ERROR_INVALID_SPEC, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                HYPER_BUS_ERROR_NOT_SUPPORTED, HYPER_BUS_ERROR_PATH_REFUSED, HYPER_BUS_ERROR_ACCESS_DENIED,
                HYPER_BUS_ERROR_TOO_LARGE };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (sd_bus_error_has_name(error, names[i]))
                        return true;
        return false;
}

/* --- how it is ------------------------------------------------------------------------------------- */

static int on_details(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        const char *path, *details;
        json_t *result = NULL;
        HeldJob *h = userdata;
        int r;

        h->call = sd_bus_slot_unref(h->call);
        if (sd_bus_error_has_name(error, HYPER_BUS_ERROR_NO_SUCH_JOB)) {
                /* Its database was lost: what was done is not known, and is done again. */
                h->stage = HELD_SUBMITTING;
                held_begin(h);
                return 0;
        }
        if (error) {
                call_again(h, error);
                return 0;
        }
        h->failures = 0;
        r = sd_bus_message_read(reply, "os", &path, &details);
        if (r >= 0)
                r = result_from_details(h->agent->settings->worker.id, details, &result);
        if (r < 0)
                agent_fail(h->agent, r, "Failed to read what the manager of this machine says of a job");
        else if (result)
                held_ended(h, result);
        else
                h->agent->hooks->held_wake(h);
        return 0;
}

void held_look(HeldJob *h) {
        if (h->call || h->stage != HELD_RUNNING)
                return;
        h->looked_at = now_monotonic();
        call(h, "GetJob", h->file.local_id, false, on_details);
}

static int on_stopped(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        HeldJob *h = userdata;

        h->call = sd_bus_slot_unref(h->call);
        /* Whatever was said: its state decides, and its last event is in the journal. */
        held_look(h);
        return 0;
}

void held_cancel(HeldJob *h) {
        if (h->stage == HELD_RUNNING)
                call(h, "CancelJob", h->file.local_id, false, on_stopped);
}

/* --- its beginning --------------------------------------------------------------------------------- */

static int on_submitted(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        HeldJob *h = userdata;

        h->call = sd_bus_slot_unref(h->call);
        /* It was submitted before, and has failed since: the id is this attempt's alone. */
        if (sd_bus_error_has_name(error, HYPER_BUS_ERROR_JOB_EXISTS))
                error = NULL;
        if (error && !is_final(error)) {
                call_again(h, error);
                return 0;
        }
        if (error) {
                _cleanup_free_ char *why = bus_error_text(error);
                json_t *result = result_failed(
                                h->agent->settings->worker.id, "refused_by_worker", strempty(why), true);

                log_warning("Job %s is refused by the manager of this machine: %s", h->file.job_id,
                                strna(why));
                h->end_seen = true;
                held_ended(h, result);
                return 0;
        }
        h->failures = 0;
        h->stage = HELD_RUNNING;
        /* It may have ended long ago, while we were away. */
        if (h->agent->stopping)
                held_cancel(h);
        else
                held_look(h);
        return 0;
}

static int on_cancelled(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        HeldJob *h = userdata;

        h->call = sd_bus_slot_unref(h->call);
        /* Finished, or never begun: as good as cancelled. */
        if (error && !sd_bus_error_has_name(error, HYPER_BUS_ERROR_JOB_FINISHED) &&
                        !sd_bus_error_has_name(error, HYPER_BUS_ERROR_NO_SUCH_JOB) && !is_final(error)) {
                call_again(h, error);
                return 0;
        }
        held_forget(h);
        return 0;
}

void held_begin(HeldJob *h) {
        _cleanup_free_ char *spec = NULL;

        if (h->stage == HELD_DROPPED) {
                call(h, "CancelJob", h->file.local_id, false, on_cancelled);
                return;
        }
        spec = json_dumps(h->file.spec, JSON_COMPACT);
        if (spec)
                call(h, "SubmitJob", spec, true, on_submitted);
        else
                agent_fail(h->agent, -ENOMEM, "Failed to submit a job");
}

/* --- its end --------------------------------------------------------------------------------------- */

void held_ended(HeldJob *h, json_t *result) {
        if (!result) {
                agent_fail(h->agent, -ENOMEM, "Failed to keep a job's result");
                return;
        }
        h->result = result;
        h->stage = HELD_ENDED;
        h->ended_at = now_monotonic();
        h->timer = sd_event_source_disable_unref(h->timer);
        h->agent->hooks->held_wake(h);
}

void held_drop(HeldJob *h, const char *why) {
        int r;

        log_notice("Letting go of job %s (%s here): %s.", h->file.job_id, h->file.local_id, why);
        h->agent->hooks->held_stop(h);
        h->stage = HELD_DROPPED;
        h->file.dropped = true;
        /* So that it is cancelled also if we die before it is. */
        r = held_file_write(h->agent->directory, &h->file);
        if (r < 0)
                agent_fail(h->agent, r, "Failed to write the file of a job");
        else
                held_begin(h);
}
