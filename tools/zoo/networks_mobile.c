/* Networks made for phones: depthwise convolutions between 1 x 1 convolutions, batch normalisation after each. */
#include "zoo.h"

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* A. Howard et al., "MobileNets", 2017, width 1.0. */
void nnm_zoo_mobilenet_v1(nnm_zoo_network *net)
{
    static const struct {
        int64_t stride, cout;
    } blocks[] = {{1, 64},  {2, 128}, {1, 128}, {2, 256}, {1, 256},  {2, 512}, {1, 512},
                  {1, 512}, {1, 512}, {1, 512}, {1, 512}, {2, 1024}, {1, 1024}};
    net->after = NNM_ZOO_BATCH_NORM;
    nnm_zoo_conv(net, "conv1", 3, 2, 32);
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        nnm_zoo_begin_block(net, "block", i + 1);
        nnm_zoo_dwconv(net, "depthwise", 3, blocks[i].stride);
        nnm_zoo_conv(net, "pointwise", 1, 1, blocks[i].cout);
    }
    net->block = NULL;
    nnm_zoo_global_pool(net);
    nnm_zoo_fc(net, "fc", 1000);
}

/* ---- inverted residuals ---- */

/* Two 1 x 1 convolutions with bias on the mean of each channel; the map itself keeps its shape. */
static void squeeze_excite(nnm_zoo_network *net, int64_t squeeze)
{
    const int64_t hw = net->hw, channels = net->channels;
    const nnm_zoo_after after = net->after;
    net->after = NNM_ZOO_BIAS;
    nnm_zoo_global_pool(net);
    nnm_zoo_conv(net, "se_reduce", 1, 1, squeeze);
    nnm_zoo_conv(net, "se_expand", 1, 1, channels);
    net->hw = hw;
    net->after = after;
}

typedef struct inverted {
    int64_t kernel, stride, expanded, cout;
    int64_t squeeze; /* 0: no squeeze-and-excitation */
} inverted;

static void inverted_residual(nnm_zoo_network *net, size_t number, inverted block)
{
    nnm_zoo_begin_block(net, "block", number);
    if (block.expanded != net->channels) nnm_zoo_conv(net, "expand", 1, 1, block.expanded);
    nnm_zoo_dwconv(net, "depthwise", block.kernel, block.stride);
    if (block.squeeze) squeeze_excite(net, block.squeeze);
    nnm_zoo_conv(net, "project", 1, 1, block.cout);
    net->block = NULL;
}

/* `repeats` blocks whose inner width is `expansion` times their input's; only the first has the stride. */
typedef struct stage {
    int64_t expansion, kernel, stride, cout;
    size_t repeats;
} stage;

static void mobile_network(nnm_zoo_network *net, const stage *stages, size_t count, bool excite)
{
    net->after = NNM_ZOO_BATCH_NORM;
    nnm_zoo_conv(net, "stem", 3, 2, 32);
    size_t number = 0;
    for (const stage *s = stages; s < stages + count; s++) {
        for (size_t i = 0; i < s->repeats; i++) {
            const int64_t cin = net->channels;
            inverted_residual(
                net, ++number,
                (inverted){s->kernel, i == 0 ? s->stride : 1, s->expansion * cin, s->cout, excite ? cin / 4 : 0});
        }
    }
    nnm_zoo_conv(net, "head", 1, 1, 1280);
    nnm_zoo_global_pool(net);
    nnm_zoo_fc(net, "fc", 1000);
}

/* M. Sandler et al., "MobileNetV2", CVPR 2018, width 1.0. */
void nnm_zoo_mobilenet_v2(nnm_zoo_network *net)
{
    static const stage stages[] = {{1, 3, 1, 16, 1}, {6, 3, 2, 24, 2},  {6, 3, 2, 32, 3}, {6, 3, 2, 64, 4},
                                   {6, 3, 1, 96, 3}, {6, 3, 2, 160, 3}, {6, 3, 1, 320, 1}};
    mobile_network(net, stages, LENGTH(stages), false);
}

/* M. Tan et al., "MnasNet", CVPR 2019: the B1 network, without squeeze-and-excitation (torchvision's mnasnet1_0). */
void nnm_zoo_mnasnet_b1(nnm_zoo_network *net)
{
    static const stage stages[] = {{1, 3, 1, 16, 1}, {3, 3, 2, 24, 3},  {3, 5, 2, 40, 3}, {6, 5, 2, 80, 3},
                                   {6, 3, 1, 96, 2}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};
    mobile_network(net, stages, LENGTH(stages), false);
}

/* H. Cai et al., "ProxylessNAS", ICLR 2019: the network found for a phone; blocks of a stage differ in kernel and
 * expansion. */
void nnm_zoo_proxylessnas_mobile(nnm_zoo_network *net)
{
    static const stage stages[] = {
        {1, 3, 1, 16, 1},                                                          /* 112 x 112 */
        {3, 5, 2, 32, 1},  {3, 3, 1, 32, 1},                                       /* 56 x 56 */
        {3, 7, 2, 40, 1},  {3, 3, 1, 40, 1},  {3, 5, 1, 40, 2},                    /* 28 x 28 */
        {6, 7, 2, 80, 1},  {3, 5, 1, 80, 3},  {6, 5, 1, 96, 1},  {3, 5, 1, 96, 3}, /* 14 x 14 */
        {6, 7, 2, 192, 1}, {6, 7, 1, 192, 1}, {3, 7, 1, 192, 2}, {6, 7, 1, 320, 1} /* 7 x 7 */
    };
    mobile_network(net, stages, LENGTH(stages), false);
}

/* M. Tan, Q. Le, "EfficientNet", ICML 2019: B0. Squeeze-and-excitation narrows to a quarter of the block's input. */
void nnm_zoo_efficientnet_b0(nnm_zoo_network *net)
{
    static const stage stages[] = {{1, 3, 1, 16, 1},  {6, 3, 2, 24, 2},  {6, 5, 2, 40, 2}, {6, 3, 2, 80, 3},
                                   {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};
    mobile_network(net, stages, LENGTH(stages), true);
}

/* A. Howard et al., "Searching for MobileNetV3", ICCV 2019. */
static void mobilenet_v3(nnm_zoo_network *net, const inverted *blocks, size_t count, int64_t head, int64_t hidden)
{
    net->after = NNM_ZOO_BATCH_NORM;
    nnm_zoo_conv(net, "stem", 3, 2, 16);
    for (size_t i = 0; i < count; i++)
        inverted_residual(net, i + 1, blocks[i]);
    nnm_zoo_conv(net, "head", 1, 1, head);
    nnm_zoo_global_pool(net);
    nnm_zoo_fc(net, "fc1", hidden);
    nnm_zoo_fc(net, "fc2", 1000);
}

void nnm_zoo_mobilenet_v3_small(nnm_zoo_network *net)
{
    static const inverted blocks[] = {{3, 2, 16, 16, 8},    {3, 2, 72, 24, 0},   {3, 1, 88, 24, 0},
                                      {5, 2, 96, 40, 24},   {5, 1, 240, 40, 64}, {5, 1, 240, 40, 64},
                                      {5, 1, 120, 48, 32},  {5, 1, 144, 48, 40}, {5, 2, 288, 96, 72},
                                      {5, 1, 576, 96, 144}, {5, 1, 576, 96, 144}};
    mobilenet_v3(net, blocks, LENGTH(blocks), 576, 1024);
}

void nnm_zoo_mobilenet_v3_large(nnm_zoo_network *net)
{
    static const inverted blocks[] = {{3, 1, 16, 16, 0},     {3, 2, 64, 24, 0},     {3, 1, 72, 24, 0},
                                      {5, 2, 72, 40, 24},    {5, 1, 120, 40, 32},   {5, 1, 120, 40, 32},
                                      {3, 2, 240, 80, 0},    {3, 1, 200, 80, 0},    {3, 1, 184, 80, 0},
                                      {3, 1, 184, 80, 0},    {3, 1, 480, 112, 120}, {3, 1, 672, 112, 168},
                                      {5, 2, 672, 160, 168}, {5, 1, 960, 160, 240}, {5, 1, 960, 160, 240}};
    mobilenet_v3(net, blocks, LENGTH(blocks), 960, 1280);
}

/* ---- ShuffleNet V2: N. Ma et al., ECCV 2018 ---- */

/* Half of the channels pass through, the other half through three convolutions. */
static void shuffle_unit(nnm_zoo_network *net)
{
    const int64_t half = net->channels / 2;
    net->channels = half;
    nnm_zoo_conv(net, "conv1", 1, 1, half);
    nnm_zoo_dwconv(net, "depthwise", 3, 1);
    nnm_zoo_conv(net, "conv2", 1, 1, half);
    net->channels = 2 * half;
}

/* Halves the map: both branches see all channels and each makes half of the output. */
static void shuffle_down(nnm_zoo_network *net, int64_t cout)
{
    const int64_t hw = net->hw, cin = net->channels;
    nnm_zoo_dwconv(net, "left_dw", 3, 2);
    nnm_zoo_conv(net, "left_conv", 1, 1, cout / 2);
    net->hw = hw;
    net->channels = cin;
    nnm_zoo_conv(net, "conv1", 1, 1, cout / 2);
    nnm_zoo_dwconv(net, "depthwise", 3, 2);
    nnm_zoo_conv(net, "conv2", 1, 1, cout / 2);
    net->channels = cout;
}

static void shufflenet_v2(nnm_zoo_network *net, const int64_t channels[3])
{
    static const size_t units[3] = {4, 8, 4};
    net->after = NNM_ZOO_BATCH_NORM;
    nnm_zoo_conv(net, "conv1", 3, 2, 24);
    nnm_zoo_pool(net, "pool1", 3, 2, 1, false);
    size_t number = 0;
    for (size_t s = 0; s < 3; s++) {
        for (size_t i = 0; i < units[s]; i++) {
            nnm_zoo_begin_block(net, "unit", ++number);
            if (i == 0)
                shuffle_down(net, channels[s]);
            else
                shuffle_unit(net);
        }
    }
    net->block = NULL;
    nnm_zoo_conv(net, "conv5", 1, 1, 1024);
    nnm_zoo_global_pool(net);
    nnm_zoo_fc(net, "fc", 1000);
}

void nnm_zoo_shufflenet_v2_x0_5(nnm_zoo_network *net)
{
    shufflenet_v2(net, (const int64_t[]){48, 96, 192});
}

void nnm_zoo_shufflenet_v2_x1_0(nnm_zoo_network *net)
{
    shufflenet_v2(net, (const int64_t[]){116, 232, 464});
}
