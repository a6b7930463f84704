/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A hive of the Windows registry: a tree of keys with values. Which program parses the file is not known
 * here: for hyper-guest it is the appliance (guest-registry.h). */

#include <stdint.h>

#include "basic/macro.h"

/* The longest text of a value or name that is read, in bytes. */
#define REGISTRY_TEXT_MAX ((size_t) 4096)
#define REGISTRY_LIST_MAX ((size_t) 256)
#define REGISTRY_PATH_MAX 512u

typedef enum RegistryType { /* as files have it */
        REGISTRY_TEXT = 1, /* REG_SZ */
        REGISTRY_EXPAND = 2, /* REG_EXPAND_SZ: names in percent signs are replaced when it is read */
        REGISTRY_BINARY = 3,
        REGISTRY_NUMBER = 4, /* REG_DWORD */
        REGISTRY_LIST = 7, /* REG_MULTI_SZ */
} RegistryType;

/* Names do not depend on case. Keys are positive numbers. */
typedef struct RegistryOps {
        int64_t (*root)(void *hive);
        int64_t (*child)(void *hive, int64_t key, const char *name); /* 0: there is none */
        int64_t (*add)(void *hive, int64_t key, const char *name);
        int (*remove)(void *hive, int64_t key);
        int (*names)(void *hive, int64_t key, char ***ret); /* of its keys */
        /* -ENOENT: there is none. The value "" is the default one. The caller frees *ret. */
        int (*read)(void *hive, int64_t key, const char *name, unsigned *ret_type, char **ret,
                        size_t *ret_size);
        int (*write)(void *hive, int64_t key, const char *name, unsigned type, const char *data,
                        size_t size);
} RegistryOps;

typedef struct Registry {
        const RegistryOps *ops;
        void *hive;
        const char *name; /* "SYSTEM" */
} Registry;

/* The key at @path, whose parts are separated by backslashes. Positive, or 0: there is none, or negative
 * errno. */
int64_t registry_find(const Registry *r, const char *path);
/* The same, and adds what is missing. */
int64_t registry_make(const Registry *r, const char *path);

/* Values of the key at @path. -ENOENT: there is none of that name and type. -ENOMEM, or what the operations
 * return. */
int registry_read_text(const Registry *r, const char *path, const char *name, char **ret);
int registry_read_list(const Registry *r, const char *path, const char *name, char ***ret);
int registry_read_number(const Registry *r, const char *path, const char *name, uint32_t *ret);
