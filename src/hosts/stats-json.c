/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/stats-json.h"

#include <math.h>

#include "json/json-table.h"

/* The counters of a VM as libvirt has them, and beside them rates since the sample before. Without one
 * before, or when a counter has begun anew, a rate is 0. */

static json_t *devices_to_json(const DeviceSample *devices, size_t n) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < n && list; i++)
                if (json_array_append_new(list,
                                    json_pack("{s:s, s:I, s:I}", "device", devices[i].device, "read_bytes",
                                                    (json_int_t) devices[i].read_bytes, "write_bytes",
                                                    (json_int_t) devices[i].write_bytes)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

typedef struct Sum {
        uint64_t in, out, reads, writes;
} Sum;

static Sum sum(const DeviceSample *devices, size_t n) {
        Sum s = {};

        for (size_t i = 0; i < n; i++) {
                s.in += devices[i].read_bytes;
                s.out += devices[i].write_bytes;
                s.reads += devices[i].reads;
                s.writes += devices[i].writes;
        }
        return s;
}

/* Per second, in units of @unit, with two decimals. */
static double rate(uint64_t before, uint64_t now, double seconds, double unit) {
        if (seconds <= 0 || now < before)
                return 0;
        return round((double) (now - before) / seconds / unit * 100) / 100;
}

static double mebibytes(uint64_t bytes) {
        return round((double) bytes / 1024 / 1024 * 100) / 100;
}

/* Of all its processors together, 0 to 100. */
static double cpu_percent(const VmSample *b, const VmSample *n, double seconds) {
        return MIN(rate(b->cpu_time, n->cpu_time, seconds, 1e7 * MAX(n->vcpu, 1u)), 100.0);
}

/* A VM that was paused, or off, in between has no rate over that time. */
static double seconds_between(const VmSample *b, const VmSample *n) {
        return b->at == 0 || b->at >= n->at ? 0 : (double) (n->at - b->at) / (double) USEC_PER_SEC;
}

static json_t *uptime_json(const Vm *vm) {
        if (vm->started == 0 || vm->now.at < vm->started)
                return json_null();
        return json_integer((json_int_t) ((vm->now.at - vm->started) / USEC_PER_SEC));
}

char *vm_stats_to_json(const Vm *vm) {
        const VmSample *n = &vm->now, *b = &vm->before;
        double seconds = seconds_between(b, n);
        Sum disk = sum(n->disks, n->n_disks), disk_before = sum(b->disks, b->n_disks);
        Sum net = sum(n->nets, n->n_nets), net_before = sum(b->nets, b->n_nets);
        _cleanup_json_ json_t *o = NULL;

        o = json_pack("{s:i, s:I, s:I, s:i, s:I, s:o, s:o}", "state", n->state, "memory",
                        (json_int_t) n->memory, "max_mem", (json_int_t) n->max_memory, "vcpu", (int) n->vcpu,
                        "cpu_time", (json_int_t) n->cpu_time, "disk_stats",
                        devices_to_json(n->disks, n->n_disks), "net_stats",
                        devices_to_json(n->nets, n->n_nets));
        if (!o)
                return NULL;
        /* Bytes become KiB, and millions of bits. Since when a VM runs libvirt does not say: only a start
         * that was seen counts. */
        if (json_object_update_new(o,
                            json_pack("{s:f, s:I, s:f, s:f, s:f, s:f, s:o}", "cpu_percent",
                                            cpu_percent(b, n, seconds), "memory_mb",
                                            (json_int_t) (n->memory / 1024), "disk_read_kib_per_sec",
                                            rate(disk_before.in, disk.in, seconds, 1024),
                                            "disk_write_kib_per_sec",
                                            rate(disk_before.out, disk.out, seconds, 1024),
                                            "network_rx_mbps", rate(net_before.in, net.in, seconds, 125000),
                                            "network_tx_mbps",
                                            rate(net_before.out, net.out, seconds, 125000), "uptime",
                                            uptime_json(vm))) < 0)
                return NULL;
        /* Sums since it was started, and requests. */
        if (json_object_update_new(o,
                            json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "disk_read_mb", mebibytes(disk.in),
                                            "disk_write_mb", mebibytes(disk.out), "network_rx_mb",
                                            mebibytes(net.in), "network_tx_mb", mebibytes(net.out),
                                            "disk_read_iops",
                                            rate(disk_before.reads, disk.reads, seconds, 1),
                                            "disk_write_iops",
                                            rate(disk_before.writes, disk.writes, seconds, 1))) < 0)
                return NULL;
        return json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(12));
}
