/*
 * scenario_fill: from a tree of the right shape to struct scenario, and what a shape cannot say: names that the
 * registry knows, instants within the duration, figures that do not contradict each other. Within the
 * loader only (scenario_load.h). Contradictions are added to the problems; filling goes on to find more.
 */
#ifndef EDGES_SCENARIO_FILL_H
#define EDGES_SCENARIO_FILL_H

#include "core/actor.h"
#include "edges/scenario_problems.h"

struct filling {
    struct yaml_tree *tree;
    const struct yaml_node *root;
    const struct registry *registry;
    struct scenario *scenario;
    struct problems *problems;
};

void scenario_fill(struct filling *filling); /* all of it, by way of these */
void scenario_fill_streams(struct filling *filling);
void scenario_fill_services(struct filling *filling);
void scenario_fill_stores(struct filling *filling);
void scenario_fill_faults(struct filling *filling);
/* One whose physics is scripted: `node` of the list, `what` behind its kind; its target is filled. */
void scenario_fill_script(const struct filling *filling, const struct yaml_node *node,
                          const struct yaml_node *what, struct fault_spec *fault);
void scenario_fill_alerts(struct filling *filling);
void scenario_fill_expects(struct filling *filling);

/* The first child of the root's `key`, or NULL. */
const struct yaml_node *filling_first(const struct filling *filling, const char *key);

/* A duration as text in a message. */
struct duration_text {
    char text[40];
};
const char *duration_text(struct duration_text *into, int64_t duration_ns);

/* False, and a problem, unless 0 < node (a duration). */
bool filling_positive(const struct filling *filling, const struct yaml_node *node);
/* False, and a problem, unless the instant is before the end of the scenario. */
bool filling_inside(const struct filling *filling, const struct yaml_node *node);
/* Problems unless the list's instants rise; an item is an instant, or a pair that begins with one. */
void filling_rising(const struct filling *filling, const struct yaml_node *list, const char *what);
/* The largest max that any service's pool of that name has, in the file or by default. */
int filling_pool_max(const struct filling *filling, const char *pool);

#endif
