/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a command and says what it cost, with all the processes it started: seconds, CPU seconds, and the
 * peak of the memory, in total and of each program by name. One line of JSON on the file descriptor 3, or
 * stderr. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/time-util.h"

#define SAMPLE_INTERVAL (10 * USEC_PER_MSEC)

typedef struct Program {
        char name[32];
        uint64_t peak; /* the largest resident set of one such process, KiB */
} Program;

static Program programs[32];
static size_t n_programs;
static uint64_t peak_total;

static void note_program(const char *name, uint64_t kib) {
        size_t i;

        for (i = 0; i < n_programs && !streq(programs[i].name, name); i++)
                ;
        if (i == n_programs) {
                if (n_programs == ELEMENTSOF(programs))
                        return;
                snprintf(programs[n_programs++].name, sizeof(programs[0].name), "%s", name);
        }
        programs[i].peak = MAX(programs[i].peak, kib);
}

/* Adds up a process and, from the list of its children, all below it. Processes may go away meanwhile. */
static uint64_t sample(pid_t pid) {
        char path[64], line[256], name[32] = "";
        uint64_t resident = 0, peak = 0, total;
        long child;
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/status", pid);
        f = fopen(path, "re");
        if (!f)
                return 0;
        while (fgets(line, sizeof(line), f)) {
                (void) sscanf(line, "Name: %31s", name);
                (void) sscanf(line, "VmHWM: %" SCNu64, &peak);
                (void) sscanf(line, "RssAnon: %" SCNu64, &resident);
        }
        fclose(f);
        note_program(name, peak);
        total = resident;

        snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
        f = fopen(path, "re");
        if (!f)
                return total;
        while (fscanf(f, "%ld", &child) == 1)
                total += sample((pid_t) child);
        fclose(f);
        return total;
}

static int report(int status, usec_t took) {
        struct rusage usage;
        json_auto_t *peaks = json_object(), *all = NULL;
        usec_t cpu;

        getrusage(RUSAGE_CHILDREN, &usage);
        cpu = (usec_t) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * USEC_PER_SEC +
                        (usec_t) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
        for (size_t i = 0; i < n_programs; i++)
                if (json_object_set_new(peaks, programs[i].name,
                                    json_integer((json_int_t) programs[i].peak)) < 0)
                        return -ENOMEM;
        all = json_pack("{s:i, s:f, s:f, s:I, s:O}", "status", status, "seconds",
                        (double) took / USEC_PER_SEC, "cpu_seconds", (double) cpu / USEC_PER_SEC,
                        "anonymous_peak_kib", (json_int_t) peak_total, "resident_peak_kib", peaks);
        FILE *to = fcntl(3, F_GETFD) >= 0 ? fdopen(3, "w") : stderr;
        if (!all || !to || json_dumpf(all, to, JSON_COMPACT) < 0)
                return -EIO;
        fputc('\n', to);
        return fflush(to) == 0 ? 0 : -errno;
}

int main(int argc, char *argv[]) {
        int status, exit_status = 1;
        pid_t pid, dead;

        if (argc < 2) {
                fprintf(stderr, "usage: measure COMMAND…\n");
                return 2;
        }
        /* Servers that the command leaves to init are ours to wait for, and to count. */
        (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
        usec_t begun = now_monotonic(), ended = 0;
        pid = fork();
        if (pid < 0)
                return 1;
        if (pid == 0) {
                if (fcntl(3, F_GETFD) >= 0)
                        (void) fcntl(3, F_SETFD, FD_CLOEXEC);
                execvp(argv[1], argv + 1);
                fprintf(stderr, "Failed to run %s: %m\n", argv[1]);
                _exit(127);
        }
        for (;;) {
                peak_total = MAX(peak_total, sample(getpid()));
                dead = waitpid(-1, &status, WNOHANG);
                if (dead == pid) {
                        ended = now_monotonic();
                        exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                }
                if (dead < 0 && errno == ECHILD)
                        break;
                if (dead == 0)
                        usleep(SAMPLE_INTERVAL);
        }
        return report(exit_status, ended - begun) < 0 ? 1 : exit_status;
}
