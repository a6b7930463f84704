/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/domain-disk.h"

#include "basic/string-util.h"
#include "hosts/xml-util.h"

static char *join(const xmlNode *source, const char *first, const char *separator, const char *second) {
        _cleanup_free_ char *a = xml_attribute(source, first), *b = xml_attribute(source, second);

        return a ? strprintf("%s%s%s", a, separator, strempty(b)) : NULL;
}

char *domain_disk_source(const xmlNode *disk) {
        static const struct {
                const char *type, *attribute;
        } kinds[] = { { "file", "file" }, { "block", "dev" }, { "dir", "dir" } };
        _cleanup_free_ char *type = xml_attribute(disk, "type");
        const xmlNode *source = xml_child(disk, "source");

        if (!source || !type)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (streq(type, kinds[i].type))
                        return xml_attribute(source, kinds[i].attribute);
        if (streq(type, "volume"))
                return join(source, "pool", "/", "volume");
        if (streq(type, "network"))
                return join(source, "protocol", ":", "name");
        return xml_attribute(source, "path");
}
