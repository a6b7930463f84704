/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A manager on a private bus: a real dbus-daemon, a real database in a temporary directory, a clock that the
 * test moves, and in place of systemd a stand-in that records what it is asked and tells what the test
 * wants: a real one would need a machine of its own (tests/system has that), and does not fail on demand. */

#include "manager/manager-life.h"
#include "manager/manager.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

#define FAKE_UNITS_MAX 512

typedef struct FakeUnit {
        char *name; /* "hyper-job-a.service" */
        bool live; /* as ListUnitsByPatterns says */
        bool finish; /* it runs hyper-job finish alone */
        bool put_back; /* it runs hyper-job put-back */
        bool has_credentials; /* LoadCredentialEncrypted= */
        char **when; /* of a timer: "OnCalendar=…", "OnActiveSec=seconds" */
        bool stopped; /* StopUnit came */
        unsigned n_kills; /* KillUnit came */
        unsigned starts;
} FakeUnit;

typedef struct Fixture {
        char *dir, *state, *runtime, *config;
        pid_t dbus_pid;
        sd_event *event;
        sd_bus *manager_bus, *systemd_bus, *client;
        Store *store;
        Manager *manager;

        FakeUnit units[FAKE_UNITS_MAX];
        size_t n_units, n_live, most_live;
        const char *start_error; /* StartTransientUnit and StartUnit fail with this text */
        unsigned n_service_starts; /* StartUnit of hyper-notifyd.service came */
        unsigned busy_timers; /* StartTransientUnit of a timer fails so many times because its service is
                                 there */
        bool lose_answer; /* StartTransientUnit starts the unit, but the caller hears NoReply */
        bool hold_start; /* the start job stays queued until fake_started() */
        unsigned max_running;
        const char *guest_program; /* likewise; NULL: one that is there */
        bool no_local_worker; /* worker.local: false, from the next manager on */

        char signals[8192]; /* "id OLD>NEW" of each JobStateChanged, one a line */
        char logged[8192]; /* "number id STATE" of each change that was sent to the journal, one a line */
        char warm_events[8192]; /* "kind id: message" of each event of a warm job that the manager sent */
        int log_error; /* sending an event to the journal gives this */
        unsigned n_added, n_removed; /* InterfacesAdded, InterfacesRemoved */
        unsigned n_messages; /* calls and signals that came on any connection */
        unsigned barriers; /* answers of the bus that are waited for */
        int exit_code;
        bool exited;
        JsonErrors fields; /* of the last call() that failed */
} Fixture;

extern usec_t test_clock; /* what the manager takes for the time */

/* Exits with 77 if this is not root: the bus tells the manager who calls, and polkit is not there. */
void fixture_open(Fixture *f);
void fixture_close(Fixture *f);
/* Starts a manager over what is in the state directory, as after a kill -9 of the one before. */
void manager_up(Fixture *f);
void manager_down(Fixture *f);

/* One round of the loop. */
void turn(Fixture *f);
/* Runs the loop until everything that was sent has arrived and led to nothing more. */
void settle_down(Fixture *f);
/* The same until no path is being looked at, and the queue has nothing to start. */
void finish_lookups(Fixture *f);

/* One more connection to the bus. */
sd_bus *connect_bus(Fixture *f);

/* Calls org.hyper1.Manager. 0 with *ret (may be NULL), or negative errno with @error. */
int call(Fixture *f, const char *member, sd_bus_message **ret, sd_bus_error *error, const char *types, ...);
/* The same with a message of the caller's, which is consumed, on the connection that it was made for. */
int call_message(Fixture *f, sd_bus_message *m, sd_bus_message **ret, sd_bus_error *error);

/* A source and a spec that writes beside it: "<dir>/<id>.qcow2". @extra is put into the object:
 * ",\"a\":1". */
char *make_spec(Fixture *f, const char *id, const char *extra);
/* Submits that; the job is durably queued. */
void submit(Fixture *f, const char *id, const char *extra);
int cancel(Fixture *f, const char *id);

/* From the store, so it is what is durable. */
JobState state_of(Fixture *f, const char *id);
char *reason_of(Fixture *f, const char *id);
char *result_of(Fixture *f, const char *id);
char *states_of(Fixture *f, const char *id); /* "CREATED VALIDATED …" */
/* The same, checked; @words is a part of the reason. */
void expect_state(Fixture *f, const char *id, JobState state);
void expect_reason(Fixture *f, const char *id, const char *words);
void expect_states(Fixture *f, const char *id, const char *expected);

FakeUnit *unit_of(Fixture *f, const char *id); /* NULL: never asked for */
FakeUnit *timer_of(Fixture *f, const char *id); /* of a schedule; NULL: it has none now */
bool unit_is_live(Fixture *f, const char *id);
/* The unit's start job is done. */
void fake_started(Fixture *f, const char *id);
/* The unit ends: with its properties told as systemd does, or (@told false) while nobody listens. */
void fake_ends(Fixture *f, const char *id, const char *result, int code, int status, bool told);
/* As in a daemon-reload: UnitRemoved and UnitNew, while the unit lives on. */
void fake_daemon_reload(Fixture *f, const char *id);

/* What a job leaves in its directory. */
char *directory_of(Fixture *f, const char *id);
void leave_result(Fixture *f, const char *id, unsigned attempt, int outcome, const char *message);
void leave_mark(Fixture *f, const char *id, const char *mark);
bool has_mark(Fixture *f, const char *id, const char *mark);
void make_file(const char *path, const char *content);

/* A test with a manager. (A macro for each end: what is between them is laid out as the body of a function
 * is not.) */
/* clang-format off */
#define BUS_TEST(name) START_TEST(name) { Fixture f; fixture_open(&f); manager_up(&f);
#define BUS_TEST_END fixture_close(&f); } END_TEST
/* clang-format on */
