/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aegisd: reads its configuration, brings itself up, and serves until it is told to leave; or does
 * what root has to do before that, and ends. */
#include <stdlib.h>
#include <sys/stat.h>

#include "backend/backend.h"
#include "config.h"
#include "handover.h"
#include "manager.h"
#include "util/log.h"

static int run(int argc, char **argv)
{
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(manager_freep) Manager *manager = NULL;
        int r;

        umask(0022);
        r = config_new(&config, argc, argv);
        if (r != 0)
                return r;
        log_set_max_level(config->log_level);
        log_set_format(config->log_format);
        r = backend_claim(config->pin_directory);
        if (r < 0)
                return r;
        if (config->hand_over)
                return handover_give(config);
        r = manager_new(&manager, config);
        if (r < 0)
                return r;
        return manager_run(manager);
}

int main(int argc, char **argv)
{
        return run(argc, argv) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
