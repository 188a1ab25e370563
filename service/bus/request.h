/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Request: one method call as its describe() understood it: which action it is, what a person who
 * is asked should know, and what an authorization of it is bound to. Arguments are read here,
 * bounded. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <systemd/sd-bus.h>

#include "auth/action.h"
#include "auth/polkit.h"
#include "backend/backend.h"
#include "event/event.h"
#include "policy/digest.h"
#include "transaction/rule.h"
#include "transaction/transaction.h"

typedef struct BusServer BusServer;

#define CONFIRM_USEC_MIN (10u * 1000000ull)
#define CONFIRM_USEC_MAX (24u * 3600 * 1000000ull)
#define REQUEST_DETAILS_MAX 8u
#define EXCEPTION_NAME_SIZE 64u

/* What must still be so when the answer arrives. All zero: nothing in particular. */
typedef struct Binding {
        uint64_t generation;
        uint8_t digest[DIGEST_SIZE];
} Binding;

typedef struct Request {
        BusServer *server;
        sd_bus_message *message; /* not owned */
        uid_t uid;               /* of the caller */
        Action action;           /* describe() may choose another than the row's */
        PolkitDetail details[REQUEST_DETAILS_MAX];
        size_t n_details;
        Binding binding;
        /* What the arguments came to; each method uses its own. */
        Plan *plan;
        FolderReport *folder;
        uint64_t expect;
        Mode mode;
        const char *hook; /* whose mode; NULL: that of all */
        EventFilter filter;
        const char *entry; /* points into the message */
        SingleRule *rule;
        ChangeKind kind;
        uint64_t ttl_usec;
        char exception[EXCEPTION_NAME_SIZE]; /* its name */
        uint64_t confirm_usec;               /* of Apply; 0: for good */
        int is_check;                        /* only what would be done is asked */
        SignatureText signature_texts[SIGNATURES_MAX];
        SignatureTexts signatures; /* leads there; n is 0 where none was given */
        uint64_t since_usec, until_usec;
        uint32_t limit;
} Request;

void request_deinit(Request *request);

/* Adds a line for the person who is asked, sanitised. At most REQUEST_DETAILS_MAX. Returns 0 or
 * -ENOMEM. */
int request_detail(Request *request, const char *key, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* A whole text; where it is too long, it ends with an ellipsis. */
int request_detail_text(Request *request, const char *key, const char *text);

/* How many lines the plan adds and removes. */
int request_detail_counts(Request *request);

/* The generation in force and a digest, in hexadecimal, as details and as the binding. */
int request_bind(Request *request, uint64_t generation, const uint8_t digest[DIGEST_SIZE]);

/* Busy, if the plan changes something while what is in force is on trial. Returns 0 or a negative
 * errno. */
int request_refuse_on_trial(const Request *request, sd_bus_error *error);

/* Each reads the next argument. They return 0 or a negative errno with error set: an argument
 * beyond its bounds, an option nobody knows, a feature that is not there. */
int request_read_name(Request *request, const char **ret_name, sd_bus_error *error);
int request_read_document(Request *request, const char **ret_text, size_t *ret_n,
                          sd_bus_error *error);
/* Each the text of a signature's file, into signatures; they point into the message. */
int request_read_signatures(Request *request, sd_bus_error *error);
/* What Apply of that document with those signatures would do, into plan. */
int request_make_plan(Request *request, const char *name, const SignatureText *document,
                      sd_bus_error *error);
int request_read_expect(Request *request, sd_bus_error *error);
int request_read_options(Request *request, sd_bus_error *error);
/* A mode and options: mode, the action by its direction, and what it is bound to. */
int request_read_mode(Request *request, sd_bus_error *error);
/* Those of Apply, into confirm_usec. */
int request_read_apply_options(Request *request, sd_bus_error *error);
/* Those of Reload, into is_check. */
int request_read_reload_options(Request *request, sd_bus_error *error);
/* Those of Simulate, into signatures. */
int request_read_simulate_options(Request *request, sd_bus_error *error);
/* Those of AddRule (CHANGE_ADDED) or RemoveRule, into expect, ttl_usec and is_check. */
int request_read_rule_options(Request *request, ChangeKind kind, sd_bus_error *error);
int request_read_filter(Request *request, sd_bus_error *error);
