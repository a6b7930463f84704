/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A screenshot from a host that may mean harm. */

#include "fuzz.h"
#include "hosts/ppm-png.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ void *png = NULL;
        size_t png_size;
        int r = ppm_to_png(data, size, &png, &png_size);

        /* What is one image is not the other. */
        if (r >= 0 && (!is_png(png, png_size) || is_png(data, size)))
                abort();
        return 0;
}
