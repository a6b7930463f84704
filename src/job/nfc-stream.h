/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk on its way from an export lease: a thread downloads the VMDK, a child decodes it, and an
 * endpoint has what comes out. */

#include "job/vsphere-source.h"
#include "vsphere/lease.h"

/* @device: from nfc_export_acquire(), which is released when the endpoint is freed or if this fails. Notes
 * failures in the attempt. */
int nfc_stream_open(VsphereSource *v, size_t disk, const LeaseDevice *device, Endpoint **ret);
