#include "edges/otlp_env_parts.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "edges/utf8.h"

bool env_number(const char *value, int64_t least, int64_t most, int64_t *number)
{
    char *end;
    errno = 0;
    long long read = strtoll(value, &end, 10);
    if (errno || end == value || *end || isspace((unsigned char)*value) || read < least || read > most)
        return false;
    *number = read;
    return true;
}

void env_copy(char **own, const char *value)
{
    free(*own);
    *own = base_copy(value);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decoded and without spaces around; NULL: a bad escape, or a NUL. */
static char *decoded(const char *at, const char *end)
{
    while (at < end && isspace((unsigned char)*at))
        at++;
    while (end > at && isspace((unsigned char)end[-1]))
        end--;
    char *copy = base_alloc((size_t)(end - at) + 1, 1), *to = copy;
    for (; at < end; at++) {
        if (*at != '%') {
            *to++ = *at;
            continue;
        }
        int high = end - at > 2 ? hex_digit(at[1]) : -1, low = high >= 0 ? hex_digit(at[2]) : -1;
        if (low < 0 || !(high | low)) {
            free(copy);
            return NULL;
        }
        *to++ = (char)(high << 4 | low);
        at += 2;
    }
    return copy;
}

static bool one_pair(const char *at, const char *end, bool (*take)(void *owner, char *key, char *value),
                     void *owner)
{
    const char *equals = memchr(at, '=', (size_t)(end - at));
    char *key = equals ? decoded(at, equals) : NULL;
    char *value = key ? decoded(equals + 1, end) : NULL;
    if (value && *key)
        return take(owner, key, value);
    free(key);
    free(value);
    return false;
}

bool env_pairs(const char *list, bool (*take)(void *owner, char *key, char *value), void *owner)
{
    for (const char *at = list; *at;) {
        const char *comma = strchr(at, ','), *end = comma ? comma : at + strlen(at);
        const char *more = at + strspn(at, " \t");
        /* An empty place in the list is no pair and no fault, as in W3C baggage. */
        if (more < end && !one_pair(at, end, take, owner))
            return false;
        at = *end ? end + 1 : end;
    }
    return true;
}

/* ---- headers ---- */

/* RFC 9110, token. */
static bool is_token(const char *name)
{
    if (!*name)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("!#$%&'*+-.^_`|~", *name))
            return false;
    return true;
}

/* What the body is, we say. */
static bool is_ours(const char *name)
{
    static const char *const ours[] = {"content-type", "content-length", "content-encoding",
                                       "transfer-encoding", "expect"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (!strcasecmp(name, ours[i]))
            return true;
    return false;
}

static bool take_header(void *owner, char *key, char *value)
{
    struct otlp_signal_env *signal = owner;
    bool good = is_token(key) && !is_ours(key) && signal->header_count < OTLP_HEADERS_MAX;
    for (const char *c = value; *c; c++)
        good = good && ((unsigned char)*c >= ' ' || *c == '\t') && *c != 0x7f;
    if (good) {
        size_t size = strlen(key) + strlen(value) + 3;
        char *header = base_alloc(size, 1);
        /* curl takes "Name;" for a header without a value. */
        snprintf(header, size, *value ? "%s: %s" : "%s;", key, value);
        signal->headers[signal->header_count++] = header;
    }
    free(key);
    free(value);
    return good;
}

void env_headers_fini(struct otlp_signal_env *signal)
{
    for (size_t i = 0; i < signal->header_count; i++)
        free(signal->headers[i]);
    signal->header_count = 0;
}

bool env_headers(struct otlp_signal_env *signal, const char *list)
{
    struct otlp_signal_env read = {0};
    if (!env_pairs(list, take_header, &read)) {
        env_headers_fini(&read);
        return false;
    }
    env_headers_fini(signal);
    memcpy(signal->headers, read.headers, sizeof signal->headers);
    signal->header_count = read.header_count;
    return true;
}

/* ---- resource ---- */

static bool take_attribute(void *owner, char *key, char *value)
{
    struct otlp_env *env = owner;
    if (env->more_count == ARRAY_LEN(env->more) || !utf8_valid(key, strlen(key)) ||
        !utf8_valid(value, strlen(value))) {
        free(key);
        free(value);
        return false;
    }
    env->more[env->more_count++] = (struct otlp_pair){key, value, 0};
    return true;
}

void env_resource_fini(struct otlp_env *env)
{
    for (size_t i = 0; i < env->more_count; i++) {
        free((char *)env->more[i].key);
        free((char *)env->more[i].value);
    }
    env->more_count = 0;
}

bool env_resource(struct otlp_env *env, const char *list)
{
    if (env_pairs(list, take_attribute, env))
        return true;
    env_resource_fini(env); /* any fault discards all of it */
    return false;
}

/* ---- URL ---- */

static bool append_path(CURLU *url, const char *path)
{
    char *base = NULL;
    if (curl_url_get(url, CURLUPART_PATH, &base, 0) != CURLUE_OK)
        return false;
    struct text joined = {0};
    text_str(&joined, base);
    curl_free(base);
    if (!joined.len || joined.bytes[joined.len - 1] != '/')
        text_char(&joined, '/');
    text_str(&joined, path);
    bool good = curl_url_set(url, CURLUPART_PATH, text_c(&joined), 0) == CURLUE_OK;
    text_fini(&joined);
    return good;
}

bool env_url(char **own, const char *url, const char *path)
{
    CURLU *parsed = curl_url();
    ASSERT(parsed);
    char *scheme = NULL, *host = NULL, *whole = NULL;
    bool good = curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
                curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK && *host &&
                (!strcmp(scheme, "http") || !strcmp(scheme, "https")) &&
                (!path || append_path(parsed, path)) &&
                curl_url_get(parsed, CURLUPART_URL, &whole, 0) == CURLUE_OK;
    if (good)
        env_copy(own, whole);
    curl_free(scheme);
    curl_free(host);
    curl_free(whole);
    curl_url_cleanup(parsed);
    return good;
}
