/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb-vm-console.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/hosts-client.h"
#include "ctl/view.h"
#include "json/json-table.h"

/* --- console --------------------------------------------------------------------------------------- */

/* The properties of the VM, and of its host. */
static int get_both(Ctl *ctl, const char *host, const char *vm, json_t **ret_vm, json_t **ret_host) {
        _cleanup_free_ char *path = NULL, *id = NULL, *host_path = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = hosts_connect(ctl, &bus);

        if (status == EXIT_OK)
                status = hosts_find_vm(ctl, bus, host, vm, &path, &id);
        if (status == EXIT_OK)
                status = hosts_get_properties(
                                ctl, bus, "Showing a VM", path, HYPER_HOSTS_VM_INTERFACE, ret_vm);
        if (status != EXIT_OK)
                return status;
        if (sd_bus_path_encode(HYPER_HOSTS_BUS_PATH, id, &host_path) < 0)
                return log_oom(), EXIT_OTHER;
        return hosts_get_properties(
                        ctl, bus, "Showing a host", host_path, HYPER_HOSTS_HOST_INTERFACE, ret_host);
}

/* The URI for who logs in to the host as themselves: it is shown without the user that hyper-hostd is there.
 */
static char *uri_for_person(const char *uri) {
        const char *user = strstr(uri, "://***@");

        return user ? strprintf("%.*s://%s", (int) (user - uri), uri, user + strlen("://***@"))
                    : strdup(uri);
}

/* As a part of a URL (RFC 3986, 2.3). */
static char *escape(const char *s) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
        char *escaped = new0(char, strlen(s) * 3 + 1), *p = escaped;

        for (; escaped && *s; s++)
                if (strchr(plain, *s))
                        *p++ = *s;
                else
                        p += sprintf(p, "%%%02X", (unsigned char) *s);
        return escaped;
}

static int print_console(Ctl *ctl, const char *host, const char *uri, json_t *vm) {
        _cleanup_free_ char *person = uri_for_person(uri), *id = escape(host),
                            *name = escape(view_string(vm, "Name")), *viewer = NULL, *url = NULL;
        /* Through libvirt's own UNIX socket, which gives the display to programs of this machine. */
        const char *attach = strstr(uri, ":///") ? " --attach" : "";

        if (!person || !id || !name)
                return log_oom(), EXIT_OTHER;
        viewer = strprintf("virt-viewer --connect '%s'%s --uuid -- %s", person, attach,
                        view_string(vm, "Uuid"));
        url = strprintf("ws://127.0.0.1:8890/api/v1/hosts/%s/vms/%s/console", id, name);
        if (!viewer || !url)
                return log_oom(), EXIT_OTHER;
        if (ctl->args.json != JSON_MODE_OFF) {
                _cleanup_json_ json_t *o = json_pack("{s:s, s:s, s:s}", "type",
                                json_is_true(json_object_get(vm, "Vnc")) ? "vnc" : "spice", "command",
                                viewer, "websocket", url);

                return o ? client_print_json(ctl, o) : (log_oom(), EXIT_OTHER);
        }
        printf("%s\n", viewer);
        if (*attach)
                printf("%s\n", url);
        return EXIT_OK;
}

int verb_vm_console(Ctl *ctl, char **words) {
        const char *given = words[1] ? words[0] : NULL, *name = words[1] ? words[1] : words[0];
        _cleanup_json_ json_t *vm = NULL, *host = NULL;
        int status = get_both(ctl, given, name, &vm, &host);

        if (status != EXIT_OK)
                return status;
        if (!json_is_true(json_object_get(vm, "Vnc")) && !json_is_true(json_object_get(vm, "Spice"))) {
                log_error("VM %s has no VNC or SPICE display.", name);
                return EXIT_REFUSED;
        }
        if (streq(view_string(vm, "State"), "STOPPED")) {
                log_error("VM %s is not running; start it with: hyperctl vm start %s %s", name,
                                view_string(host, "Id"), name);
                return EXIT_REFUSED;
        }
        return print_console(ctl, view_string(host, "Id"), view_string(host, "Uri"), vm);
}

/* --- screenshot ------------------------------------------------------------------------------------ */

static int copy(int from, int to) {
        char buf[65536];

        for (;;) {
                ssize_t n = read(from, buf, sizeof(buf));

                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                for (ssize_t done = 0; done < n;) {
                        ssize_t w = write(to, buf + done, (size_t) (n - done));

                        if (w < 0)
                                return -errno;
                        done += w;
                }
        }
}

/* "-" is stdout; a file must not exist. */
static int write_png(int png, const char *file) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (lseek(png, 0, SEEK_SET) < 0)
                return log_error_errno(-errno, "Failed to read the screenshot: %m"), EXIT_OTHER;
        if (streq(file, "-")) {
                r = copy(png, STDOUT_FILENO);
                return r < 0 ? (log_error_errno(r, "Failed to write the screenshot: %m"), EXIT_OTHER)
                             : EXIT_OK;
        }
        fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0)
                return log_error_errno(-errno, "Failed to create %s: %m", file), EXIT_OTHER;
        r = copy(png, fd);
        if (r >= 0)
                return EXIT_OK;
        log_error_errno(r, "Failed to write %s: %m", file);
        (void) unlink(file);
        return EXIT_OTHER;
}

int verb_vm_screenshot(Ctl *ctl, char **words) {
        const char *host = words[2] ? words[0] : NULL, *vm = words[2] ? words[1] : words[0],
                   *file = words[2] ? words[2] : words[1];
        _cleanup_free_ char *what = strprintf("Taking a screenshot of VM %s", vm), *path = NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status, fd, r;

        if (!what)
                return log_oom(), EXIT_OTHER;
        if (streq(file, "-") && isatty(STDOUT_FILENO)) {
                log_error("The image is not written to a terminal; redirect the output, or give a file.");
                return EXIT_USAGE;
        }
        status = hosts_connect(ctl, &bus);
        ctl->action = "org.hyper1.manage-vms";
        if (status == EXIT_OK)
                status = hosts_find_vm(ctl, bus, host, vm, &path, NULL);
        if (status == EXIT_OK)
                status = hosts_call_object(
                                ctl, bus, &reply, what, path, HYPER_HOSTS_VM_INTERFACE, "Screenshot");
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "h", &fd);
        return r < 0 ? client_failure(ctl, NULL, r, what) : write_png(fd, file);
}
