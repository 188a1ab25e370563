/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Release: the kernel is let go of, and the documents stay on disk; and drift, which is what tells
 * the two apart. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "transaction/internal.h"
#include "util/log.h"

/* ---- letting go ---- */

static int compile_nothing(const Enforcement *enforcement, PolicyImage **ret_image)
{
        CompilationRequest request = {.resolver = backend_resolver(enforcement->backend)};
        _cleanup_(document_set_freep) DocumentSet *none = NULL;
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        Compilation *compilation = NULL;
        int r = document_set_new(&none);

        if (r == 0)
                r = document_set_compile(none, &compilation, &request, NULL, &diagnostics,
                                         ret_image);
        compilation_free(compilation);
        return r;
}

/* What needs no hook holds none: with the switch to it they all go, and the guard with them. */
static int let_go(Enforcement *enforcement)
{
        _cleanup_(policy_image_freep) PolicyImage *image = NULL;
        Backend *backend = enforcement->backend;
        int r = compile_nothing(enforcement, &image);

        if (r != 0)
                return r;
        r = backend_prepare(backend, image, enforcement->mode, 0, enforcement->generation);
        if (r != 0) {
                backend_abort(backend);
                return enforcement_translate(r);
        }
        backend_commit(backend);
        return 0;
}

int enforcement_release(Enforcement *enforcement, const char *by)
{
        int r = backend_tier(enforcement->backend) == TIER_NONE ? 0 : let_go(enforcement);

        if (r != 0)
                return r < 0 ? log_errno(r, "The kernel cannot be let go of") : r;
        enforcement->released = 1;
        enforcement->in_force = 0;
        trouble_clear(&enforcement->trouble, TROUBLE_KERNEL);
        trouble_add(&enforcement->trouble, TROUBLE_KERNEL,
                    "Released by %s: nothing is enforced until the mode is set, documents are "
                    "changed, or the service starts anew",
                    by);
        enforcement_tell(enforcement, ENFORCEMENT_DOCUMENTS);
        return 0;
}

/* ---- drift ---- */

static int look_at_record(const Enforcement *enforcement, struct stat *ret_st)
{
        return fstatat(store_directory(enforcement->store), store_file_name(STORE_STATE), ret_st,
                       AT_SYMLINK_NOFOLLOW) < 0
                       ? -errno
                       : 0;
}

static int is_same_file(const struct stat *a, const struct stat *b)
{
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
               memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) == 0 &&
               memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim)) == 0;
}

/* Returns 1, 0, or a negative errno if it cannot be told. */
static int says_what_is_in_force(const Enforcement *enforcement)
{
        _cleanup_(store_record_deinit) StoreRecord record = {};
        uint8_t digest[DIGEST_SIZE];
        int r = store_read(enforcement->store, STORE_STATE, &record);

        if (r == -ENOENT || r > 0)
                return 0;
        if (r < 0)
                return r;
        document_set_digest(record.documents, digest);
        return record.generation == enforcement->generation && record.mode == enforcement->mode &&
               record.audited == enforcement->audited &&
               memcmp(digest, enforcement->digest, DIGEST_SIZE) == 0;
}

void enforcement_note_record(Enforcement *enforcement)
{
        if (look_at_record(enforcement, &enforcement->record) < 0)
                enforcement->record = (struct stat){};
        enforcement->is_record_other = 0;
        trouble_clear(&enforcement->trouble, TROUBLE_RECORD);
}

static void tell_of_record(Enforcement *enforcement)
{
        enforcement->is_record_other = 1;
        trouble_add(&enforcement->trouble, TROUBLE_RECORD,
                    "The record on disk is not what is enforced: it was edited or removed behind "
                    "the service's back; the next change writes it anew");
}

/* It is read only when it is not the file that was written last. */
void enforcement_check_record(Enforcement *enforcement)
{
        struct stat st;
        int r = look_at_record(enforcement, &st);

        if (enforcement->generation == 0 || enforcement->documents_unknown ||
            enforcement->unpublished)
                return;
        if (r == 0 && is_same_file(&st, &enforcement->record))
                return;
        r = says_what_is_in_force(enforcement);
        if (r > 0)
                enforcement_note_record(enforcement);
        else if (r == 0)
                tell_of_record(enforcement);
}

int enforcement_drift(const Enforcement *enforcement)
{
        return !enforcement->in_force || enforcement->documents_unknown ||
               enforcement->is_record_other || enforcement->folder.differs;
}
