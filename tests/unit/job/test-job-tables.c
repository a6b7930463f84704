/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tables of hyper-job: each operation that is built in has its steps, each kind of endpoint what it
 * does. */

#include "job/destination-kind.h"
#include "job/operation-steps.h"
#include "job/source-kind.h"
#include "unit/lib/job-front.h"

START_TEST(what_is_built_in_has_steps) {
        JobSpec spec = { .destination.type = ENDPOINT_FILE };

        for (int o = 0; o < _OPERATION_MAX * 2; o++) {
                spec.operation = o / 2;
                spec.destination.type = o % 2 ? ENDPOINT_FILE : _ENDPOINT_INVALID;
                const Step *steps = operation_steps(&spec);
                ck_assert_msg(job_operation_is_built_in(spec.operation) == (steps != NULL), "%s",
                                job_operation_to_string((JobOperation) spec.operation));
                for (const Step *s = steps; s && s->name; s++) {
                        ck_assert_msg(s->run, "the step %s does nothing", s->name);
                        for (const Step *before = steps; before < s; before++)
                                ck_assert_str_ne(before->name, s->name);
                }
                /* The last step describes the result. */
                if (steps) {
                        const Step *last = steps;
                        while (last[1].name)
                                last++;
                        ck_assert_str_eq(last->name, "finalize");
                }
        }
        spec.operation = _OPERATION_MAX;
        ck_assert_ptr_null(operation_steps(&spec));
        spec.operation = _OPERATION_INVALID;
        ck_assert_ptr_null(operation_steps(&spec));
}
END_TEST

START_TEST(each_kind_can_be_read_and_written) {
        for (int t = 0; t < _ENDPOINT_MAX; t++) {
                const EndpointKind *kind = endpoint_kind(t);
                const SourceKind *source = source_kind(t);
                const DestinationKind *destination = destination_kind(t);
                bool files = kind->needs & ENDPOINT_NEEDS_FILES;

                if (endpoint_type_is(t, ENDPOINT_SOURCE)) {
                        ck_assert_msg(source && source->open && source->connect, "%s cannot be read",
                                        kind->name);
                        /* What has no files needs a text for people. */
                        ck_assert_msg(files ? !!source->check_unchanged : !!source->inspecting, "%s",
                                        kind->name);
                }
                if (endpoint_type_is(t, ENDPOINT_DESTINATION)) {
                        ck_assert_msg(destination && destination->open_in_place &&
                                                        destination->connect_result && destination->describe,
                                        "%s cannot be written", kind->name);
                        ck_assert_msg(files == !!destination->check_result, "%s", kind->name);
                }
        }
        ck_assert_ptr_null(source_kind(_ENDPOINT_INVALID));
        ck_assert_ptr_null(source_kind(_ENDPOINT_MAX));
        ck_assert_ptr_null(destination_kind(_ENDPOINT_INVALID));
}
END_TEST

/* Each place has one path, and only those that are published. */
START_TEST(each_format_has_its_layout) {
        for (int f = FORMAT_PROBE + 1; f < _FORMAT_MAX; f++) {
                const DiskFormatRow *row = disk_format(f);
                _cleanup_free_ char *path = strprintf(
                                "/srv/vm.%.*s", (int) strcspn(row->extensions, " "), row->extensions);
                const JobEndpoint e = { .type = ENDPOINT_FILE, .path = path, .format = f };
                size_t max = layout_disks_max(&e);

                ck_assert_uint_ge(max, 1);
                ck_assert_uint_le(layout_place(&e, max - 1), PART_DISKS_MAX);
                ck_assert_uint_le(layout_published(&e, max), PART_DISKS_MAX);
                for (unsigned place = 1; place <= layout_place(&e, 2); place++) {
                        _cleanup_free_ char *one = layout_path(&e, place);
                        ck_assert(place > 1 || streq(one, path));
                        ck_assert(*layout_what(&e, place));
                        for (unsigned other = 1; other < place; other++) {
                                _cleanup_free_ char *two = layout_path(&e, other);
                                ck_assert_str_ne(one, two);
                        }
                }
        }
        const JobEndpoint ovf = { .path = (char *) "/srv/a.b/vm.ovf", .format = FORMAT_OVF };
        _cleanup_free_ char *manifest = layout_path(&ovf, PLACE_MANIFEST),
                            *second = layout_path(&ovf, layout_place(&ovf, 1));
        ck_assert_str_eq(manifest, "/srv/a.b/vm.mf");
        ck_assert_str_eq(second, "/srv/a.b/vm-disk2.vmdk");
        ck_assert_uint_eq(layout_published(&ovf, 2), 4);
        ck_assert_uint_eq(layout_published_of_outputs(&ovf, 3), 4);
        const JobEndpoint ova = { .path = (char *) "/srv/vm.ova", .format = FORMAT_OVA };
        ck_assert_uint_eq(layout_published(&ova, 9), 1);
        ck_assert_uint_eq(layout_published_of_outputs(&ova, 1), 1);
        ck_assert_uint_eq(layout_published_of_outputs(&ova, 9), 1);
}
END_TEST

TEST_MAIN("job-tables", what_is_built_in_has_steps, each_kind_can_be_read_and_written,
                each_format_has_its_layout)
