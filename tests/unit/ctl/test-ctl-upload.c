/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl upload: what is sent, and what is resumed. The other side is a stand-in. */

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/server-client.h"
#include "ctl/upload-state.h"
#include "ctl/upload.h"
#include "ctl/view.h"
#include "unit/lib/test.h"

#define CHUNK 1000u
#define CHUNKS 5u
#define SIZE (CHUNKS * CHUNK - 1) /* the last chunk is shorter */

/* What the other side has; shared by the processes of a test. */
typedef struct Remote {
        bool exists, received[CHUNKS], failed, malformed;
        char bytes[SIZE], digest[80];
        unsigned n_created, n_sent, n_dropped;
        unsigned again; /* so many sends fail for a moment */
        unsigned kill_at; /* the process is killed after so many */
        unsigned verifying; /* so many looks until it is over */
        bool bad_digest;
} Remote;

static Remote *remote;
static Ctl ctl = { .args.quiet = true };

static json_t *upload_json(const char *status) {
        json_t *received = json_array();

        for (unsigned i = 0; i < CHUNKS; i++)
                if (remote->received[i])
                        ck_assert_int_eq(json_array_append_new(received, json_integer(i)), 0);
        if (remote->malformed)
                ck_assert_int_eq(json_array_append_new(received, json_integer(CHUNKS)), 0);
        return json_pack("{s:s, s:i, s:i, s:i, s:o, s:s, s:s?}", "upload_id", "up-1", "size", SIZE,
                        "chunk_size", CHUNK, "total_chunks", CHUNKS, "received_chunks", received, "status",
                        status, "path", streq(status, "completed") ? "/there/disk.raw" : NULL);
}

static int fake_create(UploadTarget *t, json_t *definition, json_t **ret) {
        ck_assert_str_eq(view_string(definition, "filename"), "disk.raw");
        ck_assert_uint_eq(view_number(definition, "size"), SIZE);
        memset(remote->received, 0, sizeof(remote->received));
        remote->exists = true;
        remote->failed = false;
        remote->n_created++;
        *ret = upload_json("open");
        return EXIT_OK;
}

static int fake_get(UploadTarget *t, const char *id, json_t **ret) {
        if (!remote->exists)
                return UPLOAD_GONE;
        if (remote->verifying > 0)
                remote->verifying--;
        *ret = upload_json(remote->failed                   ? "failed"
                                        : remote->verifying ? "verifying"
                                        : *remote->digest   ? "completed"
                                                            : "open");
        return EXIT_OK;
}

static int fake_send(UploadTarget *t, const char *id, uint64_t index, const void *data, size_t size) {
        ck_assert_str_eq(id, "up-1");
        ck_assert_uint_lt(index, CHUNKS);
        ck_assert(!remote->received[index]);
        ck_assert_uint_eq(size, index + 1 < CHUNKS ? CHUNK : CHUNK - 1);
        if (!remote->exists)
                return UPLOAD_GONE;
        if (remote->again > 0) {
                remote->again--;
                return t->last ? EXIT_UNAVAILABLE : UPLOAD_AGAIN;
        }
        memcpy(remote->bytes + index * CHUNK, data, size);
        t->progress(size, t->userdata);
        remote->received[index] = true;
        remote->n_sent++;
        if (remote->n_sent == remote->kill_at)
                (void) raise(SIGKILL);
        return EXIT_OK;
}

static int fake_complete(UploadTarget *t, const char *id, const char *sha256, json_t **ret) {
        for (unsigned i = 0; i < CHUNKS; i++)
                ck_assert(remote->received[i]);
        (void) snprintf(remote->digest, sizeof(remote->digest), "%s", sha256);
        remote->failed = remote->bad_digest;
        return fake_get(t, id, ret);
}

static int fake_drop(UploadTarget *t, const char *id) {
        remote->exists = false;
        remote->n_dropped++;
        return EXIT_OK;
}

static const UploadOps ops = { .create = fake_create,
        .get = fake_get,
        .send = fake_send,
        .complete = fake_complete,
        .drop = fake_drop };

static char *directory, *file;

static void write_disk(char c) {
        char bytes[SIZE];
        int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        memset(bytes, c, sizeof(bytes));
        ck_assert_int_eq(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
        ck_assert_int_eq(close(fd), 0);
}

static void set_up(void) {
        directory = test_dir();
        ck_assert_int_eq(setenv("XDG_STATE_HOME", directory, 1), 0);
        file = strprintf("%s/disk.raw", directory);
        ck_assert_ptr_nonnull(file);
        write_disk('a');
        remote = mmap(NULL, sizeof(Remote), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(remote, MAP_FAILED);
}

static void tear_down(void) {
        (void) munmap(remote, sizeof(Remote));
        free(file);
        test_dir_freep(&directory);
}

/* An ExitStatus. */
static int upload(void) {
        UploadTarget t = { .ops = &ops, .ctl = &ctl, .place = (char *) "there" };
        json_t *json = NULL;
        int status = upload_file(&t, file, NULL, &json);

        if (status == EXIT_OK) {
                ck_assert_str_eq(view_string(json, "path"), "/there/disk.raw");
                json_decref(json);
        }
        return status;
}

static void check_digest(char c) {
        char command[256], text[80] = "";
        FILE *f;

        (void) snprintf(command, sizeof(command), "head -c %u /dev/zero | tr '\\0' %c | sha256sum", SIZE, c);
        f = popen(command, "r");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(fscanf(f, "%64s", text), 1);
        ck_assert_int_eq(pclose(f), 0);
        ck_assert_str_eq(remote->digest, text);
        for (size_t i = 0; i < SIZE; i++)
                ck_assert_int_eq(remote->bytes[i], c);
}

START_TEST(a_file_is_sent_in_chunks) {
        remote->verifying = 3;
        ck_assert_int_eq(upload(), EXIT_OK);
        ck_assert_uint_eq(remote->n_sent, CHUNKS);
        ck_assert_uint_eq(remote->n_dropped, 0);
        check_digest('a');
}
END_TEST

static void upload_killed(unsigned after) {
        pid_t pid = fork();
        int status;

        remote->kill_at = after;
        if (pid == 0)
                _exit(upload());
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        remote->kill_at = 0;
}

START_TEST(one_that_was_killed_is_resumed) {
        upload_killed(2);
        ck_assert_int_eq(upload(), EXIT_OK);
        ck_assert_uint_eq(remote->n_created, 1);
        ck_assert_uint_eq(remote->n_sent, CHUNKS); /* none twice */
        check_digest('a');
        /* the next one is another upload */
        remote->n_sent = 0;
        *remote->digest = '\0';
        ck_assert_int_eq(upload(), EXIT_OK);
        ck_assert_uint_eq(remote->n_created, 2);
        ck_assert_uint_eq(remote->n_sent, CHUNKS);
}
END_TEST

START_TEST(other_content_is_not_resumed) {
        upload_killed(2);
        write_disk('b');
        ck_assert_int_eq(upload(), EXIT_OK);
        ck_assert_uint_eq(remote->n_created, 2);
        ck_assert_uint_eq(remote->n_dropped, 1);
        check_digest('b');
}
END_TEST

START_TEST(one_that_has_expired_begins_anew) {
        upload_killed(2);
        remote->exists = false;
        ck_assert_int_eq(upload(), EXIT_OK);
        ck_assert_uint_eq(remote->n_created, 2);
        check_digest('a');
}
END_TEST

START_TEST(what_fails_for_a_moment_is_tried_again) {
        remote->again = 3;
        ck_assert_int_eq(upload(), EXIT_OK);
        check_digest('a');
        remote->again = 1000;
        ck_assert_int_eq(upload(), EXIT_UNAVAILABLE);
        ck_assert_uint_gt(remote->again, 900);
}
END_TEST

START_TEST(a_wrong_checksum_is_an_error) {
        remote->bad_digest = true;
        ck_assert_int_eq(upload(), EXIT_OTHER);
        ck_assert_uint_eq(remote->n_dropped, 1);
        remote->bad_digest = false;
        ck_assert_int_eq(upload(), EXIT_OK);
        ck_assert_uint_eq(remote->n_created, 2);
}
END_TEST

START_TEST(a_server_is_not_trusted) {
        remote->malformed = true;
        ck_assert_int_eq(upload(), EXIT_OTHER);
        ck_assert_uint_eq(remote->n_sent, 0);
}
END_TEST

START_TEST(nobody_else_uploads_the_same_file) {
        _cleanup_upload_state_ UploadState state = { .fd = -EBADF };
        struct stat st;

        ck_assert_int_eq(stat(file, &st), 0);
        ck_assert_int_eq(upload_state_open(&state, "there", file, "disk.raw", &st), 0);
        ck_assert_int_eq(upload(), EXIT_REFUSED);
        ck_assert_uint_eq(remote->n_created, 0);
}
END_TEST

START_TEST(only_files_with_content_are_uploaded) {
        ck_assert_int_eq(truncate(file, 0), 0);
        ck_assert_int_eq(upload(), EXIT_REFUSED);
        ck_assert_int_eq(unlink(file), 0);
        ck_assert_int_eq(upload(), EXIT_REFUSED);
        ck_assert_int_eq(mkfifo(file, 0600), 0);
        ck_assert_int_eq(upload(), EXIT_REFUSED);
}
END_TEST

START_TEST(a_server_is_a_host_and_a_port) {
        static const struct {
                const char *server, *url;
        } cases[] = {
                { "kvm1", "https://kvm1:5080" },
                { "kvm1:443", "https://kvm1:443" },
                { "https://kvm1.example.org", "https://kvm1.example.org:5080" },
                { "https://kvm1:5081/", "https://kvm1:5081" },
                { "[::1]", "https://[::1]:5080" },
                { "", NULL },
                { "http://kvm1", NULL },
                { "ftp://kvm1", NULL },
                { "https://admin:secret@kvm1", NULL },
                { "https://kvm1/api/v1", NULL },
                { "https://kvm1/?token=x", NULL },
                { "kvm1:99999", NULL },
                { "a b", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *url = NULL;
                int r = server_parse(cases[i].server, &url);

                ck_assert_int_eq(r, cases[i].url ? 0 : -EINVAL);
                if (cases[i].url)
                        ck_assert_str_eq(url, cases[i].url);
        }
}
END_TEST

int main(void) {
        const TTest *const tests[] = { a_file_is_sent_in_chunks, one_that_was_killed_is_resumed,
                other_content_is_not_resumed, one_that_has_expired_begins_anew,
                what_fails_for_a_moment_is_tried_again, a_wrong_checksum_is_an_error,
                a_server_is_not_trusted, nobody_else_uploads_the_same_file,
                only_files_with_content_are_uploaded, a_server_is_a_host_and_a_port };
        TCase *c = test_case("ctl-upload", 60, tests, ELEMENTSOF(tests));

        tcase_add_checked_fixture(c, set_up, tear_down);
        return test_run("ctl-upload", c);
}
