/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What must not go out again, and the copy of a value without it. */

#include <ctype.h>
#include <stdio.h>

#include "basic/string-util.h"
#include "json/json-redact.h"
#include "json/json-table.h"

/* Only letters and digits of a key count, so that api_key, apiKey and X-Api-Key are one. */
#define KEY_MAX 256

#define WORD(s) \
        { s, sizeof(s) - 1 }
static const struct {
        const char *text;
        size_t size;
} secret_endings[] = { WORD("password"), WORD("passwords"), WORD("passwd"), WORD("passphrase"), WORD("pwd"),
        WORD("secret"), WORD("secrets"), WORD("token"), WORD("tokens"), WORD("authorization"),
        WORD("apikey"), WORD("apikeys"), WORD("accesskey"), WORD("secretkey"), WORD("privatekey"),
        WORD("credential"), WORD("credentials"), WORD("cookie"), WORD("psk"), WORD("lukskeys") };

/* Too short to be looked for at the end of other words. */
static const char *const secret_words[] = { "pass", "auth" };

static bool key_is_secret_n(const char *key, size_t size) {
        char plain[KEY_MAX];
        size_t n = 0;

        /* The end is what counts. */
        for (size_t i = size > KEY_MAX - 1 ? size - (KEY_MAX - 1) : 0; i < size; i++)
                if (isalnum((unsigned char) key[i]))
                        plain[n++] = (char) tolower((unsigned char) key[i]);
        plain[n] = 0;
        for (size_t i = 0; i < ELEMENTSOF(secret_endings); i++)
                if (n >= secret_endings[i].size &&
                                memcmp(plain + n - secret_endings[i].size, secret_endings[i].text,
                                                secret_endings[i].size) == 0)
                        return true;
        for (size_t i = 0; i < ELEMENTSOF(secret_words); i++)
                if (streq(plain, secret_words[i]))
                        return true;
        return false;
}

bool json_key_is_secret(const char *key) {
        return key_is_secret_n(key, strlen(key));
}

/* Copies the text with "***" for the userinfo and for secret query parameters of each URL in it (RFC
 * 3986, 3.2.1 and 3.4), also of one that stands inside another one's query. */
static void redact_urls(const char *s, FILE *out) {
        static const char ends[] = "&;# \t\r\n\"'<>";

        while (*s) {
                if (startswith(s, "://")) {
                        size_t authority = strcspn(s + 3, "/?# \t\r\n\"'<>");
                        const char *at = memrchr(s + 3, '@', authority);

                        fputs(at ? "://***" : "://", out);
                        s = at ? at : s + 3;
                        continue;
                }
                if (strchr("?&;#", *s)) {
                        size_t key = strcspn(s + 1, "=?&;# \t\r\n\"'<>");

                        if (s[1 + key] == '=' && key_is_secret_n(s + 1, key)) {
                                fwrite(s, 1, key + 2, out);
                                fputs("***", out);
                                s += key + 2 + strcspn(s + key + 2, ends);
                                continue;
                        }
                }
                fputc(*s++, out);
        }
}

static json_t *redact_string(json_t *value) {
        const char *s = json_string_value(value);
        _cleanup_free_ char *text = NULL;
        size_t size;

        if (!strstr(s, "://"))
                return json_string_nocheck(s);
        FILE *out = open_memstream(&text, &size);
        if (!out)
                return NULL;
        redact_urls(s, out);
        if (fclose(out) != 0)
                return NULL;
        return json_string(text);
}

static json_t *redact_object(json_t *value) {
        _cleanup_json_ json_t *copy = json_object();
        const char *key;
        json_t *item;

        if (!copy)
                return NULL;
        json_object_foreach(value, key, item) {
                json_t *clean = json_key_is_secret(key) && !json_is_null(item) ? json_string("***")
                                                                               : json_redact(item);
                if (json_object_set_new_nocheck(copy, key, clean) < 0) /* UTF-8, since jansson has read it */
                        return NULL;
        }
        return TAKE_PTR(copy);
}

static json_t *redact_array(json_t *value) {
        _cleanup_json_ json_t *copy = json_array();
        json_t *item;
        size_t i;

        if (!copy)
                return NULL;
        json_array_foreach(value, i, item)
                if (json_array_append_new(copy, json_redact(item)) < 0)
                        return NULL;
        return TAKE_PTR(copy);
}

json_t *json_redact(json_t *value) {
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                return redact_object(value);
        case JSON_ARRAY:
                return redact_array(value);
        case JSON_STRING:
                return redact_string(value);
        default:
                return json_deep_copy(value);
        }
}
