/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bodies in YAML (1.2, core schema), read as the JSON value that they stand for. Pure. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* As many values as one text may have, with every alias counted as what it stands for. */
#define YAML_VALUES_MAX 100000u

/* Whether a Content-Type (may be NULL) is one of YAML's: application/yaml (RFC 9512), application/x-yaml,
 * text/yaml. */
bool content_type_is_yaml(const char *content_type);

/* Parses one document: UTF-8, limited in depth and number of values, no duplicate keys, no NUL, no tags
 * but those of JSON's types. On failure -EBADMSG and a text with line and column in *ret_error, which
 * never quotes the input and is freed by the caller; or -ENOMEM. */
int yaml_parse_any(const char *text, size_t size, json_t **ret, char **ret_error);
