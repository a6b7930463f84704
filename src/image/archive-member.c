/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "basic/string-util.h"
#include "image/archive-member.h"
#include "image/image.h"
#include "image/ova-name.h"
#include "image/refusal.h"

#define NAMES_SHOWN 8u

void member_list_done(MemberList *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->members[i].name);
        free(l->members);
        *l = (MemberList){};
}

bool member_is_clutter(const char *name) {
        static const char *const names[] = { ".DS_Store", "Thumbs.db", "desktop.ini" };
        const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcasecmp(last, names[i]) == 0)
                        return true;
        return ova_name_is_clutter(name);
}

static bool name_is_of_image(const char *name) {
        static const char *const suffixes[] = { ".vmdk", ".qcow2", ".qcow", ".vhd", ".vhdx", ".vdi", ".raw",
                ".img", ".ova", ".ovf" };

        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (ova_name_has_suffix(name, suffixes[i]))
                        return true;
        return false;
}

int member_list_add(MemberList *l, const char *name, bool is_regular, const char *head, size_t head_size) {
        if (l->n >= MEMBERS_MAX)
                return -E2BIG;
        if (!GREEDY_REALLOC(l->members, l->allocated, l->n + 1))
                return -ENOMEM;
        Member m = { .name = strdup(name), .is_file = is_regular && !member_is_clutter(name) };
        if (!m.name)
                return -ENOMEM;
        m.is_image = m.is_file && (name_is_of_image(name) || image_head_is_known(head, head_size));
        l->members[l->n++] = m;
        return 0;
}

/* "a, b, c and 5 more" of those that count. */
static char *list_names(const MemberList *l, bool images) {
        _cleanup_free_ char *text = strdup("");
        size_t shown = 0, more = 0;

        for (size_t i = 0; i < l->n && text; i++) {
                const Member *m = &l->members[i];

                if (!(images ? m->is_image : m->is_file))
                        continue;
                if (shown == NAMES_SHOWN) {
                        more++;
                        continue;
                }
                char *longer = strprintf("%s%s%s", text, shown++ > 0 ? ", " : "", m->name);
                free(text);
                text = longer;
        }
        if (!text || more == 0)
                return TAKE_PTR(text);
        return strprintf("%s and %zu more", text, more);
}

int member_list_choose(const MemberList *l, size_t *ret, char **ret_error) {
        size_t files = 0, images = 0, file = 0, image = 0;

        for (size_t i = 0; i < l->n; i++) {
                if (l->members[i].is_file) {
                        files++;
                        file = i;
                }
                if (l->members[i].is_image) {
                        images++;
                        image = i;
                }
        }
        if (images == 1 || files == 1) {
                *ret = images == 1 ? image : file;
                return 0;
        }
        if (files == 0)
                return refuse(ret_error, "it has no file in it");
        _cleanup_free_ char *names = list_names(l, images > 1);
        if (!names)
                return -ENOMEM;
        if (images == 0)
                return refuse(ret_error, "none of the %zu files in it is a disk image: %s", files, names);
        return refuse(ret_error,
                        "it has several images in it: %s. Unpack it, and give the one that is meant (of a "
                        "disk "
                        "in several files the descriptor, of an appliance the .ovf)",
                        names);
}
