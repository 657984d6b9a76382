/* The protocol: its limits, how a round is taken, how rounds become a latency, how quiet is told from loud. */
#include "unit/testing.h"

#include <math.h>

#include "bench/reference.h"
#include "bench/round.h"
#include "bench/statistics.h"
#include "nnmeter/measure.h"

/* ---- a runtime that counts what is done to it ---- */

struct nnm_session {
    size_t runs;
    size_t fail_at;
};

static struct {
    size_t opened, closed, runs;
    size_t fail_at; /* the run that fails; 0: none */
} counts;

static void probe(const nnm_backend *self, const nnm_session_options *options, nnm_backend_info *info)
{
    (void)self, (void)options;
    *info = (nnm_backend_info){.available = true, .version = "1"};
}

static nnm_status supports(const nnm_backend *self, const nnm_graph *graph, nnm_error *err)
{
    (void)self;
    (void)graph;
    (void)err;
    return NNM_OK;
}

static nnm_status refuse(nnm_error *err, nnm_status code, const char *message)
{
    if (err) {
        err->code = code;
        snprintf(err->message, sizeof err->message, "%s", message);
    }
    return code;
}

static nnm_status open_session(const nnm_backend *self, nnm_session **out, const char *path,
                               const nnm_session_options *options, nnm_error *err)
{
    (void)self;
    (void)options;
    if (strcmp(path, "absent") == 0) return refuse(err, NNM_ERR_NOT_FOUND, "no such model");
    *out = calloc(1, sizeof **out);
    assert_non_null(*out);
    counts.opened++;
    return NNM_OK;
}

static nnm_status run(nnm_session *session, nnm_error *err)
{
    counts.runs++;
    if (++session->runs == counts.fail_at) return refuse(err, NNM_ERR_BACKEND, "the runtime tripped");
    return NNM_OK;
}

static void close_session(nnm_session *session)
{
    counts.closed++;
    free(session);
}

static const nnm_backend backend = {
    .abi = NNM_BACKEND_ABI,
    .name = "counting",
    .description = "counts",
    .reads_onnx = true,
    .probe = probe,
    .supports = supports,
    .open = open_session,
    .run = run,
    .close = close_session,
};

static const nnm_session_options one_thread = {.threads = 1};

/* ---- limits ---- */

static void test_defaults_are_allowed(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    assert_ok(nnm_protocol_check(&protocol, &err));
}

#define assert_refused(member, value, text)                                      \
    do {                                                                         \
        nnm_protocol protocol_ = NNM_PROTOCOL_INIT;                              \
        protocol_.member = (value);                                              \
        assert_fails(nnm_protocol_check(&protocol_, &err), NNM_ERR_VALUE, text); \
    } while (0)

static void test_limits_are_named(void **state)
{
    (void)state;
    nnm_error err;
    assert_refused(rounds, 0, "rounds is 0, must be 1 to 64");
    assert_refused(rounds, 65, "rounds is 65");
    assert_refused(warmup_ms, 0.0, "warmup_ms is 0, must be a number over 0");
    assert_refused(sample_us, -1.0, "sample_us is -1");
    assert_refused(round_ms, (double)NAN, "round_ms is nan");
    assert_refused(timeout_s, (double)INFINITY, "timeout_s is inf");
    assert_refused(gate, -0.1, "gate is -0.1, must be a number from 0");
    assert_refused(cpu, -3, "cpu is -3");
    assert_refused(clock_gate, 2.0, "clock_gate is 2");
    assert_refused(target_error, -0.01, "target_error is -0.01");
    assert_refused(find_s, 0.0, "find_s is 0, must be a number over 0 and at most 10");
    assert_refused(wait_s, -1.0, "wait_s is -1");
    assert_refused(max_rounds, 7, "max_rounds is 7, must be 8 (rounds) to 64");
    assert_refused(max_rounds, 65, "max_rounds is 65");
}

static void test_quick_is_less_and_thorough_is_more(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_protocol usual = NNM_PROTOCOL_INIT, quick = NNM_PROTOCOL_INIT, thorough = NNM_PROTOCOL_INIT;
    usual.cpu = quick.cpu = thorough.cpu = 7;
    nnm_protocol_quick(&quick);
    nnm_protocol_thorough(&thorough);
    assert_ok(nnm_protocol_check(&quick, &err));
    assert_ok(nnm_protocol_check(&thorough, &err));
    assert_true(quick.rounds < usual.rounds && usual.rounds < thorough.rounds);
    assert_true(quick.max_rounds < usual.max_rounds && usual.max_rounds < thorough.max_rounds);
    assert_true(quick.target_error > usual.target_error && usual.target_error > thorough.target_error);
    assert_true(quick.wait_s < usual.wait_s && usual.wait_s < thorough.wait_s);
    assert_int_equal(quick.cpu, 7);
    assert_int_equal(thorough.cpu, 7);
}

/* ---- statistics ---- */

static void test_percentiles(void **state)
{
    (void)state;
    double values[] = {5, 1, 4, 2, 3};
    assert_float_equal(nnm_percentile(values, 5, 0.0), 1.0, 0);
    assert_float_equal(nnm_percentile(values, 5, 0.5), 3.0, 0);
    assert_float_equal(nnm_percentile(values, 5, 0.1), 1.4, 1e-12);
    assert_float_equal(nnm_percentile(values, 5, 1.0), 5.0, 0);
    double alone[] = {7};
    assert_float_equal(nnm_percentile(alone, 1, 0.1), 7.0, 0);
}

static void combine(const double *estimates, size_t count, double *latency_ns, double *spread_ns)
{
    nnm_round *rounds = calloc(count, sizeof *rounds);
    assert_non_null(rounds);
    for (size_t i = 0; i < count; i++)
        rounds[i].estimate_ns = estimates[i];
    nnm_rounds_combine(rounds, count, latency_ns, spread_ns);
    free(rounds);
}

static void test_rounds_become_a_latency(void **state)
{
    (void)state;
    double latency_ns, spread_ns;
    combine((double[]){9}, 1, &latency_ns, &spread_ns);
    assert_float_equal(latency_ns, 9.0, 0);
    assert_float_equal(spread_ns, 0.0, 0);
    combine((double[]){14, 10}, 2, &latency_ns, &spread_ns);
    assert_float_equal(latency_ns, 12.0, 0);
    assert_float_equal(spread_ns, 2.0, 0);
    combine((double[]){14, 10, 11}, 3, &latency_ns, &spread_ns);
    assert_float_equal(latency_ns, 11.0, 0);
    assert_float_equal(spread_ns, 2.0, 0);
    /* From four on one round that went wrong hardly moves them: of the 15 means of pairs 7 are at most 11, 6 over 11.5;
     * distances from 11 are 1, 0, 0, 89, 1. */
    combine((double[]){10, 11, 11, 100, 12}, 5, &latency_ns, &spread_ns);
    assert_float_equal(latency_ns, 11.5, 0);
    assert_float_equal(spread_ns, 1.4826, 1e-12);
    combine((double[]){10, 20, 10, 20, 10, 20}, 6, &latency_ns, &spread_ns); /* two groups: between them */
    assert_float_equal(latency_ns, 15.0, 0);
}

/* Rounds of ten samples, of which so many were quiet. */
static void quiet_rounds(nnm_round *rounds, const double *estimates, const size_t *quiet, size_t count)
{
    memset(rounds, 0, count * sizeof *rounds);
    for (size_t i = 0; i < count; i++) {
        rounds[i].estimate_ns = estimates[i];
        rounds[i].sample_count = 10;
        rounds[i].quiet_count = quiet[i];
    }
}

static void test_caught_rounds_decide(void **state)
{
    (void)state;
    nnm_round *rounds = calloc(3, sizeof *rounds);
    double latency_ns, spread_ns;
    assert_non_null(rounds);
    quiet_rounds(rounds, (double[]){10, 50, 12}, (size_t[]){3, 2, 10}, 3);
    assert_true(nnm_round_is_caught(&rounds[0]));
    assert_false(nnm_round_is_caught(&rounds[1]));
    nnm_rounds_combine(rounds, 3, &latency_ns, &spread_ns);
    assert_float_equal(latency_ns, 11.0, 0);
    assert_float_equal(spread_ns, 1.0, 0);
    quiet_rounds(rounds, (double[]){10, 50, 12}, (size_t[]){3, 2, 0}, 3); /* one alone does not outvote the others */
    nnm_rounds_combine(rounds, 3, &latency_ns, &spread_ns);
    assert_float_equal(latency_ns, 12.0, 0);
    rounds[0].sample_count = 2; /* of a giant with two samples one may do */
    rounds[0].quiet_count = 1;
    assert_true(nnm_round_is_caught(&rounds[0]));
    free(rounds);
}

static void test_error_shrinks_with_rounds(void **state)
{
    (void)state;
    nnm_round *rounds = calloc(4, sizeof *rounds);
    assert_non_null(rounds);
    quiet_rounds(rounds, (double[]){99, 101, 99, 101}, (size_t[]){5, 5, 5, 5}, 4);
    assert_true(isinf(nnm_rounds_error(rounds, 1)));
    assert_true(fabs(nnm_rounds_error(rounds, 2) - 1.2533 / sqrt(2.0) / 100.0) < 1e-12);
    assert_true(fabs(nnm_rounds_error(rounds, 4) - 1.0233 * 1.4826 / 2.0 / 100.0) < 1e-12);
    free(rounds);
}

/* ---- what counts as quiet ---- */

#define SECOND UINT64_C(1000000000)

static void test_best_needs_two_in_a_row(void **state)
{
    (void)state;
    nnm_quiet quiet = {0};
    nnm_quiet_observe(&quiet, 100, SECOND);
    assert_float_equal(quiet.best_ns, 0.0, 0);
    nnm_quiet_observe(&quiet, 110, SECOND);
    assert_float_equal(quiet.best_ns, 110.0, 0);
    nnm_quiet_observe(&quiet, 3, SECOND); /* a clock that jumped */
    nnm_quiet_observe(&quiet, 112, SECOND);
    assert_float_equal(quiet.best_ns, 110.0, 0);
    nnm_quiet_observe(&quiet, 90, SECOND);
    nnm_quiet_observe(&quiet, 91, SECOND);
    assert_float_equal(quiet.best_ns, 91.0, 0);
}

static void test_best_fades_while_measuring(void **state)
{
    (void)state;
    nnm_quiet quiet = {0};
    nnm_quiet_observe(&quiet, 100, SECOND);
    nnm_quiet_observe(&quiet, 100, SECOND);
    nnm_quiet_observe(&quiet, 200, 2 * SECOND);
    assert_float_equal(quiet.best_ns, 100.1, 1e-9);
    nnm_quiet_observe(&quiet, 200, 1002 * SECOND); /* a pause of a thousand seconds counts as one */
    assert_float_equal(quiet.best_ns, 100.2001, 1e-9);
    for (uint64_t second = 1003; second < 4000; second++)
        nnm_quiet_observe(&quiet, 200, second * SECOND);
    assert_float_equal(quiet.best_ns, 200.0, 1e-9); /* a slower clock is the new normal in the end */
}

/* ---- rounds ---- */

static nnm_protocol short_protocol(void)
{
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    protocol.warmup_ms = 0.1;
    protocol.sample_us = 20.0;
    protocol.round_ms = 1.0;
    return protocol;
}

static void take(nnm_round *round, const nnm_protocol *protocol, nnm_quiet *quiet)
{
    nnm_error err = NNM_ERROR_INIT;
    memset(&counts, 0, sizeof counts);
    assert_ok(nnm_round_take(round, &backend, "model", &one_thread, protocol, quiet, 5, &err));
    assert_int_equal(counts.opened, 1);
    assert_int_equal(counts.closed, 1);
}

static bool is_quiet(const nnm_round *round, size_t i, const nnm_protocol *protocol, const nnm_quiet *quiet)
{
    double ratio = round->reference_ns[i] / round->reference_best_ns;
    if (protocol->gate <= 0.0) return true;
    if (ratio > 1.0 + protocol->gate) return false;
    return protocol->clock_gate <= 0.0 || quiet->reference_ns <= 0.0 || fabs(ratio - 1.0) <= protocol->clock_gate;
}

/* The estimate follows from the samples that are kept beside it. */
static void assert_estimate_follows(const nnm_round *round, const nnm_protocol *protocol, const nnm_quiet *quiet)
{
    double values[NNM_MAX_SAMPLES];
    size_t count = 0;
    for (size_t i = 0; i < round->sample_count; i++)
        if (is_quiet(round, i, protocol, quiet)) {
            bool scaled = protocol->normalise && quiet->reference_ns > 0.0;
            values[count++] = round->sample_ns[i] * (scaled ? quiet->reference_ns / round->reference_ns[i] : 1.0);
        }
    assert_int_equal(count, round->quiet_count);
    if (!nnm_round_is_caught(round)) {
        memcpy(values, round->sample_ns, round->sample_count * sizeof *values);
        count = round->sample_count;
    }
    assert_float_equal(round->estimate_ns, nnm_percentile(values, count, 0.1), 0);
}

static void test_round_of_a_tiny_kernel(void **state)
{
    (void)state;
    nnm_round round;
    nnm_quiet quiet = {0};
    nnm_protocol protocol = short_protocol();
    take(&round, &protocol, &quiet);
    assert_in_range(round.sample_count, 5, NNM_MAX_SAMPLES);
    assert_true(round.calls_per_sample > 10); /* one call is a few ns, a sample 20 us */
    assert_true(counts.runs > round.sample_count * round.calls_per_sample);
    assert_true(round.estimate_ns > 0.0);
    assert_true(round.wall_ns >= round.open_ns);
    assert_true(round.clock_ns > 0.0);
    assert_true(round.unix_time_s > 1.6e9);
    assert_int_equal(round.cpu, 5);
    assert_estimate_follows(&round, &protocol, &quiet);
}

static void test_round_of_a_giant_is_two_calls(void **state)
{
    (void)state;
    nnm_round round;
    nnm_quiet quiet = {0};
    nnm_protocol protocol = short_protocol();
    protocol.warmup_ms = 1e-9; /* against these, every call is a giant */
    protocol.sample_us = 1e-6;
    protocol.round_ms = 1e-9;
    take(&round, &protocol, &quiet);
    assert_int_equal(round.calls_per_sample, 1);
    assert_int_equal(round.sample_count, 2);
    assert_int_equal(counts.runs, 3); /* one call to warm up, two samples */
}

static void test_without_gate_every_sample_is_quiet(void **state)
{
    (void)state;
    nnm_round round;
    nnm_quiet quiet = {0};
    nnm_protocol protocol = short_protocol();
    protocol.gate = 0.0;
    take(&round, &protocol, &quiet);
    assert_int_equal(round.quiet_count, round.sample_count);
    assert_estimate_follows(&round, &protocol, &quiet);
}

static void test_where_none_is_quiet_all_count(void **state)
{
    (void)state;
    nnm_round round;
    nnm_quiet quiet = {.best_ns = 1e-3, .seen_ns = 1}; /* nothing can be that fast */
    nnm_protocol protocol = short_protocol();
    take(&round, &protocol, &quiet);
    assert_int_equal(round.quiet_count, 0);
    assert_estimate_follows(&round, &protocol, &quiet);
}

static void test_the_quiet_state_is_found(void **state)
{
    (void)state;
    nnm_quiet quiet = {0};
    nnm_quiet_find(&quiet, 0.05, 0.08, 0.012);
    assert_true(quiet.reference_ns > 0.0 && quiet.clock_ns > 0.0);
    assert_true(nnm_quiet_reference(&quiet) == quiet.reference_ns);
    assert_true(nnm_quiet_share(&quiet, 0.01, 1e6) == 1.0); /* everything is that near */
    quiet.reference_ns = 1e-3;
    assert_true(nnm_quiet_share(&quiet, 0.01, 0.012) == 0.0);
}

/* Adds `count` sights within 0.5 % of a state. */
static size_t add_sights(nnm_sight *sights, size_t at, size_t count, double wide_ns)
{
    for (size_t i = 0; i < count; i++, at++)
        sights[at] = (nnm_sight){wide_ns * (1.0 + 1e-4 * (double)(i * 37 % 50)), 2.0 * wide_ns};
    return at;
}

static void test_the_fastest_common_step_is_quiet(void **state)
{
    (void)state;
    nnm_sight sights[1000];
    nnm_quiet quiet = {0};
    size_t count = add_sights(sights, 0, 600, 10500); /* most common, but not the fastest */
    count = add_sights(sights, count, 150, 11000);
    count = add_sights(sights, count, 200, 10250);
    count = add_sights(sights, count, 50, 10000); /* fastest, but rare */
    nnm_quiet_settle(&quiet, sights, count, 0.08, 0.012);
    assert_float_equal(quiet.reference_ns, 10250, 60);

    count = add_sights(sights, 0, 5, 9000); /* single readings of a clock that jumped */
    for (size_t i = 0; i < 11; i++)         /* no step holds a tenth */
        count = add_sights(sights, count, i == 3 ? 85 : 80, 10000 * (1.0 + 0.02 * (double)i));
    nnm_quiet_settle(&quiet, sights, count, 0.5, 0.012);
    assert_float_equal(quiet.reference_ns, 10600, 60);

    count = add_sights(sights, 0, 20, 10000); /* the other states are those of somebody on the other thread */
    count = add_sights(sights, count, 900, 11500);
    nnm_quiet_settle(&quiet, sights, count, 0.08, 0.012);
    assert_float_equal(quiet.reference_ns, 10000, 60);
    nnm_quiet_settle(&quiet, sights, 1, 0.08, 0.012);
    assert_true(quiet.reference_ns > 0);
}

static void test_the_middle_of_the_undisturbed_is_quiet(void **state)
{
    (void)state;
    nnm_sight sights[1000];
    nnm_quiet quiet = {0};
    size_t count = add_sights(sights, 0, 200, 10000);
    count = add_sights(sights, count, 150, 11000);
    count = add_sights(sights, count, 200, 12000);
    count = add_sights(sights, count, 450, 17500); /* somebody on the other thread */
    nnm_quiet_settle(&quiet, sights, count, 0.25, 0.0);
    assert_float_equal(quiet.reference_ns, 11000, 60);
    assert_float_equal(quiet.clock_ns, 20000, 120); /* narrow code has the fastest clock there is */
    nnm_quiet_settle(&quiet, sights, 1, 0.25, 0.0);
    assert_true(quiet.reference_ns > 0);
}

static void test_wideness_is_where_the_clock_lies(void **state)
{
    (void)state;
    nnm_quiet quiet = {.clock_ns = 10000, .wide_clock_ns = 12000};
    assert_float_equal(nnm_quiet_wideness(&quiet, 9000), 0.0, 0);
    assert_float_equal(nnm_quiet_wideness(&quiet, 10500), 0.25, 1e-12);
    assert_float_equal(nnm_quiet_wideness(&quiet, 15000), 1.0, 0);
    quiet.wide_clock_ns = 10200; /* a CPU with one clock for all code */
    assert_float_equal(nnm_quiet_wideness(&quiet, 10000), 1.0, 0);
    quiet = (nnm_quiet){0};
    nnm_quiet_find_clocks(&quiet);
    assert_true(quiet.wide_clock_ns > 0.0 && quiet.clock_ns > 0.0);
}

static void test_samples_are_brought_to_the_quiet_state(void **state)
{
    (void)state;
    nnm_round round;
    nnm_protocol protocol = short_protocol();
    nnm_quiet quiet = {.reference_ns = 1e8, .clock_ns = 1e8}; /* of a machine far slower than this one */
    take(&round, &protocol, &quiet);
    assert_int_equal(round.quiet_count, round.sample_count);
    assert_float_equal(round.reference_best_ns, 1e8, 0);
    assert_true(round.waited_ns == 0.0);
    assert_true(round.estimate_ns > 100.0 * round.sample_ns[0]); /* as slow as there */
    assert_estimate_follows(&round, &protocol, &quiet);
    protocol.normalise = false;
    take(&round, &protocol, &quiet);
    assert_estimate_follows(&round, &protocol, &quiet);
}

static void test_samples_of_other_steps_do_not_count(void **state)
{
    (void)state;
    nnm_round round;
    nnm_protocol protocol = short_protocol();
    nnm_quiet quiet = {.reference_ns = 1e8, .clock_ns = 1e8};
    protocol.clock_gate = 0.012;
    take(&round, &protocol, &quiet);
    assert_int_equal(round.quiet_count, 0);
    assert_true(round.waited_ns > 0.0);
    assert_true(round.estimate_ns > 100.0 * round.sample_ns[0]); /* all are undisturbed */
    protocol.normalise = false;
    take(&round, &protocol, &quiet);
    assert_int_equal(round.quiet_count, 0);
    assert_true(round.estimate_ns < 100.0 * round.sample_ns[0]);
}

static void test_waiting_can_be_forbidden(void **state)
{
    (void)state;
    nnm_round round;
    nnm_protocol protocol = short_protocol();
    nnm_quiet quiet = {.reference_ns = 1e8, .clock_ns = 1e8};
    protocol.clock_gate = 0.012;
    protocol.wait_s = 0.0;
    take(&round, &protocol, &quiet);
    assert_true(round.waited_ns == 0.0);
}

static void test_long_rounds_fit(void **state)
{
    (void)state;
    nnm_round round;
    nnm_quiet quiet = {0};
    nnm_protocol protocol = short_protocol();
    protocol.sample_us = 0.01;
    protocol.round_ms = 40.0;
    protocol.gate = 0.0;
    take(&round, &protocol, &quiet);
    assert_true(round.sample_count < NNM_MAX_SAMPLES); /* samples became longer, so the round kept its time */
}

static void test_failures_of_the_backend_come_back(void **state)
{
    (void)state;
    nnm_error err;
    nnm_round round = {.sample_count = 77};
    nnm_quiet quiet = {0};
    nnm_protocol protocol = short_protocol();
    assert_fails(nnm_round_take(&round, &backend, "absent", &one_thread, &protocol, &quiet, 0, &err), NNM_ERR_NOT_FOUND,
                 "no such model");
    const size_t fail_at[] = {1, 2, 50, 5000}; /* warm-up, calibration, samples */
    for (size_t i = 0; i < sizeof fail_at / sizeof *fail_at; i++) {
        memset(&counts, 0, sizeof counts);
        counts.fail_at = fail_at[i];
        assert_fails(nnm_round_take(&round, &backend, "model", &one_thread, &protocol, &quiet, 0, &err),
                     NNM_ERR_BACKEND, "the runtime tripped");
        assert_int_equal(counts.closed, 1);
    }
    assert_int_equal(round.sample_count, 77); /* untouched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_allowed),
        cmocka_unit_test(test_limits_are_named),
        cmocka_unit_test(test_percentiles),
        cmocka_unit_test(test_rounds_become_a_latency),
        cmocka_unit_test(test_best_needs_two_in_a_row),
        cmocka_unit_test(test_best_fades_while_measuring),
        cmocka_unit_test(test_round_of_a_tiny_kernel),
        cmocka_unit_test(test_round_of_a_giant_is_two_calls),
        cmocka_unit_test(test_without_gate_every_sample_is_quiet),
        cmocka_unit_test(test_where_none_is_quiet_all_count),
        cmocka_unit_test(test_quick_is_less_and_thorough_is_more),
        cmocka_unit_test(test_caught_rounds_decide),
        cmocka_unit_test(test_error_shrinks_with_rounds),
        cmocka_unit_test(test_the_quiet_state_is_found),
        cmocka_unit_test(test_the_fastest_common_step_is_quiet),
        cmocka_unit_test(test_the_middle_of_the_undisturbed_is_quiet),
        cmocka_unit_test(test_wideness_is_where_the_clock_lies),
        cmocka_unit_test(test_samples_are_brought_to_the_quiet_state),
        cmocka_unit_test(test_samples_of_other_steps_do_not_count),
        cmocka_unit_test(test_waiting_can_be_forbidden),
        cmocka_unit_test(test_long_rounds_fit),
        cmocka_unit_test(test_failures_of_the_backend_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
