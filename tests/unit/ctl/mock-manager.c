/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A mock of hyper-managerd: org.hyper1 on the bus that $DBUS_SYSTEM_BUS_ADDRESS names, with as much behind
 * it as the tests of hyperctl need. No database, no units. How a job goes is in its id:
 *
 *   …fails…     FAILED at 40 %, with a reason full of control characters
 *   …cancels…   CANCELLED by itself
 *   …stays…     RUNNING until it is cancelled
 *   …refuses…   SubmitJob: InvalidSpec        …denies…   SubmitJob: AccessDenied
 *   …exists…    SubmitJob: created is false
 *   …interrupts… SubmitJob: SIGTERM to the caller, before the job is there; it then stays
 *   …boots…     its result has a proof of boot, with a screenshot unless the id has "blind"
 *   …drops…     the mock exits with status 1 in mid-job; when it is started again with --resumed such jobs
 * complete others      COMPLETED after a few steps of progress
 *
 *   …secret…    RetryJob: InvalidArgument without the secret source.tls_psk
 * The last spec and the last filter it was given are written to the files "spec" and "filter" in the current
 * directory, the last secret to "secret". */

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "basic/string-util.h"
#include "basic/time-util.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"

#define STEPS 5
#define STEP_USEC (150 * USEC_PER_MSEC)
#define CREATED_USEC UINT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */

typedef struct MockJob {
        struct Mock *mock;
        char *id, *path, *spec;
        const char *state, *phase, *reason;
        unsigned step;
        sd_event_source *timer;
        struct MockJob *next; /* newest first */
} MockJob;

typedef struct Mock {
        sd_event *event;
        sd_bus *bus;
        MockJob *jobs;
} Mock;

#define EVIL                                                   \
        "no space left on \x1b[31m/srv\x07\ndisk \xe2\x80\xae" \
        "flipped"

static bool is_over(const MockJob *j) {
        return streq(j->state, "COMPLETED") || streq(j->state, "FAILED") || streq(j->state, "CANCELLED");
}

static double percent(const MockJob *j) {
        return 100.0 * j->step / STEPS;
}

/* A job that fails has no space left, unless its id says "mystery". */
static const char *result(const MockJob *j) {
        if (streq(j->state, "COMPLETED"))
                return "{\"outputs\":[{\"path\":\"/srv/a.qcow2\",\"format\":\"qcow2\","
                       "\"virtual_size\":4294967296,\"actual_size\":1073741824}]}";
        if (!streq(j->state, "FAILED") || strstr(j->id, "mystery"))
                return "";
        return "{\"error\":{\"phase\":\"conversion\",\"code\":\"no_space\",\"message\":\"no space left\"}}";
}

/* What a job that inspects or fixes a guest has found, or NULL. */
static json_t *guest(const MockJob *j) {
        if (!strstr(j->spec, "\"inspect\"") && !strstr(j->spec, "\"offline_fix\"") &&
                        !strstr(j->spec, "\"kvm\""))
                return NULL;
        return json_loads(
                        "{\"os\":{\"type\":\"linux\",\"distro\":\"debian\",\"version\":\"12.15\",\"name\":"
                        "\"Debian \\u001b[31m\",\"arch\":\"x86_64\",\"hostname\":\"esx-guest\"},"
                        "\"firmware\":\"bios\",\"root\":\"/dev/sda1\",\"boot_loaders\":[\"grub2\"],"
                        "\"disks\":[{\"index\":0,\"size\":2147483648,\"label\":\"msdos\",\"partitions\":[{}]}],"
                        "\"filesystems\":[{\"device\":\"/dev/sda1\",\"type\":\"ext4\",\"mountpoint\":\"/\","
                        "\"free\":1073741824,\"clean\":false}],"
                        "\"lvm\":[{\"vg\":\"vg0\",\"lvs\":[\"root\",\"swap\"],\"devices_file\":true}],"
                        "\"kernels\":[{\"version\":\"6.1\",\"missing\":[\"virtio_blk\"]}],"
                        "\"network\":[{\"name\":\"ens192\",\"by\":\"ifupdown\",\"dhcp\":false,"
                        "\"addresses\":[\"10.0.2.15/24\"],\"mac\":null}],"
                        "\"hardware\":{\"disk_bus\":\"virtio\",\"nic_model\":\"virtio\",\"machine\":\"q35\","
                        "\"cpu_min\":null,\"rtc\":\"utc\"},\"bootable\":\"no\","
                        "\"reasons\":[\"/etc/fstab names /dev/sda1\"],"
                        "\"changes\":[{\"step\":\"offline_fix\",\"file\":\"/etc/fstab\",\"from\":\"/dev/sda1\","
                        "\"to\":\"UUID=1\"},{\"step\":\"offline_fix\",\"file\":\"/etc/x\",\"from\":\"/etc/x\","
                        "\"to\":null}],\"warnings\":[{\"step\":\"s\",\"message\":\"be careful\"}]}",
                        0, NULL);
}

/* What a proof of boot has seen, or NULL. */
static json_t *boot(const MockJob *j) {
        return strstr(j->id, "boots") ? json_pack("{s:s, s:s, s:[ssssss], s:s}", "boots", "yes", "message",
                                                        "a login prompt", "console", "1", "2", "3", "4", "5",
                                                        "box login: ", "screenshot", "/x.png")
                                      : NULL;
}

/* The domain that a job has defined, or NULL. */
static json_t *domain(const MockJob *j) {
        if (!strstr(j->spec, "\"kvm\""))
                return NULL;
        return json_pack("{s:s, s:s, s:b, s:[s]}", "name", strstr(j->id, "odd") ? "-a b" : "web", "uuid",
                        "4c4c4544-0000-4000-8000-000000000001", "running", strstr(j->id, "starts") != NULL,
                        "warnings", "the network lan is not connected");
}

static MockJob *find(Mock *m, const char *id) {
        for (MockJob *j = m->jobs; j; j = j->next)
                if (streq(j->id, id))
                        return j;
        return NULL;
}

static void changed(MockJob *j, const char *state, const char *reason) {
        const char *old = j->state;

        j->state = state;
        j->reason = reason;
        if (is_over(j))
                j->timer = sd_event_source_disable_unref(j->timer);
        sd_bus_emit_properties_changed(j->mock->bus, j->path, HYPER_JOB_INTERFACE, "State", "Reason",
                        "Phase", "Percent", "BytesDone", "Rate", "FinishedUSec", "Result", NULL);
        sd_bus_emit_signal(j->mock->bus, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, "JobStateChanged", "sosss",
                        j->id, j->path, old, state, reason);
}

static int on_step(sd_event_source *s, uint64_t now, void *userdata) {
        MockJob *j = userdata;

        if ((strstr(j->id, "stays") || strstr(j->id, "interrupts")) && j->step >= 2)
                return 0;
        if (strstr(j->id, "drops") && j->step == 2)
                return sd_event_exit(j->mock->event, 1);
        j->step++;
        bool guest = j->step > 3 && strstr(j->spec, "\"kvm\"");
        j->phase = j->step == 1 ? "inspection" : guest ? "guest" : "conversion";
        if (strstr(j->id, "fails") && j->step == 2)
                changed(j, "FAILED", EVIL);
        else if (strstr(j->id, "cancels") && j->step == 2)
                changed(j, "CANCELLED", "cancelled by a person");
        else
                changed(j, j->step == STEPS ? "COMPLETED" : "RUNNING", "");
        if (is_over(j))
                return 0;
        (void) sd_event_source_set_time_relative(s, STEP_USEC);
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static MockJob *add_job(Mock *m, const char *id, const char *spec) {
        MockJob *j = new0(MockJob, 1);

        *j = (MockJob){ .mock = m,
                .id = strdup(id),
                .spec = strdup(spec),
                .state = "QUEUED",
                .phase = "",
                .reason = "",
                .next = m->jobs };
        m->jobs = j;
        sd_bus_path_encode(HYPER_JOB_PATH_PREFIX, id, &j->path);
        sd_event_add_time_relative(m->event, &j->timer, CLOCK_MONOTONIC, STEP_USEC, 0, on_step, j);
        return j;
}

static void note(const char *name, const char *text) {
        FILE *f = fopen(name, "we");

        if (f) {
                fputs(text, f);
                fclose(f);
        }
}

/* --- org.hyper1.Manager
 * --------------------------------------------------------------------------------------- */

/* As ^C does. */
static void interrupt_sender(sd_bus_message *msg) {
        sd_bus_creds *creds = NULL;
        pid_t pid;

        if (sd_bus_query_sender_creds(msg, SD_BUS_CREDS_PID, &creds) >= 0 &&
                        sd_bus_creds_get_pid(creds, &pid) >= 0)
                (void) kill(pid, SIGTERM);
        sd_bus_creds_unref(creds);
}

static int method_submit(sd_bus_message *msg, void *userdata, sd_bus_error *error) {
        static unsigned made;
        _cleanup_free_ char *fresh = NULL;
        Mock *m = userdata;
        const char *text, *id;
        bool exists;
        json_t *spec;
        MockJob *j;

        if (sd_bus_message_read(msg, "s", &text) < 0)
                return -EINVAL;
        note("spec", text);
        spec = json_loads(text, 0, NULL);
        id = json_string_value(json_object_get(spec, "job_id"));
        if (!id)
                id = fresh = strprintf("made-%u", ++made);
        if (strstr(id, "refuses"))
                return sd_bus_error_set(error, HYPER_BUS_ERROR_INVALID_SPEC,
                                "source.path: must be an absolute path; destination.format: must be one of "
                                "qcow2, raw, vmdk");
        if (strstr(id, "denies"))
                return sd_bus_error_set(error, HYPER_BUS_ERROR_ACCESS_DENIED, "polkit does not permit it");
        if (strstr(id, "interrupts"))
                interrupt_sender(msg);
        exists = strstr(id, "exists");
        j = add_job(m, id, text);
        sd_bus_emit_signal(m->bus, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, "JobNew", "so", j->id, j->path);
        json_decref(spec);
        return sd_bus_reply_method_return(msg, "sob", j->id, j->path, !exists);
}

static int method_get(sd_bus_message *msg, void *userdata, sd_bus_error *error) {
        const char *id;
        MockJob *j;
        char *text;
        int r;

        if (sd_bus_message_read(msg, "s", &id) < 0)
                return -EINVAL;
        j = find(userdata, id);
        if (!j)
                return sd_bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_JOB, "There is no job %s.", id);
        json_t *details = json_pack("{s:s, s:s, s:s, s:o, s:{s:o*, s:o*, s:o*}}", "job_id", j->id, "state",
                        j->state, "reason", j->reason, "spec", json_loads(j->spec, 0, NULL), "result",
                        "guest", guest(j), "boot", boot(j), "domain", domain(j));
        text = json_dumps(details, 0);
        json_decref(details);
        r = sd_bus_reply_method_return(msg, "os", j->path, text);
        free(text);
        return r;
}

static int append_job(sd_bus_message *reply, const MockJob *j) {
        return sd_bus_message_append(reply, "(sosssdttsttts)", j->id, j->path, "convert", j->state, j->phase,
                        percent(j), CREATED_USEC, is_over(j) ? CREATED_USEC + 5 * USEC_PER_SEC : 0,
                        j->reason, UINT64_C(1048576), UINT64_MAX, UINT64_C(1073741824), "alice");
}

/* The filter's "states", the only part of it that the mock heeds; all jobs without. */
static int read_states(sd_bus_message *msg, char ***ret) {
        const char *key;
        int r = sd_bus_message_enter_container(msg, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(msg, 'e', "sv")) > 0) {
                r = sd_bus_message_read(msg, "s", &key);
                if (r >= 0 && !streq(key, "states"))
                        r = sd_bus_message_skip(msg, "v");
                else if (r >= 0 && (r = sd_bus_message_enter_container(msg, 'v', "as")) >= 0) {
                        r = sd_bus_message_read_strv(msg, ret);
                        if (r >= 0)
                                r = sd_bus_message_exit_container(msg);
                }
                if (r >= 0)
                        r = sd_bus_message_exit_container(msg);
        }
        return r;
}

static int method_list(sd_bus_message *msg, void *userdata, sd_bus_error *error) {
        _cleanup_strv_free_ char **states = NULL;
        sd_bus_message *reply = NULL;
        Mock *m = userdata;
        FILE *f = fopen("filter", "we");
        uint64_t n = 0;
        int r;

        if (f) {
                sd_bus_message_dump(msg, f, SD_BUS_MESSAGE_DUMP_SUBTREE_ONLY);
                fclose(f);
        }
        r = sd_bus_message_rewind(msg, true);
        if (r >= 0)
                r = read_states(msg, &states);
        if (r < 0)
                return r;
        for (MockJob *j = m->jobs; j; j = j->next)
                n += !states || strv_contains(states, j->state);
        r = sd_bus_message_new_method_return(msg, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "t", n);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sosssdttsttts)");
        for (MockJob *j = m->jobs; j && r >= 0; j = j->next)
                if (!states || strv_contains(states, j->state))
                        r = append_job(reply, j);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

static int method_cancel(sd_bus_message *msg, void *userdata, sd_bus_error *error) {
        const char *id;
        MockJob *j;

        if (sd_bus_message_read(msg, "s", &id) < 0)
                return -EINVAL;
        j = find(userdata, id);
        if (!j)
                return sd_bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_JOB, "There is no job %s.", id);
        if (is_over(j))
                return sd_bus_error_setf(error, HYPER_BUS_ERROR_JOB_FINISHED, "Job %s is %s.", id, j->state);
        changed(j, "CANCELLED", "cancelled by a person");
        return sd_bus_reply_method_return(msg, NULL);
}

/* From the step at which it failed; it then ends as the rest of its id says. */
static int method_retry(sd_bus_message *msg, void *userdata, sd_bus_error *error) {
        const char *id, *option, *name = NULL, *value;
        MockJob *j;

        if (sd_bus_message_read(msg, "s", &id) < 0)
                return -EINVAL;
        if (sd_bus_message_enter_container(msg, 'a', "{sv}") > 0 &&
                        sd_bus_message_enter_container(msg, 'e', "sv") > 0 &&
                        sd_bus_message_read(msg, "s", &option) > 0 && streq(option, "secrets") &&
                        sd_bus_message_enter_container(msg, 'v', "a{ss}") > 0 &&
                        sd_bus_message_enter_container(msg, 'a', "{ss}") > 0 &&
                        sd_bus_message_read(msg, "{ss}", &name, &value) > 0)
                note("secret", value);
        if (strstr(id, "secret") && !(name && streq(name, "source.tls_psk")))
                return sd_bus_error_set(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "source.tls_psk: this secret was removed\nsource.other: and this");
        j = find(userdata, id);
        if (!j)
                return sd_bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_JOB, "There is no job %s.", id);
        if (!streq(j->state, "FAILED"))
                return sd_bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE, "Job %s is %s.", id, j->state);
        sd_event_add_time_relative(j->mock->event, &j->timer, CLOCK_MONOTONIC, STEP_USEC, 0, on_step, j);
        changed(j, "QUEUED", "");
        return sd_bus_reply_method_return(msg, "o", j->path);
}

/* Until there is a file "good-config". */
static int method_reload(sd_bus_message *msg, void *userdata, sd_bus_error *error) {
        if (access("good-config", F_OK) >= 0)
                return sd_bus_reply_method_return(msg, NULL);
        return sd_bus_error_set(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                        "/etc/hyper/config.yaml:3: jobs.max_runing: no such key");
}

static int method_config(sd_bus_message *msg, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(msg, "s",
                        "{\"jobs\":{\"max_running\":4,\"destination_paths\":[\"/dev/vg0\",\"/"
                        "vms\"],\"source_paths\":[\"/srv\",\"/mnt/a "
                        "b\"]},\"api\":{\"require_key\":true},\"daemon\":{\"idle_timeout\":30}}");
}

/* Two workers; what the second says of itself is full of control characters. */
static json_t *make_worker(bool evil) {
        return json_pack("{s:s, s:o, s:{s:s, s:i}, s:s?, s:s, s:s, s:b, s:i}", "worker_id",
                        evil ? "w2" : "w1", "capabilities",
                        evil ? json_pack("[s, s]", "qemu_img", EVIL)
                             : json_pack("{s:b, s:b}", "qemu_img", 1, "lvm_tools", 0),
                        "system_info", "hostname", evil ? EVIL : "node-1", "memory_mb", 16384,
                        "execution_mode", evil ? NULL : "PRIVILEGED", "registered_at",
                        "2026-01-01T00:00:00Z", "heartbeat_at", "2026-01-01T00:00:00Z", "active", !evil,
                        "jobs", evil ? 0 : 2);
}

static int reply_json(sd_bus_message *m, json_t *value) {
        char *text = json_dumps(value, JSON_COMPACT);
        int r = text ? sd_bus_reply_method_return(m, "s", text) : -ENOMEM;

        free(text);
        json_decref(value);
        return r;
}

static int method_list_workers(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return reply_json(m, json_pack("[o, o]", make_worker(false), make_worker(true)));
}

static int no_such_worker(sd_bus_error *error, const char *id) {
        return sd_bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_WORKER, "There is no worker %s", id);
}

static int method_get_worker(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *id;
        int r = sd_bus_message_read(m, "s", &id);

        if (r < 0)
                return r;
        if (!streq(id, "w1") && !streq(id, "w2"))
                return no_such_worker(error, id);
        return reply_json(m, make_worker(streq(id, "w2")));
}

static int method_unregister_worker(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *id;
        int r = sd_bus_message_read(m, "s", &id);

        if (r < 0)
                return r;
        return streq(id, "w1") ? sd_bus_reply_method_return(m, NULL) : no_such_worker(error, id);
}

static int method_queue_status(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "ta{ut}", UINT64_C(12), 2, 90, UINT64_C(2), 50, UINT64_C(10));
}

static int method_list_limits(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(
                        m, "a(suu)", 3, "esx:esx7", 4, 4, "team:blue", 1, UINT32_MAX, "vcenter:vc1", 7, 20);
}

static int get_restart_needed(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "as", 1, "database.path");
}

/* org.hyper1.Api, of hyper-apid */
static const sd_bus_vtable api_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Reload", NULL, NULL, method_reload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetConfig", NULL, "s", method_config, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int method_inspect_source(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "s",
                        "{\"type\":\"file\",\"path\":\"/srv/a.vmdk\",\"format\":\"vmdk\",\"size\":1073741824,"
                        "\"disks\":[{\"file\":\"a.vmdk\",\"format\":\"vmdk\",\"size\":1073741824}],\"vm\":"
                        "{\"cpus\":2,\"memory\":1073741824,\"firmware\":\"efi\"},\"concerns\":[{\"severity\":"
                        "\"warning\",\"code\":\"tpm\",\"text\":\"It has a TPM\",\"remedy\":\"Take care.\"}]}");
}

static int method_inspect_destination(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *destination;
        uint64_t size;
        int r = sd_bus_message_read(m, "st", &destination, &size);

        /* The size is that of the source, if that was inspected. */
        return r < 0 ? r
                     : sd_bus_reply_method_return(m, "s",
                                       size > 0 ? "{\"free\":1048576,\"total\":2097152,\"concerns\":["
                                                  "{\"severity\":\"warning\",\"code\":\"no_space\",\"text\":"
                                                  "\"Too large\",\"remedy\":\"Remove files.\"}]}"
                                                : "{\"free\":1048576,\"total\":2097152,\"concerns\":[]}");
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("SubmitJob", "sa{sv}", "sob", method_submit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetJob", "s", "os", method_get, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListJobs", "a{sv}", "ta(sosssdttsttts)", method_list, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("InspectSource", "sa{sv}", "s", method_inspect_source, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("InspectDestination", "sta{sv}", "s", method_inspect_destination,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CancelJob", "s", NULL, method_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("RetryJob", "sa{sv}", "o", method_retry, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Reload", NULL, NULL, method_reload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetConfig", NULL, "s", method_config, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListWorkers", NULL, "s", method_list_workers, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetWorker", "s", "s", method_get_worker, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("UnregisterWorker", "s", NULL, method_unregister_worker, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("QueueStatus", NULL, "ta{ut}", method_queue_status, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListLimits", NULL, "a(suu)", method_list_limits, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("RestartNeeded", "as", get_restart_needed, 0, 0),
        SD_BUS_SIGNAL("JobNew", "so", 0),
        SD_BUS_SIGNAL("JobStateChanged", "sosss", 0),
        SD_BUS_VTABLE_END,
};

/* --- org.hyper1.Job
 * -------------------------------------------------------------------------------------------- */

static int get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        MockJob *j = userdata;
        const struct {
                const char *name, *value;
        } strings[] = {
                { "Id", j->id }, { "Operation", "convert" }, { "Spec", j->spec }, { "State", j->state },
                { "Unit", "hyper-job-x.service" }, { "Reason", j->reason }, { "Phase", j->phase },
                { "Result", result(j) },
                { "Submitter", "{\"name\":\"alice\",\"uid\":1000,\"key\":\"ci\",\"address\":\"192.0.2.1\"}" }
        };
        const struct {
                const char *name;
                uint64_t value;
        } numbers[] = { { "BytesDone", j->step * UINT64_C(1073741824) },
                { "BytesTotal", STEPS * UINT64_C(1073741824) }, { "Rate", is_over(j) ? 0 : 536870912 },
                { "RemainingUSec", is_over(j) ? 0 : 90 * USEC_PER_SEC }, { "CreatedUSec", CREATED_USEC },
                { "StartedUSec", CREATED_USEC + USEC_PER_SEC },
                { "FinishedUSec", is_over(j) ? CREATED_USEC + 5 * USEC_PER_SEC : 0 } };

        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                if (streq(strings[i].name, property))
                        return sd_bus_message_append(reply, "s", strings[i].value);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (streq(numbers[i].name, property))
                        return sd_bus_message_append(reply, "t", numbers[i].value);
        if (streq(property, "Percent"))
                return sd_bus_message_append(reply, "d", percent(j));
        if (streq(property, "StateHistory"))
                return sd_bus_message_append(reply, "a(sts)", 2, "CREATED", CREATED_USEC, "", j->state,
                                CREATED_USEC + USEC_PER_SEC, j->reason);
        return sd_bus_message_append(reply, "u", streq(property, "Priority") ? 50 : 1);
}

static int method_screenshot(sd_bus_message *msg, void *userdata, sd_bus_error *error) {
        const MockJob *j = userdata;
        sd_bus_message *reply = NULL;

        if (strstr(j->id, "blind"))
                return sd_bus_error_set(error, HYPER_BUS_ERROR_NO_SUCH_FILE, "it has no screenshot");
        int r = sd_bus_message_new_method_return(msg, &reply);
        if (r >= 0)
                r = sd_bus_message_append_array(reply, 'y', "\x89PNG\0\n", 6);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

#define P(name, type) SD_BUS_PROPERTY(name, type, get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

static const sd_bus_vtable job_vtable[] = { SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Screenshot", NULL, "ay", method_screenshot, SD_BUS_VTABLE_UNPRIVILEGED), P("Id", "s"),
        P("Operation", "s"), P("Spec", "s"), P("Unit", "s"), P("Priority", "u"), P("State", "s"),
        P("Reason", "s"), P("StateHistory", "a(sts)"), P("Attempt", "u"), P("Phase", "s"), P("Percent", "d"),
        P("BytesDone", "t"), P("BytesTotal", "t"), P("Rate", "t"), P("RemainingUSec", "t"),
        P("Submitter", "s"), P("CreatedUSec", "t"), P("StartedUSec", "t"), P("FinishedUSec", "t"),
        P("Result", "s"), SD_BUS_VTABLE_END };

static int find_job(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret,
                sd_bus_error *error) {
        for (MockJob *j = ((Mock *) userdata)->jobs; j; j = j->next)
                if (streq(j->path, path)) {
                        *ret = j;
                        return 1;
                }
        return 0;
}

int main(int argc, char **argv) {
        Mock m = {};
        int r;

        if (sd_event_default(&m.event) < 0 || sd_bus_open_system(&m.bus) < 0)
                return EXIT_FAILURE;
        /* Without the bus nobody could ever ask it to end. */
        if (sd_bus_set_exit_on_disconnect(m.bus, true) < 0)
                return EXIT_FAILURE;
        if (argc > 2 && streq(argv[1], "--resumed"))
                add_job(&m, argv[2], "{}")->step = 3;
        r = sd_bus_add_object_vtable(
                        m.bus, NULL, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, manager_vtable, &m);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(m.bus, NULL, HYPER_JOB_PATH_PREFIX, HYPER_JOB_INTERFACE,
                                job_vtable, find_job, &m);
        if (r >= 0)
                r = sd_bus_add_object_vtable(
                                m.bus, NULL, HYPER_API_BUS_PATH, HYPER_API_INTERFACE, api_vtable, &m);
        if (r >= 0)
                r = sd_bus_attach_event(m.bus, m.event, 0);
        if (r >= 0)
                r = sd_bus_request_name(m.bus, HYPER_API_BUS_NAME, 0);
        if (r >= 0)
                r = sd_bus_request_name(m.bus, HYPER_BUS_NAME, 0);
        if (r < 0)
                return EXIT_FAILURE;
        return sd_event_loop(m.event);
}
