/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Start faults: a start with each of its calls failing in turn. */
#pragma once

#include "fault.h"
#include "transaction-fixture.h"

/* Starts as often as there are calls of that kind to fail, with what damage() leaves each time, and
 * once more. A start either ends with that error or comes to what it comes to without. */
void start_with_each_fault(Fixture *fixture, void (*damage)(Fixture *), FaultKind kind, int error);
