#include "tests/core/toy_world.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/parts.h"

/* ---- a database ---- */

const struct statement toy_statements[TOY_STATEMENTS] = {
    {.name = "lookup",
     .operation = "SELECT",
     .collection = "things",
     .sql = "SELECT thing",
     .plans = {{.index = "things_pkey", .rows = 1}}},
    {.name = "scan",
     .operation = "SELECT",
     .collection = "things",
     .sql = "SELECT things",
     .endpoint_type = "slow_unindexed",
     .plans = {{.index = "idx_things", .rows = 10}, {.share = 1}},
     .missing_index = "idx_things",
     .healing_sql = "CREATE INDEX idx_things ON things(kind)"},
};

enum { RUNNING_MAX = 256 };

struct running {
    struct timer timer;
    struct actor *actor;
    uint16_t from;
    uint64_t ask;
    int64_t plan, ms;
    bool busy;
};

struct database {
    struct running running[RUNNING_MAX];
    int active;
};

static void answer_query(struct running *running, enum status status)
{
    struct database *database = actor_state(running->actor);
    struct pack *pack = actor_pack(running->actor);
    pack_array(pack, 6);
    pack_int(pack, running->plan == 1 ? TOY_SCANNED : 10);
    pack_int(pack, running->plan);
    pack_int(pack, database->active);
    pack_int(pack, running->ms * 1000);
    pack_int(pack, 0);
    pack_text(pack, "things");
    database->active--;
    running->busy = false;
    actor_reply(running->actor, running->from, running->ask, status, status == STATUS_OK ? pack : NULL);
}

static void running_due(void *owner, int64_t now_ns)
{
    (void)now_ns;
    answer_query(owner, STATUS_OK);
}

static void cancel_query(struct actor *actor, uint64_t ask)
{
    struct database *database = actor_state(actor);
    for (size_t i = 0; i < RUNNING_MAX; i++) {
        struct running *running = &database->running[i];
        if (!running->busy || running->ask != ask)
            continue;
        actor_disarm(actor, &running->timer);
        answer_query(running, STATUS_DEADLINE);
    }
}

static void receive_query(struct actor *actor, struct message *message)
{
    struct database *database = actor_state(actor);
    if (message->kind == MESSAGE_CANCEL) {
        if (actor_scenario(actor)->postgresql.cancel_on_deadline)
            cancel_query(actor, message->ask);
        return;
    }
    struct cursor params = cursor_of(message->body);
    cursor_array(&params);
    cursor_skip(&params);
    int64_t ms = cursor_int(&params), plan = cursor_int(&params);
    if (ms < 0) {
        actor_reply(actor, message->from, message->ask, STATUS_CONNECTIONS_EXHAUSTED, NULL);
        return;
    }
    struct running *running = database->running;
    while (running->busy)
        running++;
    *running = (struct running){.timer = {.fire = running_due, .owner = running},
                                .actor = actor,
                                .from = message->from,
                                .ask = message->ask,
                                .plan = plan,
                                .ms = ms,
                                .busy = true};
    database->active++;
    actor_arm(actor, &running->timer, actor_now(actor) + ms * NS_PER_MS);
}

static bool database_fault(struct actor *actor, const struct fault_spec *fault)
{
    (void)actor;
    return fault->target && strcmp(fault->target, "idx_things") == 0;
}

static bool database_landed(struct actor *actor, const struct fault_spec *fault, struct text *evidence)
{
    (void)actor;
    (void)evidence;
    return fault->kind == FAULT_DROP_INDEX;
}

const struct actor_kind toy_database = {
    .service = "postgresql",
    .port = 5432,
    .store = "postgresql",
    .state_bytes = sizeof(struct database),
    .receive = receive_query,
    .fault = database_fault,
    .landed = database_landed,
};

/* ---- what is told ---- */

/* Room for one more than `count`. */
static void *grown(void *list, size_t count, size_t size)
{
    bool full = count == 0 || (count >= 64 && (count & (count - 1)) == 0);
    return full ? base_grow(list, count, MAX(2 * count, 64), size) : list;
}

static const char *keep_text(struct toy *toy, const char *text, size_t len)
{
    toy->texts = grown(toy->texts, toy->text_count, sizeof(char *));
    char *copy = base_alloc(len + 1, 1);
    if (len)
        memcpy(copy, text, len);
    toy->texts[toy->text_count++] = copy;
    return copy;
}

static void keep_attrs(struct toy *toy, struct attrs *attrs)
{
    for (size_t i = 0; i < attrs->count; i++)
        if (attrs->list[i].type == ATTR_TEXT)
            attrs->list[i].text = keep_text(toy, attrs->list[i].text, attrs->list[i].len);
}

static void take_span(void *owner, const struct span *span)
{
    struct toy *toy = owner;
    if (toy->deaf)
        return;
    toy->spans = grown(toy->spans, toy->span_count, sizeof *toy->spans);
    struct span *kept = &toy->spans[toy->span_count++];
    *kept = *span;
    kept->path_param.at = keep_text(toy, span->path_param.at, span->path_param.len);
    keep_attrs(toy, &kept->attrs);
}

static void take_log(void *owner, const struct log_record *record)
{
    struct toy *toy = owner;
    if (toy->deaf)
        return;
    toy->logs = grown(toy->logs, toy->log_count, sizeof *toy->logs);
    toy->logs[toy->log_count] = *record;
    keep_attrs(toy, &toy->logs[toy->log_count++].attrs);
}

static void take_answer(void *owner, uint64_t token, enum status status, const struct body *body)
{
    struct toy *toy = owner;
    toy->answers = grown(toy->answers, toy->answer_count, sizeof *toy->answers);
    struct toy_answer *answer = &toy->answers[toy->answer_count++];
    *answer = (struct toy_answer){.token = token, .status = status, .at_ns = world_now(toy->world)};
    if (!body)
        return;
    answer->body = base_alloc(1, sizeof *body + body->len);
    answer->body->len = body->len;
    memcpy(answer->body->bytes, body->bytes, body->len);
}

/* ---- its life ---- */

void toy_begin(struct toy *toy, const struct actor_kind *const *kinds, size_t count)
{
    *toy = (struct toy){
        .scenario = {
            .name = "toy",
            .duration_ns = 10 * NS_PER_MIN,
            .postgresql = {.cores = 1, .max_connections = 100, .database = "toys", .host = "toy-box"},
            .redis = {.work = {NS_PER_MS, NS_PER_MS}, .keys_max = 100, .cart_ttl_ns = NS_PER_HOUR}}};
    assert_in_range(count, 1, TOY_KINDS_MAX);
    memcpy(toy->kinds, kinds, count * sizeof *kinds);
    toy->registry = (struct registry){.kinds = toy->kinds,
                                      .kind_count = count,
                                      .statements = toy_statements,
                                      .statement_count = TOY_STATEMENTS};
    toy->pack.bytes = base_alloc(BODY_BYTES_MAX, 1);
}

void toy_open(struct toy *toy, uint64_t seed)
{
    toy->options.scenario = &toy->scenario;
    toy->options.registry = &toy->registry;
    toy->options.seed = seed;
    toy->options.sink =
        (struct sink){.owner = toy, .span = take_span, .log = take_log, .answer = take_answer};
    toy->world = world_new(&toy->options);
}

void toy_end(struct toy *toy)
{
    if (world_next_at(toy->world) == NEVER) {
        struct world_leftovers left = world_leftovers(toy->world);
        assert_int_equal(left.calls + left.queries + left.connections + left.waiters + left.messages, 0);
    }
    world_free(toy->world);
    for (size_t i = 0; i < toy->text_count; i++)
        free(toy->texts[i]);
    for (size_t i = 0; i < toy->answer_count; i++)
        free(toy->answers[i].body);
    free(toy->texts);
    free(toy->spans);
    free(toy->logs);
    free(toy->answers);
    free(toy->pack.bytes);
}

/* ---- asking ---- */

struct pack *toy_pack(struct toy *toy)
{
    toy->pack.len = 0;
    toy->pack.overflow = false;
    return &toy->pack;
}

uint64_t toy_ask_index(struct toy *toy, size_t service, size_t route, const void *body, size_t len,
                       int64_t limit_ns)
{
    struct world_request request = {.demo = toy->demo,
                                    .service = service,
                                    .route = route,
                                    .body = body,
                                    .body_len = len,
                                    .limit_ns = limit_ns,
                                    .token = toy->asked++};
    world_request(toy->world, &request, world_now(toy->world));
    return request.token;
}

uint64_t toy_ask(struct toy *toy, const char *service, const char *route, const struct pack *body,
                 int64_t limit_ns)
{
    size_t s = 0, r = 0;
    while (s < world_service_count(toy->world) && strcmp(world_service(toy->world, s)->service, service) != 0)
        s++;
    assert_true(s < world_service_count(toy->world));
    const struct route *routes = world_service(toy->world, s)->routes;
    while (routes && routes[r].name && strcmp(routes[r].name, route) != 0)
        r++;
    if (body)
        return toy_ask_index(toy, s, r, body->bytes, body->len, limit_ns);
    return toy_ask_index(toy, s, r, "\x90", 1, limit_ns);
}

void toy_run_until(struct toy *toy, int64_t at_ns)
{
    for (int64_t next_ns; (next_ns = world_next_at(toy->world)) <= at_ns && next_ns != NEVER;)
        world_turn(toy->world, next_ns, UINT_MAX);
    world_turn(toy->world, at_ns, UINT_MAX);
}

void toy_run(struct toy *toy)
{
    for (int64_t next_ns; (next_ns = world_next_at(toy->world)) != NEVER;)
        world_turn(toy->world, next_ns, UINT_MAX);
}

/* ---- looking ---- */

bool toy_answered(const struct toy *toy, uint64_t token)
{
    for (size_t i = 0; i < toy->answer_count; i++)
        if (toy->answers[i].token == token)
            return true;
    return false;
}

const struct toy_answer *toy_answer(const struct toy *toy, uint64_t token)
{
    const struct toy_answer *found = NULL;
    for (size_t i = 0; i < toy->answer_count; i++) {
        if (toy->answers[i].token != token)
            continue;
        assert_null(found);
        found = &toy->answers[i];
    }
    assert_non_null(found);
    return found;
}

const char *toy_text(const struct toy_answer *answer)
{
    static char text[256];
    struct cursor cursor = cursor_of(answer->body);
    cursor_array(&cursor);
    struct slice slice = cursor_text(&cursor);
    assert_false(cursor.bad);
    assert_true(slice.len < sizeof text);
    memcpy(text, slice.at, slice.len);
    text[slice.len] = '\0';
    return text;
}

int64_t toy_number(const struct toy_answer *answer)
{
    struct cursor cursor = cursor_of(answer->body);
    cursor_array(&cursor);
    int64_t number = cursor_int(&cursor);
    assert_false(cursor.bad);
    return number;
}

size_t toy_span_count(const struct toy *toy, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < toy->span_count; i++)
        count += strcmp(toy->spans[i].site->name, name) == 0;
    return count;
}

const struct span *toy_span(const struct toy *toy, const char *name, size_t nth)
{
    for (size_t i = 0; i < toy->span_count; i++)
        if (strcmp(toy->spans[i].site->name, name) == 0 && nth-- == 0)
            return &toy->spans[i];
    fail_msg("no such span: %s", name);
    return NULL;
}

const struct attr *toy_attr(const struct attrs *attrs, enum attr_key key)
{
    for (size_t i = 0; i < attrs->count; i++)
        if (attrs->list[i].key == key)
            return &attrs->list[i];
    return NULL;
}

const char *toy_attr_text(const struct attrs *attrs, enum attr_key key)
{
    const struct attr *attr = toy_attr(attrs, key);
    return attr && attr->type == ATTR_TEXT ? attr->text : "";
}

double toy_attr_number(const struct attrs *attrs, enum attr_key key)
{
    const struct attr *attr = toy_attr(attrs, key);
    if (!attr || attr->type == ATTR_TEXT)
        return -1;
    if (attr->type == ATTR_BOOL)
        return attr->truth;
    return attr->type == ATTR_INT ? (double)attr->integer : attr->real;
}
