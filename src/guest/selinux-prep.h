/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* Gives the files that were changed or are new the labels of the guest's policy. Nothing is done if the guest
 * does not use SELinux. */
int selinux_prep(Guest *guest);
