/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "manager/credentials.h"
#include "spec/job-spec.h"

#define CREDS_TIMEOUT (10 * USEC_PER_SEC)
/* Base64 of the value with a header of some hundred bytes. */
#define ENCRYPTED_MAX ((size_t) 4 * CREDENTIAL_SIZE_MAX)
#define SUFFIX ".cred"

static const char creds_program[] = "/usr/bin/systemd-creds";

extern char **environ;

bool credential_name_is_valid(const char *name) {
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

        return n > 0 && n <= 64 && name[n] == '\0' && name[0] != '.' && name[0] != '-';
}

static char *credential_prefix(CredentialOwner owner, const char *id) {
        static const char *const kinds[] = {
                [CREDENTIALS_OF_JOB] = "job",
                [CREDENTIALS_OF_SCHEDULE] = "schedule",
                [CREDENTIALS_OF_SOURCE] = "source",
        };
        _cleanup_free_ char *escaped = job_escape_id(id);

        /* "@" is in no id and in no name: one owner's files are never taken for another's. */
        return escaped ? strprintf("%s-%s@", kinds[owner], escaped) : NULL;
}

static char *credential_directory(const char *state_directory) {
        return strprintf("%s/credentials", state_directory);
}

static int make_pipe(int ret[static 2]) {
        return pipe2(ret, O_CLOEXEC) < 0 ? -errno : 0;
}

/* Starts systemd-creds between two pipes. @key may be NULL. */
static int spawn_creds(const char *verb, const char *key, const char *name, int in, int out, pid_t *ret) {
        _cleanup_free_ char *name_option = strprintf("--name=%s", name);
        posix_spawn_file_actions_t actions;
        int r;

        if (!name_option)
                return -ENOMEM;
        r = posix_spawn_file_actions_init(&actions);
        if (r > 0)
                return -r;
        char *argv[] = { (char *) creds_program, (char *) verb, (char *) "--quiet", name_option,
                (char *) "-", (char *) "-", (char *) key, NULL };
        r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn(ret, creds_program, &actions, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        return -r;
}

/* Reads until the end or the deadline. */
static int read_all(int fd, usec_t deadline, char *buffer, size_t size, size_t *ret_n) {
        size_t n = 0;

        for (;;) {
                usec_t now = now_monotonic();
                struct pollfd p = { .fd = fd, .events = POLLIN };

                if (now >= deadline)
                        return -ETIMEDOUT;
                int r = poll(&p, 1, (int) ((deadline - now) / USEC_PER_MSEC) + 1);
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r <= 0)
                        continue;
                ssize_t k = read(fd, buffer + n, size - n);
                if (k < 0 && errno != EINTR)
                        return -errno;
                if (k == 0)
                        break;
                n += k > 0 ? (size_t) k : 0;
                if (n == size)
                        return -EFBIG;
        }
        *ret_n = n;
        return 0;
}

static int write_all(int fd, const char *s, size_t n) {
        while (n > 0) {
                ssize_t k = write(fd, s, n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                s += k;
                n -= k;
        }
        return 0;
}

/* Has systemd-creds encrypt or decrypt @value into @buffer. */
static int run_creds(const char *verb, const char *key, const char *name, const char *value,
                size_t value_size, char *buffer, size_t size, size_t *ret_n) {
        _cleanup_close_ int in_read = -EBADF, in_write = -EBADF, out_read = -EBADF, out_write = -EBADF;
        usec_t deadline = now_monotonic() + CREDS_TIMEOUT;
        int fds[2], r, status;
        pid_t pid;

        if ((r = make_pipe(fds)) < 0)
                return r;
        in_read = fds[0];
        in_write = fds[1];
        /* It reads all before it writes anything; the value fits into the pipe, so nobody waits here. */
        if (fcntl(in_write, F_SETPIPE_SZ, (int) ENCRYPTED_MAX) < 0)
                return -errno;
        if ((r = make_pipe(fds)) < 0)
                return r;
        out_read = fds[0];
        out_write = fds[1];

        r = write_all(in_write, value, value_size);
        if (r < 0)
                return r;
        in_write = safe_close(in_write);
        r = spawn_creds(verb, key, name, in_read, out_write, &pid);
        if (r < 0)
                return r;
        in_read = safe_close(in_read);
        out_write = safe_close(out_write);

        r = read_all(out_read, deadline, buffer, size, ret_n);
        if (r < 0)
                (void) kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (r < 0)
                return r;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int credential_write(const char *name, const char *value, const char *path) {
        _cleanup_free_ char *buffer = malloc(ENCRYPTED_MAX);
        size_t n = 0;
        int r;

        if (!buffer)
                return -ENOMEM;
        r = run_creds("encrypt", "--with-key=host", name, value, strlen(value), buffer, ENCRYPTED_MAX, &n);
        return r < 0 ? r : write_file_atomic_at(AT_FDCWD, path, buffer, n, 0600);
}

int credential_store(const char *state_directory, CredentialOwner owner, const char *id, const char *name,
                const char *value) {
        _cleanup_free_ char *directory = credential_directory(state_directory),
                            *prefix = credential_prefix(owner, id), *path = NULL;
        int r;

        if (!credential_name_is_valid(name) || strlen(value) > CREDENTIAL_SIZE_MAX)
                return -EINVAL;
        if (!directory || !prefix)
                return -ENOMEM;
        path = strprintf("%s/%s%s" SUFFIX, directory, prefix, name);
        if (!path)
                return -ENOMEM;
        r = mkdir_parents(directory, 0700);
        return r < 0 ? r : credential_write(name, value, path);
}

/* Calls for each credential file of the job: extends the list, or (NULL) removes the file. */
static int credentials_walk(
                const char *state_directory, CredentialOwner owner, const char *id, char ***list) {
        _cleanup_free_ char *directory = credential_directory(state_directory),
                            *prefix = credential_prefix(owner, id);
        int r = 0;

        if (!directory || !prefix)
                return -ENOMEM;
        DIR *d = opendir(directory);
        if (!d)
                return errno == ENOENT ? 0 : -errno;
        for (struct dirent *de; r >= 0 && (de = readdir(d));) {
                const char *name = startswith(de->d_name, prefix),
                           *end = name ? endswith(name, SUFFIX) : NULL;

                if (!end)
                        continue;
                if (!list) {
                        if (unlinkat(dirfd(d), de->d_name, 0) < 0)
                                r = -errno;
                        continue;
                }
                r = strv_extendf(list, "%.*s", (int) (end - name), name);
                if (r >= 0)
                        r = strv_extendf(list, "%s/%s", directory, de->d_name);
        }
        closedir(d);
        return r;
}

int credentials_list(const char *state_directory, CredentialOwner owner, const char *id, char ***ret) {
        _cleanup_strv_free_ char **list = NULL;
        int r = credentials_walk(state_directory, owner, id, &list);

        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        return 0;
}

int credentials_remove(const char *state_directory, CredentialOwner owner, const char *id) {
        return credentials_walk(state_directory, owner, id, NULL);
}

/* Reads an encrypted file; the caller frees. */
static int read_encrypted(const char *path, char **ret, size_t *ret_n) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        _cleanup_free_ char *text = NULL;
        int r;

        if (fd < 0)
                return -errno;
        text = malloc(ENCRYPTED_MAX);
        if (!text)
                return -ENOMEM;
        r = read_all(fd, now_monotonic() + CREDS_TIMEOUT, text, ENCRYPTED_MAX, ret_n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}

int credential_reveal(const char *state_directory, CredentialOwner owner, const char *id, const char *name,
                char **ret) {
        _cleanup_free_ char *prefix = credential_prefix(owner, id), *path = NULL, *text = NULL,
                            *value = NULL;
        size_t size = 0, n = 0;
        int r;

        if (!prefix)
                return -ENOMEM;
        path = strprintf("%s/credentials/%s%s" SUFFIX, state_directory, prefix, name);
        value = malloc(CREDENTIAL_SIZE_MAX + 1);
        if (!path || !value)
                return -ENOMEM;
        r = read_encrypted(path, &text, &size);
        if (r >= 0)
                r = run_creds("decrypt", NULL, name, text, size, value, CREDENTIAL_SIZE_MAX + 1, &n);
        if (r >= 0 && memchr(value, '\0', n))
                r = -EBADMSG;
        if (r < 0) {
                explicit_bzero(value, CREDENTIAL_SIZE_MAX + 1);
                return r;
        }
        value[n] = '\0';
        *ret = TAKE_PTR(value);
        return 0;
}

static int copy_one(const char *state_directory, const char *prefix, const char *name, const char *path) {
        _cleanup_free_ char *to = strprintf("%s/credentials/%s%s" SUFFIX, state_directory, prefix, name),
                            *text = NULL;
        size_t n = 0;
        int r = to ? read_encrypted(path, &text, &n) : -ENOMEM;

        return r < 0 ? r : write_file_atomic_at(AT_FDCWD, to, text, n, 0600);
}

int credentials_copy(
                const char *state_directory, CredentialOwner owner, const char *set, const char *job_id) {
        _cleanup_free_ char *prefix = credential_prefix(CREDENTIALS_OF_JOB, job_id);
        _cleanup_strv_free_ char **list = NULL;
        int r = prefix ? credentials_list(state_directory, owner, set, &list) : -ENOMEM;

        for (char **l = list; r >= 0 && l && l[0]; l += 2)
                r = copy_one(state_directory, prefix, l[0], l[1]);
        return r;
}

void credential_owners_done(CredentialOwners *o) {
        for (size_t i = 0; i < o->n; i++)
                free(o->prefixes[i]);
        free(o->prefixes);
        *o = (CredentialOwners){};
}

int credential_owners_add(CredentialOwners *o, CredentialOwner owner, const char *id) {
        if (!GREEDY_REALLOC(o->prefixes, o->allocated, o->n + 1))
                return -ENOMEM;
        o->prefixes[o->n] = credential_prefix(owner, id);
        if (!o->prefixes[o->n])
                return -ENOMEM;
        o->n++;
        return 0;
}

static int compare_prefixes(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int credentials_sweep(const char *state_directory, CredentialOwners *owners) {
        _cleanup_free_ char *directory = credential_directory(state_directory);
        int r = 0;

        if (!directory)
                return -ENOMEM;
        DIR *d = opendir(directory);
        if (!d)
                return errno == ENOENT ? 0 : -errno;
        if (owners->n > 0)
                qsort(owners->prefixes, owners->n, sizeof(char *), compare_prefixes);
        for (struct dirent *de; (de = readdir(d));) {
                const char *at = strchr(de->d_name, '@');
                _cleanup_free_ char *prefix = NULL;

                /* Files without an owner are those of webhooks (webhook-credentials.h). */
                if (!at)
                        continue;
                prefix = strndup(de->d_name, (size_t) (at - de->d_name) + 1);
                if (!prefix) {
                        r = -ENOMEM;
                        break;
                }
                if (owners->n > 0 &&
                                bsearch(&prefix, owners->prefixes, owners->n, sizeof(char *),
                                                compare_prefixes))
                        continue;
                if (unlinkat(dirfd(d), de->d_name, 0) < 0 && errno != ENOENT)
                        r = -errno;
        }
        closedir(d);
        return r;
}
