/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/password.h"

#include <fcntl.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"

#define PASSWORD_MAX ((size_t) 1024)
#define PASSWORDS_MAX ((size_t) 64 * 1024)

char *password_free(char *password) {
        if (password)
                explicit_bzero(password, strlen(password));
        return mfree(password);
}

/* Reads until the end, or the end of the line. */
static int read_descriptor(int fd, bool line, char buffer[static PASSWORD_MAX + 2]) {
        size_t n = 0;

        while (n <= PASSWORD_MAX) {
                ssize_t k = read(fd, buffer + n, PASSWORD_MAX + 1 - n);

                if (k < 0)
                        return -errno;
                n += (size_t) k;
                if (k == 0 || (line && buffer[n - 1] == '\n'))
                        break;
        }
        if (n > PASSWORD_MAX)
                return -EFBIG;
        if (n > 0 && buffer[n - 1] == '\n')
                n--;
        buffer[n] = '\0';
        return n > 0 && strlen(buffer) == n && utf8_is_valid(buffer) ? 0 : -EBADMSG;
}

static int read_terminal(const char *prompt, char buffer[static PASSWORD_MAX + 2]) {
        struct termios old, quiet;
        int r;

        if (tcgetattr(STDIN_FILENO, &old) < 0)
                return -errno;
        quiet = old;
        quiet.c_lflag &= ~(tcflag_t) ECHO;
        fprintf(stderr, "%s: ", prompt);
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        r = read_descriptor(STDIN_FILENO, true, buffer);
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
        fputc('\n', stderr);
        return r;
}

int password_read_file(const char *name, char **ret) {
        bool opens = !streq(name, "-");
        _cleanup_close_ int fd = opens ? open(name, O_RDONLY | O_CLOEXEC) : -EBADF;
        _cleanup_(password_freep) char *text = calloc(1, PASSWORDS_MAX + 2);
        size_t n = 0;
        ssize_t k = 1;

        if (opens && fd < 0)
                return -errno;
        while (text && k > 0 && n <= PASSWORDS_MAX) {
                k = read(opens ? fd : STDIN_FILENO, text + n, PASSWORDS_MAX + 1 - n);
                if (k < 0)
                        return -errno;
                n += (size_t) k;
        }
        if (!text)
                return -ENOMEM;
        if (n == 0 || n > PASSWORDS_MAX || strlen(text) != n || !utf8_is_valid(text))
                return n > PASSWORDS_MAX ? -EFBIG : -EBADMSG;
        *ret = TAKE_PTR(text);
        return 0;
}

/* @option names the file @file on the command line. */
static int read_secret(const Ctl *ctl, const char *what, const char *option, const char *file,
                const char *prompt, char **ret) {
        bool ask = !file && isatty(STDIN_FILENO), opens = file && !streq(file, "-");
        _cleanup_close_ int fd = opens ? open(file, O_RDONLY | O_CLOEXEC) : -EBADF;
        char buffer[PASSWORD_MAX + 2];
        int r;

        if (ask && ctl->args.no_ask_password) {
                log_error("The %s is missing: --%s= names a file with it.", what, option);
                return EXIT_USAGE;
        }
        if (opens && fd < 0)
                r = -errno;
        else
                r = ask ? read_terminal(prompt, buffer)
                        : read_descriptor(opens ? fd : STDIN_FILENO, false, buffer);
        if (r == -EBADMSG || r == -EFBIG)
                log_error("The %s must be text of 1 to %zu bytes.", what, PASSWORD_MAX);
        else if (r < 0)
                log_error_errno(r, "Failed to read the %s%s%s: %m", what, opens ? " from " : "",
                                opens ? file : "");
        *ret = r >= 0 ? strdup(buffer) : NULL;
        explicit_bzero(buffer, sizeof(buffer));
        if (r < 0)
                return r == -EBADMSG || r == -EFBIG ? EXIT_REFUSED : EXIT_OTHER;
        return *ret ? EXIT_OK : (log_oom(), EXIT_OTHER);
}

int password_read(const Ctl *ctl, const char *prompt, char **ret) {
        return read_secret(ctl, "password", "password-file", ctl->args.password_file, prompt, ret);
}

int password_read_key(const Ctl *ctl, const char *file, const char *prompt, char **ret) {
        return read_secret(ctl, "API key", "key-file", file, prompt, ret);
}
