/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers of slurmrestd: the first byte says which. What is taken of a job is fit for a database. */

#include "basic/string-util.h"
#include "fuzz/fuzz.h"
#include "slurm/slurm-answer.h"
#include "spec/job-id.h"

static int on_job(const SlurmJob *job, void *userdata) {
        if (job->number == 0 || !slurm_word_is_valid(job->state) || !job_id_is_valid(job->id) ||
                        (job->reason[0] && !slurm_word_is_valid(job->reason)) || job->exit_status > 255 ||
                        job->exit_status < -127)
                abort();
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = NULL, *error = NULL, *why = NULL;
        uint32_t number = 0;
        int r;

        if (size == 0)
                return 0;
        /* Exactly as long as it is, so that a read behind its end is found. */
        text = malloc(size > 1 ? size - 1 : 1);
        if (!text)
                return 0;
        memcpy(text, data + 1, size - 1);
        if (data[0] == 'S') {
                r = slurm_answer_submitted(text, size - 1, &number, &error);
                if (r >= 0 && number == 0)
                        abort();
        } else
                r = slurm_answer_jobs(text, size - 1, "hyper:", on_job, NULL, &error);
        if (r < 0 && !error && r != -ENOMEM)
                abort();
        why = slurm_answer_why(text, size - 1);
        if (why && !utf8_is_valid(why))
                abort();
        return 0;
}
