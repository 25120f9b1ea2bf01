/*
 * otlp_env_parts: values of OTEL_* variables, read. For edges/otlp_env*.c alone. Each function says false
 * and changes nothing when it cannot read the value. What a signal's own variable sets replaces (and
 * frees) what the general one has set.
 */
#ifndef EDGES_OTLP_ENV_PARTS_H
#define EDGES_OTLP_ENV_PARTS_H

#include "edges/otlp_env.h"

const char *env_get(const struct otlp_env_options *options, const char *name); /* NULL: unset or empty */
/* A line of warning: what the variable wants instead; why it, or this one name of its list, does not count.
   At NULL the value is not shown. */
void env_refuse(const struct otlp_env_options *options, const char *name, const char *value,
                const char *wants);
void env_ignore(const struct otlp_env_options *options, const char *name, struct slice value,
                const char *why);

/* otlp_env_sdk.c: the variables that are no exporter's. */
void env_read_sdk(struct otlp_env *env, const struct otlp_env_options *options);

bool env_number(const char *value, int64_t least, int64_t most, int64_t *number);
/* Replaces `*own` by a copy. */
void env_copy(char **own, const char *value);

/* k=v,k=v with percent-encoding. Calls `take` with copies of key and value, which become its own; false
   from it, or a pair that is none, ends it. */
bool env_pairs(const char *list, bool (*take)(void *owner, char *key, char *value), void *owner);

bool env_headers(struct otlp_signal_env *signal, const char *list);
void env_headers_fini(struct otlp_signal_env *signal);
bool env_resource(struct otlp_env *env, const char *list);
void env_resource_fini(struct otlp_env *env);

/* http or https, with a host. `path`: appended after one slash; NULL: the URL as it is. */
bool env_url(char **own, const char *url, const char *path);

#endif
