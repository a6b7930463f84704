/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What hyper-job tells the manager about a file that InspectSource names. The manager connects to
 * hyper-inspect.socket, sends the name of the file together with its descriptor in one message, and reads
 * JSON until the end. The process on the other side has parsed untrusted data, so what it says is decoded
 * strictly. */

#include <jansson.h>

#include "basic/macro.h"

#define INSPECTION_SOCKET "/run/hyper/inspect.sock"
#define INSPECTION_NAME_MAX 255u /* bytes */
#define INSPECTION_MAX ((size_t) 1024 * 1024) /* bytes of JSON */

/* {"format", "disks": [{"file", "format", "size"}], "vm", "concerns"}. 0 with *ret, which contains nothing
 * else; -EBADMSG: it is something else; the errno that @text says if the file could not be read; -ENOMEM. */
int inspection_decode(const char *text, size_t size, json_t **ret);
