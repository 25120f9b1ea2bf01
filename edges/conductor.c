#include "edges/conductor_parts.h"

#include "core/gather.h"
#include "edges/course_wire.h"

#include <stdio.h>
#include <stdlib.h>

enum { JOIN_FIELDS = 6, ID_FINISH = 1 };

static struct pack *fresh(struct conductor *conductor)
{
    conductor->pack.len = 0;
    conductor->pack.overflow = false;
    return &conductor->pack;
}

static void respond(struct conductor *conductor, struct rpc_connection *connection, uint32_t id,
                    const char *error)
{
    struct pack *pack = fresh(conductor);
    rpc_response(pack, id, error);
    pack_nil(pack);
    rpc_connection_send(connection, pack);
}

/* The first service that it hosts stands for it. */
static const char *name_of(const struct member *member)
{
    const struct registry *registry = member->conductor->options.registry;
    for (size_t i = 0; i < registry->kind_count; i++)
        if (member->hosts[i])
            return registry->kinds[i]->service;
    return "nothing";
}

/* ---- going ---- */

/* For good: another is in its place, or the run is over. */
static void bury(struct member *member)
{
    if (member->state == MEMBER_GONE)
        return;
    if (member->gathered && member->state != MEMBER_FINISHED)
        gathered_gone(member->gathered);
    member->state = MEMBER_GONE;
}

static uint64_t not_exported(const struct member *member)
{
    return member->spans - MIN(member->settled, member->spans);
}

static void count_lost(struct member *member)
{
    struct conductor *conductor = member->conductor;
    uint64_t lost = not_exported(member);
    conductor->tally.gone++;
    conductor->tally.spans_lost += lost;
    member->counted = true;
    if (!conductor->options.quiet)
        fprintf(
            stderr,
            "doorbuster: the process of %s has gone; %llu spans of its last report had not been exported\n",
            name_of(member), (unsigned long long)lost);
}

/* It had only been cut off. */
static void count_back(struct member *member)
{
    if (!member->counted)
        return;
    member->conductor->tally.gone--;
    member->conductor->tally.spans_lost -= not_exported(member);
    member->counted = false;
    if (!member->conductor->options.quiet)
        fprintf(stderr, "doorbuster: the process of %s is back\n", name_of(member));
}

static void on_closed(void *owner, const char *why)
{
    struct member *member = owner;
    (void)why;
    member->connection = NULL;
    if (!member->conductor->begun)
        bury(member); /* it joins again */
    else if (member->state < MEMBER_FINISHED)
        count_lost(member);
}

/* ---- beginning ---- */

static void write_begin(struct conductor *conductor, struct pack *pack)
{
    pack_array(pack, 2);
    shared_write_begin(pack, &conductor->begin);
    course_write(pack, conductor->world);
}

static void let_begin(struct member *member)
{
    struct conductor *conductor = member->conductor;
    struct pack *pack = fresh(conductor);
    rpc_response(pack, member->ready, NULL);
    write_begin(conductor, pack);
    rpc_connection_send(member->connection, pack);
    member->state = MEMBER_BEGUN;
    if (!member->gathered)
        member->gathered = gathered_new(conductor->world);
}

/* Who is back says so again, and hears the course as it is by now. */
static bool may_be_ready(const struct member *member)
{
    return (member->state == MEMBER_JOINED || member->state == MEMBER_BEGUN) && !member->conductor->finishing;
}

static void take_ready(struct member *member, const struct rpc_frame *frame)
{
    member->ready = frame->id;
    member->state = MEMBER_READY;
    if (member->conductor->begun)
        let_begin(member);
}

/* ---- figures, faults, verdicts ---- */

static void take_figures(struct member *member, const struct rpc_frame *frame)
{
    struct conductor *conductor = member->conductor;
    struct cursor value = frame->value;
    uint32_t fields = cursor_array(&value);
    int64_t spans = cursor_int(&value), settled = cursor_int(&value);
    bool good = !value.bad && fields == 3 && spans >= 0 && settled >= 0 &&
                (cursor_nil(&value) || gathered_read(member->gathered, &value));
    if (good) {
        member->spans = (uint64_t)spans;
        member->settled = (uint64_t)settled;
    }
    respond(conductor, member->connection, frame->id, good ? NULL : "these are no figures of this run");
}

static void take_fault(struct member *member, const struct rpc_frame *frame)
{
    struct conductor *conductor = member->conductor;
    struct cursor value = frame->value;
    struct course_fault fault;
    const char *error = NULL;
    if (!course_read_fault(&value, &fault))
        error = "this is no fault";
    else if (world_set_fault(conductor->world, &fault.spec, conductor->now(conductor->owner)) != STATUS_OK)
        error = "it cannot be set";
    respond(conductor, member->connection, frame->id, error);
}

static bool all_finished(const struct conductor *conductor)
{
    for (size_t i = 0; i < conductor->member_count; i++)
        if (conductor->members[i]->state == MEMBER_BEGUN && conductor->members[i]->connection)
            return false;
    return true;
}

static void take_verdicts(struct member *member, const struct rpc_frame *frame)
{
    struct cursor value = frame->value;
    if (!cursor_nil(&value))
        gathered_verdicts(member->conductor->world, &value);
    member->state = MEMBER_FINISHED;
    if (all_finished(member->conductor))
        ev_break(member->conductor->options.loop, EVBREAK_ALL);
}

static void on_message(void *owner, const struct rpc_frame *frame)
{
    struct member *member = owner;
    bool plays = member->state == MEMBER_BEGUN;
    if (plays && frame->kind == RPC_RESPONSE && frame->id == ID_FINISH && member->conductor->finishing)
        take_verdicts(member, frame);
    else if (frame->kind == RPC_REQUEST && slice_is(frame->method, "ready") && may_be_ready(member))
        take_ready(member, frame);
    else if (plays && frame->kind == RPC_REQUEST && slice_is(frame->method, "figures"))
        take_figures(member, frame);
    else if (plays && frame->kind == RPC_REQUEST && slice_is(frame->method, "fault"))
        take_fault(member, frame);
    else if (frame->kind == RPC_NOTICE && slice_is(frame->method, "leave"))
        bury(member);
    else if (frame->kind == RPC_REQUEST)
        respond(member->conductor, member->connection, frame->id, "nothing of that name is done here now");
}

/* ---- joining ---- */

struct joining {
    uint64_t process;
    bool hosts[SERVICES_MAX];
    const char *error; /* NULL: it is one of us */
};

static bool read_services(const struct conductor *conductor, struct cursor *from,
                          bool hosts[static SERVICES_MAX])
{
    const struct registry *registry = conductor->options.registry;
    uint32_t count = cursor_array(from);
    for (uint32_t n = 0; n < count && !from->bad; n++) {
        struct slice service = cursor_text(from);
        size_t i = 0;
        while (i < registry->kind_count && !slice_is(service, registry->kinds[i]->service))
            i++;
        if (i == registry->kind_count)
            return false;
        hosts[i] = true;
    }
    return count > 0 && !from->bad;
}

static struct joining read_join(const struct conductor *conductor, const struct rpc_frame *frame)
{
    const struct peer_run *own = &conductor->options.run;
    struct joining joining = {0};
    struct cursor value = frame->value;
    uint32_t fields = cursor_array(&value);
    int64_t protocol = cursor_int(&value);
    struct slice version = cursor_text(&value);
    uint64_t scenario = (uint64_t)cursor_int(&value), run = (uint64_t)cursor_int(&value);
    joining.process = (uint64_t)cursor_int(&value);
    if (value.bad || fields != JOIN_FIELDS)
        joining.error = "this is no process of doorbuster's";
    else if (protocol != PEER_PROTOCOL || !slice_is(version, own->version))
        joining.error = "another version of doorbuster: all processes of a run have to be of one";
    else if (scenario != own->scenario)
        joining.error =
            "another scenario: all processes of a run need the same file, --set and DEMO_ variables";
    else if (run && run != own->run)
        joining.error = "another run has begun: start this process again";
    else if (!read_services(conductor, &value, joining.hosts))
        joining.error = "it hosts what is not known here";
    else if (conductor->ended || conductor->finishing)
        joining.error = "the run is over";
    return joining;
}

/* Who is back after it had been cut off, even if another has taken its place meanwhile: what it counts is not to count
   twice. NULL: nobody knows it. */
static struct member *known(struct conductor *conductor, uint64_t process)
{
    for (size_t i = 0; i < conductor->member_count; i++)
        if (conductor->members[i]->process == process)
            return conductor->members[i];
    return NULL;
}

/* A dead one whose services this one has is not expected back. */
static void replace(struct conductor *conductor, const struct joining *joining)
{
    for (size_t i = 0; i < conductor->member_count; i++) {
        struct member *member = conductor->members[i];
        for (size_t s = 0; !member->connection && s < SERVICES_MAX; s++)
            if (member->hosts[s] && joining->hosts[s])
                bury(member);
    }
}

/* Of one that has gone, else behind them all. */
static size_t free_place(const struct conductor *conductor)
{
    size_t place = 0;
    while (place < conductor->member_count && conductor->members[place]->state != MEMBER_GONE)
        place++;
    return place;
}

static struct member *new_member(struct conductor *conductor, const struct joining *joining)
{
    size_t place = free_place(conductor);
    replace(conductor, joining);
    if (place == CONDUCTOR_MEMBERS_MAX)
        place = free_place(conductor);
    if (place == CONDUCTOR_MEMBERS_MAX)
        return NULL;
    if (place == conductor->member_count)
        conductor->members[conductor->member_count++] = base_alloc(1, sizeof(struct member));
    struct member *member = conductor->members[place];
    gathered_free(member->gathered);
    rpc_connection_close(member->connection); /* of one that has left, and may still be there */
    *member = (struct member){.conductor = conductor, .process = joining->process};
    memcpy(member->hosts, joining->hosts, sizeof member->hosts);
    conductor->tally.joined++;
    return member;
}

bool conductor_joins(struct conductor *conductor, struct rpc_connection *connection,
                     const struct rpc_frame *first)
{
    if (first->kind != RPC_REQUEST || !slice_is(first->method, "join"))
        return false;
    struct joining joining = read_join(conductor, first);
    struct member *member = joining.error ? NULL : known(conductor, joining.process);
    if (!joining.error && !member && !(member = new_member(conductor, &joining)))
        joining.error = "too many processes";
    if (joining.error) {
        respond(conductor, connection, first->id, joining.error);
        return false;
    }
    rpc_connection_close(member->connection);
    member->connection = connection;
    count_back(member);
    if (member->state != MEMBER_BEGUN)
        member->state = MEMBER_JOINED;
    const struct rpc_owner owner = {.message = on_message, .closed = on_closed, .owner = member};
    rpc_connection_adopt(connection, &owner);
    struct pack *pack = fresh(conductor);
    struct shared_run told = conductor->options.told;
    told.begun = conductor->begun;
    rpc_response(pack, first->id, NULL);
    shared_write_run(pack, &told);
    rpc_connection_send(connection, pack);
    return true;
}

/* ---- the whole ---- */

struct conductor *conductor_open(const struct conductor_options *options)
{
    struct conductor *conductor = base_alloc(1, sizeof *conductor);
    conductor->options = *options;
    conductor->pack.bytes = base_alloc(BODY_BYTES_MAX, 1);
    return conductor;
}

void conductor_close(struct conductor *conductor)
{
    if (!conductor)
        return;
    if (conductor->begun)
        ev_prepare_stop(conductor->options.loop, &conductor->watch);
    for (size_t i = 0; i < conductor->member_count; i++) {
        rpc_connection_close(conductor->members[i]->connection);
        gathered_free(conductor->members[i]->gathered);
        free(conductor->members[i]);
    }
    free(conductor->pack.bytes);
    free(conductor);
}

static void tell_course(struct conductor *conductor)
{
    for (size_t i = 0; i < conductor->member_count; i++) {
        struct member *member = conductor->members[i];
        if (!member->connection || member->state != MEMBER_BEGUN)
            continue;
        struct pack *pack = fresh(conductor);
        rpc_notice(pack, "course");
        course_write(pack, conductor->world);
        rpc_connection_send(member->connection, pack);
    }
}

static void on_watch(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)loop;
    (void)events;
    struct conductor *conductor = watcher->data;
    struct world_course now = world_course(conductor->world), told = conductor->course;
    if (now.zero_ns == told.zero_ns && now.from_ns == told.from_ns && now.duration_ns == told.duration_ns &&
        now.faults_set == told.faults_set)
        return;
    conductor->course = now;
    tell_course(conductor);
}

void conductor_begin(struct conductor *conductor, struct world *world, const struct shared_begin *begin,
                     int64_t (*now)(void *owner), void *owner)
{
    conductor->world = world;
    conductor->begin = *begin;
    conductor->now = now;
    conductor->owner = owner;
    conductor->begun = true;
    conductor->course = world_course(world);
    for (size_t i = 0; i < conductor->member_count; i++)
        if (conductor->members[i]->state == MEMBER_READY)
            let_begin(conductor->members[i]);
    ev_prepare_init(&conductor->watch, on_watch);
    conductor->watch.data = conductor;
    ev_prepare_start(conductor->options.loop, &conductor->watch);
}

static void on_tick(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)watcher;
    (void)events;
    ev_break(loop, EVBREAK_ONE);
}

void conductor_finish(struct conductor *conductor)
{
    struct ev_loop *loop = conductor->options.loop;
    ev_timer limit;
    conductor->finishing = true;
    for (size_t i = 0; i < conductor->member_count; i++) {
        struct member *member = conductor->members[i];
        struct pack *pack = fresh(conductor);
        rpc_request(pack, ID_FINISH, "finish");
        pack_nil(pack);
        if (member->connection && member->state == MEMBER_BEGUN)
            rpc_connection_send(member->connection, pack);
    }
    ev_timer_init(&limit, on_tick, CONDUCTOR_FINISH_LIMIT_MS / 1e3, 0);
    ev_timer_start(loop, &limit);
    while (!all_finished(conductor) && ev_is_active(&limit))
        ev_run(loop, EVRUN_ONCE);
    if (!all_finished(conductor))
        fputs("doorbuster: some processes did not finish in time: their last figures are missing\n", stderr);
    ev_timer_stop(loop, &limit);
    conductor->ended = true;
}

const struct conductor_tally *conductor_tally(const struct conductor *conductor)
{
    return &conductor->tally;
}
