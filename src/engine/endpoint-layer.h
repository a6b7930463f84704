/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk that is made of another one and a file with what was changed on it: what the file's map says is in
 * the file is read from there, the rest from below. For formats of which qemu knows no layers. */

#include "engine/endpoint.h"

typedef enum LayerKind {
        LAYER_BELOW, /* the disk below has it; behind its end are zeroes */
        LAYER_ZERO,
        LAYER_DATA, /* the file has it */
} LayerKind;

typedef struct LayerRun {
        LayerKind kind;
        uint64_t length; /* never 0 */
        uint64_t at; /* LAYER_DATA: where it begins in the file */
} LayerRun;

typedef struct LayerMap LayerMap;
struct LayerMap {
        int fd; /* the file, owned */
        uint64_t size; /* of the disk */
        /* What lies at @offset, which is inside the disk: a run of at most @max bytes. 0 or negative
         * errno. */
        int (*find)(LayerMap *m, uint64_t offset, uint64_t max, LayerRun *ret);
        void (*free)(LayerMap *m);
};

/* Takes both in any case, and frees them with the endpoint. 0 or negative errno. */
int endpoint_layer_new(Endpoint *below, LayerMap *map, const char *label, Endpoint **ret);
