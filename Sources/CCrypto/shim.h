// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <unistd.h>

// Digests the first `length` bytes of a file in pieces, all of it where it is shorter: EVP's context is opaque, and a
// loop here keeps pointers out of Swift. Returns 1, or 0 where the file cannot be read or there is no memory.
static inline int penstock_sha256_of_beginning(int file, long length, unsigned char out_digest[32]) {
    unsigned char piece[65536];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = context && EVP_DigestInit_ex(context, EVP_sha256(), 0);
    long offset = 0;
    while (good && offset < length) {
        long room = length - offset < (long)sizeof piece ? length - offset : (long)sizeof piece;
        ssize_t count = pread(file, piece, (size_t)room, offset);
        if (count <= 0) {
            good = count == 0;
            break;
        }
        good = EVP_DigestUpdate(context, piece, (size_t)count);
        offset += count;
    }
    good = good && EVP_DigestFinal_ex(context, out_digest, 0);
    EVP_MD_CTX_free(context);
    return good;
}

// Digests a file. Returns 1, or 0 where it cannot be read or there is no memory.
static inline int penstock_sha256_of_file(int file, unsigned char out_digest[32]) {
    return penstock_sha256_of_beginning(file, LONG_MAX, out_digest);
}

// Digests bytes. Returns 1, or 0 where there is no memory.
static inline int penstock_sha256(const unsigned char *bytes, size_t count, unsigned char out_digest[32]) {
    return EVP_Digest(bytes, count, out_digest, 0, EVP_sha256(), 0);
}

// Encrypts `count` bytes with AES-256-GCM and makes a tag of 16 bytes over them and `about`.
// Returns 1, or 0 where there is no memory.
static inline int penstock_seal(const unsigned char key[32], const unsigned char nonce[12], const unsigned char *about,
                                int about_count, const unsigned char *bytes, int count, unsigned char *out_sealed,
                                unsigned char out_tag[16]) {
    int written = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int good = context && EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), 0, key, nonce) &&
               EVP_EncryptUpdate(context, 0, &written, about, about_count) &&
               EVP_EncryptUpdate(context, out_sealed, &written, bytes, count) &&
               EVP_EncryptFinal_ex(context, out_sealed + written, &written) &&
               EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, out_tag);
    EVP_CIPHER_CTX_free(context);
    return good;
}

// The reverse. Returns 1, or 0 where key, tag, bytes or `about` are not those of the sealing.
static inline int penstock_unseal(const unsigned char key[32], const unsigned char nonce[12],
                                  const unsigned char *about, int about_count, const unsigned char *sealed, int count,
                                  const unsigned char tag[16], unsigned char *out_bytes) {
    int written = 0;
    unsigned char wanted[16];
    for (int place = 0; place < 16; place++) wanted[place] = tag[place];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int good = context && EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), 0, key, nonce) &&
               EVP_DecryptUpdate(context, 0, &written, about, about_count) &&
               EVP_DecryptUpdate(context, out_bytes, &written, sealed, count) &&
               EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, wanted) &&
               EVP_DecryptFinal_ex(context, out_bytes + written, &written) > 0;
    EVP_CIPHER_CTX_free(context);
    return good;
}

// Fills `bytes` with numbers that nobody can guess. Returns 1, or 0 where the system has none.
static inline int penstock_random(unsigned char *bytes, int count) { return RAND_bytes(bytes, count) == 1; }

// Overwrites a secret that is of no more use; the compiler cannot leave it out.
static inline void penstock_cleanse(void *bytes, size_t count) { OPENSSL_cleanse(bytes, count); }
// HMAC-SHA256 of some bytes. Returns 1, or 0 where there is no memory.
static inline int penstock_hmac_sha256(const unsigned char *key, size_t key_length, const unsigned char *data,
                                       size_t length, unsigned char out_digest[32]) {
    unsigned int written = 0;
    return HMAC(EVP_sha256(), key, (int)key_length, data, length, out_digest, &written) && written == 32;
}
