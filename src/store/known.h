/* What the configuration files have to know of a backend. */
#ifndef NNM_STORE_KNOWN_H
#define NNM_STORE_KNOWN_H

#include "config/files.h"
#include "nnmeter/backend.h"

nnm_known_backend nnm_workspace_known_backend(const nnm_backend *backend);

#endif
