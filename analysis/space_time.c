#include "analysis/space_time.h"
