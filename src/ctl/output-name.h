/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The name of an output file where the command line gives only a directory. Pure: strings in, a string
 * out. */

/* The format that the end of a file's name stands for ("qcow2" for "a.qcow2"), or NULL. */
const char *output_format_of_name(const char *path);

/* "/vms/web.qcow2" for the source "/mnt/web.vmdk.gz" in "/vms/": the source's name without the ends that
 * say what kind of image or archive it is, then @tail, then the end that stands for @format (qcow2, raw,
 * vmdk). 0 with *ret; -EINVAL for a format that has no end of its own, -ENODATA for a source without a
 * name, -ENOMEM. */
int output_name(const char *directory, const char *source, const char *tail, const char *format, char **ret);
