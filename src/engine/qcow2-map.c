/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "engine/qcow2-map.h"
#include "engine/qcow2-refcount.h"

static int map_init(Qcow2Map *m, int fd, uint64_t size) {
        *m = (Qcow2Map){ .fd = fd, .l2_index = UINT64_MAX };
        int r = qcow2_layout(size, &m->layout);
        if (r < 0)
                return r;
        m->l1 = new0(uint64_t, m->layout.l1_entries);
        m->l2 = new0(uint64_t, QCOW2_L2_ENTRIES);
        return m->l1 && m->l2 ? 0 : -ENOMEM;
}

void qcow2_map_done(Qcow2Map *m) {
        m->l1 = mfree(m->l1);
        m->l2 = mfree(m->l2);
}

int qcow2_map_create(Qcow2Map *m, int fd, uint64_t size) {
        int r = map_init(m, fd, size);

        if (r < 0)
                return r;
        m->next = m->layout.data;
        if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t) m->layout.data) < 0)
                return -errno;
        return 0;
}

/* --- writing tables
 * ------------------------------------------------------------------------------------------- */

static void set_l1(Qcow2Map *m, uint64_t index, uint64_t entry) {
        if (m->l1_dirty_from == m->l1_dirty_to)
                m->l1_dirty_from = m->l1_dirty_to = index;
        m->l1[index] = htobe64(entry);
        m->l1_dirty_from = MIN(m->l1_dirty_from, index);
        m->l1_dirty_to = MAX(m->l1_dirty_to, index + 1);
}

static uint64_t l2_offset(const Qcow2Map *m, uint64_t index) {
        return be64toh(m->l1[index]) & QCOW2_OFFSET_MASK;
}

static int write_l2(Qcow2Map *m) {
        if (!m->l2_dirty)
                return 0;
        int r = pwrite_full(m->fd, m->l2, QCOW2_CLUSTER, l2_offset(m, m->l2_index));
        if (r >= 0)
                m->l2_dirty = false;
        return r;
}

int qcow2_map_write(Qcow2Map *m) {
        int r = write_l2(m);

        if (r < 0 || m->l1_dirty_from == m->l1_dirty_to)
                return r;
        r = pwrite_full(m->fd, m->l1 + m->l1_dirty_from, (m->l1_dirty_to - m->l1_dirty_from) * 8,
                        m->layout.l1 + m->l1_dirty_from * 8);
        if (r >= 0)
                m->l1_dirty_from = m->l1_dirty_to = 0;
        return r;
}

/* Brings the table for the disk at @offset into memory; a new one gets its place in the file. */
static int select_l2(Qcow2Map *m, uint64_t offset) {
        uint64_t index = offset / QCOW2_L2_COVERS;

        if (index == m->l2_index)
                return 0;
        int r = write_l2(m);
        if (r < 0)
                return r;
        m->l2_index = UINT64_MAX;
        if (m->l1[index] == 0) {
                memset(m->l2, 0, QCOW2_CLUSTER);
                set_l1(m, index, m->next | QCOW2_COPIED);
                m->next += QCOW2_CLUSTER;
                m->l2_dirty = true;
        } else {
                r = pread_full(m->fd, m->l2, QCOW2_CLUSTER, l2_offset(m, index));
                if (r < 0)
                        return r;
        }
        m->l2_index = index;
        return 0;
}

static void set_l2(Qcow2Map *m, uint64_t offset, uint64_t entry) {
        m->l2[offset / QCOW2_CLUSTER % QCOW2_L2_ENTRIES] = htobe64(entry);
        m->l2_dirty = true;
}

int qcow2_map_put(Qcow2Map *m, uint64_t offset, uint64_t *ret) {
        int r = select_l2(m, offset);

        if (r < 0)
                return r;
        set_l2(m, offset, m->next | QCOW2_COPIED);
        *ret = m->next;
        m->next += QCOW2_CLUSTER;
        return 0;
}

/* Compressed data goes behind the last compressed data if it fits into that cluster, or if the cluster after
 * it is the next free one. */
int qcow2_map_put_compressed(Qcow2Map *m, uint64_t offset, size_t size, uint64_t *ret) {
        int r = select_l2(m, offset);
        uint64_t at, room = round_up(m->pack, QCOW2_CLUSTER) - m->pack;

        if (r < 0)
                return r;
        if (size <= room)
                at = m->pack;
        else {
                at = room > 0 && m->pack + room == m->next ? m->pack : m->next;
                m->next += QCOW2_CLUSTER;
        }
        m->pack = at + size;
        set_l2(m, offset, qcow2_compressed_entry(at, size));
        *ret = at;
        return 0;
}

int qcow2_map_finish(Qcow2Map *m) {
        uint8_t header[QCOW2_HEADER_SIZE];

        int r = qcow2_map_write(m);
        if (r >= 0)
                r = qcow2_write_refcounts(m->fd, &m->layout, m->l1, m->next);
        if (r >= 0 && fdatasync(m->fd) < 0)
                r = -errno;
        if (r < 0)
                return r;
        qcow2_header(&m->layout, header);
        r = pwrite_full(m->fd, header, sizeof(header), 0);
        if (r >= 0 && fsync(m->fd) < 0)
                r = -errno;
        return r;
}

/* --- going on
 * ----------------------------------------------------------------------------------------------- */

/* Nothing that is written from here on changes what lies before the watermark, so the checkpoint stays
 * true. */
static int cut_file(Qcow2Map *m, uint64_t watermark, uint64_t next, uint64_t pack) {
        static const uint8_t no_header[QCOW2_HEADER_SIZE];
        struct stat st;

        if (fstat(m->fd, &st) < 0)
                return -errno;
        if (next % QCOW2_CLUSTER != 0 || next < m->layout.data || next > INT64_MAX ||
                        next > round_up((uint64_t) st.st_size, QCOW2_CLUSTER) || pack > next)
                return -EBADMSG;
        if (watermark % QCOW2_CLUSTER != 0 && watermark < m->layout.size - m->layout.size % QCOW2_CLUSTER)
                return -EBADMSG;
        m->next = next;
        m->pack = pack;
        if (ftruncate(m->fd, (off_t) next) < 0)
                return -errno;
        return pwrite_full(m->fd, no_header, sizeof(no_header), 0);
}

/* An L1 entry may point anywhere so far: nothing is read or written through it before it has been looked
 * at. */
static bool l1_entry_is_plausible(const Qcow2Map *m, uint64_t index) {
        uint64_t entry = be64toh(m->l1[index]), first, last;

        return !(entry & QCOW2_COMPRESSED) && qcow2_entry_clusters(entry, &first, &last) > 0 &&
                        first * QCOW2_CLUSTER >= m->layout.data && first * QCOW2_CLUSTER < m->next;
}

/* Drops the tables behind the watermark, and the entries behind it of the one that it lies in, if that one
 * is from before the checkpoint. */
static int cut_tables(Qcow2Map *m, uint64_t watermark) {
        uint64_t index = watermark / QCOW2_L2_COVERS, inside = watermark % QCOW2_L2_COVERS;

        int r = pread_full(m->fd, m->l1, m->layout.l1_entries * 8, m->layout.l1);
        if (r < 0)
                return r == -EIO ? -EBADMSG : r;
        for (uint64_t i = index + (inside > 0); i < m->layout.l1_entries; i++)
                m->l1[i] = 0;
        if (inside > 0 && l2_offset(m, index) >= m->next)
                m->l1[index] = 0;
        m->l1_dirty_from = 0;
        m->l1_dirty_to = m->layout.l1_entries;
        if (inside == 0 || m->l1[index] == 0)
                return 0;

        if (!l1_entry_is_plausible(m, index))
                return -EBADMSG;
        r = select_l2(m, watermark);
        if (r < 0)
                return r == -EIO ? -EBADMSG : r;
        for (uint64_t k = round_up(inside, QCOW2_CLUSTER) / QCOW2_CLUSTER; k < QCOW2_L2_ENTRIES; k++)
                m->l2[k] = 0;
        m->l2_dirty = true;
        return 0;
}

static int accept_reference(void *userdata, uint64_t first, uint64_t last, bool shared) {
        return 0;
}

int qcow2_map_resume(Qcow2Map *m, int fd, uint64_t size, uint64_t watermark, uint64_t next, uint64_t pack) {
        int r = map_init(m, fd, size);

        if (r >= 0)
                r = cut_file(m, watermark, next, pack);
        if (r >= 0)
                r = cut_tables(m, watermark);
        if (r >= 0)
                r = qcow2_map_write(m);
        if (r >= 0)
                r = qcow2_walk(fd, &m->layout, m->l1, m->next, accept_reference, NULL);
        return r;
}
