/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kinds of endpoints do as a destination: one row each. All functions note failures in the attempt.
 */

#include "job/conversion.h"

typedef struct DestinationKind {
        /* The disk that is there already, for writing. */
        int (*open_in_place)(Conversion *c, Connection *ret);
        /* Checks the finished image of disk @disk, and gives it for connect_result(). NULL: there is no
         * image. */
        int (*check_result)(Conversion *c, size_t disk, Image *ret);
        /* What was written, for reading; @image is check_result()'s. */
        int (*connect_result)(Conversion *c, Image *image, ReadBack *ret_read_back, Connection *ret);
        /* The result's entry for disk @disk. */
        int (*describe)(Conversion *c, size_t disk, json_t **ret);
} DestinationKind;

/* NULL for what is no type. */
const DestinationKind *destination_kind(int type) _pure_;
