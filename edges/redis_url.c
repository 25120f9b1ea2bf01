#include "edges/redis_url.h"

enum { PORT_DEFAULT = 6379, PORT_MAX = 65535 };

static const char forms[] = "expected redis://[:password@]host[:port][/database] or unix:///path";

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX undone, into `to` of `room` bytes, which is never left without its end. False: too long, a NUL, or no hex. */
static bool decode(struct slice from, char *to, size_t room)
{
    size_t len = 0;
    for (uint32_t i = 0; i < from.len; i++) {
        char c = from.at[i];
        if (c == '%') {
            int high = i + 2 < from.len ? hex_digit(from.at[i + 1]) : -1;
            int low = i + 2 < from.len ? hex_digit(from.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0' || len + 1 >= room)
            return false;
        to[len++] = c;
    }
    to[len] = '\0';
    return true;
}

static bool number(struct slice from, int most, int *value)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < from.len && sum <= most; i++) {
        if (from.at[i] < '0' || from.at[i] > '9')
            return false;
        sum = sum * 10 + from.at[i] - '0';
    }
    *value = (int)MIN(sum, most);
    return from.len && sum <= most;
}

static struct slice part(const char *from, const char *to)
{
    return (struct slice){from, (uint32_t)(to - from)};
}

/* Where c is in the part; its end: nowhere. */
static const char *find(struct slice in, char c)
{
    const char *found = in.len ? memchr(in.at, c, in.len) : NULL;
    return found ? found : in.at + in.len;
}

/* [user]:password */
static bool read_secret(struct redis_url *url, struct slice secret)
{
    const char *end = secret.at + secret.len, *colon = find(secret, ':');
    if (colon == end)
        return false;
    return decode(part(secret.at, colon), url->user, sizeof url->user) &&
           decode(part(colon + 1, end), url->password, sizeof url->password);
}

static bool read_place(struct redis_url *url, struct slice place)
{
    const char *end = place.at + place.len, *host_end = find(place, ':'), *host = place.at;
    if (place.len && *host == '[') {
        const char *bracket = find(place, ']');
        if (bracket == end)
            return false;
        host_end = bracket + 1;
        host++;
        if (!decode(part(host, bracket), url->host, sizeof url->host))
            return false;
    } else if (!decode(part(host, host_end), url->host, sizeof url->host)) {
        return false;
    }
    int port = PORT_DEFAULT;
    if (host_end < end && (*host_end != ':' || !number(part(host_end + 1, end), PORT_MAX, &port) || !port))
        return false;
    url->port = (uint16_t)port;
    return url->host[0] != '\0';
}

static bool read_server(struct redis_url *url, const char *rest)
{
    const char *end = rest + strlen(rest), *slash = find(part(rest, end), '/');
    const char *at = find(part(rest, slash), '@');
    if (at < slash && !read_secret(url, part(rest, at)))
        return false;
    if (!read_place(url, part(at < slash ? at + 1 : rest, slash)))
        return false;
    return slash == end || slash + 1 == end ||
           number(part(slash + 1, end), REDIS_DATABASE_MAX, &url->database);
}

static bool read_local(struct redis_url *url, const char *rest)
{
    static const char field[] = "db=";
    const char *end = rest + strlen(rest), *slash = find(part(rest, end), '/');
    const char *query = find(part(slash, end), '?');
    url->local = true;
    url->port = PORT_DEFAULT;
    if (slash > rest && (slash[-1] != '@' || !read_secret(url, part(rest, slash - 1))))
        return false;
    if (query - slash < 2 || !decode(part(slash, query), url->path, sizeof url->path))
        return false;
    if (query == end)
        return true;
    bool known = strncmp(query + 1, field, sizeof field - 1) == 0;
    return known && number(part(query + sizeof field, end), REDIS_DATABASE_MAX, &url->database);
}

bool redis_url_read(struct redis_url *url, const char *text, struct text *error)
{
    static const struct {
        const char *scheme;
        bool (*read)(struct redis_url *, const char *);
    } schemes[] = {{"redis://", read_server}, {"unix://", read_local}, {"redis+unix://", read_local}};
    *url = (struct redis_url){.local = false};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i].scheme);
        if (strncmp(text, schemes[i].scheme, len) == 0 && schemes[i].read(url, text + len))
            return true;
    }
    text_lit(error, "Redis URL: ");
    if (strncmp(text, "rediss://", strlen("rediss://")) == 0)
        text_lit(error, "TLS (rediss://) is not supported: ");
    text_str(error, forms);
    return false;
}

void redis_url_text(const struct redis_url *url, struct text *text)
{
    bool six = strchr(url->host, ':') != NULL;
    text_str(text, url->local ? "unix://" : "redis://");
    if (url->local) {
        text_str(text, url->path);
        text_str(text, url->database ? "?db=" : "");
    } else {
        text_str(text, six ? "[" : "");
        text_str(text, url->host);
        text_str(text, six ? "]:" : ":");
        text_u64(text, url->port);
        text_char(text, '/');
    }
    if (url->database || !url->local)
        text_i64(text, url->database);
}
