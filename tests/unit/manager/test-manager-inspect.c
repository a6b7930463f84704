/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* InspectSource: which files are inspected, and what becomes of an answer. */

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "basic/fd-util.h"
#include "manager/file/source-look.h"
#include "shared/error-table.h"
#include "unit/lib/manager-test.h"

static const char good[] = "{\"format\":\"qcow2\",\"disks\":[{\"file\":\"a.qcow2\",\"format\":\"qcow2\","
                           "\"size\":1024},{\"file\":\"b\",\"format\":null,\"size\":512}],\"vm\":null,"
                           "\"concerns\":[]}";

/* What hyper-job would be: reads the file that it is given, and answers. */
typedef struct Inspector {
        int fd;
        const char *answer;
        char name[256], content[256];
        pthread_t thread;
} Inspector;

static void *serve(void *userdata) {
        Inspector *s = userdata;
        _cleanup_close_ int connection = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC), file = -EBADF;
        char room[CMSG_SPACE(sizeof(int))];
        struct iovec text = { s->name, sizeof(s->name) - 1 };
        struct msghdr m = {
                .msg_iov = &text, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)
        };

        if (recvmsg(connection, &m, MSG_CMSG_CLOEXEC) > 0 && CMSG_FIRSTHDR(&m)) {
                memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
                if (read(file, s->content, sizeof(s->content) - 1) < 0 ||
                                send(connection, s->answer, strlen(s->answer), MSG_NOSIGNAL) < 0)
                        return s;
        }
        return NULL;
}

static void inspector_start(Inspector *s, const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
        strcpy(address.sun_path, path);
        s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void) unlink(path);
        ck_assert_int_eq(bind(s->fd, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(s->fd, 1), 0);
        ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void inspector_end(Inspector *s) {
        void *failed;

        ck_assert_int_eq(pthread_join(s->thread, &failed), 0);
        ck_assert_ptr_null(failed);
        close(s->fd);
}

static const PathRules as_admin = { .role = ROLE_ADMIN };

static json_t *look(const PathRules *rules, const char *path, const char *socket, int expected,
                const char *words) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        json_t *found = NULL;
        int r = source_look(rules, path, socket, &found, &errors);
        _cleanup_free_ char *text = json_errors_text(&errors);

        ck_assert_msg(r == expected, "%s: %s: %s", path, strerror(-r), text);
        ck_assert_msg(!words || strstr(text, words), "%s: %s", path, text);
        return found;
}

START_TEST(files) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *file = strprintf("%s/a.qcow2", dir), *ovf = strprintf("%s/a.ovf", dir),
                            *socket = strprintf("%s/s", dir), *none = strprintf("%s/none", dir);
        Inspector s = { .answer = good }, t = { .answer = "{\"format\":1}" }, u = { .answer = good };

        make_file(file, "the image");
        inspector_start(&s, socket);
        _cleanup_json_ json_t *found = look(&as_admin, file, socket, 0, NULL);
        inspector_end(&s);
        ck_assert_str_eq(s.name, "a.qcow2");
        ck_assert_str_eq(s.content, "the image");
        ck_assert_int_eq(json_integer_value(json_object_get(found, "size")), 1536);
        ck_assert_str_eq(json_string_value(json_object_get(found, "path")), file);

        inspector_start(&t, socket);
        look(&as_admin, file, socket, -EAGAIN, NULL);
        inspector_end(&t);

        look(&as_admin, dir, socket, -EBADMSG, "there is no OVF in this directory");
        make_file(ovf, "<Envelope/>");
        inspector_start(&u, socket);
        _cleanup_json_ json_t *package = look(&as_admin, dir, socket, 0, NULL);
        inspector_end(&u);
        ck_assert_str_eq(u.name, "a.ovf");

        look(&as_admin, none, socket, -ENOENT, "no such file");
        look(&as_admin, file, none, -EAGAIN, NULL);
        look(&as_admin, "/etc/shadow", socket, -EPERM, "a source may not be here");
}
END_TEST

START_TEST(places_of_operators) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *own = strprintf("%s/own", dir), *other = strprintf("%s/a.raw", dir);
        const PathRules rules = { .role = ROLE_OPERATOR, .source_paths = (char *[]){ own, NULL } };

        look(&rules, other, "/none", -EPERM, "a source may not be here");
}
END_TEST

BUS_TEST(over_the_bus)
        static const char *const wrong[] = { "", "[]", "{}", "{\"type\":\"nbd\",\"uri\":\"nbd://a\"}",
                "{\"type\":\"file\"}", "{\"type\":\"file\",\"path\":\"a\"}",
                "{\"type\":\"vsphere\",\"name\":\"vc\"}", "{\"type\":\"libvirt\",\"host\":\"here\"}",
                "{\"type\":\"libvirt\",\"vm\":\"web\"}" };
        _cleanup_free_ char *file = strprintf("%s/a.raw", f.dir), *socket = strprintf("%s/inspect", f.dir),
                            *text = strprintf("{\"type\":\"file\",\"path\":\"%s\"}", file);
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Inspector s = { .answer = good };
        sd_bus_message *m = NULL;
        const char *answer;

        make_file(file, "disk");
        f.manager->inspect_socket = socket;
        inspector_start(&s, socket);
        ck_assert_int_ge(call(&f, "InspectSource", &m, NULL, "sa{sv}", text, 0), 0);
        inspector_end(&s);
        ck_assert_int_gt(sd_bus_message_read(m, "s", &answer), 0);
        _cleanup_json_ json_t *found = json_loads(answer, 0, NULL);
        ck_assert_str_eq(json_string_value(json_object_get(found, "format")), "qcow2");
        sd_bus_message_unref(m);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                ck_assert_int_eq(call(&f, "InspectSource", NULL, NULL, "sa{sv}", wrong[i], 0), -EINVAL);
        ck_assert_int_lt(call(&f, "InspectSource", NULL, &error, "sa{sv}",
                                         "{\"type\":\"file\",\"path\":\"/etc/shadow\"}", 0),
                        0);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_PATH_REFUSED);
        /* Neither hyper-hostd nor hyper-vsphered are there */
        ck_assert_int_lt(call(&f, "InspectSource", NULL, NULL, "sa{sv}",
                                         "{\"type\":\"libvirt\",\"host\":\"here\",\"vm\":\"a\"}", 0),
                        0);
        ck_assert_int_lt(call(&f, "InspectSource", NULL, NULL, "sa{sv}",
                                         "{\"type\":\"vsphere\",\"name\":\"vc\",\"vm_path\":\"a\"}", 0),
                        0);
        ck_assert_uint_eq(f.manager->n_calls_pending, 0);
BUS_TEST_END

TEST_MAIN("manager-inspect", files, places_of_operators, over_the_bus)
