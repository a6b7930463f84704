/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/module-list.h"
#include "basic/string-util.h"
#include "guest/comment-out.h"

/* What fails to load, or does nothing, on other machines. */
static const char *const prefixes[] = { "vmw_", "vmware", "vmhgfs", "vmblock", "vmmemctl", "vmci", "vmxnet",
        "vmsync", "vmwgfx", "pvscsi" };

static bool module_must_go(const char *line, size_t *ret_blanks, size_t *ret_length) {
        *ret_blanks = strspn(line, " \t");
        *ret_length = strcspn(line + *ret_blanks, "\n");
        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (startswith(line + *ret_blanks, prefixes[i]))
                        return true;
        return false;
}

int module_list_rewrite(const char *step, const char *file, const char *text, Changes *changes, char **ret) {
        return comment_out(step, file, text, module_must_go, "# ", changes, ret);
}
