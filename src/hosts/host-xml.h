/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What there is to know of a host's pools, volumes, networks, interfaces and capabilities from libvirt's
 * descriptions of them, which are hostile input (xml-util.h). All return 0, -EBADMSG if it is no such
 * description, or -ENOMEM. */

#include <jansson.h>

#include "basic/macro.h"

/* https://libvirt.org/formatstorage.html. Strings are the caller's; "" for what is not there. */
int pool_xml_read(const char *xml, size_t size, char **ret_type, char **ret_path);
int volume_xml_read(const char *xml, size_t size, char **ret_type, char **ret_format, char **ret_path);

/* https://libvirt.org/formatnetwork.html: "nat", "route", "bridge", …, or "isolated" if it leads nowhere. */
int network_xml_read(const char *xml, size_t size, char **ret_mode, char **ret_bridge);

/* An interface of the host: whether it is a bridge. */
int interface_xml_read(const char *xml, size_t size, bool *ret_bridge);

/* https://libvirt.org/formatcaps.html, as the hosts API has it; new reference. */
int capabilities_xml_read(const char *xml, size_t size, json_t **ret);
