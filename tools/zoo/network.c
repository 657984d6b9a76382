#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "zoo.h"

static void add_layer(nnm_zoo_network *net, nnm_zoo_layer layer, const char *name)
{
    void *layers = net->layers;
    if (nnm_grow(&layers, &net->layer_capacity, net->layer_count + 1, sizeof layer, NULL)) {
        net->out_of_memory = true;
        return;
    }
    net->layers = layers;
    if (net->block)
        snprintf(layer.name, sizeof layer.name, "%.20s%zu.%.12s", net->block, net->block_number, name);
    else
        snprintf(layer.name, sizeof layer.name, "%.24s", name);
    net->layers[net->layer_count++] = layer;
}

void nnm_zoo_begin_block(nnm_zoo_network *net, const char *block, size_t number)
{
    net->block = block;
    net->block_number = number;
}

/* A window of `kernel` pixels moved over `hw` pixels with `padding` more on both sides. */
static int64_t output_size(int64_t hw, int64_t kernel, int64_t stride, int64_t padding)
{
    return (hw + 2 * padding - kernel) / stride + 1;
}

static void add_conv(nnm_zoo_network *net, nnm_zoo_layer layer, const char *name, int64_t padding)
{
    add_layer(net, layer, name);
    int64_t weights = layer.cout * layer.kernel * layer.kernel * layer.cin / layer.groups;
    net->hw = output_size(net->hw, layer.kernel, layer.stride, padding);
    net->channels = layer.cout;
    net->multiply_adds += net->hw * net->hw * weights;
    net->parameters += weights;
    if (net->after == NNM_ZOO_BIAS) net->parameters += layer.cout;
    if (net->after == NNM_ZOO_BATCH_NORM) nnm_zoo_batch_norm(net);
}

void nnm_zoo_conv_padded(nnm_zoo_network *net, const char *name, int64_t kernel, int64_t stride, int64_t padding,
                         int64_t cout)
{
    nnm_zoo_layer layer = {.kind = NNM_ZOO_CONV,
                           .hw = net->hw,
                           .cin = net->channels,
                           .cout = cout,
                           .kernel = kernel,
                           .stride = stride,
                           .groups = 1};
    add_conv(net, layer, name, padding);
}

void nnm_zoo_conv(nnm_zoo_network *net, const char *name, int64_t kernel, int64_t stride, int64_t cout)
{
    nnm_zoo_conv_padded(net, name, kernel, stride, (kernel - 1) / 2, cout);
}

void nnm_zoo_dwconv(nnm_zoo_network *net, const char *name, int64_t kernel, int64_t stride)
{
    nnm_zoo_layer layer = {.kind = NNM_ZOO_DWCONV,
                           .hw = net->hw,
                           .cin = net->channels,
                           .cout = net->channels,
                           .kernel = kernel,
                           .stride = stride,
                           .groups = net->channels};
    add_conv(net, layer, name, (kernel - 1) / 2);
}

void nnm_zoo_batch_norm(nnm_zoo_network *net)
{
    net->parameters += 2 * net->channels;
}

void nnm_zoo_pool(nnm_zoo_network *net, const char *name, int64_t kernel, int64_t stride, int64_t padding,
                  bool round_up)
{
    nnm_zoo_layer layer = {.kind = NNM_ZOO_POOLING,
                           .hw = net->hw,
                           .cin = net->channels,
                           .cout = net->channels,
                           .kernel = kernel,
                           .stride = stride,
                           .groups = 1};
    add_layer(net, layer, name);
    net->hw = output_size(net->hw + (round_up ? stride - 1 : 0), kernel, stride, padding);
}

void nnm_zoo_global_pool(nnm_zoo_network *net)
{
    net->hw = 1;
}

void nnm_zoo_fc(nnm_zoo_network *net, const char *name, int64_t cout)
{
    int64_t cin = net->hw * net->hw * net->channels;
    nnm_zoo_layer layer = {
        .kind = NNM_ZOO_FC, .hw = 1, .cin = cin, .cout = cout, .kernel = 1, .stride = 1, .groups = 1};
    add_layer(net, layer, name);
    net->hw = 1;
    net->channels = cout;
    net->multiply_adds += cin * cout;
    net->parameters += cin * cout + cout;
}

nnm_status nnm_zoo_build(nnm_zoo_network *net, void (*describe)(nnm_zoo_network *net), nnm_error *err)
{
    *net = (nnm_zoo_network){.hw = 224, .channels = 3};
    describe(net);
    return net->out_of_memory ? nnm_fail_memory(err) : NNM_OK;
}

void nnm_zoo_fini(nnm_zoo_network *net)
{
    free(net->layers);
    *net = (nnm_zoo_network){0};
}

const nnm_zoo_entry nnm_zoo_networks[] = {
    {"alexnet", nnm_zoo_alexnet},
    {"vgg11", nnm_zoo_vgg11},
    {"vgg13", nnm_zoo_vgg13},
    {"vgg16", nnm_zoo_vgg16},
    {"vgg19", nnm_zoo_vgg19},
    {"squeezenet1_0", nnm_zoo_squeezenet1_0},
    {"squeezenet1_1", nnm_zoo_squeezenet1_1},
    {"googlenet", nnm_zoo_googlenet},
    {"resnet18", nnm_zoo_resnet18},
    {"resnet34", nnm_zoo_resnet34},
    {"resnet50", nnm_zoo_resnet50},
    {"resnet101", nnm_zoo_resnet101},
    {"densenet121", nnm_zoo_densenet121},
    {"mobilenet_v1", nnm_zoo_mobilenet_v1},
    {"mobilenet_v2", nnm_zoo_mobilenet_v2},
    {"mobilenet_v3_small", nnm_zoo_mobilenet_v3_small},
    {"mobilenet_v3_large", nnm_zoo_mobilenet_v3_large},
    {"shufflenet_v2_x0_5", nnm_zoo_shufflenet_v2_x0_5},
    {"shufflenet_v2_x1_0", nnm_zoo_shufflenet_v2_x1_0},
    {"mnasnet_b1", nnm_zoo_mnasnet_b1},
    {"proxylessnas_mobile", nnm_zoo_proxylessnas_mobile},
    {"efficientnet_b0", nnm_zoo_efficientnet_b0},
    {NULL, NULL},
};
