#include "edges/version.h"

#include "core/base.h"

#include <curl/curl.h>
#include <ev.h>
#include <h2o/version.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <msgpack.h>
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <uv.h>
#include <yaml.h>
#include <zlib.h>

/* The build sets both; a file compiled by hand has neither. */
#ifndef DOORBUSTER_VERSION
#define DOORBUSTER_VERSION "unknown"
#endif
#ifndef DOORBUSTER_COMMIT
#define DOORBUSTER_COMMIT "unknown"
#endif

#define QUOTED(number) #number
#define DOTTED(major, minor, patch) QUOTED(major) "." QUOTED(minor) "." QUOTED(patch)

const char *version_number(void)
{
    return DOORBUSTER_VERSION;
}

const char *version_commit(void)
{
    return DOORBUSTER_COMMIT;
}

/* Those that tell it as numbers. */
static const char *ev_version(void)
{
    static char text[24];
    snprintf(text, sizeof text, "%d.%d", ev_version_major(), ev_version_minor());
    return text;
}

static const char *pq_version(void)
{
    static char text[24];
    snprintf(text, sizeof text, "%d.%d", PQlibVersion() / 10000, PQlibVersion() % 10000);
    return text;
}

const struct library *version_libraries(size_t *count)
{
    static struct library libraries[11];
    const struct library known[ARRAY_LEN(libraries)] = {
        {"h2o", H2O_VERSION}, /* of the header: the library does not tell, nor does hiredis */
        {"hiredis", DOTTED(HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH)},
        {"jansson", jansson_version_str()},
        {"libcurl", curl_version_info(CURLVERSION_NOW)->version},
        {"libev", ev_version()},
        {"libpq", pq_version()},
        {"libuv", uv_version_string()},
        {"libyaml", yaml_get_version_string()},
        {"msgpack", msgpack_version()},
        {"protobuf-c", protobuf_c_version()},
        {"zlib", zlibVersion()},
    };
    memcpy(libraries, known, sizeof libraries);
    *count = ARRAY_LEN(libraries);
    return libraries;
}
