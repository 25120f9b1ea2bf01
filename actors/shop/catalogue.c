#include "actors/shop/catalogue.h"

#include <stdlib.h>

static const char *const categories[CATALOGUE_CATEGORIES] = {"electronics", "furniture", "sports", "kitchen",
                                                             "garden",      "toys",      "books",  "fashion"};

/* Product n (from 0) belongs to category n % 8. */
static const char *const names[] = {
    "Aurora Wireless Headphones",
    "Oslo Oak Desk",
    "Ridgeline Trail Shoes",
    "Copper Pour-Over Kettle",
    "Cedar Raised Bed",
    "Balance Bike Pico",
    "The Long Harbour",
    "Merino Crew Sweater",
    "Pulse Smart Watch",
    "Lund Reading Chair",
    "Apex Climbing Rope 60m",
    "Cast Iron Skillet 28cm",
    "Solar Path Lights (6)",
    "Wooden Railway Set",
    "A Field Guide to Moss",
    "Waxed Cotton Jacket",
    "Vista 27\" Monitor",
    "Birch Bookshelf",
    "Tempo Road Helmet",
    "Chef's Knife 20cm",
    "Rain Barrel 200l",
    "Marble Run Deluxe",
    "Bread, Slowly",
    "Linen Shirt",
    "Nimbus Mechanical Keyboard",
    "Walnut Nightstand",
    "Kestrel Yoga Mat",
    "Stoneware Dinner Set",
    "Pruning Shears Pro",
    "Night Sky Projector",
    "The Cartographer's Key",
    "Selvedge Jeans",
    "Echo Bookshelf Speakers",
    "Haven Sofa, 3 seats",
    "Fjord Kayak Paddle",
    "Espresso Grinder M2",
    "Teak Garden Bench",
    "Puzzle: Old Town (1000)",
    "Cooking for Two",
    "Canvas Sneakers",
    "Orbit Mesh Router (3)",
    "Studio Standing Desk",
    "Summit 45l Backpack",
    "Enamel Dutch Oven",
    "Compost Tumbler",
    "Robot Builder Kit",
    "Letters from Lisbon",
    "Wool Overcoat",
    "Prism 4K Action Camera",
    "Ash Dining Table",
    "Trail Running Vest",
    "Hand Blender Duo",
    "Wildflower Seed Mix",
    "Plush Otter",
    "Gardens in Winter",
    "Leather Belt",
    "Volt Power Bank 20k",
    "Nook Corner Shelf",
    "Folding Exercise Bike",
    "Glass Storage Set (10)",
    "Greenhouse Mini",
    "Kite Albatross",
    "The Quiet Machine",
    "Rain Boots",
    "Lumen Desk Lamp",
    "Drift Bed Frame",
    "Carbon Tennis Racket",
    "Pasta Machine Roma",
    "Bird Feeder Window",
    "Balsa Glider (4)",
    "Maps of the Deep Sea",
    "Silk Scarf",
};
_Static_assert(ARRAY_LEN(names) == CATALOGUE_NAMED, "named products");

static const char *const kinds[CATALOGUE_CATEGORIES] = {"Gadget ",  "Shelf ", "Gear ",  "Utensil ",
                                                        "Planter ", "Toy ",   "Novel ", "Garment "};

/* A fixed mixing of the id, below 2^32: prices and popularity that look unordered. No step leaves 63 bits, so that
   sql/init-db.sql does the same in plain bigint: both must change together. */
static int64_t mixed(int64_t id)
{
    int64_t x = id * 2654435761 % 4294967296;
    x ^= x >> 15;
    x = x * 1540483477 % 4294967296;
    return x ^ (x >> 13);
}

int64_t catalogue_price_cents(int64_t id)
{
    static const int64_t base_cents[CATALOGUE_CATEGORIES] = {7900, 14900, 5900, 3900, 2900, 2400, 1400, 4900};
    int64_t base = base_cents[(id - 1) % CATALOGUE_CATEGORIES];
    return base / 2 + mixed(id) % base / 100 * 100 + 99;
}

/* Those that are kept in order come before all others, so that they are a real database's most popular too. */
int64_t catalogue_popularity(int64_t id)
{
    int64_t least = id <= CATALOGUE_NAMED ? 100000 : id <= CATALOGUE_CATEGORIES * CATALOGUE_TOP ? 50000 : 0;
    return least + mixed(id + 7) % 50000;
}

int catalogue_category(struct slice name)
{
    for (int i = 0; i < CATALOGUE_CATEGORIES; i++)
        if (slice_is(name, categories[i]))
            return i;
    return -1;
}

const char *catalogue_category_name(int category)
{
    return categories[category];
}

void catalogue_pack_name(struct pack *pack, int64_t id)
{
    if (id <= CATALOGUE_NAMED)
        pack_text(pack, names[id - 1]);
    else
        pack_label(pack, kinds[(id - 1) % CATALOGUE_CATEGORIES], (uint64_t)id);
}

/* The name as the table has it; its length. */
static uint32_t name_of(int64_t id, char name[static CATALOGUE_NAME_MAX])
{
    const char *text = id <= CATALOGUE_NAMED ? names[id - 1] : kinds[(id - 1) % CATALOGUE_CATEGORIES];
    char digits[20];
    size_t at = sizeof digits;
    for (int64_t left = id > CATALOGUE_NAMED ? id : 0; left; left /= 10)
        digits[--at] = (char)('0' + left % 10);
    size_t len = strlen(text), more = sizeof digits - at;
    ASSERT(len + more <= CATALOGUE_NAME_MAX);
    for (size_t i = 0; i < len + more; i++) /* not a string: it has a length and no end */
        name[i] = *(i < len ? &text[i] : &digits[at + i - len]);
    return (uint32_t)(len + more);
}

static int folded(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool begins(const char *name, uint32_t len, struct slice letters)
{
    if (letters.len > len)
        return false;
    for (uint32_t i = 0; i < letters.len; i++)
        if (folded(name[i]) != folded(letters.at[i]))
            return false;
    return true;
}

bool catalogue_name_begins(int64_t id, struct slice letters)
{
    char name[CATALOGUE_NAME_MAX];
    return begins(name, name_of(id, name), letters);
}

bool catalogue_name_has(int64_t id, struct slice letters)
{
    char name[CATALOGUE_NAME_MAX];
    uint32_t len = name_of(id, name), at = 0;
    while (at < len && !begins(name + at, len - at, letters))
        at++;
    return at < len || !letters.len;
}

bool catalogue_has(const struct catalogue *catalogue, int64_t id)
{
    return id >= 1 && id <= catalogue->rows;
}

bool catalogue_take(struct catalogue *catalogue, int64_t id, int64_t quantity)
{
    if (!catalogue_has(catalogue, id) || quantity < 1 || catalogue->stock[id - 1] < quantity)
        return false;
    catalogue->stock[id - 1] -= (int32_t)quantity;
    catalogue->taken += quantity;
    return true;
}

/* Named products sort by name; generated ones all share their kind's first word, so by id. */
static int by_name(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    if (a <= CATALOGUE_NAMED && b <= CATALOGUE_NAMED)
        return strcmp(names[a - 1], names[b - 1]);
    return a < b ? -1 : a > b;
}

int catalogue_by_popularity(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    int64_t more = catalogue_popularity(b) - catalogue_popularity(a);
    if (more)
        return more < 0 ? -1 : 1;
    return a < b ? -1 : a > b;
}

void catalogue_grow(struct catalogue *catalogue, int64_t rows)
{
    ASSERT(rows <= CATALOGUE_ROWS_MAX);
    if (rows <= catalogue->rows)
        return;
    catalogue->stock = base_grow(catalogue->stock, (size_t)catalogue->rows, (size_t)rows, sizeof(int32_t));
    for (int64_t id = catalogue->rows + 1; id <= rows; id++)
        catalogue->stock[id - 1] = (int32_t)(1000 + mixed(id + 13) % 2000);
    catalogue->rows = rows;
}

void catalogue_init(struct catalogue *catalogue, int64_t rows)
{
    ASSERT(rows >= CATALOGUE_CATEGORIES * CATALOGUE_TOP && rows <= CATALOGUE_ROWS_MAX);
    *catalogue = (struct catalogue){0};
    catalogue_grow(catalogue, rows);
    for (uint32_t c = 0; c < CATALOGUE_CATEGORIES; c++) {
        for (uint32_t i = 0; i < CATALOGUE_PAGE; i++)
            catalogue->page[c][i] = i * CATALOGUE_CATEGORIES + c + 1;
        for (uint32_t i = 0; i < CATALOGUE_TOP; i++)
            catalogue->top[c][i] = i * CATALOGUE_CATEGORIES + c + 1;
        qsort(catalogue->page[c], CATALOGUE_PAGE, sizeof(uint32_t), by_name);
        qsort(catalogue->top[c], CATALOGUE_TOP, sizeof(uint32_t), catalogue_by_popularity);
    }
}

void catalogue_fini(struct catalogue *catalogue)
{
    free(catalogue->stock);
    *catalogue = (struct catalogue){0};
}
