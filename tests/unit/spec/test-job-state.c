/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-state.h"
#include "unit/lib/test.h"

START_TEST(names_read_back_as_themselves) {
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                ck_assert_int_eq(job_state_from_string(job_state_to_string(s)), s);
        for (JobPhase p = 0; p < _PHASE_MAX; p++)
                ck_assert_int_eq(job_phase_from_string(job_phase_to_string(p)), p);
        ck_assert_int_eq(job_state_from_string("running"), JOB_RUNNING); /* in any case */
        ck_assert_int_eq(job_state_from_string(NULL), -EINVAL);
        ck_assert_ptr_null(job_state_to_string(_JOB_STATE_INVALID));
        ck_assert_ptr_null(job_state_to_string(_JOB_STATE_MAX));
        ck_assert_int_eq(job_phase_from_string(""), -EINVAL);
        ck_assert_ptr_null(job_phase_to_string(_PHASE_INVALID));
}
END_TEST

/* The whole table once more, in the words of the documentation, so that no change of it goes unseen. */
START_TEST(each_state_may_become_these_and_no_others) {
        static const struct {
                const char *from, *to;
        } allowed[] = {
                { "CREATED", "VALIDATED FAILED CANCELLED" },
                { "VALIDATED", "QUEUED FAILED CANCELLED" },
                { "QUEUED", "ASSIGNED FAILED CANCELLED" },
                { "ASSIGNED", "QUEUED RUNNING RETRYING FAILED CANCELLED" },
                { "RUNNING", "QUEUED RETRYING COMPLETED FAILED CANCELLED" },
                { "RETRYING", "QUEUED FAILED CANCELLED" },
                { "COMPLETED", "" },
                { "FAILED", "QUEUED" },
                { "CANCELLED", "" },
        };

        ck_assert_uint_eq(ELEMENTSOF(allowed), _JOB_STATE_MAX);
        for (size_t i = 0; i < ELEMENTSOF(allowed); i++) {
                JobState from = job_state_from_string(allowed[i].from);

                for (JobState to = 0; to < _JOB_STATE_MAX; to++) {
                        _cleanup_free_ char *padded = strprintf(" %s ", allowed[i].to);
                        _cleanup_free_ char *word = strprintf(" %s ", job_state_to_string(to));

                        ck_assert_msg(job_state_may_become(from, to) == (strstr(padded, word) != NULL),
                                        "%s to %s", allowed[i].from, job_state_to_string(to));
                }
                ck_assert_int_eq(job_state_is_terminal(from),
                                isempty(allowed[i].to) || streq(allowed[i].from, "FAILED"));
        }
}
END_TEST

START_TEST(what_is_no_state_becomes_nothing) {
        ck_assert(!job_state_may_become(_JOB_STATE_INVALID, JOB_FAILED));
        ck_assert(!job_state_may_become(JOB_RUNNING, _JOB_STATE_INVALID));
        ck_assert(!job_state_may_become(JOB_RUNNING, _JOB_STATE_MAX));
        ck_assert(!job_state_may_become(_JOB_STATE_MAX, JOB_FAILED));
}
END_TEST

TEST_MAIN("job-state", names_read_back_as_themselves, each_state_may_become_these_and_no_others,
                what_is_no_state_becomes_nothing)
