/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Image files and block devices as a destination; see destination-kind.h. */

#include "job/conversion.h"

int destination_open_device(Conversion *c, Connection *ret);
int destination_check_image(Conversion *c, size_t disk, Image *ret);
int destination_connect_image(Conversion *c, Image *image, ReadBack *ret_read_back, Connection *ret);
int destination_describe_image(Conversion *c, size_t disk, json_t **ret);
