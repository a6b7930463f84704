/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/libvirt-volume.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libvirt/virterror.h>
#include <libxml/xmlwriter.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "basic/zero.h"
#include "hosts/host-xml.h"
#include "hosts/libvirt-error.h"

static void pool_freep(virStoragePoolPtr *p) {
        if (*p)
                (void) virStoragePoolFree(*p);
}
static void volume_freep(virStorageVolPtr *v) {
        if (*v)
                (void) virStorageVolFree(*v);
}

static bool last_error_is(int code) {
        const virError *e = virGetLastError();

        return e && e->code == code;
}

/* --- pools ----------------------------------------------------------------------------------------- */

static int list_volumes(virStoragePoolPtr pool, KvmTarget *t, char **ret_error) {
        virStorageVolPtr *volumes = NULL;
        int n = virStoragePoolListAllVolumes(pool, &volumes, 0), r = 0;

        if (n < 0)
                return libvirt_error(ret_error);
        t->volumes = json_array();
        for (int i = 0; i < n; i++) {
                const char *name = virStorageVolGetName(volumes[i]);
                if (name && utf8_is_valid(name) && json_array_append_new(t->volumes, json_string(name)) < 0)
                        r = -ENOMEM;
                (void) virStorageVolFree(volumes[i]);
        }
        free(volumes);
        return t->volumes ? r : -ENOMEM;
}

/* It is refreshed: libvirt does not notice files that others have put there. */
static int read_contents(virStoragePoolPtr pool, KvmTarget *t, char **ret_error) {
        virStoragePoolInfo info;

        if (virStoragePoolRefresh(pool, 0) < 0 || virStoragePoolGetInfo(pool, &info) < 0)
                return libvirt_error(ret_error);
        t->pool_available = info.available;
        return list_volumes(pool, t, ret_error);
}

static int read_pool(virStoragePoolPtr pool, const char *name, KvmTarget *t, char **ret_error) {
        _cleanup_free_ char *xml = virStoragePoolGetXMLDesc(pool, 0);

        if (!xml)
                return libvirt_error(ret_error);
        int r = pool_xml_read(xml, strlen(xml), &t->pool_type, &t->pool_path);
        if (r < 0)
                return r;
        t->pool = strdup(name);
        if (!t->pool)
                return -ENOMEM;
        t->pool_active = virStoragePoolIsActive(pool) == 1;
        return t->pool_active ? read_contents(pool, t, ret_error) : 0;
}

int libvirt_pool(virConnectPtr connection, const char *name, KvmTarget *t, char **ret_error) {
        virStoragePoolPtr *pools = NULL;
        int n = virConnectListAllStoragePools(connection, &pools, 0), r = 0;

        if (n < 0)
                return libvirt_error(ret_error);
        for (int i = 0; i < n; i++) {
                const char *its = virStoragePoolGetName(pools[i]);
                if (r >= 0 && its && utf8_is_valid(its))
                        r = strv_extend(&t->pools, its);
                if (r >= 0 && its && streq(its, name))
                        r = read_pool(pools[i], name, t, ret_error);
                (void) virStoragePoolFree(pools[i]);
        }
        free(pools);
        return r;
}

/* --- volumes --------------------------------------------------------------------------------------- */

static int find_volume(virConnectPtr c, const VolumeName *v, virStorageVolPtr *ret, char **ret_error) {
        _cleanup_(pool_freep) virStoragePoolPtr pool = virStoragePoolLookupByName(c, v->pool);

        if (!pool)
                return libvirt_error(ret_error);
        *ret = virStorageVolLookupByName(pool, v->name);
        if (*ret)
                return 0;
        bool missing = last_error_is(VIR_ERR_NO_STORAGE_VOL);
        int r = libvirt_error(ret_error);
        return missing ? -ENOENT : r;
}

static void buffer_freep(xmlBufferPtr *b) {
        if (*b)
                xmlBufferFree(*b);
}
static void writer_freep(xmlTextWriterPtr *w) {
        if (*w)
                xmlFreeTextWriter(*w);
}

#define X(s) ((const xmlChar *) (s))

/* A raw file, whatever is in it: libvirt must not write a header. */
static bool write_volume(xmlTextWriterPtr w, const char *name, uint64_t size) {
        return xmlTextWriterStartElement(w, X("volume")) >= 0 &&
                        xmlTextWriterWriteElement(w, X("name"), X(name)) >= 0 &&
                        xmlTextWriterStartElement(w, X("capacity")) >= 0 &&
                        xmlTextWriterWriteAttribute(w, X("unit"), X("bytes")) >= 0 &&
                        xmlTextWriterWriteFormatString(w, "%" PRIu64, size) >= 0 &&
                        xmlTextWriterEndElement(w) >= 0 &&
                        xmlTextWriterWriteElement(w, X("allocation"), X("0")) >= 0 &&
                        xmlTextWriterStartElement(w, X("target")) >= 0 &&
                        xmlTextWriterStartElement(w, X("format")) >= 0 &&
                        xmlTextWriterWriteAttribute(w, X("type"), X("raw")) >= 0 &&
                        xmlTextWriterEndElement(w) >= 0 &&
                        xmlTextWriterStartElement(w, X("permissions")) >= 0 &&
                        xmlTextWriterWriteElement(w, X("mode"), X("0600")) >= 0 &&
                        xmlTextWriterEndDocument(w) >= 0;
}

static char *volume_xml(const char *name, uint64_t size) {
        _cleanup_(buffer_freep) xmlBufferPtr buffer = xmlBufferCreate();
        _cleanup_(writer_freep) xmlTextWriterPtr writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;

        if (!writer || !write_volume(writer, name, size) || xmlTextWriterFlush(writer) < 0)
                return NULL;
        return strdup((const char *) xmlBufferContent(buffer));
}

static int check_space(virStoragePoolPtr pool, const VolumeName *v, uint64_t allocated, char **ret_error) {
        virStoragePoolInfo info;

        if (virStoragePoolGetInfo(pool, &info) < 0)
                return libvirt_error(ret_error);
        if (info.available >= allocated)
                return 0;
        *ret_error = strprintf("the storage pool '%s' has %llu bytes left, and the disk '%s' takes %" PRIu64,
                        v->pool, info.available, v->name, allocated);
        return *ret_error ? -ENOSPC : -ENOMEM;
}

/* A volume of that name with the size of our file and nothing in it is ours: the reply to an earlier call was
 * lost. */
static virStorageVolPtr find_empty(virStoragePoolPtr pool, const VolumeName *v, uint64_t size) {
        _cleanup_(volume_freep) virStorageVolPtr volume = virStorageVolLookupByName(pool, v->name);
        virStorageVolInfo info;

        return volume && virStorageVolGetInfo(volume, &info) >= 0 && info.capacity == size &&
                                        info.allocation == 0
                        ? TAKE_PTR(volume)
                        : NULL;
}

static int create_volume(virStoragePoolPtr pool, const VolumeName *v, uint64_t size, virStorageVolPtr *ret,
                char **ret_error) {
        _cleanup_free_ char *xml = volume_xml(v->name, size);

        if (!xml)
                return -ENOMEM;
        *ret = virStorageVolCreateXML(pool, xml, 0);
        if (*ret)
                return 0;
        bool exists = last_error_is(VIR_ERR_STORAGE_VOL_EXIST);
        int r = libvirt_error(ret_error);
        if (!exists || !(*ret = find_empty(pool, v, size)))
                return r;
        *ret_error = mfree(*ret_error);
        return 0;
}

int libvirt_volume_create(virConnectPtr connection, const VolumeName *v, uint64_t size, uint64_t allocated,
                char **ret_path, char **ret_error) {
        _cleanup_(pool_freep) virStoragePoolPtr pool = virStoragePoolLookupByName(connection, v->pool);
        _cleanup_(volume_freep) virStorageVolPtr volume = NULL;

        if (!pool || virStoragePoolRefresh(pool, 0) < 0)
                return libvirt_error(ret_error);
        int r = check_space(pool, v, allocated, ret_error);
        if (r >= 0)
                r = create_volume(pool, v, size, &volume, ret_error);
        if (r < 0)
                return r;
        char *path = virStorageVolGetPath(volume);
        if (path && utf8_is_valid(path)) {
                *ret_path = path;
                return 0;
        }
        free(path);
        r = libvirt_error(ret_error);
        (void) virStorageVolDelete(volume, 0);
        return r;
}

/* libvirt does not notice files that QEMU has made. */
static int find_new_volume(virConnectPtr c, const VolumeName *v, virStorageVolPtr *ret, char **ret_error) {
        _cleanup_(pool_freep) virStoragePoolPtr pool = virStoragePoolLookupByName(c, v->pool);

        *ret_error = mfree(*ret_error);
        if (!pool || virStoragePoolRefresh(pool, 0) < 0)
                return libvirt_error(ret_error);
        return find_volume(c, v, ret, ret_error);
}

int libvirt_volume_remove(virConnectPtr connection, const VolumeName *v, char **ret_error) {
        _cleanup_(volume_freep) virStorageVolPtr volume = NULL;
        int r = find_volume(connection, v, &volume, ret_error);

        if (r == -ENOENT)
                r = find_new_volume(connection, v, &volume, ret_error);
        if (r == -ENOENT) {
                *ret_error = mfree(*ret_error);
                return 0;
        }
        if (r < 0)
                return r;
        return virStorageVolDelete(volume, 0) < 0 ? libvirt_error(ret_error) : 0;
}

/* --- what is in them ------------------------------------------------------------------------------- */

typedef struct Transfer {
        int fd;
        const atomic_bool *cancelled;
        uint64_t offset; /* of what is compared */
        char *why; /* it was ended by us */
        int result;
} Transfer;

static int end_transfer(Transfer *t, int r, char *why) {
        if (t->result < 0)
                free(why);
        else {
                t->result = r;
                t->why = why;
        }
        return -1;
}

static int read_file(virStreamPtr stream, char *data, size_t size, void *userdata) {
        Transfer *t = userdata;
        ssize_t n;

        if (*t->cancelled)
                return end_transfer(t, -ECANCELED, NULL);
        do
                n = read(t->fd, data, size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return end_transfer(t, -errno, strprintf("reading the disk failed: %s", strerror(errno)));
        return (int) n;
}

/* Is the offset in data or in a hole, and how long is it? At the end of the file it is in a hole of 0
 * bytes. */
static int find_hole(virStreamPtr stream, int *ret_data, long long *ret_length, void *userdata) {
        Transfer *t = userdata;
        off_t now = lseek(t->fd, 0, SEEK_CUR), data = lseek(t->fd, now, SEEK_DATA), end;

        if (now < 0 || (data < 0 && errno != ENXIO))
                return end_transfer(t, -errno, strprintf("reading the disk failed: %s", strerror(errno)));
        *ret_data = data == now;
        if (data == now)
                end = lseek(t->fd, now, SEEK_HOLE);
        else
                end = data < 0 ? lseek(t->fd, 0, SEEK_END) : data;
        if (end < now || lseek(t->fd, now, SEEK_SET) < 0)
                return end_transfer(t, -EIO, strdup("the disk was changed while it was sent"));
        *ret_length = end - now;
        return 0;
}

static int skip_hole(virStreamPtr stream, long long length, void *userdata) {
        Transfer *t = userdata;

        return lseek(t->fd, length, SEEK_CUR) < 0 ? end_transfer(t, -errno, NULL) : 0;
}

static int differs(Transfer *t, uint64_t offset) {
        return end_transfer(t, -EBADMSG,
                        strprintf("what was read back from the host differs from the disk near byte %" PRIu64,
                                        offset));
}

/* The file's own bytes at the offset, which moves on; @data NULL: zeros are expected. */
static int compare(Transfer *t, const char *data, size_t size) {
        char buffer[64 * 1024];

        while (size > 0) {
                size_t n = MIN(size, sizeof(buffer));
                int r = pread_full(t->fd, buffer, n, (off_t) t->offset);

                if (r < 0)
                        return differs(t, t->offset);
                if (data ? memcmp(buffer, data, n) != 0 : !memory_is_zero(buffer, n))
                        return differs(t, t->offset);
                t->offset += n;
                size -= n;
                data = data ? data + n : NULL;
        }
        return 0;
}

static int take_data(virStreamPtr stream, const char *data, size_t size, void *userdata) {
        Transfer *t = userdata;

        if (*t->cancelled)
                return end_transfer(t, -ECANCELED, NULL);
        return compare(t, data, size) < 0 ? -1 : (int) size;
}

/* What is a hole here, too, need not be read. */
static int take_hole(virStreamPtr stream, long long length, void *userdata) {
        Transfer *t = userdata;

        for (uint64_t end = t->offset + (uint64_t) length; t->offset < end;) {
                off_t data = lseek(t->fd, (off_t) t->offset, SEEK_DATA);

                if (*t->cancelled)
                        return end_transfer(t, -ECANCELED, NULL);
                if (data < 0 && errno != ENXIO)
                        return differs(t, t->offset);
                if (data < 0 || (uint64_t) data >= end) {
                        t->offset = end;
                        return 0;
                }
                t->offset = (uint64_t) data;
                if (compare(t, NULL, MIN(end - t->offset, (uint64_t) 1024 * 1024)) < 0)
                        return -1;
        }
        return 0;
}

/* Takes the result of a stream that was sent or received completely, or not. */
static int end_stream(virStreamPtr stream, Transfer *t, int r, char **ret_error) {
        if (r >= 0 && virStreamFinish(stream) >= 0)
                return 0;
        if (t->result < 0) {
                *ret_error = TAKE_PTR(t->why);
                return t->result;
        }
        return libvirt_error(ret_error);
}

static int upload(
                virStreamPtr stream, virStorageVolPtr volume, Transfer *t, uint64_t size, char **ret_error) {
        if (virStorageVolUpload(volume, stream, 0, size, VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM) < 0)
                return libvirt_error(ret_error);
        return end_stream(stream, t, virStreamSparseSendAll(stream, read_file, find_hole, skip_hole, t),
                        ret_error);
}

static int download(
                virStreamPtr stream, virStorageVolPtr volume, Transfer *t, uint64_t size, char **ret_error) {
        if (virStorageVolDownload(volume, stream, 0, 0, VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM) < 0)
                return libvirt_error(ret_error);
        int r = end_stream(stream, t, virStreamSparseRecvAll(stream, take_data, take_hole, t), ret_error);
        if (r < 0 || t->offset == size)
                return r;
        *ret_error = strprintf("the copy on the host has %" PRIu64 " bytes, and the disk %" PRIu64,
                        t->offset, size);
        return *ret_error ? -EBADMSG : -ENOMEM;
}

typedef int (*transfer_func)(
                virStreamPtr stream, virStorageVolPtr volume, Transfer *t, uint64_t size, char **ret_error);

static int transfer(virConnectPtr c, virStorageVolPtr volume, transfer_func func, Transfer *t, uint64_t size,
                char **ret_error) {
        virStreamPtr stream = virStreamNew(c, 0);

        if (!stream)
                return libvirt_error(ret_error);
        int r = func(stream, volume, t, size, ret_error);
        if (r < 0)
                (void) virStreamAbort(stream);
        (void) virStreamFree(stream);
        t->why = mfree(t->why);
        return r;
}

int libvirt_volume_send(virConnectPtr connection, const VolumeName *v, int fd, const atomic_bool *cancelled,
                char **ret_error) {
        _cleanup_(volume_freep) virStorageVolPtr volume = NULL;
        Transfer t = { .fd = fd, .cancelled = cancelled };
        struct stat st;

        if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        int r = find_volume(connection, v, &volume, ret_error);
        if (r >= 0)
                r = transfer(connection, volume, upload, &t, (uint64_t) st.st_size, ret_error);
        if (r >= 0)
                r = transfer(connection, volume, download, &t, (uint64_t) st.st_size, ret_error);
        return r;
}
