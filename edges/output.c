#include "edges/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void output_failed(const char *name, int error)
{
    fprintf(stderr, "doorbuster: %s: cannot write: %s\n", name, strerror(error));
}

/* Two outputs in one file would write over each other; devices and pipes are their reader's business. */
static bool same_file(int a, int b)
{
    struct stat one, other;
    if (a < 0 || b < 0 || fstat(a, &one) || fstat(b, &other))
        return false;
    return S_ISREG(one.st_mode) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static int open_one(const char *path)
{
    if (!strcmp(path, "-"))
        return STDOUT_FILENO;
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
}

static void close_all(struct outputs *outputs)
{
    for (size_t i = 0; i < OUTPUT_KINDS; i++) {
        if (outputs->fd[i] > STDERR_FILENO)
            close(outputs->fd[i]);
        outputs->fd[i] = -1;
    }
}

static bool open_and_check(struct outputs *outputs, const struct options *options, enum output_kind kind)
{
    const char *path = options->outputs[kind], *option = output_kind_option(kind);
    outputs->fd[kind] = open_one(path);
    if (outputs->fd[kind] == -1) {
        fprintf(stderr, "doorbuster: %s %s: %s\n", option, path, strerror(errno));
        return false;
    }
    for (enum output_kind other = 0; other < kind; other++) {
        if (same_file(outputs->fd[other], outputs->fd[kind])) {
            fprintf(stderr, "doorbuster: %s and %s name the same file, %s\n", output_kind_option(other),
                    option, path);
            return false;
        }
    }
    return true;
}

bool outputs_open(struct outputs *outputs, const struct options *options)
{
    for (enum output_kind kind = 0; kind < OUTPUT_KINDS; kind++)
        outputs->fd[kind] = -1;
    for (enum output_kind kind = 0; kind < OUTPUT_KINDS; kind++) {
        if (options->outputs[kind] && !open_and_check(outputs, options, kind)) {
            close_all(outputs);
            return false;
        }
    }
    return true;
}

bool outputs_close(struct outputs *outputs, const struct options *options)
{
    bool whole = true;
    for (enum output_kind kind = 0; kind < OUTPUT_KINDS; kind++) {
        if (outputs->fd[kind] > STDERR_FILENO && close(outputs->fd[kind])) {
            output_failed(options->outputs[kind], errno);
            whole = false;
        }
        outputs->fd[kind] = -1;
    }
    return whole;
}

bool output_write(int fd, const char *name, const struct text *text)
{
    for (size_t at = 0; at < text->len;) {
        ssize_t written = write(fd, text->bytes + at, text->len - at);
        if (written >= 0) {
            at += (size_t)written;
        } else if (errno != EINTR) {
            output_failed(name, errno);
            return false;
        }
    }
    return true;
}
