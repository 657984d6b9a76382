/* Walks through trees of one width of words. Included once for each width by tree_walk.c, with WORD (the type) and
 * NAME(x) (x with a suffix) defined. */

static void NAME(encode)(const nnm_tree_set *set, const double *x, size_t rows, WORD *codes)
{
    unsigned shift = nnm_number_shift(&set->layout);
    for (size_t row = 0; row < rows; row++) {
        for (size_t f = 0; f < set->columns; f++)
            *codes++ = (WORD)((WORD)cuts_below(set->cuts[f], set->cut_counts[f], *x++) << shift);
        *codes++ = 0;
    }
}

static void NAME(encode_ranks)(const nnm_tree_set *set, const uint32_t *ranks, size_t rows, WORD *codes)
{
    unsigned shift = nnm_number_shift(&set->layout);
    for (size_t row = 0; row < rows; row++) {
        for (size_t f = 0; f < set->columns; f++)
            *codes++ = (WORD)((WORD)*ranks++ << shift);
        *codes++ = 0;
    }
}

/* Four steps down. A mask and no branch, which would be guessed wrong half of the time. */
static inline uint32_t NAME(go_down)(const WORD *nodes, const WORD *codes, uint32_t place, const walk_masks *m)
{
    for (int i = 0; i < 4; i++) {
        WORD word = nodes[place];
        place = (uint32_t)(word >> m->feature_bits & m->child) + (codes[word & m->feature] > word);
    }
    return place;
}

/* Walks with many rows are under way at once, so that the processor need not wait for any of them. Whether they have
 * arrived is asked after every fourth step only. */
static void NAME(walk_rows)(const nnm_tree_set *set, size_t tree, const WORD *codes, const uint32_t *rows, size_t count,
                            double *out)
{
    const nnm_packed_tree *t = &set->trees[tree];
    const WORD *nodes = t->nodes;
    const walk_masks m = masks_of(set);
    const size_t stride = set->columns + 1;
    unsigned shift = nnm_number_shift(&set->layout);
    uint32_t at[NNM_WALK_ROWS];
    uint16_t active[NNM_WALK_ROWS];

    size_t running = 0;
    for (size_t i = 0; i < count; i++) {
        at[i] = 1;
        active[i] = (uint16_t)i;
    }
    for (unsigned steps = first_steps(t); steps >= 4; steps -= 4) {
        for (size_t i = 0; i < count; i++)
            at[i] = NAME(go_down)(nodes, codes + rows[i] * stride, at[i], &m);
    }
    for (running = count; running > 0;) {
        size_t left = 0;
        for (size_t k = 0; k < running; k++) {
            uint16_t i = active[k];
            uint32_t place = NAME(go_down)(nodes, codes + rows[i] * stride, at[i], &m);
            at[i] = place;
            active[left] = i;
            left += (nodes[place] & m.feature) != set->columns;
        }
        running = left;
    }
    for (size_t i = 0; i < count; i++)
        out[rows[i]] = t->leaves[nodes[at[i]] >> shift];
}

/* The same with one row and many trees, count <= TREE_BLOCK. */
static void NAME(walk_trees)(const nnm_tree_set *set, size_t first, size_t count, const WORD *codes, double *out)
{
    const walk_masks m = masks_of(set);
    unsigned shift = nnm_number_shift(&set->layout);
    const nnm_packed_tree *trees = set->trees + first;
    uint32_t at[TREE_BLOCK];
    uint16_t active[TREE_BLOCK];
    size_t running = count;
    for (size_t i = 0; i < count; i++) {
        at[i] = 1;
        active[i] = (uint16_t)i;
    }
    while (running > 0) {
        size_t left = 0;
        for (size_t k = 0; k < running; k++) {
            uint16_t i = active[k];
            const WORD *nodes = trees[i].nodes;
            uint32_t place = NAME(go_down)(nodes, codes, at[i], &m);
            at[i] = place;
            active[left] = i;
            left += (nodes[place] & m.feature) != set->columns;
        }
        running = left;
    }
    for (size_t i = 0; i < count; i++)
        out[i] = trees[i].leaves[((const WORD *)trees[i].nodes)[at[i]] >> shift];
}
