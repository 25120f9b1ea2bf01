#include "edges/version.h"

#include "core/base.h"

#include <jansson.h>
#include <msgpack.h>
#include <yaml.h>

/* The build sets both; a file compiled by hand has neither. */
#ifndef DOORBUSTER_VERSION
#define DOORBUSTER_VERSION "unknown"
#endif
#ifndef DOORBUSTER_COMMIT
#define DOORBUSTER_COMMIT "unknown"
#endif

const char *version_number(void)
{
    return DOORBUSTER_VERSION;
}

const char *version_commit(void)
{
    return DOORBUSTER_COMMIT;
}

const struct library *version_libraries(size_t *count)
{
    static struct library libraries[3];
    libraries[0] = (struct library){"jansson", jansson_version_str()};
    libraries[1] = (struct library){"libyaml", yaml_get_version_string()};
    libraries[2] = (struct library){"msgpack", msgpack_version()};
    *count = ARRAY_LEN(libraries);
    return libraries;
}
