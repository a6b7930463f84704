/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/datastore-path.h"

#include <curl/curl.h>

#include "basic/string-util.h"

static void curl_text_freep(char **s) {
        curl_free(*s);
}
#define _cleanup_curl_ _cleanup_(curl_text_freep)

/* Names cannot contain "]": the first one ends the name of the datastore. */
int datastore_path_split(const char *path, char **ret_datastore, char **ret_file) {
        _cleanup_free_ char *datastore = NULL, *file = NULL;
        const char *end = path[0] == '[' ? strchr(path, ']') : NULL;

        if (!end || end == path + 1 || end[1] != ' ' || !end[2])
                return -EINVAL;
        datastore = strndup(path + 1, (size_t) (end - path) - 1);
        file = strdup(end + 2);
        if (!datastore || !file)
                return -ENOMEM;
        *ret_datastore = TAKE_PTR(datastore);
        *ret_file = TAKE_PTR(file);
        return 0;
}

int datastore_path_flat(const char *path, char **ret) {
        const char *suffix = endswith(path, ".vmdk");

        if (!suffix)
                return -EINVAL;
        *ret = strprintf("%.*s-flat.vmdk", (int) (suffix - path), path);
        return *ret ? 0 : -ENOMEM;
}

/* Escapes each name of a path, and keeps "/". */
static int append_escaped(char **url, const char *file) {
        while (*file) {
                size_t n = strcspn(file, "/");
                _cleanup_curl_ char *name = n > 0 ? curl_easy_escape(NULL, file, (int) n) : NULL;
                char *longer;

                if (n > 0 && !name)
                        return -ENOMEM;
                longer = strprintf("%s/%s", *url, strempty(name));
                if (!longer)
                        return -ENOMEM;
                free(*url);
                *url = longer;
                file += n + (file[n] == '/');
        }
        return 0;
}

int datastore_path_url(const Session *s, const char *datacenter, const char *path, char **ret) {
        _cleanup_free_ char *store = NULL, *file = NULL, *url = NULL;
        _cleanup_curl_ char *dc = NULL, *ds = NULL;
        int r = datastore_path_split(path, &store, &file);

        if (r < 0)
                return r;
        dc = curl_easy_escape(NULL, datacenter, 0);
        ds = curl_easy_escape(NULL, store, 0);
        url = strprintf("%s/folder", soap_origin(session_soap(s)));
        if (!dc || !ds || !url)
                return -ENOMEM;
        r = append_escaped(&url, file);
        if (r < 0)
                return r;
        *ret = strprintf("%s?dcPath=%s&dsName=%s", url, dc, ds);
        return *ret ? 0 : -ENOMEM;
}
