/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Password: see password.h. Read by hand: a stream's buffer would keep it. */
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

char *password_free(char *password)
{
        sodium_free(password);
        return NULL;
}

/* Returns the length, -EMSGSIZE or another negative errno. The line ends in NUL. */
static ssize_t read_line(int fd, char line[PASSWORD_MAX])
{
        size_t n = 0;

        while (n < PASSWORD_MAX) {
                ssize_t got = read(fd, line + n, 1);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0 || line[n] == '\n') {
                        line[n] = '\0';
                        return (ssize_t) n;
                }
                n++;
        }
        return -EMSGSIZE;
}

static ssize_t read_unseen(int terminal, const char *prompt, char line[PASSWORD_MAX])
{
        struct termios seen, unseen;
        ssize_t n;

        if (tcgetattr(terminal, &seen) < 0)
                return -errno;
        unseen = seen;
        unseen.c_lflag &= ~(tcflag_t) ECHO;
        if (tcsetattr(terminal, TCSAFLUSH, &unseen) < 0)
                return -errno;
        dprintf(terminal, "%s: ", prompt);
        n = read_line(terminal, line);
        dprintf(terminal, "\n");
        tcsetattr(terminal, TCSAFLUSH, &seen);
        return n;
}

static ssize_t read_anywhere(const char *prompt, char line[PASSWORD_MAX])
{
        _cleanup_(closep) int terminal = -1;

        if (!isatty(STDIN_FILENO))
                return read_line(STDIN_FILENO, line);
        terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
        return terminal < 0 ? -errno : read_unseen(terminal, prompt, line);
}

ToolStatus password_read(const char *prompt, char **ret_password)
{
        _cleanup_(password_freep) char *password = sodium_malloc(PASSWORD_MAX);
        ssize_t n;

        if (!password)
                return tool_trouble("no memory can be locked for a password; raise 'ulimit -l'.");
        n = read_anywhere(prompt, password);
        if (n == -EMSGSIZE)
                return tool_trouble("the password is longer than %u bytes; use a shorter one.",
                                    PASSWORD_MAX - 1);
        if (n < 0)
                return tool_trouble("no password can be read: %s.", strerror((int) -n));
        if (n == 0)
                return tool_trouble("the password is empty; type one, or use --no-password.");
        *ret_password = TAKE_PTR(password);
        return TOOL_FINE;
}

ToolStatus password_read_new(const char *prompt, char **ret_password)
{
        _cleanup_(password_freep) char *password = NULL, *again = NULL;
        ToolStatus status = password_read(prompt, &password);

        if (status == TOOL_FINE && isatty(STDIN_FILENO)) {
                status = password_read("The same again", &again);
                if (status == TOOL_FINE && strcmp(password, again) != 0)
                        status = tool_trouble("the two passwords differ; begin anew.");
        }
        if (status == TOOL_FINE)
                *ret_password = TAKE_PTR(password);
        return status;
}
