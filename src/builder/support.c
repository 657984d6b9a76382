/* What backends say about kernel types, before anybody has a model of one. */
#include "nnmeter/builder.h"

#define CANDIDATES 16

nnm_status nnm_backend_supports_kernel(const nnm_backend *backend, const nnm_kernel *kernel, nnm_layout layout,
                                       nnm_error *err)
{
    nnm_prior *prior = NULL;
    nnm_graph *graph = NULL;
    nnm_config_list configs = {0};
    nnm_graph_options options = NNM_GRAPH_OPTIONS_INIT;
    options.layout = layout;
    options.zero_weights = backend->ignores_weights;
    nnm_status status = nnm_prior_builtin(&prior, kernel, err);
    if (status == NNM_OK) status = nnm_sample_prior(&configs, kernel, prior, CANDIDATES, 0, NULL, err);
    if (status == NNM_OK) /* in order of FLOPs: the first is quick to build */
        status = nnm_kernel_build_graph(&graph, kernel, &configs.items[0], &options, err);
    if (status == NNM_OK) status = backend->supports(backend, graph, err);
    nnm_graph_free(graph);
    nnm_config_list_fini(&configs);
    nnm_prior_free(prior);
    return status;
}
