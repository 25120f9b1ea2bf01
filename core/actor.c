/* actor: what an actor with a state of its own sees of its world. */
#include "core/parts.h"

void *actor_state(struct actor *actor)
{
    return actor->state;
}

const struct scenario *actor_scenario(const struct actor *actor)
{
    return actor->world->scenario;
}

int64_t actor_now(const struct actor *actor)
{
    return actor->world->now_ns;
}

int64_t actor_timeline(const struct actor *actor)
{
    return MAX(world_timeline(actor->world, actor->world->now_ns), 0);
}

uint64_t actor_seed(const struct actor *actor)
{
    return actor->world->seed;
}

struct run_stats *actor_stats(struct actor *actor)
{
    return &actor->world->stats;
}

void actor_arm(struct actor *actor, struct timer *timer, int64_t at_ns)
{
    due_arm(&actor->world->due, timer, at_ns);
}

void actor_disarm(struct actor *actor, struct timer *timer)
{
    due_cancel(&actor->world->due, timer);
}

struct body *actor_body(struct actor *actor, const void *bytes, size_t len)
{
    return body_new(&actor->world->messages.bodies, bytes, len);
}

void actor_release(struct actor *actor, struct body *body)
{
    body_unref(&actor->world->messages.bodies, body);
}

void actor_wake(struct actor *actor, int64_t now_ns)
{
    actor->world->now_ns = MAX(actor->world->now_ns, now_ns);
}

struct pack *actor_pack(struct actor *actor)
{
    return world_pack(actor->world);
}

void actor_reply(struct actor *actor, uint16_t to, uint64_t ask, enum status status, const struct pack *body)
{
    struct body *answer = body ? world_body(actor->world, body) : NULL;
    if (body && !answer)
        status = STATUS_FAILED;
    world_reply(actor->world, actor->index, to, ask, status, answer);
}
