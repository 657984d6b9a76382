#include "store/paths.h"

#include "base/memory.h"

#define RESULTS "predictor_build/results"

char *nnm_path_config(const char *workspace, const char *file)
{
    return nnm_format("%s/configs/%s", workspace, file);
}

char *nnm_path_models(const char *workspace)
{
    return nnm_format("%s/predictor_build/kernels", workspace);
}

char *nnm_path_model(const char *workspace, const char *kernel, const char *mark, const char *id, const char *suffix)
{
    return nnm_format("%s/predictor_build/kernels/%s_%s_%s.%s", workspace, kernel, mark, id, suffix);
}

char *nnm_path_results(const char *workspace)
{
    return nnm_format("%s/" RESULTS, workspace);
}

char *nnm_path_configs_json(const char *workspace, const char *kernel, const char *mark)
{
    return nnm_format("%s/" RESULTS "/%s_%s.json", workspace, kernel, mark);
}

char *nnm_path_profiled_json(const char *workspace, const char *kernel)
{
    return nnm_format("%s/" RESULTS "/profiled_%s.json", workspace, kernel);
}

char *nnm_path_data_csv(const char *workspace, const char *kernel, const char *mark)
{
    return nnm_format("%s/" RESULTS "/collection/Data_%s_%s.csv", workspace, kernel, mark);
}

char *nnm_path_test_csv(const char *workspace, const char *kernel, const char *mark)
{
    return nnm_format("%s/" RESULTS "/collection/TestResult_%s_%s.csv", workspace, kernel, mark);
}

char *nnm_path_predictor(const char *workspace, const char *kernel, const char *mark)
{
    return nnm_format("%s/" RESULTS "/predictors/%s_%s.nnm", workspace, kernel, mark);
}

char *nnm_path_error_log(const char *workspace, const char *step)
{
    return nnm_format("%s/" RESULTS "/%s_error.log", workspace, step);
}

char *nnm_path_journal(const char *workspace)
{
    return nnm_format("%s/journal.sqlite", workspace);
}
