/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The URI of a host: what is taken is made of what is allowed, and nothing else reaches libvirt. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "spec/host-uri.h"

#define KEY "/key"

/* What libvirt is given begins with an allowed scheme, has an allowed path, and only our own query. */
static void check_built(const char *built) {
        static const char *const schemes[] = { "qemu+ssh://", "qemu+tls://", "qemu:///system", "test:///" };
        static const char *const queries[] = { "?no_tty=1&keyfile=" KEY,
                "?no_tty=1&keyfile=" KEY "&no_verify=1", "?no_verify=1" };
        const char *query = strchr(built, '?'), *authority = NULL;
        bool known = !query;

        for (size_t i = 0; i < ELEMENTSOF(schemes) && !authority; i++)
                authority = startswith(built, schemes[i]);
        for (size_t i = 0; query && i < ELEMENTSOF(queries); i++)
                known |= streq(query, queries[i]);
        if (!authority || !known || strpbrk(built, " %#;\\\"'`$|<>"))
                abort();
        /* Neither the user nor the machine is an option of ssh. */
        const char *at = startswith(built, "qemu+") ? memrchr(built, '@', strlen(built)) : NULL;
        if (startswith(built, "qemu+") && (*authority == '-' || (at && at[1] == '-')))
                abort();
        for (const char *c = built; *c; c++)
                if (*c <= ' ' || *c >= 0x7f)
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *uri = strndup((const char *) data, size), *shown = NULL, *id = NULL;
        const char *why = NULL;
        HostUri u;

        if (!uri)
                return 0;
        bool taken = host_uri_parse(uri, size % 2, &u, &why) >= 0;
        if (taken == (why != NULL) || (taken && u.transport == TRANSPORT_TEST && size % 2 == 0))
                abort();
        shown = host_uri_redact(uri);
        id = host_uri_make_id(uri);
        if (!shown || !id)
                abort();
        if (taken) {
                _cleanup_free_ char *built = host_uri_build(&u, KEY);

                if (!built || !host_id_is_valid(id))
                        abort();
                check_built(built);
                /* No user is shown. */
                if (u.user && !strstr(shown, "://***@"))
                        abort();
        }
        return 0;
}
