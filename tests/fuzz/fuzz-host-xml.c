/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirt's descriptions of pools, volumes, networks, interfaces and capabilities, from a host that may
 * mean harm. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "hosts/host-xml.h"
#include "json/json-table.h"

static void check(int r, const char *text) {
        if ((r >= 0) != (text != NULL) || (r < 0 && r != -EBADMSG) || (text && !utf8_is_valid(text)))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *pool = NULL, *pool_path = NULL, *volume = NULL, *format = NULL, *path = NULL,
                            *mode = NULL, *bridge = NULL, *text = NULL;
        _cleanup_json_ json_t *capabilities = NULL;
        const char *xml = (const char *) data;

        int r = pool_xml_read(xml, size, &pool, &pool_path);

        check(r, pool);
        r = volume_xml_read(xml, size, &volume, &format, &path);
        check(r, volume);
        r = network_xml_read(xml, size, &mode, &bridge);
        check(r, mode);
        bool is_bridge;
        r = interface_xml_read(xml, size, &is_bridge);
        if (r < 0 && r != -EBADMSG)
                abort();
        if (capabilities_xml_read(xml, size, &capabilities) >= 0) {
                text = json_dumps(capabilities, JSON_COMPACT);
                if (!text)
                        abort();
        }
        return 0;
}
