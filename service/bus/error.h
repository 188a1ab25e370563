/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Error: the one place where results of the layers below get their names on the bus. */
#pragma once

#include <systemd/sd-bus.h>

#include "transaction/transaction.h"

#define ERROR_PREFIX "org.aegis.Enforcer.Error."
#define ERROR_INVALID_POLICY ERROR_PREFIX "InvalidPolicy"
#define ERROR_POLICY_TOO_LARGE ERROR_PREFIX "PolicyTooLarge"
#define ERROR_UNSUPPORTED_FEATURE ERROR_PREFIX "UnsupportedFeature"
#define ERROR_NO_SUCH_POLICY ERROR_PREFIX "NoSuchPolicy"
#define ERROR_NO_SUCH_EVENT ERROR_PREFIX "NoSuchEvent"
#define ERROR_NOT_EXCEPTABLE ERROR_PREFIX "NotExceptable"
#define ERROR_NO_SUCH_RULE ERROR_PREFIX "NoSuchRule"
#define ERROR_NO_SUCH_GENERATION ERROR_PREFIX "NoSuchGeneration"
#define ERROR_SIGNATURE_INVALID ERROR_PREFIX "SignatureInvalid"
#define ERROR_SIGNATURE_REQUIRED ERROR_PREFIX "SignatureRequired"
#define ERROR_POLICY_EXPIRED ERROR_PREFIX "PolicyExpired"
#define ERROR_POLICY_ROLLBACK ERROR_PREFIX "PolicyRollback"
#define ERROR_GENERATION_MISMATCH ERROR_PREFIX "GenerationMismatch"
#define ERROR_AUTHORIZATION_STALE ERROR_PREFIX "AuthorizationStale"
#define ERROR_AUTHORIZATION_UNAVAILABLE ERROR_PREFIX "AuthorizationUnavailable"
#define ERROR_BUSY ERROR_PREFIX "Busy"
#define ERROR_KERNEL_REJECTED ERROR_PREFIX "KernelRejected"
#define ERROR_GUARANTEE_MISSING ERROR_PREFIX "GuaranteeMissing"

/* InvalidPolicy, with all faults as the message. name stands before each. Returns a negative errno.
 */
int error_set_diagnostics(sd_bus_error *error, const Diagnostics *diagnostics, const char *name);

/* Sets error to what a TransactionError or a negative errno is called. plan may be NULL; its
 * diagnostics are the message of InvalidPolicy. Returns a negative errno, for a handler to return.
 */
int error_set_transaction(sd_bus_error *error, int result, const Plan *plan);
