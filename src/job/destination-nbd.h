/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk behind an NBD server as a destination; see destination-kind.h. */

#include "job/conversion.h"

int destination_open_server(Conversion *c, Connection *ret);
int destination_connect_server(Conversion *c, Image *image, ReadBack *ret_read_back, Connection *ret);
int destination_describe_server(Conversion *c, size_t disk, json_t **ret);
