/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/recognize.h"
#include "image/refusal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "image/image.h"
#include "image/ova-name.h"
#include "job/helper.h"

#define SIGHT_MAX ((size_t) 16 * 1024)
#define TEXT_MAX 120u

void sight_done(Sight *s) {
        free(s->table);
        free(s->file_system);
        free(s->magic);
        free(s->mime);
        *s = (Sight){};
}

/* --- what the child says --------------------------------------------------------------------------- */

/* It may have been taken over by the bytes that it looked at: its words are shown to people. */
static int take_text(char **p, const char *value) {
        free(*p);
        *p = utf8_make_valid(value, strlen(value), TEXT_MAX);
        if (!*p)
                return -ENOMEM;
        (void) utf8_replace_control(*p, ' ');
        return 0;
}

static int take_line(Sight *s, const char *key, const char *value) {
        if (streq(key, "pt"))
                return take_text(&s->table, value);
        if (streq(key, "fs"))
                return take_text(&s->file_system, value);
        if (streq(key, "magic"))
                return take_text(&s->magic, value);
        if (streq(key, "mime"))
                return take_text(&s->mime, value);
        if (streq(key, "end"))
                return parse_uint64(value, &s->table_end) < 0 ? -EBADMSG : 0;
        if (streq(key, "boot"))
                s->boot_sector = true;
        else if (streq(key, "zero"))
                s->zero = true;
        return 0;
}

int sight_parse(const char *text, size_t size, Sight *ret) {
        _cleanup_sight_ Sight s = {};
        _cleanup_free_ char *copy = NULL;
        char *save = NULL;

        if (size > SIGHT_MAX || memchr(text, 0, size))
                return -EBADMSG;
        copy = strndup(text, size);
        if (!copy)
                return -ENOMEM;
        for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *blank = strchr(line, ' ');
                if (!blank)
                        return -EBADMSG;
                *blank = 0;
                int r = take_line(&s, line, blank + 1);
                if (r < 0)
                        return r;
        }
        *ret = s;
        s = (Sight){};
        return 0;
}

int recognize_look(int fd, uint64_t offset, uint64_t length, int cancel_fd, Sight *ret) {
        static const ChildLimits limits = {
                .address_space = UINT64_C(512) << 20, .cpu_seconds = 30, .timeout = 60 * USEC_PER_SEC
        };
        _cleanup_free_ char *at = strprintf("%" PRIu64, offset), *n = strprintf("%" PRIu64, length),
                            *errors = NULL, *text = NULL;
        const char *const argv[] = { "recognize", at, n, NULL };
        struct stat st;
        int status;

        if (!at || !n)
                return -ENOMEM;
        _cleanup_close_ int out = memfd_create("recognize", MFD_CLOEXEC);
        if (out < 0)
                return -errno;
        int r = helper_run(argv, &limits, fd, out, cancel_fd, NULL, NULL, &status, &errors);
        if (r < 0)
                return r;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || fstat(out, &st) < 0 ||
                        (uint64_t) st.st_size > SIGHT_MAX)
                return -EBADMSG;
        text = malloc((size_t) st.st_size + 1);
        if (!text)
                return -ENOMEM;
        r = pread_full(out, text, (size_t) st.st_size, 0);
        return r < 0 ? r : sight_parse(text, (size_t) st.st_size, ret);
}

/* --- what it means --------------------------------------------------------------------------------- */

/* Files that people give instead of the image: told by what is in their first bytes. */
static const struct {
        const char *magic;
        size_t length;
        size_t offset;
        const char *what;
} known[] = {
        { "\xbe\xba\xfe\xca\0\0\0\0", 8, 0,
                        "it is a seSparse extent of VMware: give the descriptor, the .vmdk file of a few "
                        "hundred "
                        "bytes that names it" },
        { "Rar!\x1a\x07", 6, 0,
                        "it is a rar archive, which is not supported: unpack it, and give the image in it" },
        { "MSCF\0\0\0\0", 8, 0,
                        "it is a cabinet archive, which is not supported: unpack it, and give the image in "
                        "it" },
        { "\x04\x22\x4d\x18", 4, 0,
                        "it is compressed with lz4, which is not supported: unpack it, and give the image "
                        "in it" },
        { "\x1f\x9d", 2, 0,
                        "it is compressed with compress, which is not supported: unpack it, and give the "
                        "image in "
                        "it" },
        { "LZIP", 4, 0,
                        "it is compressed with lzip, which is not supported: unpack it, and give the image "
                        "in it" },
        { "MSWIM\0\0\0", 8, 0, "it is a Windows image (WIM): it holds files, and no disk" },

};

/* The same, told by words in a text. */
static const struct {
        const char *word;
        const char *what;
} texts[] = {
        { "<VirtualBox", "it is the settings of a VirtualBox machine (.vbox): give its .vdi or .vmdk" },
        { "<domain", "it is the definition of a libvirt machine: give the image that its <source> names" },
        { "<Envelope", "it is an OVF descriptor: give it under a name that ends with .ovf, or its OVA" },
        { "virtualHW.version", "it is a VMware configuration file (.vmx): give its .vmdk" },
        { "config.version", "it is a VMware configuration file (.vmx): give its .vmdk" },
        { ".fileName", "it is a VMware configuration file (.vmx): give its .vmdk" },
        { "<html", "it is an HTML page: the download saved a page of the server instead of the file" },
        { "<!doctype html",
                        "it is an HTML page: the download saved a page of the server instead of the file" },
        { "<Error>", "it is an error message of a server: the download did not work" },
};

static bool is_text(const Candidate *c) {
        for (size_t i = 0; i < c->head_size; i++)
                if (!c->head[i] || ((unsigned char) c->head[i] < 0x20 && !strchr("\t\r\n\f", c->head[i])))
                        return false;
        return c->head_size > 0;
}

static const char *known_as(const Candidate *c) {
        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (c->head_size >= known[i].offset + known[i].length &&
                                memcmp(c->head + known[i].offset, known[i].magic, known[i].length) == 0)
                        return known[i].what;
        if (!is_text(c))
                return NULL;
        _cleanup_free_ char *text = strndup(c->head, c->head_size);
        for (size_t i = 0; text && i < ELEMENTSOF(texts); i++)
                if (strcasestr(text, texts[i].word))
                        return texts[i].what;
        return NULL;
}

/* What libmagic knows and no disk is. Its guesses at random data are not among them. */
static bool is_something_else(const Sight *s, const Candidate *c) {
        const char *mime = strempty(s->mime);

        return is_text(c) || startswith(mime, "text/") || startswith(mime, "application/pdf") ||
                        startswith(mime, "application/x-executable") ||
                        startswith(mime, "application/x-pie-executable") ||
                        startswith(mime, "application/x-sharedlib") ||
                        startswith(mime, "application/x-dosexec") || startswith(mime, "application/json") ||
                        startswith(mime, "application/x-tar") || startswith(mime, "application/vnd.") ||
                        startswith(mime, "application/java-archive") ||
                        startswith(mime, "application/x-rpm") || startswith(mime, "application/x-cpio") ||
                        startswith(mime, "application/vnd.debian.binary-package") ||
                        startswith(mime, "image/png") || startswith(mime, "image/jpeg") ||
                        startswith(mime, "image/gif");
}

static const struct {
        const char *suffix;
        const char *what;
} names[] = {
        { ".vhd", "a cut-off VHD has lost its footer, by which it is known" },
        { ".vhdx", "a VHDX begins with \"vhdxfile\"" },
        { ".vmdk", "neither a sparse disk nor a descriptor begins so" },
        { ".vdi", "a VDI has its signature at byte 64" },
        { ".qcow2", "a qcow2 begins with \"QFI\"; of an interrupted download, the begin may be missing" },
        { ".ova", "an OVA is a tar archive" },
        { ".ovf", "an OVF is XML" },
};

static const char *promise(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (ova_name_has_suffix(name, names[i].suffix))
                        return names[i].what;
        return NULL;
}

static const char *remedy(const Candidate *c) {
        return c->inner ? "If it is a raw disk all the same, unpack the OVA, and give the disk with raw as "
                          "its format."
                        : "If it is a raw disk all the same, give its format as raw.";
}

static int refuse_unknown(const Sight *s, const Candidate *c, char **ret) {
        const char *what = known_as(c), *hint = promise(c->name);

        if (what)
                return refuse(ret, "%s", what);
        return refuse(ret, "it is no disk image that is known, %s%s%s%s%s. %s",
                        s->zero ? "and begins with zeroes, as an empty disk does, or a download that did "
                                  "not finish"
                                : "and looks like ",
                        s->zero ? "" : strna(s->magic), hint ? " (" : "", strempty(hint), hint ? ")" : "",
                        remedy(c));
}

#define because(ret, ...)                        \
        ({                                       \
                *(ret) = strprintf(__VA_ARGS__); \
                *(ret) ? 0 : -ENOMEM;            \
        })

int recognize_judge(const Sight *s, const Candidate *c, char **ret_text) {
        bool named_raw = c->is_raw || ova_name_says_raw(c->name);

        if (known_as(c))
                return refuse_unknown(s, c, ret_text);
        /* A fixed VHD is a raw disk with a footer behind it: one that was cut off looks like a raw disk. */
        if (ova_name_has_suffix(c->name, ".vhd") && !c->is_raw)
                return refuse(ret_text,
                                "it is called a VHD, but has no footer: it is cut off, and some of the disk "
                                "may be "
                                "missing, too. %s",
                                remedy(c));
        if (s->table && s->table_end > c->length)
                return refuse(ret_text,
                                "its partitions reach to byte %" PRIu64 ", but it has %" PRIu64
                                " bytes: it is cut off. To convert it as it is, give its format as raw.",
                                s->table_end, c->length);
        if (s->table)
                return because(ret_text, "it has a partition table (%s)", s->table);
        if (s->file_system)
                return because(ret_text, "it has a file system or the like (%s)", s->file_system);
        if (s->boot_sector)
                return because(ret_text, "it has a boot sector");
        if (named_raw && !is_something_else(s, c))
                return because(ret_text,
                                c->is_raw ? "its OVF says so; it has neither a partition table nor a file "
                                            "system"
                                          : "its name says so; it has neither a partition table nor a file "
                                            "system");
        return refuse_unknown(s, c, ret_text);
}
