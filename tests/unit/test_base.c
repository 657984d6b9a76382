#include "unit/testing.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/rng.h"

/* ---- errors ---- */

static void status_codes_keep_names_and_numbers(void **state)
{
    (void)state;
    const struct {
        int number;
        const char *name;
    } pinned[] = {
        {0, "NNM_OK"},
        {-1, "NNM_ERR_INVALID_ARGUMENT"},
        {-2, "NNM_ERR_NO_MEMORY"},
        {-3, "NNM_ERR_IO"},
        {-4, "NNM_ERR_NOT_FOUND"},
        {-5, "NNM_ERR_EXISTS"},
        {-6, "NNM_ERR_PARSE"},
        {-7, "NNM_ERR_VALUE"},
        {-8, "NNM_ERR_UNSUPPORTED"},
        {-9, "NNM_ERR_VERSION"},
        {-10, "NNM_ERR_CHECKSUM"},
        {-11, "NNM_ERR_BACKEND"},
        {-12, "NNM_ERR_CRASHED"},
        {-13, "NNM_ERR_TIMEOUT"},
        {-14, "NNM_ERR_BUSY"},
        {-15, "NNM_ERR_INTERRUPTED"},
        {-16, "NNM_ERR_NO_SPACE"},
        {-17, "NNM_ERR_TOO_FEW_ROWS"},
        {-18, "NNM_ERR_PARTIAL"},
        {-19, "NNM_ERR_INTERNAL"},
        {-20, "NNM_ERR_UNKNOWN"},
        {1, "NNM_ERR_UNKNOWN"},
    };
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++)
        assert_string_equal(nnm_status_name((nnm_status)pinned[i].number), pinned[i].name);
    assert_string_equal(nnm_version(), NNM_VERSION);
}

static void errors_hold_code_and_message(void **state)
{
    (void)state;
    nnm_error err = {NNM_OK, 7, 8, 9, "old"};
    assert_int_equal(nnm_fail(&err, NNM_ERR_VALUE, "%d is not in 1..%d", 5, 4), NNM_ERR_VALUE);
    assert_int_equal(err.code, NNM_ERR_VALUE);
    assert_string_equal(err.message, "5 is not in 1..4");
    assert_int_equal(err.line + err.column + err.offset, 0);
    assert_int_equal(nnm_fail(NULL, NNM_ERR_VALUE, "nobody listens"), NNM_ERR_VALUE);
    assert_int_equal(nnm_fail_memory(&err), NNM_ERR_NO_MEMORY);
    assert_string_equal(err.message, "out of memory");
}

static void errors_name_the_place(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    assert_int_equal(nnm_fail_at(&err, NNM_ERR_PARSE, "a.yaml", 3, 14, "no '%s'", ":"), NNM_ERR_PARSE);
    assert_string_equal(err.message, "a.yaml:3:14: no ':'");
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 14);
    (void)nnm_fail_at(&err, NNM_ERR_PARSE, "a.yaml", 3, 0, "no");
    assert_string_equal(err.message, "a.yaml:3: no");
    assert_int_equal(err.column, 0);
    (void)nnm_fail_at(&err, NNM_ERR_PARSE, "a.yaml", 0, 0, "no");
    assert_string_equal(err.message, "a.yaml: no");
    assert_int_equal(nnm_fail_at(NULL, NNM_ERR_PARSE, "a.yaml", 1, 1, "no"), NNM_ERR_PARSE);
}

static void errors_follow_errno(void **state)
{
    (void)state;
    const struct {
        int number;
        nnm_status code;
    } cases[] = {
        {ENOENT, NNM_ERR_NOT_FOUND}, {EEXIST, NNM_ERR_EXISTS},    {ENOSPC, NNM_ERR_NO_SPACE},
        {EDQUOT, NNM_ERR_NO_SPACE},  {ENOMEM, NNM_ERR_NO_MEMORY}, {EACCES, NNM_ERR_IO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnm_error err = NNM_ERROR_INIT;
        errno = cases[i].number;
        assert_int_equal(nnm_fail_errno(&err, "cannot read '%s'", "x"), cases[i].code);
        assert_int_equal(errno, cases[i].number);
        char expected[256];
        snprintf(expected, sizeof expected, "cannot read 'x': %s", strerror(cases[i].number));
        assert_string_equal(err.message, expected);
    }
    errno = ENOENT;
    assert_int_equal(nnm_fail_errno(NULL, "nobody listens"), NNM_ERR_NOT_FOUND);
}

static void context_goes_before_the_message(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_status status = nnm_fail_at(&err, NNM_ERR_PARSE, "f", 2, 0, "bad");
    assert_int_equal(nnm_context(&err, status, "kernel %d", 7), NNM_ERR_PARSE);
    assert_string_equal(err.message, "kernel 7: f:2: bad");
    assert_int_equal(err.line, 2);
    assert_int_equal(nnm_context(&err, NNM_OK, "all is well"), NNM_OK);
    assert_string_equal(err.message, "kernel 7: f:2: bad");
    assert_int_equal(nnm_context(NULL, NNM_ERR_IO, "nobody listens"), NNM_ERR_IO);
}

static void long_messages_are_cut(void **state)
{
    (void)state;
    char text[3 * NNM_ERROR_MESSAGE_BYTES];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    nnm_error err = NNM_ERROR_INIT;
    (void)nnm_fail(&err, NNM_ERR_IO, "%s", text);
    assert_int_equal(strlen(err.message), NNM_ERROR_MESSAGE_BYTES - 1);
    (void)nnm_context(&err, NNM_ERR_IO, "first");
    assert_int_equal(strlen(err.message), NNM_ERROR_MESSAGE_BYTES - 1);
    assert_memory_equal(err.message, "first: aaa", 10);
    (void)nnm_context(&err, NNM_ERR_IO, "%s", text);
    assert_int_equal(strlen(err.message), NNM_ERROR_MESSAGE_BYTES - 1);
    (void)nnm_fail_at(&err, NNM_ERR_IO, text, 12, 34, "%s", text);
    assert_int_equal(strlen(err.message), NNM_ERROR_MESSAGE_BYTES - 1);
    assert_non_null(strstr(err.message, ":12:34: a"));
    errno = EIO;
    (void)nnm_fail_errno(&err, "%s", text);
    assert_int_equal(strlen(err.message), NNM_ERROR_MESSAGE_BYTES - 1);
}

/* ---- memory ---- */

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    assert_null(nnm_reallocarray(NULL, SIZE_MAX / 2, 3));
    void *array = NULL;
    size_t capacity = 0;
    assert_fails(nnm_grow(&array, &capacity, SIZE_MAX, 1, &err), NNM_ERR_NO_MEMORY, "out of memory");
    assert_fails(nnm_grow(&array, &capacity, SIZE_MAX / 4, 16, &err), NNM_ERR_NO_MEMORY, "out of memory");
    assert_null(array);
    assert_int_equal(capacity, 0);
}

static void arrays_grow_and_keep_their_elements(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    int *numbers = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        void *array = numbers;
        assert_ok(nnm_grow(&array, &capacity, (size_t)i + 1, sizeof *numbers, &err));
        numbers = array;
        numbers[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    assert_int_equal(capacity, 1024);
    void *array = numbers;
    assert_ok(nnm_grow(&array, &capacity, 10, sizeof *numbers, &err));
    assert_ptr_equal(array, numbers);
    free(numbers);
}

static void empty_blocks_are_blocks(void **state)
{
    (void)state;
    void *none = nnm_calloc(0, 8);
    assert_non_null(none);
    none = nnm_reallocarray(none, 0, 8);
    assert_non_null(none);
    free(none);
    int *zeroed = nnm_calloc(3, sizeof *zeroed);
    assert_int_equal(zeroed[0] + zeroed[1] + zeroed[2], 0);
    free(zeroed);
}

static void texts_are_copied_and_formatted(void **state)
{
    (void)state;
    char *copy = nnm_strdup("conv");
    char *text = nnm_format("%s-%03000d", copy, 7);
    assert_int_equal(strlen(text), 3005);
    assert_memory_equal(text, "conv-000", 8);
    free(copy);
    free(text);
}

static void buffers_collect_bytes(void **state)
{
    (void)state;
    nnm_error err = NNM_ERROR_INIT;
    nnm_buffer buffer = {0};
    nnm_buffer_text(&buffer, "");
    assert_string_equal(buffer.data, "");
    nnm_buffer_text(&buffer, "ab");
    nnm_buffer_append(&buffer, "\0c", 2);
    nnm_buffer_printf(&buffer, "%d|%s", 42, "d");
    assert_int_equal(buffer.size, 8);
    assert_memory_equal(buffer.data, "ab\0c42|d\0", 9);
    assert_ok(nnm_buffer_check(&buffer, &err));
    nnm_buffer_append(&buffer, "x", SIZE_MAX); /* refused before a byte is read */
    nnm_buffer_text(&buffer, "more");
    assert_int_equal(buffer.size, 8);
    assert_fails(nnm_buffer_check(&buffer, &err), NNM_ERR_NO_MEMORY, "out of memory");
    nnm_buffer_fini(&buffer);
    assert_null(buffer.data);
    assert_ok(nnm_buffer_check(&buffer, &err));
}

/* ---- random numbers ---- */

/* The first outputs for the state 1, 2, 3, 4, as its authors' C code prints them. */
static void generator_gives_the_published_numbers(void **state)
{
    (void)state;
    const uint64_t expected[] = {
        UINT64_C(41943041),
        UINT64_C(58720359),
        UINT64_C(3588806011781223),
        UINT64_C(3591011842654386),
        UINT64_C(9228616714210784205),
        UINT64_C(9973669472204895162),
        UINT64_C(14011001112246962877),
        UINT64_C(12406186145184390807),
        UINT64_C(15849039046786891736),
        UINT64_C(10450023813501588000),
    };
    nnm_rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(nnm_rng_next(&rng) == expected[i]);
}

static void seeds_and_streams_differ(void **state)
{
    (void)state;
    uint64_t first[64];
    size_t count = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        for (uint64_t stream = 0; stream < 8; stream++) {
            nnm_rng rng, again;
            nnm_rng_init(&rng, seed, stream);
            nnm_rng_init(&again, seed, stream);
            first[count] = nnm_rng_next(&rng);
            assert_true(first[count] == nnm_rng_next(&again));
            for (size_t i = 0; i < count; i++)
                assert_true(first[i] != first[count]);
            count++;
        }
    }
}

static void uniform_numbers_fill_the_unit_interval(void **state)
{
    (void)state;
    enum {
        N = 100000,
        BINS = 10
    };
    nnm_rng rng;
    nnm_rng_init(&rng, 1, 0);
    size_t bins[BINS] = {0};
    double sum = 0;
    for (size_t i = 0; i < N; i++) {
        double x = nnm_rng_uniform(&rng);
        assert_true(x >= 0 && x < 1);
        bins[(size_t)(x * BINS)]++;
        sum += x;
    }
    assert_true(fabs(sum / N - 0.5) < 0.005); /* 5 standard deviations */
    for (size_t i = 0; i < BINS; i++)
        assert_true(bins[i] > N / BINS - 500 && bins[i] < N / BINS + 500);
}

static void bounded_numbers_are_unbiased(void **state)
{
    (void)state;
    nnm_rng rng;
    nnm_rng_init(&rng, 2, 0);
    for (uint64_t bound = 1; bound <= 7; bound++) {
        size_t seen[7] = {0};
        for (size_t i = 0; i < 7000 * bound; i++) {
            uint64_t x = nnm_rng_below(&rng, bound);
            assert_true(x < bound);
            seen[x]++;
        }
        for (size_t i = 0; i < bound; i++)
            assert_true(seen[i] > 6580 && seen[i] < 7420); /* 5 standard deviations */
    }
    /* With a bound of 3/4 of the range, taking the remainder alone would hit the lowest third twice as often. */
    uint64_t bound = UINT64_C(3) << 62, low = 0;
    for (size_t i = 0; i < 30000; i++)
        low += nnm_rng_below(&rng, bound) < bound / 3;
    assert_true(low > 9590 && low < 10410);
}

static void shuffles_keep_elements_and_reach_every_order(void **state)
{
    (void)state;
    nnm_rng rng;
    nnm_rng_init(&rng, 3, 0);
    size_t seen[6] = {0};
    for (size_t n = 0; n < 6000; n++) {
        uint16_t cards[3] = {0, 1, 2};
        nnm_rng_shuffle(&rng, cards, 3, sizeof *cards);
        assert_int_equal(cards[0] + cards[1] + cards[2], 3);
        assert_int_equal((1 << cards[0]) | (1 << cards[1]) | (1 << cards[2]), 7);
        seen[2 * cards[0] + (cards[1] > cards[2])]++;
    }
    for (size_t i = 0; i < 6; i++)
        assert_true(seen[i] > 850 && seen[i] < 1150);
    nnm_rng_shuffle(&rng, NULL, 0, 4);
}

static void hashes_depend_on_every_byte_and_the_seed(void **state)
{
    (void)state;
    assert_true(nnm_hash64("conv", 4, 0) == nnm_hash64("conv", 4, 0));
    assert_true(nnm_hash64("conv", 4, 0) != nnm_hash64("conw", 4, 0));
    assert_true(nnm_hash64("conv", 4, 0) != nnm_hash64("conv", 4, 1));
    assert_true(nnm_hash64("conv", 4, 0) != nnm_hash64("conv", 3, 0));
    assert_true(nnm_hash64("", 0, 0) != nnm_hash64("\0", 1, 0));
}

/* ---- threads ---- */

typedef struct tally {
    atomic_uint visits[1000];
    unsigned busy[300]; /* not atomic: a thread number belongs to one thread */
    unsigned threads;
    atomic_bool out_of_range;
} tally;

static void visit(void *context, size_t index, unsigned thread)
{
    tally *t = context;
    atomic_fetch_add(&t->visits[index], 1);
    if (thread >= t->threads) {
        atomic_store(&t->out_of_range, true);
        return;
    }
    t->busy[thread]++;
}

static void loops_visit_every_index_once(void **state)
{
    (void)state;
    const unsigned threads[] = {0, 1, 2, 3, 8, 300};
    const size_t counts[] = {0, 1, 2, 7, 1000};
    for (size_t a = 0; a < 6; a++) {
        for (size_t b = 0; b < 5; b++) {
            tally *t = nnm_calloc(1, sizeof *t);
            t->threads = nnm_parallel_threads(threads[a], counts[b]);
            nnm_parallel_for(threads[a], counts[b], visit, t);
            size_t total = 0;
            for (size_t i = 0; i < 1000; i++)
                assert_int_equal(atomic_load(&t->visits[i]), i < counts[b]);
            for (size_t i = 0; i < 300; i++)
                total += t->busy[i];
            assert_int_equal(total, counts[b]);
            assert_false(atomic_load(&t->out_of_range));
            free(t);
        }
    }
}

static void thread_counts_are_sensible(void **state)
{
    (void)state;
    assert_true(nnm_cpu_count() >= 1);
    assert_int_equal(nnm_parallel_threads(0, 100000), nnm_cpu_count() < 256 ? nnm_cpu_count() : 256);
    assert_int_equal(nnm_parallel_threads(4, 2), 2);
    assert_int_equal(nnm_parallel_threads(4, 0), 1);
    assert_int_equal(nnm_parallel_threads(100000, 100000), 256);
}

typedef struct meeting {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned present;
} meeting;

/* Returns only once another thread has come as well. */
static void meet(void *context, size_t index, unsigned thread)
{
    (void)index;
    (void)thread;
    meeting *m = context;
    pthread_mutex_lock(&m->mutex);
    m->present++;
    pthread_cond_broadcast(&m->changed);
    while (m->present < 2)
        pthread_cond_wait(&m->changed, &m->mutex);
    pthread_mutex_unlock(&m->mutex);
}

static void loops_really_run_at_the_same_time(void **state)
{
    (void)state;
    meeting m = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    nnm_parallel_for(2, 2, meet, &m);
    assert_int_equal(m.present, 2);
}

/* ---- clock ---- */

static void clocks_do_not_run_backwards(void **state)
{
    (void)state;
    uint64_t before = nnm_clock_ns();
    for (int i = 0; i < 1000; i++) {
        uint64_t now = nnm_clock_ns();
        assert_true(now >= before);
        before = now;
    }
    assert_true(nnm_unix_time_s() > 1.6e9); /* the year 2020 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_codes_keep_names_and_numbers),
        cmocka_unit_test(errors_hold_code_and_message),
        cmocka_unit_test(errors_name_the_place),
        cmocka_unit_test(errors_follow_errno),
        cmocka_unit_test(context_goes_before_the_message),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(arrays_grow_and_keep_their_elements),
        cmocka_unit_test(empty_blocks_are_blocks),
        cmocka_unit_test(texts_are_copied_and_formatted),
        cmocka_unit_test(buffers_collect_bytes),
        cmocka_unit_test(generator_gives_the_published_numbers),
        cmocka_unit_test(seeds_and_streams_differ),
        cmocka_unit_test(uniform_numbers_fill_the_unit_interval),
        cmocka_unit_test(bounded_numbers_are_unbiased),
        cmocka_unit_test(shuffles_keep_elements_and_reach_every_order),
        cmocka_unit_test(hashes_depend_on_every_byte_and_the_seed),
        cmocka_unit_test(loops_visit_every_index_once),
        cmocka_unit_test(thread_counts_are_sensible),
        cmocka_unit_test(loops_really_run_at_the_same_time),
        cmocka_unit_test(clocks_do_not_run_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
