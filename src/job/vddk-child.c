/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vddk-child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "vsphere/session.h"

#define PROBE_TIMEOUT (30 * USEC_PER_SEC)
#define PROBE_OUTPUT_MAX ((size_t) 64 * 1024)
/* Hosts run out of buffers if requests are longer: nbdkit-vddk-plugin(1), "Out of memory errors". */
#define REQUEST_MAX "2M"

/* What finding a server needs, and what the library asks about this machine and itself. */
static const char *const system_files[] = {
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/host.conf",
        "/etc/nsswitch.conf",
        "/etc/gai.conf",
        "/etc/services",
        "/etc/ssl/certs",
        "/proc",
        "/dev/random",
};

static int list_files(const JobPlan *plan, const char *work, ParserFiles *ret) {
        int r = 0;

        ret->network = true;
        for (size_t i = 0; i < ELEMENTSOF(system_files) && r >= 0; i++)
                r = strv_extend(&ret->read, system_files[i]);
        if (r >= 0)
                r = strv_extend(&ret->read, plan->vddk_libdir);
        if (r >= 0 && plan->vddk_plugin)
                r = strv_extend(&ret->read, plan->vddk_plugin);
        if (r >= 0 && work)
                r = strv_extend(&ret->write, work);
        return r;
}

/* The plugin executes nbdkit again if the library's directory is not among these. */
static char *library_path(const JobPlan *plan) {
        return strprintf("%s/lib64:%s", plan->vddk_libdir, plan->vddk_libdir);
}

static const char *plugin_of(const JobPlan *plan) {
        return plan->vddk_plugin ? plan->vddk_plugin : "vddk";
}

/* --- is it there ----------------------------------------------------------------------------------- */

static int judge_probe(const JobPlan *plan, const ChildOutput *o, char **ret_why_not) {
        if (!WIFEXITED(o->status) || WEXITSTATUS(o->status) != 0)
                *ret_why_not = plan->vddk_plugin
                                ? strprintf("nbdkit cannot load %s: check vsphere.vddk_plugin",
                                                  plan->vddk_plugin)
                                : strdup("nbdkit has no vddk plugin: install it, or set "
                                         "vsphere.vddk_plugin to its path");
        else if (!strstr(o->output, "vddk_library_version="))
                *ret_why_not = strprintf("there is no VDDK library in %s: check vsphere.vddk_libdir",
                                plan->vddk_libdir);
        else
                return 1;
        return *ret_why_not ? 0 : -ENOMEM;
}

int vddk_child_probe(VsphereSource *v, char **ret_why_not) {
        const JobPlan *plan = v->attempt->plan;
        _cleanup_child_output_ ChildOutput o = {};
        _cleanup_parser_files_ ParserFiles files = {};
        _cleanup_free_ char *libdir = NULL, *path = NULL;

        if (!plan->vddk_libdir) {
                *ret_why_not = strdup("vsphere.vddk_libdir is not configured");
                return *ret_why_not ? 0 : -ENOMEM;
        }
        libdir = strprintf("libdir=%s", plan->vddk_libdir);
        path = library_path(plan);
        int r = libdir && path ? list_files(plan, NULL, &files) : -ENOMEM;
        if (r < 0)
                return r;
        const char *const argv[] = { "nbdkit", "--dump-plugin", plugin_of(plan), libdir, NULL };
        const ChildLimits limits = { .files = &files,
                .library_path = path,
                .timeout = PROBE_TIMEOUT,
                .output_max = PROBE_OUTPUT_MAX };
        r = child_run(argv, &limits, v->attempt->cancel_fd, &o);
        if (r >= 0)
                return judge_probe(plan, &o, ret_why_not);
        if (r == -ECANCELED || r == -ENOMEM)
                return r;
        *ret_why_not = r == -ENOENT ? strdup("nbdkit is not installed")
                                    : strprintf("starting nbdkit failed: %s", strerror(-r));
        return *ret_why_not ? 0 : -ENOMEM;
}

/* --- a disk ---------------------------------------------------------------------------------------- */

static int make_work_directory(VsphereSource *v) {
        _cleanup_free_ char *path = strprintf("%s/vddk-XXXXXX", v->attempt->runtime);

        if (v->vddk_work)
                return 0;
        if (!path)
                return -ENOMEM;
        if (!mkdtemp(path))
                return -errno;
        v->vddk_work = TAKE_PTR(path);
        return 0;
}

static int write_file(const char *directory, const char *name, const char *text, char **ret) {
        _cleanup_free_ char *path = strprintf("%s/%s", directory, name);
        int r = path ? write_file_atomic_at(AT_FDCWD, path, text, strlen(text), 0600) : -ENOMEM;

        if (r >= 0)
                *ret = TAKE_PTR(path);
        return r;
}

static int write_password(VsphereSource *v, char **ret) {
        _cleanup_free_ char *password = NULL;
        int r = vsphere_read_password(v->attempt, &password);

        if (r < 0)
                return r;
        r = write_file(v->vddk_work, "password", password, ret);
        explicit_bzero(password, strlen(password));
        return r;
}

/* The library's own temporary directory would be in /tmp. */
static int write_config(const char *work, char **ret) {
        _cleanup_free_ char *text = strprintf("tmpDirectory=\"%s\"\n", work);

        return text ? write_file(work, "config", text, ret) : -ENOMEM;
}

/* Takes what strprintf() has made. */
static int add(char ***argv, char *argument) {
        return argument ? strv_consume(argv, argument) : -ENOMEM;
}

static int add_arguments(
                VsphereSource *v, size_t disk, const char *password, const char *config, char ***argv) {
        const JobPlan *plan = v->attempt->plan;
        const Soap *soap = session_soap(v->session);
        int r = 0;

        if (r >= 0)
                r = add(argv, strprintf("libdir=%s", plan->vddk_libdir));
        if (r >= 0)
                r = add(argv, strprintf("config=%s", config));
        if (r >= 0)
                r = add(argv, strprintf("server=%s", soap_host(soap)));
        if (r >= 0)
                r = add(argv, strprintf("port=%s", soap_port(soap)));
        if (r >= 0)
                r = add(argv, strprintf("user=%s", v->spec->username));
        if (r >= 0)
                r = add(argv, strprintf("password=+%s", password));
        if (r >= 0)
                r = add(argv, strprintf("thumbprint=%s", soap_sha1_thumbprint(soap)));
        if (r >= 0)
                r = add(argv, strprintf("vm=moref=%s", v->vm.summary.id));
        if (r >= 0 && v->snapshot)
                r = add(argv, strprintf("snapshot=%s", v->snapshot));
        if (r >= 0)
                r = add(argv, strdup("transports=nbdssl:nbd"));
        return r < 0 ? r : add(argv, strprintf("file=%s", strempty(v->disks[disk].device->file)));
}

int vddk_child_start(VsphereSource *v, size_t disk, ServerGroup **ret, char **ret_error) {
        static const char *const options[] = { "nbdkit", "--foreground", "--readonly",
                "--filter=blocksize" };
        const JobPlan *plan = v->attempt->plan;
        _cleanup_parser_files_ ParserFiles files = {};
        _cleanup_free_ char *path = library_path(plan), *password = NULL, *config = NULL;
        _cleanup_strv_free_ char **argv = NULL;
        int r = path ? make_work_directory(v) : -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(options) && r >= 0; i++)
                r = strv_extend(&argv, options[i]);
        if (r >= 0)
                r = strv_extend(&argv, plugin_of(plan));
        if (r >= 0)
                r = strv_extend(&argv, "maxdata=" REQUEST_MAX);
        if (r >= 0)
                r = write_password(v, &password);
        if (r >= 0)
                r = write_config(v->vddk_work, &config);
        vsphere_lock(v);
        if (r >= 0)
                r = add_arguments(v, disk, password, config, &argv);
        vsphere_unlock(v);
        if (r >= 0)
                r = list_files(plan, v->vddk_work, &files);
        if (r < 0)
                return r;
        const ChildLimits limits = { .files = &files, .library_path = path };
        return server_group_start_program((const char *const *) argv, &limits, 1, v->attempt->runtime,
                        v->attempt->cancel_fd, ret, ret_error);
}

static void forget(VsphereSource *v, const char *name) {
        _cleanup_free_ char *path = v->vddk_work ? strprintf("%s/%s", v->vddk_work, name) : NULL;

        if (path)
                (void) unlink(path);
}

void vddk_child_forget_password(VsphereSource *v) {
        forget(v, "password");
}

void vddk_child_done(VsphereSource *v) {
        forget(v, "password");
        forget(v, "config");
        if (v->vddk_work)
                (void) rmdir(v->vddk_work);
        v->vddk_work = mfree(v->vddk_work);
        v->vddk_why_not = mfree(v->vddk_why_not);
}
