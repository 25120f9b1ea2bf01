/*
 * shopper: the shop with customers of our own - the load generator's journeys, and rougher ones beside them.
 *
 *     browse, checkout   as the shop knows them
 *     hoard              orders of up to 100 pieces of three products, until they are sold out
 *     again              orders under five idempotency keys, over and over
 *     wander             a journey of several requests with time to think between them
 *     look               one of many routes, with parameters that exist or don't
 *     nonsense           bodies of random bytes, and one too long to send, to every route
 *
 * All chance comes from the call's draws, so a seed means the same.
 */
#ifndef TESTS_PROPERTIES_SHOPPER_H
#define TESTS_PROPERTIES_SHOPPER_H

#include "core/actor.h"

/* The shop's registry, with this load generator in place of its own. Valid for good. */
const struct registry *shopper_registry(void);

#endif
