/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "image/map-format.h"

int map_walk_qcow2(MapWalk *w);
