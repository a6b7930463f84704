/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "basic/fd-util.h"
#include "unit/lib/introspection.h"
#include "unit/lib/test.h"

static void add_line(char ***lines, const char *parent, xmlNode *node) {
        static const char *const attributes[] = { "name", "direction", "type", "access", "value" };
        _cleanup_free_ char *line = strprintf("%s/%s", parent, (const char *) node->name);

        for (size_t i = 0; i < ELEMENTSOF(attributes); i++) {
                xmlChar *value = xmlGetProp(node, (const xmlChar *) attributes[i]);
                /* For signals "out" is what there is. */
                bool implied = streq(attributes[i], "direction") && strstr(parent, "/signal");

                if (value && !implied) {
                        char *longer = strprintf("%s %s=%s", line, attributes[i], (const char *) value);
                        free(line);
                        line = longer;
                }
                xmlFree(value);
        }
        ck_assert_int_ge(strv_extend(lines, line), 0);
        for (xmlNode *child = node->children; child; child = child->next)
                if (child->type == XML_ELEMENT_NODE)
                        add_line(lines, line, child);
}

/* One line for each element of the interface, so that a difference names itself. */
static char **describe(const char *text, size_t size, const char *interface) {
        xmlDoc *doc = xmlReadMemory(text, (int) size, "x", NULL, XML_PARSE_NONET);
        char **lines = NULL;

        ck_assert_ptr_nonnull(doc);
        for (xmlNode *n = xmlDocGetRootElement(doc)->children; n; n = n->next) {
                xmlChar *name = n->type == XML_ELEMENT_NODE ? xmlGetProp(n, (const xmlChar *) "name") : NULL;

                if (name && streq((const char *) name, interface))
                        add_line(&lines, "", n);
                xmlFree(name);
        }
        xmlFreeDoc(doc);
        return lines;
}

void introspection_compare(const char *xml, const char *interface) {
        const char *srcdir = getenv("srcdir");
        _cleanup_free_ char *file = strprintf("%s/dbus/%s.xml", srcdir ? srcdir : ".", interface),
                            *text = NULL;
        _cleanup_strv_free_ char **documented = NULL, **served = NULL;
        size_t size;

        ck_assert_msg(read_file_at(AT_FDCWD, file, 1024 * 1024, &text, &size) >= 0, "%s cannot be read",
                        file);
        documented = describe(text, size, interface);
        served = describe(xml, strlen(xml), interface);
        ck_assert_uint_gt(strv_length(served), 3);
        STRV_FOREACH(s, served) {
                ck_assert_msg(strv_contains(documented, *s), "%s lacks %s", file, *s);
        }
        STRV_FOREACH(s, documented) {
                ck_assert_msg(strv_contains(served, *s), "the daemon lacks %s", *s);
        }
        for (size_t i = 0; documented[i]; i++)
                ck_assert_str_eq(documented[i], served[i]);
}
