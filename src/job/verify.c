/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "job/destination-kind.h"
#include "job/source-kind.h"
#include "job/verify.h"

static void report_verification(Conversion *c, const Verification *v) {
        static const char *const from[_READ_BACK_MAX] = {
                [READ_BACK_DIRECT] = "from the disk",
                [READ_BACK_DROPPED] = "from the disk, after the page cache was emptied",
                [READ_BACK_CACHED] = "from the page cache, which this file system does not let go",
                [READ_BACK_SERVER] = "from the destination server",
        };
        char data[BYTES_SIZE], zeroes[BYTES_SIZE], skipped[BYTES_SIZE];

        report_note(&c->attempt->report,
                        "The result is the same as the source: %s of data and %s of zeroes were read back "
                        "%s, %s of "
                        "zeroes were not read",
                        format_bytes(data, v->report.data), format_bytes(zeroes, v->report.zeroes),
                        from[v->read_back], format_bytes(skipped, v->report.skipped));
}

/* The result is read alone, since the source was digested while it was copied. */
static int digest_disk(Conversion *c, size_t disk, Connection *result, const CopyOptions *options,
                uint8_t ret[static DISK_DIGEST_SIZE], char **ret_error) {
        _cleanup_disk_digest_ DiskDigest *digest = NULL;
        _cleanup_endpoint_ Endpoint *to = NULL;
        CopyProgress p = {};

        int r = disk_digest_new(&digest);
        if (r >= 0)
                r = endpoint_digest_new(digest, result->endpoint->size, &to);
        if (r >= 0)
                r = copy_run(result->endpoint, to, NULL, 0, options, &p, ret_error);
        if (r >= 0)
                r = disk_digest_get(digest, ret);
        c->verified[disk].report = (CompareReport){ .data = p.bytes_read, .skipped = p.bytes_zero };
        return r;
}

/* 1: the result has the digest @expected; 0: it has not. */
static int compare_digest(Conversion *c, size_t disk, Image *image, const char *what,
                const uint8_t expected[static DISK_DIGEST_SIZE]) {
        _cleanup_connection_ Connection result = {}, none = {};
        _cleanup_free_ char *why = NULL;
        uint8_t digest[DISK_DIGEST_SIZE];

        int r = destination_kind(c->spec->type)
                                ->connect_result(c, image, &c->verified[disk].read_back, &result);
        if (r < 0)
                return r;
        ConvertProgress progress = {
                .attempt = c->attempt, .what = what, .source = &none, .destination = &result
        };
        const CopyOptions options = {
                .progress = convert_on_progress,
                .userdata = &progress,
                .progress_interval = REPORT_INTERVAL,
                .checkpoint_interval = USEC_INFINITY,
                .cancel_fd = c->attempt->cancel_fd,
        };
        r = digest_disk(c, disk, &result, &options, digest, &why);
        if (r < 0)
                return connection_fail(c->attempt, &result, NULL, r, what, why);
        return memcmp(digest, expected, sizeof(digest)) == 0;
}

static int verify_by_digest(Conversion *c, size_t disk, Image *image, const uint8_t *expected) {
        _cleanup_free_ char *what =
                        convert_step_name(c, "Comparing the result with the source", "Comparing disk", disk);

        int r = what ? compare_digest(c, disk, image, what, expected) : -ENOMEM;
        if (r < 0)
                return r;
        report_step_done(&c->attempt->report, c->sizes[disk]);
        if (r == 0)
                return attempt_fail(c->attempt, EBADMSG, "verification_failed",
                                "%s found that its digest is not that of what was received: the result is "
                                "not used",
                                what);
        c->verified[disk].verify = VERIFY_ON;
        report_verification(c, &c->verified[disk]);
        return 0;
}

static int compare_disk(Conversion *c, size_t disk, Image *image, JobVerify verify) {
        _cleanup_connection_ Connection source = {}, result = {};
        _cleanup_free_ char *what =
                        convert_step_name(c, "Comparing the result with the source", "Comparing disk", disk);
        _cleanup_free_ char *why = NULL;
        const CompareMode mode = { .data = COMPARE_ALL,
                .zeroes = verify == VERIFY_FULL ? COMPARE_ALL : COMPARE_SAMPLE,
                .end = c->in_place ? c->sizes[disk] : 0 };
        Verification *v = &c->verified[disk];
        uint64_t offset = 0;

        if (!what)
                return -ENOMEM;
        int r = source_connect(c->source, disk, &source);
        if (r >= 0)
                r = destination_kind(c->spec->type)->connect_result(c, image, &v->read_back, &result);
        if (r < 0)
                return r;
        ConvertProgress progress = {
                .attempt = c->attempt, .what = what, .source = &source, .destination = &result
        };
        CopyOptions options = {
                .progress = convert_on_progress,
                .userdata = &progress,
                .progress_interval = REPORT_INTERVAL,
                .checkpoint_interval = USEC_INFINITY,
                .cancel_fd = c->attempt->cancel_fd,
        };
        r = compare_disks(source.endpoint, result.endpoint, &options, &mode, &v->report, &offset, &why);
        if (r < 0)
                return connection_fail(c->attempt, &source, &result, r, what, why);
        report_step_done(&c->attempt->report, c->sizes[disk]);
        if (r > 0) {
                v->verify = verify;
                report_verification(c, v);
                return 0;
        }
        /* If somebody wrote to the source, that is the reason to tell. */
        r = source_check_unchanged(c->source);
        if (r < 0)
                return r;
        return attempt_fail(c->attempt, EBADMSG, "verification_failed",
                        "%s found a difference at byte %" PRIu64 ": the result is not used", what, offset);
}

int verify_disk(Conversion *c, size_t disk, JobVerify verify) {
        const DestinationKind *kind = destination_kind(c->spec->type);
        _cleanup_(image_done) Image image = {};
        uint8_t expected[DISK_DIGEST_SIZE];
        int r = kind->check_result ? kind->check_result(c, disk, &image) : 0;

        if (r < 0)
                return r;
        /* Only now that all of it is written, and right before it is read. */
        if (verify == VERIFY_ON && !c->in_place && source_digest(c->source, disk, expected))
                return verify_by_digest(c, disk, &image, expected);
        return verify == VERIFY_OFF ? 0 : compare_disk(c, disk, &image, verify);
}

static int describe(const Verification *v, json_t *output) {
        if (v->verify == VERIFY_OFF)
                return 0;
        _cleanup_json_ json_t *more = json_pack("{s:s, s:s, s:I, s:I, s:I}", "verified",
                        v->verify == VERIFY_FULL ? "full" : "sample", "read_back",
                        read_back_to_string(v->read_back), "bytes_data_compared",
                        (json_int_t) v->report.data, "bytes_zero_compared", (json_int_t) v->report.zeroes,
                        "bytes_zero_not_read", (json_int_t) v->report.skipped);
        return !more || json_object_update(output, more) < 0 ? -ENOMEM : 0;
}

int verify_describe(const Conversion *c, size_t disk, json_t *output) {
        return describe(&c->verified[disk], output);
}

int verify_describe_all(const Conversion *c, size_t n_disks, json_t *output) {
        Verification sum = c->verified[0];

        for (size_t i = 1; i < n_disks; i++) {
                sum.report.data += c->verified[i].report.data;
                sum.report.zeroes += c->verified[i].report.zeroes;
                sum.report.skipped += c->verified[i].report.skipped;
        }
        return describe(&sum, output);
}
