/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.hyper1.Slurm: what hyper-slurmd asks for and tells. */

#include "manager/slurm/slurm-feed.h"

int slurm_bus_register(SlurmFeed *f);

extern const sd_bus_vtable slurm_vtable[];
