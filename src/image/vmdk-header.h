/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The header of a sparse extent ("KDMV") of a VMDK, "Virtual Disk Format 5.0". Pure. */

#include "basic/macro.h"

#define VMDK_HEADER_SIZE 512u
/* The directory's place of a streamOptimized extent that has it at the end, where the footer says so. */
#define VMDK_AT_END UINT64_MAX

/* What follows a marker of a streamOptimized extent. */
typedef enum VmdkMarker {
        VMDK_MARKER_END,
        VMDK_MARKER_TABLE,
        VMDK_MARKER_DIRECTORY,
        VMDK_MARKER_FOOTER,
} VmdkMarker;

typedef struct VmdkHeader {
        uint64_t capacity; /* all of these in bytes */
        uint64_t grain;
        uint64_t descriptor, descriptor_size; /* where the text is; 0: there is none */
        uint64_t overhead; /* what is in front of the first grain */
        uint64_t directory; /* in sectors, as the header has it, or VMDK_AT_END */
        uint32_t entries; /* of a table of grains */
        bool compressed, markers;
} VmdkHeader;

/* @data: VMDK_HEADER_SIZE bytes that begin with "KDMV". 0, or -EBADMSG with *ret_error (caller frees). */
int vmdk_header_parse(const char *data, VmdkHeader *ret, char **ret_error);
