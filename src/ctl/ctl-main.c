/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/run.h"

int main(int argc, char **argv) {
        return ctl_run(argc, argv);
}
