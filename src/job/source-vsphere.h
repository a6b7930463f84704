/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A virtual machine of a vCenter server or an ESXi host as a source. */

#include "job/connection.h"
#include "job/source.h"

int source_open_vm(Source *s);
int source_settle_vm(Source *s);
int source_inspect_vm(Source *s);
int source_check_vm_unchanged(Source *s);
void source_explain_vm(Source *s);
int source_connect_vm(Source *s, size_t disk, Connection *ret);
int source_vm_digest(const Source *s, size_t disk, uint8_t *ret);
int source_vm_add_metrics(const Source *s, json_t *metrics);
int source_finish_vm(Source *s);
void source_vm_progress(Source *s, unsigned percent);
