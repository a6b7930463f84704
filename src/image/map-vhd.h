/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "image/map-format.h"

/* Also fill w->map.virtual_size and w->map.differencing. */
int map_vhd_geometry(MapWalk *w, MapGeometry *ret);

int map_walk_vhd(MapWalk *w);
