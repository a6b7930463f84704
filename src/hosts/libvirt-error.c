/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/libvirt-error.h"

#include <libvirt/virterror.h>

#include "basic/string-util.h"
#include "basic/utf8.h"

#define ERROR_TEXT_MAX 2048

static bool quotes_a_file(const virError *e) {
        static const int codes[] = { VIR_ERR_XML_ERROR, VIR_ERR_XML_DETAIL, VIR_ERR_XML_INVALID_SCHEMA,
                VIR_ERR_CONF_SYNTAX, VIR_ERR_PARSE_FAILED, VIR_ERR_SEXPR_SERIAL };

        for (size_t i = 0; i < ELEMENTSOF(codes); i++)
                if (e->code == codes[i])
                        return true;
        return e->domain == VIR_FROM_XML || e->domain == VIR_FROM_CONF;
}

int libvirt_error(char **ret_error) {
        static const struct {
                int code, error;
        } codes[] = {
                { VIR_ERR_NO_DOMAIN, ENODEV },
                { VIR_ERR_OPERATION_INVALID, EBADFD },
                { VIR_ERR_NO_CONNECT, EINVAL },
                { VIR_ERR_INVALID_ARG, EINVAL },
                { VIR_ERR_CONFIG_UNSUPPORTED, EINVAL },
                { VIR_ERR_AUTH_FAILED, EACCES },
                { VIR_ERR_AUTH_CANCELLED, EACCES },
                { VIR_ERR_AUTH_UNAVAILABLE, EACCES },
                { VIR_ERR_OPERATION_DENIED, EACCES },
                { VIR_ERR_ACCESS_DENIED, EACCES },
                { VIR_ERR_NO_SUPPORT, EOPNOTSUPP },
                { VIR_ERR_OPERATION_UNSUPPORTED, EOPNOTSUPP },
                { VIR_ERR_NO_MEMORY, ENOMEM },
                { VIR_ERR_INVALID_CONN, ENOLINK },
        };
        const virError *e = virGetLastError();
        const char *text = e && e->message ? e->message : "libvirt does not say why";

        /* These quote the malformed line of a file, which may be any. */
        if (e && quotes_a_file(e))
                text = "libvirt found XML that is malformed, or not what it should be";

        *ret_error = utf8_make_valid(text, strlen(text), ERROR_TEXT_MAX);
        if (*ret_error)
                utf8_replace_control(*ret_error, ' ');
        for (size_t i = 0; e && i < ELEMENTSOF(codes); i++)
                if (e->code == codes[i].code)
                        return -codes[i].error;
        return -EREMOTEIO;
}
