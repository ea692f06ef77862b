#include "xgboost.h"

#include <stdio.h>

#ifdef HAVE_XGBOOST

#include <dlfcn.h>
#include <string.h>

static const char *const names[] = {"libxgboost.so.0", "libxgboost.so"};

bool xgboost_load(struct xgboost *out, char error[256])
{
	void *library = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && library == NULL; i++) {
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	}
	if (library == NULL) {
		snprintf(error, 256,
			"trees need XGBoost's library, which can't be loaded; install the package libxgboost0 "
			"(%.100s)",
			dlerror());
		return false;
	}
	const struct {
		const char *name;
		void *at;
	} wanted[] = {
		{"XGBGetLastError", &out->last_error},
		{"XGBSetGlobalConfig", &out->set_global_config},
		{"XGDMatrixCreateFromMat_omp", &out->matrix_create},
		{"XGDMatrixSetFloatInfo", &out->matrix_set_floats},
		{"XGDMatrixFree", &out->matrix_free},
		{"XGBoosterCreate", &out->booster_create},
		{"XGBoosterFree", &out->booster_free},
		{"XGBoosterSetParam", &out->set_param},
		{"XGBoosterUpdateOneIter", &out->update},
		{"XGBoosterDumpModel", &out->dump},
		{"XGBoosterPredict", &out->predict},
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		void *symbol = dlsym(library, wanted[i].name);
		if (symbol == NULL) {
			snprintf(error, 256,
				"trees need an XGBoost with %s, such as the package libxgboost0's 1.7",
				wanted[i].name);
			return false;
		}
		memcpy(wanted[i].at, &symbol, sizeof(symbol)); /* ISO C has no cast from data to code */
	}
	return true;
}

bool xgboost_check(char error[256])
{
	struct xgboost xgboost;
	return xgboost_load(&xgboost, error);
}

#else

bool xgboost_check(char error[256])
{
	snprintf(error, 256,
		"trees need XGBoost, without which this program was built; install the package "
		"libxgboost-dev and build again");
	return false;
}

#endif
