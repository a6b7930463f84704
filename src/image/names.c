/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/names.h"
#include "basic/string-util.h"

void image_names_done(ImageNames *n) {
        strv_free(n->files);
        strv_free(n->parents);
        free(n->id);
        free(n->parent_id);
        *n = (ImageNames){};
}
