/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Warm migrations of a VM of a simulated vCenter, pass after pass. At the end, the image must have every byte
 * of the source, and the server neither a session nor a snapshot of the job. */

#include <signal.h>

#include "job/vsphere-check.h"
#include "job/vsphere-session.h"
#include "job/vsphere-snapshot.h"
#include "job/warm-state.h"
#include "spec/job-remains.h"
#include "unit/lib/job-servers.h"
#include "unit/lib/vcsim.h"

#define SIZE (24 * MIB)
#define SMALL (5 * MIB + 1024)
#define BLOCK ((size_t) 65536)

/* --- a server with VMs ----------------------------------------------------------------------------- */

static char *write_inventory(const char *dir) {
        char *path = PATH(dir, "inventory.json");
        _cleanup_free_ char *text = NULL;

        make_disk(PATH(dir, "a.raw"), SIZE, 3);
        make_disk(PATH(dir, "b.raw"), SMALL, 4);
        text = strprintf("{\"vms\": [{\"name\": \"web\", \"power\": \"on\", \"tools\": \"running\","
                         " \"disks\": [{\"file\": \"%s/a.raw\"}, {\"file\": \"%s/b.raw\"}]}]}",
                        dir, dir);
        write_text(path, text);
        return path;
}

static Vcsim start_server(const char *dir) {
        write_text(PATH(dir, "source.password"), VCSIM_PASSWORD);
        return vcsim_start(dir, "-inventory", write_inventory(dir), "-vm", "0", "-task-time", "10ms",
                        "-shutdown-time", "10ms", "-cbt-max-areas", "3", NULL);
}

static json_t *vm_of(json_t *state) {
        return json_array_get(json_object_get(state, "vms"), 0);
}

static void assert_nothing_left(const Vcsim *server) {
        _cleanup_json_ json_t *state = vcsim_state(server);
        json_t *disk;
        size_t i;

        ck_assert_int_eq(json_integer_value(json_object_get(state, "sessions")), 0);
        json_array_foreach(json_object_get(vm_of(state), "disks"), i, disk)
                ck_assert_uint_eq(json_object_size(json_object_get(disk, "snapshots")), 0);
}

static void assert_power(const Vcsim *server, const char *power) {
        _cleanup_json_ json_t *state = vcsim_state(server);

        ck_assert_str_eq(json_string_value(json_object_get(vm_of(state), "power")), power);
}

/* The guest writes @n bytes of one value. */
static void guest_writes(const Vcsim *server, unsigned disk, uint64_t offset, size_t n, int value) {
        _cleanup_free_ char *data = malloc(n);

        memset(data, value, n);
        vcsim_write(server, "web", disk, offset, data, n);
}

/* --- jobs ------------------------------------------------------------------------------------------ */

typedef struct WarmPlan {
        const char *dir;
        const Vcsim *server;
        unsigned pass, attempt;
        unsigned shutdown_timeout; /* 0: 1 s */
        bool cutover, power_off, stay_off;
        const char *verify, *format;
} WarmPlan;

static char *job_directory(const WarmPlan *p) {
        return PATH(p->dir, "job");
}

static char *result_path(const WarmPlan *p) {
        return PATH(p->dir, "result.img");
}

static void write_warm_plan(const WarmPlan *p) {
        const char *directory = job_directory(p);
        _cleanup_free_ char *part = part_dir(result_path(p));

        if (mkdir(directory, 0700) < 0)
                ck_assert_int_eq(errno, EEXIST);
        json_t *source = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "type", "vsphere", "vcenter_url",
                        p->server->url, "username", VCSIM_USER, "password", "***", "vm_path", "web", "ca",
                        p->server->ca);
        json_t *parameters = json_pack("{s:b, s:s, s:b, s:b, s:i}", "warm", 1, "verify",
                        p->verify ? p->verify : "precopy", "power_off", (int) p->power_off,
                        "power_on_after_failure", (int) !p->stay_off, "shutdown_timeout_seconds",
                        (int) MAX(p->shutdown_timeout, 1u));
        json_t *destination = json_pack("{s:s, s:s, s:s}", "type", "file", "path", result_path(p), "format",
                        p->format ? p->format : "qcow2");
        _cleanup_json_ json_t *plan = json_pack(
                        "{s:s, s:i, s:{s:i, s:b}, s:{s:s, s:s, s:o, s:o, s:o}, s:[], s:s}", "job_id", "test",
                        "attempt", (int) MAX(p->attempt, 1u), "warm", "pass", (int) p->pass, "cutover",
                        (int) p->cutover, "spec", "job_id", "test", "operation", "convert", "source", source,
                        "destination", destination, "parameters", parameters, "source_files", "part_dir",
                        part);
        ck_assert_ptr_nonnull(plan);
        ck_assert_int_eq(json_dump_file(plan, PATH(directory, "job.json"), 0), 0);
}

static int run_verb(const WarmPlan *p, const char *verb) {
        _cleanup_free_ char *credentials = strprintf("CREDENTIALS_DIRECTORY=%s", p->dir);

        return RUN_STATUS("env", credentials, "./hyper-job", verb, job_directory(p));
}

/* As the manager does it. */
static void prepare_attempt(const WarmPlan *p) {
        write_warm_plan(p);
        ck_assert_int_eq(job_mark_release(job_directory(p)), 0);
        ck_assert_int_eq(run_verb(p, "prepare"), 0);
}

/* As the unit does; "finish-later" believes a result without systemd. */
static int attempt_warm(const WarmPlan *p) {
        prepare_attempt(p);
        int status = run_verb(p, "run");
        ck_assert_int_eq(run_verb(p, "finish-later"), 0);
        return status;
}

static JobResult *attempt_ends(const WarmPlan *p, JobOutcome outcome, const char *code) {
        int status = attempt_warm(p);
        JobResult *r = read_result(job_directory(p));

        ck_assert_msg(r->outcome == (int) outcome && streq_ptr(r->code, code), "status %d: %s: %s: %s",
                        status, strna(job_outcome_to_string((JobOutcome) r->outcome)), strna(r->code),
                        strna(r->message));
        assert_nothing_left(p->server);
        return r;
}

/* The next pass: what it says of itself. */
static JobWarmResult next_pass(WarmPlan *p) {
        p->pass++;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(p, OUTCOME_PASS, NULL);

        ck_assert_uint_eq(r->warm.pass, p->pass);
        ck_assert(!file_exists(result_path(p)));
        assert_power(p->server, "poweredOn");
        return r->warm;
}

/* What the guest sees is what is published. */
static void assert_same_as_source(const WarmPlan *p) {
        const char *format = p->format ? p->format : "qcow2";

        for (unsigned i = 0; i < 2; i++) {
                _cleanup_free_ char *path = strprintf("/disk/read?vm=web&disk=%u", i),
                                    *raw = strprintf("%s/disk%u.raw", p->dir, i), *data = NULL;
                size_t size;

                data = vcsim_get(p->server, path, &size);
                _cleanup_close_ int fd = open(raw, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                ck_assert_int_eq(pwrite_full(fd, data, size, 0), 0);
                assert_same_disk(raw, "raw", i == 0 ? result_path(p) : PATH(p->dir, "result-disk2.img"),
                                format);
        }
}

static JobWarmResult cut_over(WarmPlan *p) {
        p->pass++;
        p->cutover = true;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(p, OUTCOME_COMPLETED, NULL);

        assert_power(p->server, "poweredOff");
        assert_same_as_source(p);
        return r->warm;
}

#define BEGIN(...)                                                   \
        _cleanup_test_dir_ char *dir = test_dir();                   \
        _cleanup_vcsim_ Vcsim server = start_server(dir);            \
        WarmPlan p = { .dir = dir, .server = &server, __VA_ARGS__ }; \
        (void) p

/* --- it works -------------------------------------------------------------------------------------- */

/* Areas that are scattered, that touch, that have become zero, and the end of a disk. */
static void guest_works(const Vcsim *server, int value) {
        for (unsigned i = 0; i < 10; i++)
                guest_writes(server, 0, i * MIB + 4096, 100, value);
        guest_writes(server, 0, 12 * MIB, MIB, value);
        guest_writes(server, 0, 13 * MIB, MIB, 0);
        guest_writes(server, 1, SMALL - 1200, 1200, value);
}

START_TEST(in_passes) {
        static const char *const formats[] = { "qcow2", "raw" };
        BEGIN(.format = formats[_i]);

        JobWarmResult first = next_pass(&p);
        ck_assert_uint_ge(first.bytes, SIZE + SMALL);
        ck_assert(!first.verified);
        guest_works(&server, 7);
        JobWarmResult second = next_pass(&p);
        /* 10 blocks, 2 MiB, and the last block and 1 KiB of the small disk */
        ck_assert_uint_eq(second.bytes_areas, 10 * BLOCK + 2 * MIB + BLOCK + 1024);
        ck_assert_uint_eq(second.bytes, second.bytes_areas);
        ck_assert_uint_eq(second.bytes_differences, 0);
        ck_assert(second.verified);
        JobWarmResult none = next_pass(&p);
        ck_assert_uint_eq(none.bytes, 0);
        guest_works(&server, 8);
        JobWarmResult last = cut_over(&p);
        ck_assert_uint_eq(last.bytes_areas, second.bytes_areas);
        ck_assert(last.downtime_seconds > 0);
        ck_assert_uint_eq(vcsim_calls(&server, "ShutdownGuest"), 1);
        /* It was enabled, and is disabled again. */
        ck_assert_uint_eq(vcsim_calls(&server, "ReconfigVM_Task"), 2);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        assert_power(&server, "poweredOff");
}
END_TEST

/* The VM is off already. It has tracking, which stays on. */
START_TEST(of_a_vm_that_is_off) {
        BEGIN();

        (void) next_pass(&p);
        guest_works(&server, 7);
        vcsim_control(&server, "/vm?name=web&power=off");
        (void) cut_over(&p);
        ck_assert_uint_eq(vcsim_calls(&server, "ShutdownGuest"), 0);
}
END_TEST

/* All in one attempt. */
START_TEST(at_once) {
        BEGIN(.verify = "cutover");

        JobWarmResult r = cut_over(&p);
        ck_assert(r.verified);
        ck_assert_uint_eq(r.bytes_differences, 0);
}
END_TEST

START_TEST(powered_off_if_asked) {
        BEGIN();

        (void) next_pass(&p);
        vcsim_control(&server, "/vm?name=web&tools=not-installed");
        p.cutover = true;
        p.pass = 2;
        job_result_free(attempt_ends(&p, OUTCOME_FAILED, "vsphere_shutdown"));
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        assert_power(&server, "poweredOn");
        p.power_off = true;
        (void) cut_over(&p);
}
END_TEST

/* --- areas that are wrong -------------------------------------------------------------------------- */

static void lose_areas(const Vcsim *server, bool on) {
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_free_ char *path =
                                strprintf("/disk/lose-areas?vm=web&disk=%u&on=%s", i, on ? "yes" : "no");
                vcsim_control(server, path);
        }
}

static bool has_warning(const JobResult *r, size_t disk) {
        return json_array_size(json_object_get(json_array_get(r->outputs, disk), "warnings")) > 0;
}

/* The comparison finds what the server has not reported, and is repeated until it finds nothing. */
START_TEST(lost_areas_are_found) {
        BEGIN();

        (void) next_pass(&p);
        guest_works(&server, 7);
        lose_areas(&server, true);
        JobWarmResult second = next_pass(&p);
        ck_assert_uint_gt(second.bytes_differences, 0);
        ck_assert(!second.verified);
        guest_works(&server, 8);
        p.pass++;
        p.cutover = true;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(&p, OUTCOME_COMPLETED, NULL);
        ck_assert_uint_gt(r->warm.bytes_differences, 0);
        ck_assert(r->warm.verified);
        ck_assert(has_warning(r, 0) && has_warning(r, 1));
        assert_same_as_source(&p);
}
END_TEST

/* The VM is off, so that no pass follows: the result is compared again. */
START_TEST(lost_areas_are_found_by_the_last_pass) {
        BEGIN();

        (void) next_pass(&p);
        lose_areas(&server, true);
        guest_works(&server, 7);
        vcsim_control(&server, "/vm?name=web&power=off");
        JobWarmResult last = cut_over(&p);
        ck_assert_uint_gt(last.bytes_differences, 0);
        ck_assert(last.verified);
}
END_TEST

/* What is lost after the comparison is found by another one with the VM off, if that is asked for. */
START_TEST(lost_areas_are_found_by_the_cutover) {
        BEGIN(.verify = _i == 0 ? "cutover" : "precopy");

        (void) next_pass(&p);
        JobWarmResult second = next_pass(&p);
        ck_assert(second.verified);
        lose_areas(&server, true);
        guest_writes(&server, 1, 0, BLOCK, 9);
        p.pass++;
        p.cutover = true;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(&p, OUTCOME_COMPLETED, NULL);
        ck_assert_uint_eq(r->warm.bytes_differences, _i == 0 ? BLOCK : 0);
        ck_assert_int_eq(has_warning(r, 1), _i == 0);
        if (_i == 0)
                assert_same_as_source(&p);
}
END_TEST

/* Without a comparison they are not: what is lost shows that the test can fail. */
START_TEST(lost_areas_without_verification) {
        BEGIN(.verify = "none");

        (void) next_pass(&p);
        lose_areas(&server, true);
        guest_writes(&server, 1, 0, BLOCK, 9);
        JobWarmResult second = next_pass(&p);
        ck_assert_uint_eq(second.bytes + second.bytes_differences, 0);
        ck_assert(!second.verified);
        lose_areas(&server, false);
        guest_writes(&server, 1, 0, BLOCK, 9);
        (void) cut_over(&p);
}
END_TEST

/* A host that has crashed has forgotten what was written: all is compared. */
START_TEST(tracking_is_reset) {
        BEGIN(.verify = "none");

        (void) next_pass(&p);
        guest_works(&server, 7);
        vcsim_control(&server, "/disk/reset-tracking?vm=web&disk=0");
        JobWarmResult second = next_pass(&p);
        ck_assert_uint_gt(second.bytes, 0);
        ck_assert_uint_lt(second.bytes, SIZE / 4);
        guest_works(&server, 8);
        (void) cut_over(&p);
}
END_TEST

/* --- it does not ----------------------------------------------------------------------------------- */

START_TEST(grown) {
        BEGIN();
        char *path = PATH(dir, "a.raw");

        (void) next_pass(&p);
        ck_assert_int_eq(truncate(path, SIZE + MIB), 0);
        _cleanup_free_ char *load = strprintf("/disk/load?vm=web&disk=0&file=%s", path);
        vcsim_control(&server, load);
        p.pass++;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(&p, OUTCOME_FAILED, "vsphere_changed");
        ck_assert_ptr_nonnull(strstr(r->message, "resized"));
        /* It begins again. */
        (void) next_pass(&p);
        (void) cut_over(&p);
}
END_TEST

/* --- the server fails ------------------------------------------------------------------------------ */

/* The session ends in the middle of a pass, and right after it was renewed. */
START_TEST(session_ends_in_a_pass) {
        BEGIN(.pass = 1);

        vcsim_fault(&server,
                        "{\"on\": \"folder\", \"kind\": \"session\", \"at\": 30000, \"skip\": 2,"
                        " \"count\": 1}");
        job_result_free(attempt_ends(&p, OUTCOME_TRANSIENT, "connection_failed"));
        guest_works(&server, 6);
        p.attempt = 2;
        p.pass = 0;
        (void) next_pass(&p);
        guest_works(&server, 7);
        guest_writes(&server, 0, 16 * MIB, 8 * MIB, 3);
        vcsim_fault(&server,
                        "{\"on\": \"folder\", \"kind\": \"session\", \"at\": 30000, \"skip\": 2,"
                        " \"count\": 1}");
        p.pass = 2;
        job_result_free(attempt_ends(&p, OUTCOME_TRANSIENT, "connection_failed"));
        vcsim_no_faults(&server);
        p.pass = 1;
        (void) next_pass(&p);
        (void) cut_over(&p);
}
END_TEST

/* The task of a snapshot fails: of the first pass, of a further one, and of the last one. */
START_TEST(snapshot_fails) {
        BEGIN();
        _cleanup_free_ char *fault = strprintf(
                        "{\"on\": \"sdk\", \"method\": \"CreateSnapshot_Task\", \"kind\": \"task\","
                        " \"fault\": \"TaskInProgress\", \"message\": \"it is being cloned\", \"skip\": %d,"
                        " \"count\": 1}",
                        _i == 2 ? 1 : 0);

        if (_i > 0)
                (void) next_pass(&p);
        guest_works(&server, 7);
        vcsim_fault(&server, fault);
        p.pass++;
        p.cutover = _i == 2;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(&p, OUTCOME_TRANSIENT, "vsphere_busy");
        ck_assert_ptr_nonnull(strstr(r->message, "it is being cloned"));
        ck_assert(!file_exists(PATH(job_directory(&p), VSPHERE_SNAPSHOT_MARK)));
        assert_power(&server, _i == 2 ? "poweredOff" : "poweredOn");
        vcsim_no_faults(&server);
        p.attempt = 2;
        p.pass--;
        if (_i < 2)
                (void) next_pass(&p);
        (void) cut_over(&p);
}
END_TEST

/* --- stopped and killed ---------------------------------------------------------------------------- */

static pid_t start_attempt(const WarmPlan *p, FILE **ret_lines) {
        _cleanup_free_ char *credentials = strprintf("CREDENTIALS_DIRECTORY=%s", p->dir);
        const char *const argv[] = { "env", credentials, "./hyper-job", "run", job_directory(p), NULL };
        int err[2];
        pid_t pid;

        prepare_attempt(p);
        ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
        ck_assert_int_eq(child_spawn(argv, &no_limits, -1, -1, err[1], &pid), 0);
        close(err[1]);
        *ret_lines = fdopen(err[0], "r");
        return pid;
}

static void end_attempt(const WarmPlan *p, int signal_number, const char *line) {
        FILE *lines;
        int status;
        pid_t pid = start_attempt(p, &lines);

        wait_for_line(lines, line);
        ck_assert_int_eq(kill(pid, signal_number), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        fclose(lines);
        if (signal_number == SIGKILL)
                remove_runtime(pid);
        vcsim_no_faults(p->server);
        ck_assert_int_eq(run_verb(p, "finish"), 0);
        vcsim_control(p->server, "/sessions/end?leases=yes");
        assert_nothing_left(p->server);
}

static void slow_down(const Vcsim *server) {
        vcsim_fault(server, "{\"on\": \"folder\", \"kind\": \"slow\", \"rate\": 300000, \"skip\": 4}");
}

/* What was written between both snapshots of the first pass is copied by the next one. */
START_TEST(interrupted_in_the_first_pass) {
        static const int signals[] = { SIGTERM, SIGKILL };
        BEGIN(.pass = 1);

        slow_down(&server);
        end_attempt(&p, signals[_i], "Converting 2 disks");
        guest_works(&server, 6);
        p.pass = 0;
        p.attempt = 2;
        (void) next_pass(&p);
        guest_works(&server, 7);
        (void) next_pass(&p);
        (void) cut_over(&p);
}
END_TEST

/* It goes on where it was, with another snapshot. */
START_TEST(resumed_in_the_first_pass) {
        BEGIN(.pass = 1);

        vcsim_fault(&server, "{\"on\": \"folder\", \"kind\": \"http\", \"status\": 404, \"skip\": 14}");
        job_result_free(attempt_ends(&p, OUTCOME_FAILED, "unsupported"));
        vcsim_no_faults(&server);
        guest_works(&server, 6);
        p.attempt = 2;
        _cleanup_(job_result_freep) JobResult *again = attempt_ends(&p, OUTCOME_PASS, NULL);
        ck_assert_int_gt(json_integer_value(json_object_get(again->metrics, "bytes_resumed")), 0);
        ck_assert_uint_lt(again->warm.bytes, SIZE + SMALL);
        JobWarmResult second = next_pass(&p);
        ck_assert_uint_ge(second.bytes_areas, 10 * BLOCK + 2 * MIB);
        ck_assert_uint_eq(second.bytes_differences, 0);
        (void) cut_over(&p);
}
END_TEST

START_TEST(killed_in_the_second_pass) {
        BEGIN();

        (void) next_pass(&p);
        guest_works(&server, 7);
        guest_writes(&server, 0, 16 * MIB, 8 * MIB, 3);
        slow_down(&server);
        p.pass = 2;
        end_attempt(&p, SIGKILL, "Copying changed areas");
        guest_works(&server, 8);
        p.pass = 1;
        p.attempt = 2;
        (void) next_pass(&p);
        (void) cut_over(&p);
}
END_TEST

static void kill_cutover(WarmPlan *p) {
        (void) next_pass(p);
        guest_works(p->server, 7);
        p->pass = 2;
        p->cutover = true;
        end_attempt(p, SIGKILL, "is off: its guest has shut down");
        assert_power(p->server, "poweredOff");
}

/* The next attempt continues with the VM off. */
START_TEST(killed_in_the_cutover) {
        BEGIN();

        kill_cutover(&p);
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
        ck_assert_uint_eq(vcsim_calls(&server, "ShutdownGuest"), 1);
}
END_TEST

/* Or there is none: the source is what it was. */
START_TEST(put_back) {
        BEGIN(.stay_off = _i == 1);

        kill_cutover(&p);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        assert_power(&server, _i == 1 ? "poweredOff" : "poweredOn");
        assert_nothing_left(&server);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        ck_assert_uint_eq(vcsim_calls(&server, "PowerOnVM_Task"), _i == 1 ? 0 : 1);
        ck_assert(!file_exists(result_path(&p)));
        if (_i == 1)
                return;
        guest_works(&server, 9);
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
}
END_TEST

/* Somebody starts the VM while its last changes are copied. */
START_TEST(started_in_the_cutover) {
        BEGIN();
        FILE *lines;
        int status;

        (void) next_pass(&p);
        guest_works(&server, 7);
        p.pass = 2;
        p.cutover = true;
        slow_down(&server);
        pid_t pid = start_attempt(&p, &lines);
        wait_for_line(lines, "is off: its guest has shut down");
        vcsim_control(&server, "/vm?name=web&power=on");
        vcsim_no_faults(&server);
        status = wait_job(pid, lines);
        ck_assert_int_eq(status, JOB_EXIT_FAILED);
        ck_assert_int_eq(run_verb(&p, "finish"), 0);
        _cleanup_(job_result_freep) JobResult *r = read_result(job_directory(&p));
        ck_assert_str_eq(r->code, "vsphere_started");
        assert_nothing_left(&server);
        ck_assert(!file_exists(result_path(&p)));
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
}
END_TEST

/* The snapshot stays: the pass fails, and names it. */
START_TEST(snapshot_that_cannot_be_removed) {
        BEGIN(.pass = 1);

        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"RemoveSnapshot_Task\", \"kind\": \"soap\","
                        " \"fault\": \"NoPermission\"}");
        ck_assert_int_eq(attempt_warm(&p), JOB_EXIT_FAILED);
        _cleanup_(job_result_freep) JobResult *r = read_result(job_directory(&p));
        ck_assert_str_eq(r->code, "vsphere_permission");
        ck_assert_ptr_nonnull(strstr(r->message, "\"hyper test\""));
        vcsim_no_faults(&server);
        p.attempt = 2;
        job_result_free(attempt_ends(&p, OUTCOME_PASS, NULL));
        (void) cut_over(&p);
}
END_TEST

/* The guest was fixed in the copy when the cutover was interrupted. Nothing can be copied any more; if there
 * is nothing to copy, the copy is used. */
START_TEST(interrupted_after_the_guest_was_fixed) {
        BEGIN();

        (void) next_pass(&p);
        vcsim_control(&server, "/vm?name=web&power=off");
        p.cutover = true;
        p.pass = 2;
        write_warm_plan(&p);
        ck_assert_int_eq(run_verb(&p, "prepare"), 0);
        ck_assert_int_eq(run_verb(&p, "run"), 0);
        _cleanup_free_ char *part = part_dir(result_path(&p));
        _cleanup_free_ char *mark = strprintf("{\"job_id\": \"test\", \"guest\": {}, \"sizes\": [%" PRIu64
                                              ", %" PRIu64 "]}",
                        SIZE, SMALL);
        write_text(PATH(part, "committing"), mark);
        if (_i == 1) {
                vcsim_control(&server, "/vm?name=web&power=on");
                guest_works(&server, 5);
                p.attempt = 2;
                _cleanup_(job_result_freep) JobResult *r =
                                attempt_ends(&p, OUTCOME_FAILED, "vsphere_changed");
                ck_assert_ptr_nonnull(strstr(r->message, "after its guest was fixed"));
        }
        p.pass = 1;
        (void) cut_over(&p);
}
END_TEST

/* What is left of another job is of no use. */
START_TEST(another_format) {
        BEGIN();

        (void) next_pass(&p);
        guest_works(&server, 5);
        p.format = "raw";
        p.pass = 0;
        JobWarmResult first = next_pass(&p);
        ck_assert_uint_ge(first.bytes, SIZE + SMALL);
        (void) cut_over(&p);
}
END_TEST

/* A result that could still be published is gone before the source is started. */
START_TEST(not_published_after_it_was_put_back) {
        BEGIN();

        (void) next_pass(&p);
        p.pass++;
        p.cutover = true;
        write_warm_plan(&p);
        ck_assert_int_eq(run_verb(&p, "prepare"), 0);
        ck_assert_int_eq(run_verb(&p, "run"), 0);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        assert_power(&server, "poweredOn");
        ck_assert_int_eq(run_verb(&p, "finish-later"), 0);
        ck_assert(!file_exists(result_path(&p)));
}
END_TEST

/* --- the source is never on while its copy is published ---------------------------------------------- */

/* A cutover that is complete, but not published. */
static void complete_cutover(WarmPlan *p) {
        (void) next_pass(p);
        guest_works(p->server, 7);
        p->pass = 2;
        p->cutover = true;
        prepare_attempt(p);
        ck_assert_int_eq(run_verb(p, "run"), 0);
}

static void assert_nothing_published(const WarmPlan *p, const char *code) {
        _cleanup_(job_result_freep) JobResult *r = read_result(job_directory(p));

        ck_assert_str_eq(r->code, code);
        ck_assert(!file_exists(result_path(p)));
        ck_assert(!file_exists(PATH(p->dir, "result-disk2.img")));
        ck_assert_int_eq(job_mark_is_set(job_directory(p), JOB_MARK_PUBLISHED), 0);
        assert_nothing_left(p->server);
}

/* It was started in the time between the end of the copy and "finish", as after a power cut. */
START_TEST(started_before_it_was_published) {
        BEGIN();

        complete_cutover(&p);
        vcsim_control(&server, "/vm?name=web&power=on");
        guest_works(&server, 9);
        ck_assert_int_ne(run_verb(&p, "finish-later"), 0);
        assert_nothing_published(&p, "vsphere_started");
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
}
END_TEST

/* It is started while the images get their names: the first check has passed, the second one has not. */
START_TEST(started_while_it_was_published) {
        BEGIN();

        complete_cutover(&p);
        /* Once the VM is found, both checks read nothing but its power. */
        _cleanup_free_ char *fault = strprintf(
                        "{\"on\": \"sdk\", \"method\": \"RetrievePropertiesEx\", \"kind\": \"start\","
                        " \"vm\": \"web\", \"reads\": \"runtime.powerState\", \"skip\": %d, \"count\": 1}",
                        _i);
        vcsim_fault(&server, fault);
        ck_assert_int_ne(run_verb(&p, "finish-later"), 0);
        assert_power(&server, "poweredOn");
        assert_nothing_published(&p, "vsphere_started");
        vcsim_no_faults(&server);
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
}
END_TEST

/* Nothing is published before the server was asked. */
START_TEST(published_without_a_server) {
        BEGIN();

        complete_cutover(&p);
        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"Login\", \"kind\": \"soap\","
                        " \"fault\": \"NoPermission\"}");
        ck_assert_int_ne(run_verb(&p, "finish-later"), 0);
        vcsim_no_faults(&server);
        vcsim_control(&server, "/sessions/end");
        assert_nothing_published(&p, "vsphere_permission");
        p.pass = 1;
        p.attempt = 2;
        (void) cut_over(&p);
}
END_TEST

/* "finish" is killed when the images have their names: the next one asks again. */
START_TEST(killed_while_it_was_published) {
        BEGIN();
        int status;

        complete_cutover(&p);
        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"RetrievePropertiesEx\", \"kind\": \"delay\","
                        " \"reads\": \"runtime.powerState\", \"delay_ms\": 60000, \"skip\": 1}");
        _cleanup_free_ char *credentials = strprintf("CREDENTIALS_DIRECTORY=%s", dir);
        const char *const argv[] = { "env", credentials, "./hyper-job", "finish-later", job_directory(&p),
                NULL };
        pid_t pid;
        ck_assert_int_eq(child_spawn(argv, &no_limits, -1, -1, -1, &pid), 0);
        while (!file_exists(result_path(&p)) || !file_exists(PATH(dir, "result-disk2.img")))
                usleep(20000);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        vcsim_no_faults(&server);
        /* Its session is ended by the next one. */
        ck_assert_uint_eq(vcsim_sessions(&server), 1);
        if (_i == 0) {
                ck_assert_int_eq(run_verb(&p, "finish-later"), 0);
                assert_same_as_source(&p);
                assert_power(&server, "poweredOff");
                assert_nothing_left(&server);
                return;
        }
        /* It is cancelled, or has failed: the names are taken back before the source is started. */
        if (_i == 1) {
                ck_assert_int_eq(run_verb(&p, "put-back"), 0);
                assert_power(&server, "poweredOn");
        } else
                vcsim_control(&server, "/vm?name=web&power=on");
        ck_assert_int_eq(run_verb(&p, "finish-later") == 0, _i == 1);
        assert_nothing_left(&server);
        ck_assert(!file_exists(result_path(&p)));
        ck_assert(!file_exists(PATH(dir, "result-disk2.img")));
}
END_TEST

/* --- what cannot be undone ------------------------------------------------------------------------- */

static JobRemains *remains_of(const WarmPlan *p) {
        JobRemains *r = NULL;

        ck_assert_int_eq(job_remains_read(job_directory(p), &r), 0);
        return r;
}

/* One task fails: the others are done, and the next try does the rest. */
START_TEST(put_back_in_part) {
        static const char *const methods[] = { "RemoveSnapshot_Task", "ReconfigVM_Task", "PowerOnVM_Task" };
        BEGIN();
        _cleanup_free_ char *fault = strprintf("{\"on\": \"sdk\", \"method\": \"%s\", \"kind\": \"task\","
                                               " \"fault\": \"NoPermission\", \"message\": \"not now\"}",
                        methods[_i]);

        kill_cutover(&p);
        if (_i == 0) { /* as if its last snapshot was left */
                p.pass = 2;
                p.attempt = 2;
                vcsim_fault(&server, fault);
                (void) attempt_warm(&p);
        } else
                vcsim_fault(&server, fault);
        ck_assert_int_ne(run_verb(&p, "put-back"), 0);
        _cleanup_job_remains_ JobRemains *r = remains_of(&p);
        ck_assert_int_eq(r->snapshot, _i == 0);
        ck_assert_int_eq(r->change_tracking, _i == 1);
        ck_assert_int_eq(r->powered_off, _i == 2);
        ck_assert_uint_eq(r->tries, 1);
        ck_assert_msg(strstr(r->message, "not now") != NULL, "%s", r->message);
        assert_power(&server, _i == 2 ? "poweredOff" : "poweredOn");
        ck_assert_int_ne(run_verb(&p, "put-back"), 0);
        _cleanup_job_remains_ JobRemains *again = remains_of(&p);
        ck_assert_uint_eq(again->tries, 2);
        vcsim_no_faults(&server);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        ck_assert_int_eq(job_remains_read(job_directory(&p), &r), -ENOENT);
        assert_power(&server, "poweredOn");
        assert_nothing_left(&server);
}
END_TEST

START_TEST(put_back_without_a_server) {
        BEGIN();

        kill_cutover(&p);
        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"Login\", \"kind\": \"soap\", \"fault\":"
                        " \"InvalidLogin\"}");
        ck_assert_int_ne(run_verb(&p, "put-back"), 0);
        /* Accounts are locked after some. */
        unsigned logins = vcsim_calls(&server, "Login");
        _cleanup_job_remains_ JobRemains *r = remains_of(&p);
        ck_assert(r->powered_off && r->change_tracking);
        ck_assert_ptr_nonnull(strstr(r->message, "power it on"));
        ck_assert_uint_le(logins, 4);
        vcsim_no_faults(&server);
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        assert_power(&server, "poweredOn");
}
END_TEST

/* A VM that is gone has nothing left. */
START_TEST(put_back_of_a_vm_that_is_gone) {
        BEGIN();

        kill_cutover(&p);
        vcsim_control(&server, "/vm?name=web&rename=other");
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        ck_assert(!file_exists(PATH(job_directory(&p), JOB_REMAINS_FILE)));
}
END_TEST

/* The guest is asked to shut down, and the job ends before it is down. */
START_TEST(cancelled_while_the_guest_shuts_down) {
        BEGIN(.shutdown_timeout = 60);
        FILE *lines;
        int status;

        (void) next_pass(&p);
        vcsim_control(&server, "/vm?name=web&shutdown=hang");
        p.pass = 2;
        p.cutover = true;
        pid_t pid = start_attempt(&p, &lines);
        wait_for_line(lines, "Shutting down the guest");
        while (vcsim_calls(&server, "ShutdownGuest") == 0)
                usleep(20000);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        fclose(lines);
        remove_runtime(pid);
        vcsim_control(&server, "/sessions/end");
        ck_assert_int_eq(run_verb(&p, "finish"), 0);
        assert_power(&server, "poweredOn");

        _cleanup_free_ char *credentials = strprintf("CREDENTIALS_DIRECTORY=%s", dir);
        const char *const argv[] = { "env", credentials, "./hyper-job", "put-back", job_directory(&p),
                NULL };
        int err[2];
        ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
        ck_assert_int_eq(child_spawn(argv, &no_limits, -1, -1, err[1], &pid), 0);
        close(err[1]);
        lines = fdopen(err[0], "r");
        wait_for_line(lines, "until the guest of web has shut down");
        vcsim_control(&server, "/vm?name=web&power=off");
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        fclose(lines);
        ck_assert_int_eq(status, 0);
        assert_power(&server, "poweredOn");
        ck_assert_uint_eq(vcsim_calls(&server, "PowerOnVM_Task"), 1);
}
END_TEST

/* The job is killed while the server creates the snapshot, which appears later. */
START_TEST(killed_while_the_snapshot_is_created) {
        BEGIN(.pass = 1);
        FILE *lines;
        int status;

        vcsim_fault(&server,
                        "{\"on\": \"sdk\", \"method\": \"CreateSnapshot_Task\", \"kind\": \"late\","
                        " \"delay_ms\": 2000, \"count\": 1}");
        pid_t pid = start_attempt(&p, &lines);
        wait_for_line(lines, "Creating the snapshot");
        while (vcsim_calls(&server, "CreateSnapshot_Task") == 0)
                usleep(20000);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        fclose(lines);
        remove_runtime(pid);
        ck_assert_int_eq(run_verb(&p, "finish"), 0);
        vcsim_control(&server, "/sessions/end");
        ck_assert_uint_eq(vcsim_calls(&server, "RemoveSnapshot_Task"), 1);
        assert_nothing_left(&server);
}
END_TEST

/* --- without a server ------------------------------------------------------------------------------ */

START_TEST(checks) {
        static const struct {
                const char *version;
                bool supported;
                VmPower power;
                unsigned snapshots;
                bool rdm;
                const char *text; /* NULL: it is not refused */
        } cases[] = {
                { "vmx-07", true, VM_POWERED_ON, 28, false, NULL },
                { "vmx-19", true, VM_POWERED_OFF, 0, false, NULL },
                { "vmx-04", true, VM_POWERED_ON, 0, false, "hardware version is vmx-04" },
                { "new", true, VM_POWERED_ON, 0, false, "hardware version" },
                { NULL, true, VM_POWERED_ON, 0, false, "hardware version" },
                { "vmx-19", false, VM_POWERED_ON, 0, false, "does not support changed block tracking" },
                { "vmx-19", true, VM_SUSPENDED, 0, false, "suspended" },
                { "vmx-19", true, VM_POWERED_ON, 29, false, "29 snapshots" },
                { "vmx-19", true, VM_POWERED_ON, 0, true, "raw device mapping" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                VmDisk disk = { .rdm = cases[i].rdm };
                const VmDetail d = {
                        .hardware_version = (char *) cases[i].version,
                        .change_tracking_supported = cases[i].supported,
                        .summary.power = cases[i].power,
                        .n_snapshots = cases[i].snapshots,
                        .disks = &disk,
                        .n_disks = 1,
                };
                _cleanup_free_ char *why = NULL;
                int r = vsphere_check_warm(&d, &why);

                ck_assert_int_eq(r, cases[i].text ? -EOPNOTSUPP : 0);
                ck_assert(!cases[i].text || strstr(why, cases[i].text));
        }
}
END_TEST

START_TEST(state) {
        WarmDisk disks[] = {
                { .key = 2000,
                                .uuid = (char *) "6000C29",
                                .capacity = SIZE,
                                .change_id = (char *) "52 a/1",
                                .target = (char *) "52 a/2" },
                { .key = 2001, .capacity = SMALL, .change_id = (char *) "52 b/7" },
        };
        const WarmState s = {
                .vm = (char *) "vm", .verified = true, .down_at = 5, .disks = disks, .n_disks = 2
        };
        _cleanup_free_ char *text = warm_state_encode(&s), *again = NULL;
        _cleanup_warm_state_ WarmState *r = NULL, *wrong = NULL;

        ck_assert_int_eq(warm_state_decode(text, strlen(text), &r), 0);
        ck_assert(warm_state_is_complete(r));
        again = warm_state_encode(r);
        ck_assert_str_eq(text, again);
        ck_assert_int_eq(warm_state_decode(text, strlen(text) - 2, &wrong), -EBADMSG);
        /* The first pass is complete for all disks or for none. */
        disks[1].change_id = NULL;
        _cleanup_free_ char *half = warm_state_encode(&s);
        ck_assert_int_eq(warm_state_decode(half, strlen(half), &wrong), -EBADMSG);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("job-warm");

        if (!program_exists("nbdkit")) {
                fprintf(stderr, "nbdkit is not installed\n");
                return 77;
        }
        tcase_set_timeout(tcase, 300);
        tcase_add_test(tcase, checks);
        tcase_add_test(tcase, state);
        tcase_add_loop_test(tcase, in_passes, 0, 2);
        tcase_add_test(tcase, of_a_vm_that_is_off);
        tcase_add_test(tcase, at_once);
        tcase_add_test(tcase, powered_off_if_asked);
        tcase_add_test(tcase, lost_areas_are_found);
        tcase_add_test(tcase, lost_areas_without_verification);
        tcase_add_test(tcase, lost_areas_are_found_by_the_last_pass);
        tcase_add_loop_test(tcase, lost_areas_are_found_by_the_cutover, 0, 2);
        tcase_add_test(tcase, tracking_is_reset);
        tcase_add_test(tcase, session_ends_in_a_pass);
        tcase_add_loop_test(tcase, snapshot_fails, 0, 3);
        tcase_add_test(tcase, grown);
        tcase_add_loop_test(tcase, interrupted_in_the_first_pass, 0, 2);
        tcase_add_test(tcase, resumed_in_the_first_pass);
        tcase_add_test(tcase, killed_in_the_second_pass);
        tcase_add_test(tcase, started_in_the_cutover);
        tcase_add_test(tcase, snapshot_that_cannot_be_removed);
        tcase_add_test(tcase, killed_in_the_cutover);
        tcase_add_loop_test(tcase, put_back, 0, 2);
        tcase_add_test(tcase, not_published_after_it_was_put_back);
        tcase_add_test(tcase, started_before_it_was_published);
        tcase_add_loop_test(tcase, started_while_it_was_published, 0, 2);
        tcase_add_test(tcase, published_without_a_server);
        tcase_add_loop_test(tcase, killed_while_it_was_published, 0, 3);
        tcase_add_loop_test(tcase, put_back_in_part, 0, 3);
        tcase_add_test(tcase, put_back_without_a_server);
        tcase_add_test(tcase, put_back_of_a_vm_that_is_gone);
        tcase_add_test(tcase, cancelled_while_the_guest_shuts_down);
        tcase_add_test(tcase, killed_while_the_snapshot_is_created);
        tcase_add_loop_test(tcase, interrupted_after_the_guest_was_fixed, 0, 2);
        tcase_add_test(tcase, another_format);
        return test_run("job-warm", tcase);
}
