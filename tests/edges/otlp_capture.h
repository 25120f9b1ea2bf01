/*
 * otlp_capture: an OTLP/JSON exporter of one signal that writes to a file without a name, for tests.
 * capture_close gives what was written; free(capture.text). Service names are those of three services.
 */
#ifndef TESTS_EDGES_OTLP_CAPTURE_H
#define TESTS_EDGES_OTLP_CAPTURE_H

#include "edges/otlp_json.h"

struct capture {
    struct otlp_json *otlp;
    void *file;
    int fd;
    unsigned asked; /* how often for a service's name */
    struct otlp_json_tally tally[OTLP_SIGNALS];
    char *text;
};

#define CAPTURE_SCOPE "{\"scope\":{\"name\":\"doorbuster\",\"version\":\"0.1.0\"},"
#define CAPTURE_SCHEMA "\"schemaUrl\":\"https://opentelemetry.io/schemas/1.44.0\""

struct otlp_json_options capture_options(struct capture *capture, enum otlp_signal signal, int fd);
void capture_open(struct capture *capture, enum otlp_signal signal);
const char *capture_close(struct capture *capture);
unsigned count_of(const char *text, const char *what);

#endif
