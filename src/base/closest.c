#include "base/closest.h"

#include <ctype.h>
#include <string.h>

#define MAX_LENGTH 64

static size_t minimum(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance; both lengths are at most MAX_LENGTH. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][MAX_LENGTH + 1];
    size_t *before = rows[0], *previous = rows[1], *current = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        previous[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        current[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            int x = tolower((unsigned char)a[i - 1]);
            int y = tolower((unsigned char)b[j - 1]);
            current[j] = minimum(minimum(previous[j] + 1, current[j - 1] + 1), previous[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]))
                current[j] = minimum(current[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[b_length];
}

const char *nnm_closest(const char *text, const char *const *names, size_t count)
{
    size_t length = strlen(text);
    if (length == 0 || length > MAX_LENGTH) return NULL;
    const char *best = NULL;
    size_t allowed = length / 3 ? length / 3 : 1;
    for (size_t i = 0; i < count; i++) {
        size_t name_length = strlen(names[i]);
        if (name_length > MAX_LENGTH) continue;
        size_t d = distance(text, length, names[i], name_length);
        if (d <= allowed) {
            best = names[i];
            if (d == 0) break;
            allowed = d - 1;
        }
    }
    return best;
}
