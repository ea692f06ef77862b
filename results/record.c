#include "record.h"

#include "memory.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define RECORD_MAGIC UINT64_C(0x31636572646f6e79) /* "ynodrec1" */

struct record_table {
	uint64_t n_rows, text_bytes;
};

struct record_head {
	uint64_t magic;
	uint64_t run;
	struct record_table tables[TABLES_MAX];
	uint64_t check; /* over the fields above and what follows */
};

enum read_result read_at(int fd, void *into, size_t bytes, uint64_t offset)
{
	char *at = into;
	while (bytes > 0) {
		ssize_t n = pread(fd, at, bytes, (off_t)offset);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return READ_FAILED;
		}
		if (n == 0) {
			return READ_SHORT;
		}
		at += n;
		bytes -= (size_t)n;
		offset += (size_t)n;
	}
	return READ_WHOLE;
}

/* False where the sizes make no sense; then the head is not one of ours. */
static bool lay_out(const struct table_schema schemas[TABLES_MAX], const struct record_head *head,
	struct record_layout *layout)
{
	layout->bytes = sizeof(*head);
	for (int i = 0; i < TABLES_MAX; i++) {
		const struct record_table *table = &head->tables[i];
		uint64_t n_columns = schemas[i].n_columns, cells_bytes;
		if (__builtin_mul_overflow(table->n_rows, n_columns * 8, &cells_bytes)) {
			return false;
		}
		if (n_columns == 0 && (table->n_rows || table->text_bytes)) {
			return false;
		}
		layout->cells[i] = layout->bytes;
		if (__builtin_add_overflow(layout->bytes, cells_bytes, &layout->bytes)) {
			return false;
		}
		layout->text[i] = layout->bytes;
		if (__builtin_add_overflow(layout->bytes, table->text_bytes, &layout->bytes)) {
			return false;
		}
		/* Cells are read in place: the next table's start on a multiple of 8. */
		if (__builtin_add_overflow(layout->bytes, -layout->bytes % 8, &layout->bytes)) {
			return false;
		}
	}
	return true;
}

struct block record_block(
	const struct table_schema schemas[TABLES_MAX], const struct record_buffer *buffer, enum table_id table)
{
	struct record_head head;
	memcpy(&head, buffer->bytes, sizeof(head));
	return (struct block){
		.n_rows = head.tables[table].n_rows,
		.n_cells = head.tables[table].n_rows * schemas[table].n_columns,
		.cells = (uint64_t *)(void *)(buffer->bytes + buffer->layout.cells[table]),
		.text_bytes = head.tables[table].text_bytes,
		.text = (char *)buffer->bytes + buffer->layout.text[table],
	};
}

static bool block_is_sound(const struct block *block, const struct table_schema *schema)
{
	if (block->text_bytes > 0 && block->text[block->text_bytes - 1] != '\0') {
		return false;
	}
	for (size_t j = 0; j < schema->n_columns; j++) {
		if (schema->columns[j].type != COLUMN_STRING) {
			continue;
		}
		for (size_t row = 0; row < block->n_rows; row++) {
			if (block->cells[row * schema->n_columns + j] >= block->text_bytes) {
				return false;
			}
		}
	}
	return true;
}

enum read_result record_read(int fd, const struct table_schema schemas[TABLES_MAX], uint64_t n_runs,
	uint64_t offset, uint64_t file_bytes, struct record_buffer *buffer)
{
	struct record_head head;
	enum read_result result = read_at(fd, &head, sizeof(head), offset);
	if (result != READ_WHOLE) {
		return result;
	}
	if (head.magic != RECORD_MAGIC || head.run >= n_runs ||
		!lay_out(schemas, &head, &buffer->layout) ||
		buffer->layout.bytes > file_bytes - offset) {
		return READ_SHORT;
	}
	size_t bytes = buffer->layout.bytes, after = offsetof(struct record_head, check);
	buffer->bytes = memory_grow(buffer->bytes, 1, bytes, &buffer->capacity);
	result = read_at(fd, buffer->bytes, bytes, offset);
	if (result != READ_WHOLE) {
		return result;
	}
	memset(buffer->bytes + after, 0, sizeof(head.check));
	if (XXH3_64bits(buffer->bytes, bytes) != head.check) {
		return READ_SHORT;
	}
	for (int i = 0; i < TABLES_MAX; i++) {
		struct block block = record_block(schemas, buffer, i);
		if (!block_is_sound(&block, &schemas[i])) {
			return READ_SHORT;
		}
	}
	buffer->run = head.run;
	return READ_WHOLE;
}

bool write_at(int fd, struct iovec *parts, int n_parts, uint64_t offset)
{
	while (n_parts > 0) {
		if (parts->iov_len == 0) {
			parts++;
			n_parts--;
			continue;
		}
		ssize_t n = pwritev(fd, parts, n_parts, (off_t)offset);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			errno = n == 0 ? ENOSPC : errno;
			return false;
		}
		offset += (size_t)n;
		while (n_parts > 0 && (size_t)n >= parts->iov_len) {
			n -= (ssize_t)parts->iov_len;
			parts++;
			n_parts--;
		}
		if (n > 0) {
			parts->iov_base = (char *)parts->iov_base + n;
			parts->iov_len -= (size_t)n;
		}
	}
	return true;
}

/* The checksum runs over the record with its own place left at zero. */
static uint64_t checksum(const struct iovec *parts, int n_parts)
{
	XXH3_state_t *state = XXH3_createState();
	XXH3_64bits_reset(state);
	for (int i = 0; i < n_parts; i++) {
		if (parts[i].iov_len > 0) {
			XXH3_64bits_update(state, parts[i].iov_base, parts[i].iov_len);
		}
	}
	uint64_t check = XXH3_64bits_digest(state);
	XXH3_freeState(state);
	return check;
}

uint64_t record_write(int fd, const struct table_schema schemas[TABLES_MAX], uint64_t run,
	const struct block *const blocks[TABLES_MAX], uint64_t offset)
{
	struct record_head head = {.magic = RECORD_MAGIC, .run = run};
	static const char padding[8];
	struct iovec parts[1 + 3 * TABLES_MAX] = {{&head, sizeof(head)}};
	int n_parts = 1;
	for (int i = 0; i < TABLES_MAX; i++) {
		const struct block *block = blocks[i];
		assert(block->n_cells == block->n_rows * schemas[i].n_columns);
		head.tables[i] = (struct record_table){block->n_rows, block->text_bytes};
		parts[n_parts++] = (struct iovec){block->cells, block->n_cells * 8};
		parts[n_parts++] = (struct iovec){block->text, block->text_bytes};
		parts[n_parts++] =
			(struct iovec){(void *)(uintptr_t)padding, -(uint64_t)block->text_bytes % 8};
	}
	struct record_layout layout;
	bool fits = lay_out(schemas, &head, &layout);
	assert(fits);
	(void)fits;
	head.check = checksum(parts, n_parts);
	return write_at(fd, parts, n_parts, offset) ? layout.bytes : 0;
}
