/* AlexNet to DenseNet. Where a paper and torchvision differ in shape, the comment of the network says which is meant.
 */
#include "zoo.h"

/* A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014: one tower, no groups. */
void nnm_zoo_alexnet(nnm_zoo_network *net)
{
    net->after = NNM_ZOO_BIAS;
    nnm_zoo_conv_padded(net, "conv1", 11, 4, 2, 64);
    nnm_zoo_pool(net, "pool1", 3, 2, 0, false);
    nnm_zoo_conv(net, "conv2", 5, 1, 192);
    nnm_zoo_pool(net, "pool2", 3, 2, 0, false);
    nnm_zoo_conv(net, "conv3", 3, 1, 384);
    nnm_zoo_conv(net, "conv4", 3, 1, 256);
    nnm_zoo_conv(net, "conv5", 3, 1, 256);
    nnm_zoo_pool(net, "pool5", 3, 2, 0, false);
    nnm_zoo_fc(net, "fc6", 4096);
    nnm_zoo_fc(net, "fc7", 4096);
    nnm_zoo_fc(net, "fc8", 1000);
}

/* ---- VGG: K. Simonyan, A. Zisserman, ICLR 2015, configurations A, B, D and E ---- */

static void vgg(nnm_zoo_network *net, const size_t convs_of_stage[5])
{
    static const int64_t channels[5] = {64, 128, 256, 512, 512};
    static const char *const names[4] = {"conv1", "conv2", "conv3", "conv4"};
    net->after = NNM_ZOO_BIAS;
    for (size_t stage = 0; stage < 5; stage++) {
        nnm_zoo_begin_block(net, "stage", stage + 1);
        for (size_t i = 0; i < convs_of_stage[stage]; i++)
            nnm_zoo_conv(net, names[i], 3, 1, channels[stage]);
        nnm_zoo_pool(net, "pool", 2, 2, 0, false);
    }
    net->block = NULL;
    nnm_zoo_fc(net, "fc6", 4096);
    nnm_zoo_fc(net, "fc7", 4096);
    nnm_zoo_fc(net, "fc8", 1000);
}

void nnm_zoo_vgg11(nnm_zoo_network *net)
{
    vgg(net, (const size_t[]){1, 1, 2, 2, 2});
}

void nnm_zoo_vgg13(nnm_zoo_network *net)
{
    vgg(net, (const size_t[]){2, 2, 2, 2, 2});
}

void nnm_zoo_vgg16(nnm_zoo_network *net)
{
    vgg(net, (const size_t[]){2, 2, 3, 3, 3});
}

void nnm_zoo_vgg19(nnm_zoo_network *net)
{
    vgg(net, (const size_t[]){2, 2, 4, 4, 4});
}

/* ---- SqueezeNet: F. Iandola et al., 2016; 1.1 is the authors' later, cheaper version ---- */

static void fire(nnm_zoo_network *net, size_t number, int64_t squeeze, int64_t expand)
{
    nnm_zoo_begin_block(net, "fire", number);
    nnm_zoo_conv(net, "squeeze", 1, 1, squeeze);
    nnm_zoo_conv(net, "expand1x1", 1, 1, expand);
    net->channels = squeeze;
    nnm_zoo_conv(net, "expand3x3", 3, 1, expand);
    net->channels = 2 * expand;
    net->block = NULL;
}

static void squeezenet_end(nnm_zoo_network *net)
{
    nnm_zoo_conv(net, "conv10", 1, 1, 1000);
    nnm_zoo_global_pool(net);
}

void nnm_zoo_squeezenet1_0(nnm_zoo_network *net)
{
    net->after = NNM_ZOO_BIAS;
    nnm_zoo_conv_padded(net, "conv1", 7, 2, 0, 96);
    nnm_zoo_pool(net, "pool1", 3, 2, 0, true);
    fire(net, 2, 16, 64);
    fire(net, 3, 16, 64);
    fire(net, 4, 32, 128);
    nnm_zoo_pool(net, "pool4", 3, 2, 0, true);
    fire(net, 5, 32, 128);
    fire(net, 6, 48, 192);
    fire(net, 7, 48, 192);
    fire(net, 8, 64, 256);
    nnm_zoo_pool(net, "pool8", 3, 2, 0, true);
    fire(net, 9, 64, 256);
    squeezenet_end(net);
}

void nnm_zoo_squeezenet1_1(nnm_zoo_network *net)
{
    net->after = NNM_ZOO_BIAS;
    nnm_zoo_conv_padded(net, "conv1", 3, 2, 0, 64);
    nnm_zoo_pool(net, "pool1", 3, 2, 0, true);
    fire(net, 2, 16, 64);
    fire(net, 3, 16, 64);
    nnm_zoo_pool(net, "pool3", 3, 2, 0, true);
    fire(net, 4, 32, 128);
    fire(net, 5, 32, 128);
    nnm_zoo_pool(net, "pool5", 3, 2, 0, true);
    fire(net, 6, 48, 192);
    fire(net, 7, 48, 192);
    fire(net, 8, 64, 256);
    fire(net, 9, 64, 256);
    squeezenet_end(net);
}

/* ---- GoogLeNet: C. Szegedy et al., CVPR 2015, without the auxiliary classifiers ---- */

typedef struct inception_widths {
    int64_t conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, pool_proj;
} inception_widths;

static void inception(nnm_zoo_network *net, size_t number, int64_t wide_kernel, inception_widths width)
{
    const int64_t cin = net->channels;
    nnm_zoo_begin_block(net, "inception", number);
    nnm_zoo_conv(net, "1x1", 1, 1, width.conv1x1);
    net->channels = cin;
    nnm_zoo_conv(net, "3x3_reduce", 1, 1, width.reduce3x3);
    nnm_zoo_conv(net, "3x3", 3, 1, width.conv3x3);
    net->channels = cin;
    nnm_zoo_conv(net, "5x5_reduce", 1, 1, width.reduce5x5);
    nnm_zoo_conv(net, "5x5", wide_kernel, 1, width.conv5x5);
    net->channels = cin;
    nnm_zoo_pool(net, "pool", 3, 1, 1, false);
    nnm_zoo_conv(net, "pool_proj", 1, 1, width.pool_proj);
    net->channels = width.conv1x1 + width.conv3x3 + width.conv5x5 + width.pool_proj;
    net->block = NULL;
}

static void googlenet(nnm_zoo_network *net, int64_t wide_kernel)
{
    nnm_zoo_conv(net, "conv1", 7, 2, 64);
    nnm_zoo_pool(net, "pool1", 3, 2, 0, true);
    nnm_zoo_conv(net, "conv2_reduce", 1, 1, 64);
    nnm_zoo_conv(net, "conv2", 3, 1, 192);
    nnm_zoo_pool(net, "pool2", 3, 2, 0, true);
    inception(net, 1, wide_kernel, (inception_widths){64, 96, 128, 16, 32, 32});
    inception(net, 2, wide_kernel, (inception_widths){128, 128, 192, 32, 96, 64});
    nnm_zoo_pool(net, "pool3", 3, 2, 0, true);
    inception(net, 3, wide_kernel, (inception_widths){192, 96, 208, 16, 48, 64});
    inception(net, 4, wide_kernel, (inception_widths){160, 112, 224, 24, 64, 64});
    inception(net, 5, wide_kernel, (inception_widths){128, 128, 256, 24, 64, 64});
    inception(net, 6, wide_kernel, (inception_widths){112, 144, 288, 32, 64, 64});
    inception(net, 7, wide_kernel, (inception_widths){256, 160, 320, 32, 128, 128});
    nnm_zoo_pool(net, "pool4", 3, 2, 0, true);
    inception(net, 8, wide_kernel, (inception_widths){256, 160, 320, 32, 128, 128});
    inception(net, 9, wide_kernel, (inception_widths){384, 192, 384, 48, 128, 128});
    nnm_zoo_global_pool(net);
    nnm_zoo_fc(net, "fc", 1000);
}

void nnm_zoo_googlenet(nnm_zoo_network *net)
{
    net->after = NNM_ZOO_BIAS;
    googlenet(net, 5);
}

void nnm_zoo_googlenet_torchvision(nnm_zoo_network *net)
{
    net->after = NNM_ZOO_BATCH_NORM;
    googlenet(net, 3);
}

/* ---- ResNet: K. He et al., CVPR 2016; the bottleneck has its stride on the 3 x 3 convolution ("v1.5") ---- */

static void basic_block(nnm_zoo_network *net, int64_t stride, int64_t width)
{
    nnm_zoo_conv(net, "conv1", 3, stride, width);
    nnm_zoo_conv(net, "conv2", 3, 1, width);
}

static void bottleneck(nnm_zoo_network *net, int64_t stride, int64_t width)
{
    nnm_zoo_conv(net, "conv1", 1, 1, width);
    nnm_zoo_conv(net, "conv2", 3, stride, width);
    nnm_zoo_conv(net, "conv3", 1, 1, 4 * width);
}

static void resnet(nnm_zoo_network *net, void (*residual)(nnm_zoo_network *, int64_t, int64_t),
                   const size_t blocks_of_stage[4])
{
    net->after = NNM_ZOO_BATCH_NORM;
    nnm_zoo_conv(net, "conv1", 7, 2, 64);
    nnm_zoo_pool(net, "pool1", 3, 2, 1, false);
    size_t number = 0;
    int64_t width = 64;
    for (size_t stage = 0; stage < 4; stage++, width *= 2) {
        for (size_t i = 0; i < blocks_of_stage[stage]; i++) {
            const int64_t hw = net->hw, cin = net->channels;
            const int64_t stride = i == 0 && stage > 0 ? 2 : 1;
            nnm_zoo_begin_block(net, "block", ++number);
            residual(net, stride, width);
            if (cin == net->channels && stride == 1) continue;
            const int64_t cout = net->channels; /* the shortcut needs a convolution to have this shape */
            net->hw = hw;
            net->channels = cin;
            nnm_zoo_conv(net, "shortcut", 1, stride, cout);
        }
    }
    net->block = NULL;
    nnm_zoo_global_pool(net);
    nnm_zoo_fc(net, "fc", 1000);
}

void nnm_zoo_resnet18(nnm_zoo_network *net)
{
    resnet(net, basic_block, (const size_t[]){2, 2, 2, 2});
}

void nnm_zoo_resnet34(nnm_zoo_network *net)
{
    resnet(net, basic_block, (const size_t[]){3, 4, 6, 3});
}

void nnm_zoo_resnet50(nnm_zoo_network *net)
{
    resnet(net, bottleneck, (const size_t[]){3, 4, 6, 3});
}

void nnm_zoo_resnet101(nnm_zoo_network *net)
{
    resnet(net, bottleneck, (const size_t[]){3, 4, 23, 3});
}

/* ---- DenseNet: G. Huang et al., CVPR 2017; normalisation stands before each convolution ---- */

static void dense_layer(nnm_zoo_network *net, size_t number, int64_t growth)
{
    const int64_t cin = net->channels;
    nnm_zoo_begin_block(net, "dense", number);
    nnm_zoo_batch_norm(net);
    nnm_zoo_conv(net, "conv1", 1, 1, 4 * growth);
    nnm_zoo_batch_norm(net);
    nnm_zoo_conv(net, "conv2", 3, 1, growth);
    net->channels = cin + growth;
}

static void transition(nnm_zoo_network *net, size_t number)
{
    nnm_zoo_begin_block(net, "transition", number);
    nnm_zoo_batch_norm(net);
    nnm_zoo_conv(net, "conv", 1, 1, net->channels / 2);
    nnm_zoo_pool(net, "pool", 2, 2, 0, false);
}

void nnm_zoo_densenet121(nnm_zoo_network *net)
{
    static const size_t layers_of_block[4] = {6, 12, 24, 16};
    net->after = NNM_ZOO_NOTHING;
    nnm_zoo_conv(net, "conv0", 7, 2, 64);
    nnm_zoo_batch_norm(net);
    nnm_zoo_pool(net, "pool0", 3, 2, 1, false);
    size_t number = 0;
    for (size_t block = 0; block < 4; block++) {
        if (block > 0) transition(net, block);
        for (size_t i = 0; i < layers_of_block[block]; i++)
            dense_layer(net, ++number, 32);
    }
    nnm_zoo_batch_norm(net);
    net->block = NULL;
    nnm_zoo_global_pool(net);
    nnm_zoo_fc(net, "classifier", 1000);
}
