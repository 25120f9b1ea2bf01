/*
 * starting_cart: the carts that stand in the cache before a run begins, the same whichever cache it is.
 *
 * Cart i of redis_spec.carts is called cart-(STARTING_CART_FIRST + i); it holds one piece each of two products,
 * one in three of a third. What they are is drawn from (seed, i).
 */
#ifndef CORE_STARTING_CART_H
#define CORE_STARTING_CART_H

#include "core/base.h"

enum { STARTING_CART_FIRST = 1000, STARTING_CART_PRODUCTS = 3 };

/* How many of the products are set. */
uint32_t starting_cart(uint64_t seed, uint64_t index, int64_t products[static STARTING_CART_PRODUCTS]);

#endif
