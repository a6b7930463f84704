/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Chunks of uploads over HTTP: the whole server, and a manager that the test plays. The pwrite(2) of this
 * program waits, or fails, if the data says so. */

#include <fcntl.h>
#include <nettle/sha2.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/api-state.h"
#include "api/v1/v1-routes.h"
#include "basic/fd-util.h"
#include "shared/bus-util.h"
#include "store/api-keys.h"
#include "unit/lib/api-test.h"
#include "unit/lib/private-bus.h"
#include "unit/lib/test.h"

#define CHUNK (700000u)
#define WAITS 'W' /* the first byte of data that is written when the test says so */
#define FAILS 'F' /* of data for which there is no room */

static int reached_fd = -EBADF, gate_fd = -EBADF;

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
        const char *p = data;
        char byte = 0;

        if (size > 1000 && *p == FAILS) {
                errno = ENOSPC;
                return -1;
        }
        if (size > 1000 && *p == WAITS && (write(reached_fd, &byte, 1) != 1 || read(gate_fd, &byte, 1) != 1))
                abort();
        return syscall(SYS_pwrite64, fd, data, size, offset);
}

/* --- the manager ----------------------------------------------------------------------------------- */

static int method_begin(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *id, *owner, *dir = userdata;
        uint64_t index;
        int r = sd_bus_message_read(m, "sst", &id, &owner, &index);

        if (r < 0)
                return r;
        _cleanup_free_ char *path = strprintf("%s/%s", dir, id);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        return sd_bus_reply_method_return(m, "htt", fd, index * CHUNK, (uint64_t) CHUNK);
}

static int method_end(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *id;
        uint64_t index;
        int written, r = sd_bus_message_read(m, "stb", &id, &index, &written);

        return r < 0 ? r
                     : sd_bus_reply_method_return(m, "s",
                                       "{\"received_bytes\":1,\"total_chunks\":9,\"progress\":1.0,"
                                       "\"complete\":false}");
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("BeginChunk", "sst", "htt", method_begin, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("EndChunk", "stb", "s", method_end, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static pid_t start_manager(char *dir) {
        int ready[2];
        char byte = 0;

        ck_assert_int_eq(pipe(ready), 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                sd_event *event;
                sd_bus *bus;

                bus = sd_event_new(&event) < 0 ? NULL : private_bus_connect(dir, event);
                if (!bus ||
                                sd_bus_add_object_vtable(bus, NULL, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE,
                                                manager_vtable, dir) < 0 ||
                                sd_bus_request_name(bus, HYPER_BUS_NAME, 0) < 0 ||
                                write(ready[1], &byte, 1) != 1)
                        _exit(1);
                _exit(sd_event_loop(event) < 0);
        }
        close(ready[1]);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        return pid;
}

/* --- the server ------------------------------------------------------------------------------------ */

typedef struct Fixture {
        char *dir, *database, *address;
        int reached[2], gate[2];
        pid_t bus, manager;
        Store *store;
        ApiKey key;
        TestServer server;
} Fixture;

static void fixture_open(Fixture *f) {
        ApiKeyRow row = { .name = (char *) "test", .scopes = 1u << SCOPE_SUBMIT };

        *f = (Fixture){ .dir = test_dir() };
        ck_assert_int_eq(pipe(f->reached), 0);
        ck_assert_int_eq(pipe(f->gate), 0);
        reached_fd = f->reached[1];
        gate_fd = f->gate[0];
        f->database = strprintf("%s/hyper.db", f->dir);
        f->address = strprintf("unix:path=%s/bus", f->dir);
        ck_assert_int_eq(store_open(f->database, STORE_OWNER, &f->store), 0);
        ck_assert_int_eq(api_key_make(&f->key), 0);
        row.id = f->key.id;
        api_key_hash(f->key.text, strlen(f->key.text), &row.hash);
        ck_assert_int_eq(store_api_key_insert(f->store, &row), 0);
        f->bus = private_bus_start(f->dir);
        f->manager = start_manager(f->dir);
        test_server_start(&f->server, AF_INET, &v1_dialect,
                        &(ApiConfig){ .database = f->database, .bus_address = f->address });
}

static void fixture_done(Fixture *f) {
        ck_assert_int_eq(test_server_stop(&f->server), 0);
        (void) kill(f->manager, SIGKILL);
        (void) waitpid(f->manager, NULL, 0);
        private_bus_stop(f->bus);
        store_free(f->store);
        for (size_t i = 0; i < 2; i++) {
                close(f->reached[i]);
                close(f->gate[i]);
        }
        free(f->database);
        free(f->address);
        test_dir_freep(&f->dir);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

static void wait_reached(Fixture *f) {
        char byte;

        ck_assert_int_eq(read(f->reached[0], &byte, 1), 1);
}

static void open_gate(Fixture *f, size_t n) {
        for (char byte = 0; n > 0; n--)
                ck_assert_int_eq(write(f->gate[1], &byte, 1), 1);
}

static char *make_data(char first) {
        char *data = malloc(CHUNK);

        ck_assert_ptr_nonnull(data);
        for (size_t i = 0; i < CHUNK; i++)
                data[i] = (char) ('a' + i * 7 / 5 % 23);
        data[0] = first;
        return data;
}

/* Sends chunk @index of the upload "up" as the body. */
static int send_chunk(Fixture *f, unsigned index, const char *data, const char *header) {
        int fd = test_connect(&f->server);

        test_send(fd,
                        "POST /api/v1/upload/chunk?upload_id=up&chunk_index=%u HTTP/1.1\r\nHost: localhost\r\n"
                        "X-API-Key: %s\r\n%sContent-Length: %u\r\n\r\n",
                        index, f->key.text, header, CHUNK);
        test_send_bytes(fd, data, CHUNK);
        return fd;
}

static void expect(int fd, unsigned status, const char *part) {
        _cleanup_reply_ TestReply r = {};

        test_read_reply(fd, &r);
        close(fd);
        ck_assert_msg(r.status == status && strstr(r.body, part), "%u instead of %u: %s", r.status, status,
                        r.body);
}

static void assert_written(Fixture *f, unsigned index, const char *data) {
        _cleanup_free_ char *path = strprintf("%s/up", f->dir), *there = malloc(CHUNK);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pread(fd, there, CHUNK, (off_t) index * CHUNK), CHUNK);
        ck_assert_mem_eq(there, data, CHUNK);
}

static void hex_of(const char *data, char ret[static 65]) {
        uint8_t digest[SHA256_DIGEST_SIZE];
        struct sha256_ctx context;

        sha256_init(&context);
        sha256_update(&context, CHUNK, (const uint8_t *) data);
        sha256_digest(&context, sizeof(digest), digest);
        for (size_t i = 0; i < sizeof(digest); i++)
                (void) snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

/* --- tests ----------------------------------------------------------------------------------------- */

START_TEST(others_are_answered_while_a_disk_is_slow) {
        _cleanup_free_ char *data = make_data(WAITS);
        _cleanup_fixture_ Fixture f = {};
        _cleanup_reply_ TestReply health = {};
        int fd;

        fixture_open(&f);
        fd = send_chunk(&f, 0, data, "");
        wait_reached(&f);
        test_request(&f.server, &health, "GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        ck_assert_uint_eq(health.status, 200);
        open_gate(&f, 1);
        expect(fd, 200, "\"received\":700000");
        assert_written(&f, 0, data);
}
END_TEST

START_TEST(more_chunks_than_threads_are_written) {
        _cleanup_free_ char *data = make_data(WAITS);
        _cleanup_fixture_ Fixture f = {};
        int fds[WORKS_MAX + 3];

        fixture_open(&f);
        for (unsigned i = 0; i < ELEMENTSOF(fds); i++)
                fds[i] = send_chunk(&f, i, data, "");
        for (unsigned i = 0; i < WORKS_MAX; i++)
                wait_reached(&f);
        open_gate(&f, ELEMENTSOF(fds));
        for (unsigned i = 0; i < ELEMENTSOF(fds); i++)
                expect(fds[i], 200, "\"received\":700000");
        for (unsigned i = 0; i < ELEMENTSOF(fds); i++)
                assert_written(&f, i, data);
}
END_TEST

START_TEST(a_checksum_is_of_the_whole_chunk) {
        _cleanup_free_ char *data = make_data('x'), *header = NULL;
        _cleanup_fixture_ Fixture f = {};
        char hex[65];

        fixture_open(&f);
        hex_of(data, hex);
        header = strprintf("X-Chunk-SHA256: %s\r\n", hex);
        expect(send_chunk(&f, 2, data, header), 200, "\"chunk_index\":2");
        assert_written(&f, 2, data);
        data[CHUNK - 1]++;
        expect(send_chunk(&f, 2, data, header), 400, "sha256");
}
END_TEST

START_TEST(a_form_has_the_chunk_in_pieces) {
        static const char head
                        [] = "--0123456789abcdef\r\nContent-Disposition: form-data; name=\"upload_id\"\r\n\r\nup\r\n--0123456789abcdef\r\n"
                             "Content-Disposition: form-data; name=\"chunk_index\"\r\n\r\n1\r\n--0123456789abcdef\r\n"
                             "Content-Disposition: form-data; name=\"chunk\"; filename=\"c\"\r\n\r\n",
                    tail[] = "\r\n--0123456789abcdef\r\nContent-Disposition: form-data; name=\"sha256\"\r\n\r\n",
                    last[] = "\r\n--0123456789abcdef--\r\n";
        _cleanup_free_ char *data = make_data('x');
        _cleanup_fixture_ Fixture f = {};
        char hex[65];
        int fd;

        fixture_open(&f);
        hex_of(data, hex);
        fd = test_connect(&f.server);
        test_send(fd,
                        "POST /api/v1/upload/chunk HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n"
                        "Content-Type: multipart/form-data; boundary=0123456789abcdef\r\nContent-Length: %zu\r\n\r\n%s",
                        f.key.text, strlen(head) + CHUNK + strlen(tail) + 64 + strlen(last), head);
        for (size_t i = 0; i < CHUNK; i += 1001)
                test_send_bytes(fd, data + i, MIN((size_t) CHUNK - i, (size_t) 1001));
        test_send(fd, "%s%s%s", tail, hex, last);
        expect(fd, 200, "\"received\":700000");
        assert_written(&f, 1, data);
}
END_TEST

START_TEST(a_full_disk_is_507) {
        _cleanup_free_ char *data = make_data(FAILS);
        _cleanup_fixture_ Fixture f = {};

        fixture_open(&f);
        expect(send_chunk(&f, 0, data, ""), 507, "error");
        data[0] = 'x';
        expect(send_chunk(&f, 0, data, ""), 200, "\"received\":700000");
}
END_TEST

/* The thread goes on, and the server can stop. */
START_TEST(a_client_leaves_while_its_chunk_is_written) {
        _cleanup_free_ char *data = make_data(WAITS);
        _cleanup_fixture_ Fixture f = {};
        int fd;

        fixture_open(&f);
        fd = send_chunk(&f, 0, data, "");
        wait_reached(&f);
        close(fd);
        open_gate(&f, 1);
        data[0] = 'x';
        expect(send_chunk(&f, 1, data, ""), 200, "\"received\":700000");
}
END_TEST

TEST_MAIN("v1-chunk", others_are_answered_while_a_disk_is_slow, more_chunks_than_threads_are_written,
                a_checksum_is_of_the_whole_chunk, a_form_has_the_chunk_in_pieces, a_full_disk_is_507,
                a_client_leaves_while_its_chunk_is_written)
