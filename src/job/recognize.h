/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a file is that has no known image format: a raw disk, or something else that somebody took for an
 * image. libblkid and libmagic look at it in a child ("hyper-job recognize"); what it reports is judged
 * here. */

#include "basic/macro.h"

/* What the child found out. */
typedef struct Sight {
        char *table; /* type of its partition table: "dos", "gpt"; or NULL */
        uint64_t table_end; /* the last byte that a partition takes, plus one */
        char *file_system; /* libblkid's name: "ext4", "LVM2_member"; or NULL */
        bool boot_sector; /* its first sector ends with 55 AA */
        bool zero; /* it begins with zeroes */
        char *magic; /* libmagic's description */
        char *mime; /* and type */
} Sight;

void sight_done(Sight *s);
#define _cleanup_sight_ _cleanup_(sight_done)

/* Lines "key value". Unknown keys are skipped. -EBADMSG: broken. */
int sight_parse(const char *text, size_t size, Sight *ret);

/* What is known of the file besides. */
typedef struct Candidate {
        const char *name; /* of the file */
        const char *head; /* its first bytes */
        size_t head_size;
        uint64_t length;
        bool is_raw; /* an OVF says that it is a raw disk */
        bool inner; /* it is a disk of an OVA, whose format nobody can give */
} Candidate;

/* 0: it is a raw disk, with why in *ret_text ("it has a dos partition table"); -EBADMSG: it is not, with
 * what it looks like and the remedy in *ret_text. The caller frees it. */
int recognize_judge(const Sight *s, const Candidate *c, char **ret_text);

/* Runs the child on @length bytes at @offset of @fd. -ECANCELED when @cancel_fd becomes readable. */
int recognize_look(int fd, uint64_t offset, uint64_t length, int cancel_fd, Sight *ret);
