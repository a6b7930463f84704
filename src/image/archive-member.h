/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which file of an archive is the disk image: the only one there is, or the only one that looks like one. */

#include "basic/macro.h"

#define MEMBERS_MAX 1024u
#define MEMBER_HEAD 512u

typedef struct Member {
        char *name;
        bool is_file; /* and nothing that archivers add */
        bool is_image; /* by its first bytes, or its name */
} Member;

typedef struct MemberList {
        Member *members;
        size_t n, allocated;
} MemberList;

void member_list_done(MemberList *l);

/* What archivers and desktops add: "._x", "__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini". */
bool member_is_clutter(const char *name);

/* -E2BIG: too many. */
int member_list_add(MemberList *l, const char *name, bool is_regular, const char *head, size_t head_size);

/* The index of the image. -EBADMSG with *ret_error: there is none, or several. */
int member_list_choose(const MemberList *l, size_t *ret, char **ret_error);
