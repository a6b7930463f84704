/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What refuses an image, for all readers of this directory. */

#include "basic/string-util.h"

/* Sets a text and returns -EBADMSG, or -ENOMEM. */
#define refuse(ret, ...)                         \
        ({                                       \
                *(ret) = strprintf(__VA_ARGS__); \
                *(ret) ? -EBADMSG : -ENOMEM;     \
        })

/* The largest disk that any of the formats can hold (VHDX). */
#define IMAGE_SIZE_MAX (UINT64_C(64) << 40)
