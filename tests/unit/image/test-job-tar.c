/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/tar.h"
#include "unit/lib/job-front.h"

static int read_memory(void *userdata, void *buf, size_t size, uint64_t offset) {
        const TarBuilder *t = userdata;

        ck_assert(offset <= t->size && size <= t->size - offset);
        memcpy(buf, t->data + offset, size);
        return 0;
}

static void assert_refused_tar(TarBuilder *t, const char *text) {
        _cleanup_free_ char *why = NULL;
        TarIndex index = {};

        ck_assert_int_eq(tar_index_read(read_memory, t, t->size, &index, &why), -EBADMSG);
        ck_assert_msg(strstr(why, text), "\"%s\" is not in \"%s\"", text, why);
        ck_assert_uint_eq(index.n_members, 0);
        tar_builder_done(t);
}

static void read_good(TarBuilder *t, TarIndex *index) {
        _cleanup_free_ char *why = NULL;

        int r = tar_index_read(read_memory, t, t->size, index, &why);
        ck_assert_msg(r == 0, "%s", strna(why));
}

static void assert_member(
                const TarBuilder *t, const TarIndex *index, const char *name, const char *content) {
        const TarMember *m = tar_index_find(index, name);

        ck_assert_msg(m != NULL, "%s", name);
        ck_assert_uint_eq(m->size, strlen(content));
        ck_assert_mem_eq(t->data + m->offset, content, strlen(content));
}

START_TEST(members_are_found_where_they_are) {
        _cleanup_(tar_builder_done) TarBuilder t = {};
        _cleanup_tar_index_ TarIndex index = {};

        tar_add_text(&t, "./a.ovf", "first");
        tar_add(&t, "./", '5', NULL, 0);
        tar_add_text(&t, "disks/b.vmdk", "second");
        tar_add_text(&t, "empty", "");
        tar_end(&t);
        read_good(&t, &index);
        ck_assert_uint_eq(index.n_members, 3);
        assert_member(&t, &index, "a.ovf", "first");
        assert_member(&t, &index, "disks/b.vmdk", "second");
        assert_member(&t, &index, "empty", "");
        ck_assert_ptr_null(tar_index_find(&index, "./a.ovf"));
}
END_TEST

START_TEST(missing_end_blocks_are_forgiven) {
        _cleanup_(tar_builder_done) TarBuilder t = {};
        _cleanup_tar_index_ TarIndex index = {};

        tar_add_text(&t, "a", "content");
        read_good(&t, &index);
        assert_member(&t, &index, "a", "content");
}
END_TEST

START_TEST(what_is_behind_the_end_does_not_count) {
        _cleanup_(tar_builder_done) TarBuilder t = {};
        _cleanup_tar_index_ TarIndex index = {};

        tar_add_text(&t, "a", "1");
        tar_end(&t);
        tar_add_text(&t, "b", "2");
        read_good(&t, &index);
        ck_assert_uint_eq(index.n_members, 1);
}
END_TEST

START_TEST(pax_path_and_size_are_understood) {
        _cleanup_(tar_builder_done) TarBuilder t = {};
        _cleanup_tar_index_ TarIndex index = {};

        tar_add_text(&t, "global", "");
        t.size -= 512;
        tar_add(&t, "g", 'g', "19 comment=whatever", 19);
        t.data[t.size - 512 + 18] = '\n';
        tar_add(&t, "x", 'x', "24 path=a long name.ovf\n10 size=6\n", 34);
        tar_header(&t, "short", '0', 0);
        memcpy(tar_room(&t, 512), "secret", 6);
        tar_add_text(&t, "next", "normal again");
        tar_end(&t);
        read_good(&t, &index);
        assert_member(&t, &index, "a long name.ovf", "secret");
        assert_member(&t, &index, "next", "normal again");
}
END_TEST

START_TEST(gnu_long_names_are_understood) {
        _cleanup_(tar_builder_done) TarBuilder t = {};
        _cleanup_tar_index_ TarIndex index = {};
        char name[301];

        memset(name, 'n', 300);
        name[300] = 0;
        tar_add(&t, "././@LongLink", 'L', name, sizeof(name));
        tar_add_text(&t, "nnnn", "x");
        read_good(&t, &index);
        assert_member(&t, &index, name, "x");
}
END_TEST

START_TEST(outside_names_are_refused) {
        static const char *const names[] = { "../a", "/etc/passwd", "a/../b", "a//b", "..", ".", "a/",
                "a\\..\\b", "\\a", "./../a", "a\tb", "\xff" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                TarBuilder t = {};
                tar_add_text(&t, names[i], "x");
                assert_refused_tar(&t, "not a plain relative path");
        }
        TarBuilder t = {};
        tar_add(&t, "x", 'x', "18 path=../outside\n", 19);
        tar_add_text(&t, "inside", "x");
        assert_refused_tar(&t, "pax");
        t = (TarBuilder){};
        tar_add(&t, "x", 'x', "19 path=../outside\n", 19);
        tar_add_text(&t, "inside", "x");
        assert_refused_tar(&t, "not a plain relative path");
}
END_TEST

START_TEST(links_and_devices_are_refused) {
        static const struct {
                char type;
                const char *text;
        } types[] = { { '1', "hard link" }, { '2', "symbolic link" }, { '3', "device" }, { '4', "device" },
                { '6', "FIFO" }, { 'S', "sparse" }, { 'K', "unknown type" }, { 'Z', "unknown type" } };

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                TarBuilder t = {};
                tar_add(&t, "a.vmdk", types[i].type, NULL, 0);
                assert_refused_tar(&t, types[i].text);
        }
}
END_TEST

START_TEST(names_are_tidied) {
        _cleanup_tar_index_ TarIndex index = {};
        TarBuilder t = {};

        tar_add_text(&t, "./a", "1");
        tar_add_text(&t, "box\\b", "2");
        tar_add_text(&t, "box/./c", "3");
        tar_add(&t, "./", '5', NULL, 0);
        read_good(&t, &index);
        assert_member(&t, &index, "a", "1");
        assert_member(&t, &index, "box/b", "2");
        assert_member(&t, &index, "box/c", "3");
        ck_assert_uint_eq(index.n_members, 3);
        tar_builder_done(&t);
}
END_TEST

/* A sparse file of 1 MiB with two pieces of data, packed by tar(1). */
static void pack_sparse(const char *dir, const char *const options[2], TarBuilder *t) {
        char *file = PATH(dir, "s.raw"), *archive = PATH(dir, "s.tar");
        int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        size_t size;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ftruncate(fd, (off_t) MIB), 0);
        for (uint64_t at = 65536; at < MIB; at += 131072)
                ck_assert_int_eq(pwrite_full(fd, "data", 4, at), 0);
        ck_assert_int_eq(pwrite_full(fd, "end", 3, MIB - 3), 0);
        close(fd);
        RUN("tar", "-S", options[0], options[1], "-C", dir, "-cf", archive, "s.raw");
        t->data = read_text(archive, &size);
        t->size = size;
}

static const char *const sparse_options[][2] = { { "--format=gnu", "--sparse" },
        { "--format=posix", "--sparse-version=0.0" }, { "--format=posix", "--sparse-version=0.1" },
        { "--format=posix", "--sparse-version=1.0" } };

static void check_sparse(size_t k) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_tar_index_ TarIndex index = {};
        _cleanup_free_ char *whole = calloc(1, MIB), *expected = NULL;
        TarBuilder t = {};

        pack_sparse(dir, sparse_options[k], &t);
        read_good(&t, &index);
        const TarMember *m = tar_index_find(&index, "s.raw");
        ck_assert(m && m->is_sparse && m->size == MIB && m->n_segments > 4);
        for (size_t i = 0; i < m->n_segments; i++)
                memcpy(whole + m->segments[i].at, t.data + m->segments[i].offset, m->segments[i].length);
        expected = read_text(PATH(dir, "s.raw"), NULL);
        ck_assert(memcmp(whole, expected, MIB) == 0);
        tar_builder_done(&t);
}

/* One byte changed anywhere in the headers: refused, or read as ranges inside the archive. */
static void check_broken_maps(size_t k) {
        _cleanup_test_dir_ char *dir = test_dir();
        TarBuilder t = {};

        pack_sparse(dir, sparse_options[k], &t);
        for (size_t at = 0; at < MIN(t.size, (size_t) 4096); at++) {
                _cleanup_tar_index_ TarIndex index = {};
                _cleanup_free_ char *why = NULL;
                char old = t.data[at];

                t.data[at] = (char) (old == '7' ? '1' : '7');
                if (at % 512 < 148 || at % 512 >= 156)
                        tar_sum(t.data);
                (void) tar_index_read(read_memory, &t, t.size, &index, &why);
                for (size_t i = 0; i < index.n_members; i++)
                        for (size_t n = 0; n < index.members[i].n_segments; n++) {
                                const TarSegment *g = &index.members[i].segments[n];
                                ck_assert(g->offset <= t.size && g->length <= t.size - g->offset);
                                ck_assert(g->length <= index.members[i].size - g->at);
                        }
                t.data[at] = old;
        }
        tar_builder_done(&t);
}

START_TEST(sparse_members_are_read) {
        for (size_t k = 0; k < ELEMENTSOF(sparse_options); k++)
                check_sparse(k);
}
END_TEST

START_TEST(broken_maps_are_refused) {
        for (size_t k = 0; k < ELEMENTSOF(sparse_options); k++)
                check_broken_maps(k);
}
END_TEST

START_TEST(sizes_beyond_the_file_are_refused) {
        static const uint64_t sizes[] = { 513, 4096, UINT64_C(1) << 40, INT64_MAX, UINT64_MAX - 511,
                UINT64_MAX };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                TarBuilder t = {};
                tar_header(&t, "a", '0', sizes[i]);
                tar_room(&t, 512);
                assert_refused_tar(&t, "the file ends");
        }
        TarBuilder t = {};
        tar_add(&t, "x", 'x', "29 size=18446744073709551615\n", 29);
        tar_add_text(&t, "a", "x");
        assert_refused_tar(&t, "the file ends");
}
END_TEST

START_TEST(duplicate_names_are_refused) {
        TarBuilder t = {};

        tar_add_text(&t, "a", "1");
        tar_add_text(&t, "./a", "2");
        assert_refused_tar(&t, "two members of the name a");
}
END_TEST

START_TEST(bombs_are_refused) {
        TarBuilder t = {};
        char name[16];

        for (unsigned i = 0; i <= TAR_MEMBERS_MAX; i++) {
                snprintf(name, sizeof(name), "m%u", i);
                tar_add(&t, name, '0', NULL, 0);
        }
        assert_refused_tar(&t, "more than 1024 members");
        t = (TarBuilder){};
        for (unsigned i = 0; i <= 4 * TAR_MEMBERS_MAX; i++)
                tar_add(&t, "L", 'L', "name", 5);
        assert_refused_tar(&t, "headers");
        t = (TarBuilder){};
        tar_header(&t, "x", 'x', 17 * MIB);
        tar_room(&t, 17 * MIB);
        assert_refused_tar(&t, "extension header");
}
END_TEST

START_TEST(broken_headers_are_refused) {
        TarBuilder t = {};

        tar_header(&t, "a", '0', 0)[0] = 'b';
        assert_refused_tar(&t, "no tar header");
        t = (TarBuilder){};
        char *h = tar_header(&t, "a", '0', 0);
        h[124] = '9';
        tar_sum(h);
        assert_refused_tar(&t, "no number");
        t = (TarBuilder){};
        tar_add(&t, "x", 'x', "9999 path=a\n", 12);
        assert_refused_tar(&t, "broken pax");
        t = (TarBuilder){};
        tar_add(&t, "g", 'g', "10 path=a\n", 10);
        tar_add_text(&t, "a", "x");
        assert_refused_tar(&t, "global");
        t = (TarBuilder){};
        tar_add(&t, "L", 'L', "name", 5);
        assert_refused_tar(&t, "no member behind it");
}
END_TEST

TEST_MAIN("tar", members_are_found_where_they_are, missing_end_blocks_are_forgiven,
                what_is_behind_the_end_does_not_count, pax_path_and_size_are_understood,
                gnu_long_names_are_understood, names_are_tidied, sparse_members_are_read,
                broken_maps_are_refused, outside_names_are_refused, links_and_devices_are_refused,
                sizes_beyond_the_file_are_refused, duplicate_names_are_refused, bombs_are_refused,
                broken_headers_are_refused)
