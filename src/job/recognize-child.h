/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "hyper-job recognize OFFSET LENGTH", from descriptor 3 to standard output. The exit status. */
int verb_recognize(int argc, char *argv[]);
