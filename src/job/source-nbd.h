/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk behind an NBD server as a source. */

#include "job/connection.h"
#include "job/source.h"

int source_open_server(Source *s);
int source_connect_server(Source *s, size_t disk, Connection *ret);
