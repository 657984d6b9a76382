/* The steps that kernels consist of. Each adds one operator, or the few that make up one, with its weights. */
#ifndef NNM_KERNELS_STEPS_H
#define NNM_KERNELS_STEPS_H

#include "kernels/draft.h"

nnm_draft_step nnm_step_conv;
nnm_draft_step nnm_step_dwconv;
nnm_draft_step nnm_step_bn;
nnm_draft_step nnm_step_relu;
nnm_draft_step nnm_step_relu6;
nnm_draft_step nnm_step_hswish;
nnm_draft_step nnm_step_swish; /* x * sigmoid(x), two operators */
nnm_draft_step nnm_step_maxpool;
nnm_draft_step nnm_step_avgpool;
nnm_draft_step nnm_step_global_avgpool;
nnm_draft_step nnm_step_fc;
nnm_draft_step nnm_step_matmul;
nnm_draft_step nnm_step_concat; /* of all inputs */
nnm_draft_step nnm_step_split;
nnm_draft_step nnm_step_channelshuffle;
nnm_draft_step nnm_step_se;
nnm_draft_step nnm_step_add; /* of x and the second input */

#endif
