/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Warm migrations of a VM of a simulated vCenter, pass after pass. At the end, the image must have every byte
 * of the source, and the server neither a session nor a snapshot of the job. */

#include <signal.h>

#include "job/vsphere-check.h"
#include "job/warm-state.h"
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
                        "power_on_after_failure", (int) !p->stay_off, "shutdown_timeout_seconds", 1);
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

/* As the unit does; "finish-later" believes a result without systemd. */
static int attempt_warm(const WarmPlan *p) {
        write_warm_plan(p);
        ck_assert_int_eq(run_verb(p, "prepare"), 0);
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
        ck_assert_int_eq(run_verb(&p, "put-back"), 0);
        assert_power(&server, "poweredOff");
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("job-warm");

        if (!program_exists("nbdkit")) {
                fprintf(stderr, "nbdkit is not installed\n");
                return 77;
        }
        tcase_set_timeout(tcase, 120);
        tcase_add_loop_test(tcase, in_passes, 0, 2);
        return test_run("job-warm", tcase);
}
