/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The names of other files in an image. */

#include "basic/macro.h"
#include "spec/disk-format.h"

typedef struct ImageNames {
        int format; /* DiskFormat, as the first and last bytes say; FORMAT_RAW: it names nothing */
        char **files; /* names of the further files it is made of, as written; each once */
        bool has_parent; /* it is on top of another image */
        char **parents; /* that one's names, as written, the best first; may be empty */
        int parent_format; /* DiskFormat; FORMAT_PROBE: it is not recorded */
        char *id; /* what an image on top of this one must call it; NULL: it has none */
        char *parent_id; /* what it calls its parent; NULL: any will do */
} ImageNames;

void image_names_done(ImageNames *n);
#define _cleanup_image_names_ _cleanup_(image_names_done)
