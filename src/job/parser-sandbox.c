/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/rights.h"
#include "basic/string-util.h"
#include "job/landlock.h"
#include "job/parser-sandbox.h"

void parser_files_done(ParserFiles *f) {
        strv_free(f->read);
        strv_free(f->write);
        *f = (ParserFiles){};
}

void parser_sandbox_done(ParserSandbox *s) {
        s->landlock_fd = safe_close(s->landlock_fd);
}

/* --- system calls ---------------------------------------------------------------------------------- */

/* The one address from which a program may be executed. */
static char exec_path[PATH_MAX];

static const int allowed[] = {
        /* files, those that Landlock lets it open */
        SCMP_SYS(open),
        SCMP_SYS(openat),
        SCMP_SYS(close),
        SCMP_SYS(close_range),
        SCMP_SYS(read),
        SCMP_SYS(readv),
        SCMP_SYS(pread64),
        SCMP_SYS(preadv),
        SCMP_SYS(preadv2),
        SCMP_SYS(write),
        SCMP_SYS(writev),
        SCMP_SYS(pwrite64),
        SCMP_SYS(pwritev),
        SCMP_SYS(pwritev2),
        SCMP_SYS(lseek),
        SCMP_SYS(_llseek),
        SCMP_SYS(dup),
        SCMP_SYS(dup2),
        SCMP_SYS(dup3),
        SCMP_SYS(fcntl),
        SCMP_SYS(fcntl64),
        SCMP_SYS(flock),
        SCMP_SYS(fstat),
        SCMP_SYS(fstat64),
        SCMP_SYS(stat),
        SCMP_SYS(stat64),
        SCMP_SYS(lstat),
        SCMP_SYS(lstat64),
        SCMP_SYS(newfstatat),
        SCMP_SYS(fstatat64),
        SCMP_SYS(statx),
        SCMP_SYS(fstatfs),
        SCMP_SYS(fstatfs64),
        SCMP_SYS(statfs),
        SCMP_SYS(statfs64),
        SCMP_SYS(access),
        SCMP_SYS(faccessat),
        SCMP_SYS(faccessat2),
        SCMP_SYS(readlink),
        SCMP_SYS(readlinkat),
        SCMP_SYS(getcwd),
        SCMP_SYS(chdir),
        SCMP_SYS(fsync),
        SCMP_SYS(fdatasync),
        SCMP_SYS(sync_file_range),
        SCMP_SYS(ftruncate),
        SCMP_SYS(ftruncate64),
        SCMP_SYS(fallocate),
        SCMP_SYS(fadvise64),
        SCMP_SYS(fadvise64_64),
        SCMP_SYS(umask),
        SCMP_SYS(copy_file_range),
        /* the socket that it was handed */
        SCMP_SYS(accept),
        SCMP_SYS(accept4),
        SCMP_SYS(getsockname),
        SCMP_SYS(getpeername),
        SCMP_SYS(getsockopt),
        SCMP_SYS(recvfrom),
        SCMP_SYS(recvmsg),
        SCMP_SYS(sendto),
        SCMP_SYS(sendmsg),
        SCMP_SYS(shutdown),
        /* memory */
        SCMP_SYS(brk),
        SCMP_SYS(mmap),
        SCMP_SYS(mmap2),
        SCMP_SYS(munmap),
        SCMP_SYS(mprotect),
        SCMP_SYS(mremap),
        SCMP_SYS(madvise),
        /* threads and signals of its own */
        SCMP_SYS(futex),
        SCMP_SYS(futex_time64),
        SCMP_SYS(set_robust_list),
        SCMP_SYS(get_robust_list),
        SCMP_SYS(rseq),
        SCMP_SYS(set_tid_address),
        SCMP_SYS(arch_prctl),
        SCMP_SYS(set_thread_area),
        SCMP_SYS(membarrier),
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(sigreturn),
        SCMP_SYS(rt_sigpending),
        SCMP_SYS(rt_sigsuspend),
        SCMP_SYS(rt_sigtimedwait),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        SCMP_SYS(sched_yield),
        SCMP_SYS(sched_getaffinity),
        SCMP_SYS(getcpu),
        /* waiting, time */
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(select),
        SCMP_SYS(pselect6),
        SCMP_SYS(epoll_create),
        SCMP_SYS(epoll_create1),
        SCMP_SYS(epoll_ctl),
        SCMP_SYS(epoll_wait),
        SCMP_SYS(epoll_pwait),
        SCMP_SYS(eventfd),
        SCMP_SYS(eventfd2),
        SCMP_SYS(signalfd),
        SCMP_SYS(signalfd4),
        SCMP_SYS(pipe),
        SCMP_SYS(pipe2),
        SCMP_SYS(timerfd_create),
        SCMP_SYS(timerfd_settime),
        SCMP_SYS(timerfd_gettime),
        SCMP_SYS(nanosleep),
        SCMP_SYS(clock_nanosleep),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(clock_getres),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(time),
        SCMP_SYS(times),
        /* about itself and the machine */
        SCMP_SYS(getpid),
        SCMP_SYS(gettid),
        SCMP_SYS(getppid),
        SCMP_SYS(getuid),
        SCMP_SYS(geteuid),
        SCMP_SYS(getgid),
        SCMP_SYS(getegid),
        SCMP_SYS(getuid32),
        SCMP_SYS(geteuid32),
        SCMP_SYS(getgid32),
        SCMP_SYS(getegid32),
        SCMP_SYS(getrlimit),
        SCMP_SYS(ugetrlimit),
        SCMP_SYS(getrusage),
        SCMP_SYS(uname),
        SCMP_SYS(sysinfo),
        SCMP_SYS(getrandom),
};

static const unsigned allowed_ioctls[] = {
        TCGETS,
        FIONREAD,
        FIONBIO,
        BLKSSZGET,
        BLKPBSZGET,
        BLKGETSIZE64,
        BLKGETSIZE,
        BLKROGET,
        BLKDISCARD,
        BLKZEROOUT,
        BLKFLSBUF,
        FS_IOC_FSGETXATTR,
        FS_IOC_FSSETXATTR,
};

static const unsigned allowed_prctls[] = { PR_SET_NAME, PR_GET_NAME, PR_SET_TIMERSLACK, PR_GET_DUMPABLE };

/* The kernel looks at the lower 32 bits of such an argument only. */
static int allow_argument(scmp_filter_ctx c, int call, unsigned index, unsigned value) {
        return seccomp_rule_add(c, SCMP_ACT_ALLOW, call, 1,
                        SCMP_CMP64(index, SCMP_CMP_MASKED_EQ, UINT64_C(0xffffffff), (scmp_datum_t) value));
}

static int add_rules(scmp_filter_ctx c) {
        const uint64_t thread = CLONE_THREAD | CLONE_VM | CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWNET |
                        CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(allowed) && r >= 0; i++)
                r = seccomp_rule_add(c, SCMP_ACT_ALLOW, allowed[i], 0);
        for (size_t i = 0; i < ELEMENTSOF(allowed_ioctls) && r >= 0; i++)
                r = allow_argument(c, SCMP_SYS(ioctl), 1, allowed_ioctls[i]);
        for (size_t i = 0; i < ELEMENTSOF(allowed_prctls) && r >= 0; i++)
                r = allow_argument(c, SCMP_SYS(prctl), 0, allowed_prctls[i]);
        if (r >= 0) /* threads, no processes */
                r = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, thread,
                                                (scmp_datum_t) (CLONE_THREAD | CLONE_VM)));
        if (r >= 0) /* Its flags are in memory, where a filter does not see them: the C library then takes
                       clone(). */
                r = seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
        if (r >= 0) /* its own limits */
                r = allow_argument(c, SCMP_SYS(prlimit64), 0, 0);
        if (r >= 0)
                r = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(execve), 1,
                                SCMP_CMP64(0, SCMP_CMP_EQ, (scmp_datum_t) (uintptr_t) exec_path));
        return r;
}

/* libseccomp writes the filter to a file only. */
static int export_filter(scmp_filter_ctx c, struct sock_fprog *ret) {
        _cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
        struct stat st;

        if (fd < 0)
                return -errno;
        int r = seccomp_export_bpf(c, fd);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        struct sock_filter *f = malloc((size_t) st.st_size);
        if (!f)
                return -ENOMEM;
        r = pread_full(fd, f, (size_t) st.st_size, 0);
        if (r < 0) {
                free(f);
                return r;
        }
        *ret = (struct sock_fprog){ .len = (unsigned short) ((size_t) st.st_size / sizeof(*f)),
                .filter = f };
        return 0;
}

/* The same for all programs: made once, kept for good. */
static int get_filter(const struct sock_fprog **ret) {
        static struct sock_fprog filter;

        if (!filter.filter) {
                scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(EPERM));
                if (!c)
                        return -ENOMEM;
                int r = add_rules(c);
                if (r >= 0)
                        r = export_filter(c, &filter);
                seccomp_release(c);
                if (r < 0)
                        return r;
        }
        *ret = &filter;
        return 0;
}

/* --- files ----------------------------------------------------------------------------------------- */

#define LIBRARIES_RIGHTS LANDLOCK_READ_FILE
#define WRITE_FILE_RIGHTS (LANDLOCK_READ_FILE | LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE | LANDLOCK_IOCTL_DEV)
#define WRITE_DIRECTORY_RIGHTS \
        (LANDLOCK_READ_FILE | LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE | LANDLOCK_MAKE_REG)

#define WORK_DIRECTORY_RIGHTS                                                                      \
        (WRITE_DIRECTORY_RIGHTS | LANDLOCK_READ_DIR | LANDLOCK_REMOVE_DIR | LANDLOCK_REMOVE_FILE | \
                        LANDLOCK_MAKE_DIR | LANDLOCK_MAKE_SOCK)

static const struct {
        const char *path;
        uint64_t rights;
} system_files[] = {
        { "/usr", LIBRARIES_RIGHTS },
        { "/lib", LIBRARIES_RIGHTS },
        { "/lib64", LIBRARIES_RIGHTS },
        { "/etc/ld.so.cache", LIBRARIES_RIGHTS },
        { "/dev/null", LANDLOCK_READ_FILE | LANDLOCK_WRITE_FILE },
        { "/dev/urandom", LANDLOCK_READ_FILE },
};

/* The program that loads @program, the only other one that the kernel opens for it. NULL: it is linked
 * statically, or no ELF file of this machine's word size. */
static int find_loader(const char *program, char **ret) {
        _cleanup_close_ int fd = open(program, O_RDONLY | O_CLOEXEC);
        ElfW(Ehdr) header;
        ElfW(Phdr) segment;
        char path[PATH_MAX];

        if (fd < 0)
                return -errno;
        if (pread_full(fd, &header, sizeof(header), 0) < 0 || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
                        header.e_phentsize != sizeof(segment))
                return 0;
        for (unsigned i = 0; i < header.e_phnum; i++) {
                if (pread_full(fd, &segment, sizeof(segment), header.e_phoff + i * sizeof(segment)) < 0)
                        return 0;
                if (segment.p_type != PT_INTERP || segment.p_filesz < 2 || segment.p_filesz > sizeof(path))
                        continue;
                if (pread_full(fd, path, segment.p_filesz, segment.p_offset) < 0)
                        return 0;
                path[segment.p_filesz - 1] = 0;
                *ret = strdup(path);
                return *ret ? 0 : -ENOMEM;
        }
        return 0;
}

static int add_programs(int fd, const char *program) {
        _cleanup_free_ char *loader = NULL;
        int r = find_loader(program, &loader);

        if (r >= 0)
                r = landlock_add_path(fd, program, LANDLOCK_READ_FILE | LANDLOCK_EXECUTE);
        if (r >= 0 && loader)
                r = landlock_add_path(fd, loader, LANDLOCK_READ_FILE | LANDLOCK_EXECUTE);
        return r;
}

static int add_files(int fd, const ParserFiles *files) {
        int r = 0;

        STRV_FOREACH(path, files->read) {
                r = landlock_add_path(fd, *path,
                                LANDLOCK_READ_FILE | LANDLOCK_IOCTL_DEV |
                                                (files->programs || files->network ? LANDLOCK_READ_DIR : 0));
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        STRV_FOREACH(path, files->write) {
                struct stat st;

                r = stat(*path, &st) >= 0 && S_ISDIR(st.st_mode)
                                ? landlock_add_path(fd, *path,
                                                  files->programs || files->network ? WORK_DIRECTORY_RIGHTS
                                                                                    : WRITE_DIRECTORY_RIGHTS)
                                : landlock_add_path(fd, *path, WRITE_FILE_RIGHTS);
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        return 0;
}

static int make_ruleset(const char *program, const ParserFiles *files, int *ret) {
        static bool told;
        _cleanup_close_ int fd = landlock_new(files && files->network);

        if (fd == -EOPNOTSUPP) {
                if (!told)
                        log_warning("This kernel has no Landlock: programs that read images see all that "
                                    "the job sees");
                told = true;
                return 0;
        }
        if (fd < 0)
                return fd;
        for (size_t i = 0; i < ELEMENTSOF(system_files); i++) {
                uint64_t more = files && files->programs && system_files[i].rights == LIBRARIES_RIGHTS
                                ? LANDLOCK_EXECUTE | LANDLOCK_READ_DIR
                                : 0;
                int r = landlock_add_path(fd, system_files[i].path, system_files[i].rights | more);
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        int r = add_programs(fd, program);
        if (r >= 0 && files)
                r = add_files(fd, files);
        if (r < 0)
                return r;
        *ret = TAKE_FD(fd);
        return 0;
}

int parser_sandbox_new(const char *program, const ParserFiles *files, ParserSandbox *ret) {
        _cleanup_(parser_sandbox_done) ParserSandbox s = PARSER_SANDBOX_INIT;
        int r;

        if (strlen(program) >= sizeof(exec_path))
                return -ENAMETOOLONG;
        s.program = program;
        s.rights = files ? files->rights : 0;
        /* To name a file is to find it, nothing is read. */
        rights_raise(s.rights);
        r = make_ruleset(program, files, &s.landlock_fd);
        rights_lower();
        if (r >= 0 && !(files && (files->programs || files->network)))
                r = get_filter(&s.filter);
        if (r < 0)
                return r;
        *ret = s;
        s = PARSER_SANDBOX_INIT;
        return 0;
}

/* --- after fork() ---------------------------------------------------------------------------------- */

void parser_sandbox_exec(const ParserSandbox *s, char *const argv[], char *const envp[]) {
        strcpy(exec_path, s->program); /* its length was checked */
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return;
        int r = rights_hand_on(s->rights);
        if (r < 0) {
                errno = -r;
                return;
        }
        if (s->landlock_fd >= 0 && landlock_enter(s->landlock_fd) < 0)
                return;
        if (s->filter && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, s->filter) < 0)
                return;
        execve(exec_path, argv, envp);
}
