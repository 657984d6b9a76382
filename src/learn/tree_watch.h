/* How far growing trees on several threads is, and whether it was asked to stop. */
#ifndef NNM_LEARN_TREE_WATCH_H
#define NNM_LEARN_TREE_WATCH_H

#include <stdatomic.h>

#include "nnmeter/forest.h"

/* Initialise with the listener (may be NULL) and the number of trees. */
typedef struct nnm_tree_watch {
    const nnm_fit_listener *listener;
    size_t trees;
    atomic_size_t grown;
    atomic_bool stopped;
} nnm_tree_watch;

static inline bool nnm_tree_watch_stopped(nnm_tree_watch *watch)
{
    return atomic_load_explicit(&watch->stopped, memory_order_relaxed);
}

/* A tree is grown. Thread 0 of nnm_parallel_for is the one that called: the listener hears it there. */
static inline void nnm_tree_watch_grown(nnm_tree_watch *watch, unsigned thread)
{
    size_t grown = atomic_fetch_add_explicit(&watch->grown, 1, memory_order_relaxed) + 1;
    const nnm_fit_listener *listener = watch->listener;
    if (thread == 0 && listener && listener->hear(listener->context, grown, watch->trees))
        atomic_store_explicit(&watch->stopped, true, memory_order_relaxed);
}

#endif
