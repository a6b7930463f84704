/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <jansson.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "engine/checkpoint.h"

#define STATE_MAX ((uint64_t) INT64_MAX)

Checkpoint *checkpoint_free(Checkpoint *c) {
        if (!c)
                return NULL;
        free(c->source);
        free(c->destination);
        free(c);
        return NULL;
}

/* A key's value as a copied string without NUL bytes, at most CHECKPOINT_TEXT_MAX long. */
static int take_string(json_t *o, const char *key, char **ret) {
        json_t *v = json_object_get(o, key);
        const char *s = json_string_value(v);

        if (!s || json_string_length(v) > CHECKPOINT_TEXT_MAX || strlen(s) != json_string_length(v))
                return -EBADMSG;
        *ret = strdup(s);
        return *ret ? 0 : -ENOMEM;
}

static int take_number(json_t *v, uint64_t max, uint64_t *ret) {
        if (!json_is_integer(v) || json_integer_value(v) < 0 || (uint64_t) json_integer_value(v) > max)
                return -EBADMSG;
        *ret = (uint64_t) json_integer_value(v);
        return 0;
}

static int decode_object(json_t *o, Checkpoint *c) {
        json_t *state = json_object_get(o, "state");
        const char *inode = json_string_value(json_object_get(o, "image_inode"));
        uint64_t version;
        int r;

        /* Seven keys are known; with another one it would be something that we know nothing of. */
        if (json_object_size(o) != 7 || json_array_size(state) != 2 || !inode)
                return -EBADMSG;
        r = take_number(json_object_get(o, "version"), CHECKPOINT_VERSION, &version);
        if (r < 0 || version != CHECKPOINT_VERSION)
                return -EBADMSG;
        if (take_number(json_object_get(o, "size"), CHECKPOINT_SIZE_MAX, &c->size) < 0 ||
                        take_number(json_object_get(o, "watermark"), c->size, &c->watermark) < 0 ||
                        take_number(json_array_get(state, 0), STATE_MAX, &c->state[0]) < 0 ||
                        take_number(json_array_get(state, 1), STATE_MAX, &c->state[1]) < 0 ||
                        parse_uint64(inode, &c->image_inode) < 0)
                return -EBADMSG;
        r = take_string(o, "source", &c->source);
        if (r < 0)
                return r;
        return take_string(o, "destination", &c->destination);
}

int checkpoint_decode(const char *text, size_t size, Checkpoint **ret) {
        json_auto_t *o = NULL;
        _cleanup_(checkpoint_freep) Checkpoint *c = NULL;

        if (size > CHECKPOINT_MAX)
                return -EBADMSG;
        o = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(o))
                return -EBADMSG;
        c = new0(Checkpoint, 1);
        if (!c)
                return -ENOMEM;
        int r = decode_object(o, c);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

char *checkpoint_encode(const Checkpoint *c) {
        _cleanup_free_ char *inode = strprintf("%" PRIu64, c->image_inode);
        json_auto_t *o = NULL;

        if (!inode)
                return NULL;
        o = json_pack("{s:i, s:s, s:I, s:s, s:I, s:[I,I], s:s}", "version", CHECKPOINT_VERSION, "source",
                        c->source, "size", (json_int_t) c->size, "destination", c->destination, "watermark",
                        (json_int_t) c->watermark, "state", (json_int_t) c->state[0],
                        (json_int_t) c->state[1], "image_inode", inode);
        return o ? json_dumps(o, JSON_INDENT(2)) : NULL;
}

bool checkpoint_matches(const Checkpoint *c, const CheckpointIdentity *id, uint64_t image_inode) {
        return streq(c->source, id->source) && c->size == id->size &&
                        streq(c->destination, id->destination) && c->image_inode == image_inode;
}
