/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/volume-bus.h"

#include <fcntl.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "hosts/host.h"
#include "hosts/libvirt-volume.h"
#include "hosts/thread-call.h"
#include "shared/error-table.h"

#define CALL_TIMEOUT (60 * USEC_PER_SEC)
/* A host that does not answer is noticed by libvirt's keepalive. */
#define SEND_TIMEOUT (30 * 24 * 3600 * USEC_PER_SEC)
#define NAME_LENGTH_MAX 255u

typedef int (*volume_func)(ThreadCall *c, virConnectPtr connection, char **ret_error);

typedef struct VolumeCall {
        ThreadCall call;
        /* What is asked */
        char *pool, *name;
        uint64_t size, allocated;
        int fd;
        /* What comes back */
        char *path;
} VolumeCall;

/* --- the thread ------------------------------------------------------------------------------------ */

static int run_create(ThreadCall *call, virConnectPtr connection, char **ret_error) {
        VolumeCall *c = CONTAINER_OF(call, VolumeCall, call);

        return libvirt_volume_create(connection, &(VolumeName){ c->pool, c->name }, c->size, c->allocated,
                        &c->path, ret_error);
}

static int run_send(ThreadCall *call, virConnectPtr connection, char **ret_error) {
        VolumeCall *c = CONTAINER_OF(call, VolumeCall, call);

        return libvirt_volume_send(
                        connection, &(VolumeName){ c->pool, c->name }, c->fd, &call->cancelled, ret_error);
}

static int run_remove(ThreadCall *call, virConnectPtr connection, char **ret_error) {
        VolumeCall *c = CONTAINER_OF(call, VolumeCall, call);

        return libvirt_volume_remove(connection, &(VolumeName){ c->pool, c->name }, ret_error);
}

/* --- the loop -------------------------------------------------------------------------------------- */

static int reply_path(ThreadCall *call, sd_bus_message *reply) {
        return sd_bus_message_append(reply, "s", CONTAINER_OF(call, VolumeCall, call)->path);
}

static void free_volume_call(ThreadCall *call) {
        VolumeCall *c = CONTAINER_OF(call, VolumeCall, call);

        safe_close(c->fd);
        free(c->pool);
        free(c->name);
        free(c->path);
        free(c);
}

/* Reads the arguments that all have in common. 0, or a negative errno with @error. */
static int volume_call_new(sd_bus_message *message, Hosts *h, volume_func run, CallTarget *ret_target,
                VolumeCall **ret, sd_bus_error *error) {
        const char *uri, *pool, *name;
        int r = sd_bus_message_read(message, "sss", &uri, &pool, &name);

        if (r >= 0)
                r = call_target_find(h, uri, ret_target, error);
        if (r < 0)
                return r;
        if (isempty(name) || strlen(name) > NAME_LENGTH_MAX || strchr(name, '/') || name[0] == '.' ||
                        utf8_has_control(name))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "volume: must be the name of a volume");
        VolumeCall *c = new0(VolumeCall, 1);
        if (!c)
                return -ENOMEM;
        c->call.run = run;
        c->call.free = free_volume_call;
        c->fd = -EBADF;
        c->pool = strdup(pool);
        c->name = strdup(name);
        if (!c->pool || !c->name) {
                free_volume_call(&c->call);
                return -ENOMEM;
        }
        *ret = c;
        return 0;
}

int hosts_method_create_volume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(call_target_done) CallTarget target = {};
        Hosts *h = userdata;
        VolumeCall *c;
        int r = volume_call_new(message, h, run_create, &target, &c, error);

        if (r < 0)
                return r;
        c->call.reply = reply_path;
        r = sd_bus_message_read(message, "tt", &c->size, &c->allocated);
        if (r < 0) {
                free_volume_call(&c->call);
                return r;
        }
        return thread_call_start(&c->call, h, &target, CALL_TIMEOUT, message);
}

int hosts_method_send_volume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(call_target_done) CallTarget target = {};
        Hosts *h = userdata;
        VolumeCall *c;
        int fd, r = volume_call_new(message, h, run_send, &target, &c, error);

        if (r < 0)
                return r;
        r = sd_bus_message_read(message, "h", &fd);
        if (r >= 0) {
                c->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                r = c->fd < 0 ? -errno : 0;
        }
        if (r < 0) {
                free_volume_call(&c->call);
                return r;
        }
        log_info("Sending the volume %s to the storage pool %s of the host %s.", c->name, c->pool,
                        target.host ? target.host->row.id : "local");
        return thread_call_start(&c->call, h, &target, SEND_TIMEOUT, message);
}

int hosts_method_remove_volume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(call_target_done) CallTarget target = {};
        Hosts *h = userdata;
        VolumeCall *c;
        int r = volume_call_new(message, h, run_remove, &target, &c, error);

        return r < 0 ? r : thread_call_start(&c->call, h, &target, CALL_TIMEOUT, message);
}
