/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Disk images as sources. An image is hostile input: nothing in it may make anybody open another file. So
 * its format is settled here and given to qemu, which never probes; what its header says about other files
 * is read here before qemu sees it; and what "qemu-img info", limited in memory and time, reports is checked
 * once more. The unit's mount namespace stands behind all that. */

#include <jansson.h>

#include "basic/macro.h"
#include "image/vmdk-descriptor.h"
#include "spec/job-spec.h"

/* What a refusal says of an image on top of others. */
#define CHAIN_REMEDY                                                                                    \
        "set parameters.chain to \"flatten\" to read it together with the images below it, or make it " \
        "independent first"

/* A file that qemu reads a part of the disk from. */
typedef struct ImageExtent {
        char *filename;
        char *format; /* "" for the image itself, else as the VMDK descriptor says */
        uint64_t virtual_size;
} ImageExtent;

/* Where an image is: a whole file, or a member of an OVA. */
typedef struct Image {
        char *label; /* for messages: "/srv/a.vmdk", "disk1.vmdk in /srv/a.ova" */
        char *path; /* absolute */
        bool whole; /* all of the file */
        uint64_t offset, length; /* in the file; for a whole file 0 and its length */
        int format; /* DiskFormat; after image_settle_format() never FORMAT_PROBE */
        bool format_given; /* by the job */
        char **extents; /* absolute paths of the further files it is made of */
        char **sparse; /* those of them that have tables */
        uint64_t image_length; /* what belongs to the image; after image_check_map() */
        VmdkDescriptor vmdk; /* a VMDK in several files; after image_check_header() */
        bool flatten; /* it may be on top of another image */
        struct Image *parent; /* that one, owned; after chain_examine() */
        char *descriptor; /* what qemu opens instead of it; after image_write_descriptor() */
        bool differencing; /* VHD, VHDX: only we can read it; after image_check_map() */
        bool flat; /* VHD: the disk is the first bytes of the file; after image_check_map() */
        bool has_log; /* which must be replayed; after image_check_map() */
        char *overlay; /* holds what replaying the log has changed; after image_replay_log() */
        char **written; /* what image_done() removes, the last first */
        /* What we read from the image, and qemu must say too. */
        uint64_t expected_size; /* 0: nothing was read */
        ImageExtent *expected;
        size_t n_expected, allocated;
        bool device; /* @path is a block device */
        bool direct; /* read past the page cache */
        bool in_use; /* read although others write to it */
        uint64_t cut_size; /* not 0: the disk ends here, though qemu reads more */
        uint64_t virtual_size; /* of the disk; after image_inspect() */
        uint64_t actual_size; /* what it takes on the file system; after image_inspect() */
} Image;

void image_done(Image *i);

/* What an image's first bytes (and for VHD the last 512) say it is: FORMAT_RAW for everything that is not
 * known. -EOPNOTSUPP with a text for formats that are known and not supported. @fd is the file. */
int image_probe(int fd, const Image *i, DiskFormat *ret, char **ret_error);

/* True if the first bytes are those of an image format, supported or not, or of a tar. */
bool image_head_is_known(const char *head, size_t size);

/* Decides i->format. A given one must be what the probe found; raw is believed, as every image is a valid
 * raw disk. -EMEDIUMTYPE with a text if they differ. */
int image_settle_format(int fd, Image *i, char **ret_error);

/* Reads the tables of the image, see map.h: all that they map must be inside the file. Fills i->image_length
 * and i->expected_size. -EBADMSG with a text: refused; -ECANCELED. */
int image_check_map(int fd, Image *i, int cancel_fd, char **ret_error);

/* True if qemu reads the file itself, not a part of it. */
static inline bool image_is_whole_file(const Image *i) {
        return i->whole && (i->image_length == 0 || i->image_length == i->length);
}

/* Block device options (as for -blockdev) that open exactly this image and nothing else: driver named, no
 * backing file. New reference, or NULL when out of memory. */
json_t *image_options(const Image *i);
/* The same for the disk in it: with the images below it, and without what qemu reads behind its end. */
json_t *image_disk_options(const Image *i);
/* The same as a file name that the tools take: "json:{…}". The caller frees it. */
char *image_options_text(const Image *i);
