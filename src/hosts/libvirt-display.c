/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/libvirt-display.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "hosts/domain-devices.h"
#include "hosts/libvirt-domain.h"
#include "hosts/libvirt-error.h"
#include "hosts/ppm-png.h"

#define PIECE ((size_t) 256 * 1024)

static int find_running(virConnectPtr connection, const char *uuid, virDomainPtr *ret, char **ret_error) {
        _cleanup_domain_ virDomainPtr domain = NULL;
        int r = libvirt_lookup(connection, uuid, &domain, ret_error);

        if (r < 0)
                return r;
        r = virDomainIsActive(domain);
        if (r < 0)
                return libvirt_error(ret_error);
        if (r == 0) {
                *ret_error = strdup("it is not running");
                return -EBADFD;
        }
        *ret = TAKE_PTR(domain);
        return 0;
}

int libvirt_open_display(virConnectPtr connection, const char *uuid, const char *type, int *ret_fd,
                const char **ret_type, char **ret_error) {
        _cleanup_domain_ virDomainPtr domain = NULL;
        _cleanup_free_ char *xml = NULL;
        unsigned index;
        int fd, r = find_running(connection, uuid, &domain, ret_error);

        if (r < 0)
                return r;
        r = libvirt_domain_xml(domain, &xml, ret_error);
        if (r < 0)
                return r;
        r = domain_xml_display(xml, strlen(xml), type, &index, ret_type);
        if (r == -ENOENT) {
                *ret_error = isempty(type) ? strdup("it has no VNC or SPICE display")
                                           : strprintf("it has no display of type %s", type);
                return -EBADFD;
        }
        if (r == -EBADMSG)
                *ret_error = strdup("libvirt's description of it is malformed");
        if (r < 0)
                return r;
        fd = virDomainOpenGraphicsFD(domain, index, VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH);
        if (fd < 0)
                return libvirt_error(ret_error);
        *ret_fd = fd;
        return 0;
}

/* --- screenshots ----------------------------------------------------------------------------------- */

static int receive(virStreamPtr stream, ScreenImage *b, char **ret_error) {
        for (;;) {
                int n;

                if (b->size > SCREENSHOT_MAX) {
                        *ret_error = strprintf("its screenshot has more than %zu MiB",
                                        SCREENSHOT_MAX / 1024 / 1024);
                        return -EFBIG;
                }
                if (!GREEDY_REALLOC(b->data, b->allocated, b->size + PIECE))
                        return -ENOMEM;
                n = virStreamRecv(stream, b->data + b->size, PIECE);
                if (n < 0)
                        return libvirt_error(ret_error);
                if (n == 0)
                        return virStreamFinish(stream) < 0 ? libvirt_error(ret_error) : 0;
                b->size += (size_t) n;
        }
}

int libvirt_screen(virConnectPtr connection, virDomainPtr domain, ScreenImage *ret, char **ret_error) {
        virStreamPtr stream = virStreamNew(connection, 0);
        _cleanup_screen_image_ ScreenImage image = {};
        _cleanup_free_ char *type = NULL;
        int r;

        if (!stream)
                return libvirt_error(ret_error);
        /* The first screen; what kind of image it is shows in its first bytes. */
        type = virDomainScreenshot(domain, stream, 0, 0);
        r = type ? receive(stream, &image, ret_error) : libvirt_error(ret_error);
        if (r < 0 && type)
                (void) virStreamAbort(stream);
        (void) virStreamFree(stream);
        if (r < 0)
                return r;
        *ret = image;
        image = (ScreenImage){};
        return 0;
}

static int put_into_memory(const void *data, size_t size, int *ret) {
        _cleanup_close_ int fd = memfd_create("screenshot.png", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return -errno;
        r = pwrite_full(fd, data, size, 0);
        if (r < 0)
                return r;
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return -errno;
        *ret = TAKE_FD(fd);
        return 0;
}

int screen_image_to_png(const ScreenImage *image, int *ret_fd, char **ret_error) {
        _cleanup_free_ void *png = NULL;
        size_t size;

        if (is_png(image->data, image->size))
                return put_into_memory(image->data, image->size, ret_fd);
        int r = ppm_to_png(image->data, image->size, &png, &size);
        if (r == -EBADMSG)
                *ret_error = strdup("its screenshot is neither PNG nor PPM");
        return r < 0 ? r : put_into_memory(png, size, ret_fd);
}

int libvirt_screenshot(virConnectPtr connection, const char *uuid, int *ret_fd, char **ret_error) {
        _cleanup_screen_image_ ScreenImage image = {};
        _cleanup_domain_ virDomainPtr domain = NULL;
        int r = find_running(connection, uuid, &domain, ret_error);

        if (r >= 0)
                r = libvirt_screen(connection, domain, &image, ret_error);
        return r < 0 ? r : screen_image_to_png(&image, ret_fd, ret_error);
}
