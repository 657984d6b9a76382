/* Where things of a workspace lie. Every function returns a string the caller frees, or NULL when memory is short. */
#ifndef NNM_STORE_PATHS_H
#define NNM_STORE_PATHS_H

char *nnm_path_config(const char *workspace, const char *file); /* configs/FILE */
char *nnm_path_models(const char *workspace);                   /* predictor_build/kernels */
char *nnm_path_model(const char *workspace, const char *kernel, const char *mark, const char *id,
                     const char *suffix);      /* suffix without a dot, e.g. "onnx" */
char *nnm_path_results(const char *workspace); /* predictor_build/results */
char *nnm_path_configs_json(const char *workspace, const char *kernel, const char *mark);
char *nnm_path_profiled_json(const char *workspace, const char *kernel);
char *nnm_path_data_csv(const char *workspace, const char *kernel, const char *mark);
char *nnm_path_test_csv(const char *workspace, const char *kernel, const char *mark);
char *nnm_path_predictor(const char *workspace, const char *kernel, const char *mark);
char *nnm_path_error_log(const char *workspace, const char *step); /* generate, convert, profile */
char *nnm_path_journal(const char *workspace);

#endif
