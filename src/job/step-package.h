/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/step.h"

/* Puts the disks into an OVF or OVA, if the destination is one: writes the descriptor and the manifest, and
 * for an OVA all of them into a tar. */
int step_package(Run *run);
