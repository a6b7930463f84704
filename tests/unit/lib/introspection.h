/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Fails unless what a daemon answers to Introspect (@xml) has @interface exactly as dbus/<interface>.xml
 * does. */
void introspection_compare(const char *xml, const char *interface);
