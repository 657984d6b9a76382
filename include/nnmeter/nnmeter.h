/* Everything that a program linking libnnmeter may use. */
#ifndef NNMETER_NNMETER_H
#define NNMETER_NNMETER_H

#include "nnmeter/backend.h"
#include "nnmeter/builder.h"
#include "nnmeter/config.h"
#include "nnmeter/forest.h"
#include "nnmeter/graph.h"
#include "nnmeter/hooks.h"
#include "nnmeter/kernel.h"
#include "nnmeter/kernel_data.h"
#include "nnmeter/measure.h"
#include "nnmeter/metrics.h"
#include "nnmeter/model_file.h"
#include "nnmeter/predictor.h"
#include "nnmeter/registry.h"
#include "nnmeter/report.h"
#include "nnmeter/sampler.h"
#include "nnmeter/status.h"
#include "nnmeter/survey.h"
#include "nnmeter/workspace.h"

#endif
