/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/lib/vcsim.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "unit/lib/test.h"

#define FLAGS_MAX 32

static char *read_file(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        char buffer[65536];
        ssize_t n;

        ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
        n = read(fd, buffer, sizeof(buffer) - 1);
        ck_assert_int_gt(n, 0);
        buffer[n] = '\0';
        return strdup(buffer);
}

static void run(char *const *argv, int output) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) dup2(output, STDOUT_FILENO);
        execv(argv[0], argv);
        fprintf(stderr, "%s: %s (\"make check\" creates it)\n", argv[0], strerror(errno));
        _exit(127);
}

/* "URL=… CONTROL=… CA=… THUMBPRINT=… PID=…" */
static char *field(const char *line, const char *name) {
        const char *at = strstr(line, name);

        ck_assert_msg(at != NULL, "no %s in the output of the simulator: %s", name, line);
        at += strlen(name);
        return strndup(at, strcspn(at, " \n"));
}

static Vcsim read_line(pid_t pid, int fd) {
        _cleanup_free_ char *ca_file = NULL;
        char line[4096] = "";
        FILE *f = fdopen(fd, "r");
        Vcsim v = { .pid = pid };

        /* It may print warnings before. */
        while (!startswith(line, "URL="))
                ck_assert_msg(fgets(line, sizeof(line), f) != NULL, "the simulator does not start");
        v.url = field(line, "URL=");
        v.control = field(line, "CONTROL=");
        v.thumbprint = field(line, "THUMBPRINT=");
        v.sha1 = field(line, "SHA1=");
        ca_file = field(line, " CA=");
        v.ca = read_file(ca_file);
        fclose(f);
        return v;
}

Vcsim vcsim_start(const char *dir, ...) {
        _cleanup_free_ char *directory = strprintf("%s/vcsim", dir);
        char *argv[FLAGS_MAX + 8] = { (char *) "tests/vcsim/vcsim", (char *) "-listen",
                (char *) "127.0.0.1:0", (char *) "-control", (char *) "127.0.0.1:0", (char *) "-dir",
                directory };
        size_t n = 7;
        int fds[2];
        va_list ap;
        pid_t pid;

        va_start(ap, dir);
        do {
                ck_assert_uint_lt(n, ELEMENTSOF(argv));
                argv[n] = va_arg(ap, char *);
        } while (argv[n++]);
        va_end(ap);
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                run(argv, fds[1]);
        close(fds[1]);
        return read_line(pid, fds[0]);
}

void vcsim_stop(Vcsim *v) {
        if (v->pid > 0) {
                kill(v->pid, SIGKILL);
                waitpid(v->pid, NULL, 0);
        }
        free(v->url);
        free(v->control);
        free(v->ca);
        free(v->thumbprint);
        free(v->sha1);
        *v = (Vcsim){};
}

/* --- the control address --------------------------------------------------------------------------- */

typedef struct Body {
        char *data;
        size_t size, allocated;
} Body;

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        Body *b = userdata;

        size *= n;
        if (!GREEDY_REALLOC(b->data, b->allocated, b->size + size + 1))
                return 0;
        memcpy(b->data + b->size, data, size);
        b->size += size;
        b->data[b->size] = '\0';
        return size;
}

static Body request_with(
                const Vcsim *v, const char *method, const char *path, const void *body, size_t size) {
        _cleanup_free_ char *url = strprintf("%s%s", v->control, path);
        CURL *easy = curl_easy_init();
        CURLcode code;
        Body b = {};

        ck_assert_ptr_nonnull(easy);
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &b);
        if (body) {
                curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long) size);
                curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
        }
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
        code = curl_easy_perform(easy);
        ck_assert_msg(code == CURLE_OK, "%s %s: %s", method, url, curl_easy_strerror(code));
        curl_easy_cleanup(easy);
        return b;
}

static Body request(const Vcsim *v, const char *method, const char *path, const char *body) {
        return request_with(v, method, path, body, body ? strlen(body) : 0);
}

void vcsim_write(const Vcsim *v, const char *vm, unsigned disk, uint64_t offset, const void *data,
                size_t size) {
        _cleanup_free_ char *path = strprintf("/disk/write?vm=%s&disk=%u&offset=%" PRIu64, vm, disk, offset);

        free(request_with(v, "POST", path, data, size).data);
}

char *vcsim_get(const Vcsim *v, const char *path, size_t *ret_size) {
        Body b = request(v, "GET", path, NULL);

        *ret_size = b.size;
        return b.data;
}

void vcsim_control(const Vcsim *v, const char *path) {
        free(request(v, "GET", path, NULL).data);
}

void vcsim_fault(const Vcsim *v, const char *json) {
        free(request(v, "POST", "/faults", json).data);
}

void vcsim_no_faults(const Vcsim *v) {
        free(request(v, "DELETE", "/faults", NULL).data);
}

json_t *vcsim_state(const Vcsim *v) {
        Body b = request(v, "GET", "/state", NULL);
        json_t *state = json_loadb(b.data, b.size, 0, NULL);

        ck_assert_ptr_nonnull(state);
        free(b.data);
        return state;
}

unsigned vcsim_sessions(const Vcsim *v) {
        _cleanup_json_ json_t *state = vcsim_state(v);

        return (unsigned) json_integer_value(json_object_get(state, "sessions"));
}

unsigned vcsim_calls(const Vcsim *v, const char *method) {
        _cleanup_json_ json_t *state = vcsim_state(v);

        return (unsigned) json_integer_value(json_object_get(json_object_get(state, "calls"), method));
}

char *vcsim_vm(const Vcsim *v, const char *name) {
        _cleanup_json_ json_t *state = vcsim_state(v);
        json_t *vm;
        size_t i;

        json_array_foreach(json_object_get(state, "vms"), i, vm)
                if (streq_ptr(json_string_value(json_object_get(vm, "name")), name))
                        return strdup(json_string_value(json_object_get(vm, "moref")));
        ck_abort_msg("the simulator has no VM \"%s\"", name);
        return NULL;
}
