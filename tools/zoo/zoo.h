/*
 * Published convolutional networks, described by a few lines each and expanded into one record a layer. The tables
 * that kernel configurations are sampled from (data/prior) are written from these records.
 *
 * A network is built front to back: every call below adds one layer behind the last one and moves the current shape
 * (`hw`, `channels`) on. A branch goes back to an earlier shape by assigning those two. Running out of memory is
 * remembered, and told by nnm_zoo_build.
 */
#ifndef NNM_TOOLS_ZOO_H
#define NNM_TOOLS_ZOO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "nnmeter/status.h"

typedef enum nnm_zoo_kind {
    NNM_ZOO_CONV,
    NNM_ZOO_DWCONV,
    NNM_ZOO_FC,
    NNM_ZOO_POOLING,
    NNM_ZOO_KINDS
} nnm_zoo_kind;

#define NNM_ZOO_NAME_BYTES 40

typedef struct nnm_zoo_layer {
    nnm_zoo_kind kind;
    char name[NNM_ZOO_NAME_BYTES];
    int64_t hw; /* of the input; 1 for fc */
    int64_t cin, cout, kernel, stride, groups;
} nnm_zoo_layer;

/* What follows the weights of every convolution, and costs parameters: 1 or 2 a channel. */
typedef enum nnm_zoo_after {
    NNM_ZOO_NOTHING,
    NNM_ZOO_BIAS,
    NNM_ZOO_BATCH_NORM
} nnm_zoo_after;

typedef struct nnm_zoo_network {
    int64_t hw, channels; /* where the next layer starts */
    nnm_zoo_after after;
    const char *block; /* stands before the names of layers: "block.layer"; NULL for none */
    size_t block_number;
    int64_t parameters;    /* weights, biases, and two a channel for each batch normalisation */
    int64_t multiply_adds; /* of convolutions and fully connected layers */
    nnm_zoo_layer *layers;
    size_t layer_count, layer_capacity;
    bool out_of_memory;
} nnm_zoo_network;

/* ---- layers ---- */

/* Names the layers to come "block<number>.layer". */
void nnm_zoo_begin_block(nnm_zoo_network *net, const char *block, size_t number);

/* Convolutions pad both sides by (kernel - 1) / 2, so that the output has ceil(hw / stride) pixels a side. */
void nnm_zoo_conv(nnm_zoo_network *net, const char *name, int64_t kernel, int64_t stride, int64_t cout);
void nnm_zoo_conv_padded(nnm_zoo_network *net, const char *name, int64_t kernel, int64_t stride, int64_t padding,
                         int64_t cout);
void nnm_zoo_dwconv(nnm_zoo_network *net, const char *name, int64_t kernel, int64_t stride);
/* A normalisation that does not follow a convolution of its own width. */
void nnm_zoo_batch_norm(nnm_zoo_network *net);
/* Pooling without padding rounds up, as Caffe does, when `round_up`. */
void nnm_zoo_pool(nnm_zoo_network *net, const char *name, int64_t kernel, int64_t stride, int64_t padding,
                  bool round_up);
/* The mean of every channel. It is a kernel type of its own (global-avgpool) and leaves no row behind. */
void nnm_zoo_global_pool(nnm_zoo_network *net);
/* Takes everything there is: hw * hw * channels inputs, with bias. */
void nnm_zoo_fc(nnm_zoo_network *net, const char *name, int64_t cout);

/* ---- networks ---- */

typedef struct nnm_zoo_entry {
    const char *name;
    void (*describe)(nnm_zoo_network *net); /* from an image of 224 x 224 x 3 */
} nnm_zoo_entry;

/* Everything that data/prior is made from, in the order of its rows; ended by a NULL name. */
extern const nnm_zoo_entry nnm_zoo_networks[];

/* networks_classic.c and networks_mobile.c */
void nnm_zoo_alexnet(nnm_zoo_network *net);
void nnm_zoo_vgg11(nnm_zoo_network *net);
void nnm_zoo_vgg13(nnm_zoo_network *net);
void nnm_zoo_vgg16(nnm_zoo_network *net);
void nnm_zoo_vgg19(nnm_zoo_network *net);
void nnm_zoo_squeezenet1_0(nnm_zoo_network *net);
void nnm_zoo_squeezenet1_1(nnm_zoo_network *net);
void nnm_zoo_googlenet(nnm_zoo_network *net);
void nnm_zoo_resnet18(nnm_zoo_network *net);
void nnm_zoo_resnet34(nnm_zoo_network *net);
void nnm_zoo_resnet50(nnm_zoo_network *net);
void nnm_zoo_resnet101(nnm_zoo_network *net);
void nnm_zoo_densenet121(nnm_zoo_network *net);
void nnm_zoo_mobilenet_v1(nnm_zoo_network *net);
void nnm_zoo_mobilenet_v2(nnm_zoo_network *net);
void nnm_zoo_mobilenet_v3_small(nnm_zoo_network *net);
void nnm_zoo_mobilenet_v3_large(nnm_zoo_network *net);
void nnm_zoo_shufflenet_v2_x0_5(nnm_zoo_network *net);
void nnm_zoo_shufflenet_v2_x1_0(nnm_zoo_network *net);
void nnm_zoo_mnasnet_b1(nnm_zoo_network *net);
void nnm_zoo_proxylessnas_mobile(nnm_zoo_network *net);
void nnm_zoo_efficientnet_b0(nnm_zoo_network *net);

/* Not in the tables: torchvision's GoogLeNet, which has 3 x 3 convolutions where the paper has 5 x 5, and batch
 * normalisation. It is here to be compared with the parameter count that torchvision publishes. */
void nnm_zoo_googlenet_torchvision(nnm_zoo_network *net);

/* Expands one description; end the network with nnm_zoo_fini, also after an error. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_zoo_build(nnm_zoo_network *net, void (*describe)(nnm_zoo_network *net), nnm_error *err);
void nnm_zoo_fini(nnm_zoo_network *net);

/* ---- tables ---- */

/* "conv", "dwconv", "fc" or "pooling": also the name of the table, data/prior/<name>.csv. */
const char *nnm_zoo_kind_name(nnm_zoo_kind kind);

/* Appends the table of one kind, all networks, as CSV. Errors: NO_MEMORY. */
NNM_NODISCARD nnm_status nnm_zoo_write_table(nnm_buffer *csv, nnm_zoo_kind kind, nnm_error *err);

#endif
