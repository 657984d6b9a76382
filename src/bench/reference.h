/*
 * Reference loops: work of a fixed amount, timed beside every sample to learn what state the CPU was in.
 *
 * The throughput reference keeps the arithmetic units busy with independent operations on data in the first-level
 * cache, so it slows down when somebody else works on the other hardware thread of the core. The latency reference is
 * one chain of dependent operations; it does not notice a neighbour, but follows the clock. The wide reference is the
 * throughput reference with the widest vectors of the CPU: it sees both, and the lower clock that such code gets.
 */
#ifndef NNM_BENCH_REFERENCE_H
#define NNM_BENCH_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

/* Each runs its loop once (about 10 us) on the calling thread and returns the time it took, ns. */
double nnm_reference_throughput(void);
double nnm_reference_latency(void);

/* The latency reference again, by a quarter of it: short enough to tell the clock that the code before it had. */
double nnm_reference_clock(void);

/* The same of the wide reference. Run right after a kernel, it still has the clock that the kernel had. */
double nnm_reference_wide(void);

/* The same where no kernel ran before: first brings the core to the clock of wide code, which takes 20 us more. */
double nnm_reference_wide_alone(void);

/* Version of the loops, and what compiled them: what was timed with another one cannot be compared. */
const char *nnm_reference_build(void);

/* Clock in GHz that a time of the latency reference means, or 0 where the latency of its operations is not known. */
double nnm_reference_clock_ghz(double latency_ns);

/*
 * What is known of the quiet state of a CPU: nobody on the other hardware thread, and the clock of wide code where it
 * mostly is. The wide reference of that state is the machine's standard: samples are brought to it by the reference
 * beside them.
 */
typedef struct nnm_quiet {
    double reference_ns;  /* wide reference of the quiet state; 0: not looked for, best_ns stands for it */
    double clock_ns;      /* latency reference beside narrow code; 0: not known */
    double wide_clock_ns; /* latency reference right after wide code; 0: not known */
    double best_ns;       /* fastest wide reference, as far as it can be relied on; 0: none seen */
    double previous_ns;   /* the reference before the latest */
    uint64_t seen_ns;     /* when best_ns was last brought up to date, nnm_clock_ns */
} nnm_quiet;

/* Takes in a reference measured at `now_ns`. A new best counts once two references in a row were as fast, so that one
 * reading of a clock that jumped cannot close the gate; and the best fades by 0.1 % a second of measuring (pauses
 * count as one second at most), so that it follows a CPU whose clock went down for good. */
void nnm_quiet_observe(nnm_quiet *quiet, double reference_ns, uint64_t now_ns);

/* The wide reference that samples are compared with. */
double nnm_quiet_reference(const nnm_quiet *quiet);

/* Runs wide references on the calling thread for `seconds`, takes them in, and returns their median, ns. */
double nnm_quiet_probe(nnm_quiet *quiet, double seconds);

/* One look at the state of a CPU: wide reference, and latency reference before it. */
typedef struct nnm_sight {
    double wide_ns, clock_ns;
} nnm_sight;

/* Makes one of the states that were seen the quiet one, reference_ns and clock_ns: the median of those at most `gate`
 * slower than the fastest; with a `clock_gate`, of these the fastest step of that width that holds a tenth of all, or
 * the most common where none does. The clock is the 10th percentile of all. The fastest is taken from the first
 * percentile, so that single readings do not count. Reorders `sights`; `count` >= 1. */
void nnm_quiet_settle(nnm_quiet *quiet, nnm_sight *sights, size_t count, double gate, double clock_gate);

/* Looks for `seconds` on the calling thread, and settles. */
void nnm_quiet_find(nnm_quiet *quiet, double seconds, double gate, double clock_gate);

/* Finds wide_clock_ns, and clock_ns where it is not known, in 20 ms. */
void nnm_quiet_find_clocks(nnm_quiet *quiet);

/* By which power kernels follow the wide reference, after which the latency reference takes `clock_ns`: 1 for those
 * that run at the clock of wide code, 0 for those that run at that of narrow code; 1 where the two are the same. */
double nnm_quiet_wideness(const nnm_quiet *quiet, double clock_ns);

/* The share of `seconds` that the calling thread's CPU spends within `gate` of the quiet state. */
double nnm_quiet_share(const nnm_quiet *quiet, double seconds, double gate);

#endif
