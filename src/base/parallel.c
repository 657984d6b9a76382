#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define MAX_THREADS 256

unsigned nnm_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}

unsigned nnm_parallel_threads(unsigned threads, size_t count)
{
    if (threads == 0) threads = nnm_cpu_count();
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    if (threads > count) threads = (unsigned)count;
    return threads ? threads : 1;
}

typedef struct loop_state {
    atomic_size_t next;
    size_t count;
    void (*task)(void *context, size_t index, unsigned thread);
    void *context;
} loop_state;

typedef struct participant {
    loop_state *loop;
    unsigned number;
    pthread_t thread;
} participant;

static void take_part(loop_state *loop, unsigned number)
{
    for (;;) {
        size_t index = atomic_fetch_add_explicit(&loop->next, 1, memory_order_relaxed);
        if (index >= loop->count) return;
        loop->task(loop->context, index, number);
    }
}

static void *thread_main(void *argument)
{
    participant *self = argument;
    take_part(self->loop, self->number);
    return NULL;
}

void nnm_parallel_for(unsigned threads, size_t count, void (*task)(void *context, size_t index, unsigned thread),
                      void *context)
{
    loop_state shared = {.count = count, .task = task, .context = context};
    threads = nnm_parallel_threads(threads, count);

    participant others[MAX_THREADS];
    unsigned started = 0;
    for (unsigned i = 1; i < threads; i++) {
        participant *other = &others[started];
        *other = (participant){.loop = &shared, .number = i};
        if (pthread_create(&other->thread, NULL, thread_main, other) != 0) break;
        started++;
    }
    take_part(&shared, 0);
    for (unsigned i = 0; i < started; i++)
        pthread_join(others[i].thread, NULL);
}
