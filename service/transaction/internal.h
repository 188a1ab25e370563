/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rooms of transaction/ share: the enforcement's inside. Included by nobody else. */
#pragma once

#include <sys/stat.h>

#include "transaction/emergency.h"
#include "transaction/folder.h"
#include "transaction/generations.h"
#include "transaction/history.h"
#include "transaction/set.h"
#include "transaction/store.h"
#include "transaction/transaction.h"
#include "transaction/trial.h"
#include "transaction/trouble.h"
#include "transaction/trust.h"

/* An image and the generations whose events it names. */
typedef struct Naming {
        PolicyImage *image;
        uint64_t first, last;
        ImageRule told; /* the last rule that was named */
} Naming;

/* A document without a fault or a remark, as it was last read: whoever plans it mostly applies it
 * next. */
typedef struct Reading {
        Policy *policy; /* NULL: none */
        uint8_t digest[DIGEST_SIZE];
} Reading;

struct Enforcement {
        Backend *backend;
        EnforcementFunc on_change;
        void *userdata;
        Store *store;
        Generations *generations;
        History *history;
        Trust *trust;
        DocumentSet *documents;
        uint8_t digest[DIGEST_SIZE];
        uint64_t generation;
        Mode mode;
        uint64_t audited; /* HOOK_BIT of each hook that is in MODE_AUDIT whatever the mode is */
        int documents_unknown; /* the store is lost: the kernel goes on with what it has */
        int in_force;          /* the kernel was given the documents, or holds them already */
        int released;          /* on demand: the kernel is not to have them for now */
        int unpublished;       /* what is in force is still called STORE_NEXT */
        int is_marked;         /* see marker.h */
        const char *marker_directory, *baseline_file; /* or NULL */
        unsigned n_tries, n_waits;                    /* see enforcement_check() */
        uint64_t look_again_usec; /* CLOCK_MONOTONIC: not before, paths are looked up anew */
        Naming current, previous;
        uint64_t filled_usec;     /* CLOCK_MONOTONIC: when the kernel was last given an image */
        int has_rested;           /* since then */
        Numbering numbering;      /* of the documents' rules, in the kernel and on disk */
        Compilation *compilation; /* what the last one left for the next; NULL: nothing */
        Reading reading;
        struct stat record;  /* of the file STORE_STATE as it was last known to be right */
        int is_record_other; /* it is not right now */
        Emergency emergency;
        Trial trial;
        Folder folder;
        OwnDeed own_deed;
        Trouble trouble;
};

/* See Reading. What is remembered is given as a reference, or NULL. */
Policy *remembered_reading(const Enforcement *enforcement, const uint8_t digest[DIGEST_SIZE]);
void remember_reading(Enforcement *enforcement, Policy *policy, const uint8_t digest[DIGEST_SIZE]);

/* What is to be put in force. */
typedef struct Proposal {
        DocumentSet *documents;
        PolicyImage *image;  /* NULL: the image stays, only modes and the generation change */
        Numbering numbering; /* of its rules; before it is compiled, the one it must have */
        Mode mode;
        uint64_t audited;
        uint64_t generation;
} Proposal;
void proposal_deinit(Proposal *proposal);

/* Whether where paths lead is asked of those rules alone that are new, or of all. */
typedef enum Paths {
        PATHS_OF_NEW_RULES,
        PATHS_OF_ALL_RULES,
} Paths;

/* Compiles a set. Rules of the documents in force keep their numbers. The rest as of
 * document_set_compile(). */
int enforcement_compile(Enforcement *enforcement, const DocumentSet *documents, Paths paths,
                        const char *name, Diagnostics *diagnostics, PolicyImage **ret_image);

/* Compiles proposal->documents into proposal->image; faults are logged. Returns 0, a
 * TransactionError or a negative errno. */
int proposal_compile(Enforcement *enforcement, Proposal *proposal, Paths paths);

/* Record aside, prepare, switch, publish. On success the proposal's parts belong to the
 * enforcement; on failure nothing changed. Returns 0, a TransactionError or a negative errno. */
int enforcement_enact(Enforcement *enforcement, Proposal *proposal);

/* The same for what is already the record on disk, at start. */
int enforcement_enact_recorded(Enforcement *enforcement, Proposal *proposal);

/* Takes the proposal as what is wanted, without touching kernel or disk. */
void enforcement_take(Enforcement *enforcement, Proposal *proposal);

/* Gives the last written record its name, or remembers that this is still to be done. */
void enforcement_publish(Enforcement *enforcement);

/* Says, outside of the store, that there is a record now. */
void enforcement_mark(Enforcement *enforcement);

/* The number for the next change: above all that the store or the kernel has seen. */
uint64_t enforcement_next_generation(const Enforcement *enforcement);

/* A TransactionError or -ENOMEM for what the backend answered. */
int enforcement_translate(int error);

void enforcement_tell(const Enforcement *enforcement, EnforcementChange change);

/* Tells why what is wanted is not in force. */
void enforcement_explain(Enforcement *enforcement, int error);

/* As enforcement_plan_rollback(), for the service itself: also where documents must be signed. */
int enforcement_plan_return(Enforcement *enforcement, uint64_t to, Plan **ret_plan);

/* The start: see recover.c. Returns 0 or a negative errno. */
int enforcement_recover(Enforcement *enforcement);

/* What was found at start can be gone back to as well: an older version may have recorded it. */
void enforcement_keep_found(Enforcement *enforcement);

/* What is to be in force as that generation is on trial, as the plan says. Returns 0,
 * TRANSACTION_E_NO_SUCH_GENERATION if what is in force could not be gone back to, or a negative
 * errno. */
int enforcement_begin_trial(Enforcement *enforcement, const Plan *plan, uint64_t generation);
void enforcement_end_trial(Enforcement *enforcement);
void enforcement_find_trial(Enforcement *enforcement); /* at start */

/* What there being no documents would do; as enforcement_plan_rollback(). */
int enforcement_plan_nothing(Enforcement *enforcement, Plan **ret_plan);

/* The idle slot is about to be filled. */
void enforcement_note_fill(Enforcement *enforcement);

/* The file STORE_STATE is right as it is now. */
void enforcement_note_record(Enforcement *enforcement);

/* Whether it still is; told as trouble if not. */
void enforcement_check_record(Enforcement *enforcement);

void enforcement_find_emergency(Enforcement *enforcement); /* at start */

/* The kernel knows of the emergency what the record says. */
void enforcement_hold_emergency(Enforcement *enforcement);

/* A plan without anything in it yet, or NULL when memory is short. */
Plan *plan_new(const Enforcement *enforcement, const char *name);

uint64_t plan_now_usec(void); /* CLOCK_REALTIME */

/* Fills a plan with what the document would do, or what its going would. Returns 0, a
 * TransactionError or a negative errno. */
int plan_document(Plan *plan, Enforcement *enforcement, const char *text, size_t n_text);
int plan_removal(Plan *plan, Enforcement *enforcement);

/* Compiles the set as it would be, and binds the plan to it. Returns 0, a TransactionError or a
 * negative errno. */
int plan_try(Plan *plan, Enforcement *enforcement, Paths paths, PolicyImage **ret_image);

/* Whether an image in force (or NULL) decides as another: paths may lead elsewhere by now. */
int plan_means_the_same(const PolicyImage *before, const PolicyImage *after);

/* The set as it would be with the plan done; entries it adds carry generation and the time that it
 * is now. Returns 0, a TransactionError or -ENOMEM. */
int plan_realize(const Plan *plan, const DocumentSet *documents, uint64_t generation,
                 DocumentSet **ret_documents);

/* Adds the lines of difference between two policies, either of which may be NULL. Returns 0 or
 * -ENOMEM. */
int plan_compare(Plan *plan, Policy *before, Policy *after);
