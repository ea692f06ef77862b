#include "cells.h"

#include <inttypes.h>
#include <string.h>

void cell_print(FILE *out, const struct column *column, union cell cell, int digits)
{
	switch (column->type) {
	case COLUMN_REAL:
		if (cell.real != cell.real) {
			fputs("NaN", out); /* printf's says nan, or -nan */
		} else {
			fprintf(out, "%.*g", digits, cell.real);
		}
		break;
	case COLUMN_INT:
		fprintf(out, "%" PRId64, cell.integer);
		break;
	case COLUMN_STRING:
		fputs(cell.string, out);
		break;
	}
}

void text_print_csv(FILE *out, const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"') {
			putc('"', out);
		}
		putc(*text, out);
	}
	putc('"', out);
}

void cell_print_csv(FILE *out, const struct column *column, union cell cell)
{
	if (column->type == COLUMN_STRING) {
		text_print_csv(out, cell.string);
	} else {
		cell_print(out, column, cell, 17);
	}
}
