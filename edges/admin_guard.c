/* Who may watch and change a running world. */
#include "edges/admin_parts.h"

#include <strings.h>

bool admin_token_is(struct slice given, const char *token)
{
    static const char scheme[] = "Bearer ";
    size_t len = strlen(token), head = sizeof scheme - 1;
    if (given.len != head + len || memcmp(given.at, scheme, head) != 0)
        return false;
    unsigned char difference = 0;
    for (size_t i = 0; i < len; i++)
        difference |= (unsigned char)(given.at[head + i] ^ token[i]);
    return difference == 0;
}

static bool consists_of(struct slice name, const char *characters)
{
    for (uint32_t i = 0; i < name.len; i++)
        if (!name.at[i] || !strchr(characters, name.at[i]))
            return false;
    return name.len > 0;
}

static bool same_name(struct slice name, const char *other)
{
    return name.len == strlen(other) && strncasecmp(name.at, other, name.len) == 0;
}

bool admin_host_is_here(struct slice host, const struct registry *registry)
{
    size_t len = host.len;
    while (len && host.at[len - 1] >= '0' && host.at[len - 1] <= '9')
        len--;
    bool port = len > 1 && len < host.len && host.at[len - 1] == ':';
    struct slice name = {host.at, port ? (uint32_t)len - 1 : host.len};
    if (same_name(name, "localhost"))
        return true;
    for (size_t i = 0; i < registry->kind_count; i++)
        if (same_name(name, registry->kinds[i]->service))
            return true;
    /* An address is no name that somebody else's DNS could point here. */
    if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']')
        return consists_of((struct slice){name.at + 1, name.len - 2}, "0123456789abcdefABCDEF:.");
    return consists_of(name, "0123456789.");
}

static bool origin_allowed(const struct admin *admin, struct http_request *request)
{
    struct slice origin = http_request_header(request, "origin", NULL);
    return !origin.at || (admin->options.cors_origin && slice_is(origin, admin->options.cors_origin));
}

bool admin_may_look(const struct admin *admin, struct http_request *request)
{
    const struct admin_options *options = &admin->options;
    bool open = !http_server_on_loopback(options->http);
    if (!admin_host_is_here(http_request_header(request, "host", NULL), options->registry)) {
        http_request_respond_error(request, 403, "the Host header does not name this machine");
        return false;
    }
    if (!origin_allowed(admin, request)) {
        http_request_respond_error(request, 403, "pages of this Origin may not ask");
        return false;
    }
    if (open && !options->token) {
        http_request_respond_error(
            request, 403, "this listener is not on loopback: set DOORBUSTER_ADMIN_TOKEN to use admin routes");
        return false;
    }
    if (open && !admin_token_is(http_request_header(request, "authorization", NULL), options->token)) {
        http_request_respond_error(request, 401, "Authorization: Bearer with the admin token is needed");
        return false;
    }
    return true;
}

static bool is_json(struct slice type)
{
    static const char json[] = "application/json";
    size_t len = sizeof json - 1;
    return type.len >= len && strncasecmp(type.at, json, len) == 0 &&
           (type.len == len || strchr("; \t", type.at[len]));
}

bool admin_may_change(const struct admin *admin, struct http_request *request)
{
    if (!admin_may_look(admin, request))
        return false;
    if (http_server_draining(admin->options.http)) {
        http_request_respond_error(request, 503, "the run ends");
        return false;
    }
    if (!is_json(http_request_header(request, "content-type", NULL))) {
        http_request_respond_error(
            request, 415, "the header Content-Type: application/json is needed, also without a body");
        return false;
    }
    return true;
}
