/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secret key: see secret-key.h. */
#include "secret-key.h"

#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define SALT_SIZE crypto_pwhash_scryptsalsa208sha256_SALTBYTES
#define SEED_AND_KEY_SIZE crypto_sign_SECRETKEYBYTES
#define CHECKSUM_SIZE 32u
#define STACK_SIZE 32768u /* more than any of it takes */
/* Of a key that asks for more a reader would have to wait for hours, or have no memory left. */
#define OPERATIONS_MAX (4 * crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE)
#define MEMORY_MAX (4ull * crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE)

/* The part that a password hides. */
typedef struct Hidden {
        uint8_t id[KEY_ID_SIZE];
        uint8_t key[SEED_AND_KEY_SIZE];
        uint8_t checksum[CHECKSUM_SIZE];
} Hidden;

/* A secret key as it lies in a file. Numbers are little-endian. */
typedef struct Packed {
        char algorithm[2], kdf[2], checksum_algorithm[2];
        uint8_t salt[SALT_SIZE];
        uint8_t operations[8], memory[8];
        Hidden hidden;
} Packed;
_Static_assert(sizeof(Packed) == 158, "no padding");

struct SecretKey {
        Hidden hidden;
};

/* What functions of libsodium have left on the stack: BLAKE2b of a key does. */
static void wipe_stack(void)
{
        sodium_stackzero(STACK_SIZE);
}

/* sodium_malloc() goes on where the memory cannot be locked; a secret must never be swapped out. */
static void *locked_new(size_t n)
{
        void *memory = sodium_malloc(n);

        if (memory && sodium_mlock(memory, n) == 0)
                return memory;
        sodium_free(memory);
        return NULL;
}

SecretKey *secret_key_free(SecretKey *key)
{
        sodium_free(key); /* wipes it */
        return NULL;
}

static void make_checksum(const Hidden *hidden, uint8_t ret_checksum[CHECKSUM_SIZE])
{
        crypto_generichash_state state;

        crypto_generichash_init(&state, NULL, 0, CHECKSUM_SIZE);
        crypto_generichash_update(&state, (const uint8_t *) ALGORITHM_KEY, 2);
        crypto_generichash_update(&state, hidden->id, KEY_ID_SIZE);
        crypto_generichash_update(&state, hidden->key, SEED_AND_KEY_SIZE);
        crypto_generichash_final(&state, ret_checksum, CHECKSUM_SIZE);
}

SecretKey *secret_key_new(void)
{
        SecretKey *key = locked_new(sizeof(*key));
        uint8_t public_key[PUBLIC_KEY_SIZE];

        if (!key)
                return NULL;
        crypto_sign_keypair(public_key, key->hidden.key);
        randombytes_buf(key->hidden.id, KEY_ID_SIZE);
        make_checksum(&key->hidden, key->hidden.checksum);
        wipe_stack();
        return key;
}

PublicKey secret_key_public(const SecretKey *key)
{
        PublicKey public_key;

        memcpy(public_key.id, key->hidden.id, KEY_ID_SIZE);
        crypto_sign_ed25519_sk_to_pk(public_key.key, key->hidden.key);
        return public_key;
}

/* ---- the password ---- */

static uint64_t number_of(const uint8_t bytes[8])
{
        uint64_t number;

        memcpy(&number, bytes, sizeof(number));
        return le64toh(number);
}

/* Hides or shows: the same. Returns 0 or -ENOMEM. */
static int apply_password(Packed *packed, const char *password)
{
        Hidden *stream = locked_new(sizeof(*stream));
        uint8_t *hidden = (uint8_t *) &packed->hidden;
        int r = -ENOMEM;

        if (stream && crypto_pwhash_scryptsalsa208sha256((uint8_t *) stream, sizeof(*stream),
                                                         password, strlen(password), packed->salt,
                                                         number_of(packed->operations),
                                                         (size_t) number_of(packed->memory)) == 0) {
                for (size_t i = 0; i < sizeof(*stream); i++)
                        hidden[i] ^= ((const uint8_t *) stream)[i];
                r = 0;
        }
        sodium_free(stream);
        return r;
}

static int is_kdf(const Packed *packed, const char *kdf)
{
        return memcmp(packed->kdf, kdf, sizeof(packed->kdf)) == 0;
}

#define KDF_SCRYPT "Sc"
#define KDF_NONE "\0\0"
#define CHECKSUM_BLAKE2B "B2"

static int unpack(const char *text, size_t n, Packed *ret_packed)
{
        Lines lines = {text, n};
        const char *comment;
        size_t n_comment;

        if (n > SIGNATURE_FILE_MAX ||
            lines_take_comment(&lines, LINE_UNTRUSTED, COMMENT_MAX, &comment, &n_comment) != 0 ||
            lines_take_bytes(&lines, (uint8_t *) ret_packed, sizeof(*ret_packed)) != 0 ||
            lines.n != 0)
                return SECRET_KEY_E_FORMAT;
        if (memcmp(ret_packed->algorithm, ALGORITHM_KEY, 2) != 0 ||
            memcmp(ret_packed->checksum_algorithm, CHECKSUM_BLAKE2B, 2) != 0 ||
            (!is_kdf(ret_packed, KDF_SCRYPT) && !is_kdf(ret_packed, KDF_NONE)))
                return SECRET_KEY_E_FORMAT;
        if (is_kdf(ret_packed, KDF_SCRYPT) && (number_of(ret_packed->operations) > OPERATIONS_MAX ||
                                               number_of(ret_packed->memory) > MEMORY_MAX))
                return SECRET_KEY_E_FORMAT;
        return 0;
}

int secret_key_is_encrypted(const char *text, size_t n)
{
        Packed *packed = locked_new(sizeof(*packed));
        int r = packed ? unpack(text, n, packed) : SECRET_KEY_E_FORMAT;

        r = r == 0 ? is_kdf(packed, KDF_SCRYPT) : -r;
        sodium_free(packed);
        return r;
}

static int open_packed(Packed *packed, const char *password, SecretKey *ret_key)
{
        int r;

        if (is_kdf(packed, KDF_SCRYPT)) {
                r = password ? apply_password(packed, password) : SECRET_KEY_E_PASSWORD;
                if (r != 0)
                        return r;
        }
        ret_key->hidden = packed->hidden;
        make_checksum(&packed->hidden, ret_key->hidden.checksum);
        /* minisign writes none where there is no password to be told from others. */
        if (is_kdf(packed, KDF_NONE) && sodium_is_zero(packed->hidden.checksum, CHECKSUM_SIZE))
                return 0;
        return sodium_memcmp(ret_key->hidden.checksum, packed->hidden.checksum, CHECKSUM_SIZE) == 0
                       ? 0
                       : SECRET_KEY_E_PASSWORD;
}

int secret_key_parse(const char *text, size_t n, const char *password, SecretKey **ret_key)
{
        Packed *packed = locked_new(sizeof(*packed));
        SecretKey *key = locked_new(sizeof(*key));
        int r = packed && key ? unpack(text, n, packed) : -ENOMEM;

        if (r == 0)
                r = open_packed(packed, password, key);
        sodium_free(packed);
        wipe_stack();
        if (r != 0) {
                secret_key_free(key);
                return r;
        }
        *ret_key = key;
        return 0;
}

/* ---- files ---- */

static void base64_line(FILE *out, const void *bytes, size_t n)
{
        char line[sodium_base64_ENCODED_LEN(sizeof(Packed), BASE64)];

        sodium_bin2base64(line, sizeof(line), bytes, n, BASE64);
        fprintf(out, "%s\n", line);
        sodium_memzero(line, sizeof(line));
}

/* Takes the stream. Returns the text or NULL. */
static char *finish(FILE *out, char **text)
{
        if (fclose(out) == 0)
                return *text;
        free(*text);
        return NULL;
}

static void fill(Packed *packed, const SecretKey *key, const char *password)
{
        uint64_t operations = htole64(crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE);
        uint64_t memory = htole64(crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE);

        memset(packed, 0, sizeof(*packed));
        memcpy(packed->algorithm, ALGORITHM_KEY, 2);
        memcpy(packed->kdf, password ? KDF_SCRYPT : KDF_NONE, 2);
        memcpy(packed->checksum_algorithm, CHECKSUM_BLAKE2B, 2);
        packed->hidden = key->hidden;
        if (!password) {
                memset(packed->hidden.checksum, 0, CHECKSUM_SIZE);
                return;
        }
        randombytes_buf(packed->salt, sizeof(packed->salt));
        memcpy(packed->operations, &operations, sizeof(operations));
        memcpy(packed->memory, &memory, sizeof(memory));
}

int secret_key_format(const SecretKey *key, const char *password, char **ret_text)
{
        Packed *packed = locked_new(sizeof(*packed));
        char *text = NULL;
        size_t size;
        FILE *out;
        int r = packed ? 0 : -ENOMEM;

        if (packed)
                fill(packed, key, password);
        if (r == 0 && password)
                r = apply_password(packed, password);
        out = r == 0 ? open_memstream(&text, &size) : NULL;
        if (out) {
                fprintf(out, LINE_UNTRUSTED "minisign %s secret key\n",
                        password ? "encrypted" : "unencrypted");
                base64_line(out, packed, sizeof(*packed));
                text = finish(out, &text);
        }
        sodium_free(packed);
        wipe_stack();
        if (!text)
                return -ENOMEM;
        *ret_text = text;
        return 0;
}

int public_key_format(const PublicKey *key, char **ret_text)
{
        uint8_t bytes[2 + KEY_ID_SIZE + PUBLIC_KEY_SIZE];
        char id[KEY_ID_HEX_SIZE], *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return -ENOMEM;
        memcpy(bytes, ALGORITHM_KEY, 2);
        memcpy(bytes + 2, key->id, KEY_ID_SIZE);
        memcpy(bytes + 2 + KEY_ID_SIZE, key->key, PUBLIC_KEY_SIZE);
        key_id_format(key->id, id);
        fprintf(out, LINE_UNTRUSTED "minisign public key %s\n", id);
        base64_line(out, bytes, sizeof(bytes));
        text = finish(out, &text);
        if (!text)
                return -ENOMEM;
        *ret_text = text;
        return 0;
}

static void sign_bytes(const SecretKey *key, const void *bytes, size_t n,
                       uint8_t ret_signature[SIGNATURE_SIZE])
{
        uint8_t digest[crypto_generichash_BYTES_MAX];

        crypto_generichash(digest, sizeof(digest), bytes, n, NULL, 0);
        crypto_sign_detached(ret_signature, NULL, digest, sizeof(digest), key->hidden.key);
}

static void sign_comment(const SecretKey *key, const uint8_t of_bytes[SIGNATURE_SIZE],
                         const char *comment, uint8_t ret_signature[SIGNATURE_SIZE])
{
        uint8_t both[SIGNATURE_SIZE + TRUSTED_COMMENT_MAX];
        size_t n = strlen(comment);

        memcpy(both, of_bytes, SIGNATURE_SIZE);
        memcpy(both + SIGNATURE_SIZE, comment, n);
        crypto_sign_detached(ret_signature, NULL, both, SIGNATURE_SIZE + n, key->hidden.key);
}

char *secret_key_sign(const SecretKey *key, const void *bytes, size_t n, const char *comment)
{
        uint8_t signature[2 + KEY_ID_SIZE + SIGNATURE_SIZE], of_comment[SIGNATURE_SIZE];
        uint8_t *of_bytes = signature + 2 + KEY_ID_SIZE;
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return NULL;
        memcpy(signature, ALGORITHM_SIGNATURE, 2);
        memcpy(signature + 2, key->hidden.id, KEY_ID_SIZE);
        sign_bytes(key, bytes, n, of_bytes);
        sign_comment(key, of_bytes, comment, of_comment);
        wipe_stack();
        fputs(LINE_UNTRUSTED "signature from aegis-policy secret key\n", out);
        base64_line(out, signature, sizeof(signature));
        fprintf(out, LINE_TRUSTED "%s\n", comment);
        base64_line(out, of_comment, sizeof(of_comment));
        return finish(out, &text);
}
