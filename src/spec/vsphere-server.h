/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a vCenter or an ESXi host is named, and how its certificate is verified: the forms that the APIs
 * accept, and the canonical form of each, which is what is stored and compared. */

#include "json/json-table.h"

#define VSPHERE_URL_MAX 512u
#define VSPHERE_CA_MAX 65536u /* a few certificates in PEM */
#define VSPHERE_THUMBPRINT_SIZE 96u /* "AA:BB:…" of 32 bytes, with the NUL */

/* The name of a named source: 1 to 64 letters, digits, or . _ - and a letter or digit first. */
#define VSPHERE_SOURCE_NAME_MAX 64u
bool vsphere_source_name_is_valid(const char *name) _pure_;

/* "vcenter.example.com", "vcenter:8443", "[fd00::1]" and "https://vcenter/sdk" all name a server; *ret is
 * "https://HOST" or "https://HOST:PORT", without a path, the host in lower case (caller frees). -EINVAL with
 * *ret_reason, a static text "must …" that does not quote the address; -ENOMEM. */
int vsphere_url_normalize(const char *text, char **ret, const char **ret_reason);

/* SHA-256 of a certificate, 64 hexadecimal digits with or without a colon after each two: as "AA:BB:…".
 * -EINVAL for everything else. */
int vsphere_thumbprint_normalize(const char *text, char ret[static VSPHERE_THUMBPRINT_SIZE]);

/* True if @text has the outer form of certificates in PEM. What is in them is decoded where they are used. */
bool vsphere_ca_is_valid(const char *text) _pure_;

/* Checks the fields vcenter_url, ca and thumbprint of a definition, each of which may be NULL, and replaces
 * *url and *thumbprint by their canonical forms. 0, also with @errors; negative errno. */
int vsphere_server_check(char **url, const char *ca, char **thumbprint, JsonErrors *errors);
