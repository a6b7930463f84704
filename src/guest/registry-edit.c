/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/registry-edit.h"

#include "basic/string-util.h"
#include "guest/utf16.h"

/* @text with the words in braces replaced. */
static char *expand(const char *text, const RegistryWord *words) {
        _cleanup_buffer_ Buffer b = {};
        char *result;

        for (const char *p = text; *p;) {
                const RegistryWord *found = NULL;

                for (const RegistryWord *w = words; w->word && *p == '{' && !found; w++)
                        if (startswith(p + 1, w->word) && p[1 + strlen(w->word)] == '}')
                                found = w;
                if (found)
                        buffer_add_text(&b, found->text);
                else
                        buffer_add(&b, p, 1);
                p += found ? strlen(found->word) + 2 : 1;
        }
        return buffer_finish(&b, &result, NULL) < 0 ? NULL : result;
}

typedef struct Value {
        unsigned type;
        char *data;
        size_t size;
} Value;

static void value_done(Value *v) {
        free(v->data);
}

/* Without the NUL at the end. */
static size_t text_size(const Value *v) {
        size_t size = v->size & ~(size_t) 1;

        while (size >= 2 && !v->data[size - 1] && !v->data[size - 2])
                size -= 2;
        return size;
}

/* -EALREADY: @text is one of the parts of the value. */
static int add_appended(Buffer *b, const Value *old, const char *text) {
        size_t size = text_size(old);
        _cleanup_free_ char *before = utf16_to_utf8(strempty(old->data), size, REGISTRY_TEXT_MAX);

        if (!before)
                return -ENOMEM;
        for (const char *p = before; *p; p += strcspn(p, ";"), p += *p == ';')
                if (strcspn(p, ";") == strlen(text) && strncasecmp(p, text, strlen(text)) == 0)
                        return -EALREADY;
        buffer_add(b, strempty(old->data), size);
        if (size > 0)
                buffer_add(b, ";", 2); /* and its NUL: UTF-16 */
        utf16_add(b, text);
        return 0;
}

static int make_value(const RegistryEdit *e, const RegistryWord *words, const Value *old, Value *ret) {
        const unsigned char number[4] = { (unsigned char) e->number, (unsigned char) (e->number >> 8),
                (unsigned char) (e->number >> 16), (unsigned char) (e->number >> 24) };
        _cleanup_free_ char *text = e->text ? expand(e->text, words) : NULL;
        _cleanup_buffer_ Buffer b = {};
        int r = 0;

        if (e->text && !text)
                return -ENOMEM;
        if (e->type == REGISTRY_NUMBER)
                buffer_add(&b, number, sizeof(number));
        else if (e->type == REGISTRY_BINARY)
                buffer_add(&b, e->data, e->size);
        else if (e->action == REGISTRY_APPEND)
                r = add_appended(&b, old, text);
        else
                utf16_add(&b, text);
        if (e->type == REGISTRY_LIST)
                utf16_add(&b, "");
        ret->type = e->type;
        return r < 0 ? r : buffer_finish(&b, &ret->data, &ret->size);
}

/* As a change shows it; NULL: it is not there, or is no text. */
static int describe(const Value *v, char **ret) {
        const unsigned char *p = (const unsigned char *) v->data;

        *ret = NULL;
        if (!v->data || v->type == REGISTRY_BINARY)
                return 0;
        if (v->type == REGISTRY_NUMBER)
                *ret = v->size < 4 ? NULL
                                   : strprintf("%u", p[0] | p[1] << 8 | p[2] << 16 | (unsigned) p[3] << 24);
        else
                *ret = utf16_to_utf8(v->data, v->size, GUEST_TEXT_MAX);
        return *ret || (v->type == REGISTRY_NUMBER && v->size < 4) ? 0 : -ENOMEM;
}

static int note(const Registry *r, const char *step, const char *key, const char *name, const Value *old,
                const Value *new, Changes *changes) {
        _cleanup_free_ char *file = strprintf("%s\\%s%s%s", r->name, key, isempty(name) ? "" : "\\", name),
                            *from = NULL, *to = NULL;
        int k = file ? describe(old, &from) : -ENOMEM;

        if (k >= 0)
                k = describe(new, &to);
        return k < 0 ? k : changes_add(changes, step, file, from, to);
}

static int set_value(const Registry *r, const RegistryEdit *e, const RegistryWord *words, const char *path,
                const char *step, Changes *changes) {
        _cleanup_(value_done) Value old = {}, new = {};
        _cleanup_free_ char *name = expand(e->name, words);
        int64_t key = e->action == REGISTRY_SET_IF_KEY ? registry_find(r, path) : registry_make(r, path);
        int k;

        if (key <= 0 || !name)
                return key < 0 ? (int) key : name ? 0 : -ENOMEM;
        k = r->ops->read(r->hive, key, name, &old.type, &old.data, &old.size);
        if (k >= 0 || k == -ENOENT)
                k = make_value(e, words, &old, &new);
        if (k < 0)
                return k == -EALREADY ? 0 : k;
        if (old.data &&
                        old.type == new.type &&old.size == new.size &&memcmp(old.data, new.data, new.size) ==
                                        0)
                return 0;
        k = r->ops->write(r->hive, key, name, new.type, new.data, new.size);
        return k < 0 ? k : note(r, step, path, name, &old, &new, changes);
}

static int remove_key(const Registry *r, const char *path, const char *step, Changes *changes) {
        static const Value nothing = {};
        int64_t key = registry_find(r, path);

        if (key <= 0)
                return (int) key;
        int k = r->ops->remove(r->hive, key);
        return k < 0 ? k : note(r, step, path, "", &nothing, &nothing, changes);
}

int registry_apply(const Registry *r, const RegistryEdit *edits, const RegistryWord *words, const char *step,
                Changes *changes) {
        for (const RegistryEdit *e = edits; e->key; e++) {
                _cleanup_free_ char *path = expand(e->key, words);
                int k = !path                                  ? -ENOMEM
                                : e->action == REGISTRY_REMOVE ? remove_key(r, path, step, changes)
                                                               : set_value(r, e, words, path, step, changes);
                if (k < 0)
                        return k;
        }
        return 0;
}
