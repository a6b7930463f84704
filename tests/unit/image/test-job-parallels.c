/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parallels: an image is converted if it is a whole disk, which its descriptor says. */

#include "image/parallels.h"
#include "unit/lib/job-front.h"

#define IMAGE(name)                                                                                    \
        "<Image><GUID>{5fbaabe3-6958-40ff-92a7-860e329aab41}</GUID><Type>Compressed</Type><File>" name \
        "</File></Image>"
#define STORAGE(images) \
        "<Storage><Start>0</Start><End>2048</End><Blocksize>2048</Blocksize>" images "</Storage>"
#define DESCRIPTOR(storages)                                                                \
        "<?xml version='1.0'?><Parallels_disk_image Version=\"1.0\"><StorageData>" storages \
        "</StorageData>"                                                                    \
        "</Parallels_disk_image>"

static const struct {
        const char *text, *why;
} cases[] = {
        { DESCRIPTOR(STORAGE(IMAGE("disk.hds"))), NULL },
        { DESCRIPTOR(STORAGE(IMAGE("/vm/disk.hdd/disk.hds"))), NULL },
        { DESCRIPTOR(STORAGE(IMAGE("disk.hds") IMAGE("snapshot.hds"))),
                        "one of 2 images of a disk with snapshots" },
        { DESCRIPTOR(STORAGE(IMAGE("disk.hds")) STORAGE(IMAGE("more.hds"))), "split into 2 images" },
        { DESCRIPTOR(STORAGE(IMAGE("other.hds"))), "the image of its disk is \"other.hds\"" },
        { DESCRIPTOR(STORAGE("<Image/>")), "the image of its disk is \"\"" },
        { DESCRIPTOR(""), "split into 0 images" },
        { "<Envelope/>", "not Parallels_disk_image" },
        { "<Parallels_disk_image>", "not well-formed" },
        { "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><Parallels_disk_image/>",
                        "not well-formed" },
        { "", "0 bytes" },
};

START_TEST(the_descriptor_says_whether_an_image_is_all) {
        for (size_t k = 0; k < ELEMENTSOF(cases); k++) {
                _cleanup_free_ char *why = NULL;
                int r = parallels_check_descriptor(cases[k].text, strlen(cases[k].text), "disk.hds", &why);
                ck_assert_msg(r == (cases[k].why ? -EBADMSG : 0), "case %zu: %s", k, strna(why));
                ck_assert_msg(!cases[k].why || strstr(why, cases[k].why), "\"%s\" is not in \"%s\"",
                                strna(cases[k].why), strna(why));
        }
}
END_TEST

static Plan setup(const char *dir) {
        make_disk(PATH(dir, "disk.raw"), 9 * MIB + 512, 3);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "parallels", PATH(dir, "disk.raw"),
                        PATH(dir, "disk.hds"));
        return (Plan){ .directory = PATH(dir, "job"),
                .source = PATH(dir, "disk.hds"),
                .destination = PATH(dir, "out.raw"),
                .destination_format = "raw",
                .verify = true };
}

START_TEST(a_disk_with_its_descriptor_is_converted) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir);

        write_text(PATH(dir, PARALLELS_DESCRIPTOR), cases[0].text);
        p.extents[0] = PATH(dir, PARALLELS_DESCRIPTOR);
        assert_converts(&p);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, "raw");
}
END_TEST

START_TEST(a_snapshot_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir);

        write_text(PATH(dir, PARALLELS_DESCRIPTOR), cases[2].text);
        p.extents[0] = PATH(dir, PARALLELS_DESCRIPTOR);
        p.source_format = "parallels";
        assert_refused(&p, "image_refused", "snapshots");
}
END_TEST

START_TEST(an_image_alone_needs_its_format) {
        _cleanup_test_dir_ char *dir = test_dir();
        Plan p = setup(dir);

        assert_refused(&p, "image_refused", "give its format, parallels");
        p.source_format = "parallels";
        p.directory = PATH(dir, "job2");
        assert_converts(&p);
        assert_same_disk(PATH(dir, "disk.raw"), "raw", p.destination, "raw");
}
END_TEST

TEST_MAIN("parallels", the_descriptor_says_whether_an_image_is_all, a_disk_with_its_descriptor_is_converted,
                a_snapshot_is_refused, an_image_alone_needs_its_format)
