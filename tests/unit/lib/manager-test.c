/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/lib/manager-test.h"
#include "manager/webhook/outbox.h"
#include "spec/job-result.h"
#include "store/jobs.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "journal/job-event.h"
#include "journal/schedule-event.h"
#include "manager/job-directory.h"
#include "manager/manager-life.h"
#include "shared/bus-fields.h"
#include "spec/job-file.h"
#include "unit/lib/private-bus.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"

usec_t test_clock = 1800000000 * USEC_PER_SEC;

static usec_t read_test_clock(void) {
        return test_clock++;
}

/* --- the bus --------------------------------------------------------------------------------------- */

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Fixture *f = userdata;

        f->n_messages++;
        return 0;
}

sd_bus *connect_bus(Fixture *f) {
        sd_bus *bus = private_bus_connect(f->dir, f->event);

        ck_assert_int_ge(sd_bus_add_filter(bus, NULL, on_message, f), 0);
        return bus;
}

/* --- the stand-in for systemd ---------------------------------------------------------------------- */

static FakeUnit *find_unit(Fixture *f, const char *name) {
        for (size_t i = 0; i < f->n_units; i++)
                if (streq(f->units[i].name, name))
                        return &f->units[i];
        return NULL;
}

static void emit_job_removed(Fixture *f, const char *unit) {
        ck_assert_int_ge(sd_bus_emit_signal(f->systemd_bus, SYSTEMD_PATH, SYSTEMD ".Manager", "JobRemoved",
                                         "uoss", (uint32_t) 7, SYSTEMD_PATH "/job/7", unit, "done"),
                        0);
}

/* Does the unit run finish by itself? Then that is the first command of a property; each has one. */
static void read_commands(sd_bus_message *m, FakeUnit *u) {
        const char *path;
        char **argv = NULL;

        ck_assert_int_gt(sd_bus_message_enter_container(m, 'v', "a(sasb)"), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(sasb)"), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'r', "sasb"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "s", &path), 0);
        ck_assert_int_gt(sd_bus_message_read_strv(m, &argv), 0);
        u->finish |= streq(argv[1], "finish-later");
        u->put_back |= streq(argv[1], "put-back");
        strv_free(argv);
        ck_assert_int_gt(sd_bus_message_skip(m, "b"), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
        /* The other commands are of no interest. */
        while (sd_bus_message_at_end(m, false) == 0)
                ck_assert_int_gt(sd_bus_message_skip(m, NULL), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
}

static void read_calendar(sd_bus_message *m, FakeUnit *u) {
        const char *base, *when;

        ck_assert_int_gt(sd_bus_message_enter_container(m, 'v', "a(ss)"), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(ss)"), 0);
        while (sd_bus_message_read(m, "(ss)", &base, &when) > 0)
                ck_assert_int_ge(strv_extendf(&u->when, "%s=%s", base, when), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
}

static void read_monotonic(sd_bus_message *m, FakeUnit *u) {
        const char *base;
        uint64_t usec;

        ck_assert_int_gt(sd_bus_message_enter_container(m, 'v', "a(st)"), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(st)"), 0);
        while (sd_bus_message_read(m, "(st)", &base, &usec) > 0)
                ck_assert_int_ge(strv_extendf(&u->when, "%s=%" PRIu64, base, usec / USEC_PER_SEC), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
}

static void read_properties(sd_bus_message *m, FakeUnit *u) {
        const char *name;

        u->finish = u->put_back = u->has_credentials = false;
        u->when = strv_free(u->when);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(sv)"), 0);
        while (sd_bus_message_enter_container(m, 'r', "sv") > 0) {
                ck_assert_int_gt(sd_bus_message_read(m, "s", &name), 0);
                if (streq(name, "ExecStart"))
                        read_commands(m, u);
                else if (streq(name, "TimersCalendar"))
                        read_calendar(m, u);
                else if (streq(name, "TimersMonotonic"))
                        read_monotonic(m, u);
                else {
                        u->has_credentials |= streq(name, "LoadCredentialEncrypted");
                        ck_assert_int_gt(sd_bus_message_skip(m, "v"), 0);
                }
                ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
        }
}

static bool is_timer(const FakeUnit *u) {
        return endswith(u->name, ".timer");
}

static int fake_start(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name, *mode;
        Fixture *f = userdata;
        FakeUnit *u;

        ck_assert_int_gt(sd_bus_message_read(m, "ss", &name, &mode), 0);
        if (f->start_error)
                return sd_bus_error_set(error, SYSTEMD ".TransactionIsDestructive", f->start_error);
        if (endswith(name, ".timer") && f->busy_timers > 0) {
                f->busy_timers--;
                return sd_bus_error_set(error, SYSTEMD ".UnitExists", "Its service was already loaded.");
        }
        u = find_unit(f, name);
        if (u && u->live)
                return sd_bus_error_setf(error, SYSTEMD ".UnitExists", "Unit %s was already loaded.", name);
        if (!u) {
                ck_assert_uint_lt(f->n_units, FAKE_UNITS_MAX);
                u = &f->units[f->n_units++];
                u->name = strdup(name);
        }
        u->live = true;
        u->stopped = false;
        u->starts++;
        read_properties(m, u);
        if (!is_timer(u)) {
                f->n_live++;
                f->most_live = MAX(f->most_live, f->n_live);
        }
        if (f->lose_answer)
                return sd_bus_error_set(error, SD_BUS_ERROR_NO_REPLY,
                                "Message recipient disconnected from message bus without replying");
        ck_assert_int_ge(sd_bus_reply_method_return(m, "o", SYSTEMD_PATH "/job/7"), 0);
        if (!f->hold_start)
                emit_job_removed(f, name);
        return 1;
}

static int fake_kill(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name, *who;
        int32_t signal;
        Fixture *f = userdata;

        ck_assert_int_gt(sd_bus_message_read(m, "ssi", &name, &who, &signal), 0);
        ck_assert_str_eq(who, "main");
        ck_assert_int_eq(signal, SIGKILL);
        find_unit(f, name)->n_kills++;
        return sd_bus_reply_method_return(m, NULL);
}

static int fake_stop(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name;
        Fixture *f = userdata;

        ck_assert_int_gt(sd_bus_message_read(m, "ss", &name, NULL), 0);
        FakeUnit *u = find_unit(f, name);
        if (!u || !u->live)
                return sd_bus_error_setf(error, SYSTEMD ".NoSuchUnit", "Unit %s not loaded.", name);
        u->stopped = true;
        ck_assert_int_ge(sd_bus_reply_method_return(m, "o", SYSTEMD_PATH "/job/8"), 0);
        if (is_timer(u)) { /* that takes no time */
                u->live = false;
                emit_job_removed(f, name);
        }
        return 1;
}

static int fake_list(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        sd_bus_message *reply = NULL;
        Fixture *f = userdata;

        ck_assert_int_ge(sd_bus_message_new_method_return(m, &reply), 0);
        ck_assert_int_ge(sd_bus_message_open_container(reply, 'a', "(ssssssouso)"), 0);
        for (size_t i = 0; i < f->n_units; i++)
                if (f->units[i].live && !is_timer(&f->units[i]))
                        ck_assert_int_ge(sd_bus_message_append(reply, "(ssssssouso)", f->units[i].name, "",
                                                         "loaded", "active", "running", "", "/x",
                                                         (uint32_t) 0, "", "/"),
                                        0);
        ck_assert_int_ge(sd_bus_message_close_container(reply), 0);
        int r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

static int fake_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, NULL);
}

static int fake_start_unit(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Fixture *f = userdata;

        if (f->start_error)
                return sd_bus_error_set(error, SYSTEMD ".UnitMasked", f->start_error);
        f->n_service_starts++;
        return sd_bus_reply_method_return(m, "o", SYSTEMD_PATH "/job/9");
}

static const sd_bus_vtable systemd_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("StartUnit", "ss", "o", fake_start_unit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Subscribe", "", "", fake_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("StartTransientUnit", "ssa(sv)a(sa(sv))", "o", fake_start, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("StopUnit", "ss", "o", fake_stop, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("KillUnit", "ssi", "", fake_kill, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListUnitsByPatterns", "asas", "a(ssssssouso)", fake_list, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static char *unit_name(const char *id) {
        char *name = job_unit_name(id);

        ck_assert_ptr_nonnull(name);
        return name;
}

FakeUnit *unit_of(Fixture *f, const char *id) {
        _cleanup_free_ char *name = unit_name(id);

        return find_unit(f, name);
}

FakeUnit *timer_of(Fixture *f, const char *id) {
        _cleanup_free_ char *name = schedule_unit_name(id, "timer");
        FakeUnit *u = find_unit(f, name);

        return u && u->live ? u : NULL;
}

bool unit_is_live(Fixture *f, const char *id) {
        FakeUnit *u = unit_of(f, id);

        return u && u->live;
}

void fake_started(Fixture *f, const char *id) {
        _cleanup_free_ char *name = unit_name(id);

        emit_job_removed(f, name);
        settle_down(f);
}

static void emit_properties(Fixture *f, const char *unit, const char *result, int code, int status) {
        _cleanup_free_ char *path = NULL;

        ck_assert_int_ge(sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path), 0);
        /* First those of the type, then those of all units: systemd promises this order. */
        ck_assert_int_ge(sd_bus_emit_signal(f->systemd_bus, path, "org.freedesktop.DBus.Properties",
                                         "PropertiesChanged", "sa{sv}as", SYSTEMD ".Service", 4, "Result",
                                         "s", result, "ExecMainCode", "i", (int32_t) code, "ExecMainStatus",
                                         "i", (int32_t) status, "MainPID", "u", (uint32_t) 0, 0),
                        0);
        ck_assert_int_ge(sd_bus_emit_signal(f->systemd_bus, path, "org.freedesktop.DBus.Properties",
                                         "PropertiesChanged", "sa{sv}as", SYSTEMD ".Unit", 1, "ActiveState",
                                         "s", streq(result, "success") ? "inactive" : "failed", 0),
                        0);
}

static void emit_unit_removed(Fixture *f, const char *unit) {
        ck_assert_int_ge(sd_bus_emit_signal(f->systemd_bus, SYSTEMD_PATH, SYSTEMD ".Manager", "UnitRemoved",
                                         "so", unit, "/x"),
                        0);
}

void fake_ends(Fixture *f, const char *id, const char *result, int code, int status, bool told) {
        FakeUnit *u = unit_of(f, id);

        ck_assert_ptr_nonnull(u);
        ck_assert(u->live);
        u->live = false;
        f->n_live--;
        if (!told)
                return;
        emit_properties(f, u->name, result, code, status);
        emit_unit_removed(f, u->name);
        settle_down(f);
}

void fake_daemon_reload(Fixture *f, const char *id) {
        emit_unit_removed(f, unit_of(f, id)->name);
        settle_down(f);
}

/* --- the manager ----------------------------------------------------------------------------------- */

static Settings *make_settings(Fixture *f) {
        Settings *s = settings_new();

        ck_assert_ptr_nonnull(s);
        s->jobs.max_running = f->max_running;
        s->worker.local = !f->no_local_worker;
        return s;
}

static Fixture *logging; /* whose manager sends */

static int on_event_sent(const JobEvent *e) {
        size_t n = strlen(logging->logged);

        if (e->kind == EVENT_WARM_WAITING) {
                size_t k = strlen(logging->warm_events);

                snprintf(logging->warm_events + k, sizeof(logging->warm_events) - k, "%s %s: %s\n",
                                event_kind_to_string(e->kind), e->job_id, e->message);
        }
        if (e->kind != EVENT_STATE)
                return 0;
        if (logging->log_error < 0)
                return logging->log_error;
        snprintf(logging->logged + n, sizeof(logging->logged) - n, "%" PRIu64 " %s %s\n", e->change,
                        e->job_id, job_state_to_string(e->state));
        return 0;
}

static int on_events_sent(const JobEvent *events, size_t n, size_t *ret_sent) {
        int r = 0;

        for (*ret_sent = 0; *ret_sent < n && (r = on_event_sent(&events[*ret_sent])) >= 0;)
                ++*ret_sent;
        return r;
}

void manager_up(Fixture *f) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", f->state);

        ck_assert_int_eq(store_open(path, STORE_OWNER, &f->store), 0);
        f->manager_bus = connect_bus(f);
        logging = f;
        const ManagerOptions options = {
                .event = f->event,
                .bus = f->manager_bus,
                .store = f->store,
                .settings = make_settings(f),
                .clock = read_test_clock,
                .state_directory = f->state,
                .runtime_directory = f->runtime,
                .config_directory = f->config,
                .journal_directory = f->dir,
                .send_event = on_event_sent,
                .send_events = on_events_sent,
                .guest_program = f->guest_program ?: "/bin/true",
                .group_age_max = USEC_INFINITY, /* a slow machine makes no more groups than a fast one */
        };
        ck_assert_int_eq(manager_new(&options, &f->manager), 0);
        ck_assert_int_ge(manager_start(f->manager), 0);
        settle_down(f);
        ck_assert(f->manager->ready);
}

void manager_down(Fixture *f) {
        f->manager = manager_free(f->manager);
        f->barriers = 0;
        f->manager_bus = sd_bus_close_unref(f->manager_bus);
        f->store = store_free(f->store);
}

static int on_state_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *id, *from, *to;
        Fixture *f = userdata;
        size_t n = strlen(f->signals);

        ck_assert_int_gt(sd_bus_message_read(m, "soss", &id, NULL, &from, &to), 0);
        snprintf(f->signals + n, sizeof(f->signals) - n, "%s %s>%s\n", id, from, to);
        return 0;
}

static int on_interfaces(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Fixture *f = userdata;

        if (streq(sd_bus_message_get_member(m), "InterfacesAdded"))
                f->n_added++;
        else
                f->n_removed++;
        return 0;
}

void fixture_open(Fixture *f) {
        if (geteuid() != 0)
                exit(77);
        *f = (Fixture){ .max_running = 4 };
        f->dir = test_dir();
        f->state = strprintf("%s/state", f->dir);
        f->runtime = strprintf("%s/runtime", f->dir);
        f->config = strprintf("%s/config", f->dir);
        ck_assert_int_eq(mkdir(f->state, 0700), 0);
        ck_assert_int_eq(mkdir(f->runtime, 0700), 0);
        ck_assert_int_eq(mkdir(f->config, 0700), 0);
        log_set_max_level(LOG_ERR);

        f->dbus_pid = private_bus_start(f->dir);
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        f->systemd_bus = connect_bus(f);
        ck_assert_int_ge(sd_bus_add_object_vtable(f->systemd_bus, NULL, SYSTEMD_PATH, SYSTEMD ".Manager",
                                         systemd_vtable, f),
                        0);
        ck_assert_int_ge(sd_bus_request_name(f->systemd_bus, SYSTEMD, 0), 0);
        f->client = connect_bus(f);
        ck_assert_int_ge(sd_bus_match_signal(f->client, NULL, NULL, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE,
                                         "JobStateChanged", on_state_changed, f),
                        0);
        ck_assert_int_ge(sd_bus_match_signal(f->client, NULL, NULL, HYPER_BUS_PATH,
                                         "org.freedesktop.DBus.ObjectManager", NULL, on_interfaces, f),
                        0);
}

void fixture_close(Fixture *f) {
        if (f->manager)
                manager_down(f);
        sd_bus_flush_close_unref(f->client);
        sd_bus_flush_close_unref(f->systemd_bus);
        sd_event_unref(f->event);
        private_bus_stop(f->dbus_pid);
        for (size_t i = 0; i < f->n_units; i++) {
                free(f->units[i].name);
                strv_free(f->units[i].when);
        }
        json_errors_done(&f->fields);
        free(f->state);
        free(f->runtime);
        free(f->config);
        test_dir_freep(&f->dir);
}

void turn(Fixture *f) {
        int r = sd_event_run(f->event, 10 * USEC_PER_SEC);

        if (r == -ESTALE || sd_event_get_state(f->event) == SD_EVENT_FINISHED) {
                f->exited = true;
                (void) sd_event_get_exit_code(f->event, &f->exit_code);
                return;
        }
        ck_assert_msg(r > 0, "the bus does not answer: %s", r < 0 ? strerror(-r) : "nothing came in 10 s");
}

static int on_barrier(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Fixture *f = userdata;

        f->barriers--;
        return 1; /* seen: no filter counts it */
}

/* Once the bus has answered a question of each connection, it has passed on what they sent before. */
static void pass_barrier(Fixture *f) {
        sd_bus *const buses[] = { f->manager_bus, f->systemd_bus, f->client };

        for (size_t i = 0; i < ELEMENTSOF(buses); i++)
                if (buses[i]) {
                        ck_assert_int_ge(sd_bus_call_method_async(buses[i], NULL, "org.freedesktop.DBus",
                                                         "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                                         "GetId", on_barrier, f, NULL),
                                        0);
                        f->barriers++;
                }
        while (f->barriers > 0 && !f->exited)
                turn(f);
}

static bool is_pending(const Fixture *f) {
        return f->manager && !f->exited &&
                        (lookup_pool_pending(f->manager->lookups) > 0 ||
                                        commit_group_pending(f->manager->group) > 0 ||
                                        f->manager->queue->source ||
                                        (f->manager->outbox && f->manager->outbox->wake_source));
}

void finish_lookups(Fixture *f) {
        while (is_pending(f))
                turn(f);
}

void settle_down(Fixture *f) {
        /* What is passed on may be answered, and that answer lead to the next: all three must find
         * nothing. */
        for (unsigned quiet = 0; quiet < 3 && !f->exited;) {
                unsigned before = f->n_messages;

                finish_lookups(f);
                if (!f->exited)
                        pass_barrier(f);
                quiet = f->n_messages == before && !is_pending(f) ? quiet + 1 : 0;
        }
}

int call_message(Fixture *f, sd_bus_message *m, sd_bus_message **ret, sd_bus_error *error) {
        sd_bus_message *answer = private_bus_call(m);
        int r = -sd_bus_message_get_errno(answer);

        json_errors_done(&f->fields);
        if (r < 0)
                ck_assert_int_eq(bus_error_fields_read(sd_bus_message_get_error(answer), &f->fields), 0);
        if (r < 0 && error)
                ck_assert_int_lt(sd_bus_error_copy(error, sd_bus_message_get_error(answer)), 0);
        if (r >= 0 && ret)
                *ret = TAKE_PTR(answer);
        sd_bus_message_unref(answer);
        return r;
}

int call(Fixture *f, const char *member, sd_bus_message **ret, sd_bus_error *error, const char *types, ...) {
        sd_bus_message *m = NULL;
        va_list ap;

        ck_assert_int_ge(sd_bus_message_new_method_call(f->client, &m, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         HYPER_MANAGER_INTERFACE, member),
                        0);
        va_start(ap, types);
        if (types)
                ck_assert_int_ge(sd_bus_message_appendv(m, types, ap), 0);
        va_end(ap);
        return call_message(f, m, ret, error);
}

/* --- jobs ------------------------------------------------------------------------------------------ */

void make_file(const char *path, const char *content) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
        ck_assert_int_eq(pwrite_full(fd, content, strlen(content), 0), 0);
}

char *make_spec(Fixture *f, const char *id, const char *extra) {
        _cleanup_free_ char *source = strprintf("%s/source.raw", f->dir);

        if (access(source, F_OK) < 0)
                make_file(source, "disk");
        return strprintf("{\"operation\":\"convert\",\"job_id\":\"%s\",\"source\":{\"type\":\"file\","
                         "\"path\":\"%s\"},"
                         "\"destination\":{\"type\":\"file\",\"path\":\"%s/"
                         "%s.qcow2\",\"format\":\"qcow2\"}%s}",
                        id, source, f->dir, id, strempty(extra));
}

void submit(Fixture *f, const char *id, const char *extra) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *spec = make_spec(f, id, extra);
        int r = call(f, "SubmitJob", NULL, &error, "sa{sv}", spec, 0);

        ck_assert_msg(r >= 0, "%s: %s", id, strna(error.message));
}

int cancel(Fixture *f, const char *id) {
        return call(f, "CancelJob", NULL, NULL, "s", id);
}

static JobRow *row_of(Fixture *f, const char *id) {
        JobRow *row = NULL;
        int r = store_job_get(f->store, id, &row);

        ck_assert_msg(r >= 0, "no job %s: %s", id, strerror(-r));
        return row;
}

JobState state_of(Fixture *f, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = row_of(f, id);

        return row->state;
}

char *reason_of(Fixture *f, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = row_of(f, id);

        return TAKE_PTR(row->reason);
}

char *result_of(Fixture *f, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = row_of(f, id);

        return TAKE_PTR(row->result);
}

char *states_of(Fixture *f, const char *id) {
        _cleanup_strv_free_ char **list = NULL;
        JobStateRow *rows;
        size_t n;

        ck_assert_int_ge(store_job_states(f->store, id, &rows, &n), 0);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_ge(strv_extend(&list, job_state_to_string(rows[i].state)), 0);
        job_state_rows_free(rows, n);
        return strv_join(list, " ");
}

void expect_state(Fixture *f, const char *id, JobState state) {
        _cleanup_free_ char *reason = reason_of(f, id);

        ck_assert_msg(state_of(f, id) == state, "job %s is %s, not %s: %s", id,
                        job_state_to_string(state_of(f, id)), job_state_to_string(state), reason);
}

void expect_reason(Fixture *f, const char *id, const char *words) {
        _cleanup_free_ char *reason = reason_of(f, id);

        ck_assert_msg(strstr(reason, words), "\"%s\" is not in \"%s\"", words, reason);
}

void expect_states(Fixture *f, const char *id, const char *expected) {
        _cleanup_free_ char *states = states_of(f, id);

        ck_assert_str_eq(states, expected);
}

char *directory_of(Fixture *f, const char *id) {
        return job_directory_path(f->state, id);
}

void leave_result(Fixture *f, const char *id, unsigned attempt, int outcome, const char *message) {
        _cleanup_free_ char *directory = directory_of(f, id);
        const JobResult result = {
                .attempt = attempt,
                .outcome = outcome,
                .phase = PHASE_CONVERSION,
                .message = (char *) message,
                .code = (char *) "test_code",
        };

        ck_assert_int_ge(job_result_write(&result, directory), 0);
}

void leave_mark(Fixture *f, const char *id, const char *mark) {
        _cleanup_free_ char *directory = directory_of(f, id);

        ck_assert_int_ge(job_mark_set(directory, mark), 0);
}

bool has_mark(Fixture *f, const char *id, const char *mark) {
        _cleanup_free_ char *directory = directory_of(f, id);

        return job_mark_is_set(directory, mark) > 0;
}
