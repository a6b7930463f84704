/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files over the bus: what is opened and listed, and uploads in chunks. */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "manager/file/upload.h"
#include "shared/error-table.h"
#include "shared/thread-call.h"
#include "unit/lib/manager-test.h"

/* "hello world" */
#define DIGITS "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"

static void refused(int r, const sd_bus_error *error, const char *name, const char *part) {
        ck_assert_int_lt(r, 0);
        ck_assert_str_eq(error->name, name);
        ck_assert_msg(strstr(error->message, part), "no \"%s\" in: %s", part, error->message);
}

/* --- files ----------------------------------------------------------------------------------------- */

static void refuse_file(
                Fixture *f, const char *member, const char *path, const char *name, const char *part) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};

        refused(call(f, member, NULL, &error, "s", path), &error, name, part);
}

/* in/a.raw, in/sub, in/.hidden, in/link, in/fifo; out.raw beside it. */
static char *make_tree(Fixture *f) {
        char *in = strprintf("%s/in", f->dir);
        _cleanup_free_ char *a = strprintf("%s/a.raw", in), *sub = strprintf("%s/sub", in),
                            *hidden = strprintf("%s/.hidden", in), *link = strprintf("%s/link", in),
                            *fifo = strprintf("%s/fifo", in), *out = strprintf("%s/out.raw", f->dir);

        ck_assert_int_eq(mkdir(in, 0700), 0);
        ck_assert_int_eq(mkdir(sub, 0700), 0);
        make_file(a, "hello world");
        make_file(hidden, "x");
        make_file(out, "secret");
        ck_assert_int_eq(symlink("../out.raw", link), 0);
        ck_assert_int_eq(mkfifo(fifo, 0600), 0);
        strv_free(f->manager->settings->files.roots);
        f->manager->settings->files.roots = NULL;
        ck_assert_int_eq(strv_extend(&f->manager->settings->files.roots, in), 0);
        return in;
}

BUS_TEST(files_below_the_roots_are_opened)
        _cleanup_free_ char *in = make_tree(&f), *path = strprintf("%s/a.raw", in);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        char buf[32] = "";
        int fd;

        ck_assert_int_ge(call(&f, "OpenFile", &reply, NULL, "s", path), 0);
        ck_assert_int_ge(sd_bus_message_read(reply, "h", &fd), 0);
        ck_assert_int_eq(read(fd, buf, sizeof(buf) - 1), 11);
        ck_assert_str_eq(buf, "hello world");
        ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
        const struct {
                const char *path, *name, *part;
        } bad[] = {
                { "/../out.raw", HYPER_BUS_ERROR_INVALID_ARGUMENT, "must not contain" },
                { "//a.raw", HYPER_BUS_ERROR_INVALID_ARGUMENT, "must not contain" },
                { "/./a.raw", HYPER_BUS_ERROR_INVALID_ARGUMENT, "must not contain" },
                { "/.hidden", HYPER_BUS_ERROR_NO_SUCH_FILE, "does not exist" },
                { "/none", HYPER_BUS_ERROR_NO_SUCH_FILE, "does not exist" },
                { "/a.raw/x", HYPER_BUS_ERROR_NO_SUCH_FILE, "does not exist" },
                { "/link", HYPER_BUS_ERROR_ACCESS_DENIED, "symbolic link" },
                { "/link/x", HYPER_BUS_ERROR_ACCESS_DENIED, "symbolic link" },
                { "/fifo", HYPER_BUS_ERROR_INVALID_ARGUMENT, "no regular file" },
                { "/sub", HYPER_BUS_ERROR_INVALID_ARGUMENT, "no regular file" },
                { "", HYPER_BUS_ERROR_INVALID_ARGUMENT, "no regular file" },
        };
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *full = strprintf("%s%s", in, bad[i].path);

                refuse_file(&f, "OpenFile", full, bad[i].name, bad[i].part);
        }
        _cleanup_free_ char *beside = strprintf("%s2/a", in), *out = strprintf("%s/out.raw", f.dir);
        refuse_file(&f, "OpenFile", out, HYPER_BUS_ERROR_ACCESS_DENIED, "files.roots");
        refuse_file(&f, "OpenFile", beside, HYPER_BUS_ERROR_ACCESS_DENIED, "files.roots");
        refuse_file(&f, "OpenFile", "a.raw", HYPER_BUS_ERROR_INVALID_ARGUMENT, "absolute");
        refuse_file(&f, "OpenFile", "", HYPER_BUS_ERROR_INVALID_ARGUMENT, "absolute");
BUS_TEST_END

BUS_TEST(directories_and_files_are_listed)
        _cleanup_free_ char *in = make_tree(&f), *a = strprintf("%s/a.raw", in);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL, *roots = NULL;
        const char *name, *second;
        int root, is_directory, second_is_directory;
        uint64_t size, second_size, modified_at;

        ck_assert_int_ge(call(&f, "ListFiles", &reply, NULL, "s", in), 0);
        ck_assert_int_ge(sd_bus_message_read(reply, "ba(sbtt)", &root, 2, &name, &is_directory, &size,
                                         &modified_at, &second, &second_is_directory, &second_size,
                                         &modified_at),
                        0);
        ck_assert(root && is_directory && !second_is_directory);
        ck_assert_str_eq(name, "sub");
        ck_assert_str_eq(second, "a.raw");
        ck_assert_uint_eq(second_size, 11);
        ck_assert_uint_gt(modified_at, 0);
        ck_assert_int_ge(call(&f, "ListFiles", &roots, NULL, "s", ""), 0);
        ck_assert_int_ge(sd_bus_message_read(roots, "ba(sbtt)", &root, 1, &name, &is_directory, &size,
                                         &modified_at),
                        0);
        ck_assert_str_eq(name, in);
        refuse_file(&f, "ListFiles", a, HYPER_BUS_ERROR_INVALID_ARGUMENT, "no directory");
        refuse_file(&f, "ListFiles", f.dir, HYPER_BUS_ERROR_ACCESS_DENIED, "files.roots");
BUS_TEST_END

/* --- uploads --------------------------------------------------------------------------------------- */

static json_t *read_json(sd_bus_message *reply) {
        const char *text;

        ck_assert_int_ge(sd_bus_message_read(reply, "s", &text), 0);
        json_t *value = json_loads(text, 0, NULL);
        ck_assert_msg(json_is_object(value), "%s", text);
        return value;
}

static const char *text_of(const json_t *upload, const char *key) {
        return json_string_value(json_object_get(upload, key));
}

static json_t *create(Fixture *f, const char *definition, const char *owner) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};

        ck_assert_msg(call(f, "CreateUpload", &reply, &error, "ss", definition, owner) >= 0, "%s",
                        error.message);
        return read_json(reply);
}

static json_t *get(Fixture *f, const char *id) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        ck_assert_int_ge(call(f, "GetUpload", &reply, NULL, "ss", id, ""), 0);
        return read_json(reply);
}

/* Writes @size bytes of the chunk, which need not be all. */
static void begin_chunk(Fixture *f, const char *id, uint64_t index, char with, uint64_t size) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};
        _cleanup_free_ char *data = malloc(size);
        uint64_t offset, length;
        int fd;

        ck_assert_msg(call(f, "BeginChunk", &reply, &error, "sst", id, "", index) >= 0, "%s", error.message);
        ck_assert_int_ge(sd_bus_message_read(reply, "htt", &fd, &offset, &length), 0);
        ck_assert_uint_le(size, length);
        memset(data, with, size);
        ck_assert_int_eq(pwrite_full(fd, data, size, offset), 0);
}

static json_t *end_chunk(Fixture *f, const char *id, uint64_t index) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};

        ck_assert_msg(call(f, "EndChunk", &reply, &error, "stb", id, index, 1) >= 0, "%s", error.message);
        return read_json(reply);
}

static void put_chunk(Fixture *f, const char *id, uint64_t index, char with, uint64_t size) {
        begin_chunk(f, id, index, with, size);
        json_decref(end_chunk(f, id, index));
}

static int complete(Fixture *f, const char *id, const char *sha256, json_t **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = call(f, "CompleteUpload", &reply, error, "sss", id, "", sha256);

        if (r >= 0)
                *ret = read_json(reply);
        return r;
}

#define MIB ((uint64_t) 1 << 20)
#define TWO_CHUNKS "{\"filename\":\"/tmp/we b.vmdk\",\"size\":1048580,\"chunk_size\":1048576}"

BUS_TEST(a_file_is_uploaded_in_chunks)
        _cleanup_json_ json_t *upload = create(&f, TWO_CHUNKS, "key:a"), *half = NULL, *done = NULL,
                              *again = NULL, *second = NULL, *other = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error missing = {};
        _cleanup_free_ char *path = strprintf("%s/uploads/we_b.vmdk", f.state),
                            *numbered = strprintf("%s/uploads/we_b-1.vmdk", f.state), *content = NULL;
        const char *id = text_of(upload, "upload_id");
        size_t size;

        ck_assert_str_eq(text_of(upload, "filename"), "we_b.vmdk");
        ck_assert_str_eq(text_of(upload, "status"), "open");
        ck_assert_int_eq(json_integer_value(json_object_get(upload, "total_chunks")), 2);
        put_chunk(&f, id, 1, 'b', 4);
        half = get(&f, id);
        ck_assert_int_eq(json_integer_value(json_object_get(half, "received_bytes")), 4);
        refused(complete(&f, id, "", &done, &missing), &missing, HYPER_BUS_ERROR_CHUNKS_MISSING,
                        "1 of 2 chunks are missing");
        put_chunk(&f, id, 0, 'a', MIB);
        ck_assert_int_ge(complete(&f, id, "", &done, NULL), 0);
        ck_assert_str_eq(text_of(done, "status"), "completed");
        ck_assert_str_eq(text_of(done, "path"), path);
        ck_assert_int_eq(read_file_at(AT_FDCWD, path, 2 * MIB, &content, &size), 0);
        ck_assert_uint_eq(size, MIB + 4);
        ck_assert(content[0] == 'a' && content[MIB - 1] == 'a' && content[MIB] == 'b');
        /* again, with the same answer; another one of this name does not replace it */
        ck_assert_int_ge(complete(&f, id, "", &again, NULL), 0);
        ck_assert_str_eq(text_of(again, "path"), path);
        second = create(&f, TWO_CHUNKS, "key:a");
        put_chunk(&f, text_of(second, "upload_id"), 0, 'c', MIB);
        put_chunk(&f, text_of(second, "upload_id"), 1, 'c', 4);
        ck_assert_int_ge(complete(&f, text_of(second, "upload_id"), "", &other, NULL), 0);
        ck_assert_str_eq(text_of(other, "path"), numbered);
BUS_TEST_END

BUS_TEST(a_torn_chunk_is_never_counted)
        _cleanup_json_ json_t *upload = create(&f, TWO_CHUNKS, "key:a"), *torn = NULL, *after = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error busy = {}, lost = {};
        const char *id = text_of(upload, "upload_id");

        put_chunk(&f, id, 1, 'b', 4);
        put_chunk(&f, id, 0, 'a', MIB);
        /* written again, but not to its end: what was there is not there any more */
        begin_chunk(&f, id, 1, 'x', 2);
        refused(call(&f, "BeginChunk", NULL, &busy, "sst", id, "", (uint64_t) 1), &busy,
                        HYPER_BUS_ERROR_CHUNK_BUSY, "Another request");
        torn = get(&f, id);
        ck_assert_int_eq(json_integer_value(json_object_get(torn, "received_bytes")), MIB);
        manager_down(&f);
        manager_up(&f);
        refused(call(&f, "EndChunk", NULL, &lost, "stb", id, (uint64_t) 1, 1), &lost,
                        HYPER_BUS_ERROR_WRONG_STATE, "send it again");
        after = get(&f, id);
        ck_assert_int_eq(json_integer_value(json_object_get(after, "received_bytes")), MIB);
        put_chunk(&f, id, 1, 'b', 4);
BUS_TEST_END

BUS_TEST(a_chunk_whose_client_leaves_is_free)
        _cleanup_json_ json_t *upload = create(&f, TWO_CHUNKS, "key:a");
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *id = text_of(upload, "upload_id");
        sd_bus *other = connect_bus(&f);

        ck_assert_int_ge(sd_bus_message_new_method_call(other, &m, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         HYPER_MANAGER_INTERFACE, "BeginChunk"),
                        0);
        ck_assert_int_ge(sd_bus_message_append(m, "sst", id, "", (uint64_t) 0), 0);
        ck_assert_int_ge(call_message(&f, TAKE_PTR(m), &reply, NULL), 0);
        /* only its client may end it */
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};
        refused(call(&f, "EndChunk", NULL, &error, "stb", id, (uint64_t) 0, 1), &error,
                        HYPER_BUS_ERROR_WRONG_STATE, "was not begun by this client");
        reply = sd_bus_message_unref(reply);
        sd_bus_flush_close_unref(other);
        settle_down(&f);
        put_chunk(&f, id, 0, 'a', MIB);
BUS_TEST_END

BUS_TEST(the_sha256_decides)
        _cleanup_json_ json_t *upload = create(&f,
                                              "{\"filename\":\"a.raw\",\"size\":11,\"sha256\":\"" DIGITS
                                              "\"}",
                                              "key:a"),
                              *failed = NULL, *done = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error wrong = {}, other = {};
        const char *id = text_of(upload, "upload_id");

        put_chunk(&f, id, 0, 'x', 11);
        refused(complete(&f, id, "", &done, &wrong), &wrong, HYPER_BUS_ERROR_INVALID_ARGUMENT, "sha256:");
        failed = get(&f, id);
        ck_assert_str_eq(text_of(failed, "status"), "failed");
        ck_assert_ptr_nonnull(text_of(failed, "error"));
        refused(complete(&f, id, "0000000000000000000000000000000000000000000000000000000000000000", &done,
                                &other),
                        &other, HYPER_BUS_ERROR_INVALID_ARGUMENT, "differs");
        /* sent again, it is right */
        {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
                uint64_t offset, length;
                int fd;

                ck_assert_int_ge(call(&f, "BeginChunk", &reply, NULL, "sst", id, "", (uint64_t) 0), 0);
                ck_assert_int_ge(sd_bus_message_read(reply, "htt", &fd, &offset, &length), 0);
                ck_assert_int_eq(pwrite_full(fd, "hello world", 11, offset), 0);
        }
        json_decref(end_chunk(&f, id, 0));
        ck_assert_int_ge(complete(&f, id, DIGITS, &done, NULL), 0);
        ck_assert_str_eq(text_of(done, "status"), "completed");
        ck_assert_str_eq(text_of(done, "sha256"), DIGITS);
BUS_TEST_END

/* The power fails between the steps that give the file its name. */
BUS_TEST(completing_can_be_repeated)
        _cleanup_json_ json_t *upload = create(&f, "{\"filename\":\"a.raw\",\"size\":11}", "key:a"),
                              *done = NULL;
        _cleanup_(upload_row_freep) UploadRow *row = NULL;
        const char *id = text_of(upload, "upload_id");
        _cleanup_free_ char *part = upload_part_path(f.manager, id),
                            *path = strprintf("%s/uploads/a.raw", f.state),
                            *second = strprintf("%s/uploads/a-1.raw", f.state);

        put_chunk(&f, id, 0, 'x', 11);
        ck_assert_int_eq(store_upload_get(f.store, id, &row), 0);
        row->path = strdup(path);
        ck_assert_int_eq(store_upload_update(f.store, row), 0);
        ck_assert_int_eq(rename(part, path), 0);
        manager_down(&f);
        manager_up(&f);
        ck_assert_int_ge(complete(&f, id, "", &done, NULL), 0);
        ck_assert_str_eq(text_of(done, "path"), path);
        ck_assert_int_lt(access(second, F_OK), 0);
BUS_TEST_END

BUS_TEST(there_are_limits)
        static const struct {
                const char *definition, *part;
        } bad[] = {
                { "{}", "filename: must be given" },
                { "{\"filename\":\"a.raw\"}", "size: must be given" },
                { "{\"filename\":\"a.raw\",\"size\":0}", "size:" },
                { "{\"filename\":\"a.exe\",\"size\":1}", "filename: must end in" },
                { "{\"filename\":\".raw\",\"size\":1}", "filename: must end in" },
                { "{\"filename\":\"a.raw\",\"size\":1,\"chunk_size\":1}", "chunk_size:" },
                { "{\"filename\":\"a.raw\",\"size\":1,\"sha256\":\"x\"}", "sha256:" },
                { "[]", "" },
        };
        _cleanup_(sd_bus_error_free) sd_bus_error mine = {}, index = {}, owner = {}, quota = {};
        _cleanup_json_ json_t *upload = NULL;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = {};

                refused(call(&f, "CreateUpload", NULL, &error, "ss", bad[i].definition, "key:a"), &error,
                                HYPER_BUS_ERROR_INVALID_ARGUMENT, bad[i].part);
        }
        for (unsigned i = 0; i < UPLOADS_OPEN_OF_OWNER_MAX; i++) {
                json_decref(upload);
                upload = create(&f, "{\"filename\":\"a.raw\",\"size\":1}", "key:a");
        }
        refused(call(&f, "CreateUpload", NULL, &mine, "ss", "{\"filename\":\"a.raw\",\"size\":1}", "key:a"),
                        &mine, HYPER_BUS_ERROR_TOO_MANY_UPLOADS, "the limit");
        refused(call(&f, "BeginChunk", NULL, &index, "sst", text_of(upload, "upload_id"), "", (uint64_t) 1),
                        &index, HYPER_BUS_ERROR_INVALID_ARGUMENT, "chunk_index: must be 0 to 0");
        refused(call(&f, "GetUpload", NULL, &owner, "ss", text_of(upload, "upload_id"), "key:b"), &owner,
                        HYPER_BUS_ERROR_NO_SUCH_UPLOAD, "There is no upload");
        f.manager->settings->uploads.quota = 10;
        refused(call(&f, "CreateUpload", NULL, &quota, "ss", "{\"filename\":\"a.raw\",\"size\":7}", "key:b"),
                        &quota, HYPER_BUS_ERROR_TOO_MANY_UPLOADS, "uploads.quota");
        json_decref(create(&f, "{\"filename\":\"a.raw\",\"size\":6}", "key:b"));
BUS_TEST_END

BUS_TEST(an_upload_ends)
        _cleanup_json_ json_t *deleted = create(&f, TWO_CHUNKS, "key:a"),
                              *expires = create(&f, TWO_CHUNKS, "key:a"),
                              *gone = create(&f, TWO_CHUNKS, "key:a");
        _cleanup_(sd_bus_error_free) sd_bus_error none = {}, expired = {}, removed = {};
        _cleanup_free_ char *part = upload_part_path(f.manager, text_of(deleted, "upload_id")),
                            *old = upload_part_path(f.manager, text_of(expires, "upload_id")),
                            *cleaned = upload_part_path(f.manager, text_of(gone, "upload_id"));

        ck_assert_int_eq(access(part, F_OK), 0);
        ck_assert_int_ge(call(&f, "DeleteUpload", NULL, NULL, "ss", text_of(deleted, "upload_id"), ""), 0);
        ck_assert_int_lt(access(part, F_OK), 0);
        refused(call(&f, "GetUpload", NULL, &none, "ss", text_of(deleted, "upload_id"), ""), &none,
                        HYPER_BUS_ERROR_NO_SUCH_UPLOAD, "There is no upload");
        ck_assert_int_eq(unlink(cleaned), 0); /* as systemd-tmpfiles does */
        refused(call(&f, "BeginChunk", NULL, &removed, "sst", text_of(gone, "upload_id"), "", (uint64_t) 0),
                        &removed, HYPER_BUS_ERROR_NO_SUCH_UPLOAD, "expired");
        test_clock += UPLOAD_EXPIRES_AFTER + 1;
        refused(call(&f, "GetUpload", NULL, &expired, "ss", text_of(expires, "upload_id"), ""), &expired,
                        HYPER_BUS_ERROR_NO_SUCH_UPLOAD, "There is no upload");
        ck_assert_int_lt(access(old, F_OK), 0);
BUS_TEST_END

TEST_MAIN("manager-uploads", files_below_the_roots_are_opened, directories_and_files_are_listed,
                a_file_is_uploaded_in_chunks, a_torn_chunk_is_never_counted,
                a_chunk_whose_client_leaves_is_free, the_sha256_decides, completing_can_be_repeated,
                there_are_limits, an_upload_ends)
