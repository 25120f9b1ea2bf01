#include "edges/http_path.h"

#include "edges/utf8.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_plain_text(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7f)
            return false;
    return utf8_valid(bytes, len);
}

/* Decodes to the end of the struct's bytes; at NULL: it cannot be a value. */
static struct slice decode(struct http_params *params, struct slice text, bool plus_is_blank)
{
    const struct slice none = {0};
    char *start = params->bytes + params->used;
    size_t len = 0, room = sizeof params->bytes - params->used;
    for (uint32_t i = 0; i < text.len; i++, len++) {
        char c = text.at[i];
        if (len == room)
            return none;
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.at[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return none;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        start[len] = c;
    }
    if (len > HTTP_PARAM_BYTES_MAX || !is_plain_text(start, len))
        return none;
    params->used += len;
    return (struct slice){start, (uint32_t)len};
}

static bool add(struct http_params *params, struct slice name, struct slice value)
{
    if (params->count == HTTP_PARAMS_MAX)
        return false;
    params->list[params->count].name = name;
    params->list[params->count++].value = value;
    return true;
}

bool http_params_add(struct http_params *params, const char *name, struct slice value)
{
    return value.len <= HTTP_PARAM_BYTES_MAX && is_plain_text(value.at, value.len) &&
           add(params, (struct slice){name, (uint32_t)strlen(name)}, value);
}

static bool same(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

struct slice http_params_find(const struct http_params *params, struct slice name)
{
    for (size_t i = 0; i < params->count; i++)
        if (same(params->list[i].name, name))
            return params->list[i].value;
    return (struct slice){0};
}

/* ---- Path ---- */

/* The segment behind the slash at `*at`, past it; false: there is none. */
static bool next_segment(const char **at, const char *end, struct slice *segment)
{
    if (*at == end || **at != '/')
        return false;
    const char *start = *at + 1;
    const char *slash = memchr(start, '/', (size_t)(end - start));
    *at = slash ? slash : end;
    *segment = (struct slice){start, (uint32_t)(*at - start)};
    return true;
}

static enum http_match match_segment(struct slice pattern, struct slice segment, struct http_params *params)
{
    bool named = pattern.len > 2 && pattern.at[0] == '{';
    size_t used = params->used;
    if (named && segment.len == 0)
        return HTTP_NO_MATCH;
    struct slice value = decode(params, segment, false);
    if (named) {
        struct slice name = {pattern.at + 1, pattern.len - 2};
        return value.at && add(params, name, value) ? HTTP_MATCH : HTTP_MATCH_BAD;
    }
    params->used = used;
    return value.at && same(pattern, value) ? HTTP_MATCH : HTTP_NO_MATCH;
}

static enum http_match match_segments(const char *template, struct slice path, struct http_params *params)
{
    const char *pattern_at = template, *pattern_end = template + strlen(template);
    const char *path_at = path.at, *path_end = path.at + path.len;
    enum http_match all = HTTP_MATCH;
    struct slice pattern, segment;
    while (next_segment(&pattern_at, pattern_end, &pattern)) {
        if (!next_segment(&path_at, path_end, &segment))
            return HTTP_NO_MATCH;
        enum http_match match = match_segment(pattern, segment, params);
        if (match == HTTP_NO_MATCH)
            return match;
        all = MAX(all, match);
    }
    return path_at == path_end ? all : HTTP_NO_MATCH;
}

enum http_match http_path_match(const char *template, struct slice path, struct http_params *params)
{
    size_t count = params->count, used = params->used;
    enum http_match match = match_segments(template, path, params);
    if (match == HTTP_NO_MATCH) {
        params->count = count;
        params->used = used;
    }
    return match;
}

/* ---- Query ---- */

bool http_query_parse(struct slice query, struct http_params *params, struct slice *wrong)
{
    const char *at = query.at, *end = query.at + query.len;
    while (at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        stop = stop ? stop : end;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        const char *name_end = equals ? equals : stop;
        struct slice name = {at, (uint32_t)(name_end - at)};
        struct slice value = {equals ? equals + 1 : stop, equals ? (uint32_t)(stop - equals - 1) : 0};
        if (name.len) {
            name = decode(params, name, true);
            *wrong = name;
            if (!name.at)
                return false;
            value = decode(params, value, true);
            if (!value.at || !add(params, name, value))
                return false;
        }
        at = stop < end ? stop + 1 : end;
    }
    *wrong = (struct slice){"", 0};
    return true;
}
