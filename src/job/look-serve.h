/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "hyper-job look": serves one connection to hyper-inspect.socket (spec/inspection.h). The exit status. */
int verb_look(int argc, char *argv[]);
