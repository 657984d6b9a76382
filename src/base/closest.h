#ifndef NNM_BASE_CLOSEST_H
#define NNM_BASE_CLOSEST_H

#include <stddef.h>

/* The name among `count` that is most like `text` (edits and swaps of neighbours, letter case free), or NULL when none
 * is near enough to be worth a suggestion: at most a third of the letters may differ, and at least one edit is allowed.
 */
const char *nnm_closest(const char *text, const char *const *names, size_t count);

#endif
