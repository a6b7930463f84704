/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/libvirt-events.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/xmlerror.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

static pthread_t events_thread;
static atomic_bool events_stop;
static bool events_running;

static void on_quiet_error(void *userdata, virErrorPtr error) {
        /* Errors are returned to callers, and not written to stderr. */
}

/* The same for libxml2, which libvirt uses. */
static void on_quiet_xml(void *userdata, const char *format, ...) {
}

static void *run_events(void *userdata) {
        while (!events_stop)
                (void) virEventRunDefaultImpl();
        return NULL;
}

static void on_wake(int timer, void *userdata) {
}

int libvirt_events_start(void) {
        int r;

        if (events_running)
                return 0;
        if (virInitialize() < 0)
                return -EIO;
        virSetErrorFunc(NULL, on_quiet_error);
        xmlSetGenericErrorFunc(NULL, on_quiet_xml);
        (void) xmlThrDefSetGenericErrorFunc(NULL, on_quiet_xml);
        if (virEventRegisterDefaultImpl() < 0)
                return -EIO;
        events_stop = false;
        r = -pthread_create(&events_thread, NULL, run_events, NULL);
        events_running = r >= 0;
        return r;
}

void libvirt_events_stop(void) {
        int timer;

        if (!events_running)
                return;
        events_stop = true;
        timer = virEventAddTimeout(0, on_wake, NULL, NULL);
        (void) pthread_join(events_thread, NULL);
        if (timer >= 0)
                (void) virEventRemoveTimeout(timer);
        events_running = false;
}
