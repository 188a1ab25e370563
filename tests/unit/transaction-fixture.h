/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of transactions stand on: an enforcement over the twin of the backend, on folders
 * of its own, that can be stopped, started, and find its kernel empty. */
#pragma once

#include <glib.h>

#include "backend-twin.h"
#include "transaction/rule.h"
#include "transaction/transaction.h"

#define DENY_A "version=1\n[deny_path]\n/a\n"
#define DENY_AB "version=1\n[deny_path]\n/a\n/b\n"
#define DENY_BC "version=1\n[deny_path]\n/b\n/c\n"
#define DENY_PORT "version=1\n[deny_port]\n2222\n"
#define FAULTY "version=1\n[deny_path]\nnot-absolute\n"

/* A service's worth of objects on folders of its own. */
typedef struct Fixture {
        char *root, *state, *pins, *marker, *baseline, *folder;
        Backend *backend;
        Enforcement *enforcement;
        TrustConfig trust; /* as of the next start */
        unsigned n_told;
        EnforcementChange told;
} Fixture;

void set_up(Fixture *fixture, gconstpointer data);
void tear_down(Fixture *fixture, gconstpointer data);

/* Folders below a root that is there, or is to be; nothing is started. */
void set_places(Fixture *fixture, const char *root);
void clear_places(Fixture *fixture);

/* What enforcement_new() returned. */
int try_start(Fixture *fixture);
void start_backend(Fixture *fixture);
int try_start_enforcement(Fixture *fixture); /* the rest of try_start() */
void start(Fixture *fixture);
void stop(Fixture *fixture);
void restart(Fixture *fixture);
void reboot(Fixture *fixture); /* as after a power cut: what the kernel had is gone */

int apply_text(Fixture *fixture, const char *name, const char *text);
void apply(Fixture *fixture, const char *name, const char *text);
void removes(Fixture *fixture, const char *name);

/* Single rules. The tries return what planning or committing returned; ret_plan may be NULL. */
SingleRule *rule_of(const char *section, const char *entry, uint64_t ttl_usec);
int change(Fixture *fixture, ChangeKind kind, const SingleRule *rule, Plan **ret_plan);
int try_add(Fixture *fixture, const char *section, const char *entry, uint64_t ttl_usec);
int try_remove(Fixture *fixture, const char *section, const char *entry);
void add(Fixture *fixture, const char *section, const char *entry);
void take(Fixture *fixture, const char *section, const char *entry);

uint64_t generation(Fixture *fixture);
TwinState kernel(Fixture *fixture);
void control(Fixture *fixture, const TwinControl *wanted);
TwinControl all_well(void);

void assert_agreement(Fixture *fixture); /* the kernel has what the enforcement says it has */
void assert_trouble(Fixture *fixture, const char *part);
void assert_no_trouble(Fixture *fixture);
void assert_text(Fixture *fixture, const char *name, const char *text);
/* Nothing but "web" with DENY_A is in force, in the kernel as before, and on disk. Restarts. */
void assert_untouched(Fixture *fixture, const TwinState *before);

char *state_file(Fixture *fixture, const char *name); /* a new string */
int has_file(Fixture *fixture, const char *name);
void flip_byte(Fixture *fixture, const char *name, size_t offset);
void empty_folder(const char *path);
void damage_generations(Fixture *fixture); /* all that are kept */

/* In the folder of policies, which is made if need be. */
char *folder_file(Fixture *fixture, const char *file); /* a new string */
void put_file(Fixture *fixture, const char *file, const char *text);
