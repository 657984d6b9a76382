#include "builder/acquire_greedy.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"

typedef struct state {
    const nnm_greedy *greedy;
    double *left;   /* reference: the worth that no chosen candidate took */
    double *gain;   /* candidates: what each would take, or at least did at its last look; < 0: chosen */
    size_t *looked; /* candidates: how many were chosen when its gain was worked out */
} state;

static void find_gain(void *context, size_t candidate, unsigned thread)
{
    (void)thread;
    state *s = context;
    const nnm_greedy *g = s->greedy;
    double sum = 0;
    for (size_t row = 0; row < g->reference; row++)
        if (s->left[row] > 0) sum += s->left[row] * (double)g->alike(g->context, candidate, row);
    s->gain[candidate] = sum;
}

/* The candidate with the largest gain for its price, as far as known; `candidates` if none is left. */
static size_t find_top(const state *s)
{
    size_t top = s->greedy->candidates;
    double most = -1;
    for (size_t i = 0; i < s->greedy->candidates; i++) {
        double value = s->gain[i] / s->greedy->price[i];
        if (s->gain[i] < 0 || value <= most) continue;
        most = value;
        top = i;
    }
    return top;
}

static void take(state *s, size_t candidate)
{
    const nnm_greedy *g = s->greedy;
    s->gain[candidate] = -1;
    for (size_t row = 0; row < g->reference; row++)
        s->left[row] *= 1 - (double)g->alike(g->context, candidate, row);
}

nnm_status nnm_greedy_choose(size_t *chosen, size_t *chosen_count, const nnm_greedy *greedy, size_t num, nnm_error *err)
{
    state s = {
        .greedy = greedy,
        .left = nnm_calloc(greedy->reference, sizeof *s.left),
        .gain = nnm_calloc(greedy->candidates, sizeof *s.gain),
        .looked = nnm_calloc(greedy->candidates, sizeof *s.looked),
    };
    size_t taken = 0;
    nnm_status status = s.left && s.gain && s.looked ? NNM_OK : nnm_fail_memory(err);
    if (status) goto done;
    for (size_t row = 0; row < greedy->reference; row++)
        s.left[row] = greedy->worth[row];
    nnm_parallel_for(greedy->threads, greedy->candidates, find_gain, &s);
    while (taken < num) {
        size_t top = find_top(&s);
        if (top == greedy->candidates) break;
        if (s.looked[top] == taken) {
            take(&s, top);
            chosen[taken++] = top;
        } else { /* it is the best only if it stays so with today's gain */
            find_gain(&s, top, 0);
            s.looked[top] = taken;
        }
    }
    *chosen_count = taken;
done:
    free(s.left);
    free(s.gain);
    free(s.looked);
    return status;
}
