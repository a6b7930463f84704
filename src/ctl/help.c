/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/string-util.h"
#include "ctl/help.h"
#include "ctl/text.h"

#define LEFT_WIDTH 30

/* "…" as the terminal can show it; returns how many columns that takes. */
static size_t print_text(const Terminal *t, const char *text) {
        size_t width = text_width(text);

        for (const char *p = text, *next; *p; p = next) {
                next = strstr(p, "…");
                printf("%.*s", (int) (next ? next - p : (ssize_t) strlen(p)), p);
                if (next)
                        fputs(t->utf8 ? "…" : "...", stdout);
                if (next && !t->utf8)
                        width += 2;
                next = next ? next + strlen("…") : p + strlen(p);
        }
        return width;
}

/* Two columns. */
static void print_row(const Terminal *t, const char *left, const char *right) {
        size_t width;

        fputs("  ", stdout);
        width = print_text(t, left);
        printf("%*s %s\n", width < LEFT_WIDTH ? (int) (LEFT_WIDTH - width) : 0, "", right);
}

static void print_options(const Terminal *t, OptionSet mask) {
        for (Option o = 0; o < _OPTION_MAX; o++) {
                const OptionInfo *i = option_info(o);
                _cleanup_free_ char *left = NULL;

                if (!(mask & OPTION_BIT(o)))
                        continue;
                left = strprintf("%c%c%s%s%s%s%s", i->letter ? '-' : ' ', i->letter ? i->letter : ' ',
                                i->letter && *i->name ? ", " : "  ", *i->name ? "--" : "", i->name,
                                i->argument && i->argument[0] != '[' ? "=" : "", strempty(i->argument));
                print_row(t, strempty(left), i->help);
        }
}

void help_print(const Terminal *t, const Verb *verbs) {
        const char *etc = t->utf8 ? "…" : "...";

        printf("hyperctl [OPTION%s] VERB [ARGUMENT%s]\n"
               "hyperctl [OPTION%s] SOURCE [DESTINATION]\n\n"
               "Migrates virtual machine disks onto KVM, as jobs of hyper-managerd.\n\n"
               "Verbs:\n",
                        etc, etc, etc);
        for (const Verb *v = verbs; v->name; v++) {
                _cleanup_free_ char *left = strprintf("%s %s", v->name, v->usage);

                print_row(t, strempty(left), v->help);
        }
        printf("\nOptions of every verb:\n");
        print_options(t, options_common());
        printf("\n\"hyperctl help VERB\" shows the options of a verb, hyperctl(1) explains them.\n");
}

void help_print_verb(const Terminal *t, const Verb *v) {
        printf("hyperctl %s [OPTION%s]%s", v->name, t->utf8 ? "…" : "...", *v->usage ? " " : "");
        (void) print_text(t, v->usage);
        printf("\n\n%s.\n", v->help);
        if (v->options) {
                printf("\nOptions:\n");
                print_options(t, v->options);
        }
        printf("\nOptions of every verb:\n");
        print_options(t, options_common());
        printf("\nSee hyperctl(1).\n");
}

bool help_print_group(const Terminal *t, const Verb *verbs, const char *group) {
        bool found = false;

        for (const Verb *v = verbs; v->name; v++) {
                const char *rest = startswith(v->name, group);
                _cleanup_free_ char *left = strprintf("%s %s", v->name, v->usage);

                if (!rest || *rest != ' ')
                        continue;
                found = true;
                print_row(t, strempty(left), v->help);
        }
        return found;
}
