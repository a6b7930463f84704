/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-certificate: makes and renews the self-signed certificate of hyper-tls.socket, and checks the one
 * that is configured. */

#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "certificate/self-signed.h"
#include "shared/daemon-arguments.h"

#define CHANGE_TIME (10 * USEC_PER_SEC)

static const char *arg_directory = "/etc/credstore";
static bool arg_check;

static const DaemonOption program_options[] = {
        { .name = "check",
                        .flag = &arg_check,
                        .help = "Only check the certificate and the key in $CREDENTIALS_DIRECTORY" },
        { .name = "directory",
                        .value_name = "PATH",
                        .value = &arg_directory,
                        .help = "Where the certificate and the key are stored" },
        {},
};

static const DaemonProgram program = {
        .name = "hyper-certificate",
        .about = "Creates a self-signed certificate for hyper-tls.socket if it is missing, and renews it\n"
                 "before it expires.\n"
                 "Certificates that it has not made are not changed.",
        .options = program_options,
};

/* The key first: until the certificate follows, the two do not fit, and neither is used. */
static int write_pair(const TlsPair *p) {
        _cleanup_close_ int fd = -EBADF;
        int r = mkdir_parents(arg_directory, 0700);

        if (r < 0)
                return log_error_errno(r, "Failed to make %s: %m", arg_directory);
        fd = open(arg_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return log_error_errno(-errno, "Failed to open %s: %m", arg_directory);
        r = write_file_atomic_at(fd, TLS_CREDENTIAL_KEY, p->key, strlen(p->key), 0600);
        if (r >= 0)
                r = write_file_atomic_at(fd, TLS_CREDENTIAL_CERTIFICATE, p->certificate,
                                strlen(p->certificate), 0600);
        if (r < 0)
                return log_error_errno(r, "Failed to write to %s: %m", arg_directory);
        return 0;
}

static int make_pair(usec_t now) {
        _cleanup_strv_free_ char **names = NULL;
        _cleanup_tls_pair_ TlsPair p = {};
        int r = self_signed_names(&names);

        if (r >= 0)
                r = self_signed_make(names, now, &p);
        if (r < 0)
                return log_error_errno(r, "Failed to make a certificate: %m");
        r = write_pair(&p);
        if (r < 0)
                return r;
        log_notice("Made a self-signed certificate for %s in %s. Its SHA-256 fingerprint is %s.", names[0],
                        arg_directory, p.fingerprint);
        return 0;
}

static int make(void) {
        _cleanup_tls_pair_ TlsPair p = {};
        _cleanup_free_ char *why = NULL;
        usec_t now = now_realtime();
        int r = tls_pair_read(arg_directory, &p, &why);

        if (r == -ENOENT)
                return make_pair(now);
        if (r < 0) {
                log_error("%s: %s. Nothing is changed.", arg_directory, why ? why : strerror(-r));
                return r;
        }
        if (!self_signed_is_ours(&p) || now + SELF_SIGNED_RENEW < p.not_after)
                return 0;
        return make_pair(now);
}

/* Whether one of the files has changed so recently that the other one may be about to follow. */
static bool is_recent(usec_t now) {
        static const char *const directories[] = { "/etc/credstore", "/etc/credstore.encrypted" },
                                 *const names[] = { TLS_CREDENTIAL_CERTIFICATE, TLS_CREDENTIAL_KEY };

        for (size_t i = 0; i < ELEMENTSOF(directories) * ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = strprintf("%s/%s", directories[i / 2], names[i % 2]);
                struct stat st;

                if (path && stat(path, &st) >= 0 &&
                                now < (usec_t) st.st_ctim.tv_sec * USEC_PER_SEC + CHANGE_TIME)
                        return true;
        }
        return false;
}

/* The exit status. */
static int check(void) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_tls_pair_ TlsPair p = {};
        _cleanup_free_ char *why = NULL;
        usec_t now = now_realtime();
        int r = directory ? tls_pair_read(directory, &p, &why) : -ENOENT;

        if (r >= 0)
                r = tls_pair_check_time(&p, now, &why);
        if (r < 0) {
                log_notice("The certificate is not used: %s.", why ? why : "it does not exist");
                return is_recent(now) ? EX_TEMPFAIL : EXIT_FAILURE;
        }
        log_info("The certificate with the SHA-256 fingerprint %s is used from now on.", p.fingerprint);
        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        int r;

        log_open("hyper-certificate");
        r = daemon_parse_arguments(&program, argc, argv);
        if (r <= 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (arg_check)
                return check();
        return make() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
