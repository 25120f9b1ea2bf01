/* main: makes the process fit to run a verb, and its output safe to trust. */
#include "edges/command.h"
#include "edges/exit_code.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* A file opened later must not become standard output by chance: a descriptor that is missing is
   taken, read-only, so that writing to it fails as it should. */
static void hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            (void)!open("/dev/null", O_RDONLY);
}

int main(int argc, char **argv)
{
    hold_standard_descriptors();
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone is a write error like any other */
    setlocale(LC_CTYPE, "");
    int exit_code = command_main(argc, argv);
    if ((fflush(stdout) || ferror(stdout)) && exit_code == EXIT_CODE_HELD) {
        fprintf(stderr, "doorbuster: cannot write to standard output: %s\n", strerror(errno));
        return EXIT_CODE_INTERNAL;
    }
    return exit_code;
}
