#define _GNU_SOURCE /* memmem */
#include "tests/edges/otlp_capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <unistd.h>

#include <cmocka.h>

static const char *service_name(void *owner, uint16_t service)
{
    static const char *const names[] = {"frontend", "cart-service", "product-catalog"};
    *(unsigned *)owner += 1;
    assert_true(service < ARRAY_LEN(names));
    return names[service];
}

struct otlp_json_options capture_options(struct capture *capture, enum otlp_signal signal, int fd)
{
    struct otlp_json_options made = {.fds = {-1, -1, -1},
                                     .seed = 42,
                                     .start_unix_ns = 1764000000000000000,
                                     .version = "0.1.0",
                                     .service_name = service_name,
                                     .owner = &capture->asked};
    made.fds[signal] = fd;
    return made;
}

void capture_open(struct capture *capture, enum otlp_signal signal)
{
    *capture = (struct capture){.file = tmpfile()};
    assert_non_null(capture->file);
    capture->fd = fileno(capture->file);
    struct otlp_json_options made = capture_options(capture, signal, capture->fd);
    capture->otlp = otlp_json_open(&made);
}

const char *capture_close(struct capture *capture)
{
    assert_true(otlp_json_close(capture->otlp, capture->tally));
    off_t bytes = lseek(capture->fd, 0, SEEK_END);
    capture->text = calloc((size_t)bytes + 1, 1);
    assert_non_null(capture->text);
    assert_int_equal(pread(capture->fd, capture->text, (size_t)bytes, 0), bytes);
    fclose(capture->file);
    return capture->text;
}

unsigned count_of(const char *text, const char *what)
{
    unsigned count = 0;
    size_t len = strlen(what);
    const char *end = text + strlen(text);
    for (; (text = memmem(text, (size_t)(end - text), what, len)); text += len)
        count++;
    return count;
}
