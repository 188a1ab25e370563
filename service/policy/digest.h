/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digest: BLAKE2b-256 (libsodium) of a text, and of a set of documents. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "policy/image.h"

/* Fresh for each use; safe to call more than once. Returns 0 or -EIO if libsodium refuses. */
int digest_init(void);

void digest_bytes(const void *data, size_t n, uint8_t ret_digest[DIGEST_SIZE]);

/* Over each name, with its length in front, and the digest of its text. documents: sorted by name.
 */
void digest_documents(const Document *documents, size_t n_documents,
                      uint8_t ret_digest[DIGEST_SIZE]);

#define DIGEST_HEX_SIZE (2 * DIGEST_SIZE + 1)
void digest_format(const uint8_t digest[DIGEST_SIZE], char ret_hex[DIGEST_HEX_SIZE]);
/* The whole of hex. Returns 0 or -EINVAL. */
int digest_parse(const char *hex, uint8_t ret_digest[DIGEST_SIZE]);
