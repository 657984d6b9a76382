/* Backends that time models themselves: they are asked in a worker, what they say is checked, and it becomes a round.
 */
#include "unit/testing.h"

#include <math.h>
#include <signal.h>

#include "nnmeter/measure.h"

/* ---- a device whose answer is its context; several share the functions ---- */

typedef struct answer {
    size_t count;
    double first_ns, step_ns;
    const char *deed; /* what it does instead of answering; NULL: it answers */
} answer;

static void probe(const nnm_backend *self, const nnm_session_options *options, nnm_backend_info *info)
{
    *info = (nnm_backend_info){.available = self->context != NULL};
    snprintf(info->version, sizeof info->version, "%u", options->threads);
    snprintf(info->why_not, sizeof info->why_not, "%s has no answer", self->name);
}

static nnm_status supports(const nnm_backend *self, const nnm_graph *graph, nnm_error *err)
{
    (void)self, (void)graph, (void)err;
    return NNM_OK;
}

static nnm_status fail_as_told(nnm_error *err, const char *message)
{
    err->code = NNM_ERR_BACKEND;
    snprintf(err->message, sizeof err->message, "%s", message);
    return NNM_ERR_BACKEND;
}

static nnm_status measure(const nnm_backend *self, double *latency_ns, size_t capacity, size_t *count,
                          const nnm_measure_request *request, const nnm_session_options *options, nnm_error *err)
{
    const answer *a = self->context;
    if (a->deed && strcmp(a->deed, "crash") == 0) raise(SIGSEGV);
    if (a->deed && strcmp(a->deed, "hang") == 0) pause();
    if (a->deed && strcmp(a->deed, "refuse") == 0) return fail_as_told(err, "the device is unplugged");
    if (a->deed && strcmp(a->deed, "setting") == 0)
        return fail_as_told(err, nnm_backend_setting(self, options, 1) ? nnm_backend_setting(self, options, 1) : "-");
    if (a->deed && strcmp(a->deed, "request") == 0) {
        char text[256];
        snprintf(text, sizeof text, "%s %g %g %g", request->model_path, request->warmup_ms, request->round_ms,
                 request->timeout_s);
        return fail_as_told(err, text);
    }
    *count = a->count;
    for (size_t i = 0; i < a->count && i < capacity; i++)
        latency_ns[i] = a->first_ns + (double)i * a->step_ns + 1e6 * (double)request->repetition;
    return NNM_OK;
}

static const nnm_setting settings[] = {
    {.key = "SERIAL", .type = NNM_SETTING_TEXT, .comment = "none"},
    {.key = "RUNS", .type = NNM_SETTING_WHOLE, .minimum = 1, .maximum = 9, .initial = "5", .comment = "how many"},
};

static nnm_backend device_with(const answer *context)
{
    return (nnm_backend){.abi = NNM_BACKEND_ABI,
                         .name = "device",
                         .description = "tells latencies",
                         .reads_onnx = true,
                         .device = NNM_DEVICE_REMOTE,
                         .context = context,
                         .settings = settings,
                         .setting_count = 2,
                         .probe = probe,
                         .supports = supports,
                         .measure = measure};
}

static const nnm_session_options one_thread = {.threads = 1};

/* One round, the model having been measured `repetition` times before. */
static nnm_status ask(const answer *context, uint64_t repetition, const nnm_session_options *options, nnm_round *out,
                      nnm_error *err)
{
    nnm_backend device = device_with(context);
    nnm_worker *worker = NULL;
    nnm_protocol protocol = NNM_PROTOCOL_INIT;
    protocol.timeout_s = 1.0;
    protocol.cpu = 60000; /* no CPU of this machine is of any concern */
    nnm_status status = nnm_worker_start(&worker, &device, options, &protocol, err);
    if (status == NNM_OK) status = nnm_worker_measure_again(worker, "/models/some.onnx", repetition, out, err);
    nnm_worker_stop(worker);
    return status;
}

/* ---- tests ---- */

static void test_what_it_tells_becomes_a_round(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_round round;
    assert_ok(ask(&(answer){5, 1000.0, 10.0, NULL}, 0, &one_thread, &round, &err));
    assert_int_equal(round.sample_count, 5);
    assert_int_equal(round.quiet_count, 5);
    assert_true(nnm_round_is_caught(&round));
    assert_int_equal(round.calls_per_sample, 1);
    assert_int_equal(round.cpu, -1);
    assert_true(round.estimate_ns == 1020.0); /* the median */
    assert_true(round.sample_ns[4] == 1040.0);
    assert_true(round.measured_ns == 5100.0);
    assert_true(round.reference_best_ns == 0.0 && round.clock_ns == 0.0 && round.reference_ns[0] == 0.0);
    assert_true(round.wall_ns > 0.0 && round.waited_ns == 0.0 && !round.realtime);
}

static void test_hears_which_repetition_it_is(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_round round;
    assert_ok(ask(&(answer){1, 1000.0, 0.0, NULL}, 7, &one_thread, &round, &err));
    assert_true(round.estimate_ns == 7001000.0);
}

static void test_hears_what_the_protocol_wants(void **state)
{
    (void)state;
    nnm_error err;
    nnm_round round;
    assert_fails(ask(&(answer){.deed = "request"}, 0, &one_thread, &round, &err), NNM_ERR_BACKEND,
                 "/models/some.onnx 3 12 1");
}

static void test_settings_reach_it(void **state)
{
    (void)state;
    nnm_error err;
    nnm_round round;
    const answer context = {.deed = "setting"};
    const char *const given[] = {NULL, "8"};
    const nnm_session_options with = {.threads = 1, .settings = given};
    assert_fails(ask(&context, 0, &one_thread, &round, &err), NNM_ERR_BACKEND, "5"); /* that of a new workspace */
    assert_fails(ask(&context, 0, &with, &round, &err), NNM_ERR_BACKEND, "8");
}

static void test_nonsense_is_refused(void **state)
{
    (void)state;
    nnm_error err;
    nnm_round round = {.sample_count = 77};
    assert_fails(ask(&(answer){.count = 0}, 0, &one_thread, &round, &err), NNM_ERR_BACKEND,
                 "backend 'device' gave 0 latencies, need 1 to 512");
    assert_fails(ask(&(answer){NNM_MAX_SAMPLES + 1, 1.0, 0.0, NULL}, 0, &one_thread, &round, &err), NNM_ERR_BACKEND,
                 "gave 513 latencies");
    assert_fails(ask(&(answer){3, 2.0, -1.0, NULL}, 0, &one_thread, &round, &err), NNM_ERR_BACKEND,
                 "gave 0 ns as the latency of run 3 of 3");
    assert_fails(ask(&(answer){1, (double)NAN, 0.0, NULL}, 0, &one_thread, &round, &err), NNM_ERR_BACKEND, "nan ns");
    assert_int_equal(round.sample_count, 77);
}

static void test_failures_cost_one_model(void **state)
{
    (void)state;
    nnm_error err;
    nnm_round round;
    assert_fails(ask(&(answer){.deed = "refuse"}, 0, &one_thread, &round, &err), NNM_ERR_BACKEND, "unplugged");
    assert_fails(ask(&(answer){.deed = "crash"}, 0, &one_thread, &round, &err), NNM_ERR_CRASHED, "SIGSEGV");
    assert_fails(ask(&(answer){.deed = "hang"}, 0, &one_thread, &round, &err), NNM_ERR_TIMEOUT, "killed after 1 s");
}

static void test_context_tells_backends_apart(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_round round;
    nnm_backend_info info;
    const answer fast = {1, 10.0, 0.0, NULL}, slow = {1, 20.0, 0.0, NULL};
    assert_ok(ask(&fast, 0, &one_thread, &round, &err));
    assert_true(round.estimate_ns == 10.0);
    assert_ok(ask(&slow, 0, &one_thread, &round, &err));
    assert_true(round.estimate_ns == 20.0);
    nnm_backend device = device_with(NULL);
    nnm_backend_probe(&device, NULL, &info);
    assert_false(info.available);
    assert_string_equal(info.version, "1"); /* the options of a new workspace */
    assert_fails(ask(NULL, 0, &one_thread, &round, &err), NNM_ERR_UNSUPPORTED, "device has no answer");
}

static void test_tables_that_cannot_be_called(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    const answer context = {1, 1.0, 0.0, NULL};
    nnm_backend device = device_with(&context);
    assert_ok(nnm_backend_check(&device, &err));
    device.abi = 2;
    assert_fails(nnm_backend_check(&device, &err), NNM_ERR_VERSION,
                 "backend 'device' was built for interface 2, this library has 3: it must be built anew with this "
                 "library's nnmeter/backend.h");
    device = device_with(&context);
    device.measure = NULL;
    assert_fails(nnm_backend_check(&device, &err), NNM_ERR_VALUE, "the table of backend 'device' has no measure");
    device.device = NNM_DEVICE_LOCAL;
    assert_fails(nnm_backend_check(&device, &err), NNM_ERR_VALUE, "has no open (or measure)");
    device = device_with(&context);
    device.reads_onnx = false;
    assert_fails(nnm_backend_check(&device, &err), NNM_ERR_VALUE, "has no reads_onnx or reads_tflite");
    device = device_with(&context);
    device.supports = NULL;
    assert_fails(nnm_backend_check(&device, &err), NNM_ERR_VALUE, "has no supports");
    device = device_with(&context);
    device.setting_count = NNM_MAX_SETTINGS + 1;
    assert_fails(nnm_backend_check(&device, &err), NNM_ERR_VALUE, "has 17 settings, at most 16 are allowed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_tells_becomes_a_round), cmocka_unit_test(test_hears_which_repetition_it_is),
        cmocka_unit_test(test_hears_what_the_protocol_wants), cmocka_unit_test(test_settings_reach_it),
        cmocka_unit_test(test_nonsense_is_refused),           cmocka_unit_test(test_failures_cost_one_model),
        cmocka_unit_test(test_context_tells_backends_apart),  cmocka_unit_test(test_tables_that_cannot_be_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
