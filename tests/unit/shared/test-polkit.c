/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bus_verify_polkit() on a bus of the test's own, with an authority of the test's own. The caller is another
 * process with another uid, so only root can run this. */

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#include "basic/time-util.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "unit/lib/test.h"

#define NOBODY 65534
#define ACTION "org.hyper1.manage-jobs"

static const char bus_config[] =
                "<busconfig><type>custom</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>"
                "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
                "<allow eavesdrop=\"true\"/><allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>";

typedef enum Answer {
        ANSWER_YES,
        ANSWER_NO,
        ANSWER_CHALLENGE,
        ANSWER_NONSENSE,
        ANSWER_ERROR,
        ANSWER_NOBODY, /* there is no authority */
} Answer;

typedef struct World {
        char *dir, *address;
        pid_t daemon;
        sd_event *event;
        sd_bus *service, *authority;
        PolkitRegistry *registry;

        Answer answer;
        unsigned asked, called, done; /* the authority; the handler; what it is there for */
        uint32_t flags; /* of the last question */
        char *subject;
} World;

/* --- the authority
 * ------------------------------------------------------------------------------------------ */

static int on_check(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *kind, *key, *name, *action;
        World *w = userdata;

        if (!sd_bus_message_is_method_call(m, "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization"))
                return 0;
        ck_assert_int_ge(sd_bus_message_read(m, "(sa{sv})sa{ss}us", &kind, 1, &key, "s", &name, &action, 0,
                                         &w->flags, NULL),
                        0);
        ck_assert_str_eq(kind, "system-bus-name");
        ck_assert_str_eq(key, "name");
        ck_assert_str_eq(action, ACTION);
        ck_assert_int_eq(free_and_strdup(&w->subject, name), 0);
        w->asked++;
        switch (w->answer) {
        case ANSWER_NONSENSE:
                return sd_bus_reply_method_return(m, "s", "maybe");
        case ANSWER_ERROR:
                return sd_bus_reply_method_errorf(m, "org.freedesktop.PolicyKit1.Error.Failed", "Oops");
        default:
                return sd_bus_reply_method_return(
                                m, "(bba{ss})", w->answer == ANSWER_YES, w->answer == ANSWER_CHALLENGE, 0);
        }
}

/* --- the service
 * -------------------------------------------------------------------------------------------- */

static int on_do(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        World *w = userdata;
        int r;

        w->called++;
        r = bus_verify_polkit(m, ACTION, &w->registry, error);
        if (r < 0)
                return r;
        if (r == 0)
                return 1;
        w->done++;
        return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable service_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Do", NULL, NULL, on_do, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int connect_to(const char *address, sd_bus **ret) {
        sd_bus *bus;
        int r = sd_bus_new(&bus);

        if (r < 0)
                return r;
        (void) sd_bus_set_address(bus, address);
        (void) sd_bus_set_bus_client(bus, true);
        r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        *ret = bus;
        return 0;
}

static pid_t start_daemon(const char *dir) {
        _cleanup_free_ char *config = strprintf("%s/bus.conf", dir);
        _cleanup_free_ char *option = strprintf("--config-file=%s", config);
        FILE *f = fopen(config, "we");
        int fds[2];
        char c;

        ck_assert_ptr_nonnull(f);
        fprintf(f, bus_config, dir);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(dir, 0755), 0);
        ck_assert_int_eq(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
                _cleanup_free_ char *print = strprintf("--print-address=%d", fds[1]);

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                close(fds[0]);
                execlp("dbus-daemon", "dbus-daemon", option, "--nofork", "--nopidfile", print, NULL);
                _exit(127);
        }
        /* It says its address when it listens. */
        close(fds[1]);
        ck_assert_msg(read(fds[0], &c, 1) == 1, "dbus-daemon does not start");
        close(fds[0]);
        return pid;
}

static void world_start(World *w, Answer answer) {
        w->dir = test_dir();
        w->answer = answer;
        w->daemon = start_daemon(w->dir);
        w->address = strprintf("unix:path=%s/bus", w->dir);
        ck_assert_int_eq(sd_event_new(&w->event), 0);
        ck_assert_int_eq(connect_to(w->address, &w->service), 0);
        ck_assert_int_ge(sd_bus_attach_event(w->service, w->event, 0), 0);
        ck_assert_int_ge(sd_bus_add_object_vtable(w->service, NULL, "/t", "t.T", service_vtable, w), 0);
        ck_assert_int_ge(sd_bus_request_name(w->service, "t.T", 0), 0);
        if (answer == ANSWER_NOBODY)
                return;
        ck_assert_int_eq(connect_to(w->address, &w->authority), 0);
        ck_assert_int_ge(sd_bus_attach_event(w->authority, w->event, 0), 0);
        /* No vtable, which would not let nonsense through. */
        ck_assert_int_ge(sd_bus_add_object(w->authority, NULL, "/org/freedesktop/PolicyKit1/Authority",
                                         on_check, w),
                        0);
        ck_assert_int_ge(sd_bus_request_name(w->authority, "org.freedesktop.PolicyKit1", 0), 0);
}

static void world_done(World *w) {
        bus_polkit_registry_free(w->registry);
        sd_bus_flush_close_unref(w->service);
        sd_bus_flush_close_unref(w->authority);
        sd_event_unref(w->event);
        kill(w->daemon, SIGKILL);
        waitpid(w->daemon, NULL, 0);
        free(w->address);
        free(w->subject);
        test_dir_freep(&w->dir);
}
#define _cleanup_world_ _cleanup_(world_done)

/* --- the caller
 * --------------------------------------------------------------------------------------------- */

enum { ALLOWED = 0, REFUSED = 1, OTHER = 2 };

/* So often, over one connection. */
static int call(const char *address, unsigned uid, bool interactive, unsigned times) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL;
        sd_bus *bus;
        int r = 0;

        if (setgid(uid) < 0 || setuid(uid) < 0 || connect_to(address, &bus) < 0)
                return OTHER;
        for (unsigned i = 0; i < times; i++) {
                if (sd_bus_message_new_method_call(bus, &m, "t.T", "/t", "t.T", "Do") < 0 ||
                                sd_bus_message_set_allow_interactive_authorization(m, interactive) < 0)
                        return OTHER;
                r = sd_bus_call(bus, m, 10 * USEC_PER_SEC, &error, NULL);
                if (r < 0)
                        break;
        }
        if (r >= 0)
                return ALLOWED;
        fprintf(stderr, "%s: %s\n", error.name, error.message);
        return sd_bus_error_has_name(&error, HYPER_BUS_ERROR_ACCESS_DENIED) ? REFUSED : OTHER;
}

static int on_exit_of_caller(sd_event_source *s, const siginfo_t *si, void *userdata) {
        return sd_event_exit(
                        sd_event_source_get_event(s), si->si_code == CLD_EXITED ? si->si_status : OTHER);
}

static int ask_times(World *w, unsigned uid, bool interactive, unsigned times) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        sigprocmask(SIG_BLOCK, &set, NULL);
        pid_t pid = fork();
        if (pid == 0)
                _exit(call(w->address, uid, interactive, times));
        ck_assert_int_ge(sd_event_add_child(w->event, NULL, pid, WEXITED, on_exit_of_caller, NULL), 0);
        return sd_event_loop(w->event);
}

static int ask(World *w, unsigned uid, bool interactive) {
        return ask_times(w, uid, interactive, 1);
}

/* --- tests
 * -------------------------------------------------------------------------------------------------- */

START_TEST(root_is_not_asked_about) {
        _cleanup_world_ World w = {};

        world_start(&w, ANSWER_NO);
        ck_assert_int_eq(ask(&w, 0, false), ALLOWED);
        ck_assert_uint_eq(w.asked, 0);
        ck_assert_uint_eq(w.called, 1);
}
END_TEST

START_TEST(a_yes_runs_the_method_once) {
        _cleanup_world_ World w = {};

        world_start(&w, ANSWER_YES);
        ck_assert_int_eq(ask(&w, NOBODY, false), ALLOWED);
        ck_assert_uint_eq(w.asked, 1);
        ck_assert_uint_eq(w.called, 2);
        ck_assert_uint_eq(w.done, 1);
        ck_assert_uint_eq(w.flags, 0);
        ck_assert_int_eq(w.subject[0], ':'); /* the caller's unique name */
}
END_TEST

START_TEST(a_yes_holds_for_a_moment_for_the_same_client) {
        _cleanup_world_ World w = {};

        world_start(&w, ANSWER_YES);
        ck_assert_int_eq(ask_times(&w, NOBODY, false, 3), ALLOWED);
        ck_assert_uint_eq(w.asked, 1);
        ck_assert_uint_eq(w.done, 3);
}
END_TEST

START_TEST(a_yes_of_a_person_is_for_once) {
        _cleanup_world_ World w = {};

        world_start(&w, ANSWER_YES);
        ck_assert_int_eq(ask_times(&w, NOBODY, true, 3), ALLOWED);
        ck_assert_uint_eq(w.asked, 3);
        ck_assert_uint_eq(w.done, 3);
}
END_TEST

START_TEST(a_person_is_asked_only_if_the_caller_says_so) {
        _cleanup_world_ World w = {};

        world_start(&w, ANSWER_YES);
        ck_assert_int_eq(ask(&w, NOBODY, true), ALLOWED);
        ck_assert_uint_eq(w.flags, 1);
}
END_TEST

START_TEST(anything_but_a_yes_is_a_no) {
        static const Answer answers[] = { ANSWER_NO, ANSWER_CHALLENGE, ANSWER_NONSENSE, ANSWER_ERROR,
                ANSWER_NOBODY };

        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                _cleanup_world_ World w = {};

                world_start(&w, answers[i]);
                ck_assert_msg(ask(&w, NOBODY, false) == REFUSED, "answer %d", (int) answers[i]);
                ck_assert_uint_eq(w.done, 0);
                ck_assert_uint_eq(w.called, 2);
        }
}
END_TEST

START_TEST(a_path_names_the_job) {
        _cleanup_free_ char *a = job_bus_path("a"), *b = job_bus_path("1-b.c");

        ck_assert_str_eq(a, "/org/hyper1/job/a");
        ck_assert_str_eq(b, "/org/hyper1/job/_31_2db_2ec");
}
END_TEST

/* Before main() begins: skipped where it cannot run. */
__attribute__((__constructor__)) static void skip_if_impossible(void) {
        if (geteuid() != 0 || access("/usr/bin/dbus-daemon", X_OK) < 0) {
                fprintf(stderr, "needs root and dbus-daemon (package dbus-daemon)\n");
                exit(77);
        }
}

TEST_MAIN("polkit", root_is_not_asked_about, a_yes_runs_the_method_once,
                a_yes_holds_for_a_moment_for_the_same_client, a_yes_of_a_person_is_for_once,
                a_person_is_asked_only_if_the_caller_says_so, anything_but_a_yes_is_a_no,
                a_path_names_the_job)
