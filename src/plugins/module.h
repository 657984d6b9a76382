/* A shared object of a package, and the one symbol that is wanted of it. Its code runs as soon as it is opened. */
#ifndef NNM_PLUGINS_MODULE_H
#define NNM_PLUGINS_MODULE_H

#include "nnmeter/status.h"

/* The file `folder`/`module`.so is there and for this machine. Runs nothing. Errors: NOT_FOUND (package folder; module,
 * with the closest one), UNSUPPORTED (no shared object, or of another architecture). */
NNM_NODISCARD nnm_status nnm_module_check(const char *folder, const char *module, nnm_error *err);

/* Opens the module and finds the symbol. It stays open as long as the process lives. Errors: as nnm_module_check;
 * NOT_FOUND (the symbol, with the closest one), VALUE (it cannot be opened). */
NNM_NODISCARD nnm_status nnm_module_find(const void **out, const char *folder, const char *module, const char *symbol,
                                         nnm_error *err);

#endif
