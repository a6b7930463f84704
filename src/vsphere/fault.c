/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/fault.h"

#include "basic/string-util.h"
#include "basic/utf8.h"

#define TEXT_MAX ((size_t) 512)
#define TYPE_MAX ((size_t) 64)

int fault_errno(const char *type) {
        static const struct {
                const char *type;
                int error;
        } table[] = {
                { "InvalidLogin", -EACCES },
                { "InvalidLocale", -EACCES },
                { "NoPermission", -EPERM },
                { "RestrictedVersion", -EPERM }, /* an ESXi host with a free licence */
                { "RestrictedByAdministrator", -EPERM },
                { "NotAuthenticated", -EKEYEXPIRED },
                { "ManagedObjectNotFound", -ENOENT },
                { "NotFound", -ENOENT },
                { "InvalidPowerState", -EBADFD },
                { "InvalidState", -EBADFD },
                { "ToolsUnavailable", -EOPNOTSUPP },
                { "NotSupported", -EOPNOTSUPP },
                { "MethodNotFound", -EOPNOTSUPP },
                { "TaskInProgress", -EBUSY },
                { "ResourceInUse", -EBUSY },
                { "ConcurrentAccess", -EBUSY },
                { "FileLocked", -EBUSY },
                { "HostNotConnected", -EHOSTDOWN },
                { "HostCommunication", -EHOSTDOWN },
                { "HostNotReachable", -EHOSTDOWN },
                { "RequestCanceled", -EREMOTEIO },
                { "Timedout", -ETIMEDOUT },
                { "NoDiskSpace", -ENOSPC },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].type, type))
                        return table[i].error;
        return -EREMOTEIO;
}

void fault_done(Fault *f) {
        free(f->type);
        free(f->text);
        *f = (Fault){};
}

/* Types consist of letters and digits; anything else is not shown. */
static int dup_type(const char *type, size_t size, char **ret) {
        char *copy;

        for (size_t i = 0; i < size; i++)
                if (!((type[i] | 0x20) >= 'a' && (type[i] | 0x20) <= 'z') &&
                                !(type[i] >= '0' && type[i] <= '9'))
                        return 0;
        if (size == 0 || size > TYPE_MAX)
                return 0;
        copy = strndup(type, size);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

static int dup_text(const xmlNode *n, char **ret) {
        const char *text = node_text(n);
        char *copy;

        if (!*text)
                return 0;
        copy = utf8_make_valid(text, strlen(text), TEXT_MAX);
        if (!copy)
                return -ENOMEM;
        *ret = utf8_replace_control(copy, ' ');
        return 0;
}

static const xmlNode *first_element(const xmlNode *n) {
        n = n ? n->children : NULL;
        while (n && n->type != XML_ELEMENT_NODE)
                n = n->next;
        return n;
}

/* <detail><InvalidLoginFault xsi:type="InvalidLogin">: some servers leave the type out */
static int type_of_detail(const xmlNode *n, char **ret) {
        const char *type = node_type(n), *name, *suffix;

        if (*type || !n)
                return dup_type(type, strlen(type), ret);
        name = (const char *) n->name;
        suffix = endswith(name, "Fault");
        return dup_type(name, suffix ? (size_t) (suffix - name) : strlen(name), ret);
}

int fault_from_soap(const xmlNode *n, Fault *ret) {
        _cleanup_fault_ Fault f = {};
        int r = type_of_detail(first_element(node_child(n, "detail")), &f.type);

        if (r >= 0)
                r = dup_text(node_child(n, "faultstring"), &f.text);
        if (r < 0)
                return r;
        *ret = f;
        f = (Fault){};
        return 0;
}

int fault_from_error(const xmlNode *n, Fault *ret) {
        _cleanup_fault_ Fault f = {};
        const char *type = node_type(node_child(n, "fault"));
        int r = dup_type(type, strlen(type), &f.type);

        if (r >= 0)
                r = dup_text(node_child(n, "localizedMessage"), &f.text);
        if (r < 0)
                return r;
        *ret = f;
        f = (Fault){};
        return 0;
}
