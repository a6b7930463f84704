/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kinds of requests to an NBD server, as EndpointOps. */

#include "engine/nbd-request.h"

int nbd_op_extents(Endpoint *e, uint64_t offset, uint64_t length, EndpointExtentsDone done, void *userdata);
int nbd_op_read(Endpoint *e, void *buf, size_t length, uint64_t offset, EndpointDone done, void *userdata);
int nbd_op_write(Endpoint *e, const void *buf, size_t length, uint64_t offset, EndpointDone done,
                void *userdata);
int nbd_op_zero(Endpoint *e, uint64_t offset, uint64_t length, EndpointDone done, void *userdata);
int nbd_op_flush(Endpoint *e, EndpointDone done, void *userdata);

/* Sends the next piece of a zero that has to be written, because the server cannot zero. */
void nbd_write_zeroes(NbdRequest *q);
