/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Error: see error.h. */
#include "bus/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/text.h"
#include "transaction/exception.h"
#include "util/array.h"

/* All faults of a document in one message; a bus would carry more, a reader would not. */
#define MESSAGE_MAX (64u * 1024)

typedef struct ErrorRow {
        const char *name;
        const char *message;
} ErrorRow;

static const ErrorRow rows[] = {
        [TRANSACTION_E_INVALID_POLICY] = {ERROR_INVALID_POLICY, "the document has faults"},
        [TRANSACTION_E_TOO_LARGE] = {ERROR_POLICY_TOO_LARGE,
                                     "the document is larger than this service takes"},
        [TRANSACTION_E_INVALID_NAME] = {SD_BUS_ERROR_INVALID_ARGS,
                                        "a name is 1 to 64 of A-Z a-z 0-9 _ . - and does not "
                                        "begin with a dot or a dash"},
        [TRANSACTION_E_NO_SUCH_POLICY] = {ERROR_NO_SUCH_POLICY,
                                          "no policy of that name is in force"},
        [TRANSACTION_E_GENERATION] = {ERROR_GENERATION_MISMATCH,
                                      "another generation is in force than the one expected"},
        [TRANSACTION_E_GUARANTEE] = {ERROR_GUARANTEE_MISSING,
                                     "the policy needs a hook that cannot deny on this machine; "
                                     "the Hook objects say why"},
        [TRANSACTION_E_TOO_MANY] = {SD_BUS_ERROR_LIMITS_EXCEEDED,
                                    "as many policies are in force as this service takes"},
        [TRANSACTION_E_KERNEL] = {ERROR_KERNEL_REJECTED, "the kernel refused the prepared policy"},
        [TRANSACTION_E_STALE] = {ERROR_AUTHORIZATION_STALE,
                                 "what is in force changed after this was planned"},
        [TRANSACTION_E_NO_SUCH_RULE] = {ERROR_NO_SUCH_RULE,
                                        "the policy " RUNTIME_NAME " has no such rule; ListRules "
                                        "lists those it has"},
        [TRANSACTION_E_RESERVED] = {SD_BUS_ERROR_INVALID_ARGS,
                                    "the policy " EXCEPTIONS_NAME " is the service's own: AllowFor "
                                    "adds to it, Revoke of an exception takes away"},
        [TRANSACTION_E_STILL_DENIED] = {ERROR_NOT_EXCEPTABLE, "a rule would still deny it"},
        [TRANSACTION_E_UNKNOWN] = {SD_BUS_ERROR_FAILED,
                                   "the record of what the kernel enforces is lost; single rules "
                                   "can be changed once the policies have been applied anew"},
        [TRANSACTION_E_NO_SUCH_GENERATION] = {ERROR_NO_SUCH_GENERATION,
                                              "that generation is not kept, or its record is "
                                              "damaged; the property Generations lists those that "
                                              "are kept"},
        [TRANSACTION_E_ON_TRIAL] = {ERROR_BUSY,
                                    "what is in force is on trial; confirm it (Confirm) or go back "
                                    "(Rollback) first"},
        [TRANSACTION_E_NO_TRIAL] = {ERROR_NO_SUCH_GENERATION,
                                    "that generation is not on trial; the property "
                                    "ConfirmGeneration says which is"},
        [TRANSACTION_E_SIGNATURE] = {ERROR_SIGNATURE_INVALID,
                                     "the signatures are not those that are asked for"},
        [TRANSACTION_E_SIGNATURE_REQUIRED] = {ERROR_SIGNATURE_REQUIRED,
                                              "this machine is set to take what documents say from "
                                              "those who sign them alone (SignatureRequired): "
                                              "apply a signed document"},
        [TRANSACTION_E_EXPIRED] = {ERROR_POLICY_EXPIRED,
                                   "the time of the document is over, or has not come"},
        [TRANSACTION_E_ROLLBACK] = {ERROR_POLICY_ROLLBACK,
                                    "a later document of that name has been in force"},
        [TRANSACTION_E_NO_DIRECTORY] = {SD_BUS_ERROR_NOT_SUPPORTED,
                                        "no directory has policies to load; PolicyDirectory= in "
                                        "aegisd.conf names it"},
        [TRANSACTION_E_RUNTIME_VERSION] = {ERROR_UNSUPPORTED_FEATURE,
                                           "the policy " RUNTIME_NAME " in force is no document of "
                                           "version 7; single rules need one: apply it anew in "
                                           "version 7, or remove it"},
};

/* Ends the text with its last whole line, without the line end. */
static void end_with_line(char *text)
{
        char *end = strrchr(text, '\n');

        if (end)
                *end = '\0';
}

int error_set_diagnostics(sd_bus_error *error, const Diagnostics *diagnostics, const char *name)
{
        _cleanup_(freep) char *lines = diagnostics_format(diagnostics, name);
        _cleanup_(freep) char *message = lines ? text_valid(lines, MESSAGE_MAX) : NULL;

        if (!message)
                return sd_bus_error_set_errno(error, -ENOMEM);
        end_with_line(message);
        return sd_bus_error_set(error, ERROR_INVALID_POLICY, message);
}

int error_set_transaction(sd_bus_error *error, int result, const Plan *plan)
{
        if (result < 0)
                return sd_bus_error_set_errno(error, result);
        if (result == TRANSACTION_E_INVALID_POLICY && plan && plan->diagnostics.n_faults > 0)
                return error_set_diagnostics(error, &plan->diagnostics, plan->name);
        if ((size_t) result >= ELEMENTS_OF(rows) || !rows[result].name)
                return sd_bus_error_set_errno(error, -EINVAL);
        return sd_bus_error_set(error, rows[result].name,
                                plan && plan->reason ? plan->reason : rows[result].message);
}
