/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/vsphere-session.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "vsphere/lease.h"
#include "vsphere/session.h"

#define NONCE_SIZE 12u
#define TAG_SIZE 16u
#define NOTE_MAX ((size_t) 8192)
#define LEASE_MAX ((size_t) 512)
/* 16 MiB, and some 50 ms */
#define SCRYPT_N UINT64_C(16384)
#define SCRYPT_R UINT64_C(8)
#define SCRYPT_P UINT64_C(1)
#define SCRYPT_MEMORY (UINT64_C(32) << 20)

/* What the file begins with; the encrypted text follows. */
typedef struct Head {
        uint8_t salt[VSPHERE_KEY_SALT];
        uint8_t nonce[NONCE_SIZE];
        uint8_t tag[TAG_SIZE];
} Head;

static bool derive(const char *password, const uint8_t *salt, uint8_t *ret_key) {
        return EVP_PBE_scrypt(password, strlen(password), salt, VSPHERE_KEY_SALT, SCRYPT_N, SCRYPT_R,
                               SCRYPT_P, SCRYPT_MEMORY, ret_key, VSPHERE_KEY_SIZE) == 1;
}

static void cipher_freep(EVP_CIPHER_CTX **c) {
        EVP_CIPHER_CTX_free(*c);
}

/* Encrypts or decrypts @n bytes; the tag is written, or compared. */
static bool convert(bool encrypt, const uint8_t *key, Head *h, const void *from, size_t n, void *to) {
        _cleanup_(cipher_freep) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
        int done = 0, rest = 0;

        if (!c || EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, h->nonce, encrypt) != 1 ||
                        EVP_CipherUpdate(c, to, &done, from, (int) n) != 1)
                return false;
        if (!encrypt && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, h->tag) != 1)
                return false;
        if (EVP_CipherFinal_ex(c, (uint8_t *) to + done, &rest) != 1)
                return false;
        return !encrypt || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, h->tag) == 1;
}

/* --- noting ---------------------------------------------------------------------------------------- */

int vsphere_note_open(VsphereNote *n, int directory_fd) {
        int fd = openat(directory_fd, VSPHERE_CHILD_FILE,
                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
                return -errno;
        n->fd = fd;
        return 0;
}

/* Without it, a session that is left behind ends when the server finds it idle. A file of a child that was
 * written in part is not used, since it does not match its tag. */
static void write_note(const VsphereNote *n, const char *data, size_t size) {
        if (n->fd <= 0)
                (void) write_file_atomic_at(n->directory_fd, VSPHERE_SESSION_FILE, data, size, 0600);
        else if (pwrite_full(n->fd, data, size, 0) >= 0 && ftruncate(n->fd, (off_t) size) >= 0)
                (void) fsync(n->fd);
}

void vsphere_note_begin(VsphereNote *n, int directory_fd, const char *password) {
        n->directory_fd = directory_fd;
        n->has_key = RAND_bytes(n->salt, sizeof(n->salt)) == 1 && derive(password, n->salt, n->key);
}

void vsphere_note_write(const VsphereNote *n, const Session *s) {
        const char *cookie = soap_cookie(session_soap(s));
        char text[NOTE_MAX], data[sizeof(Head) + NOTE_MAX];
        Head head;
        int size;

        if (!n->has_key || !cookie)
                return;
        size = snprintf(text, sizeof(text), "%s\n%s\n", cookie, strempty(n->lease));
        memcpy(head.salt, n->salt, sizeof(head.salt));
        if (size > 0 && (size_t) size < sizeof(text) && RAND_bytes(head.nonce, NONCE_SIZE) == 1 &&
                        convert(true, n->key, &head, text, (size_t) size, data + sizeof(head))) {
                memcpy(data, &head, sizeof(head));
                write_note(n, data, sizeof(head) + (size_t) size);
        }
        explicit_bzero(text, sizeof(text));
}

void vsphere_note_done(VsphereNote *n) {
        if (n->fd > 0) {
                if (ftruncate(n->fd, 0) >= 0)
                        (void) fdatasync(n->fd);
                (void) close(n->fd);
        } else if (n->has_key)
                (void) unlinkat(n->directory_fd, VSPHERE_SESSION_FILE, 0);
        explicit_bzero(n->key, sizeof(n->key));
        free(n->lease);
        *n = (VsphereNote){};
}

/* --- ending ---------------------------------------------------------------------------------------- */

void vsphere_noted_done(VsphereNoted *n) {
        if (n->cookie)
                explicit_bzero(n->cookie, strlen(n->cookie));
        free(n->cookie);
        free(n->lease);
        *n = (VsphereNoted){};
}

/* "COOKIE\nLEASE\n" */
static int decode(char *text, VsphereNoted *ret) {
        char *lease = strchr(text, '\n'), *end = lease ? strchr(lease + 1, '\n') : NULL;
        int r = 0;

        if (!end || end[1])
                return -EBADMSG;
        *lease++ = *end = '\0';
        if (strlen(lease) > LEASE_MAX)
                return -EBADMSG;
        ret->cookie = strdup(text);
        ret->lease = *lease ? strdup(lease) : NULL;
        if (!ret->cookie || (*lease && !ret->lease)) {
                vsphere_noted_done(ret);
                r = -ENOMEM;
        }
        return r;
}

int vsphere_session_read(const char *directory, const char *file, const char *password, VsphereNoted *ret) {
        _cleanup_free_ char *data = NULL;
        uint8_t key[VSPHERE_KEY_SIZE];
        char text[NOTE_MAX + 1];
        size_t size;
        Head head;
        int r = job_file_read(directory, file, sizeof(Head) + NOTE_MAX, &data, &size);

        if (r < 0)
                return r;
        if (size <= sizeof(Head))
                return -EBADMSG;
        memcpy(&head, data, sizeof(head));
        size -= sizeof(head);
        if (!derive(password, head.salt, key))
                return -ENOMEM;
        if (!convert(false, key, &head, data + sizeof(head), size, text))
                r = -EBADMSG;
        explicit_bzero(key, sizeof(key));
        text[size] = '\0';
        if (r >= 0)
                r = strlen(text) == size ? decode(text, ret) : -EBADMSG;
        explicit_bzero(text, sizeof(text));
        return r;
}

int vsphere_noted_end(const VsphereNoted *n, Session *s) {
        Lease lease = { .id = n->lease };
        int r = session_adopt(s, n->cookie);

        if (r < 0)
                return r;
        /* If it cannot be aborted, it ends by itself. */
        if (n->lease)
                (void) lease_abort(s, &lease);
        session_logout(s);
        return 0;
}
