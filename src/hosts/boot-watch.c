/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/boot-watch.h"

#include <inttypes.h>

#include "basic/string-util.h"
#include "basic/utf8.h"

/* Some programs read a little from the disk all the time. */
#define READ_STEP ((uint64_t) 4 * 1024 * 1024)
/* Firmware that finds nothing to start has read less. */
#define READ_LOADER ((uint64_t) 64 * 1024)
/* The overlays must not fill the file system that other domains use. */
#define WRITTEN_MAX ((uint64_t) 4 * 1024 * 1024 * 1024)

typedef enum Escape {
        ESCAPE_NONE,
        ESCAPE_BEGUN, /* after ESC */
        ESCAPE_CSI, /* after ESC [ */
        ESCAPE_STRING, /* after ESC ] and the like: ends with BEL or ESC \ */
} Escape;

struct BootWatch {
        usec_t started, still, limit;
        usec_t active; /* when something changed last */
        /* The console */
        char *lines[KVM_BOOT_LINES_MAX]; /* a ring */
        size_t n_lines; /* ever */
        char line[KVM_BOOT_LINE_MAX]; /* the last one, which has no end yet */
        size_t n_line;
        bool returned; /* after CR: the next character is the first of the line */
        Escape escape;
        /* The screen: hashes of the last two images. A cursor that blinks makes two. */
        uint64_t screens[2];
        bool has_screen;
        uint64_t bytes_read, bytes_marked, bytes_written;
        /* The verdict */
        KvmBoots boots;
        char *message;
};

BootWatch *boot_watch_new(usec_t now, usec_t still, usec_t limit) {
        BootWatch *w = new0(BootWatch, 1);

        if (w)
                *w = (BootWatch){ .started = now, .active = now, .still = still, .limit = limit };
        return w;
}

BootWatch *boot_watch_free(BootWatch *w) {
        if (!w)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(w->lines); i++)
                free(w->lines[i]);
        free(w->message);
        return mfree(w);
}

/* The first verdict counts. Takes @message; NULL: out of memory. */
static int decide(BootWatch *w, KvmBoots boots, char *message) {
        if (!message)
                return -ENOMEM;
        if (w->message)
                free(message);
        else {
                w->boots = boots;
                w->message = message;
        }
        return 0;
}

/* --- the console ----------------------------------------------------------------------------------- */

typedef struct Sign {
        const char *text;
        bool prompt; /* only at the beginning of a line that has no end yet */
        KvmBoots boots;
        const char *meaning;
} Sign;

static const Sign signs[] = {
        { "Kernel panic - not syncing", false, KVM_BOOTS_NO, "its kernel has stopped with a panic" },
        { "Gave up waiting for root file system device", false, KVM_BOOTS_NO,
                        "its initramfs does not find the root file system" },
        { "Gave up waiting for root device", false, KVM_BOOTS_NO,
                        "its initramfs does not find the root file system" },
        { "(initramfs)", true, KVM_BOOTS_NO, "it stays in its initramfs" },
        { "dracut:/#", true, KVM_BOOTS_NO, "it stays in its initramfs" },
        { "[rootfs ", true, KVM_BOOTS_NO, "it stays in its initramfs" },
        { "You are in emergency mode", false, KVM_BOOTS_NO, "it is in emergency mode" },
        { "Give root password for maintenance", false, KVM_BOOTS_NO, "it is in emergency mode" },
        { "Cannot open access to console, the root account is locked", false, KVM_BOOTS_NO,
                        "it is in emergency mode" },
        { "grub rescue>", true, KVM_BOOTS_NO, "GRUB does not find its files" },
        { "grub>", true, KVM_BOOTS_NO, "GRUB does not find its configuration" },
        { "No bootable option or device was found", false, KVM_BOOTS_NO,
                        "the firmware finds nothing to boot" },
        { "No bootable device", false, KVM_BOOTS_NO, "the firmware finds nothing to boot" },
        { "UEFI Interactive Shell", false, KVM_BOOTS_NO, "the firmware finds nothing to boot" },
        { " login:", false, KVM_BOOTS_YES, "a login prompt is on the serial console" },
        { "login:", true, KVM_BOOTS_YES, "a login prompt is on the serial console" },
        { "Multi-User System", false, KVM_BOOTS_YES, "systemd has reached multi-user.target" },
};

static bool line_has(const BootWatch *w, const Sign *s, bool ended) {
        size_t n = strlen(s->text);

        if (s->prompt)
                return !ended && w->n_line >= n && memcmp(w->line, s->text, n) == 0;
        return memmem(w->line, w->n_line, s->text, n) != NULL;
}

/* "Starting Multi-User System" is no news. */
static bool is_news(const BootWatch *w, const Sign *s) {
        return !streq(s->text, "Multi-User System") ||
                        memmem(w->line, w->n_line, "Reached target", strlen("Reached target"));
}

static int look_at_line(BootWatch *w, bool ended) {
        for (size_t i = 0; i < ELEMENTSOF(signs) && !w->message; i++)
                if (line_has(w, &signs[i], ended) && is_news(w, &signs[i]))
                        return decide(w, signs[i].boots, strdup(signs[i].meaning));
        return 0;
}

/* The line for people; NULL when out of memory. */
static char *clean_line(const BootWatch *w) {
        char *s = utf8_make_valid(w->line, w->n_line, KVM_BOOT_LINE_MAX);

        return s ? utf8_replace_control(s, ' ') : NULL;
}

static int end_line(BootWatch *w) {
        int r = look_at_line(w, true);

        if (r >= 0 && w->n_line > 0) {
                char **slot = &w->lines[w->n_lines % ELEMENTSOF(w->lines)], *line = clean_line(w);
                if (!line)
                        return -ENOMEM;
                free(*slot);
                *slot = line;
                w->n_lines++;
        }
        w->n_line = 0;
        w->returned = false;
        return r;
}

static int on_character(BootWatch *w, char c) {
        if (c == '\n')
                return end_line(w);
        if (c == '\r')
                w->returned = true;
        else if (c == '\b')
                w->n_line -= w->n_line > 0;
        else if ((uint8_t) c >= ' ' && c != 0x7f) {
                if (w->returned)
                        w->n_line = 0;
                w->returned = false;
                /* What is too long for a line is left out. */
                if (w->n_line < sizeof(w->line))
                        w->line[w->n_line++] = c;
        }
        return 0;
}

/* Sequences of ECMA-48. One that moves to another line or clears the screen ends the line. */
static int on_escape(BootWatch *w, char c) {
        switch (w->escape) {
        case ESCAPE_BEGUN:
                w->escape = c == '[' ? ESCAPE_CSI : c && strchr("]P_^X", c) ? ESCAPE_STRING : ESCAPE_NONE;
                return 0;
        case ESCAPE_CSI:
                if ((uint8_t) c < 0x40)
                        return 0;
                w->escape = ESCAPE_NONE;
                return strchr("HfJABEF", c) ? end_line(w) : 0;
        default:
                if (c == '\a')
                        w->escape = ESCAPE_NONE;
                return 0;
        }
}

int boot_watch_console(BootWatch *w, const char *data, size_t size, usec_t now) {
        int r = 0;

        for (size_t i = 0; i < size && r >= 0; i++) {
                if (data[i] == '\033')
                        w->escape = ESCAPE_BEGUN;
                else if (w->escape != ESCAPE_NONE)
                        r = on_escape(w, data[i]);
                else
                        r = on_character(w, data[i]);
        }
        if (size > 0)
                w->active = now;
        return r < 0 ? r : look_at_line(w, false);
}

/* --- other signs ----------------------------------------------------------------------------------- */

void boot_watch_screen(BootWatch *w, const void *image, size_t size, usec_t now) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325);

        for (size_t i = 0; i < size; i++)
                hash = (hash ^ ((const uint8_t *) image)[i]) * UINT64_C(0x100000001b3);
        if (w->has_screen && (hash == w->screens[0] || hash == w->screens[1]))
                return;
        w->screens[1] = w->has_screen ? w->screens[0] : hash;
        w->screens[0] = hash;
        w->has_screen = true;
        w->active = now;
}

void boot_watch_disks(BootWatch *w, uint64_t bytes, uint64_t written, usec_t now) {
        if (bytes > w->bytes_marked && bytes - w->bytes_marked >= READ_STEP) {
                w->bytes_marked = bytes;
                w->active = now;
        }
        w->bytes_read = MAX(w->bytes_read, bytes);
        w->bytes_written = MAX(w->bytes_written, written);
}

int boot_watch_agent(BootWatch *w, const char *os) {
        _cleanup_free_ char *name = utf8_make_valid(strempty(os), strlen(strempty(os)), 128);

        if (!name)
                return -ENOMEM;
        if (*name && !utf8_has_control(name))
                return decide(w, KVM_BOOTS_YES, strprintf("the guest agent of %s answers", name));
        return decide(w, KVM_BOOTS_YES, strdup("its guest agent answers"));
}

int boot_watch_ended(BootWatch *w, const char *how) {
        return decide(w, KVM_BOOTS_NO, strprintf("it %s", how));
}

/* --- the verdict ----------------------------------------------------------------------------------- */

static int decide_by_time(BootWatch *w, usec_t now) {
        uint64_t still = (now - w->active) / USEC_PER_SEC, passed = (now - w->started) / USEC_PER_SEC;

        if (w->bytes_written >= WRITTEN_MAX)
                return decide(w, KVM_BOOTS_UNKNOWN,
                                strprintf("it has written %" PRIu64
                                          " bytes to its disks, which is more than a trial may",
                                                w->bytes_written));
        if (w->has_screen && now - w->active >= w->still && w->bytes_read < READ_LOADER)
                return decide(w, KVM_BOOTS_NO,
                                strprintf("nothing has changed for %" PRIu64
                                          " s, and it has read only %" PRIu64
                                          " bytes of its disks: there is nothing to boot on them",
                                                still, w->bytes_read));
        if (w->has_screen && now - w->active >= w->still)
                return decide(w, KVM_BOOTS_UNKNOWN,
                                strprintf("its screen has not changed for %" PRIu64
                                          " s, and the serial console has no login prompt: see the "
                                          "screenshot",
                                                still));
        if (now - w->started >= w->limit)
                return decide(w, KVM_BOOTS_UNKNOWN,
                                strprintf("there was neither a login prompt on the serial console nor an "
                                          "answer of the guest agent within %" PRIu64 " s",
                                                passed));
        return 0;
}

static int list_lines(BootWatch *w, char ***ret) {
        size_t n = ELEMENTSOF(w->lines), first = w->n_lines > n ? w->n_lines - n : 0;
        int r = 0;

        /* With the line that has no end, there is one more. */
        if (w->n_line > 0 && w->n_lines - first == n)
                first++;
        for (size_t i = first; i < w->n_lines && r >= 0; i++)
                r = strv_extend(ret, w->lines[i % n]);
        if (r >= 0 && w->n_line > 0)
                r = strv_consume(ret, clean_line(w));
        return r;
}

int boot_watch_judge(BootWatch *w, usec_t now, KvmBoot **ret) {
        _cleanup_kvm_boot_ KvmBoot *b = NULL;
        int r = w->message ? 0 : decide_by_time(w, now);

        if (r < 0 || !w->message)
                return r;
        b = kvm_boot_new(w->boots, w->message);
        if (!b)
                return -ENOMEM;
        b->seconds = (unsigned) MIN((now - w->started) / USEC_PER_SEC, (uint64_t) KVM_BOOT_SECONDS_MAX);
        b->bytes_read = w->bytes_read;
        r = list_lines(w, &b->console);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b);
        return 1;
}
