/*
 * version: what this program is, and the libraries it runs with.
 */
#ifndef EDGES_VERSION_H
#define EDGES_VERSION_H

#include <stddef.h>

struct library {
    const char *name,
        *version; /* of the library loaded; of h2o and hiredis, which do not tell, of the header */
};

const char *version_number(void); /* 0.1.0 */
const char *version_commit(void); /* "unknown" outside a repository */
const struct library *version_libraries(size_t *count);

#endif
