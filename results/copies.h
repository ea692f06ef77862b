/* Copies of schemas and headers, for those who outlive whoever gave them. */
#ifndef RESULTS_COPIES_H
#define RESULTS_COPIES_H

#include "results/results.h"

/* A copy that owns its names, units and help; schema_finish frees it and leaves a zeroed one. */
struct table_schema schema_copy(const struct table_schema *schema);
void schema_finish(struct table_schema *schema);

struct results_header header_copy(const struct results_header *header);
void header_finish(struct results_header *header);

#endif
