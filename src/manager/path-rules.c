/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/path-rules.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "spec/job-spec.h"

#define LINKS_MAX 40u /* as the kernel has it */

/* Where disk images are not, but much that must not be read or overwritten through a job. The longest entry
 * that a path lies below decides. */
static const struct {
        const char *prefix;
        const char *refusal; /* NULL: allowed again */
} places[] = {
        { "/bin", "programs of the system are there" },
        { "/boot", "the kernel and its loader are there" },
        { "/dev", "of what is there, only block devices can be used" },
        { "/etc", "the system's configuration and keys are there" },
        { "/lib", "programs of the system are there" },
        { "/lib32", "programs of the system are there" },
        { "/lib64", "programs of the system are there" },
        { "/libx32", "programs of the system are there" },
        { "/lost+found", "it belongs to the file system" },
        { "/proc", "it is the kernel's" },
        { "/sbin", "programs of the system are there" },
        { "/sys", "it is the kernel's" },
        { "/usr", "programs of the system are there" },
        /* Sockets, secrets and state of running services; media that a person plugged in are not. */
        { "/run", "running services keep their state there" },
        { "/run/media", NULL },
        { "/run/mount", NULL },
        /* Databases, spools, logs, and our own files, except where disk images are kept. */
        { "/var", "services keep their data there" },
        { "/var/home", NULL }, /* where /home is on image-based systems */
        { "/var/lib/glance/images", NULL },
        { "/var/lib/hyper/uploads", NULL },
        { "/var/lib/hypersdk", NULL },
        { "/var/lib/libvirt", NULL },
        { "/var/lib/libvirt/secrets", "libvirt's secrets are there" },
        { "/var/lib/machines", NULL },
        { "/var/lib/nova/instances", NULL },
        { "/var/lib/portables", NULL },
        { "/var/lib/vz", NULL },
        { "/var/local", NULL },
        { "/var/mnt", NULL },
        { "/var/opt", NULL },
        { "/var/srv", NULL },
        { "/var/tmp", NULL },
        { "/var/www", NULL },
};

/* Directories with keys, wherever they are. */
static const char *const private_directories[] = { ".ssh", ".gnupg", ".pki" };

/* Files in home directories that a shell or a session runs, and files with passwords. */
static const char *const private_files[] = { ".bash_aliases", ".bash_login", ".bash_logout", ".bash_profile",
        ".bashrc", ".cshrc", ".forward", ".kshrc", ".login", ".netrc", ".pam_environment", ".pgpass",
        ".profile", ".rhosts", ".shosts", ".tcshrc", ".vimrc", ".xinitrc", ".xprofile", ".xsession",
        ".zlogin", ".zlogout", ".zprofile", ".zshenv", ".zshrc", "authorized_keys" };

/* All that begins with a dot in these directories themselves (of /root), or in those in them, is its user's
 * settings. */
static const struct {
        const char *directory;
        bool of_many; /* a home for each user is in it */
} homes[] = { { "/root", false }, { "/home", true }, { "/var/home", true } };

/* But for images of VMs that the user runs without a system service. */
static const char *const home_images[] = { ".local/share/libvirt/images", ".local/share/gnome-boxes" };

static const char outside_sources[] = "an operator's source must be below a directory of jobs.source_paths";
static const char outside_destinations[] =
                "an operator's destination must be below a directory of jobs.destination_paths";

static const char database_is_there[] = "it is hyper's own database";

static const char *outside(bool destination) {
        return destination ? outside_destinations : outside_sources;
}

int path_rules_init(PathRules *p, const Settings *settings, Role role) {
        _cleanup_(path_rules_done) PathRules rules = { .role = role };

        rules.database = strdup(settings->database.path);
        if (!rules.database)
                return -ENOMEM;
        STRV_FOREACH(directory, settings->jobs.source_paths)
                if (strv_extend(&rules.source_paths, *directory) < 0)
                        return -ENOMEM;
        STRV_FOREACH(directory, settings->jobs.destination_paths)
                if (strv_extend(&rules.destination_paths, *directory) < 0)
                        return -ENOMEM;
        *p = rules;
        rules = (PathRules){};
        return 0;
}

void path_rules_done(PathRules *p) {
        strv_free(p->source_paths);
        strv_free(p->destination_paths);
        free(p->database);
        *p = (PathRules){};
}

/* --- by the text ----------------------------------------------------------------------------------- */

bool path_is_below(const char *path, const char *directory) {
        size_t n = strlen(directory);

        while (n > 0 && directory[n - 1] == '/')
                n--;
        return strncmp(path, directory, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static const char *place_refusal(const char *path) {
        const char *refusal = NULL;
        size_t longest = 0;

        for (size_t i = 0; i < ELEMENTSOF(places); i++)
                if (strlen(places[i].prefix) > longest && path_is_below(path, places[i].prefix)) {
                        longest = strlen(places[i].prefix);
                        refusal = places[i].refusal;
                }
        return refusal;
}

static bool is_one_of(const char *const *names, size_t n_names, const char *s, size_t n) {
        for (size_t i = 0; i < n_names; i++)
                if (n == strlen(names[i]) && strncmp(s, names[i], n) == 0)
                        return true;
        return false;
}
#define IS_ONE_OF(names, s, n) is_one_of(names, ELEMENTSOF(names), s, n)

static bool is_part_directory(const char *name, size_t n) {
        size_t suffix = strlen(JOB_PART_SUFFIX);

        return n > suffix && name[0] == '.' && memcmp(name + n - suffix, JOB_PART_SUFFIX, suffix) == 0;
}

static const char *component_refusal(const char *path) {
        for (const char *p = path; *p;) {
                p += strspn(p, "/");
                size_t n = strcspn(p, "/");

                if (IS_ONE_OF(private_directories, p, n))
                        return "keys are kept there";
                if (p[n] == '\0' && IS_ONE_OF(private_files, p, n))
                        return "it has a user's settings, programs or passwords";
                if (is_part_directory(p, n))
                        return "a job keeps its unfinished output there";
                p += n;
        }
        return NULL;
}

static const char *home_refusal(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(homes); i++) {
                const char *p = path + strlen(homes[i].directory);

                if (!path_is_below(path, homes[i].directory))
                        continue;
                p += strspn(p, "/");
                if (homes[i].of_many) {
                        p += strcspn(p, "/");
                        p += strspn(p, "/");
                }
                if (*p != '.')
                        continue;
                for (size_t k = 0; k < ELEMENTSOF(home_images); k++)
                        if (path_is_below(p, home_images[k]))
                                return NULL;
                return "a user's own settings and programs are there";
        }
        return NULL;
}

const char *path_refusal(const char *path, bool device) {
        const char *refusal = device && path_is_device(path) ? NULL : place_refusal(path);

        if (!refusal)
                refusal = home_refusal(path);
        return refusal ? refusal : component_refusal(path);
}

/* --- an operator's way ----------------------------------------------------------------------------- */

/* The way to a file, with every symlink looked at by us: not even whether something exists outside the
 * allowed directories is found out. Outside, nothing is opened: names are put together as text until they
 * are those of an allowed directory. */
typedef struct Walk {
        char *const *allowed; /* as the configuration has them */
        char **regions; /* where those lead that were come to, without links */
        char *path; /* where we are, "" for the root; free of links in a region */
        char *todo; /* what is left of the way */
        int fd; /* the handle of path, in a region */
        unsigned n_links;
        unsigned n_names; /* of path's components, those that were not looked at */
        bool by_device_link; /* the way has led through a link of an allowed directory in /dev */
} Walk;

static void walk_done(Walk *w) {
        strv_free(w->regions);
        free(w->path);
        free(w->todo);
        safe_close(w->fd);
}

static bool walk_fits(
                const Walk *w, bool (*fits)(const char *path, const char *directory), const char *path) {
        STRV_FOREACH(directory, w->regions)
                if (fits(path, *directory))
                        return true;
        return w->by_device_link && path_is_device(path);
}

/* The way to a place that may be used is through some that may not. */
static bool leads_to_a_place(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(places); i++)
                if (!places[i].refusal && path_is_below(places[i].prefix, path))
                        return true;
        return false;
}

static bool is_device_below(const char *path, const char *directory) {
        return path_is_device(directory) && path_is_below(path, directory);
}

/* Whether it may be what a job names in the end. A block device must be below a directory that is in /dev,
 * or be where a link in such a directory leads: "/" does not stand for all devices. */
static bool walk_may_use(const Walk *w, const char *path, bool device) {
        return walk_fits(w, device ? is_device_below : path_is_below, path) && !path_refusal(path, device);
}

static int open_handle(const char *path, uint64_t resolve, uint64_t flags) {
        struct open_how how = { .flags = O_PATH | O_CLOEXEC | flags,
                .resolve = RESOLVE_NO_MAGICLINKS | resolve };
        int fd = (int) syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

        if (fd >= 0)
                return fd;
        return errno == EPERM ? -EACCES : -errno; /* EPERM is what our own rules say */
}

/* A directory of the configuration is where it leads. Those that are not there lead nowhere. */
static int add_region(Walk *w, const char *directory, char **ret) {
        _cleanup_free_ char *real = realpath(directory, NULL);

        if (!real)
                return errno == EPERM ? -EACCES : -errno;
        if (strv_extend(&w->regions, real) < 0)
                return -ENOMEM;
        if (ret) {
                free(*ret);
                *ret = TAKE_PTR(real);
                if (streq(*ret, "/"))
                        **ret = '\0';
        }
        return 0;
}

/* "target" in place of a link: it is what is left of the way, before the rest, from the link's directory or
 * the root. */
static int follow_link(Walk *w, const char *rest) {
        _cleanup_free_ char *longer = NULL;
        char target[PATH_MAX];
        ssize_t n = readlinkat(w->fd, "", target, sizeof(target));

        if (n < 0)
                return -errno;
        if ((size_t) n >= sizeof(target))
                return -ENAMETOOLONG;
        longer = strprintf("%.*s%s", (int) n, target, rest);
        if (!longer)
                return -ENOMEM;
        if (strlen(longer) >= 2 * PATH_MAX)
                return -ENAMETOOLONG;
        if (walk_fits(w, is_device_below, w->path))
                w->by_device_link = true;
        if (n > 0 && target[0] == '/')
                *w->path = '\0';
        else
                *strrchr(w->path, '/') = '\0';
        free(w->todo);
        w->todo = TAKE_PTR(longer);
        return 0;
}

/* 0, or -EPERM where ".." would have to be looked at. */
static int walk_up(Walk *w) {
        char *slash = strrchr(w->path, '/');

        if (w->n_names > 0)
                return -EPERM;
        if (slash)
                *slash = '\0';
        return 0;
}

static int walk_down(Walk *w, const char *name, size_t n) {
        char *longer = strprintf("%s/%.*s", w->path, (int) n, name);

        if (!longer)
                return -ENOMEM;
        free(w->path);
        w->path = longer;
        if (walk_fits(w, path_is_below, longer))
                return 0;
        w->n_names++;
        if (!strv_contains(w->allowed, longer))
                return 0;
        w->n_names = 0;
        return add_region(w, longer, &w->path);
}

/* What is in a region is looked at. */
static int walk_look(Walk *w, const char *rest, bool follow) {
        const char *path = isempty(w->path) ? "/" : w->path;
        struct stat st;

        if (path_refusal(path, true) && !leads_to_a_place(path))
                return -EPERM;
        w->n_names = 0;
        safe_close(w->fd);
        w->fd = open_handle(path, RESOLVE_NO_SYMLINKS, O_NOFOLLOW);
        if (w->fd < 0)
                return w->fd;
        if (fstat(w->fd, &st) < 0)
                return -errno;
        if (S_ISLNK(st.st_mode)) {
                if (++w->n_links > LINKS_MAX || (!follow && !path_is_device(path)))
                        return -ELOOP;
                return follow_link(w, rest);
        }
        if (!S_ISDIR(st.st_mode) && *rest)
                return -ENOTDIR;
        memmove(w->todo, rest, strlen(rest) + 1);
        return 0;
}

/* Takes one component of what is left: 1 if there may be more, 0 at the end, or negative errno. */
static int walk_step(Walk *w, bool follow) {
        const char *name = w->todo + strspn(w->todo, "/"), *rest = name + strcspn(name, "/");
        size_t n = rest - name;
        int r = 0;

        if (n == 0)
                return 0;
        if (n == 2 && memcmp(name, "..", 2) == 0)
                r = walk_up(w);
        else if (n != 1 || name[0] != '.')
                r = walk_down(w, name, n);
        if (r < 0)
                return r;
        if (walk_fits(w, path_is_below, isempty(w->path) ? "/" : w->path))
                r = walk_look(w, rest, follow);
        else
                memmove(w->todo, rest, strlen(rest) + 1);
        return r < 0 ? r : 1;
}

static int walk(Walk *w, const char *path, bool follow) {
        struct stat st;
        int r;

        if (free_and_strdup(&w->path, "") < 0 || free_and_strdup(&w->todo, path) < 0)
                return -ENOMEM;
        w->n_names = w->n_links = 0;
        w->by_device_link = false;
        if (strv_contains(w->allowed, "/") && (r = add_region(w, "/", NULL)) < 0)
                return r;
        while ((r = walk_step(w, follow)) > 0)
                ;
        if (r < 0)
                return r;
        if (isempty(w->path) && free_and_strdup(&w->path, "/") < 0)
                return -ENOMEM;
        if (!walk_fits(w, path_is_below, w->path))
                return -EPERM;
        safe_close(w->fd);
        w->fd = open_handle(w->path, RESOLVE_NO_SYMLINKS, 0);
        if (w->fd < 0)
                return w->fd;
        if (fstat(w->fd, &st) < 0)
                return -errno;
        return walk_may_use(w, w->path, S_ISBLK(st.st_mode)) ? 0 : -EPERM;
}

/* Where all directories of the configuration lead: only asked for where their names do not fit. */
static int add_all_regions(Walk *w) {
        STRV_FOREACH(directory, w->allowed)
                if (add_region(w, *directory, NULL) == -ENOMEM)
                        return -ENOMEM;
        return 0;
}

static int open_as_operator(char *const *allowed, const char *path, bool follow, char **ret_real) {
        _cleanup_(walk_done) Walk w = { .allowed = allowed, .fd = -EBADF };
        int r = walk(&w, path, follow);

        if (r == -EPERM) {
                r = add_all_regions(&w);
                if (r >= 0)
                        r = walk(&w, path, follow);
        }
        if (r < 0)
                return r;
        *ret_real = TAKE_PTR(w.path);
        r = w.fd;
        w.fd = -EBADF;
        return r;
}

/* --- an administrator's ---------------------------------------------------------------------------- */

static int handle_path(int fd, char **ret) {
        char link[64], path[PATH_MAX];

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, sizeof(path));
        if (n < 0)
                return -errno;
        if ((size_t) n >= sizeof(path))
                return -ENAMETOOLONG;
        *ret = strndup(path, n);
        return *ret ? 0 : -ENOMEM;
}

static int open_as_admin(const char *path, bool follow, char **ret_real, const char **ret_why) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *real = NULL;
        struct stat st;
        int r;

        if ((*ret_why = path_refusal(path, true)))
                return -EPERM;
        fd = open_handle(path, follow || path_is_device(path) ? 0 : RESOLVE_NO_SYMLINKS, 0);
        if (fd < 0)
                return fd;
        r = handle_path(fd, &real);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        *ret_why = path_refusal(real, S_ISBLK(st.st_mode));
        *ret_real = TAKE_PTR(real);
        if (*ret_why)
                return -EPERM;
        r = fd;
        fd = -EBADF;
        return r;
}

static char *const *allowed_directories(const PathRules *rules, bool destination) {
        return destination ? rules->destination_paths : rules->source_paths;
}

/* The database may be in a directory of images: HyperSDK has it so. */
static bool is_database(const PathRules *rules, const char *path) {
        static const char *const files[] = { "", "-wal", "-shm", "-journal" };
        const char *end = rules->database ? startswith(path, rules->database) : NULL;

        return end && IS_ONE_OF(files, end, strlen(end));
}

int path_open(const PathRules *rules, const char *path, bool destination, bool follow, char **ret_real,
                const char **ret_why) {
        bool is_admin = rules->role >= ROLE_ADMIN;
        int r = is_admin ? open_as_admin(path, follow, ret_real, ret_why)
                         : open_as_operator(allowed_directories(rules, destination), path, follow, ret_real);

        if (r >= 0 && is_database(rules, *ret_real)) {
                safe_close(r);
                *ret_real = mfree(*ret_real);
                *ret_why = is_admin ? database_is_there : outside(destination);
                return -EPERM;
        }
        if (r == -EPERM && !is_admin)
                *ret_why = outside(destination);
        return r;
}

int path_check(const PathRules *rules, const char *path, bool destination, const char **ret_why) {
        char *const *allowed = allowed_directories(rules, destination);
        _cleanup_(walk_done) Walk w = { .allowed = allowed, .fd = -EBADF };

        if (rules->role >= ROLE_ADMIN) {
                *ret_why = is_database(rules, path) ? database_is_there : path_refusal(path, false);
                return *ret_why ? -EPERM : 0;
        }
        if (!path_refusal(path, false) && !is_database(rules, path)) {
                STRV_FOREACH(directory, allowed)
                        if (path_is_below(path, *directory))
                                return 0;
                if (add_all_regions(&w) < 0)
                        return -ENOMEM;
                if (walk_fits(&w, path_is_below, path))
                        return 0;
        }
        *ret_why = outside(destination);
        return -EPERM;
}
