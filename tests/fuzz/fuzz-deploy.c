/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions of domains for disk images, from the bus, and the first bytes of such an image. */

#include <sys/mman.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "manager/file/deploy.h"

static void decode(const char *text) {
        _cleanup_(deploy_definition_done) DeployDefinition d = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_kvm_domain_ KvmDomain *domain = NULL;
        _cleanup_json_ json_t *object = NULL;
        int r = deploy_definition_decode(text, &d, &errors);

        if ((r == -EBADMSG) != (errors.n_errors > 0))
                abort();
        if (r < 0)
                return;
        if (strv_length(d.paths) == 0 || strv_length(d.paths) != strv_length(d.formats) ||
                        d.paths[0][0] != '/')
                abort();
        if (deploy_domain(&d, &domain) < 0)
                abort();
        object = kvm_domain_to_json(domain);
        if (!object)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        _cleanup_close_ int fd = memfd_create("image", MFD_CLOEXEC);

        if (!text || fd < 0 || pwrite_full(fd, data, size, 0) < 0)
                return 0;
        decode(text);
        (void) deploy_firmware(fd, FORMAT_QCOW2);
        (void) deploy_firmware(fd, FORMAT_RAW);
        return 0;
}
