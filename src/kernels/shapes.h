/* Input shapes and sizes of each kind of kernel. */
#ifndef NNM_KERNELS_SHAPES_H
#define NNM_KERNELS_SHAPES_H

#include "kernels/catalogue.h"

/* Channels between the two convolutions of squeeze-and-excitation: a quarter, and at least one. */
int64_t nnm_squeezed_channels(int64_t channels);

typedef size_t nnm_inputs_function(const nnm_kernel *kernel, const nnm_kernel_config *config, nnm_layout layout,
                                   nnm_shape shapes[NNM_KERNEL_MAX_INPUTS]);
nnm_inputs_function nnm_inputs_image;      /* HW, CIN */
nnm_inputs_function nnm_inputs_two_images; /* HW, CIN twice */
nnm_inputs_function nnm_inputs_images;     /* HW, CIN1 ... CIN4, as many as are not 0 */
nnm_inputs_function nnm_inputs_flat;       /* CIN */
nnm_inputs_function nnm_inputs_matrices;   /* B, M, K */

typedef nnm_kernel_size nnm_size_function(const nnm_kernel *kernel, const nnm_kernel_config *config);
nnm_size_function nnm_size_conv;
nnm_size_function nnm_size_dwconv;
nnm_size_function nnm_size_fc;
nnm_size_function nnm_size_matmul;
nnm_size_function nnm_size_pool;
nnm_size_function nnm_size_image; /* what is computed is as large as the inputs together, or smaller */
nnm_size_function nnm_size_se;

#endif
