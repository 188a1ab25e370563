/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* keygen: a pair of keys to sign documents with. */
#include <stdio.h>
#include <string.h>

#include "password.h"
#include "policy/digest.h"
#include "secret-key.h"
#include "write.h"

static ToolStatus write_pair(const SecretKey *key, const char *password, const char *secret_file,
                             const char *public_file)
{
        _cleanup_(freep) char *secret = NULL, *public = NULL;
        const PublicKey public_key = secret_key_public(key);
        char id[KEY_ID_HEX_SIZE];
        ToolStatus status;

        if (secret_key_format(key, password, &secret) < 0 ||
            public_key_format(&public_key, &public) < 0)
                return tool_trouble("memory is short: to encrypt a key takes 1 GiB.");
        status = write_new(secret_file, secret, 0600);
        explicit_bzero(secret, strlen(secret)); /* it may not be encrypted */
        if (status == TOOL_FINE)
                status = write_new(public_file, public, 0644);
        if (status != TOOL_FINE)
                return status;
        key_id_format(public_key.id, id);
        printf("Key %s: the secret is in %s, and what others verify with in %s.\n", id, secret_file,
               public_file);
        return TOOL_FINE;
}

ToolStatus command_keygen(const ToolOptions *options, char **files, size_t n)
{
        const char *secret_file = options->arguments[TOOL_SECRET_KEY];
        _cleanup_(secret_key_freep) SecretKey *key = NULL;
        _cleanup_(password_freep) char *password = NULL;
        _cleanup_(freep) char *beside = NULL;
        ToolStatus status = TOOL_FINE;

        if (!secret_file)
                return tool_usage("'keygen' wants --secret-key=FILE, to write to.");
        if (asprintf(&beside, "%s.pub", secret_file) < 0 || digest_init() < 0)
                return tool_trouble("memory is short.");
        key = secret_key_new();
        if (!key)
                return tool_trouble("no memory can be locked for a key; raise 'ulimit -l'.");
        if (!TOOL_GIVEN(options, TOOL_NO_PASSWORD))
                status = password_read_new("Password for the new key", &password);
        if (status != TOOL_FINE)
                return status;
        return write_pair(key, password, secret_file,
                          TOOL_GIVEN(options, TOOL_PUBLIC_KEY) ? options->arguments[TOOL_PUBLIC_KEY]
                                                               : beside);
}
