#include "core/starting_cart.h"

#include "core/draw.h"

enum { PURPOSE = 0x401, SEEDED_PRODUCTS = 5000, EIGHTHS = 8 };

uint32_t starting_cart(uint64_t seed, uint64_t index, int64_t products[static STARTING_CART_PRODUCTS])
{
    uint32_t count = 2 + (index % 3 == 0);
    /* An eighth of its own for each, so that no product comes twice. */
    for (uint32_t n = 0; n < count; n++) {
        uint64_t eighth = draw_below(draw(seed, index, PURPOSE, n).a, SEEDED_PRODUCTS / EIGHTHS);
        products[n] = 1 + (int64_t)(eighth * EIGHTHS + (n + index) % EIGHTHS);
    }
    return count;
}
