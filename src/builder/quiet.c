/*
 * The quiet state that rounds are compared with is one of the machine, not of a workspace: labels of two workspaces
 * can only be compared when both waited for the same state.
 */
#include "builder/quiet.h"

#include <math.h>

#include "base/clock.h"
#include "base/error.h"
#include "bench/reference.h"
#include "bench/state.h"
#include "bench/worker.h"
#include "builder/notes.h"

#define TELL_AFTER_S 1.0 /* a state that is known and occurs is seen much sooner */

/* A backend that times models itself is not compared with the state of this machine. */
static bool needs_state(const nnm_profiler *p)
{
    const nnm_protocol *protocol = &p->protocol;
    return !p->backend->measure && protocol->gate > 0.0 && (protocol->normalise || protocol->clock_gate > 0.0);
}

#define SAME 0.012 /* latencies that differ by so little are those of one state */

static bool is_same(double a_ns, double b_ns)
{
    return fabs(a_ns / b_ns - 1.0) <= SAME;
}

static double difference(double a_ns, double b_ns)
{
    return 100.0 * (fmax(a_ns, b_ns) / fmin(a_ns, b_ns) - 1.0);
}

/* What the workspace's journal knows. Rounds that were compared with other loops are of no use, and of another kind. */
static nnm_status recall_journal(nnm_profiler *p, double *reference_ns, nnm_error *err)
{
    nnm_machine machine;
    double other_ns = 0.0, clock_ns; /* the clock of rounds is that of their kernels */
    const char *build = nnm_reference_build();
    nnm_machine_describe(&machine);
    nnm_status status = nnm_journal_quiet_state(p->journal, &machine, build, reference_ns, &clock_ns, err);
    if (status == NNM_OK && *reference_ns <= 0.0)
        status = nnm_journal_quiet_state(p->journal, &machine, NULL, &other_ns, &clock_ns, err);
    if (status == NNM_OK && other_ns > 0.0)
        nnm_builder_log(p->builder, NNM_LOG_WARNING,
                        "the latest kernels of this workspace were compared with other reference loops than those of "
                        "this program (%s): their latencies may differ by 10%% from those measured from now on",
                        build);
    return status;
}

/* The machine's file knows; after a restart of the machine, or where it was removed, the workspace's journal does. */
nnm_status nnm_profiler_recall_quiet(nnm_profiler *p, nnm_error *err)
{
    nnm_machine_state shared;
    double reference_ns, clock_ns = 0.0;
    if (!needs_state(p)) return NNM_OK;
    nnm_status status = recall_journal(p, &reference_ns, err);
    if (status) return status;
    if (nnm_machine_state_read(&shared)) {
        if (reference_ns > 0.0 && !is_same(reference_ns, shared.reference_ns))
            nnm_builder_log(p->builder, NNM_LOG_WARNING,
                            "the latest kernels of this workspace were measured against another quiet state (reference "
                            "%.0f ns) than this machine's is now (%.0f ns): their latencies may differ by %.0f%% from "
                            "those measured from now on",
                            reference_ns, shared.reference_ns, difference(reference_ns, shared.reference_ns));
        reference_ns = shared.reference_ns;
        clock_ns = shared.clock_ns;
    }
    p->protocol.reference_ns = reference_ns;
    p->protocol.reference_clock_ns = clock_ns;
    return NNM_OK;
}

void nnm_profiler_keep_quiet(nnm_profiler *p)
{
    double known_ns = p->protocol.reference_ns;
    nnm_machine_state shared, state = {.found_unix_s = nnm_unix_time_s()};
    nnm_error failure = NNM_ERROR_INIT;
    if (!needs_state(p)) return;
    nnm_worker_quiet_state(p->worker, &state.reference_ns, &state.clock_ns);
    if (state.reference_ns <= 0.0) return;
    if (known_ns > 0.0 && !is_same(known_ns, state.reference_ns))
        nnm_builder_log(
            p->builder, NNM_LOG_WARNING,
            "the quiet state of this machine (reference %.0f ns) does not occur any more; it is now %.0f ns: "
            "latencies measured from now on may differ by %.0f%% from earlier ones",
            known_ns, state.reference_ns, difference(known_ns, state.reference_ns));
    p->protocol.reference_ns = state.reference_ns;
    p->protocol.reference_clock_ns = state.clock_ns;
    if (nnm_machine_state_read(&shared) && shared.reference_ns == state.reference_ns) return;
    if (nnm_machine_state_write(p->builder->locks.machine, &state, &failure) != NNM_OK)
        nnm_builder_log(p->builder, NNM_LOG_WARNING, "%s; other workspaces may settle on another one", failure.message);
}

/* ---- the worker ---- */

typedef struct search {
    const nnm_profiler *profiler;
    uint64_t began_ns;
    bool told;
} search;

static bool watch_search(void *context)
{
    search *s = context;
    double limit_s = nnm_worker_search_s(&s->profiler->protocol);
    if (!s->told && limit_s > 0.0 && (double)(nnm_clock_ns() - s->began_ns) > TELL_AFTER_S * 1e9) {
        s->told = true;
        nnm_builder_log(s->profiler->builder, NNM_LOG_INFO,
                        "looking for the quiet state of this machine, for %.0f s at most", limit_s);
    }
    return nnm_builder_check_interrupted(s->profiler->builder, NULL) != NNM_OK;
}

nnm_status nnm_profiler_start_worker(nnm_profiler *p, nnm_error *err)
{
    nnm_session_options session = nnm_builder_session_options(p->builder);
    search s = {p, nnm_clock_ns(), false};
    nnm_status status = nnm_worker_start_watched(&p->worker, p->backend, &session, &p->protocol, watch_search, &s, err);
    if (status) return status;
    nnm_builder_make_interruptible(p->builder, p->worker);
    nnm_profiler_keep_quiet(p);
    return NNM_OK;
}
