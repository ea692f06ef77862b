/* How right the decided values are. */
#ifndef LAB_ACCURACY_H
#define LAB_ACCURACY_H

#include <stdbool.h>

/* Is it further from it than the relative tolerance? */
bool further_than(double tolerance, double value, double from);

#endif
