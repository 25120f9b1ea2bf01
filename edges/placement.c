#include "edges/placement.h"

#include "edges/hint.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { PEER_PORT_ABOVE = 1000, PORT_MAX = 65535, SHOWN_MAX = 80 };

const struct placement_variable placement_variables[PLACEMENT_VARIABLES] = {
    {"FRONTEND_URL", "frontend"},
    {"CART_URL", "cart-service"},
    {"PRODUCT_CATALOG_URL", "product-catalog"},
    {"PAYMENT_SERVICE_URL", "payment-service"},
    {"CHECKOUT_URL", "checkout"},
    {"CURRENCY_URL", "currency-service"},
    {"SHIPPING_URL", "shipping-service"},
    {"AD_URL", "ad-service"},
    {"RECOMMENDATION_URL", "recommendation-service"},
};

struct reading {
    struct placement *placement;
    const struct options *options;
    const struct registry *registry;
    struct text *error;
};

uint16_t placement_port(const struct actor_kind *kind)
{
    return (uint16_t)(kind->port + PEER_PORT_ABOVE);
}

/* ---- errors ---- */

/* What was given, fit for a terminal, unless there may be a password in it. */
static void show(struct text *error, char before, struct slice value)
{
    if (!value.len || memchr(value.at, '@', value.len))
        return;
    text_char(error, before);
    for (uint32_t i = 0; i < MIN(value.len, (uint32_t)SHOWN_MAX); i++)
        text_bytes(error, value.at[i] < ' ' || value.at[i] > '~' ? "?" : &value.at[i], 1);
    if (value.len > SHOWN_MAX)
        text_lit(error, "...");
}

/* `of`: the option or the variable. Always false, so that a reader can return it. */
static bool refuse(struct reading *reading, const char *of, struct slice value, const char *why)
{
    text_str(reading->error, of);
    show(reading->error, *of == '-' ? ' ' : '=', value);
    text_lit(reading->error, ": ");
    text_str(reading->error, why);
    return false;
}

static struct slice part(const char *from, const char *to)
{
    return (struct slice){from, (uint32_t)(to - from)};
}

static struct slice whole(const char *text)
{
    return part(text, text + strnlen(text, INT32_MAX));
}

/* Where c is in the part; its end: nowhere. */
static const char *find(struct slice in, char c)
{
    const char *found = in.len ? memchr(in.at, c, in.len) : NULL;
    return found ? found : in.at + in.len;
}

/* ---- services ---- */

static void refuse_service(struct reading *reading, const char *option, struct slice name)
{
    const char *names[SERVICES_MAX];
    char word[HINT_WORD_MAX + 1];
    size_t len = MIN(name.len, sizeof word - 1), count = reading->registry->kind_count;
    memcpy(word, name.at, len);
    word[len] = '\0';
    for (size_t i = 0; i < count; i++)
        names[i] = reading->registry->kinds[i]->service;
    const char *nearest = hint_nearest(word, names, count);
    refuse(reading, option, name, "there is no such service");
    if (nearest) {
        text_lit(reading->error, "; did you mean ");
        text_str(reading->error, nearest);
        text_char(reading->error, '?');
        return;
    }
    text_lit(reading->error, "; there are ");
    for (size_t i = 0; i < count; i++) {
        text_str(reading->error, i ? ", " : "");
        text_str(reading->error, names[i]);
    }
}

/* Its index in the registry; -1: explained. */
static int service_index(struct reading *reading, const char *option, struct slice name)
{
    for (size_t i = 0; i < reading->registry->kind_count; i++) {
        const char *service = reading->registry->kinds[i]->service;
        if (strlen(service) == name.len && !memcmp(service, name.at, name.len))
            return (int)i;
    }
    refuse_service(reading, option, name);
    return -1;
}

static bool read_only(struct reading *reading, const char *list)
{
    struct slice left = whole(list);
    for (;;) {
        const char *end = left.at + left.len, *comma = find(left, ',');
        int index = service_index(reading, "--only", part(left.at, comma));
        if (index < 0)
            return false;
        reading->placement->hosts[index] = true;
        if (comma == end)
            return true;
        left = part(comma + 1, end);
    }
}

/* ---- addresses ---- */

static const char bad_host[] =
    "expected a host's name, of letters, digits, -, _ and ., or its address, an IPv6 one as in [::1]:9010";

static bool read_name(struct slice name, char host[static PLACEMENT_HOST_BYTES])
{
    bool number = true;
    struct in_addr v4;
    if (!name.len || name.len >= PLACEMENT_HOST_BYTES || name.at[0] == '-' || name.at[0] == '.')
        return false;
    for (uint32_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool digit = c >= '0' && c <= '9', letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!digit && !letter && c != '-' && c != '_' && c != '.')
            return false;
        number = number && (digit || c == '.');
    }
    memcpy(host, name.at, name.len);
    host[name.len] = '\0';
    return !number || inet_pton(AF_INET, host, &v4) == 1;
}

static bool read_six(struct slice address, char host[static PLACEMENT_HOST_BYTES])
{
    struct in6_addr v6;
    if (address.len >= PLACEMENT_HOST_BYTES || memchr(address.at, '\0', address.len))
        return false;
    memcpy(host, address.at, address.len);
    host[address.len] = '\0';
    return inet_pton(AF_INET6, host, &v6) == 1;
}

static bool read_port(struct slice port, uint16_t *number)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < port.len && sum <= PORT_MAX; i++) {
        if (port.at[i] < '0' || port.at[i] > '9')
            return false;
        sum = sum * 10 + (uint32_t)(port.at[i] - '0');
    }
    *number = (uint16_t)MIN(sum, PORT_MAX);
    return sum && sum <= PORT_MAX;
}

/* HOST or HOST:PORT; without a port `port` stays 0. NULL, or what is wrong. */
static const char *read_place(struct slice place, struct peer_address *address)
{
    const char *end = place.at + place.len, *host = place.at, *host_end;
    bool six = place.len && *host == '[';
    if (memchr(host, '@', place.len))
        return "no user and no password belong there; expected HOST:PORT";
    host += six;
    host_end = find(part(host, end), six ? ']' : ':');
    if (six ? host_end == end || !read_six(part(host, host_end), address->host)
            : !read_name(part(host, host_end), address->host))
        return bad_host;
    host_end += six;
    if (host_end == end)
        return NULL;
    if (*host_end != ':')
        return bad_host;
    return read_port(part(host_end + 1, end), &address->port) ? NULL : "expected a port from 1 to 65535";
}

static bool is_name(const char *host)
{
    struct in_addr v4;
    return !strchr(host, ':') && inet_pton(AF_INET, host, &v4) != 1;
}

static bool add(struct reading *reading, const struct peer_address *address)
{
    struct placement *placement = reading->placement;
    if (placement->address_count == PLACEMENT_ADDRESSES_MAX) {
        text_lit(reading->error, "--peer: with what is found by its name these are more than ");
        text_u64(reading->error, PLACEMENT_ADDRESSES_MAX);
        text_lit(reading->error, " addresses; leave some copies out");
        return false;
    }
    placement->addresses[placement->address_count++] = *address;
    return true;
}

/* One of the --peer options; it is added if it is this service's. */
static bool read_peer(struct reading *reading, const char *given, size_t wanted)
{
    struct slice text = whole(given);
    const char *end = text.at + text.len, *equals = find(text, '=');
    if (equals == end)
        return refuse(reading, "--peer", text, "expected SERVICE=HOST:PORT, as in redis=127.0.0.1:7379");
    int index = service_index(reading, "--peer", part(text.at, equals));
    if (index < 0)
        return false;
    if (reading->placement->hosts[index])
        return refuse(reading, "--peer", text,
                      reading->placement->spread
                          ? "this process hosts the service itself; leave one of --only and --peer out"
                          : "this process hosts every service; say with --only which ones it is to host");
    struct peer_address address = {.service = reading->registry->kinds[index]->service};
    const char *wrong = read_place(part(equals + 1, end), &address);
    if (!wrong && !address.port)
        wrong = "expected HOST:PORT, with the port of a peer, which is 1000 above that of its HTTP";
    if (wrong)
        return refuse(reading, "--peer", text, wrong);
    return (size_t)index != wanted || add(reading, &address);
}

/* http://HOST[:PORT][/...] */
static bool read_variable(struct reading *reading, const char *name, const char *value,
                          const struct actor_kind *kind)
{
    static const char scheme[] = "http://";
    struct slice text = whole(value);
    struct peer_address address = {.service = kind->service};
    if (strncmp(value, scheme, sizeof scheme - 1) != 0)
        return refuse(reading, name, text, "expected http://HOST:PORT");
    const char *host = value + sizeof scheme - 1;
    const char *wrong = read_place(part(host, host + strcspn(host, "/?#")), &address);
    if (wrong)
        return refuse(reading, name, text, wrong);
    if (!address.port || address.port == kind->port)
        address.port = placement_port(kind);
    address.resolves = is_name(address.host);
    return add(reading, &address);
}

static const char *variable_of(const char *service)
{
    for (size_t i = 0; i < PLACEMENT_VARIABLES; i++)
        if (!strcmp(placement_variables[i].service, service))
            return placement_variables[i].name;
    return NULL;
}

/* Where a service is that is not hosted. */
static bool find_service(struct reading *reading, size_t index)
{
    const struct actor_kind *kind = reading->registry->kinds[index];
    size_t before = reading->placement->address_count;
    for (size_t i = 0; i < reading->options->peer_count; i++)
        if (!read_peer(reading, reading->options->peers[i], index))
            return false;
    if (reading->placement->address_count > before)
        return true;
    const char *name = variable_of(kind->service), *value = name ? getenv(name) : NULL;
    if (value && *value)
        return read_variable(reading, name, value, kind);
    struct peer_address address = {.service = kind->service, .port = placement_port(kind), .resolves = true};
    size_t len = strlen(kind->service);
    ASSERT(len < sizeof address.host);
    memcpy(address.host, kind->service, len + 1);
    return add(reading, &address);
}

/* ---- the whole ---- */

/* A real server in a store's place is asked by the process that hosts the store. */
static bool stores_fit(struct reading *reading)
{
    const struct {
        const char *option, *store, *where;
    } stores[] = {{"--postgres", "postgresql", reading->options->postgres},
                  {"--redis", "redis", reading->options->redis}};
    for (size_t i = 0; i < reading->registry->kind_count; i++) {
        const char *store = reading->registry->kinds[i]->store;
        for (size_t k = 0; store && k < ARRAY_LEN(stores); k++)
            if (!strcmp(stores[k].store, store) && stores[k].where && strcmp(stores[k].where, "model") != 0 &&
                !reading->placement->hosts[i])
                return refuse(reading, stores[k].option, (struct slice){"", 0},
                              "this process does not host the store; give the option to the one that does");
    }
    return true;
}

bool placement_read(struct placement *placement, const struct options *options,
                    const struct registry *registry, struct text *error)
{
    struct reading reading = {placement, options, registry, error};
    *placement = (struct placement){.spread = options->only_count > 0};
    ASSERT(registry->kind_count <= SERVICES_MAX);
    for (size_t i = 0; i < registry->kind_count; i++)
        placement->hosts[i] = !placement->spread;
    for (size_t i = 0; i < options->only_count; i++)
        if (!read_only(&reading, options->only[i]))
            return false;
    for (size_t i = 0; i < registry->kind_count; i++)
        if (!placement->hosts[i] && !find_service(&reading, i))
            return false;
    bool all = !placement->address_count;
    if (all && options->peer_count)
        return read_peer(&reading, options->peers[0], 0) && false;
    return stores_fit(&reading);
}
