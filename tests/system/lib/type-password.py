#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# type-password.py USER GROUPS PASSWORD COMMAND…
#
# Runs a command as a user at a terminal of its own, and types the password at the first prompt for one.
# Prints what the terminal showed; the exit status is the command's, 124 after 60 s. With "" as the password
# none is typed: the terminal is closed at the prompt.

import os
import pty
import pwd
import select
import sys
import time


def become(user, groups):
    entry = pwd.getpwnam(user)
    os.setgroups(groups)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ.update(HOME=entry.pw_dir, USER=user, TERM='dumb', LC_ALL='C.UTF-8')


def main():
    import grp
    user, groups, password, command = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    gids = [grp.getgrnam(name).gr_gid for name in groups.split(',') if name]
    pid, master = pty.fork()
    if pid == 0:
        become(user, gids)
        os.chdir('/')
        os.execvp(command[0], command)

    shown, prompt, end = b'', None, time.monotonic() + 60
    while time.monotonic() < end:
        # pkttyagent discards what was typed before it turned off the echo, so that it is typed again until
        # there is an answer.
        if prompt is not None and b'AUTHENTICATION ' not in shown[prompt:]:
            os.write(master, password.encode() + b'\n')
        ready, _, _ = select.select([master], [], [], 1)
        if not ready:
            continue
        try:
            data = os.read(master, 4096)
        except OSError:  # the last process at the terminal has ended
            data = b''
        if not data:
            break
        shown += data
        if prompt is None and shown.rstrip(b' ').endswith(b'Password:'):
            if not password:
                break
            prompt = len(shown)
    else:
        os.kill(pid, 9)
        sys.stdout.write(shown.decode(errors='replace'))
        return 124
    os.close(master)
    _, status = os.waitpid(pid, 0)
    sys.stdout.write(shown.decode(errors='replace').replace('\r\n', '\n'))
    return os.waitstatus_to_exitcode(status) & 0xff


sys.exit(main())
