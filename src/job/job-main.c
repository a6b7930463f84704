/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-job: what a job's unit runs. See src/job/README.md. */

#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "image/archive.h"
#include "job/decode-child.h"
#include "job/finish.h"
#include "job/kvm-boot.h"
#include "job/kvm.h"
#include "job/look-serve.h"
#include "job/prepare.h"
#include "job/put-back.h"
#include "job/recognize-child.h"
#include "job/run.h"

static const struct {
        const char *name;
        int (*run)(const char *directory);
        const char *help;
} verbs[] = {
        { "prepare", verb_prepare, "make the directory for the unfinished image beside the destination" },
        { "run", verb_run, "convert; to be run in the job's sandbox" },
        { "finish", verb_finish, "give the finished image its name, or clean up" },
        { "define", verb_define, "have libvirt define the domain for images that have their names" },
        { "define-end", verb_define_end, "remove what an unfinished \"define\" has sent to another host" },
        { "boot", verb_boot, "see whether the defined domain boots, and start it if that is asked for" },
        { "boot-end", verb_boot_end, "end what is left of \"boot\"" },
        { "finish-later", verb_finish_later,
                        "the same for an attempt that was complete when the machine went down" },
        { "put-back", verb_put_back,
                        "give the VM of a warm migration without a result the state that it had before" },
};

/* What "run" starts as its children; see job/helper.h. "look" is started by hyper-inspect.socket. */
static const struct {
        const char *name;
        int (*run)(int argc, char *argv[]);
} helpers[] = {
        { "recognize", verb_recognize },
        { "extract", verb_extract },
        { "decode", verb_decode },
        { "look", verb_look },
};

static int help(FILE *f) {
        fprintf(f,
                        "Usage: hyper-job VERB DIRECTORY\n\n"
                        "Runs one attempt of a job, whose plan is in DIRECTORY (/var/lib/hyper/jobs/ID). "
                        "Started by\n"
                        "the job's unit; there is no need to call it by hand.\n\n");
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                fprintf(f, "  %-12s %s\n", verbs[i].name, verbs[i].help);
        fprintf(f, "\n  --help     show this\n  --version  show the version\n");
        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        log_open("hyper-job");
        if (argc == 2 && streq(argv[1], "--help"))
                return help(stdout);
        if (argc == 2 && streq(argv[1], "--version"))
                return printf("hyper %s\n", PACKAGE_VERSION) < 0;
        for (size_t i = 0; argc == 3 && i < ELEMENTSOF(verbs); i++)
                if (streq(argv[1], verbs[i].name))
                        return verbs[i].run(argv[2]);
        for (size_t i = 0; argc >= 2 && i < ELEMENTSOF(helpers); i++)
                if (streq(argv[1], helpers[i].name))
                        return helpers[i].run(argc - 2, argv + 2);
        (void) help(stderr);
        return EXIT_FAILURE;
}
