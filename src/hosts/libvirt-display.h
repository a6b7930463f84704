/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's calls about the displays of VMs (libvirt-error.h). */

#include <libvirt/libvirt.h>

#include "basic/macro.h"

/* A new connection to a display of a VM that runs: a socket on which its server (qemu) speaks VNC or SPICE,
 * without asking for a password: who may have it is decided here. @type: "vnc", "spice", or "" for the first
 * of VNC or else of SPICE; *ret_type (static) is which. The caller closes the descriptor. Only for a libvirt
 * of this machine. -EBADFD: the VM does not run, or has no such display. */
int libvirt_open_display(virConnectPtr connection, const char *uuid, const char *type, int *ret_fd,
                const char **ret_type, char **ret_error);

/* An image of a screen, as libvirt gives it: PPM or PNG. */
typedef struct ScreenImage {
        char *data;
        size_t size, allocated;
} ScreenImage;

static inline void screen_image_done(ScreenImage *image) {
        free(image->data);
        *image = (ScreenImage){};
}
#define _cleanup_screen_image_ _cleanup_(screen_image_done)

int libvirt_screen(virConnectPtr connection, virDomainPtr domain, ScreenImage *ret, char **ret_error);
/* As PNG in a sealed file in memory; the caller closes it. */
int screen_image_to_png(const ScreenImage *image, int *ret_fd, char **ret_error);

/* What is on the screen, as PNG in a sealed file in memory; the caller closes it. */
int libvirt_screenshot(virConnectPtr connection, const char *uuid, int *ret_fd, char **ret_error);
