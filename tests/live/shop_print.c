/*
 * What the modelled database holds and knows, for comparison with a real one: lines of fields with tabs between them.
 *
 *     product ID NAME CATEGORY PRICE_CENTS STOCK POPULARITY      some of each hundred thousand
 *     top CATEGORY ID...                                         the ten most popular
 *     statement NAME SQL
 *     index NAME AT_START SQL
 */
#include "actors/shop/catalogue.h"
#include "actors/shop/statements.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST = 120, STEP = 997, TOP = 10 };

static void print_product(const struct catalogue *catalogue, int64_t id)
{
    static unsigned char bytes[BODY_BYTES_MAX];
    struct pack pack = {.bytes = bytes};
    catalogue_pack_name(&pack, id);
    struct cursor cursor = {.at = bytes, .end = bytes + pack.len};
    struct slice name = cursor_text(&cursor);
    printf("product\t%" PRId64 "\t%.*s\t%s\t%" PRId64 "\t%d\t%" PRId64 "\n", id, (int)name.len, name.at,
           catalogue_category_name((int)((id - 1) % CATALOGUE_CATEGORIES)), catalogue_price_cents(id),
           catalogue->stock[id - 1], catalogue_popularity(id));
}

int main(int argc, char **argv)
{
    struct catalogue catalogue;
    int64_t rows = argc > 1 ? strtoll(argv[1], NULL, 10) : 500000;
    catalogue_init(&catalogue, rows);
    for (int64_t id = 1; id <= rows; id += id < FIRST ? 1 : STEP)
        print_product(&catalogue, id);
    print_product(&catalogue, rows);
    for (int i = 0; i < CATALOGUE_CATEGORIES; i++) {
        printf("top\t%s", catalogue_category_name(i));
        for (int k = 0; k < TOP; k++)
            printf("\t%" PRIu32, catalogue.top[i][k]);
        putchar('\n');
    }
    for (size_t i = 0; i < shop_statement_count; i++)
        printf("statement\t%s\t%s\n", shop_statements[i].name, shop_statements[i].sql);
    for (size_t i = 0; i < shop_index_count; i++)
        printf("index\t%s\t%d\t%s\n", shop_indexes[i].name, shop_indexes[i].at_start, shop_indexes[i].sql);
    catalogue_fini(&catalogue);
    return 0;
}
