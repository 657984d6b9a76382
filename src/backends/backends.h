/* The tables of the built-in backends. */
#ifndef NNM_BACKENDS_BACKENDS_H
#define NNM_BACKENDS_BACKENDS_H

#include "nnmeter/backend.h"

extern const nnm_backend nnm_backend_xnnpack_cpu;
extern const nnm_backend nnm_backend_onnxruntime_cpu;
extern const nnm_backend nnm_backend_onednn_cpu;
extern const nnm_backend nnm_backend_simulated;

/* What `open` of onednn_cpu does once it has read the file; the session keeps nothing of the graph. */
NNM_NODISCARD nnm_status nnm_onednn_open_graph(nnm_session **out, const nnm_graph *graph,
                                               const nnm_session_options *options, nnm_error *err);

/* What `open` of xnnpack_cpu does once it has read the file; the session keeps nothing of the graph. */
NNM_NODISCARD nnm_status nnm_xnnpack_open_graph(nnm_session **out, const nnm_graph *graph,
                                                const nnm_session_options *options, nnm_error *err);

#endif
