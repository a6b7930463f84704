/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /etc/hyper/agent.yaml: which server this machine works for, and as what. */

#include <jansson.h>

#include "basic/time-util.h"

typedef struct AgentSettings {
        struct {
                char *url; /* server.url: http:// or https://, without a slash at the end */
                char *api_key_file; /* server.api_key_file: where the key is; else the credential of that
                                       name */
                char *ca_file; /* server.ca_file: CAs in PEM; NULL: those of the system */
                char *certificate_file; /* server.certificate_file: what we are known by, in PEM */
                char *key_file; /* server.key_file: its private key; else the credential of that name */
                bool allow_insecure; /* server.allow_insecure: the key may go over http:// to another
                                      * machine */
        } server;
        struct {
                char *id; /* worker.id: default: the host name and some of the machine's id */
                unsigned max_jobs; /* worker.max_jobs: at the same time, 1 to 64; default 2 */
                usec_t heartbeat; /* worker.heartbeat: how often, seconds in the file, 1 to 120; default
                                   * 30 */
                char **labels; /* worker.labels: of this machine; NULL: none */
                char *directory; /* worker.directory: whose free space is told; default / */
        } worker;
        struct {
                char *log_level; /* daemon.log_level: debug, info, notice, warning, err; default info */
        } daemon;
        char *api_key; /* what was read from its file; NULL: none */
} AgentSettings;

AgentSettings *agent_settings_free(AgentSettings *s);
DEFINE_CLEANUP_FUNC(AgentSettings *, agent_settings_free);

/* The decoder: text of the file in, checked settings out, without what is in other files. 0 with *ret;
 * -EBADMSG with *ret_error ("FILE:LINE: KEY: what is wrong"), which the caller frees; -ENOMEM. */
int agent_settings_parse(
                const char *file, const char *text, size_t size, AgentSettings **ret, char **ret_error);

/* Reads @file, and the key. @credentials is systemd's directory of credentials (systemd.exec(5)), or NULL:
 * then /etc/credstore/ is looked into, where it would take them from. 0 with *ret, or negative errno with
 * *ret_error, NULL when out of memory. */
int agent_settings_load(const char *file, const char *credentials, AgentSettings **ret, char **ret_error);

/* What is in force, without the key, in the structure of the file. New reference; NULL when out of memory. */
json_t *agent_settings_to_json(const AgentSettings *s);

/* The names of the credentials. */
#define AGENT_CREDENTIAL_API_KEY "hyper-agent.api-key"
#define AGENT_CREDENTIAL_TLS_KEY "hyper-agent.tls-key"
