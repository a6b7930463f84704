/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A stand-in for nbdkit-vddk-plugin(1) and VMware's library, for tests: it takes the same parameters,
 * compares them with what the test expects, and reads a raw file. It contains nothing of either, and connects
 * to no server.
 *
 * The directory that is given as libdir= contains lib64/libvixDiskLib.so.8, an empty file in place of the
 * library, and the file "expected" with lines:
 *
 *   KEY=VALUE       the parameter KEY must be given, and be VALUE; "snapshot=*" is any value but none, and
 *                   "snapshot=" none
 *   disk FILE=NAME  file=FILE is the raw file NAME in the same directory
 *   fail TEXT       opening a disk fails with TEXT
 *   break OFFSET    reading from there on fails
 */

#define NBDKIT_API_VERSION 2
#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

#include <nbdkit-plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REQUEST_MAX (2u * 1024 * 1024)
#define PARAMETERS_MAX 16

static struct {
        const char *key;
        char *value;
} parameters[PARAMETERS_MAX];
static unsigned n_parameters;
static char *password, *disk_path, *fail_text;
static uint64_t broken_from = UINT64_MAX;
static bool is_open; /* the library locks a disk */

static const char *const keys[] = { "config", "cookie", "file", "libdir", "password", "port", "server",
        "snapshot", "thumbprint", "transports", "user", "vm" };

static const char *value_of(const char *key) {
        for (unsigned i = 0; i < n_parameters; i++)
                if (strcmp(parameters[i].key, key) == 0)
                        return parameters[i].value;
        return NULL;
}

static int config(const char *key, const char *value) {
        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
                if (strcmp(keys[i], key) != 0)
                        continue;
                if (n_parameters == PARAMETERS_MAX || value_of(key)) {
                        nbdkit_error("parameter '%s' is given twice", key);
                        return -1;
                }
                if (strcmp(key, "password") == 0) {
                        if (value[0] != '+' || nbdkit_read_password(value, &password) < 0) {
                                nbdkit_error("the password must be in a file");
                                return -1;
                        }
                        value = password;
                }
                parameters[n_parameters].key = keys[i];
                parameters[n_parameters++].value = strdup(value);
                return 0;
        }
        nbdkit_error("unknown parameter '%s'", key);
        return -1;
}

static FILE *open_in_libdir(const char *name, char *path, size_t size) {
        snprintf(path, size, "%s/%s", value_of("libdir") ? value_of("libdir") : "/nonexistent", name);
        return fopen(path, "re");
}

static void dump_plugin(void) {
        char path[4096];
        FILE *f = open_in_libdir("lib64/libvixDiskLib.so.8", path, sizeof(path));
        const char *libraries = getenv("LD_LIBRARY_PATH");

        /* Without its directory there, the real plugin executes nbdkit again. */
        if (f && libraries && strstr(libraries, "/lib64"))
                printf("vddk_library_version=8\nvddk_dll=%s\n", path);
        if (f)
                fclose(f);
}

static int check_line(char *line) {
        bool is_disk = strncmp(line, "disk ", 5) == 0;
        char *value = is_disk ? strrchr(line, '=') : strchr(line, '=');

        if (strncmp(line, "fail ", 5) == 0) {
                fail_text = strdup(line + 5);
                return 0;
        }
        if (strncmp(line, "break ", 6) == 0)
                broken_from = strtoull(line + 6, NULL, 10);
        if (!value)
                return 0;
        *value++ = 0;
        if (is_disk) {
                if (value_of("file") && strcmp(line + 5, value_of("file")) == 0 &&
                                asprintf(&disk_path, "%s/%s", value_of("libdir"), value) < 0)
                        return -1;
                return 0;
        }
        const char *given = value_of(line) ? value_of(line) : "";
        if (strcmp(value, "*") == 0 ? *given : strcmp(given, value) == 0)
                return 0;
        nbdkit_error("%s is '%s' and should be '%s'", line, given, value);
        return -1;
}

static int config_complete(void) {
        char line[4096];
        FILE *f = open_in_libdir("expected", line, sizeof(line));
        int r = 0;

        if (!f) {
                nbdkit_error("%s: %m", line);
                return -1;
        }
        while (r == 0 && fgets(line, sizeof(line), f)) {
                line[strcspn(line, "\n")] = 0;
                r = check_line(line);
        }
        fclose(f);
        if (r == 0 && !value_of("config")) {
                nbdkit_error("the temporary directory is not configured");
                return -1;
        }
        return r;
}

static void *open_disk(int readonly) {
        int *fd = malloc(sizeof(int));

        if (!readonly || is_open)
                nbdkit_error("the disk must be opened once, and read-only");
        else if (fail_text)
                nbdkit_error("VixDiskLib_Open: %s", fail_text);
        else if (!disk_path)
                nbdkit_error("VixDiskLib_Open: %s: The file was not found", value_of("file"));
        else if (fd && (*fd = open(disk_path, O_RDONLY | O_CLOEXEC)) >= 0) {
                is_open = true;
                return fd;
        } else
                nbdkit_error("%s: %m", disk_path);
        free(fd);
        return NULL;
}

static void close_disk(void *handle) {
        close(*(int *) handle);
        free(handle);
        is_open = false;
}

static int64_t get_size(void *handle) {
        struct stat st;

        return fstat(*(int *) handle, &st) < 0 ? -1 : st.st_size;
}

static int read_disk(void *handle, void *buffer, uint32_t count, uint64_t offset, uint32_t flags) {
        if (count > REQUEST_MAX || count % 512 != 0 || offset % 512 != 0) {
                nbdkit_error("a request of %u bytes at %llu", count, (unsigned long long) offset);
                nbdkit_set_error(EINVAL);
                return -1;
        }
        if (offset + count > broken_from) {
                nbdkit_error("VixDiskLib_Read: the connection broke");
                return -1;
        }
        for (ssize_t n; count > 0; count -= n, offset += n, buffer = (char *) buffer + n) {
                n = pread(*(int *) handle, buffer, count, offset);
                if (n <= 0) {
                        nbdkit_error("VixDiskLib_Read: %m");
                        return -1;
                }
        }
        return 0;
}

static int can_extents(void *handle) {
        return 1;
}

/* Holes of the file, as the library has areas that are not allocated. */
static int list_extents(void *handle, uint32_t count, uint64_t offset, uint32_t flags,
                struct nbdkit_extents *extents) {
        int fd = *(int *) handle;
        off_t end = offset + count;

        for (off_t at = offset; at < end;) {
                off_t data = lseek(fd, at, SEEK_DATA), hole;
                if (data < 0 || data > end)
                        data = end;
                if (data > at &&
                                nbdkit_add_extent(extents, at, data - at,
                                                NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO) < 0)
                        return -1;
                if (data == end)
                        break;
                hole = lseek(fd, data, SEEK_HOLE);
                if (hole < 0 || hole > end)
                        hole = end;
                if (nbdkit_add_extent(extents, data, hole - data, 0) < 0)
                        return -1;
                at = hole;
        }
        return 0;
}

static struct nbdkit_plugin plugin = {
        .name = "vddk",
        .longname = "a stand-in for VDDK in tests",
        .config = config,
        .config_complete = config_complete,
        .dump_plugin = dump_plugin,
        .open = open_disk,
        .close = close_disk,
        .get_size = get_size,
        .pread = read_disk,
        .can_extents = can_extents,
        .extents = list_extents,
};

NBDKIT_REGISTER_PLUGIN(plugin)
