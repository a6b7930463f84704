/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands in for hyper-job: "run" was taken over by its image and attacks, prepare and finish are the real
 * ones. It does what is in the list that the test made of paths and sockets, and looks at processes and the
 * kernel. Then it says in one line on standard error what it got and should not have, or should have had and
 * did not get. tests/system/sandbox-run.sh reads that. Linked statically, so that nothing but itself is
 * needed. */

#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define REAL "/usr/libexec/hyper-job.real"
#define LIST "/usr/lib/hyper-tests/attack-list"

static char wrong[16384];
static unsigned tried;

static void note(const char *what, long r, int allowed) {
        int error = errno;

        tried++;
        if ((r >= 0) == allowed)
                return;
        snprintf(wrong + strlen(wrong), sizeof(wrong) - strlen(wrong), " [%s: %s]", what,
                        r >= 0 ? "was possible" : strerror(error));
}

static void refused(const char *what, long r) {
        note(what, r, 0);
}

/* --- what the test lists --------------------------------------------------------------------------- */

static long do_read(const char *path) {
        char c[4096];
        int fd = open(path, O_RDONLY | O_NONBLOCK);

        if (fd >= 0 && read(fd, c, sizeof(c)) < 0 && errno != EAGAIN && errno != EISDIR)
                return -1;
        return fd;
}

static long do_write(const char *path) {
        return open(path, O_WRONLY | O_NONBLOCK);
}

static long do_create(const char *directory) {
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/attack", directory);
        return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long do_remove(const char *path) {
        return unlink(path);
}

static long do_move(const char *path) {
        char other[PATH_MAX];

        snprintf(other, sizeof(other), "%s.moved", path);
        return rename(path, other);
}

static long do_enumerate(const char *path) {
        DIR *d = opendir(path);
        struct dirent *e;

        while (d && (e = readdir(d)))
                if (e->d_name[0] != '.')
                        return 0;
        return -1;
}

static long connect_to(const char *name, int abstract) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
        static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

        strncpy(a.sun_path + abstract, name, sizeof(a.sun_path) - 2);
        for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
                int fd = socket(AF_UNIX, types[i], 0);
                if (fd >= 0 && connect(fd, (struct sockaddr *) &a, size) >= 0)
                        return fd;
        }
        return -1;
}

static long do_connect(const char *path) {
        return connect_to(path, 0);
}

static long do_abstract(const char *name) {
        return connect_to(name, 1);
}

static int connect_tcp(const char *port) {
        struct sockaddr_in a = { .sin_family = AF_INET,
                .sin_port = htons((uint16_t) atoi(port)),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        return fd >= 0 && connect(fd, (struct sockaddr *) &a, sizeof(a)) < 0 ? -1 : fd;
}

static long do_tcp(const char *port) {
        return connect_tcp(port);
}

/* Is the answer to a request without a key a success? */
static long do_http(const char *port) {
        static const char request[] = "GET /jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        char answer[64] = "";
        int fd = connect_tcp(port);

        if (fd < 0 || send(fd, request, sizeof(request) - 1, 0) < 0 ||
                        recv(fd, answer, 15, MSG_WAITALL) < 12)
                return -1;
        errno = EACCES;
        return strncmp(answer, "HTTP/1.1 4", 10) == 0 ? -1 : 0;
}

/* A link to it in a directory of its own would be published as its image. */
static char own_directory[PATH_MAX];

static long do_link(const char *path) {
        char name[PATH_MAX];

        snprintf(name, sizeof(name), "%.4000s/attack-link", own_directory);
        return linkat(AT_FDCWD, path, AT_FDCWD, name, 0);
}

static const struct {
        char letter;
        long (*act)(const char *path);
} acts[] = { { 'r', do_read }, { 'w', do_write }, { 'c', do_create }, { 'e', do_enumerate },
        { 's', do_connect }, { 'a', do_abstract }, { 't', do_tcp }, { 'h', do_http }, { 'l', do_link },
        { 'm', do_move }, { 'x', do_remove } };

/* Lines as in "+r /path" and "-w /path": with a plus it may. */
static void try_list(void) {
        char line[4096];
        FILE *f = fopen(LIST, "re");

        if (!f) {
                note("reading " LIST, -1, 1);
                return;
        }
        while (fgets(line, sizeof(line), f)) {
                line[strcspn(line, "\n")] = 0;
                if (line[0] == '+' && line[1] == 'c')
                        snprintf(own_directory, sizeof(own_directory), "%s", line + 3);
                for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++)
                        if (acts[i].letter == line[1])
                                note(line, acts[i].act(line + 3), line[0] == '+');
        }
        fclose(f);
}

/* What is made in its own directory is a plain file of its own user's. */
static void try_own_directory(void) {
        struct {
                uint32_t magic, data[5];
        } capability = { 0x02000000 | 1, { ~0u, 0, ~0u, 0, 0 } };

        if (!own_directory[0] || chdir(own_directory) < 0) {
                note("a directory of its own", -1, 1);
                return;
        }
        close(open("plain", O_WRONLY | O_CREAT, 0600));
        refused("set-user-ID", chmod("plain", 04700));
        refused("set-group-ID", chmod("plain", 02710));
        refused("chown to root", chown("plain", 0, 0));
        refused("file capabilities", setxattr("plain", "security.capability", &capability, 24, 0));
        refused("a device node", mknod("device", S_IFBLK | 0600, (dev_t) (8 << 8)));
        (void) unlink("plain");
}

/* --- processes ------------------------------------------------------------------------------------- */

static void try_process(pid_t pid) {
        static const char *const files[] = { "status", "environ", "mem", "maps", "root/etc/shadow",
                "cwd/etc/shadow", "ns/user", "ns/net", "fd/0", "cmdline" };
        struct iovec v = { .iov_base = wrong, .iov_len = 1 };
        struct rlimit limit = { 64, 64 };
        cpu_set_t cpus;
        char path[64];
        size_t size;
        void *head;

        for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
                snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
                refused(path, open(path, O_RDONLY));
        }
        snprintf(path, sizeof(path), "process %d", pid);
        refused(path, kill(pid, 0));
        refused(path, syscall(SYS_tgkill, pid, pid, 0));
        refused(path, ptrace(PTRACE_ATTACH, pid, 0, 0));
        refused(path, ptrace(PTRACE_SEIZE, pid, 0, 0));
        refused(path, process_vm_readv(pid, &v, 1, &v, 1, 0));
        refused(path, prlimit(pid, RLIMIT_NOFILE, NULL, &limit));
        refused(path, prlimit(pid, RLIMIT_NOFILE, &limit, NULL));
        CPU_ZERO(&cpus);
        CPU_SET(0, &cpus);
        refused(path, sched_setaffinity(pid, sizeof(cpus), &cpus));
        refused(path, setpriority(PRIO_PROCESS, (id_t) pid, 19));
        refused(path, syscall(SYS_ioprio_set, 1, pid, 3 << 13));
        refused(path, syscall(SYS_get_robust_list, pid, &head, &size));
        refused(path, syscall(SYS_kcmp, pid, getpid(), 0, 0, 0));
        refused(path, syscall(SYS_move_pages, pid, 0, NULL, NULL, NULL, 0));
        int fd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0)
                return;
        refused(path, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
        refused(path, syscall(SYS_pidfd_getfd, fd, 0, 0));
        refused(path, setns(fd, CLONE_NEWNS));
        close(fd);
}

static void try_processes(void) {
        DIR *d = opendir("/proc");
        struct dirent *e;

        while (d && (e = readdir(d)))
                if (isdigit((unsigned char) e->d_name[0]) && atoi(e->d_name) != getpid())
                        note("seeing a process", 0, 0);
        /* Not in /proc for us, but they have numbers. */
        for (pid_t pid = 1; pid < getpid() + 100; pid++)
                if (pid != getpid() && (kill(pid, 0) >= 0 || errno != ESRCH))
                        try_process(pid);
}

/* --- the kernel ------------------------------------------------------------------------------------ */

static void try_kernel(void) {
        /* Only the filter, and no right to it, answers EPERM whatever the arguments are. */
        static const struct {
                const char *name;
                long number;
        } calls[] = { { "keyctl", SYS_keyctl }, { "add_key", SYS_add_key },
                { "request_key", SYS_request_key }, { "io_uring_setup", SYS_io_uring_setup },
                { "userfaultfd", SYS_userfaultfd }, { "bpf", SYS_bpf },
                { "perf_event_open", SYS_perf_event_open }, { "open_by_handle_at", SYS_open_by_handle_at },
                { "name_to_handle_at", SYS_name_to_handle_at }, { "mount", SYS_mount },
                { "umount", SYS_umount2 }, { "open_tree", SYS_open_tree }, { "fsopen", SYS_fsopen },
                { "fsconfig", SYS_fsconfig }, { "fsmount", SYS_fsmount }, { "move_mount", SYS_move_mount },
                { "mount_setattr", SYS_mount_setattr }, { "pivot_root", SYS_pivot_root },
                { "chroot", SYS_chroot }, { "init_module", SYS_init_module },
                { "finit_module", SYS_finit_module }, { "swapon", SYS_swapon }, { "reboot", SYS_reboot },
                { "kexec_load", SYS_kexec_load }, { "syslog", SYS_syslog }, { "setuid", SYS_setuid },
                { "setgid", SYS_setgid }, { "setgroups", SYS_setgroups }, { "setresuid", SYS_setresuid },
                { "io_setup", SYS_io_setup }, { "fanotify", SYS_fanotify_init }, { "acct", SYS_acct },
                { "quotactl", SYS_quotactl }, { "ptrace", SYS_ptrace },
                { "process_vm_writev", SYS_process_vm_writev }, { "kcmp", SYS_kcmp },
                { "settimeofday", SYS_settimeofday }, { "clock_settime", SYS_clock_settime },
                { "adjtimex", SYS_adjtimex }, { "sethostname", SYS_sethostname }, { "vhangup", SYS_vhangup },
                { "iopl", SYS_iopl }, { "lookup_dcookie", SYS_lookup_dcookie } };
        static const int families[] = { AF_NETLINK, AF_PACKET, AF_VSOCK, AF_ALG, AF_BLUETOOTH, AF_CAN,
                AF_XDP };

        for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
                long r = syscall(calls[i].number, 0, 0, 0, 0, 0, 0);
                refused(calls[i].name, r < 0 && errno != EPERM ? 0 : r);
        }
        for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
                for (int type = SOCK_STREAM; type <= SOCK_RAW; type++)
                        refused("a socket of another family", socket(families[i], type, 0));
        refused("a raw socket", socket(AF_INET, SOCK_RAW, 1));
        refused("shared memory of others", shmget(0x4711, 0, 0));
        refused("memory to write and execute",
                        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                                        0) == MAP_FAILED
                                        ? -1
                                        : 0);
        note("no new privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -1, 1);
        refused("a uid of 0", geteuid() == 0 || getegid() == 0 ? 0 : -1);
}

static void try_namespaces(void) {
        static const struct {
                const char *name;
                int flag;
        } kinds[] = { { "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS }, { "net", CLONE_NEWNET },
                { "pid", CLONE_NEWPID }, { "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS },
                { "cgroup", CLONE_NEWCGROUP } };
        char path[64];

        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
                snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i].name);
                refused(path, setns(open(path, O_RDONLY), kinds[i].flag));
                refused(path, unshare(kinds[i].flag));
                long r = syscall(SYS_clone, kinds[i].flag | SIGCHLD, NULL, NULL, NULL, NULL);
                if (r == 0)
                        _exit(0);
                refused(path, r);
        }
}

/* What the promise leaves it: children and other programs (with no more rights than its own). */
static void try_what_it_may(void) {
        char *const argv[] = { (char *) "true", NULL };
        int status = -1;
        pid_t pid = fork();

        if (pid == 0) {
                execve("/usr/bin/true", argv, argv + 1);
                _exit(1);
        }
        note("running another program", waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1, 1);
}

static int attack(void) {
        try_list();
        try_own_directory();
        try_processes();
        try_kernel();
        try_namespaces();
        try_what_it_may();
        fprintf(stderr, "attack: uid %u\n", (unsigned) getuid());
        if (wrong[0] == 0)
                fprintf(stderr, "attack: as promised, %u things tried\n", tried);
        else
                fprintf(stderr, "attack: wrong:%s\n", wrong);
        return 1;
}

int main(int argc, char *argv[]) {
        if (argc == 3 && strcmp(argv[1], "run") == 0)
                return attack();
        execv(REAL, argv);
        return 127;
}
