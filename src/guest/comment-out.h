/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings of text files that are not valid on KVM: they become comments, so that the administrator of the
 * guest sees what was there. */

#include "guest/changes.h"

/* Does a setting to be commented out begin in the line at @line? *ret_blanks is the length of what stands
 * before it, and *ret_length its own, which may be several lines without the last line end. If it does not,
 * so much is left as it is; 0: the line. */
typedef bool (*setting_matches)(const char *line, size_t *ret_blanks, size_t *ret_length);

/* Puts @mark before each line of each setting that @matches. 1 with *ret (caller frees), 0: no setting does;
 * -ENOMEM. */
int comment_out(const char *step, const char *file, const char *text, setting_matches matches,
                const char *mark, Changes *changes, char **ret);

/* The same, but such a setting becomes @replacement, which the list of changes names. */
int replace_setting(const char *step, const char *file, const char *text, setting_matches matches,
                const char *replacement, Changes *changes, char **ret);
