/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Main: aegis-policy looks at policy documents offline; see aegis-policy(1). */
#include "tool.h"

int main(int argc, char **argv)
{
        return tool_run(argc, argv);
}
