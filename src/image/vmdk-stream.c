/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/vmdk-stream.h"

#include <inttypes.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "basic/byte-order.h"
#include "basic/zero.h"
#include "image/refusal.h"
#include "image/vmdk-embedded.h"

#define SECTOR UINT64_C(512)
#define GRAIN_MARKER_SIZE ((size_t) 12)
#define COMPRESSED_MAX (2 * VMDK_GRAIN_SIZE)
#define BUFFER_SIZE ((size_t) 1 << 20)
/* What some programs and transfers fill a file up with, behind its end. */
#define PADDING_MAX (UINT64_C(64) << 20)

/* What comes next. */
typedef enum State {
        STATE_HEADER,
        STATE_SKIP, /* left bytes of no interest, then a marker */
        STATE_DESCRIPTOR,
        STATE_MARKER,
        STATE_GRAIN,
        STATE_FOOTER,
        STATE_END_MARKER, /* after the footer */
        STATE_PADDING,
} State;

struct VmdkInflater {
        struct inflate_state state;
};

struct VmdkStream {
        VmdkStreamOptions options;
        VmdkInflater *inflater;
        VmdkHeader header;
        State state;
        uint64_t skip, skip_then_descriptor; /* bytes; the latter follows the former */
        uint64_t next; /* first byte of the disk that no grain was seen of */
        uint64_t offset; /* of the grain that comes */
        uint32_t compressed; /* its size in the stream */
        uint64_t metadata; /* sectors of tables and directories so far */
        uint64_t padding;
        size_t at, size; /* of what is in buffer: first byte that is not decoded, and their end */
        VmdkGrain grains[VMDK_BATCH_MAX]; /* complete in buffer, not decompressed yet */
        size_t n_grains;
        char out[VMDK_BATCH_MAX][VMDK_GRAIN_SIZE];
        char buffer[BUFFER_SIZE];
};

VmdkInflater *vmdk_inflater_new(void) {
        return malloc(sizeof(VmdkInflater)); /* each grain begins with isal_inflate_init() */
}

VmdkInflater *vmdk_inflater_free(VmdkInflater *i) {
        free(i);
        return NULL;
}

int vmdk_stream_new(const VmdkStreamOptions *options, VmdkStream **ret) {
        _cleanup_vmdk_stream_ VmdkStream *s = malloc(sizeof(VmdkStream));

        if (!s)
                return -ENOMEM;
        /* Not the buffers. */
        memset(s, 0, offsetof(VmdkStream, out));
        s->options = *options;
        if (!options->inflate) {
                s->inflater = vmdk_inflater_new();
                if (!s->inflater)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(s);
        return 0;
}

VmdkStream *vmdk_stream_free(VmdkStream *s) {
        if (!s)
                return NULL;
        vmdk_inflater_free(s->inflater);
        free(s);
        return NULL;
}

/* --- the parts of a stream ------------------------------------------------------------------------- */

/* The text is small, and in front of the grains. */
static int plan_descriptor(VmdkStream *s, char **ret_error) {
        const VmdkHeader *h = &s->header;

        if (h->overhead < VMDK_HEADER_SIZE || h->overhead % SECTOR != 0)
                return refuse(ret_error, "its header places the first grain at byte %" PRIu64, h->overhead);
        s->skip = h->overhead - VMDK_HEADER_SIZE;
        s->state = STATE_SKIP;
        if (h->descriptor == 0 || h->descriptor_size == 0)
                return refuse(ret_error,
                                "it has no descriptor: it is one extent of a disk in several files");
        if (h->descriptor < VMDK_HEADER_SIZE || h->descriptor > h->overhead ||
                        h->descriptor_size > h->overhead - h->descriptor ||
                        h->descriptor_size > VMDK_DESCRIPTOR_MAX)
                return refuse(ret_error,
                                "its header places a descriptor of %" PRIu64 " bytes at byte %" PRIu64,
                                h->descriptor_size, h->descriptor);
        s->skip = h->descriptor - VMDK_HEADER_SIZE;
        s->skip_then_descriptor = h->descriptor_size;
        return 0;
}

static int on_header(VmdkStream *s, const char *data, char **ret_error) {
        VmdkHeader *h = &s->header;

        if (memcmp(data, "KDMV", 4) != 0)
                return refuse(ret_error, "it is no VMDK: it does not begin with \"KDMV\"");
        int r = vmdk_header_parse(data, h, ret_error);
        if (r < 0)
                return r;
        if (!h->compressed || !h->markers)
                return refuse(ret_error, "it is no streamOptimized VMDK: its header says so");
        if (h->capacity != s->options.capacity)
                return refuse(ret_error,
                                "its header gives a disk of %" PRIu64 " bytes, but the disk has %" PRIu64,
                                h->capacity, s->options.capacity);
        if (h->grain != VMDK_GRAIN_SIZE || h->entries == 0 || h->entries > 4096)
                return refuse(ret_error, "its header gives grains of %" PRIu64 " bytes, %u in a table",
                                h->grain, h->entries);
        return plan_descriptor(s, ret_error);
}

static int on_descriptor(VmdkStream *s, const char *data, size_t size, char **ret_error) {
        _cleanup_(vmdk_descriptor_done) VmdkDescriptor d = {};
        _cleanup_free_ char *why = NULL;

        size = strnlen(data, size);
        if (!vmdk_is_descriptor(data, size))
                return refuse(ret_error, "the descriptor inside is not one");
        int r = vmdk_descriptor_parse(data, size, &d, &why);
        if (r == -EBADMSG)
                return refuse(ret_error, "the descriptor inside: %s", strna(why));
        if (r < 0)
                return r;
        if (vmdk_descriptor_has_parent(&d))
                return refuse(ret_error, "it is a snapshot on top of another disk");
        return vmdk_embedded_check(&d, s->options.capacity / SECTOR, ret_error);
}

/* What is not compressed is a table or a directory. Nothing in them is used, but they cannot be endless. */
static int plan_metadata(VmdkStream *s, uint64_t sectors, uint32_t type, char **ret_error) {
        uint64_t grains = s->options.capacity / VMDK_GRAIN_SIZE + 1, tables = grains / s->header.entries + 1;
        uint64_t of_table = ((uint64_t) s->header.entries * 4 + SECTOR - 1) / SECTOR;
        /* Each twice, since there may be redundant ones; and each has a marker. */
        uint64_t max = 2 * (tables * (of_table + 1) + tables * 4 / SECTOR + 2);

        if (sectors >= max || s->metadata + sectors + 1 > max)
                return refuse(ret_error,
                                "it is damaged: it has a %s of %" PRIu64
                                " sectors, more than the disk can have",
                                type == VMDK_MARKER_TABLE ? "table" : "directory", sectors);
        s->metadata += sectors + 1;
        s->skip = sectors * SECTOR;
        s->state = STATE_SKIP;
        return 0;
}

/* The sector of zeroes at the end. */
static int on_end(VmdkStream *s, const char *marker, char **ret_error) {
        if (!memory_is_zero(marker, SECTOR))
                return refuse(ret_error, "it is damaged: its end marker is not empty");
        s->state = STATE_PADDING;
        return 0;
}

static int on_marker(VmdkStream *s, const char *marker, char **ret_error) {
        uint64_t value = read_le64(marker);
        uint32_t type = read_le32(marker + 12);

        switch (type) {
        case VMDK_MARKER_END:
                if (s->header.directory == VMDK_AT_END)
                        return refuse(ret_error, "it is damaged: it ends without a footer");
                return on_end(s, marker, ret_error);
        case VMDK_MARKER_TABLE:
        case VMDK_MARKER_DIRECTORY:
                return plan_metadata(s, value, type, ret_error);
        case VMDK_MARKER_FOOTER:
                if (value != 1)
                        return refuse(ret_error, "it is damaged: its footer has %" PRIu64 " sectors", value);
                s->state = STATE_FOOTER;
                return 0;
        default:
                return refuse(ret_error, "it is damaged: there is no marker of the type %u", type);
        }
}

/* It is the header once more, with the place of the directory. */
static int on_footer(VmdkStream *s, const char *data, char **ret_error) {
        VmdkHeader h = {};

        if (memcmp(data, "KDMV", 4) != 0)
                return refuse(ret_error, "its footer is damaged");
        int r = vmdk_header_parse(data, &h, ret_error);
        if (r < 0)
                return r;
        if (h.capacity != s->header.capacity || h.grain != s->header.grain)
                return refuse(ret_error, "its footer is of another disk than its header");
        s->state = STATE_END_MARKER;
        return 0;
}

static int on_end_marker(VmdkStream *s, const char *marker, char **ret_error) {
        return on_end(s, marker, ret_error);
}

static int on_padding(VmdkStream *s, const char *data, size_t size, char **ret_error) {
        s->padding += size;
        if (!memory_is_zero(data, size) || s->padding > PADDING_MAX)
                return refuse(ret_error, "it is damaged: something follows behind its end");
        return 0;
}

/* --- grains ---------------------------------------------------------------------------------------- */

static int plan_grain(VmdkStream *s, const char *marker, uint32_t size, char **ret_error) {
        uint64_t sector = read_le64(marker);

        if (sector >= s->options.capacity / SECTOR || sector % (VMDK_GRAIN_SIZE / SECTOR) != 0 ||
                        sector * SECTOR < s->next)
                return refuse(ret_error,
                                "it is damaged: it has a grain for sector %" PRIu64
                                " where the one for sector %" PRIu64 " or a later one must be",
                                sector, s->next / SECTOR);
        if (size > COMPRESSED_MAX)
                return refuse(ret_error, "it is damaged: the grain for sector %" PRIu64 " has %u bytes",
                                sector, size);
        s->offset = sector * SECTOR;
        s->compressed = size;
        s->state = STATE_GRAIN;
        return 0;
}

/* The format of zlib (RFC 1950). ISA-L takes one whose checksum is cut off, so that only the deflate data in
 * between is for it. The number of bytes; 0: it is damaged. */
static size_t inflate_zlib(struct inflate_state *z, const VmdkGrain *g) {
        const uint8_t *data = (const uint8_t *) g->compressed;
        size_t size = g->compressed_size;

        if (size < 6 || (data[0] & 15) != 8 || (data[1] & 32) != 0 || (data[0] << 8 | data[1]) % 31 != 0)
                return 0;
        isal_inflate_init(z);
        z->next_in = (uint8_t *) data + 2;
        z->avail_in = (uint32_t) (size - 2);
        z->next_out = (uint8_t *) g->data;
        z->avail_out = (uint32_t) VMDK_GRAIN_SIZE;
        if (isal_inflate_stateless(z) != ISAL_DECOMP_OK || z->block_state != ISAL_BLOCK_FINISH ||
                        z->avail_in != 4)
                return 0;
        uint32_t sum = isal_adler32(1, (const unsigned char *) g->data, z->total_out);
        return read_be32(g->compressed + size - 4) == sum ? z->total_out : 0;
}

void vmdk_grain_inflate(VmdkGrain *g, VmdkInflater *inflater) {
        size_t n = inflate_zlib(&inflater->state, g);

        /* The last grain is filled up to a whole one, or ends with the disk. */
        if (n != VMDK_GRAIN_SIZE && n != g->size)
                g->state = VMDK_GRAIN_DAMAGED;
        else
                g->state = memory_is_zero(g->data, g->size) ? VMDK_GRAIN_ZERO : VMDK_GRAIN_DATA;
}

static void on_grain(VmdkStream *s, const char *data) {
        s->grains[s->n_grains] = (VmdkGrain){
                .offset = s->offset,
                .size = (size_t) MIN((uint64_t) VMDK_GRAIN_SIZE, s->options.capacity - s->offset),
                .compressed = data,
                .compressed_size = s->compressed,
                .data = s->out[s->n_grains],
                .state = VMDK_GRAIN_DAMAGED,
        };
        s->n_grains++;
        s->next = s->offset + VMDK_GRAIN_SIZE;
        s->state = STATE_MARKER;
}

static int take_grain(VmdkStream *s, const VmdkGrain *g, char **ret_error) {
        switch (g->state) {
        case VMDK_GRAIN_ZERO:
                return 0;
        case VMDK_GRAIN_DATA:
                return s->options.grain(s->options.userdata, g->offset, g->data, g->size);
        default:
                return refuse(ret_error,
                                "it is damaged: the grain for sector %" PRIu64 " cannot be decompressed",
                                g->offset / SECTOR);
        }
}

/* Decompresses the grains that were collected, and hands them over in their order. */
static int finish_batch(VmdkStream *s, char **ret_error) {
        size_t n = s->n_grains;

        s->n_grains = 0;
        if (n > 0 && s->options.inflate)
                s->options.inflate(s->options.userdata, s->grains, n);
        for (size_t i = 0; i < n; i++) {
                if (!s->options.inflate)
                        vmdk_grain_inflate(&s->grains[i], s->inflater);
                int r = take_grain(s, &s->grains[i], ret_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- the stream ------------------------------------------------------------------------------------ */

/* A marker is a sector, but that of a grain is followed by its data at once. */
static int decode_marker(VmdkStream *s, const char *p, size_t *ret_used, char **ret_error) {
        uint32_t size = read_le32(p + 8);

        if (size > 0) {
                *ret_used = GRAIN_MARKER_SIZE;
                return plan_grain(s, p, size, ret_error);
        }
        *ret_used = SECTOR;
        return on_marker(s, p, ret_error);
}

static void decode_skip(VmdkStream *s, size_t available, size_t *ret_used) {
        *ret_used = (size_t) MIN(s->skip, (uint64_t) available);
        s->skip -= *ret_used;
        if (s->skip == 0)
                s->state = s->skip_then_descriptor > 0 ? STATE_DESCRIPTOR : STATE_MARKER;
}

static int decode_descriptor(VmdkStream *s, const char *p, size_t *ret_used, char **ret_error) {
        size_t size = (size_t) s->skip_then_descriptor;

        *ret_used = size;
        s->skip_then_descriptor = 0;
        s->skip = s->header.overhead - s->header.descriptor - size;
        s->state = STATE_SKIP;
        return on_descriptor(s, p, size, ret_error);
}

/* With the rest of the last sector. */
static size_t grain_size(const VmdkStream *s) {
        size_t n = GRAIN_MARKER_SIZE + s->compressed;

        return (n + SECTOR - 1) / SECTOR * SECTOR - GRAIN_MARKER_SIZE;
}

/* How many bytes are needed to go on. */
static size_t needed(const VmdkStream *s) {
        switch (s->state) {
        case STATE_SKIP:
                return s->skip > 0 ? 1 : 0;
        case STATE_PADDING:
                return 1;
        case STATE_DESCRIPTOR:
                return (size_t) s->skip_then_descriptor;
        case STATE_GRAIN:
                return grain_size(s);
        default:
                return SECTOR;
        }
}

static int decode_one(VmdkStream *s, size_t *ret_used, char **ret_error) {
        const char *p = s->buffer + s->at;
        size_t available = s->size - s->at;

        *ret_used = needed(s);
        switch (s->state) {
        case STATE_HEADER:
                return on_header(s, p, ret_error);
        case STATE_SKIP:
                decode_skip(s, available, ret_used);
                return 0;
        case STATE_DESCRIPTOR:
                return decode_descriptor(s, p, ret_used, ret_error);
        case STATE_MARKER:
                return decode_marker(s, p, ret_used, ret_error);
        case STATE_GRAIN:
                on_grain(s, p);
                return s->n_grains == VMDK_BATCH_MAX ? finish_batch(s, ret_error) : 0;
        case STATE_FOOTER:
                return on_footer(s, p, ret_error);
        case STATE_END_MARKER:
                return on_end_marker(s, p, ret_error);
        default:
                *ret_used = available;
                return on_padding(s, p, available, ret_error);
        }
}

/* Nothing that is needed at once is longer than the buffer. */
static_assert(BUFFER_SIZE >= 2 * (COMPRESSED_MAX + SECTOR) && BUFFER_SIZE >= 2 * VMDK_DESCRIPTOR_MAX,
                "the buffer is too small");

char *vmdk_stream_space(VmdkStream *s, size_t *ret_size) {
        if (s->at == s->size)
                s->at = s->size = 0;
        if (BUFFER_SIZE - s->size < BUFFER_SIZE / 4) {
                memmove(s->buffer, s->buffer + s->at, s->size - s->at);
                s->size -= s->at;
                s->at = 0;
        }
        *ret_size = BUFFER_SIZE - s->size;
        return s->buffer + s->size;
}

static int decode_available(VmdkStream *s, char **ret_error) {
        size_t used;

        while (s->size - s->at >= needed(s) && (s->size > s->at || s->state == STATE_SKIP)) {
                int r = decode_one(s, &used, ret_error);
                if (r < 0)
                        return r;
                s->at += used;
        }
        return 0;
}

int vmdk_stream_decode(VmdkStream *s, size_t size, char **ret_error) {
        _cleanup_free_ char *later = NULL, *earlier = NULL;

        s->size += size;
        int r = decode_available(s, &later);
        /* These grains are in front of what was refused. */
        int q = finish_batch(s, &earlier);
        if (q < 0 || r < 0)
                *ret_error = q < 0 ? TAKE_PTR(earlier) : TAKE_PTR(later);
        return q < 0 ? q : r;
}

int vmdk_stream_end(const VmdkStream *s, char **ret_error) {
        if (s->state == STATE_PADDING)
                return 0;
        return refuse(ret_error,
                        "it is cut off: it ends after byte %" PRIu64 " of the disk, without its end marker",
                        s->next);
}
