/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The proof of boot of a job whose result is a domain: hyper-hostd starts the same hardware on the disks,
 * which are not changed, and watches it. */

/* "hyper-job boot DIRECTORY": after define; records what was seen, and has the domain started if that is
 * asked for and nothing speaks against it. May be called again at any time. The exit status. */
int verb_boot(const char *directory);

/* "hyper-job boot-end DIRECTORY": ends what a "boot" that was killed has left running, and removes what is
 * left of it. */
int verb_boot_end(const char *directory);
