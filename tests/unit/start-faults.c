/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "start-faults.h"

#include <glib.h>

void start_with_each_fault(Fixture *fixture, void (*damage)(Fixture *), FaultKind kind, int error)
{
        unsigned n = 0, n_failed = 0;
        int r;

        do {
                stop(fixture);
                damage(fixture);
                start_backend(fixture);
                fail_nth(++n, kind, error);
                r = try_start_enforcement(fixture);
                n_failed += r < 0;
                if (r != 0 && r != -error)
                        g_error("call %u (%s): %d", n, fail_met(), r);
        } while (fail_no_more() >= n);
        g_assert_cmpint(r, ==, 0);
        g_assert_cmpuint(n_failed, >, 5);
}
