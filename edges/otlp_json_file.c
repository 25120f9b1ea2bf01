/* Lines to files: a write that fails ends its file. See edges/otlp_json.h. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "edges/otlp_json_parts.h"

/* All of it, or errno. A descriptor that does not block is waited for. */
static int write_all(int fd, struct iovec *parts, size_t count)
{
    enum { PARTS_MAX = 1024 }; /* IOV_MAX of Linux */
    while (count) {
        ssize_t wrote = writev(fd, parts, (int)MIN(count, PARTS_MAX));
        if (wrote < 0 && errno == EAGAIN) {
            struct pollfd ready = {.fd = fd, .events = POLLOUT};
            poll(&ready, 1, -1);
        } else if (wrote < 0 && errno != EINTR) {
            return errno;
        }
        size_t left = wrote > 0 ? (size_t)wrote : 0;
        for (; count && left >= parts->iov_len; parts++, count--)
            left -= parts->iov_len;
        if (count) {
            parts->iov_base = (char *)parts->iov_base + left;
            parts->iov_len -= left;
        }
    }
    return 0;
}

static void take_line(void *owner, enum otlp_signal signal, const struct iovec *parts, size_t count,
                      unsigned items)
{
    struct otlp_json *otlp = owner;
    struct otlp_json_tally *tally = &otlp->files.tally[signal];
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += parts[i].iov_len;
    /* A line that was cut ends the file: another behind it would not be read. */
    if (!tally->error) {
        struct iovec *left = base_alloc(count, sizeof *left);
        memcpy(left, parts, count * sizeof *left);
        tally->error = write_all(otlp->files.fds[signal], left, count);
        free(left);
    }
    if (tally->error) {
        tally->lost += items;
        return;
    }
    tally->items += items;
    tally->bytes += bytes;
    tally->lines++;
}

struct otlp_json *otlp_json_open(const struct otlp_json_options *options)
{
    struct otlp_encoding encoding = {
        .source = {.seed = options->seed,
                   .start_unix_ns = options->start_unix_ns,
                   .version = options->version,
                   .machine = options->machine,
                   .service_name = options->service_name,
                   .owner = options->owner},
        .take = take_line,
    };
    struct otlp_json *otlp = otlp_json_new(&encoding);
    otlp->encoding.owner = otlp;
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        otlp->files.fds[signal] = options->fds[signal];
        otlp->wanted[signal] = options->fds[signal] >= 0;
    }
    return otlp;
}

uint64_t otlp_json_written(const struct otlp_json *otlp, enum otlp_signal signal)
{
    const struct otlp_json_tally *tally = &otlp->files.tally[signal];
    return tally->items + tally->lost;
}

bool otlp_json_close(struct otlp_json *otlp, struct otlp_json_tally tally[OTLP_SIGNALS])
{
    bool whole = true;
    for (int signal = 0; signal < OTLP_SIGNALS; signal++) {
        otlp_json_flush(otlp, (enum otlp_signal)signal);
        whole = whole && !otlp->files.tally[signal].lost;
        if (tally)
            tally[signal] = otlp->files.tally[signal];
    }
    otlp_json_free(otlp);
    return whole;
}
