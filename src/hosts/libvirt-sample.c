/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Counters of running VMs. */

#include "hosts/libvirt-sample.h"

#include <libvirt/virterror.h>
#include <stdatomic.h>
#include <stdio.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "hosts/libvirt-error.h"

/* So many VMs are asked for by name, each with a call to find it; beyond that all of the host at once. */
#define SINGLE_MAX 4
/* The limit of devices of one VM; what a host reports beyond it is ignored. */
#define DEVICES_MAX 4096

#define STATS                                                                             \
        (VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | \
                        VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK)

static atomic_uint n_calls;

unsigned libvirt_sample_calls(void) {
        return n_calls;
}

static void devices_free(DeviceSample *devices, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(devices[i].device);
        free(devices);
}

void vm_sample_done(VmSample *s) {
        devices_free(s->disks, s->n_disks);
        devices_free(s->nets, s->n_nets);
        *s = (VmSample){};
}

void vm_samples_free(VmSample *s, size_t n) {
        for (size_t i = 0; i < n; i++)
                vm_sample_done(s + i);
        free(s);
}

/* The parameters of a record are a list of names with numbers in them: "block.3.rd.bytes". */

static uint64_t get_number(const virDomainStatsRecord *r, const char *name) {
        unsigned long long n;
        unsigned u;
        int i;

        if (virTypedParamsGetULLong(r->params, r->nparams, name, &n) == 1)
                return n;
        if (virTypedParamsGetUInt(r->params, r->nparams, name, &u) == 1)
                return u;
        if (virTypedParamsGetInt(r->params, r->nparams, name, &i) == 1)
                return i < 0 ? 0 : (uint64_t) i;
        return 0;
}

static uint64_t get_device_number(
                const virDomainStatsRecord *r, const char *kind, size_t i, const char *what) {
        char name[64];

        (void) snprintf(name, sizeof(name), "%s.%zu.%s", kind, i, what);
        return get_number(r, name);
}

typedef struct DeviceKind {
        const char *name, *bytes_in, *bytes_out, *in, *out; /* parts of the names of its numbers */
} DeviceKind;

static const DeviceKind block = { "block", "rd.bytes", "wr.bytes", "rd.reqs", "wr.reqs" };
static const DeviceKind net = { "net", "rx.bytes", "tx.bytes", "rx.pkts", "tx.pkts" };

static int get_devices(
                const virDomainStatsRecord *r, const DeviceKind *k, DeviceSample **ret, size_t *ret_n) {
        char name[64];
        DeviceSample *devices;
        size_t n;

        (void) snprintf(name, sizeof(name), "%s.count", k->name);
        n = MIN(get_number(r, name), (uint64_t) DEVICES_MAX);
        devices = new0(DeviceSample, n + 1);
        if (!devices)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const char *device = "";

                (void) snprintf(name, sizeof(name), "%s.%zu.name", k->name, i);
                (void) virTypedParamsGetString(r->params, r->nparams, name, &device);
                devices[i].device = utf8_make_valid(strempty(device), strlen(strempty(device)), 256);
                if (!devices[i].device) {
                        devices_free(devices, n);
                        return -ENOMEM;
                }
                devices[i].read_bytes = get_device_number(r, k->name, i, k->bytes_in);
                devices[i].write_bytes = get_device_number(r, k->name, i, k->bytes_out);
                devices[i].reads = get_device_number(r, k->name, i, k->in);
                devices[i].writes = get_device_number(r, k->name, i, k->out);
        }
        *ret = devices;
        *ret_n = n;
        return 0;
}

static int read_record(const virDomainStatsRecord *r, VmSample *ret) {
        VmSample s = {
                .at = now_monotonic(),
                .state = (int) get_number(r, "state.state"),
                .memory = get_number(r, "balloon.current"),
                .max_memory = get_number(r, "balloon.maximum"),
                .vcpu = (unsigned) get_number(r, "vcpu.current"),
                .cpu_time = get_number(r, "cpu.time"),
        };
        int q;

        (void) virDomainGetUUIDString(r->dom, s.uuid);
        q = get_devices(r, &block, &s.disks, &s.n_disks);
        if (q >= 0)
                q = get_devices(r, &net, &s.nets, &s.n_nets);
        if (q < 0) {
                vm_sample_done(&s);
                return q;
        }
        *ret = s;
        return 0;
}

/* For drivers without statistics, such as test: what virDomainGetInfo() has. */
static int sample_by_info(virDomainPtr domain, VmSample *ret) {
        virDomainInfo info;

        n_calls++;
        if (virDomainGetInfo(domain, &info) < 0)
                return -ENODEV;
        VmSample s = {
                .at = now_monotonic(),
                .state = info.state,
                .memory = info.memory,
                .max_memory = info.maxMem,
                .vcpu = info.nrVirtCpu,
                .cpu_time = info.cpuTime,
        };
        (void) virDomainGetUUIDString(domain, s.uuid);
        *ret = s;
        return 0;
}

static int take_records(virDomainStatsRecordPtr *records, char *const *uuids, VmSample *samples, size_t max,
                size_t *n) {
        int r = 0;

        for (virDomainStatsRecordPtr *p = records; *p && *n < max && r >= 0; p++) {
                char uuid[VIR_UUID_STRING_BUFLEN];

                if (virDomainGetUUIDString((*p)->dom, uuid) < 0 || !strv_contains(uuids, uuid))
                        continue;
                r = read_record(*p, samples + *n);
                if (r >= 0)
                        (*n)++;
        }
        return r;
}

static int sample_few(virConnectPtr connection, char *const *uuids, VmSample *samples, size_t max, size_t *n,
                char **ret_error) {
        virDomainPtr domains[SINGLE_MAX + 1] = {};
        virDomainStatsRecordPtr *records = NULL;
        size_t found = 0;
        int r = 0;

        STRV_FOREACH(uuid, uuids) {
                n_calls++;
                domains[found] = virDomainLookupByUUIDString(connection, *uuid);
                if (domains[found])
                        found++;
        }
        if (found > 0) {
                n_calls++;
                if (virDomainListGetStats(domains, STATS, &records,
                                    VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) >= 0) {
                        r = take_records(records, uuids, samples, max, n);
                        virDomainStatsRecordListFree(records);
                } else
                        r = libvirt_error(ret_error);
        }
        for (size_t i = 0; i < found; i++) {
                if (r == -EOPNOTSUPP && *n < max && sample_by_info(domains[i], samples + *n) >= 0)
                        (*n)++;
                (void) virDomainFree(domains[i]);
        }
        return r == -EOPNOTSUPP ? 0 : r;
}

static int sample_all(virConnectPtr connection, char *const *uuids, VmSample *samples, size_t max, size_t *n,
                char **ret_error) {
        virDomainStatsRecordPtr *records = NULL;
        int r;

        n_calls++;
        if (virConnectGetAllDomainStats(
                            connection, STATS, &records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) < 0)
                return libvirt_error(ret_error);
        r = take_records(records, uuids, samples, max, n);
        virDomainStatsRecordListFree(records);
        return r;
}

static int sample_each(virConnectPtr connection, char *const *uuids, VmSample *samples, size_t *n) {
        STRV_FOREACH(uuid, uuids) {
                virDomainPtr domain;

                n_calls++;
                domain = virDomainLookupByUUIDString(connection, *uuid);
                if (!domain)
                        continue;
                if (sample_by_info(domain, samples + *n) >= 0)
                        (*n)++;
                (void) virDomainFree(domain);
        }
        return 0;
}

int libvirt_sample(virConnectPtr connection, char *const *uuids, VmSample **ret, size_t *ret_n,
                char **ret_error) {
        size_t wanted = strv_length(uuids), n = 0;
        VmSample *samples;
        int r;

        if (!connection)
                return -ENOLINK;
        samples = new0(VmSample, wanted + 1);
        if (!samples)
                return -ENOMEM;
        if (wanted <= SINGLE_MAX)
                r = sample_few(connection, uuids, samples, wanted, &n, ret_error);
        else
                r = sample_all(connection, uuids, samples, wanted, &n, ret_error);
        if (r == -EOPNOTSUPP)
                r = sample_each(connection, uuids, samples, &n);
        if (r < 0) {
                vm_samples_free(samples, n);
                return r;
        }
        *ret = samples;
        *ret_n = n;
        return 0;
}
