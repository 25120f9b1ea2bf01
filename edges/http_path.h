/*
 * http_path: the path and the query of a request target, taken apart.
 *
 * A template is a path whose segments are text or one `{name}`: "/cart/{cart_id}". Values are percent-decoded and must
 * be UTF-8 without control characters; in a query `+` is a blank. Where a name comes twice, the first one counts.
 *
 * Bounds: HTTP_PARAMS_MAX values of HTTP_PARAM_BYTES_MAX bytes each; the target itself is at most HTTP_TARGET_MAX
 * bytes, which is the caller's to check. Decoded bytes live in the struct. Input may be hostile.
 */
#ifndef EDGES_HTTP_PATH_H
#define EDGES_HTTP_PATH_H

#include "core/base.h"

enum { HTTP_TARGET_MAX = 2048, HTTP_PARAMS_MAX = 32, HTTP_PARAM_BYTES_MAX = 256 };

struct http_params {
    struct {
        struct slice name, value;
    } list[HTTP_PARAMS_MAX];
    size_t count;
    size_t used;
    char bytes[2 * HTTP_TARGET_MAX];
};

enum http_match { HTTP_NO_MATCH, HTTP_MATCH, HTTP_MATCH_BAD /* but for a value that cannot be */ };

/* Adds the values of the template's names to `params`; their count is as before where the path does not match. */
enum http_match http_path_match(const char *template, struct slice path, struct http_params *params);
/* False: it is malformed or too much; `wrong` is the name it is about, or empty. */
bool http_query_parse(struct slice query, struct http_params *params, struct slice *wrong);
/* Adds a value as it is, e.g. of a header; false: it is too long or has bytes that a value cannot have. */
bool http_params_add(struct http_params *params, const char *name, struct slice value);
/* The value of that name; at NULL: none. */
struct slice http_params_find(const struct http_params *params, struct slice name);

#endif
