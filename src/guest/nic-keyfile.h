/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of lines "key = value". */

#include "guest/nic-name.h"

void nics_add_network_manager(Nics *nics, const char *file, const char *text); /* nm-settings-keyfile(5) */
void nics_add_ifcfg(Nics *nics, const char *file, const char *text); /* ifcfg-ens192 of RHEL and SUSE */
void nics_add_networkd(Nics *nics, const char *file, const char *text); /* systemd.network(5) */
void nics_add_link(Nics *nics, const char *file, const char *text); /* systemd.link(5) */
