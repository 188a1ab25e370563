/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guest ways: see guest-ways.h. */
#include "guest-ways.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "guest-acts.h"
#include "guest-backend.h"

void fresh_tree(void)
{
        apply("");
        umount2("/t", MNT_DETACH);
        mkdir("/t", 0755);
        g_assert_cmpint(mount("tmpfs", "/t", "tmpfs", 0, NULL), ==, 0);
        make_file("/t/free");
        make_file("/t/secret");
        make_file("/t/vault/file");
}

void fresh_rules(void)
{
        fresh_tree();
        apply(RULES);
}

int act_open(const void *path)
{
        return open(path, O_RDONLY);
}

int own_mounts(void)
{
        if (unshare(CLONE_NEWNS) < 0)
                return -1;
        return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}
