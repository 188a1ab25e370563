/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Main: aegis-client asks the service over D-Bus; see aegis-client(1). */
#include "client.h"

int main(int argc, char **argv)
{
        return client_run(argc, argv);
}
