/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The key as it comes in a header, and the words for scopes. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "shared/api-key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size), *again = NULL;
        uint32_t scopes, read_again;
        ApiKeyId id;

        if (!text)
                return 0;
        if (api_key_parse(text, &id) >= 0 &&
                        (strlen(text) != API_KEY_LENGTH || !api_key_id_is_valid(id.text) ||
                                        strncmp(text + 6, id.text, API_KEY_ID_LENGTH) != 0))
                abort();
        if (api_key_name_is_valid(text) && (strlen(text) > API_KEY_NAME_MAX || strpbrk(text, " /\n\"")))
                abort();
        if (scopes_from_text(text, &scopes) < 0)
                return 0;
        if (!scopes_allow(scopes, SCOPE_READ))
                abort();
        again = scopes_to_text(scopes);
        if (again && (scopes_from_text(again, &read_again) < 0 || read_again != scopes))
                abort();
        return 0;
}
