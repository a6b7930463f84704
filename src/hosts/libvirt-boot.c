/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/libvirt-boot.h"

#include <libvirt/virterror.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/boot-watch.h"
#include "hosts/hardware.h"
#include "hosts/libvirt-define.h"
#include "hosts/libvirt-display.h"
#include "hosts/libvirt-domain.h"
#include "hosts/libvirt-error.h"

/* The domain is looked at this often. */
#define PAUSE (200 * USEC_PER_MSEC)
#define AGENT_INTERVAL (2 * USEC_PER_SEC)
#define AGENT_TIMEOUT_SEC 2
#define SCREEN_INTERVAL (5 * USEC_PER_SEC)
/* A screen without a change is at its end. */
#define STILL_TIME (60 * USEC_PER_SEC)
#define CONSOLE_PIECE 4096u
/* Where qemu:///system has the variables of a firmware. */
#define NVRAM_DIRECTORY "/var/lib/libvirt/qemu/nvram"

typedef struct Boot {
        const BootRequest *request;
        virConnectPtr connection;
        virDomainPtr domain;
        virStreamPtr console; /* NULL: it could not be opened, or has ended */
        BootWatch *watch;
        ScreenImage screen; /* the last one */
        usec_t next_screen, next_agent;
} Boot;

static void close_console(Boot *b) {
        if (!b->console)
                return;
        (void) virStreamAbort(b->console);
        (void) virStreamFree(b->console);
        b->console = NULL;
}

static void boot_done(Boot *b) {
        close_console(b);
        if (b->domain) {
                /* (What it did not end by itself; its overlays are removed with it.) */
                (void) virDomainDestroy(b->domain);
                (void) virDomainFree(b->domain);
        }
        boot_watch_free(b->watch);
        screen_image_done(&b->screen);
}

/* --- what it shows --------------------------------------------------------------------------------- */

static int read_console(Boot *b, usec_t now) {
        char data[CONSOLE_PIECE];

        for (unsigned i = 0; b->console && i < 256; i++) {
                int n = virStreamRecv(b->console, data, sizeof(data));

                if (n == -2) /* nothing more for now */
                        return 0;
                if (n <= 0)
                        close_console(b);
                int r = n > 0 ? boot_watch_console(b->watch, data, (size_t) n, now) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A screen that cannot be seen is no reason to fail: there are other signs. */
static void look_at_screen(Boot *b, usec_t now) {
        _cleanup_screen_image_ ScreenImage image = {};
        _cleanup_free_ char *error = NULL;

        if (libvirt_screen(b->connection, b->domain, &image, &error) < 0)
                return;
        boot_watch_screen(b->watch, image.data, image.size, now);
        screen_image_done(&b->screen);
        b->screen = image;
        image = (ScreenImage){};
}

static void look_at_disks(Boot *b, usec_t now) {
        virDomainBlockStatsStruct stats;

        /* All disks together */
        if (virDomainBlockStats(b->domain, "", &stats, sizeof(stats)) >= 0)
                boot_watch_disks(b->watch, (uint64_t) MAX(stats.rd_bytes, 0LL),
                                (uint64_t) MAX(stats.wr_bytes, 0LL), now);
}

static int ask_agent(Boot *b) {
        virTypedParameterPtr parameters = NULL;
        const char *name = NULL;
        int n = 0, r = 0;

        if (virDomainGetGuestInfo(b->domain, VIR_DOMAIN_GUEST_INFO_OS, &parameters, &n, 0) < 0)
                return 0;
        (void) virTypedParamsGetString(parameters, n, "os.pretty-name", &name);
        if (n > 0)
                r = boot_watch_agent(b->watch, name);
        virTypedParamsFree(parameters, n);
        return r;
}

static int look_at_state(Boot *b) {
        int state, reason;

        if (virDomainGetState(b->domain, &state, &reason, 0) < 0)
                return virConnectIsAlive(b->connection) == 1
                                ? boot_watch_ended(b->watch, "has powered itself off, or QEMU has ended")
                                : -ENOLINK;
        if (state == VIR_DOMAIN_CRASHED ||
                        (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_CRASHED))
                return boot_watch_ended(b->watch, "has crashed");
        if (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_IOERROR)
                return boot_watch_ended(b->watch,
                                "was stopped by an I/O error of its disks: is the file system "
                                "of the disks full?");
        return 0;
}

static int look(Boot *b, usec_t now) {
        int r = read_console(b, now);

        if (r >= 0)
                r = look_at_state(b);
        if (r >= 0 && now >= b->next_agent) {
                look_at_disks(b, now);
                r = ask_agent(b);
                b->next_agent = now + AGENT_INTERVAL;
        }
        if (r >= 0 && now >= b->next_screen) {
                look_at_screen(b, now);
                b->next_screen = now + SCREEN_INTERVAL;
        }
        return r;
}

/* --- the proof ------------------------------------------------------------------------------------- */

static int watch(Boot *b, KvmBoot **ret) {
        for (;;) {
                if (*b->request->cancelled)
                        return -ECANCELED;
                usec_t now = now_monotonic();
                int r = look(b, now);
                if (r >= 0)
                        r = boot_watch_judge(b->watch, now, ret);
                if (r < 0)
                        return r;
                if (r > 0) {
                        look_at_screen(b, now); /* for people */
                        look_at_disks(b, now);
                        return 0;
                }
                (void) usleep(PAUSE);
        }
}

static int make_watch(Boot *b, const KvmTarget *t) {
        const BootRequest *q = b->request;
        unsigned factor = streq(t->type, "kvm") ? 1 : BOOT_EMULATED_FACTOR;
        usec_t limit = q->limit > 0 ? q->limit : q->limit_default * factor;

        b->watch = boot_watch_new(now_monotonic(), STILL_TIME * factor, limit);
        return b->watch ? 0 : -ENOMEM;
}

/* Paused, so that the first bytes of its console are not lost, and destroyed by libvirt when our connection
 * is closed. 0 with *ret: libvirt does not start it. */
static int create(Boot *b, const KvmTarget *t, KvmBoot **ret) {
        _cleanup_free_ char *xml = NULL, *words = NULL, *message = NULL;

        int r = hardware_boot_xml(b->request->domain, t, &xml);
        if (r < 0)
                return r;
        b->domain = virDomainCreateXML(b->connection, xml,
                        VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_VALIDATE);
        if (b->domain)
                return 0;
        r = libvirt_words(b->connection, &words);
        if (r < 0)
                return r;
        message = strprintf("libvirt does not start it: %s", words);
        *ret = message ? kvm_boot_new(KVM_BOOTS_NO, message) : NULL;
        return *ret ? 0 : -ENOMEM;
}

static int resume(Boot *b, char **ret_error) {
        b->console = virStreamNew(b->connection, VIR_STREAM_NONBLOCK);
        if (b->console && virDomainOpenConsole(b->domain, NULL, b->console, VIR_DOMAIN_CONSOLE_FORCE) < 0) {
                log_warning("The console of %s cannot be opened: %s", b->request->domain->name,
                                virGetLastErrorMessage());
                (void) virStreamFree(b->console);
                b->console = NULL;
        }
        (void) virDomainAgentSetResponseTimeout(b->domain, AGENT_TIMEOUT_SEC, 0);
        return virDomainResume(b->domain) < 0 ? libvirt_error(ret_error) : 0;
}

static int prove(Boot *b, const KvmTarget *t, KvmBoot **ret, char **ret_error) {
        int r = libvirt_boot_end(b->connection, b->request->domain->job_id, ret_error);

        if (r >= 0)
                r = create(b, t, ret);
        if (r < 0 || *ret)
                return r;
        r = resume(b, ret_error);
        if (r >= 0)
                r = make_watch(b, t);
        if (r >= 0)
                r = watch(b, ret);
        return r < 0 && virConnectIsAlive(b->connection) != 1 ? -ENOLINK : r;
}

int libvirt_boot(virConnectPtr connection, const BootRequest *q, KvmBoot **ret, int *ret_screenshot,
                char **ret_error) {
        _cleanup_(boot_done) Boot b = { .request = q, .connection = connection };
        _cleanup_kvm_target_ KvmTarget *t = NULL;
        _cleanup_kvm_boot_ KvmBoot *boot = NULL;
        _cleanup_free_ char *error = NULL;

        int r = libvirt_target(connection, q->local, NULL, &t, ret_error);
        if (r >= 0)
                r = prove(&b, t, &boot, ret_error);
        if (r < 0)
                return r;
        *ret_screenshot = -EBADF;
        if (b.screen.size > 0 && (r = screen_image_to_png(&b.screen, ret_screenshot, &error)) < 0)
                log_warning_errno(r, "The screenshot of %s is left out: %m", q->domain->name);
        *ret = TAKE_PTR(boot);
        return 0;
}

/* A domain of that name that is undefined together with the file. */
static int remove_file_of(
                virConnectPtr c, const char *type, const char *name, const char *job_id, const char *file) {
        _cleanup_free_ char *xml = strprintf(
                        "<domain type='%s'><name>%s</name><memory>65536</memory><metadata>"
                        "<hyper:job xmlns:hyper='" HARDWARE_NAMESPACE "' id='%s'/></metadata>"
                        "<os><type arch='x86_64' machine='q35'>hvm</type>"
                        "<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader>"
                        "<nvram>" NVRAM_DIRECTORY "/%s</nvram></os>"
                        "<features><acpi/></features></domain>",
                        type, name, job_id, file);
        _cleanup_domain_ virDomainPtr domain = xml ? virDomainDefineXML(c, xml) : NULL;

        if (!xml)
                return -ENOMEM;
        return domain && virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_NVRAM) >= 0 ? 0 : -EREMOTEIO;
}

/* libvirt never removes the variables of the firmware of a transient domain. That this fails is no reason to
 * fail: without such a firmware, there are none. */
static int remove_variables(virConnectPtr c, const char *name, const char *job_id) {
        static const char *const extensions[] = { "fd", "qcow2" };

        for (size_t i = 0; i < ELEMENTSOF(extensions); i++) {
                _cleanup_free_ char *file = strprintf("%s_VARS.%s", name, extensions[i]);
                int r = file ? remove_file_of(c, "qemu", name, job_id, file) : -ENOMEM;

                if (r == -EREMOTEIO)
                        r = remove_file_of(c, "kvm", name, job_id, file);
                if (r == -ENOMEM)
                        return r;
        }
        return virConnectIsAlive(c) == 1 ? 0 : -ENOLINK;
}

/* It may have ended meanwhile. */
static int destroy_own(virConnectPtr connection, const char *name, const char *job_id, char **ret_error) {
        _cleanup_domain_ virDomainPtr domain = virDomainLookupByName(connection, name);

        if (!domain)
                return virConnectIsAlive(connection) == 1 ? 0 : -ENOLINK;
        if (!libvirt_is_of_job(domain, job_id)) {
                *ret_error = strprintf("there is another domain with the name %s", name);
                return -EEXIST;
        }
        return virDomainDestroy(domain) < 0 && virConnectIsAlive(connection) != 1 ? -ENOLINK : 0;
}

int libvirt_boot_end(virConnectPtr connection, const char *job_id, char **ret_error) {
        _cleanup_free_ char *name = kvm_boot_domain_name(job_id);
        int r = name ? destroy_own(connection, name, job_id, ret_error) : -ENOMEM;

        return r < 0 ? r : remove_variables(connection, name, job_id);
}
