/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "hyper-job run DIRECTORY". The exit status. */
int verb_run(const char *directory);
