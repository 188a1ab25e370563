/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service in a machine, as it is installed, and who calls it. Asserts where anything fails. */
#pragma once

#include <glib.h>

#include <systemd/sd-bus.h>

#define NAME "org.aegis.Enforcer"
#define ALICE 1000u

/* The one service that a test starts, and the test's own way to the bus; opened by itself. */
sd_bus *guest_bus(void);

void start_service(void); /* returns when it has its name */
void kill_service(void);  /* with SIGKILL, though it guards itself from signals */
GPid service_pid(void);

typedef struct Result {
        int status; /* the exit status */
        char *out, *err;
} Result;
void result_clear(Result *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Result, result_clear)

Result run_as(unsigned uid, const char *const *argv);
#define client(...) run_as(0, (const char *[]){"aegis-client", __VA_ARGS__, NULL})

/* Of the Manager; type is "s" or "t". The caller frees. */
char *property(const char *name, const char *type);
void assert_property(const char *name, const char *type, const char *expected);

void apply_by_root(const char *name, const char *text);
void client_removes(const char *name);
