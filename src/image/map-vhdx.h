/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "image/map-format.h"

int map_vhdx_geometry(MapWalk *w, MapGeometry *ret);

int map_walk_vhdx(MapWalk *w);
