#include "kernels/steps.h"

#include "kernels/shapes.h"

#define SHUFFLE_GROUPS 2

static nnm_tensor_id unary(nnm_draft *draft, nnm_op op, const char *name, nnm_tensor_id x)
{
    return nnm_draft_node(draft, op, name, NULL, &x, 1);
}

/* ---- windows ---- */

static nnm_tensor_id conv(nnm_draft *draft, nnm_tensor_id x, int64_t groups)
{
    return nnm_draft_conv(draft, "conv", x, nnm_draft_value(draft, "COUT"), nnm_draft_value(draft, "KERNEL_SIZE"),
                          nnm_draft_value(draft, "STRIDES"), groups);
}

nnm_tensor_id nnm_step_conv(nnm_draft *draft, nnm_tensor_id x)
{
    return conv(draft, x, 1);
}

nnm_tensor_id nnm_step_dwconv(nnm_draft *draft, nnm_tensor_id x)
{
    return conv(draft, x, nnm_draft_value(draft, "CIN"));
}

static nnm_tensor_id pool(nnm_draft *draft, nnm_op op, nnm_tensor_id x)
{
    return nnm_draft_pool(draft, op, "pool", x, nnm_draft_value(draft, "KERNEL_SIZE"),
                          nnm_draft_value(draft, "POOL_STRIDES"));
}

nnm_tensor_id nnm_step_maxpool(nnm_draft *draft, nnm_tensor_id x)
{
    return pool(draft, NNM_OP_MAX_POOL, x);
}

nnm_tensor_id nnm_step_avgpool(nnm_draft *draft, nnm_tensor_id x)
{
    return pool(draft, NNM_OP_AVERAGE_POOL, x);
}

nnm_tensor_id nnm_step_global_avgpool(nnm_draft *draft, nnm_tensor_id x)
{
    return unary(draft, NNM_OP_GLOBAL_AVERAGE_POOL, "pool", x);
}

/* ---- matrices ---- */

nnm_tensor_id nnm_step_fc(nnm_draft *draft, nnm_tensor_id x)
{
    return nnm_draft_fully_connected(draft, "fc", x, nnm_draft_value(draft, "COUT"), true);
}

nnm_tensor_id nnm_step_matmul(nnm_draft *draft, nnm_tensor_id x)
{
    return nnm_draft_fully_connected(draft, "matmul", x, nnm_draft_value(draft, "N"), false);
}

/* ---- element by element ---- */

nnm_tensor_id nnm_step_bn(nnm_draft *draft, nnm_tensor_id x)
{
    return nnm_draft_batch_norm(draft, "bn", x);
}

nnm_tensor_id nnm_step_relu(nnm_draft *draft, nnm_tensor_id x)
{
    return unary(draft, NNM_OP_RELU, "relu", x);
}

nnm_tensor_id nnm_step_relu6(nnm_draft *draft, nnm_tensor_id x)
{
    return unary(draft, NNM_OP_RELU6, "relu6", x);
}

nnm_tensor_id nnm_step_hswish(nnm_draft *draft, nnm_tensor_id x)
{
    return unary(draft, NNM_OP_HARD_SWISH, "hswish", x);
}

nnm_tensor_id nnm_step_swish(nnm_draft *draft, nnm_tensor_id x)
{
    nnm_tensor_id gate = unary(draft, NNM_OP_SIGMOID, "sigmoid", x);
    return nnm_draft_node(draft, NNM_OP_MULTIPLY, "swish", NULL, (nnm_tensor_id[]){x, gate}, 2);
}

nnm_tensor_id nnm_step_add(nnm_draft *draft, nnm_tensor_id x)
{
    return nnm_draft_node(draft, NNM_OP_ADD, "add", NULL, (nnm_tensor_id[]){x, draft->inputs[1]}, 2);
}

/* ---- channels ---- */

nnm_tensor_id nnm_step_concat(nnm_draft *draft, nnm_tensor_id x)
{
    (void)x;
    return nnm_draft_node(draft, NNM_OP_CONCAT, "concat", NULL, draft->inputs, draft->input_count);
}

nnm_tensor_id nnm_step_split(nnm_draft *draft, nnm_tensor_id x)
{
    return unary(draft, NNM_OP_SPLIT, "split", x);
}

nnm_tensor_id nnm_step_channelshuffle(nnm_draft *draft, nnm_tensor_id x)
{
    nnm_attributes attributes = {.groups = SHUFFLE_GROUPS};
    return nnm_draft_node(draft, NNM_OP_CHANNEL_SHUFFLE, "shuffle", &attributes, &x, 1);
}

nnm_tensor_id nnm_step_se(nnm_draft *draft, nnm_tensor_id x)
{
    int64_t channels = nnm_draft_value(draft, "CIN");
    nnm_tensor_id gate = unary(draft, NNM_OP_GLOBAL_AVERAGE_POOL, "pool", x);
    gate = nnm_draft_conv(draft, "squeeze", gate, nnm_squeezed_channels(channels), 1, 1, 1);
    gate = unary(draft, NNM_OP_RELU, "relu", gate);
    gate = nnm_draft_conv(draft, "excite", gate, channels, 1, 1, 1);
    gate = unary(draft, NNM_OP_HARD_SIGMOID, "gate", gate);
    return nnm_draft_node(draft, NNM_OP_MULTIPLY, "scale", NULL, (nnm_tensor_id[]){x, gate}, 2);
}
