/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's event loop, on a thread of its own for all connections. libvirt_events_stop() waits for its end.
 * 0 or negative errno. */
int libvirt_events_start(void);
void libvirt_events_stop(void);
