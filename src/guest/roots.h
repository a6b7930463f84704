/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The file systems of the guest that hold an operating system. */

#include <stddef.h>

/* Snapshots that Snapper and Timeshift make of an operating system are no others. Puts those that are none
 * first, and returns their number, or that of all if there is no other. */
size_t roots_order(char **roots);
