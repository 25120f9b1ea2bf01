/*
 * fault_read: a fault that is to happen now, read by the rules of the scenario file.
 *
 * Only what is written is judged, not what the scenario had planned: somebody may have broken or mended things since
 * it began, so an index may be created although the scenario never drops it.
 */
#ifndef EDGES_FAULT_READ_H
#define EDGES_FAULT_READ_H

#include "core/actor.h"
#include "core/text.h"

struct fault_context {
    const struct registry *registry;
    const char *file; /* the scenario's */
    const char *const *settings; /* that it was loaded with */
    size_t setting_count;
};

/* A scenario whose last fault it is, to be freed; its at_ns means nothing. `value` is what the file would have behind
   the kind, as JSON. NULL: `error` says why, beginning with the kind, on one line. */
struct scenario *fault_read(const struct fault_context *context, enum fault_kind kind, const char *value,
                            struct text *error);

#endif
