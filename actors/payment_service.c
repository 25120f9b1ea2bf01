/* payment-service: approves what is charged, under a transaction id that belongs to the request. */
#include "core/actor.h"

enum { AMOUNT_MAX = 100000 };

static const char needed[] = "amount must be above 0 and at most 100000";

static void check_amount(struct call *call)
{
    struct cursor request = call_request(call);
    cursor_array(&request);
    double amount = cursor_real(&request);
    if (request.bad || !(amount > 0) || amount > AMOUNT_MAX)
        call_refuse(call, STATUS_BAD_INPUT, needed);
}

static void approved(struct call *call, struct pack *body)
{
    pack_array(body, 2);
    pack_text(body, "approved");
    pack_label(body, "txn-", call_draw(call, 0) >> 24);
}

static const struct step process[] = {
    WORK(),
    DO(check_amount),
    REPLY(STATUS_OK, approved),
};

static const struct route routes[] = {
    {.name = "POST /api/payment/process",
     .steps = process,
     .takes = "amount:real user_id:text",
     .answers = "status:text transaction_id:text"},
    {.name = NULL},
};

const struct actor_kind actor_payment_service = {
    .service = "payment-service",
    .port = 8017,
    .work = {.p50_ns = 25 * NS_PER_MS, .p99_ns = 60 * NS_PER_MS},
    .routes = routes,
};
