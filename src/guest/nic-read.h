/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the readers of the files that configure NICs have in common. */

#include "guest/nic-name.h"

/* The next line, without its end; false after the last one. */
bool nic_next_line(const char **p, const char **ret, size_t *ret_length);
/* True if a line of @length bytes is "key = value" or "key=value" of @key: systemd's and NetworkManager's
 * files, and shell variables. */
bool nic_assignment(const char *line, size_t length, const char *key, const char **ret, size_t *ret_length);
/* Removes quotes around a value of *n bytes, and blanks. */
const char *nic_value(const char *s, size_t *n);

/* Each leaves it as it is if @s is no name, or no address. */
void nic_set_name(Nic *nic, const char *s, size_t n);
void nic_set_mac(Nic *nic, const char *s, size_t n);

/* Adds one; one that is there already gets the address if it has none. Without "any" only if the hardware
 * gives such a name: others are those of bridges and the like. */
void nics_add(Nics *nics, const Nic *nic);
void nics_add_any(Nics *nics, const Nic *nic);
/* The interfaces of a list of words; ens192.5 and ens192:1 are on top of ens192. */
void nics_add_words(Nics *nics, const char *words, size_t size, const char *by);

void nics_add_ifupdown(Nics *nics, const char *file, const char *text); /* interfaces(5) */
void nics_add_udev_rules(Nics *nics, const char *file, const char *text); /* 70-persistent-net.rules */

/* True for a copy that no program reads: ifcfg-eth0.rpmsave, 01-netcfg.yaml~. */
bool nics_file_is_copy(const char *file) _pure_;
