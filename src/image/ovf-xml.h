/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Elements and attributes of an OVF descriptor, by their local names. */

#include <libxml/tree.h>

#include "basic/macro.h"

/* The value of an attribute, "" if it is empty, NULL if there is none. Some write the "ovf:" in front of
 * attributes and some do not, and there are several versions of the namespace; the local name says it all. */
const char *ovf_attribute(const xmlNode *node, const char *name) _pure_;
bool ovf_is_element(const xmlNode *node, const char *name) _pure_;
/* The section @name of OVF 1 and 2, or that of OVF 0.9 and oVirt, where all sections have one name and a
 * type. */
bool ovf_is_section(const xmlNode *node, const char *name) _pure_;
/* The first element @name among @node and its siblings behind it; NULL: none. */
const xmlNode *ovf_next_element(const xmlNode *node, const char *name) _pure_;
const xmlNode *ovf_child(const xmlNode *node, const char *name) _pure_;
/* The text of the first child whose name is @name in any case; NULL: there is none. */
const char *ovf_child_text(const xmlNode *node, const char *name) _pure_;

/* Bytes of "24" in units of "byte * 2^20", "MegaBytes", … (DSP0004 and what was in use before); 0 for what
 * is not understood. */
uint64_t ovf_capacity(const char *number, const char *units);
