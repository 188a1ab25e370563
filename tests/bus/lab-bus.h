/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lab: its bus, which is dbus-daemon or dbus-broker, with the service's bus policy. */
#pragma once

#include "lab.h"

#define LAB_SOCKET "/run/dbus/system_bus_socket"
#define LAB_ADDRESS "unix:path=" LAB_SOCKET

/* Runs a program, which ends with us; its output goes to a file, or to standard error if log is
 * NULL. */
pid_t lab_spawn(char *const argv[], const char *log);

const char *lab_bus_program(LabBus kind);

/* Returns once connections are taken. */
pid_t lab_bus_start(Lab *lab);
void lab_bus_close(Lab *lab);
