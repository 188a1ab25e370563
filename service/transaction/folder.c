/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Folder: see folder.h. Each file is a change of its own, so that one that is faulty keeps no other
 * back. Which documents came from files is kept in the state, so that one whose file has gone is
 * told as such. */
#include "transaction/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transaction/internal.h"
#include "transaction/rule.h"
#include "util/file.h"
#include "util/log.h"

#define FILE_NAME "loaded"
#define SUFFIX ".policy"
#define SIGNATURE_SUFFIX ".minisig"
#define LOADED_SIZE_MAX (DOCUMENTS_MAX * (POLICY_NAME_MAX + 1u))

/* LOOK tells what differs; LOAD puts it in force first; ASK tells nobody but who asked. */
typedef enum Deed {
        FOLDER_ASK,
        FOLDER_LOOK,
        FOLDER_LOAD,
} Deed;

/* One time of going through the directory. */
typedef struct Visit {
        Enforcement *enforcement;
        Deed deed;
        int directory;
        struct dirent **files;
        int n_files;
        FolderReport *report; /* or NULL */
        int *failed;          /* the report is not whole */
} Visit;

static void visit_deinit(Visit *visit)
{
        for (int i = 0; i < visit->n_files; i++)
                free(visit->files[i]);
        free(visit->files);
        closep(&visit->directory);
}

/* What is said of one file or of the directory is a difference, too: in the posture's reasons. */
__attribute__((format(printf, 2, 3))) static void tell(const Visit *visit, const char *format, ...)
{
        Enforcement *enforcement = visit->enforcement;
        char text[TROUBLE_ROOM];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        if (visit->deed == FOLDER_ASK)
                return;
        enforcement->folder.differs = 1;
        trouble_add(&enforcement->trouble, TROUBLE_FOLDER, "%s", text);
}

/* For whoever asked. */
static void report(const Visit *visit, const char *file, uint32_t line, const char *message)
{
        if (visit->report &&
            folder_report_fault(visit->report, visit->enforcement->folder.path, file,
                                &(FolderFault){.line = line, .message = (char *) message}) < 0)
                *visit->failed = -ENOMEM;
}

/* Both; the sentence goes on after the name of the file, or with NULL of the directory. */
__attribute__((format(printf, 3, 4))) static void complain(const Visit *visit, const char *file,
                                                           const char *format, ...)
{
        char text[TROUBLE_ROOM];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        tell(visit, "The %s %s%s%s %s", file ? "file" : "directory",
             visit->enforcement->folder.path, file ? "/" : "", file ? file : "", text);
        report(visit, file, 0, text);
}

static int ends_with(const char *name, const char *suffix)
{
        size_t n = strlen(name), n_suffix = strlen(suffix);

        return n > n_suffix && strcmp(name + n - n_suffix, suffix) == 0;
}

/* Editors and package managers keep files beside it that begin with a dot, or end otherwise. */
static int is_policy(const char *name)
{
        return name[0] != '.' && ends_with(name, SUFFIX);
}

/* ---- which documents came from files ---- */

/* The next name in lines, or NULL. */
static const char *next_line(const char **lines, char ret_name[POLICY_NAME_MAX + 1])
{
        size_t n = strcspn(*lines, "\n");

        if ((*lines)[n] == '\0' || n > POLICY_NAME_MAX)
                return NULL;
        memcpy(ret_name, *lines, n);
        ret_name[n] = '\0';
        *lines += n + 1;
        return policy_name_is_valid(ret_name) ? ret_name : NULL;
}

static int is_listed(const Folder *folder, const char *wanted)
{
        const char *lines = folder->loaded, *name;
        char room[POLICY_NAME_MAX + 1];

        while ((name = next_line(&lines, room)))
                if (strcmp(name, wanted) == 0)
                        return 1;
        return 0;
}

static int has_file(const Visit *visit, const char *name)
{
        char file[POLICY_NAME_MAX + sizeof(SUFFIX)];

        snprintf(file, sizeof(file), "%s" SUFFIX, name);
        return faccessat(visit->directory, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Those of documents that are there, and one more. */
static int write_lines(const Enforcement *enforcement, const char *name, char **ret_lines)
{
        size_t n = 0;
        FILE *out = open_memstream(ret_lines, &n);

        if (!out)
                return -ENOMEM;
        for (size_t i = 0; i < enforcement_n_documents(enforcement); i++) {
                const char *other = enforcement_document(enforcement, i)->document.name;

                if (is_listed(&enforcement->folder, other))
                        fprintf(out, "%s\n", other);
        }
        fprintf(out, "%s\n", name);
        return fclose(out) == 0 ? 0 : -ENOMEM;
}

/* A name is listed before its document is in force: a kill in between must not make it a stranger.
 */
static int list(Enforcement *enforcement, const char *name)
{
        _cleanup_(freep) char *lines = NULL;
        int r;

        if (is_listed(&enforcement->folder, name))
                return 0;
        r = write_lines(enforcement, name, &lines);
        if (r == 0)
                r = file_replace(store_directory(enforcement->store), FILE_NAME, lines,
                                 strlen(lines));
        if (r < 0)
                return r;
        free(enforcement->folder.loaded);
        enforcement->folder.loaded = TAKE_PTR(lines);
        return 0;
}

static void tell_gone(const Visit *visit)
{
        Enforcement *enforcement = visit->enforcement;

        for (size_t i = 0; i < enforcement_n_documents(enforcement); i++) {
                const char *name = enforcement_document(enforcement, i)->document.name;
                char file[POLICY_NAME_MAX + sizeof(SUFFIX)];

                if (!is_listed(&enforcement->folder, name) || has_file(visit, name))
                        continue;
                snprintf(file, sizeof(file), "%s" SUFFIX, name);
                complain(visit, file,
                         "is gone, and its policy stays in force: `aegis-client remove %s` ends it",
                         name);
        }
}

/* ---- one file ---- */

#define STAYS "what was in force under that name stays as it was"

static void tell_faults(const Visit *visit, const char *file, const Diagnostics *faults)
{
        Diagnostic first = {.message = "it is not a policy that can be in force here"};
        unsigned n = 0;

        for (size_t i = 0; i < faults->n_items; i++) {
                const Diagnostic *fault = &faults->items[i];

                if (fault->severity != SEVERITY_FAULT)
                        continue;
                report(visit, file, fault->line, fault->message);
                if (n++ == 0) /* one is enough to find the others by */
                        first = *fault;
        }
        tell(visit, "The file %s/%s:%u: %s; " STAYS, visit->enforcement->folder.path, file,
             first.line, first.message);
}

static const char *reason(int error)
{
        switch (error) {
        case TRANSACTION_E_ON_TRIAL:
                return "a policy is on trial: confirm it or go back first";
        case TRANSACTION_E_GUARANTEE:
                return "a hook it needs cannot deny on this machine";
        case TRANSACTION_E_SIGNATURE_REQUIRED:
                return "it must be signed: NAME" SUFFIX SIGNATURE_SUFFIX " is to lie beside it";
        case TRANSACTION_E_RESERVED:
                return "the name is the service's own";
        case TRANSACTION_E_TOO_MANY:
        case TRANSACTION_E_TOO_LARGE:
                return "it is too much, by itself or with the others";
        default:
                return error < 0 ? strerror(-error) : "the kernel did not take it";
        }
}

static int put_in_force(Enforcement *enforcement, const char *name, const Plan *plan)
{
        uint64_t generation = 0;
        int r = list(enforcement, name);

        if (r < 0)
                return r;
        enforcement->own_deed = (OwnDeed){.what = "Load", .name = name};
        r = enforcement_commit(enforcement, plan, EXPECT_ANY, &generation);
        enforcement->own_deed = (OwnDeed){};
        if (r == 0 && plan->changed)
                log_notice("%s/%s" SUFFIX " is in force, as generation %llu",
                           enforcement->folder.path, name, (unsigned long long) generation);
        return r;
}

/* ---- a file and its signatures ---- */

/* Signatures of one file, in its room. */
typedef struct Signatures {
        char *rooms[SIGNATURES_MAX];
        SignatureText items[SIGNATURES_MAX];
        size_t n;
} Signatures;

static void signatures_deinit(Signatures *signatures)
{
        for (size_t i = 0; i < signatures->n; i++)
                free(signatures->rooms[i]);
}

/* FILE.minisig and FILE.ANYTHING.minisig */
static int is_signature_of(const char *name, const char *file)
{
        size_t n = strlen(file);

        return strncmp(name, file, n) == 0 && name[n] == '.' && ends_with(name, SIGNATURE_SUFFIX);
}

static int read_signatures(const Visit *visit, const char *file, Signatures *signatures)
{
        for (int i = 0; i < visit->n_files; i++) {
                SignatureText *item = &signatures->items[signatures->n];
                char **room = &signatures->rooms[signatures->n];
                int r;

                if (!is_signature_of(visit->files[i]->d_name, file))
                        continue;
                if (signatures->n == SIGNATURES_MAX)
                        return -E2BIG;
                r = file_read_trusted(visit->directory, visit->files[i]->d_name, SIGNATURE_FILE_MAX,
                                      room, &item->n);
                if (r < 0)
                        return r;
                item->text = *room;
                signatures->n++;
        }
        return 0;
}

static int plan_text(const Visit *visit, const char *file, const char *name,
                     const SignatureText *document, Plan **ret_plan)
{
        _cleanup_(signatures_deinit) Signatures signatures = {};
        SignatureTexts all = {.items = signatures.items};
        int r = read_signatures(visit, file, &signatures);

        if (r < 0)
                return r;
        all.n = signatures.n;
        if (all.n > 0)
                return enforcement_plan_signed(visit->enforcement, name, document, &all, ret_plan);
        return enforcement_plan(visit->enforcement, name, document->text, document->n, ret_plan);
}

static int take_plan(const Visit *visit, const char *name, const Plan *plan)
{
        int r = visit->deed == FOLDER_LOAD ? put_in_force(visit->enforcement, name, plan) : 0;

        if (r == 0 && plan->changed && visit->report && folder_report_name(visit->report, name) < 0)
                *visit->failed = -ENOMEM;
        return r;
}

static void plan_file(const Visit *visit, const char *file, const char *name,
                      const SignatureText *document)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r = plan_text(visit, file, name, document, &plan);

        if (r == TRANSACTION_E_INVALID_POLICY) {
                tell_faults(visit, file, &plan->diagnostics);
                return;
        }
        if (r == 0)
                r = take_plan(visit, name, plan);
        if (r != 0)
                complain(visit, file, "cannot be put in force: %s",
                         plan && plan->reason ? plan->reason : reason(r));
        else if (visit->deed == FOLDER_LOOK && plan->changed)
                tell(visit,
                     "The file %s/%s is not what is in force: `systemctl reload aegisd` puts it in "
                     "force",
                     visit->enforcement->folder.path, file);
}

static int is_in_force(const Enforcement *enforcement, const char *name, const char *text, size_t n)
{
        const Loaded *loaded = enforcement_find(enforcement, name);

        return loaded && loaded->document.n_text == n &&
               memcmp(loaded->document.text, text, n) == 0;
}

static const char *reason_unread(int error)
{
        switch (error) {
        case -ELOOP:
                return "it is a symbolic link";
        case -EINVAL:
                return "it is no file";
        case -EPERM:
                return "it belongs to another than root, or others may write it";
        default:
                return strerror(-error);
        }
}

static void visit_file(const Visit *visit, const char *file)
{
        Enforcement *enforcement = visit->enforcement;
        _cleanup_(freep) char *name = strndup(file, strlen(file) - strlen(SUFFIX)), *text = NULL;
        size_t n = 0;
        int r = name ? file_read_trusted(visit->directory, file, POLICY_SIZE_MAX, &text, &n)
                     : -ENOMEM;

        if (r < 0)
                complain(visit, file, "is not read: %s", reason_unread(r));
        else if (strcmp(name, RUNTIME_NAME) == 0)
                complain(visit, file, "is not loaded: the name is that of single rules");
        else if (!policy_name_is_valid(name))
                complain(visit, file, "has a name that no policy can have");
        else if (!is_in_force(enforcement, name, text, n))
                plan_file(visit, file, name, &(SignatureText){text, n});
        else if (visit->deed == FOLDER_LOAD && (r = list(enforcement, name)) < 0)
                complain(visit, file, "cannot be noted: %s", strerror(-r));
}

/* ---- all of them ---- */

static int is_ours(const struct dirent *file)
{
        return is_policy(file->d_name) || ends_with(file->d_name, SIGNATURE_SUFFIX);
}

/* The order must not depend on the locale, as alphasort()'s does. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int open_visit(Visit *visit)
{
        const char *path = visit->enforcement->folder.path;

        visit->directory = directory_open_trusted(path);
        if (visit->directory < 0)
                return visit->directory;
        visit->n_files = scandirat(visit->directory, ".", &visit->files, is_ours, compare_names);
        if (visit->n_files >= 0)
                return 0;
        visit->n_files = 0;
        return -errno;
}

static unsigned count_policies(const Visit *visit)
{
        unsigned n = 0;

        for (int i = 0; i < visit->n_files; i++)
                n += is_policy(visit->files[i]->d_name) ? 1 : 0;
        return n;
}

static void go_through(const Visit *visit)
{
        unsigned n = 0;

        if (count_policies(visit) > DOCUMENTS_MAX)
                complain(visit, NULL,
                         "has more than %u policies: those after the first are left out",
                         DOCUMENTS_MAX);
        for (int i = 0; i < visit->n_files && n < DOCUMENTS_MAX; i++) {
                if (!is_policy(visit->files[i]->d_name))
                        continue;
                visit_file(visit, visit->files[i]->d_name);
                n++;
        }
        tell_gone(visit);
}

/* What the files look like, without reading them, and what is in force. */
static void fingerprint(const Enforcement *enforcement, const Visit *visit,
                        uint8_t ret_seen[DIGEST_SIZE])
{
        uint8_t digests[3][DIGEST_SIZE];

        memcpy(digests[1], enforcement->digest, DIGEST_SIZE);
        memset(digests[0], 0, DIGEST_SIZE);
        for (int i = 0; i < visit->n_files; i++) {
                const char *name = visit->files[i]->d_name;
                struct stat st = {};

                fstatat(visit->directory, name, &st, AT_SYMLINK_NOFOLLOW);
                st.st_atim = (struct timespec){}; /* who reads it makes it no other */
                digest_bytes(&st, sizeof(st), digests[2]);
                digest_bytes(digests, sizeof(digests), digests[0]);
                digest_bytes(name, strlen(name), digests[2]);
                digest_bytes(digests, sizeof(digests), digests[0]);
        }
        digest_bytes(digests, 2 * DIGEST_SIZE, ret_seen);
}

static void begin(const Visit *visit)
{
        Enforcement *enforcement = visit->enforcement;

        if (visit->deed == FOLDER_ASK)
                return;
        enforcement->folder.differs = 0;
        trouble_clear(&enforcement->trouble, TROUBLE_FOLDER);
}

/* A directory that is not there is an empty one: its policies are told as gone. */
static void look_or_load(Visit *visit)
{
        Enforcement *enforcement = visit->enforcement;
        uint8_t seen[DIGEST_SIZE];
        int r = open_visit(visit);

        fingerprint(enforcement, visit, seen);
        if (visit->report)
                memcpy(visit->report->digest, seen, DIGEST_SIZE);
        else if (visit->deed == FOLDER_LOOK &&
                 memcmp(seen, enforcement->folder.seen, DIGEST_SIZE) == 0)
                return;
        begin(visit);
        if (r < 0 && r != -ENOENT)
                complain(visit, NULL, "is not read: %s", reason_unread(r));
        else
                go_through(visit);
        if (visit->deed != FOLDER_ASK) /* by now something else may be in force */
                fingerprint(enforcement, visit, enforcement->folder.seen);
}

/* What is in force and not known would go with the first of them. */
static void leave_alone(Visit *visit)
{
        begin(visit);
        if (open_visit(visit) < 0 || visit->n_files == 0)
                return;
        complain(visit, NULL,
                 "is not loaded: its policies would take the place of those that are in force and "
                 "are not known");
}

void folder_check(Enforcement *enforcement)
{
        _cleanup_(visit_deinit)
                Visit visit = {.enforcement = enforcement, .deed = FOLDER_LOOK, .directory = -1};

        if (enforcement->folder.path && !enforcement->documents_unknown)
                look_or_load(&visit);
}

static int visit(Enforcement *enforcement, Deed deed, FolderReport *report)
{
        int failed = 0;
        _cleanup_(visit_deinit) Visit visit = {.enforcement = enforcement,
                                               .deed = deed,
                                               .directory = -1,
                                               .report = report,
                                               .failed = &failed};

        if (!enforcement->folder.path)
                return TRANSACTION_E_NO_DIRECTORY;
        if (enforcement->documents_unknown)
                leave_alone(&visit);
        else
                look_or_load(&visit);
        return failed;
}

int enforcement_load_folder(Enforcement *enforcement, FolderReport *report)
{
        return visit(enforcement, FOLDER_LOAD, report);
}

int enforcement_look_at_folder(Enforcement *enforcement, FolderReport *report)
{
        return visit(enforcement, FOLDER_ASK, report);
}

int folder_begin(Enforcement *enforcement)
{
        Folder *folder = &enforcement->folder;
        size_t n = 0;
        int r;

        if (!folder->path)
                return 0;
        r = file_read(store_directory(enforcement->store), FILE_NAME, LOADED_SIZE_MAX,
                      &folder->loaded, &n);
        if (r < 0 && r != -ENOENT)
                log_errno(r, "Which policies came from %s is not known", folder->path);
        if (r < 0)
                folder->loaded = strdup("");
        if (!folder->loaded)
                return -ENOMEM;
        enforcement_load_folder(enforcement, NULL);
        return 0;
}

void folder_deinit(Folder *folder)
{
        free(folder->loaded);
}
