#include "writer.h"

#include "h5.h"
#include "memory.h"
#include "place.h"
#include "seal.h"
#include "sink.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)1 << 20)

struct table_writer {
	hid_t type;    /* packed; the same in memory and in the file, so that HDF5 converts nothing */
	hid_t dataset; /* -1 where the table is not recorded */
	size_t row_bytes;
	unsigned char *rows; /* the buffer */
	size_t n_rows, n_rows_max;
	uint64_t n_written;
};

struct writer {
	char *path;
	const struct table_schema *schemas;
	const struct table_extent *extents;
	struct sink sink;
	hid_t file;
	struct table_writer tables[TABLES_MAX];
};

static size_t column_bytes(const struct column *column, size_t width)
{
	if (column->type == COLUMN_STRING) {
		return width ? width : 1;
	}
	return 8;
}

/* On failure nothing is closed: that would wipe HDF5's account of the cause, and closing the file
 * closes what stands in it. */
static bool write_attribute(hid_t object, const char *name, hid_t type, const void *value)
{
	hid_t space = H5Screate(H5S_SCALAR);
	hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
	if (attribute < 0 || H5Awrite(attribute, type, value) < 0) {
		return false;
	}
	H5Aclose(attribute);
	H5Sclose(space);
	return true;
}

/* Every text has a fixed length: HDF5 1.10 keeps those of variable length in its global heap, where damage
 * makes it crash. */
static hid_t text_type(size_t bytes)
{
	hid_t type = H5Tcopy(H5T_C_S1);
	H5Tset_size(type, bytes ? bytes : 1);
	H5Tset_strpad(type, H5T_STR_NULLPAD);
	H5Tset_cset(type, H5T_CSET_UTF8);
	return type;
}

/* A text that is surely shorter than 64 KB, the most that an attribute holds. */
static bool write_text(hid_t object, const char *name, const char *text)
{
	hid_t type = text_type(strlen(text));
	if (!write_attribute(object, name, type, text)) {
		return false;
	}
	H5Tclose(type);
	return true;
}

/* The scenario, which may be long: a dataset of one string. */
static bool write_scenario(hid_t file, const char *text)
{
	hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
	H5Pset_obj_track_times(properties, false);
	H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
	H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER);
	hid_t space = H5Screate(H5S_SCALAR), type = text_type(strlen(text));
	hid_t dataset =
		H5Dcreate2(file, SCENARIO_DATASET, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
	if (dataset < 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
		return false;
	}
	H5Dclose(dataset);
	H5Sclose(space);
	H5Tclose(type);
	H5Pclose(properties);
	return true;
}

static bool write_header(struct writer *writer, const struct results_header *header)
{
	int32_t format_version = RESULTS_FORMAT_VERSION;
	return write_text(writer->file, "format", RESULTS_FORMAT) &&
		   write_attribute(writer->file, "format_version", H5T_STD_I32LE, &format_version) &&
		   write_text(writer->file, "synod_version", header->synod_version) &&
		   write_text(writer->file, "source", header->source) &&
		   write_attribute(writer->file, "seed", H5T_STD_U64LE, &header->seed) &&
		   write_scenario(writer->file, header->scenario);
}

static hid_t row_type(const struct table_schema *schema, const size_t *widths, size_t row_bytes)
{
	hid_t row = H5Tcreate(H5T_COMPOUND, row_bytes);
	size_t offset = 0;
	for (size_t i = 0; i < schema->n_columns; i++) {
		const struct column *column = &schema->columns[i];
		size_t bytes = column_bytes(column, widths[i]);
		hid_t type;
		if (column->type == COLUMN_STRING) {
			type = text_type(bytes);
		} else {
			type = H5Tcopy(column->type == COLUMN_REAL ? H5T_IEEE_F64LE : H5T_STD_I64LE);
		}
		H5Tinsert(row, column->name, offset, type);
		H5Tclose(type);
		offset += bytes;
	}
	assert(offset == row_bytes);
	return row;
}

/* Contiguous, given its place in the file at once (so that it does not depend on which table fills
 * its buffer first), never filled, and without the time of its making. */
static hid_t dataset_create(struct writer *writer, enum table_id table)
{
	hsize_t n_rows = writer->extents[table].n_rows;
	hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
	H5Pset_obj_track_times(properties, false);
	H5Pset_layout(properties, H5D_CONTIGUOUS);
	H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
	H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER);
	hid_t space = H5Screate_simple(1, &n_rows, NULL);
	hid_t dataset = H5Dcreate2(writer->file, schema_name(&writer->schemas[table], table),
		writer->tables[table].type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
	if (dataset < 0) {
		return -1;
	}
	H5Sclose(space);
	H5Pclose(properties);
	return dataset;
}

/* What is said of each column: unit and help always, the rest where there is something to say. */
static bool write_column_texts(hid_t dataset, const struct table_schema *schema)
{
	bool written = true;
	for (size_t i = 0; i < schema->n_columns && written; i++) {
		const struct column *column = &schema->columns[i];
		const struct {
			const char *what, *text;
			bool always;
		} texts[] = {
			{"unit", column->unit, true},
			{"help", column->help, true},
			{"label", column->label, false},
			{"sort", column_sorts[column->sort], false},
			{"share_of", column->share_of, false},
			{"better", column->more_is_better ? "more" : "", false},
		};
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]) && written; k++) {
			const char *text = texts[k].text ? texts[k].text : "";
			if (texts[k].always || text[0] != '\0') {
				size_t bytes = strlen(texts[k].what) + strlen(column->name) + 2;
				char *name = memory_resize(NULL, bytes);
				snprintf(name, bytes, "%s.%s", texts[k].what, column->name);
				written = write_text(dataset, name, text);
				free(name);
			}
		}
	}
	return written;
}

static bool table_create(struct writer *writer, enum table_id table)
{
	const struct table_schema *schema = &writer->schemas[table];
	const size_t *widths = writer->extents[table].widths;
	struct table_writer *it = &writer->tables[table];
	for (size_t i = 0; i < schema->n_columns; i++) {
		it->row_bytes += column_bytes(&schema->columns[i], widths[i]);
	}
	it->type = row_type(schema, widths, it->row_bytes);
	it->dataset = dataset_create(writer, table);
	if (it->dataset < 0) {
		return false;
	}
	it->n_rows_max = it->row_bytes < BUFFER_BYTES ? BUFFER_BYTES / it->row_bytes : 1;
	if (it->n_rows_max > writer->extents[table].n_rows) {
		it->n_rows_max = writer->extents[table].n_rows;
	}
	it->rows = memory_resize(NULL, it->n_rows_max * it->row_bytes);
	return write_column_texts(it->dataset, schema);
}

static bool file_create(struct writer *writer, struct results_error *error)
{
	writer->sink.fd = place_create(writer->path, SEAL_MAGIC, SEAL_MAGIC_BYTES, error);
	if (writer->sink.fd < 0) {
		return false;
	}
	int failed = seal_begin(writer->sink.fd);
	if (failed) {
		return results_fail(error, "cannot write %s: %s", writer->path, results_cause(failed));
	}
	hid_t creation = H5Pcreate(H5P_FILE_CREATE);
	H5Pset_obj_track_times(creation, false);
	H5Pset_userblock(creation, SEAL_BYTES);
	writer->file = sink_create_file(&writer->sink, writer->path, creation);
	H5Pclose(creation);
	return writer->file >= 0 || h5_fail(error, "create", writer->path);
}

struct writer *writer_create(const char *path, const struct results_header *header,
	const struct table_schema schemas[TABLES_MAX], const struct table_extent extents[TABLES_MAX],
	struct results_error *error)
{
	h5_quiet();
	struct writer *writer = memory_zeroed(1, sizeof(*writer));
	writer->path = memory_copy_text(path);
	writer->schemas = schemas;
	writer->extents = extents;
	writer->file = -1;
	writer->sink.fd = -1;
	for (int i = 0; i < TABLES_MAX; i++) {
		writer->tables[i].type = writer->tables[i].dataset = -1;
	}
	bool created = file_create(writer, error);
	if (created && !write_header(writer, header)) {
		created = h5_fail(error, "write", path);
	}
	for (int i = 0; i < TABLES_MAX && created; i++) {
		if (schemas[i].n_columns > 0 && !table_create(writer, i)) {
			created = h5_fail(error, "write", path);
		}
	}
	if (!created) {
		writer_close(writer, false, error);
		return NULL;
	}
	return writer;
}

/* The system's errors, which the sink keeps from HDF5. */
static bool sink_is_sound(const struct writer *writer, struct results_error *error)
{
	return !writer->sink.error ||
		   results_fail(error, "cannot write %s: %s", writer->path, results_cause(writer->sink.error));
}

static bool table_flush(struct writer *writer, enum table_id table, struct results_error *error)
{
	struct table_writer *it = &writer->tables[table];
	if (it->n_rows == 0) {
		return true;
	}
	hsize_t start = it->n_written, count = it->n_rows;
	hid_t memory = H5Screate_simple(1, &count, NULL);
	hid_t place = H5Dget_space(it->dataset);
	H5Sselect_hyperslab(place, H5S_SELECT_SET, &start, NULL, &count, NULL);
	bool written = H5Dwrite(it->dataset, it->type, memory, place, H5P_DEFAULT, it->rows) >= 0;
	if (!written) {
		h5_fail(error, "write", writer->path);
	}
	H5Sclose(place);
	H5Sclose(memory);
	it->n_written += it->n_rows;
	it->n_rows = 0;
	return written && sink_is_sound(writer, error);
}

static void row_pack(unsigned char *out, const struct table_schema *schema, const size_t *widths,
	const struct block *block, size_t row)
{
	const uint64_t *cells = block->cells + row * schema->n_columns;
	for (size_t i = 0; i < schema->n_columns; i++) {
		if (schema->columns[i].type != COLUMN_STRING) {
			memcpy(out, &cells[i], 8);
			out += 8;
			continue;
		}
		const char *text = block->text + cells[i];
		size_t bytes = column_bytes(&schema->columns[i], widths[i]), length = strlen(text);
		assert(length <= bytes);
		memcpy(out, text, length);
		memset(out + length, 0, bytes - length);
		out += bytes;
	}
}

bool writer_append(struct writer *writer, enum table_id table, const struct block *block,
	struct results_error *error)
{
	struct table_writer *it = &writer->tables[table];
	const struct table_schema *schema = &writer->schemas[table];
	for (size_t row = 0; row < block->n_rows; row++) {
		assert(it->n_written + it->n_rows < writer->extents[table].n_rows);
		row_pack(it->rows + it->n_rows * it->row_bytes, schema, writer->extents[table].widths,
			block, row);
		it->n_rows++;
		if (it->n_rows == it->n_rows_max && !table_flush(writer, table, error)) {
			return false;
		}
	}
	return true;
}

bool writer_close(struct writer *writer, bool whole, struct results_error *error)
{
	bool written = whole;
	for (int i = 0; i < TABLES_MAX; i++) {
		struct table_writer *it = &writer->tables[i];
		if (written && it->dataset >= 0) {
			written = table_flush(writer, i, error);
			assert(it->n_written == writer->extents[i].n_rows);
		}
		if (it->dataset >= 0) {
			H5Dclose(it->dataset);
		}
		if (it->type >= 0) {
			H5Tclose(it->type);
		}
		free(it->rows);
	}
	if (writer->sink.fd >= 0 && sink_close_file(&writer->sink, writer->file) < 0 && written) {
		written = h5_fail(error, "write", writer->path);
	}
	written = written && sink_is_sound(writer, error);
	int failed = written ? seal_finish(writer->sink.fd) : 0;
	if (written && !failed && fsync(writer->sink.fd) != 0) {
		failed = errno;
	}
	if (failed) {
		written = results_fail(error, "cannot write %s: %s", writer->path, results_cause(failed));
	}
	if (writer->sink.fd >= 0) {
		close(writer->sink.fd);
		if (!written) {
			unlink(writer->path); /* of no use to anybody */
		}
	}
	free(writer->path);
	free(writer);
	return written;
}
