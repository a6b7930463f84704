/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions of uploads, from the bus. */

#include <stdlib.h>

#include "basic/string-util.h"
#include "fuzz.h"
#include "manager/file/upload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        _cleanup_(upload_definition_done) UploadDefinition d = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = text ? upload_definition_decode(text, &d, &errors) : -ENOMEM;

        if (r == -EBADMSG && errors.n_errors == 0)
                abort();
        if (r < 0)
                return 0;
        UploadRow row = { .size = d.size, .chunk_size = d.chunk_size };
        uint64_t n = upload_n_chunks(&row);
        if (d.filename[0] == '.' || strpbrk(d.filename, "/\\ \n") || n < 1 || n > UPLOAD_CHUNKS_MAX ||
                        upload_chunk_offset(&row, n - 1) + upload_chunk_length(&row, n - 1) != d.size ||
                        (d.sha256 && strlen(d.sha256) != 64))
                abort();
        return 0;
}
