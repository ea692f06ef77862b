#include "copies.h"

#include "memory.h"

#include <stdlib.h>

/* The strings are ours although the public structs call them const: they were made by a copy here.
 */
static void text_free(const char *text)
{
	free((void *)(uintptr_t)text);
}

struct table_schema schema_copy(const struct table_schema *schema)
{
	struct column *columns = memory_zeroed(schema->n_columns, sizeof(*columns));
	for (size_t i = 0; i < schema->n_columns; i++) {
		const struct column *from = &schema->columns[i];
		columns[i] = (struct column){
			.name = memory_copy_text(from->name),
			.type = from->type,
			.unit = memory_copy_text(from->unit ? from->unit : ""),
			.help = memory_copy_text(from->help ? from->help : ""),
			.label = memory_copy_text(from->label ? from->label : ""),
			.sort = from->sort,
			.share_of = memory_copy_text(from->share_of ? from->share_of : ""),
			.more_is_better = from->more_is_better,
		};
	}
	return (struct table_schema){
		.n_columns = schema->n_columns,
		.columns = columns,
		.name = schema->name ? memory_copy_text(schema->name) : NULL,
	};
}

void schema_finish(struct table_schema *schema)
{
	for (size_t i = 0; i < schema->n_columns; i++) {
		text_free(schema->columns[i].name);
		text_free(schema->columns[i].unit);
		text_free(schema->columns[i].help);
		text_free(schema->columns[i].label);
		text_free(schema->columns[i].share_of);
	}
	text_free(schema->name);
	free((void *)(uintptr_t)schema->columns);
	*schema = (struct table_schema){0};
}

struct results_header header_copy(const struct results_header *header)
{
	return (struct results_header){
		.scenario = memory_copy_text(header->scenario ? header->scenario : ""),
		.synod_version = memory_copy_text(header->synod_version ? header->synod_version : ""),
		.source = memory_copy_text(header->source ? header->source : ""),
		.seed = header->seed,
	};
}

void header_finish(struct results_header *header)
{
	text_free(header->scenario);
	text_free(header->synod_version);
	text_free(header->source);
	*header = (struct results_header){0};
}
