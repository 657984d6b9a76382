#include "unit/testing.h"

#include "base/number.h"

static void numbers_round_trip(void **state)
{
    (void)state;
    char text[32];
    double back = 0;
    assert_string_equal(nnm_format_double(0.1, text, sizeof text), "0.1");
    assert_true(nnm_parse_double(text, &back));
    assert_true(back == 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
