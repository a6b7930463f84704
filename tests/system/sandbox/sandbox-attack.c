/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands in for qemu-img and qemu-nbd: a parser that its image has taken over. It tries what it must not
 * get, and says in one line on standard error what it got; tests/system/sandbox-parser.sh reads it. Linked
 * statically, so that nothing but itself is needed. With -DLIBRARY it stands in for a library: it then
 * attacks from within "hyper-job extract". */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char got[8192] = "attack: got:";
static unsigned tried, n_got;

static void note(const char *what, long r) {
        tried++;
        if (r < 0)
                return;
        n_got++;
        if (strlen(got) + strlen(what) + 2 < sizeof(got)) {
                strcat(got, " ");
                strcat(got, what);
        }
}

static void try_files(void) {
        static const char *const read[] = { "/etc/shadow", "/etc/passwd", "/etc/machine-id", "/etc/hyper",
                "/proc/1/environ", "/proc/self/environ", "/proc/self/mem", "/proc/sys/kernel/random/boot_id",
                "/proc/kallsyms", "/var/lib/hyper/hyper.db", "/run/systemd/journal/socket", "/dev/mem",
                "/dev/kmsg", "/sys/kernel", "/srv/secret" };
        static const char *const directories[] = { "/", "/srv", "/proc", "/dev", "/run", "/run/hyper-jobs",
                "/run/credentials", "/var/lib/hyper/jobs", "/tmp", "/var/tmp", "/etc", "/root", "/home" };
        static const char *const written[] = { "/x", "/usr/x", "/etc/x", "/tmp/x", "/var/tmp/x",
                "/dev/shm/x", "/run/x", "/run/hyper-jobs/x" };
        char path[64];

        for (size_t i = 0; i < sizeof(read) / sizeof(*read); i++)
                note(read[i], open(read[i], O_RDONLY | O_NONBLOCK));
        for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++)
                note(directories[i], open(directories[i], O_RDONLY | O_DIRECTORY));
        for (size_t i = 0; i < sizeof(written) / sizeof(*written); i++)
                note(written[i], open(written[i], O_WRONLY | O_CREAT, 0600));
        for (const char *const *s = (const char *const[]){ "environ", "mem", "maps", "root/etc/shadow", "fd",
                             NULL };
                        *s; s++) {
                snprintf(path, sizeof(path), "/proc/%d/%s", getppid(), *s);
                note(path, open(path, O_RDONLY));
        }
}

/* What the test knows to be a secret of this job or of others, one path a line. */
static void try_listed(void) {
        char line[4096];
        FILE *f = fopen("/usr/lib/hyper-tests/attack-paths", "re");

        if (!f) {
                note("(the list of paths is missing)", 0);
                return;
        }
        while (fgets(line, sizeof(line), f)) {
                line[strcspn(line, "\n")] = 0;
                note(line, open(line, O_RDONLY | O_NONBLOCK));
                note(line, open(line, O_WRONLY | O_NONBLOCK));
        }
        fclose(f);
}

static void try_network(void) {
        static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, 40 /* AF_VSOCK */,
                38 /* AF_ALG */ };
        int pair[2];

        for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
                for (int type = SOCK_STREAM; type <= SOCK_RAW; type++)
                        note("socket", socket(families[i], type, 0));
        note("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        note("listen", listen(3, 1));
        note("setsockopt", setsockopt(3, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int)));
}

static void try_processes(void) {
        pid_t parent = getppid();
        char *const argv[] = { (char *) "sh", NULL };
        struct iovec v = { .iov_base = got, .iov_len = 1 };
        long r;

        note("kill-parent", kill(parent, 0));
        note("kill-init", kill(1, 0));
        note("kill-group", kill(-1, 0));
        note("tgkill", syscall(SYS_tgkill, parent, parent, 0));
        note("sigqueue", syscall(SYS_rt_sigqueueinfo, parent, 0, NULL));
        note("ptrace", ptrace(PTRACE_ATTACH, parent, 0, 0));
        note("ptrace-me", ptrace(PTRACE_TRACEME, 0, 0, 0));
        note("process_vm_readv", process_vm_readv(parent, &v, 1, &v, 1, 0));
        note("pidfd_open", syscall(SYS_pidfd_open, parent, 0));
        note("pidfd_getfd", syscall(SYS_pidfd_getfd, 0, 0, 0));
        note("prlimit", prlimit(parent, RLIMIT_NOFILE, NULL, &(struct rlimit){}));
        note("kcmp", syscall(SYS_kcmp, parent, getpid(), 0, 0, 0));
        note("setpriority", setpriority(PRIO_PROCESS, parent, 19));
        r = fork();
        if (r == 0)
                _exit(0);
        note("fork", r);
        r = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
        if (r == 0)
                _exit(0);
        note("clone-newuser", r);
        static const int namespaces[] = { CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID,
                CLONE_NEWIPC, CLONE_NEWUTS };
        for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
                note("unshare", unshare(namespaces[i]));
        note("setns", setns(0, 0));
        /* (these would replace us: the next line would be missing, and the test fails) */
        note("execve", execve("/bin/sh", argv, argv + 1));
        note("execveat", syscall(SYS_execveat, AT_FDCWD, "/usr/bin/env", argv, argv + 1, 0));
}

static void try_kernel(void) {
        static const struct {
                const char *name;
                long number;
        } calls[] = { { "keyctl", SYS_keyctl }, { "add_key", SYS_add_key },
                { "request_key", SYS_request_key }, { "io_uring_setup", SYS_io_uring_setup },
                { "userfaultfd", SYS_userfaultfd }, { "bpf", SYS_bpf },
                { "perf_event_open", SYS_perf_event_open }, { "open_by_handle_at", SYS_open_by_handle_at },
                { "name_to_handle_at", SYS_name_to_handle_at }, { "mount", SYS_mount },
                { "umount", SYS_umount2 }, { "open_tree", SYS_open_tree }, { "fsopen", SYS_fsopen },
                { "move_mount", SYS_move_mount }, { "pivot_root", SYS_pivot_root }, { "chroot", SYS_chroot },
                { "init_module", SYS_init_module }, { "swapon", SYS_swapon }, { "reboot", SYS_reboot },
                { "syslog", SYS_syslog }, { "capset", SYS_capset }, { "setuid", SYS_setuid },
                { "setgid", SYS_setgid }, { "shmget", SYS_shmget }, { "semget", SYS_semget },
                { "msgget", SYS_msgget }, { "mq_open", SYS_mq_open }, { "io_setup", SYS_io_setup },
                { "personality", SYS_personality }, { "fanotify", SYS_fanotify_init },
                { "inotify", SYS_inotify_init1 }, { "chown", SYS_chown }, { "unlink", SYS_unlink },
                { "rename", SYS_rename }, { "link", SYS_link }, { "mkdir", SYS_mkdir },
                { "symlink", SYS_symlink }, { "mknod", SYS_mknod }, { "acct", SYS_acct } };

        for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
                long r = syscall(calls[i].number, 0, 0, 0, 0, 0, 0);
                /* Refused for its arguments is not refused: only the filter answers EPERM to all of
                 * these. */
                note(calls[i].name, r < 0 && errno != EPERM ? 0 : r);
        }
        note("memfd_create", memfd_create("x", 0));
        note("dumpable", prctl(PR_SET_DUMPABLE, 0));
        note("pdeathsig", prctl(PR_SET_PDEATHSIG, 0));
}

static int attack(void) {
        try_files();
        try_listed();
        try_network();
        try_kernel();
        try_processes();
        if (n_got == 0)
                fprintf(stderr, "attack: got nothing of %u\n", tried);
        else
                fprintf(stderr, "%s\n", got);
        return 1;
}

#ifdef LIBRARY
/* The C library hands these to what it calls before main(). */
__attribute__((constructor)) static void before_main(int argc, char *argv[]) {
        if (argc > 1 && strcmp(argv[1], "extract") == 0)
                _exit(attack());
}
#else
int main(void) {
        return attack();
}
#endif
