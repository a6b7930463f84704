/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "store/schema-hosts.h"

static const char *const steps[] = {
        /* 1: hosts and the cache of their VMs. uri may name a user and stays here, shown_uri does not. */
        "CREATE TABLE hosts ("
        "  id TEXT PRIMARY KEY,"
        "  uri TEXT NOT NULL,"
        "  shown_uri TEXT NOT NULL,"
        "  name TEXT NOT NULL,"
        "  state TEXT NOT NULL,"
        "  error TEXT NOT NULL,"
        "  created_at INTEGER NOT NULL,"
        "  updated_at INTEGER NOT NULL"
        ") STRICT;"
        "CREATE TABLE vms ("
        "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  host_id TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,"
        "  uuid TEXT NOT NULL,"
        "  name TEXT NOT NULL,"
        "  description TEXT NOT NULL,"
        "  state INTEGER NOT NULL,"
        "  vcpu_count INTEGER NOT NULL,"
        "  memory_bytes INTEGER NOT NULL,"
        "  vnc INTEGER NOT NULL,"
        "  spice INTEGER NOT NULL,"
        "  persistent INTEGER NOT NULL,"
        "  created_at INTEGER NOT NULL,"
        "  updated_at INTEGER NOT NULL,"
        "  UNIQUE (host_id, uuid)"
        ") STRICT;"
        "CREATE INDEX vms_by_name ON vms (host_id, name, seq);",

        /* 2: more of what the web client shows, and its settings. */
        "ALTER TABLE hosts ADD COLUMN auto_connect INTEGER NOT NULL DEFAULT 1;"
        "ALTER TABLE vms ADD COLUMN cpu_model TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE vms ADD COLUMN os_type TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE vms ADD COLUMN disk_bytes INTEGER NOT NULL DEFAULT 0;"
        "CREATE TABLE settings ("
        "  name TEXT PRIMARY KEY,"
        "  value TEXT NOT NULL"
        ") STRICT;",

        /* 3: what differs from the persistent description. */
        ("ALTER TABLE vms ADD COLUMN cpu_topology TEXT NOT NULL DEFAULT '';"
         "ALTER TABLE vms ADD COLUMN drift TEXT NOT NULL DEFAULT '';"),

        /* 4: what may prevent their migration. */
        "ALTER TABLE vms ADD COLUMN concerns TEXT NOT NULL DEFAULT '';",
};

const Schema schema_hosts = {
        .application_id = 0x68797068, /* "hyph" */
        .set_application_id = "PRAGMA application_id=0x68797068",
        .steps = steps,
        .n_steps = ELEMENTSOF(steps),
};
