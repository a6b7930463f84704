/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The document of a spec, from which it is decoded again: stored, compared and shown to clients. */

#include "spec/job-settings.h"

/* Brings s->document into the one form that a spec has: a null is removed, and a setting that was not given
 * is there with its default, unless it is a rare one. 0 or -ENOMEM. */
int job_document_fill(JobSpec *s);
