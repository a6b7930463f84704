/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl vm top: what VMs use, live, as systemd-cgtop(1) shows it of units. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-event.h>
#include <uthash.h>

#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "ctl/hosts-client.h"
#include "ctl/table.h"
#include "ctl/verb-vm-top.h"
#include "json/json-table.h"

#define REDRAW (1 * USEC_PER_SEC)
/* Where there is no terminal: the second sample of each VM is there by then. */
#define ONCE_AFTER (5 * USEC_PER_SEC)

typedef struct TopVm {
        char *key, *host, *name;
        json_t *stats; /* NULL: nothing came yet */
        unsigned n_samples;
        UT_hash_handle hh;
} TopVm;

typedef struct Top {
        Ctl *ctl;
        sd_bus *bus;
        TopVm *vms;
        int status;
} Top;

static void top_done(Top *t) {
        TopVm *vm, *next;

        HASH_ITER(hh, t->vms, vm, next) {
                HASH_DEL(t->vms, vm);
                json_decref(vm->stats);
                free(vm->key);
                free(vm->host);
                free(vm->name);
                free(vm);
        }
}

static int add_vm(const ListedVm *listed, void *userdata) {
        TopVm *vm = new0(TopVm, 1);
        Top *t = userdata;

        if (!vm)
                return -ENOMEM;
        vm->key = strprintf("%s/%s", listed->host, listed->uuid);
        vm->host = strdup(listed->host);
        vm->name = strdup(listed->name);
        if (!vm->key || !vm->host || !vm->name) {
                free(vm->key);
                free(vm->host);
                free(vm->name);
                free(vm);
                return -ENOMEM;
        }
        HASH_ADD_KEYPTR(hh, t->vms, vm->key, strlen(vm->key), vm);
        return 0;
}

/* --- drawing --------------------------------------------------------------------------------------- */

static double get_real(const TopVm *vm, const char *key) {
        return json_number_value(json_object_get(vm->stats, key));
}

static bool is_running(const TopVm *vm) {
        json_int_t state = json_integer_value(json_object_get(vm->stats, "state"));

        return vm->stats && state != 5 && state != 6; /* off, crashed */
}

/* The busiest on top, those of the same by name. */
static int compare(const TopVm *a, const TopVm *b) {
        double x = get_real(a, "cpu_percent"), y = get_real(b, "cpu_percent");

        return x > y ? -1 : x < y ? 1 : strcmp(a->name, b->name);
}

static int add_row(Table *t, const TopVm *vm) {
        char memory[BYTES_SIZE], in[BYTES_SIZE], out[BYTES_SIZE];

        if (table_add(t, vm->host, COLOUR_NONE) < 0 || table_add(t, vm->name, COLOUR_NONE) < 0 ||
                        table_addf(t, COLOUR_NONE, "%.1f", get_real(vm, "cpu_percent")) < 0 ||
                        table_add(t, format_bytes(memory, (uint64_t) get_real(vm, "memory") * 1024),
                                        COLOUR_NONE) < 0)
                return -ENOMEM;
        if (table_addf(t, COLOUR_NONE, "%s/s",
                            format_bytes(in, (uint64_t) (get_real(vm, "disk_read_kib_per_sec") * 1024))) <
                                        0 ||
                        table_addf(t, COLOUR_NONE, "%s/s",
                                        format_bytes(out,
                                                        (uint64_t) (get_real(vm, "disk_write_kib_per_sec") *
                                                                        1024))) < 0)
                return -ENOMEM;
        return table_addf(t, COLOUR_NONE, "%.2f", get_real(vm, "network_rx_mbps")) < 0 ||
                                        table_addf(t, COLOUR_NONE, "%.2f", get_real(vm, "network_tx_mbps")) <
                                                        0
                        ? -ENOMEM
                        : 0;
}

static int draw(Top *top) {
        static const TableColumn columns[] = { { .title = "HOST", .shrink_to = 8 },
                { .title = "VM", .shrink_to = 12 }, { .title = "%CPU", .right = true },
                { .title = "MEMORY", .right = true }, { .title = "READ", .right = true },
                { .title = "WRITTEN", .right = true }, { .title = "IN Mb/s", .right = true },
                { .title = "OUT Mb/s", .right = true } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        const Terminal *terminal = &top->ctl->out;
        size_t limit = terminal->cursor && terminal->height > 2 ? terminal->height - 2 : SIZE_MAX;
        int r = t ? 0 : -ENOMEM;

        HASH_SORT(top->vms, compare);
        for (const TopVm *vm = top->vms; vm && r >= 0; vm = vm->hh.next)
                if (is_running(vm) && table_rows(t) < limit)
                        r = add_row(t, vm);
        if (r < 0)
                return r;
        /* To the corner, and all of it empty. */
        if (terminal->cursor)
                fputs("\033[H\033[J", stdout);
        return table_print(t, stdout, terminal, !top->ctl->args.no_legend);
}

static int draw_json(Top *top) {
        _cleanup_json_ json_t *list = json_array();

        for (const TopVm *vm = top->vms; vm && list; vm = vm->hh.next)
                if (is_running(vm) &&
                                json_array_append_new(list,
                                                json_pack("{s:s, s:s, s:O}", "host", vm->host, "name",
                                                                vm->name, "stats", vm->stats)) < 0)
                        return -ENOMEM;
        return client_print_json(top->ctl, list) == EXIT_OK ? 0 : -EIO;
}

static bool is_live(const Top *t) {
        return t->ctl->out.cursor && t->ctl->args.json == JSON_MODE_OFF;
}

static int finish(Top *t, sd_event *event) {
        int r = t->ctl->args.json != JSON_MODE_OFF ? draw_json(t) : draw(t);

        t->status = r < 0 ? EXIT_OTHER : EXIT_OK;
        return sd_event_exit(event, 0);
}

/* --- events ---------------------------------------------------------------------------------------- */

static int on_stats(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *host, *uuid, *text;
        _cleanup_free_ char *key = NULL;
        Top *t = userdata;
        json_t *stats;
        TopVm *vm;

        if (sd_bus_message_read(m, "sss", &host, &uuid, &text) <= 0)
                return 0;
        key = strprintf("%s/%s", host, uuid);
        stats = json_loads(text, 0, NULL);
        if (key)
                HASH_FIND_STR(t->vms, key, vm);
        if (!key || !vm || !stats) {
                json_decref(stats);
                return 0;
        }
        json_decref(vm->stats);
        vm->stats = stats;
        vm->n_samples++;
        /* Through a pipe it is shown once, when all that runs has rates. */
        if (!is_live(t)) {
                for (const TopVm *i = t->vms; i; i = i->hh.next)
                        if (i->n_samples == 1)
                                return 0;
                return finish(t, sd_bus_get_event(t->bus));
        }
        return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Top *t = userdata;

        if (!is_live(t))
                return finish(t, sd_event_source_get_event(s));
        if (draw(t) < 0)
                return sd_event_exit(sd_event_source_get_event(s), 0);
        (void) sd_event_source_set_time_relative(s, REDRAW);
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int subscribe(Top *t) {
        for (const TopVm *vm = t->vms; vm; vm = vm->hh.next) {
                int status = hosts_call(t->ctl, t->bus, NULL, "Asking for statistics", "SubscribeStats",
                                "ss", vm->host, vm->key + strlen(vm->host) + 1);

                if (status != EXIT_OK)
                        return status;
        }
        return EXIT_OK;
}

static int watch(Top *t) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        sigset_t set;
        int r;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return client_failure(t->ctl, NULL, -errno, "Waiting");
        r = sd_event_new(&event);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGINT, on_signal, t);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGTERM, on_signal, t);
        if (r >= 0)
                r = sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC,
                                is_live(t) ? REDRAW / 4 : ONCE_AFTER, 0, on_timer, t);
        if (r >= 0)
                r = sd_bus_attach_event(t->bus, event, 0);
        if (r < 0)
                return client_failure(t->ctl, NULL, r, "Waiting");
        r = sd_event_loop(event);
        (void) sd_bus_detach_event(t->bus);
        return r < 0 ? client_failure(t->ctl, NULL, r, "Waiting") : t->status;
}

int verb_vm_top(Ctl *ctl, char **words) {
        _cleanup_(top_done) Top t = { .ctl = ctl };
        _cleanup_bus_ sd_bus *bus = NULL;
        int status, r;

        status = hosts_connect(ctl, &bus);
        if (status != EXIT_OK)
                return status;
        t.bus = bus;
        r = sd_bus_match_signal(bus, NULL, HYPER_HOSTS_BUS_NAME, HYPER_HOSTS_BUS_PATH,
                        HYPER_HOSTS_MANAGER_INTERFACE, "VmStats", on_stats, &t);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Asking for statistics");
        status = hosts_each_vm(ctl, bus, words[0], add_vm, &t);
        if (status == EXIT_OK)
                status = subscribe(&t);
        return status == EXIT_OK ? watch(&t) : status;
}
