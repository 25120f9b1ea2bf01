#include "edges/hint.h"

#include "core/base.h"

#include <stdlib.h>

/* Optimal string alignment: three rows of the usual table, for swaps look two rows back. */
size_t hint_distance(const char *a, const char *b)
{
    size_t rows[3][HINT_WORD_MAX + 1];
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > HINT_WORD_MAX || b_len > HINT_WORD_MAX)
        return MAX(a_len, b_len);
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = MIN(change, MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

/* How far apart their first different letters are. */
static int first_difference(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return abs(*a - *b);
}

/* Of those that begin with the word the shortest: payment-service for payment. */
static const char *longer(const char *word, const char *const *names, size_t count)
{
    enum { WORD_MIN = 3 };
    const char *best = NULL;
    size_t len = strlen(word);
    for (size_t i = 0; i < count && len >= WORD_MIN; i++)
        if (!strncmp(names[i], word, len) && (!best || strlen(names[i]) < strlen(best)))
            best = names[i];
    return best;
}

const char *hint_nearest(const char *word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = MIN(strlen(word), HINT_WORD_MAX) / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        size_t distance = hint_distance(word, names[i]);
        bool nearer = nearest && distance == least &&
                      first_difference(word, names[i]) < first_difference(word, nearest);
        if (distance < least || (!nearest && distance == least) || nearer) {
            least = distance;
            nearest = names[i];
        }
    }
    return nearest ? nearest : longer(word, names, count);
}
