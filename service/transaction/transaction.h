/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enforcement: the set of named documents in force, and the one way to change it.
 * A change is a transaction: prepare (parse, compile, record as pending, fill the idle slot; may
 * fail), commit (one switch), record. A failure at any step leaves the old set in force, whole. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "policy/compilation.h"
#include "policy/digest.h"
#include "policy/image.h"
#include "policy/policy.h"
#include "policy/root.h"
#include "transaction/history.h"
#include "util/cleanup.h"

/* Positive results, translated to D-Bus errors by bus/error.c. */
typedef enum TransactionError {
        TRANSACTION_E_INVALID_POLICY = 1, /* faults are in the plan's diagnostics */
        TRANSACTION_E_TOO_LARGE,
        TRANSACTION_E_INVALID_NAME,
        TRANSACTION_E_NO_SUCH_POLICY,
        TRANSACTION_E_GENERATION,         /* expect is not the generation in force */
        TRANSACTION_E_GUARANTEE,          /* the policy needs a hook that cannot deny here */
        TRANSACTION_E_TOO_MANY,           /* DOCUMENTS_MAX */
        TRANSACTION_E_KERNEL,             /* the kernel refused the prepared image */
        TRANSACTION_E_STALE,              /* the plan was made for another generation */
        TRANSACTION_E_NO_SUCH_RULE,       /* no equal one is in the document `runtime` */
        TRANSACTION_E_RUNTIME_VERSION,    /* that document is of another version than 7 */
        TRANSACTION_E_UNKNOWN,            /* the record of what the kernel has is lost */
        TRANSACTION_E_RESERVED,           /* the document is the service's own */
        TRANSACTION_E_STILL_DENIED,       /* an exception would not allow what it is for */
        TRANSACTION_E_NO_SUCH_GENERATION, /* none of that number is kept */
        TRANSACTION_E_ON_TRIAL,  /* what is in force must be confirmed, or gone back from, first */
        TRANSACTION_E_NO_TRIAL,  /* that generation is not on trial */
        TRANSACTION_E_SIGNATURE, /* the plan says what is wrong with the signatures */
        TRANSACTION_E_SIGNATURE_REQUIRED, /* only signed documents may change what is said */
        TRANSACTION_E_EXPIRED,            /* the time of a signed document is over, or not come */
        TRANSACTION_E_ROLLBACK,           /* a later one of that name has been in force */
        TRANSACTION_E_NO_DIRECTORY,       /* there is none for policies */
} TransactionError;

#define DOCUMENTS_MAX 256u
#define EXPECT_ANY UINT64_MAX

/* A document in force. */
typedef struct Loaded {
        Document document;
        uint8_t digest[DIGEST_SIZE]; /* of its text alone */
        uint64_t generation;         /* in which it last changed */
        uint64_t changed_usec;       /* CLOCK_REALTIME */
} Loaded;

typedef struct DocumentSet DocumentSet;

/* A set that was in force and can be gone back to. */
typedef struct KeptGeneration {
        uint64_t generation;
        uint8_t digest[DIGEST_SIZE];
} KeptGeneration;

typedef enum ChangeKind {
        CHANGE_ADDED,
        CHANGE_REMOVED,
} ChangeKind;

/* One line of difference between what is in force and what a plan would put in force. */
typedef struct Change {
        ChangeKind kind;
        const char *section; /* both belong to a policy that the plan holds */
        const char *entry;
} Change;

typedef struct SignedDocument SignedDocument;

/* What a request would do. Made against one generation and committed only on that one. */
typedef struct Plan {
        char *name;                  /* of the document; "generation 5" for a set */
        int changed;                 /* 0: what is in force is equal, committing does nothing */
        uint64_t generation;         /* the one it was made against */
        uint8_t digest[DIGEST_SIZE]; /* of the whole set as it would be: bound to the authorization
                                      */
        uint8_t bound[DIGEST_SIZE];  /* the same, but that times of single rules do not run on */
        uint8_t document_digest[DIGEST_SIZE]; /* zero for a removal */
        Change *changes;
        size_t n_changes;
        Policy **compared; /* whose difference that is; some are NULL */
        size_t n_compared;
        Diagnostics diagnostics; /* of the named document; warnings too */
        int removal;
        char *text; /* NULL for a removal */
        size_t n_text;
        Policy *policy;        /* NULL for a removal */
        uint64_t confirm_usec; /* on trial for so long; 0: for good */
        DocumentSet *whole; /* to be put in force as it is: what is said of one document is not used
                             */
        /* When the times in it began to run: CLOCK_REALTIME, and seconds since boot. changed_usec
         * is 0 if that is when it is committed. */
        uint64_t changed_usec;
        int64_t applied;
        SignedDocument *is_signed; /* NULL: it is not */
        char *reason;              /* why TRANSACTION_E_SIGNATURE, _EXPIRED, _ROLLBACK; or NULL */
} Plan;
Plan *plan_free(Plan *plan);

typedef struct Enforcement Enforcement;

/* What listeners are told, after the fact. names: documents that are new, changed or gone. */
typedef enum EnforcementChange {
        ENFORCEMENT_DOCUMENTS,
        ENFORCEMENT_MODE,
} EnforcementChange;
typedef void (*EnforcementFunc)(void *userdata, EnforcementChange change);

/* Whose word documents are. All zero: whoever may apply them. */
typedef struct TrustConfig {
        const char *directory;  /* "/etc/aegis/trust", for the roots; NULL: none */
        const char *machine;    /* machine-id; NULL: not known */
        int requires_signature; /* documents that are not signed are refused */
} TrustConfig;

typedef struct EnforcementConfig {
        const char *state_directory; /* "/var/lib/aegis" */
        TrustConfig trust;
        /* Outlive the enforcement. NULL: a missing state is a first start if nothing in its
         * directory says otherwise, and nothing stands in for one that is lost. */
        const char *marker_directory; /* "/var/lib/aegis-marker" */
        const char *baseline_file;    /* "/usr/share/aegis/baseline.policy" */
        const char *policy_directory; /* "/etc/aegis/policy.d"; NULL: none */
        Backend *backend;
        EnforcementFunc on_change;
        void *userdata;
} EnforcementConfig;

/* Loads the stored set and makes it what the kernel enforces; what is pinned and equal is adopted
 * without being touched. Returns 0 or a negative errno; a damaged store is no error: what the
 * kernel has stays in force and enforcement_trouble() says so. */
int enforcement_new(Enforcement **ret_enforcement, const EnforcementConfig *config);
Enforcement *enforcement_free(Enforcement *enforcement);

uint64_t enforcement_generation(const Enforcement *enforcement); /* 0: nothing was ever applied */
const uint8_t *enforcement_digest(const Enforcement *enforcement);
Mode enforcement_mode(const Enforcement *enforcement);
size_t enforcement_n_documents(const Enforcement *enforcement);
const Loaded *enforcement_document(const Enforcement *enforcement, size_t i); /* sorted by name */
const Loaded *enforcement_find(const Enforcement *enforcement, const char *name); /* or NULL */
/* The image in force, for naming a rule of an event. May be NULL. */
const PolicyImage *enforcement_image(const Enforcement *enforcement);
/* The documents in force as they were compiled, or NULL if they cannot be. Belongs to the
 * enforcement, and goes with the next plan. */
const Compilation *enforcement_compilation(Enforcement *enforcement);
/* What a rule number in an event of a generation stands for, or NULL if that image is gone (the one
 * before the image in force is kept). Belongs to the enforcement, until the next call. */
const ImageRule *enforcement_name_rule(Enforcement *enforcement, uint64_t generation,
                                       uint32_t rule);
/* Who signed a document in force, as of the root that is believed now. All zero: it is not signed,
 * or not by keys that count, or that cannot be told now. */
typedef struct SignedStatus {
        int is_signed;
        uint64_t seq, root_seq;
        uint64_t issued, expires; /* seconds since 1970 */
        Signers signers;
} SignedStatus;
void enforcement_signed(const Enforcement *enforcement, const Loaded *loaded,
                        SignedStatus *ret_status);
/* Whose word documents are. */
typedef struct TrustStatus {
        int requires_signature;
        uint64_t root_seq, root_expires; /* 0: no root is believed */
        uint64_t now;                    /* seconds since 1970, and never less than it was */
} TrustStatus;
void enforcement_trust(const Enforcement *enforcement, TrustStatus *ret_status);
/* The highest seq of that name so far; 0: none of it was ever signed. */
uint64_t enforcement_floor(const Enforcement *enforcement, const char *name);
/* Sentences about what is not as it should be (a damaged store, say); NULL-terminated, belongs to
 * the enforcement. Empty when all is well. */
const char *const *enforcement_trouble(const Enforcement *enforcement);

/* Who changed what; belongs to the enforcement. */
History *enforcement_history(const Enforcement *enforcement);

/* What Apply of this document would do. ret_plan is set, with diagnostics, also for
 * TRANSACTION_E_INVALID_POLICY. Returns 0, a TransactionError or a negative errno. */
int enforcement_plan(Enforcement *enforcement, const char *name, const char *text, size_t n_text,
                     Plan **ret_plan);
int enforcement_plan_removal(Enforcement *enforcement, const char *name, Plan **ret_plan);

/* The same of a document that is signed. ret_plan is set, with the reason, also for
 * TRANSACTION_E_SIGNATURE, _EXPIRED and _ROLLBACK. */
int enforcement_plan_signed(Enforcement *enforcement, const char *name,
                            const SignatureText *document, const SignatureTexts *signatures,
                            Plan **ret_plan);

/* "signed by 97E176D00F46180A (seq 7, expires 2027-11-29T21:00:00Z)" or "not signed", as a new
 * string; NULL when memory is short. */
char *plan_signers(const Plan *plan);

/* What the kernel would be given. The set as the plan would have it is what was compiled last: this
 * costs little. Returns 0 with an image of the caller's (NULL: nothing is in force, and nothing
 * would be), a TransactionError or a negative errno. */
int enforcement_plan_image(Enforcement *enforcement, const Plan *plan, PolicyImage **ret_image);

/* What can be gone back to, i from 0, the oldest first; the last is in force. */
size_t enforcement_n_kept(const Enforcement *enforcement);
KeptGeneration enforcement_kept(const Enforcement *enforcement, size_t i);

/* What putting the documents of generation `to` in force again would do. The mode is not theirs,
 * and times in them run on from when they were first applied. Returns 0,
 * TRANSACTION_E_NO_SUCH_GENERATION, another TransactionError or a negative errno; ret_plan is set
 * for TRANSACTION_E_INVALID_POLICY too. */
int enforcement_plan_rollback(Enforcement *enforcement, uint64_t to, Plan **ret_plan);

/* Lets go of the kernel: nothing is enforced, no hook attached. The documents stay, and are in
 * force again with the next change of them or of a mode, also one that would change nothing, or
 * with the next start. by: who wants it, for the trouble that tells of it. Returns 0, a
 * TransactionError or a negative errno. */
int enforcement_release(Enforcement *enforcement, const char *by);

/* Something that is said of the policy directory. */
typedef struct FolderFault {
        char *file;    /* its path; that of the directory if it is said of that */
        uint32_t line; /* from 1; 0: of all of it */
        char *message;
} FolderFault;

#define FOLDER_FAULTS_MAX 1000u /* further ones are left out */

/* What came of going through it. */
typedef struct FolderReport {
        char *names[DOCUMENTS_MAX]; /* of the policies whose files are, or were, not in force */
        size_t n_names;
        FolderFault *faults; /* what of it is not in force */
        size_t n_faults;
        uint8_t digest[DIGEST_SIZE]; /* of what the files look like, and of what is in force */
} FolderReport;
void folder_report_deinit(FolderReport *report);

/* Puts the files of the policy directory in force that are not, as at start (see folder.h). What
 * stands in the way is told as trouble, and in the report, which may be NULL. Returns 0,
 * TRANSACTION_E_NO_DIRECTORY or -ENOMEM: the report is not whole. */
int enforcement_load_folder(Enforcement *enforcement, FolderReport *report);

/* What that would do; told to nobody else. */
int enforcement_look_at_folder(Enforcement *enforcement, FolderReport *report);

/* Whether what is enforced is not what the record on disk, or a file of the policy directory, says.
 * As of the last enforcement_check(). */
int enforcement_drift(const Enforcement *enforcement);

#define EMERGENCY_REASON_MAX 128u

/* For so long verdicts are recorded and not enforced, but for what guards the service. It is
 * written down before the kernel is told, survives a restart, by the clock on the wall a reboot,
 * and ends in the kernel by itself. reason: one line. usec: at most DEADLINE_LENGTH_MAX. Takes the
 * place of one that is on. Returns 0 or a negative errno; on failure nothing changed. */
int enforcement_emergency_start(Enforcement *enforcement, const char *reason, uint64_t usec,
                                uint32_t uid);
void enforcement_emergency_stop(Enforcement *enforcement);

typedef struct EmergencyStatus {
        uint64_t until_usec; /* CLOCK_REALTIME */
        const char *reason;  /* belongs to the enforcement */
} EmergencyStatus;
/* Whether one is on; else all is 0 or "". */
int enforcement_emergency(const Enforcement *enforcement, EmergencyStatus *ret_emergency);

/* A set that goes again unless somebody confirms it. */
typedef struct TrialStatus {
        uint64_t generation, from;
        uint64_t until_usec; /* CLOCK_REALTIME */
} TrialStatus;
/* Whether one is on trial; else all is 0. */
int enforcement_trial(const Enforcement *enforcement, TrialStatus *ret_trial);

/* Ends the trial, of EXPECT_ANY or that generation: what is in force stays. Returns 0 or
 * TRANSACTION_E_NO_TRIAL. */
int enforcement_confirm(Enforcement *enforcement, uint64_t generation);

/* When enforcement_end_what_is_over() is to be called, in microseconds since boot (CLOCK_BOOTTIME);
 * UINT64_MAX: not at all. */
uint64_t enforcement_next_end(const Enforcement *enforcement);

/* An emergency that is over ends, and a set whose trial is over goes: the one before comes back, as
 * a new generation. What fails is
 * told as trouble and tried again later. */
void enforcement_end_what_is_over(Enforcement *enforcement);

/* What the service does by itself, while on_change tells of it. */
typedef struct OwnDeed {
        const char *what; /* "Revert"; NULL: nothing that has a name */
        const char *name;
} OwnDeed;
OwnDeed enforcement_own_deed(const Enforcement *enforcement);

/* Puts a plan in force. While a set is on trial only a rollback may, and ends the trial. expect:
 * EXPECT_ANY or the generation that must be in force. ret_generation is the one in force
 * afterwards. Returns 0, a TransactionError or a negative errno. */
int enforcement_commit(Enforcement *enforcement, const Plan *plan, uint64_t expect,
                       uint64_t *ret_generation);

/* Returns 0, a TransactionError or a negative errno. *ret_changed is 0 if it was so already. */
int enforcement_set_mode(Enforcement *enforcement, Mode mode, int *ret_changed,
                         uint64_t *ret_generation);
/* The same for one hook: in MODE_AUDIT it records and does not deny, whatever the mode of all is,
 * until it is set to MODE_ENFORCE again. */
int enforcement_set_hook_mode(Enforcement *enforcement, enum hook hook, Mode mode, int *ret_changed,
                              uint64_t *ret_generation);

/* Whether the kernel has what should be in force; to be called from time to time. What could not be
 * put in force at start is tried again, what something else took away is put back, and paths are
 * followed where they lead now. Returns 0 if
 * it has, 1 if not (enforcement_trouble() says why), or a negative errno. */
int enforcement_check(Enforcement *enforcement);

/* Gives back what is held for the events of, and a quick change from, what was in force before. A
 * minute after the last switch enforcement_check() does it. */
void enforcement_rest(Enforcement *enforcement);

/* To be called when something was mounted or unmounted. Where paths lead is found out anew, and if
 * that makes a difference, the rules of the same documents are put in force as they are meant now,
 * in one switch. Returns 0, trouble or not, or -ENOMEM. */
int enforcement_follow_paths(Enforcement *enforcement);

DEFINE_CLEANUP(Plan *, plan_free);
DEFINE_CLEANUP(Enforcement *, enforcement_free);
