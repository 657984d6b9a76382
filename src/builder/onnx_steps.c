#include "builder/onnx_steps.h"

#include <stdio.h>

nnm_value nnm_value_new(nnm_onnx_steps *s)
{
    nnm_value t = {.constant = false};
    snprintf(t.name, sizeof t.name, "t%u", ++s->names);
    return t;
}

nnm_value nnm_value_constant(nnm_onnx_steps *s, double value)
{
    nnm_value out = nnm_value_new(s);
    out.constant = true;
    nnm_onnx_constant_doubles(s->model, out.name, &value, 0);
    return out;
}

nnm_value nnm_value_constants(nnm_onnx_steps *s, const double *values, size_t count)
{
    nnm_value out = nnm_value_new(s);
    out.constant = true;
    nnm_onnx_constant_doubles(s->model, out.name, values, count);
    return out;
}

nnm_value nnm_value_cast(nnm_onnx_steps *s, const char *from, const char *to, int type)
{
    nnm_value out = {.constant = false};
    snprintf(out.name, sizeof out.name, "%s", to);
    nnm_onnx_begin_node(s->model, "Cast", "");
    nnm_onnx_input(s->model, from);
    nnm_onnx_output(s->model, to);
    nnm_onnx_int(s->model, "to", type);
    nnm_onnx_end_node(s->model);
    return out;
}

static nnm_value apply(nnm_onnx_steps *s, const char *op, const nnm_value *inputs, size_t count)
{
    nnm_value out = nnm_value_new(s);
    out.constant = true;
    nnm_onnx_begin_node(s->model, op, "");
    for (size_t i = 0; i < count; i++) {
        nnm_onnx_input(s->model, inputs[i].name);
        out.constant = out.constant && inputs[i].constant;
    }
    nnm_onnx_output(s->model, out.name);
    nnm_onnx_end_node(s->model);
    return out;
}

nnm_value nnm_value_1(nnm_onnx_steps *s, const char *op, nnm_value a)
{
    return apply(s, op, &a, 1);
}

nnm_value nnm_value_2(nnm_onnx_steps *s, const char *op, nnm_value a, nnm_value b)
{
    const nnm_value inputs[] = {a, b};
    return apply(s, op, inputs, 2);
}

nnm_value nnm_value_where(nnm_onnx_steps *s, nnm_value condition, nnm_value yes, nnm_value no)
{
    const nnm_value inputs[] = {condition, yes, no};
    return apply(s, "Where", inputs, 3);
}

nnm_value nnm_value_columns(nnm_onnx_steps *s, nnm_value from, const int64_t *numbers, size_t count)
{
    nnm_value which = nnm_value_new(s), out = nnm_value_new(s);
    nnm_onnx_constant_ints(s->model, which.name, numbers, count);
    nnm_onnx_begin_node(s->model, "Gather", "");
    nnm_onnx_input(s->model, from.name);
    nnm_onnx_input(s->model, which.name);
    nnm_onnx_output(s->model, out.name);
    nnm_onnx_int(s->model, "axis", 1);
    nnm_onnx_end_node(s->model);
    return out;
}

nnm_value nnm_value_concat(nnm_onnx_steps *s, const nnm_value *parts, size_t count)
{
    nnm_value out = nnm_value_new(s);
    nnm_onnx_begin_node(s->model, "Concat", "");
    for (size_t i = 0; i < count; i++)
        nnm_onnx_input(s->model, parts[i].name);
    nnm_onnx_output(s->model, out.name);
    nnm_onnx_int(s->model, "axis", 1);
    nnm_onnx_end_node(s->model);
    return out;
}

nnm_value nnm_value_sum(nnm_onnx_steps *s, nnm_value a)
{
    static const int64_t columns = 1;
    nnm_value axes = nnm_value_new(s), out = nnm_value_new(s);
    nnm_onnx_constant_ints(s->model, axes.name, &columns, 1);
    nnm_onnx_begin_node(s->model, "ReduceSum", "");
    nnm_onnx_input(s->model, a.name);
    nnm_onnx_input(s->model, axes.name);
    nnm_onnx_output(s->model, out.name);
    nnm_onnx_end_node(s->model);
    return out;
}

nnm_value nnm_value_largest(nnm_onnx_steps *s, nnm_value a)
{
    static const int64_t columns = 1;
    nnm_value out = nnm_value_new(s);
    nnm_onnx_begin_node(s->model, "ReduceMax", "");
    nnm_onnx_input(s->model, a.name);
    nnm_onnx_output(s->model, out.name);
    nnm_onnx_ints(s->model, "axes", &columns, 1);
    nnm_onnx_end_node(s->model);
    return out;
}

nnm_value nnm_value_log_sum(nnm_onnx_steps *s, nnm_value a)
{
    nnm_value top = nnm_value_largest(s, a);
    nnm_value sum = nnm_value_sum(s, nnm_value_1(s, "Exp", nnm_value_2(s, "Sub", a, top)));
    return nnm_value_2(s, "Add", top, nnm_value_1(s, "Log", sum));
}
