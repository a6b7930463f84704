/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl upload: send an image to this machine's hyper-managerd, or to another machine. */

#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/server-client.h"
#include "ctl/text.h"
#include "ctl/upload-bus.h"
#include "ctl/upload-http.h"
#include "ctl/upload.h"
#include "ctl/verb-upload.h"
#include "ctl/view.h"
#include "json/json-table.h"

static int open_target(Ctl *ctl, UploadTarget **ret) {
        int status = server_check_options(ctl);

        if (status != EXIT_OK)
                return status;
        return ctl->args.server ? upload_http_new(ctl, ret) : upload_bus_new(ctl, ret);
}

int verb_upload(Ctl *ctl, char **words) {
        _cleanup_(upload_target_freep) UploadTarget *target = NULL;
        _cleanup_json_ json_t *upload = NULL;
        _cleanup_free_ char *path = NULL;
        int status = open_target(ctl, &target);

        if (status == EXIT_OK)
                status = upload_file(target, words[0], ctl->args.name, &upload);
        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, upload);
        path = text_escape(view_string(upload, "path"), ctl->out.utf8);
        if (!path)
                return log_oom(), EXIT_OTHER;
        return puts(path) < 0 ? EXIT_OTHER : EXIT_OK;
}
