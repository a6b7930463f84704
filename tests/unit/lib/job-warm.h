/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Warm migrations of a VM of a simulated vCenter, pass after pass. At the end, the image must have every byte
 * of the source, and the server neither a session nor a snapshot of the job. */

#include <signal.h>

#include "job/vsphere-snapshot.h"
#include "spec/job-remains.h"
#include "unit/lib/job-servers.h"
#include "unit/lib/vcsim.h"

#define SIZE (24 * MIB)
#define SMALL (5 * MIB + 1024)
#define BLOCK ((size_t) 65536)

/* --- a server with VMs ----------------------------------------------------------------------------- */

static inline char *write_inventory(const char *dir) {
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

static inline Vcsim start_server(const char *dir) {
        write_text(PATH(dir, "source.password"), VCSIM_PASSWORD);
        return vcsim_start(dir, "-inventory", write_inventory(dir), "-vm", "0", "-task-time", "10ms",
                        "-shutdown-time", "10ms", "-cbt-max-areas", "3", NULL);
}

static inline json_t *vm_of(json_t *state) {
        return json_array_get(json_object_get(state, "vms"), 0);
}

static inline void assert_nothing_left(const Vcsim *server) {
        _cleanup_json_ json_t *state = vcsim_state(server);
        json_t *disk;
        size_t i;

        ck_assert_int_eq(json_integer_value(json_object_get(state, "sessions")), 0);
        json_array_foreach(json_object_get(vm_of(state), "disks"), i, disk)
                ck_assert_uint_eq(json_object_size(json_object_get(disk, "snapshots")), 0);
}

static inline void assert_power(const Vcsim *server, const char *power) {
        _cleanup_json_ json_t *state = vcsim_state(server);

        ck_assert_str_eq(json_string_value(json_object_get(vm_of(state), "power")), power);
}

/* The guest writes @n bytes of one value. */
static inline void guest_writes(const Vcsim *server, unsigned disk, uint64_t offset, size_t n, int value) {
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

static inline char *job_directory(const WarmPlan *p) {
        return PATH(p->dir, "job");
}

static inline char *result_path(const WarmPlan *p) {
        return PATH(p->dir, "result.img");
}

static inline void write_warm_plan(const WarmPlan *p) {
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

static inline int run_verb(const WarmPlan *p, const char *verb) {
        _cleanup_free_ char *credentials = strprintf("CREDENTIALS_DIRECTORY=%s", p->dir);

        return RUN_STATUS("env", credentials, "./hyper-job", verb, job_directory(p));
}

/* As the manager does it. */
static inline void prepare_attempt(const WarmPlan *p) {
        write_warm_plan(p);
        ck_assert_int_eq(job_mark_release(job_directory(p)), 0);
        ck_assert_int_eq(run_verb(p, "prepare"), 0);
}

/* As the unit does; "finish-later" believes a result without systemd. */
static inline int attempt_warm(const WarmPlan *p) {
        prepare_attempt(p);
        int status = run_verb(p, "run");
        ck_assert_int_eq(run_verb(p, "finish-later"), 0);
        return status;
}

static inline JobResult *attempt_ends(const WarmPlan *p, JobOutcome outcome, const char *code) {
        int status = attempt_warm(p);
        JobResult *r = read_result(job_directory(p));

        ck_assert_msg(r->outcome == (int) outcome && streq_ptr(r->code, code), "status %d: %s: %s: %s",
                        status, strna(job_outcome_to_string((JobOutcome) r->outcome)), strna(r->code),
                        strna(r->message));
        assert_nothing_left(p->server);
        return r;
}

/* The next pass: what it says of itself. */
static inline JobWarmResult next_pass(WarmPlan *p) {
        p->pass++;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(p, OUTCOME_PASS, NULL);

        ck_assert_uint_eq(r->warm.pass, p->pass);
        ck_assert(!file_exists(result_path(p)));
        assert_power(p->server, "poweredOn");
        return r->warm;
}

/* What the guest sees is what is published. */
static inline void assert_same_as_source(const WarmPlan *p) {
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

static inline JobWarmResult cut_over(WarmPlan *p) {
        p->pass++;
        p->cutover = true;
        _cleanup_(job_result_freep) JobResult *r = attempt_ends(p, OUTCOME_COMPLETED, NULL);

        assert_power(p->server, "poweredOff");
        assert_same_as_source(p);
        return r->warm;
}

/* Areas that are scattered, that touch, that have become zero, and the end of a disk. */
static inline void guest_works(const Vcsim *server, int value) {
        for (unsigned i = 0; i < 10; i++)
                guest_writes(server, 0, i * MIB + 4096, 100, value);
        guest_writes(server, 0, 12 * MIB, MIB, value);
        guest_writes(server, 0, 13 * MIB, MIB, 0);
        guest_writes(server, 1, SMALL - 1200, 1200, value);
}

/* --- stopped and killed ---------------------------------------------------------------------------- */

static inline pid_t start_attempt(const WarmPlan *p, FILE **ret_lines) {
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

static inline void end_attempt(const WarmPlan *p, int signal_number, const char *line) {
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

static inline void slow_down(const Vcsim *server) {
        vcsim_fault(server, "{\"on\": \"folder\", \"kind\": \"slow\", \"rate\": 300000, \"skip\": 4}");
}

/* A cutover that is killed when the VM is off. */
static inline void kill_cutover(WarmPlan *p) {
        (void) next_pass(p);
        guest_works(p->server, 7);
        p->pass = 2;
        p->cutover = true;
        end_attempt(p, SIGKILL, "is off: its guest has shut down");
        assert_power(p->server, "poweredOff");
}

#define BEGIN(...)                                                   \
        _cleanup_test_dir_ char *dir = test_dir();                   \
        _cleanup_vcsim_ Vcsim server = start_server(dir);            \
        WarmPlan p = { .dir = dir, .server = &server, __VA_ARGS__ }; \
        (void) p
