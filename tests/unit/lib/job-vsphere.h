/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs whose sources are virtual machines of a simulated vCenter. */

#include "unit/lib/job-servers.h"
#include "unit/lib/vcsim.h"

#define SIZE (48 * MIB)
#define SMALL (5 * MIB)

/* --- a server with VMs ----------------------------------------------------------------------------- */

/* "on" and "off" have two disks each, "none" has what cannot be copied. */
static inline char *write_inventory(const char *dir) {
        char *path = PATH(dir, "inventory.json");
        _cleanup_free_ char *text = NULL;

        make_disk(PATH(dir, "a.raw"), SIZE, 3);
        make_disk(PATH(dir, "b.raw"), SMALL, 4);
        text = strprintf(
                        "{\"vms\": ["
                        "{\"name\": \"on\","
                        " \"directory\": \"a/b\", \"power\": \"on\", \"tools\": \"running\","
                        " \"firmware\": \"efi\", \"cpus\": 2, \"memory_mb\": 2048,"
                        " \"disks\": [{\"file\": \"%s/a.raw\"}, {\"file\": \"%s/b.raw\"}],"
                        " \"nics\": [{\"mac\": \"00:50:56:ad:5e:3d\"}]},"
                        "{\"name\": \"off\", \"power\": \"off\", \"tools\": \"not-installed\","
                        " \"disks\": [{\"file\": \"%s/a.raw\"}, {\"file\": \"%s/b.raw\"}]},"
                        "{\"name\": \"a%%2fb %%25 + \xc3\xa9 &\", \"directory\": \"%%25 %%2f\", \"power\": \"off\","
                        " \"dir\": \"a %% + \xc3\xa9 &;#?\","
                        " \"disks\": [{\"file\": \"%s/a.raw\"}, {\"file\": \"%s/b.raw\"}]},"
                        "{\"name\": \"one\", \"power\": \"off\", \"disks\": [{\"file\": \"%s/a.raw\"}]},"
                        "{\"name\": \"none\", \"power\": \"off\", \"disks\": [{\"size\": \"8M\","
                        " \"rdm\": \"physicalMode\"}]}]}",
                        dir, dir, dir, dir, dir, dir, dir);
        write_text(path, text);
        return path;
}

/* @flag: one more, or NULL. */
static inline Vcsim start_server_with(const char *dir, const char *flag) {
        write_text(PATH(dir, "source.password"), VCSIM_PASSWORD);
        return vcsim_start(dir, "-inventory", write_inventory(dir), "-vm", "0", "-single-lease",
                        "-task-time", "10ms", "-lease-init", "10ms", "-shutdown-time", "10ms", flag, NULL);
}

static inline Vcsim start_server(const char *dir) {
        return start_server_with(dir, NULL);
}

static inline void assert_nothing_left(const Vcsim *server) {
        _cleanup_json_ json_t *state = vcsim_state(server);
        json_t *vm, *disk;
        size_t i, k;

        ck_assert_int_eq(json_integer_value(json_object_get(state, "sessions")), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(state, "leases")), 0);
        json_array_foreach(json_object_get(state, "vms"), i, vm)
                json_array_foreach(json_object_get(vm, "disks"), k, disk)
                        ck_assert_uint_eq(json_object_size(json_object_get(disk, "snapshots")), 0);
}

/* --- jobs ------------------------------------------------------------------------------------------ */

typedef struct VmPlan {
        const char *dir;
        const Vcsim *server;
        const char *vm; /* NULL: "off" */
        const char *power; /* NULL: keep */
        const char *method; /* NULL: auto */
        unsigned attempt;
        bool power_off, no_ca, full;
        const char *uri; /* of an NBD server as the destination */
        const char *libdir, *plugin; /* of VDDK */
        unsigned parallel; /* 0: the default */
} VmPlan;

static inline char *job_directory(const VmPlan *p) {
        return PATH(p->dir, "job");
}

static inline void write_vm_plan(const VmPlan *p) {
        const char *directory = job_directory(p), *power = p->power ? p->power : "keep";
        _cleanup_free_ char *part = p->uri ? NULL : part_dir(PATH(p->dir, "result.qcow2"));

        if (mkdir(directory, 0700) < 0)
                ck_assert_int_eq(errno, EEXIST);
        json_t *source = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "type", "vsphere", "vcenter_url",
                        p->server->url, "username", VCSIM_USER, "password", "***", "vm_path",
                        p->vm ? p->vm : "off", "ca", p->no_ca ? NULL : p->server->ca);
        json_t *parameters = json_pack("{s:o, s:s}", "verify", p->full ? json_string("full") : json_true(),
                        "source_power", power);
        if (p->method)
                ck_assert_int_eq(
                                json_object_set_new(parameters, "conversion_method", json_string(p->method)),
                                0);
        if (streq(power, "shutdown"))
                ck_assert_int_eq(
                                json_object_set_new(parameters, "power_off", json_boolean(p->power_off)), 0);
        json_t *destination = p->uri ? json_pack("{s:s, s:s}", "type", "nbd", "uri", p->uri)
                                     : json_pack("{s:s, s:s, s:s}", "type", "file", "path",
                                                       PATH(p->dir, "result.qcow2"), "format", "qcow2");
        _cleanup_json_ json_t *plan = json_pack("{s:s, s:i, s:{s:s, s:s, s:o, s:o, s:o}, s:[], s:s?, s:s?, "
                                                "s:s?, s:i}",
                        "job_id", "test", "attempt", p->attempt ? (int) p->attempt : 1, "spec", "job_id",
                        "test", "operation", "convert", "source", source, "destination", destination,
                        "parameters", parameters, "source_files", "part_dir", part, "vddk_libdir", p->libdir,
                        "vddk_plugin", p->plugin, "disks_parallel", p->parallel ? (int) p->parallel : 2);
        ck_assert_ptr_nonnull(plan);
        ck_assert_int_eq(json_dump_file(plan, PATH(directory, "job.json"), 0), 0);
}

/* What the last "run" has logged, until the next one */
static char *job_log;

static inline int run_verb(const VmPlan *p, const char *verb) {
        _cleanup_free_ char *credentials = strprintf("CREDENTIALS_DIRECTORY=%s", p->dir);
        const char *const argv[] = { "env", credentials, "./hyper-job", verb, job_directory(p), NULL };
        _cleanup_child_output_ ChildOutput o = {};
        int status = run_argv(argv, &o);

        if (streq(verb, "run")) {
                free(job_log);
                job_log = TAKE_PTR(o.errors);
        }
        return status;
}

static inline void assert_logged(const char *text) {
        ck_assert_msg(strstr(strna(job_log), text), "\"%s\" is not in: %s", text, strna(job_log));
}

static inline int attempt_vm(const VmPlan *p) {
        write_vm_plan(p);
        ck_assert_int_eq(run_verb(p, "prepare"), 0);
        int status = run_verb(p, "run");
        ck_assert_int_eq(run_verb(p, "finish-later"), 0);
        return status;
}

static inline void assert_fails(const VmPlan *p, int outcome, const char *code, const char *text) {
        int status = attempt_vm(p);
        _cleanup_(job_result_freep) JobResult *result = read_result(job_directory(p));

        ck_assert_msg(result->outcome == outcome && streq_ptr(result->code, code) &&
                                        strstr(strna(result->message), text),
                        "status %d: %s: %s\n%s", status, strna(result->code), strna(result->message),
                        strna(job_log));
        ck_assert(!file_exists(PATH(p->dir, "result.qcow2")));
        assert_nothing_left(p->server);
}

/* The result of an attempt that went well. */
static inline JobResult *assert_copies(const VmPlan *p) {
        int status = attempt_vm(p);
        JobResult *result = read_result(job_directory(p));

        ck_assert_msg(status == 0, "status %d: %s: %s\n%s", status, strna(result->code),
                        strna(result->message), strna(job_log));
        assert_same_disk(PATH(p->dir, "a.raw"), "raw", PATH(p->dir, "result.qcow2"), "qcow2");
        assert_same_disk(PATH(p->dir, "b.raw"), "raw", PATH(p->dir, "result-disk2.qcow2"), "qcow2");
        assert_nothing_left(p->server);
        return result;
}

static inline json_int_t metric_of(const JobResult *r, const char *name) {
        return json_integer_value(json_object_get(r->metrics, name));
}

#define BEGIN(...)                                                 \
        _cleanup_test_dir_ char *dir = test_dir();                 \
        _cleanup_vcsim_ Vcsim server = start_server(dir);          \
        VmPlan p = { .dir = dir, .server = &server, __VA_ARGS__ }; \
        (void) p
