/*
 * simgrid_shop: the demo checkout's call graph as a SimGrid user would write it, to measure against.
 *
 * Twelve services, each a mailbox and a crew of worker actors; a request is asked along the same nested
 * and sequential calls as actors/frontend.c's checkout, open loop (Poisson arrivals), with service times
 * drawn from exp(1 ms) and one span recorded per call into a ring. No metrics, alerts, time-outs, bodies
 * or encoding: what doorbuster does on top of this is left out in SimGrid's favour.
 *
 * SimGrid is run at its fastest: raw contexts, the Constant network model (one simulated second a
 * message whatever its size, and no links: an empty zone), detached replies. Two traps of 3.32: the
 * Constant model multiplies its second by network/latency-factor, 13.01 by default, and then loses a
 * message in some ten thousand to rounding (with 1 it lost none); sleeps are at least 10 us, since shorter
 * ones fall below its precision. The program fails when a request is lost.
 *
 * usage: simgrid_shop REQUESTS IN_FLIGHT     IN_FLIGHT: mean number of requests under way
 */
#include <simgrid/s4u.hpp>
#include <xbt/log.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace sg4 = simgrid::s4u;

namespace
{

constexpr double message_s = 1.0; /* what the Constant model charges */
constexpr uint64_t message_bytes = 200;

struct service {
    const char *name;
    std::vector<int> asks; /* in this order, one after the other */
    sg4::Mailbox *mailbox = nullptr;
};

enum {
    LOAD_GENERATOR,
    FRONTEND,
    CART,
    REDIS,
    SHIPPING,
    CATALOG,
    RECOMMENDATION,
    POSTGRESQL,
    PAYMENT,
    CHECKOUT,
    INVENTORY,
    ORDERS_DB,
    SERVICES
};

std::vector<service> shop = {
    {"load-generator", {FRONTEND}},
    {"frontend", {CART, SHIPPING, CATALOG, PAYMENT, CHECKOUT}},
    {"cart-service", {REDIS}},
    {"redis", {}},
    {"shipping-service", {}},
    {"product-catalog", {RECOMMENDATION}},
    {"recommendation-service", {POSTGRESQL}},
    {"postgresql", {}},
    {"payment-service", {}},
    {"checkout", {INVENTORY, ORDERS_DB}},
    {"inventory-service", {}},
    {"orders-database", {}},
};

struct request {
    uint64_t trace;
    uint64_t parent;
    sg4::Mailbox *reply_to;
};

struct span {
    uint64_t trace, id, parent;
    double start, end;
    int service;
    int status;
};

constexpr size_t ring_spans = 1 << 16;
std::vector<span> ring(ring_spans);
uint64_t spans_recorded, requests_answered, next_span;
std::mt19937_64 chance(7);

double exponential(double mean)
{
    return std::exponential_distribution<double>(1.0 / mean)(chance);
}

void record(uint64_t trace, uint64_t id, uint64_t parent, double start, int service)
{
    ring[spans_recorded++ % ring_spans] = {trace, id, parent, start, sg4::Engine::get_clock(), service, 0};
}

/* One member of a service's crew: takes a request, works, asks the others in turn, answers. */
void worker(int index, sg4::Mailbox *answers)
{
    const service &self = shop[static_cast<size_t>(index)];
    for (;;) {
        auto *asked = self.mailbox->get<request>();
        const double start = sg4::Engine::get_clock();
        const uint64_t id = ++next_span;
        sg4::this_actor::sleep_for(std::max(exponential(0.001), 1e-5));
        for (int other : self.asks) {
            auto *ask = new request{asked->trace, id, answers};
            shop[static_cast<size_t>(other)].mailbox->put_init(ask, message_bytes)->detach();
            delete answers->get<request>();
        }
        record(asked->trace, id, asked->parent, start, index);
        if (asked->reply_to)
            asked->reply_to->put_init(asked, message_bytes)->detach();
        else {
            requests_answered++;
            delete asked;
        }
    }
}

/* Open loop: arrivals wait for nobody. */
void arrivals(uint64_t requests, double rate_per_s)
{
    double at = 0;
    for (uint64_t number = 1; number <= requests; number++) {
        at += exponential(1.0 / rate_per_s);
        sg4::this_actor::sleep_until(std::max(at, sg4::Engine::get_clock() + 1e-5));
        shop[LOAD_GENERATOR].mailbox->put_init(new request{number, 0, nullptr}, message_bytes)->detach();
    }
}

/* Messages one after the other on the way of a request, and so its simulated length in seconds. */
double messages_in_a_row(int index)
{
    double sum = 0;
    for (int other : shop[static_cast<size_t>(index)].asks)
        sum += 2 + messages_in_a_row(other);
    return sum;
}

} // namespace

int main(int argc, char **argv)
{
    xbt_log_control_set("xbt_cfg.thresh:warning");
    sg4::Engine engine(&argc, argv);
    sg4::Engine::set_config("contexts/factory:raw");
    sg4::Engine::set_config("network/model:Constant");
    sg4::Engine::set_config("network/latency-factor:1");
    if (argc != 3) {
        std::fprintf(stderr, "usage: simgrid_shop REQUESTS IN_FLIGHT\n");
        return 2;
    }
    const uint64_t requests = std::strtoull(argv[1], nullptr, 10);
    const double in_flight = std::strtod(argv[2], nullptr);
    const double length_s = 1 + messages_in_a_row(LOAD_GENERATOR) * message_s;

    auto *zone = sg4::create_empty_zone("shop");
    auto *host = zone->create_host("host", 1e9);
    zone->seal();

    /* Crews large enough that nobody waits for a worker: as many as may be inside the service at once. */
    for (int i = 0; i < SERVICES; i++) {
        service &self = shop[static_cast<size_t>(i)];
        self.mailbox = sg4::Mailbox::by_name(self.name);
        const double inside = in_flight * (messages_in_a_row(i) + 1) / length_s;
        const int crew = static_cast<int>(std::ceil(inside + 4 * std::sqrt(inside) + 4));
        for (int n = 0; n < crew; n++) {
            auto *answers = sg4::Mailbox::by_name(std::string(self.name) + "-answers-" + std::to_string(n));
            sg4::Actor::create(self.name, host, worker, i, answers)->daemonize();
        }
    }
    /* Ends when arrivals are over and the last request has had its time. */
    sg4::Actor::create("arrivals", host, [=] {
        arrivals(requests, in_flight / length_s);
        sg4::this_actor::sleep_for(20 * length_s);
    });
    engine.run();

    std::printf("requests %llu spans %llu simulated_s %.0f\n",
                static_cast<unsigned long long>(requests_answered),
                static_cast<unsigned long long>(spans_recorded), sg4::Engine::get_clock());
    return requests_answered == requests ? 0 : 1;
}
