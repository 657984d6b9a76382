/* The tables of the built-in backends. */
#ifndef NNM_BACKENDS_BACKENDS_H
#define NNM_BACKENDS_BACKENDS_H

#include "nnmeter/backend.h"

extern const nnm_backend nnm_backend_xnnpack_cpu;
extern const nnm_backend nnm_backend_onnxruntime_cpu;

#endif
