/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The vSphere simulator of tests/vcsim, which ends with the test. Everything that fails, fails the test. */

#include <jansson.h>
#include <sys/types.h>

#include "json/json-table.h"

typedef struct Vcsim {
        pid_t pid;
        char *url; /* "https://127.0.0.1:PORT/sdk" */
        char *control; /* "http://127.0.0.1:PORT" */
        char *ca; /* PEM */
        char *thumbprint; /* SHA-256 of the good certificate */
        char *sha1;
} Vcsim;

#define VCSIM_USER "administrator@vsphere.local"
#define VCSIM_PASSWORD "secret"

/* Starts it with flags (tests/vcsim/README.md), NULL at their end; its files are in @dir. */
Vcsim vcsim_start(const char *dir, ...) __attribute__((__sentinel__));
void vcsim_stop(Vcsim *v);
#define _cleanup_vcsim_ _cleanup_(vcsim_stop)

/* A request to the control address: "/sessions/end", "/vm?name=web&tools=not-running", … */
void vcsim_control(const Vcsim *v, const char *path);
/* The body of the answer, the caller's to free */
char *vcsim_get(const Vcsim *v, const char *path, size_t *ret_size);
/* The guest of @vm writes. */
void vcsim_write(const Vcsim *v, const char *vm, unsigned disk, uint64_t offset, const void *data,
                size_t size);
/* A fault as JSON, as in {"on": "sdk", "method": "Login", "kind": "http", "count": 1} */
void vcsim_fault(const Vcsim *v, const char *json);
void vcsim_no_faults(const Vcsim *v);
/* GET /state; see _cleanup_json_ */
json_t *vcsim_state(const Vcsim *v);
/* The number of sessions, and how often a method was called */
unsigned vcsim_sessions(const Vcsim *v);
unsigned vcsim_calls(const Vcsim *v, const char *method);
/* The ID of a VM of this name */
char *vcsim_vm(const Vcsim *v, const char *name);
