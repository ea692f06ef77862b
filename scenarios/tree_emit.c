/* Writing trees as YAML that reads as the same tree. */
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add_n(struct text *text, const char *more, size_t n)
{
	if (text->n + n + 1 > text->capacity) {
		text->capacity = (text->n + n + 1) * 2 + 64;
		text->bytes = realloc(text->bytes, text->capacity);
		if (!text->bytes) {
			abort();
		}
	}
	if (n) { /* nothing may be nowhere */
		memcpy(text->bytes + text->n, more, n);
	}
	text->n += n;
	text->bytes[text->n] = '\0';
}

void text_add(struct text *text, const char *more)
{
	text_add_n(text, more, strlen(more));
}

void text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

/* May it stand without quotes, in block and in flow style, as a key and as a value? Says no where
 * it isn't sure. */
static bool is_plain(const char *scalar)
{
	static const char inside[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
								 "_./+-%()= ";
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./";
	size_t n = strlen(scalar);
	if (n == 0 || strspn(scalar, inside) != n || scalar[n - 1] == ' ') {
		return false;
	}
	if (!strcmp(scalar, "...")) {
		return false;
	}
	/* A minus begins a number here, or a list. */
	return strchr(first, scalar[0]) ||
		   (n > 1 && scalar[0] == '-' && strchr(".0123456789", scalar[1]));
}

void tree_emit_scalar(const char *scalar, struct text *out)
{
	if (is_plain(scalar)) {
		text_add(out, scalar);
		return;
	}
	text_add(out, "\"");
	for (const char *at = scalar; *at; at++) {
		unsigned char c = (unsigned char)*at;
		char escape[8];
		if (c == '"' || c == '\\') {
			snprintf(escape, sizeof(escape), "\\%c", c);
			text_add(out, escape);
		} else if (c < 0x20 || c == 0x7f) {
			snprintf(escape, sizeof(escape), "\\x%02x", c);
			text_add(out, escape);
		} else if (!strncmp(at, "\xc2\x85", 2)) {
			text_add(out, "\\N"); /* YAML takes this and the next two for line breaks */
			at += 1;
		} else if (!strncmp(at, "\xe2\x80\xa8", 3) || !strncmp(at, "\xe2\x80\xa9", 3)) {
			text_add(out, (unsigned char)at[2] == 0xa8 ? "\\L" : "\\P");
			at += 2;
		} else {
			text_add_n(out, at, 1);
		}
	}
	text_add(out, "\"");
}

static void emit_scalar(const struct tree *tree, struct text *out)
{
	if (tree_is_null(tree)) {
		text_add(out, "~");
	} else {
		tree_emit_scalar(tree->text, out);
	}
}

void tree_emit_flow(const struct tree *tree, struct text *out)
{
	switch (tree->kind) {
	case TREE_SCALAR:
		emit_scalar(tree, out);
		return;
	case TREE_LIST:
		text_add(out, "[");
		for (size_t i = 0; i < tree->n; i++) {
			text_add(out, i ? ", " : "");
			tree_emit_flow(tree->values[i], out);
		}
		text_add(out, "]");
		return;
	case TREE_MAP:
		text_add(out, "{");
		for (size_t i = 0; i < tree->n; i++) {
			text_add(out, i ? ", " : "");
			tree_emit_scalar(tree->keys[i]->text, out);
			text_add(out, ": ");
			tree_emit_flow(tree->values[i], out);
		}
		text_add(out, "}");
		return;
	case TREE_BAD:
		return;
	}
}

static bool all_scalars(const struct tree *tree)
{
	for (size_t i = 0; i < tree->n; i++) {
		if (tree->values[i]->kind != TREE_SCALAR) {
			return false;
		}
	}
	return true;
}

static void indent(unsigned depth, struct text *out)
{
	for (unsigned i = 0; i < depth; i++) {
		text_add(out, "  ");
	}
}

/* What follows `key:` or `-`, with the line's end. */
static void emit_value(const struct tree *tree, unsigned depth, struct text *out)
{
	bool flow = tree->kind == TREE_SCALAR || tree->kind == TREE_BAD || tree->n == 0 ||
				(tree->kind == TREE_LIST && all_scalars(tree));
	if (flow) {
		text_add(out, " ");
		tree_emit_flow(tree, out);
		text_add(out, "\n");
	} else {
		text_add(out, "\n");
		tree_emit(tree, depth + 1, out);
	}
}

void tree_emit(const struct tree *tree, unsigned depth, struct text *out)
{
	if (tree->kind == TREE_MAP && tree->n) {
		for (size_t i = 0; i < tree->n; i++) {
			indent(depth, out);
			tree_emit_scalar(tree->keys[i]->text, out);
			text_add(out, ":");
			emit_value(tree->values[i], depth, out);
		}
	} else if (tree->kind == TREE_LIST && tree->n) {
		for (size_t i = 0; i < tree->n; i++) {
			indent(depth, out);
			const struct tree *value = tree->values[i];
			text_add(out, "-");
			if (value->kind == TREE_MAP && all_scalars(value)) {
				text_add(out, " ");
				tree_emit_flow(value, out);
				text_add(out, "\n");
			} else {
				emit_value(value, depth, out);
			}
		}
	} else {
		indent(depth, out);
		tree_emit_flow(tree, out);
		text_add(out, "\n");
	}
}
