#include "edges/peers_parts.h"

#include <stdlib.h>

struct pack *peers_pack(struct peers *peers)
{
    peers->pack.len = 0;
    peers->pack.overflow = false;
    return &peers->pack;
}

struct peers *peers_open(const struct peers_options *options, struct text *error)
{
    struct peers *peers = base_alloc(1, sizeof *peers);
    peers->options = *options;
    peers->pack.bytes = base_alloc(BODY_BYTES_MAX, 1);
    slab_init(&peers->asked, sizeof(struct peer_asked), PEER_ASKED_MAX);
    slab_init(&peers->served, sizeof(struct peer_served), PEER_SERVED_MAX);
    peers_name_methods(peers);
    peers_find_asked(peers);
    if (peers_listen(peers, error))
        return peers;
    peers_close(peers);
    return NULL;
}

void peers_close(struct peers *peers)
{
    if (!peers)
        return;
    peers_served_close(peers);
    peers_links_close(peers);
    peers_forget_methods(peers);
    slab_fini(&peers->asked);
    slab_fini(&peers->served);
    free(peers->pack.bytes);
    free(peers);
}

void peers_know(struct peers *peers, uint64_t run)
{
    peers->options.run.run = run;
    peers_greet_back(peers);
    peers_links_open(peers);
}

void peers_serve(struct peers *peers, struct world *world)
{
    peers->world = world;
}

void peers_leave(struct peers *peers)
{
    peers->leaving = true;
    peers->leaving_since = ev_now(peers->options.loop);
    peers_tell_leave(peers);
}

bool peers_left(const struct peers *peers)
{
    for (const struct peer_client *client = peers->clients; client; client = client->next)
        if (client->greeted && !client->left)
            return false;
    return peers->served.live == 0;
}

static bool there(const struct peers *peers, uint16_t service)
{
    for (size_t p = 0; p < peers->place_count; p++)
        if (peers->places[p].service == service && peers_someone_there(&peers->places[p]))
            return true;
    return false;
}

bool peers_complete(const struct peers *peers, struct text *missing)
{
    const struct registry *registry = peers->options.registry;
    bool complete = true;
    for (uint16_t i = 0; i < registry->kind_count; i++) {
        if (!peers->asks[i] || there(peers, i))
            continue;
        if (missing && !complete)
            text_lit(missing, ", ");
        if (missing)
            text_str(missing, registry->kinds[i]->service);
        complete = false;
    }
    return complete;
}

/* ---- for the world ---- */

/* Ends an ask that has not left. */
static void end_here(struct peers *peers, uint64_t token, enum status status)
{
    world_answer(peers->world, &(struct outbound_answer){.token = token, .status = status},
                 peers->options.now(peers->options.owner));
}

void peers_ask(struct peers *peers, const struct far_ask *ask)
{
    peers->tally.asked++;
    struct peer_link *link = peers_link_for(peers, ask->to);
    if (!link) {
        peers->tally.lost++;
        end_here(peers, ask->token, STATUS_NO_PEER);
        return;
    }
    struct peer_asked *asked = slab_take(&peers->asked);
    if (!asked) {
        end_here(peers, ask->token, STATUS_OVERLOADED);
        return;
    }
    asked->link = link;
    asked->token = ask->token;
    struct pack *pack = peers_pack(peers);
    peers_write_ask(peers, pack, peers_asked_id(asked), ask);
    bool fits = !pack->overflow;
    if (rpc_connection_send(link->connection, pack))
        return;
    bool broken = rpc_connection_broken(link->connection);
    slab_give(&peers->asked, asked);
    peers->tally.lost += broken;
    end_here(peers, ask->token, broken ? STATUS_NO_PEER : fits ? STATUS_OVERLOADED : STATUS_FAILED);
}

void peers_cancel(struct peers *peers, uint64_t token)
{
    for (uint32_t slot = 0; slot < peers->asked.count; slot++) {
        struct peer_asked *asked = slab_at(&peers->asked, slot);
        if (!asked || asked->token != token)
            continue;
        struct pack *pack = peers_pack(peers);
        rpc_notice(pack, "cancel");
        pack_array(pack, 1);
        pack_int(pack, peers_asked_id(asked));
        rpc_connection_send(asked->link->connection, pack);
        return;
    }
}

const struct peers_tally *peers_tally(const struct peers *peers)
{
    return &peers->tally;
}
