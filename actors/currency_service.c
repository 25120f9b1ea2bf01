/* currency-service: converts an amount at the day's rate. Decoration, like the ads. */
#include "core/actor.h"

#define AMOUNT_MAX 1e12

struct rate {
    const char *from, *to;
    double rate;
};

static const struct rate rates[] = {
    {"USD", "EUR", 0.92},  {"EUR", "USD", 1.087}, {"USD", "GBP", 0.79},
    {"GBP", "USD", 1.266}, {"EUR", "GBP", 0.859},
};

static const char needed[] =
    "amount must be a number of at most 1e12, from and to one of USD-EUR, EUR-USD, USD-GBP, "
    "GBP-USD, EUR-GBP";

static void converted(struct call *call, struct pack *body)
{
    const struct rate *rate = *(const struct rate **)call_locals(call);
    struct cursor request = call_request(call);
    cursor_array(&request);
    double amount = cursor_real(&request);
    pack_array(body, 5);
    pack_real(body, amount);
    pack_text(body, rate->from);
    pack_text(body, rate->to);
    pack_real(body, rate->rate);
    pack_real(body, amount * rate->rate);
}

static void find_rate(struct call *call)
{
    const struct rate **found = call_locals(call);
    struct cursor request = call_request(call);
    cursor_array(&request);
    double amount = cursor_real(&request);
    struct slice from = cursor_text(&request), to = cursor_text(&request);
    bool bad = request.bad || amount > AMOUNT_MAX || amount < -AMOUNT_MAX;
    for (size_t i = 0; i < ARRAY_LEN(rates) && !bad; i++)
        if (slice_is(from, rates[i].from) && slice_is(to, rates[i].to))
            *found = &rates[i];
    if (!*found)
        call_refuse(call, STATUS_BAD_INPUT, needed);
}

static const struct step convert[] = {
    WORK(),
    DO(find_rate),
    REPLY(STATUS_OK, converted),
};

static const struct route routes[] = {
    {.name = "GET /convert",
     .steps = convert,
     .takes = "amount:real from:text to:text",
     .answers = "amount:real from:text to:text rate:real converted:real"},
    {.name = NULL},
};

const struct actor_kind actor_currency_service = {
    .service = "currency-service",
    .port = 8015,
    .work = {.p50_ns = 65 * NS_PER_MS, .p99_ns = 130 * NS_PER_MS},
    .routes = routes,
};
