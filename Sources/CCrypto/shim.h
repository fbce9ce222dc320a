// SPDX-License-Identifier: Apache-2.0
#include <openssl/evp.h>
#include <unistd.h>

// Digests the rest of a file in pieces: EVP's context is opaque, and a loop here keeps pointers out of Swift.
// Returns 1, or 0 where the file cannot be read or there is no memory.
static inline int penstock_sha256_of_file(int file, unsigned char out_digest[32]) {
    unsigned char piece[65536];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = context && EVP_DigestInit_ex(context, EVP_sha256(), 0);
    long offset = 0;
    while (good) {
        ssize_t count = pread(file, piece, sizeof piece, offset);
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
