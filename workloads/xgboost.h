/* XGBoost's C API, loaded when it is first wanted: a program that never trains trees starts as fast
 * and as small as one without them. The library stays loaded; nothing is kept between calls, since
 * the loader counts for us. */
#ifndef WORKLOADS_XGBOOST_H
#define WORKLOADS_XGBOOST_H

#include "sim/types.h"

#ifdef HAVE_XGBOOST

#include <xgboost/c_api.h>

/* What we call of it, with the types of the header that we are built with. */
struct xgboost {
	__typeof__(&XGBGetLastError) last_error;
	__typeof__(&XGBSetGlobalConfig) set_global_config;
	__typeof__(&XGDMatrixCreateFromMat_omp) matrix_create;
	__typeof__(&XGDMatrixSetFloatInfo) matrix_set_floats;
	__typeof__(&XGDMatrixFree) matrix_free;
	__typeof__(&XGBoosterCreate) booster_create;
	__typeof__(&XGBoosterFree) booster_free;
	__typeof__(&XGBoosterSetParam) set_param;
	__typeof__(&XGBoosterUpdateOneIter) update;
	__typeof__(&XGBoosterDumpModel) dump;
	__typeof__(&XGBoosterPredict) predict;
};

/* False with a sentence that says what to install. */
bool xgboost_load(struct xgboost *out, char error[256]);

#endif

/* Is it here, built in and loadable? False with a sentence that says what to do. */
bool xgboost_check(char error[256]);

#endif
