/*
 * shape: the fields of a message body, as routes declare them, and whether a body has them.
 *
 * A declaration names the items of a msgpack array in order, separated by spaces:
 *
 *     recommendations:[id:int name:text price:real] count:int user_id?:text
 *
 * Types are text, int, real (an integer will do), bool, any (one value of any kind) and `[fields]`, a
 * list whose items are arrays of those fields. `?` after the name means that nil will do as well.
 * Names are made of a-z, 0-9 and _ and differ within one array.
 *
 * Names point into the declaration, which must outlive the shape. Nothing is allocated. Bounds:
 * BODY_FIELDS_MAX fields in all, lists BODY_DEPTH_MAX deep. Bodies may be hostile.
 */
#ifndef CORE_SHAPE_H
#define CORE_SHAPE_H

#include "core/pack.h"

enum { BODY_FIELDS_MAX = 64, BODY_DEPTH_MAX = 4 };

enum body_type { BODY_TEXT, BODY_INT, BODY_REAL, BODY_BOOL, BODY_ANY, BODY_LIST };

struct body_field {
    struct slice name;
    enum body_type type;
    bool optional; /* nil will do */
    uint16_t next; /* index of the field after this one: those between are inside this list */
};

struct body_shape {
    struct body_field fields[BODY_FIELDS_MAX]; /* outer ones first, each followed by its inner ones */
    uint16_t count;
};

/* NULL and "" declare no fields. False: it is no declaration; *error_at (may be NULL) is where. */
bool body_shape_parse(const char *declaration, struct body_shape *shape, size_t *error_at);

/* Whether what is left at the cursor is one array of these fields and nothing more; past it then. A body
   without bytes does for a shape without fields. */
bool body_shape_check(const struct body_shape *shape, struct cursor *cursor);

#endif
