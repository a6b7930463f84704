/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "hyper-job prepare DIRECTORY", DIRECTORY being the job's. The exit status. */
int verb_prepare(const char *directory);
