#include "nnmeter/backend.h"

void nnm_backend_probe(const nnm_backend *backend, const nnm_session_options *options, nnm_backend_info *info)
{
    if (backend->probe_options)
        backend->probe_options(info, options);
    else
        backend->probe(info);
}
