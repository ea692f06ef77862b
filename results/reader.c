#include "reader.h"

#include "format_1.h"
#include "h5.h"
#include "memory.h"
#include "copies.h"
#include "seal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Rows are read from the file through a buffer of about this size. */
#define BUFFER_BYTES ((size_t)4 << 20)

/* How a string lies in a row that was read. */
enum string_form {
	STRING_NONE,  /* a number */
	STRING_NUL,   /* a field of fixed width, ended by NUL or by its width */
	STRING_SPACE, /* a field of fixed width, filled up with spaces */
	STRING_POINTER,
};

struct field {
	size_t offset, bytes;
	enum string_form form;
};

struct table_reader {
	bool present;
	hid_t dataset, type; /* the type of a row in memory */
	size_t row_bytes, field_bytes_max;
	bool has_pointers;
	struct table_schema schema;
	struct field *fields;
	uint64_t n_rows;
	bool loaded;
	struct block block; /* the whole table, once it was asked for */
};

struct results_file {
	char *path;
	hid_t file;
	int version; /* of the format */
	struct results_header header;
	struct table_reader tables[TABLES_MAX];
};

/* --- Texts and numbers --- */

typedef herr_t read_value(hid_t object, hid_t type, void *value);

static herr_t read_attribute(hid_t attribute, hid_t type, void *value)
{
	return H5Aread(attribute, type, value);
}

static herr_t read_dataset(hid_t dataset, hid_t type, void *value)
{
	return H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value);
}

/* The text of one string of type `type`, or NULL; the caller frees it. */
static char *read_string(hid_t object, hid_t type, hid_t space, read_value *read)
{
	if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) {
		return NULL;
	}
	/* HDF5 does not convert between character sets; ASCII is UTF-8 anyhow. */
	hid_t memory = H5Tcopy(H5T_C_S1);
	H5Tset_cset(memory, H5Tget_cset(type));
	char *text = NULL;
	if (H5Tis_variable_str(type) > 0) {
		char *pointer = NULL;
		H5Tset_size(memory, H5T_VARIABLE);
		if (read(object, memory, &pointer) >= 0) {
			text = memory_copy_text(pointer ? pointer : "");
			H5free_memory(pointer);
		}
	} else {
		size_t bytes = H5Tget_size(type) + 1;
		H5Tset_size(memory, bytes);
		text = memory_zeroed(bytes, 1);
		if (read(object, memory, text) < 0) {
			free(text);
			text = NULL;
		}
	}
	H5Tclose(memory);
	return text;
}

/* The text of a scalar string attribute, or NULL; the caller frees it. */
static char *read_text(hid_t object, const char *name)
{
	if (H5Aexists(object, name) <= 0) {
		return NULL;
	}
	hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
	hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
	char *text = read_string(attribute, type, space, read_attribute);
	H5Sclose(space);
	H5Tclose(type);
	H5Aclose(attribute);
	return text;
}

/* The scenario: a dataset, in format 1 an attribute. */
static char *read_scenario(const struct results_file *file)
{
	if (file->version == 1) {
		return read_text(file->file, SCENARIO_DATASET);
	}
	if (H5Lexists(file->file, SCENARIO_DATASET, H5P_DEFAULT) <= 0) {
		return NULL;
	}
	hid_t dataset = H5Dopen2(file->file, SCENARIO_DATASET, H5P_DEFAULT);
	hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
	char *text = read_string(dataset, type, space, read_dataset);
	H5Sclose(space);
	H5Tclose(type);
	H5Dclose(dataset);
	return text;
}

/* A scalar integer attribute, read as `type`. */
static bool read_integer(hid_t object, const char *name, hid_t type, void *value)
{
	if (H5Aexists(object, name) <= 0) {
		return false;
	}
	hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
	hid_t stored = H5Aget_type(attribute);
	hid_t space = H5Aget_space(attribute);
	bool found = H5Tget_class(stored) == H5T_INTEGER && H5Sget_simple_extent_npoints(space) == 1 &&
				 H5Aread(attribute, type, value) >= 0;
	H5Sclose(space);
	H5Tclose(stored);
	H5Aclose(attribute);
	return found;
}

static bool lacks(
	const struct results_file *file, const char *attribute, struct results_error *error)
{
	return results_fail(error, "cannot read %s: it is not a synod result: it has no `%s`",
		file->path, attribute);
}

static bool read_header(struct results_file *file, struct results_error *error)
{
	char *format = read_text(file->file, "format");
	if (!format) {
		return lacks(file, "format", error);
	}
	bool known = strcmp(format, RESULTS_FORMAT) == 0;
	if (!known) {
		results_fail(error, "cannot read %s: its format is \"%.80s\", not \"%s\"", file->path,
			format, RESULTS_FORMAT);
	}
	free(format);
	if (!known) {
		return false;
	}
	int64_t format_version;
	if (!read_integer(file->file, "format_version", H5T_NATIVE_INT64, &format_version)) {
		return lacks(file, "format_version", error);
	}
	if (format_version != file->version) {
		return results_fail(error,
			"cannot read %s: it has version %" PRId64 " of the format%s", file->path, format_version,
			format_version == RESULTS_FORMAT_VERSION
				? ", but not the digest that belongs to it: something else than synod has written it"
				: "; this synod reads versions 1 and 2");
	}
	struct results_header *header = &file->header;
	if (!(header->scenario = read_scenario(file))) {
		return lacks(file, "scenario", error);
	}
	if (!(header->synod_version = read_text(file->file, "synod_version"))) {
		return lacks(file, "synod_version", error);
	}
	if (!(header->source = read_text(file->file, "source"))) {
		return lacks(file, "source", error);
	}
	if (!read_integer(file->file, "seed", H5T_NATIVE_UINT64, &header->seed)) {
		return lacks(file, "seed", error);
	}
	return true;
}

/* --- Schemas --- */

static char *column_attribute(hid_t dataset, const char *kind, const char *column)
{
	size_t bytes = strlen(kind) + strlen(column) + 2;
	char *name = memory_resize(NULL, bytes);
	snprintf(name, bytes, "%s.%s", kind, column);
	char *text = read_text(dataset, name);
	free(name);
	return text ? text : memory_copy_text("");
}

/* What the file says of a column; files of before say nothing of label and sort. */
static void read_column_texts(hid_t dataset, const char *name, struct column *column)
{
	column->name = memory_copy_text(name);
	column->unit = column_attribute(dataset, "unit", name);
	column->help = column_attribute(dataset, "help", name);
	column->label = column_attribute(dataset, "label", name);
	column->share_of = column_attribute(dataset, "share_of", name);
	char *sort = column_attribute(dataset, "sort", name), *better = column_attribute(dataset, "better", name);
	for (unsigned i = 0; i < SORT_N; i++) {
		column->sort = strcmp(sort, column_sorts[i]) == 0 ? i : column->sort;
	}
	column->more_is_better = strcmp(better, "more") == 0;
	free(sort);
	free(better);
}

/* Chooses how a member of the file's row type is read; the type to read it as, or -1 where the
 * format has no such column. */
static hid_t member_type(hid_t stored, struct column *column, struct field *field)
{
	switch (H5Tget_class(stored)) {
	case H5T_FLOAT:
		column->type = COLUMN_REAL;
		return H5Tcopy(H5T_IEEE_F64LE);
	case H5T_INTEGER:
		column->type = COLUMN_INT;
		return H5Tcopy(H5T_STD_I64LE);
	case H5T_STRING:
		column->type = COLUMN_STRING;
		if (H5Tis_variable_str(stored) > 0) {
			field->form = STRING_POINTER;
		} else {
			field->form = H5Tget_strpad(stored) == H5T_STR_SPACEPAD ? STRING_SPACE : STRING_NUL;
		}
		return H5Tcopy(stored);
	default:
		return -1;
	}
}

static bool read_columns(
	struct results_file *file, enum table_id table, hid_t stored, struct results_error *error)
{
	struct table_reader *it = &file->tables[table];
	int n = H5Tget_nmembers(stored);
	struct column *columns = memory_zeroed((size_t)n, sizeof(*columns));
	it->schema.columns = columns;
	it->fields = memory_zeroed((size_t)n, sizeof(*it->fields));
	hid_t *types = memory_zeroed((size_t)n, sizeof(*types));
	bool known = true;
	for (int i = 0; i < n && known; i++) {
		char *name = H5Tget_member_name(stored, (unsigned)i);
		hid_t member = H5Tget_member_type(stored, (unsigned)i);
		types[i] = member_type(member, &columns[i], &it->fields[i]);
		known = types[i] >= 0;
		if (known) {
			read_column_texts(it->dataset, name, &columns[i]);
			it->schema.n_columns++;
			it->fields[i].offset = it->row_bytes;
			it->fields[i].bytes = H5Tget_size(types[i]);
			it->row_bytes += it->fields[i].bytes;
			it->has_pointers |= it->fields[i].form == STRING_POINTER;
			if (it->fields[i].bytes > it->field_bytes_max) {
				it->field_bytes_max = it->fields[i].bytes;
			}
		} else {
			results_fail(error,
				"cannot read %s: column `%s` of /%s is neither a number nor a string", file->path,
				name, schema_name(&it->schema, table));
		}
		H5Tclose(member);
		H5free_memory(name);
	}
	if (known) {
		it->type = H5Tcreate(H5T_COMPOUND, it->row_bytes);
	}
	for (size_t i = 0; i < it->schema.n_columns; i++) {
		if (known) {
			H5Tinsert(it->type, columns[i].name, it->fields[i].offset, types[i]);
		}
		H5Tclose(types[i]);
	}
	free(types);
	return known;
}

static bool open_table(struct results_file *file, enum table_id table, struct results_error *error)
{
	struct table_reader *it = &file->tables[table];
	const char *name = schema_name(&it->schema, table);
	if (name == NULL || H5Lexists(file->file, name, H5P_DEFAULT) <= 0) {
		return true;
	}
	it->dataset = H5Dopen2(file->file, name, H5P_DEFAULT);
	if (it->dataset < 0) {
		return h5_fail(error, "read", file->path);
	}
	it->present = true;
	hid_t stored = H5Dget_type(it->dataset);
	hid_t space = H5Dget_space(it->dataset);
	bool opened;
	if (H5Tget_class(stored) != H5T_COMPOUND || H5Sget_simple_extent_ndims(space) != 1) {
		opened = results_fail(error, "cannot read %s: /%s is not a table (one dimension of rows)",
			file->path, name);
	} else {
		it->n_rows = (uint64_t)H5Sget_simple_extent_npoints(space);
		opened = read_columns(file, table, stored, error);
	}
	H5Sclose(space);
	H5Tclose(stored);
	return opened;
}

/* A table that an application has brought takes the next free number. */
static herr_t find_brought(hid_t root, const char *name, const H5L_info_t *info, void *context)
{
	struct results_file *file = context;
	if (table_find(name) == TABLE_N && strcmp(name, SCENARIO_DATASET) != 0) {
		enum table_id table = TABLE_N;
		while (table < TABLES_MAX && file->tables[table].schema.name != NULL) {
			table++;
		}
		if (table < TABLES_MAX) {
			file->tables[table].schema.name = memory_copy_text(name);
		}
	}
	return 0;
}

/* --- Opening --- */

/* The system's own errors first: they are clearer than what HDF5 makes of them. Then the seal, before HDF5
 * sees a byte. */
static enum seal_found check_file(const char *path, struct results_error *error)
{
	struct stat status;
	/* O_NONBLOCK: a pipe is opened to be refused, not to wait for its writer. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		int cause = errno;
		char journal[4096];
		int n = snprintf(journal, sizeof(journal), "%s.journal", path);
		bool begun = cause == ENOENT && n > 0 && (size_t)n < sizeof(journal) && access(journal, F_OK) == 0;
		results_fail(error, "cannot read %s: %s%s", path, results_cause(cause),
			begun ? "; its runs so far are in the journal beside it: the command that began it goes on" : "");
		return SEAL_BAD;
	}
	enum seal_found found = SEAL_BAD;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		results_fail(error, "cannot read %s: it is %s", path,
			S_ISDIR(status.st_mode) ? "a folder" : "not a plain file");
	} else {
		found = seal_check(fd, path, error);
	}
	close(fd);
	return found;
}

static bool open_file(struct results_file *file, const char *path, struct results_error *error)
{
	hid_t access = H5Pcreate(H5P_FILE_ACCESS);
	H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
	/* A result never changes under its name; and there are file systems without locks. */
	H5Pset_file_locking(access, false, true);
#endif
	file->file = H5Fopen(path, H5F_ACC_RDONLY, access);
	if (file->file < 0) {
		h5_fail(error, "read", file->path);
		H5Pclose(access);
		return false;
	}
	H5Pclose(access);
	bool opened = read_header(file, error);
	if (opened && file->version > 1) {
		H5Literate(file->file, H5_INDEX_NAME, H5_ITER_INC, NULL, find_brought, file);
	}
	for (int i = 0; i < TABLES_MAX && opened; i++) {
		opened = open_table(file, i, error);
	}
	return opened;
}

struct results_file *reader_open(
	const char *path, const char *name, int version, struct results_error *error)
{
	h5_quiet();
	struct results_file *file = memory_zeroed(1, sizeof(*file));
	file->path = memory_copy_text(name);
	file->version = version;
	file->file = -1;
	for (int i = 0; i < TABLES_MAX; i++) {
		file->tables[i].dataset = file->tables[i].type = -1;
	}
	if (!open_file(file, path, error)) {
		results_close(file);
		return NULL;
	}
	return file;
}

struct results_file *results_open(const char *path, struct results_error *error)
{
	error->text[0] = '\0';
	switch (check_file(path, error)) {
	case SEAL_BAD:
		return NULL;
	case SEAL_ABSENT:
		return format_1_open(path, error);
	case SEAL_GOOD:
		break;
	}
	return reader_open(path, path, RESULTS_FORMAT_VERSION, error);
}

void results_close(struct results_file *file)
{
	if (!file) {
		return;
	}
	for (int i = 0; i < TABLES_MAX; i++) {
		struct table_reader *it = &file->tables[i];
		if (it->dataset >= 0) {
			H5Dclose(it->dataset);
		}
		if (it->type >= 0) {
			H5Tclose(it->type);
		}
		block_finish(&it->block);
		schema_finish(&it->schema);
		free(it->fields);
	}
	if (file->file >= 0) {
		H5Fclose(file->file);
	}
	header_finish(&file->header);
	free(file->path);
	free(file);
}

const struct results_header *results_header(const struct results_file *file)
{
	return &file->header;
}

void reader_set_version(struct results_file *file, int version)
{
	file->version = version;
}

int results_version(const struct results_file *file)
{
	return file->version;
}

const char *results_path(const struct results_file *file)
{
	return file->path;
}

const struct table_schema *results_schema(const struct results_file *file, enum table_id table)
{
	return file->tables[table].present ? &file->tables[table].schema : NULL;
}

enum table_id results_find_table(const struct results_file *file, const char *name)
{
	enum table_id table = table_find(name);
	if (table == TABLE_N) {
		while (table < TABLES_MAX &&
			(!file->tables[table].present || strcmp(file->tables[table].schema.name, name) != 0)) {
			table++;
		}
	}
	return table;
}

uint64_t results_n_rows(const struct results_file *file, enum table_id table)
{
	return file->tables[table].n_rows;
}

/* --- Rows --- */

/* An integer that does not fit in 64 bits with a sign is an error, never a clamped value. */
static H5T_conv_ret_t refuse_overflow(
	H5T_conv_except_t what, hid_t from, hid_t to, void *from_value, void *to_value, void *nothing)
{
	bool overflow = what == H5T_CONV_EXCEPT_RANGE_HI || what == H5T_CONV_EXCEPT_RANGE_LOW;
	return overflow ? H5T_CONV_ABORT : H5T_CONV_UNHANDLED;
}

static const char *unpack_string(const struct field *field, const unsigned char *at, char *buffer)
{
	if (field->form == STRING_POINTER) {
		const char *pointer;
		memcpy(&pointer, at, sizeof(pointer));
		return pointer;
	}
	size_t length = strnlen((const char *)at, field->bytes);
	while (field->form == STRING_SPACE && length > 0 && at[length - 1] == ' ') {
		length--;
	}
	memcpy(buffer, at, length);
	buffer[length] = '\0';
	return buffer;
}

static void unpack_rows(
	const struct table_reader *it, const unsigned char *rows, size_t n_rows, struct block *block)
{
	size_t n = it->schema.n_columns;
	union cell *cells = memory_zeroed(n, sizeof(*cells));
	size_t bytes = it->field_bytes_max + 1;
	char *texts = memory_zeroed(n, bytes);
	for (size_t row = 0; row < n_rows; row++, rows += it->row_bytes) {
		for (size_t i = 0; i < n; i++) {
			const unsigned char *at = rows + it->fields[i].offset;
			if (it->fields[i].form == STRING_NONE) {
				memcpy(&cells[i], at, 8);
			} else {
				cells[i].string = unpack_string(&it->fields[i], at, texts + i * bytes);
			}
		}
		block_append(block, &it->schema, cells);
	}
	free(texts);
	free(cells);
}

static bool read_rows(struct results_file *file, struct table_reader *it, uint64_t first,
	size_t n_rows, unsigned char *rows, struct block *block, struct results_error *error)
{
	hsize_t start = first, count = n_rows;
	hid_t memory = H5Screate_simple(1, &count, NULL);
	hid_t place = H5Dget_space(it->dataset);
	H5Sselect_hyperslab(place, H5S_SELECT_SET, &start, NULL, &count, NULL);
	hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
	H5Pset_type_conv_cb(transfer, refuse_overflow, NULL);
	bool read = H5Dread(it->dataset, it->type, memory, place, transfer, rows) >= 0;
	if (read) {
		unpack_rows(it, rows, n_rows, block);
		if (it->has_pointers) {
			H5Dvlen_reclaim(it->type, memory, H5P_DEFAULT, rows);
		}
	} else {
		h5_fail(error, "read", file->path);
	}
	H5Pclose(transfer);
	H5Sclose(place);
	H5Sclose(memory);
	return read;
}

bool results_read(struct results_file *file, enum table_id table, uint64_t first, size_t n_rows,
	struct block *block, struct results_error *error)
{
	struct table_reader *it = &file->tables[table];
	assert(it->present);
	assert(first <= it->n_rows && n_rows <= it->n_rows - first);
	block->n_rows = block->n_cells = block->text_bytes = 0;
	size_t portion = BUFFER_BYTES / it->row_bytes;
	portion = portion < 1 ? 1 : portion > n_rows ? n_rows : portion;
	unsigned char *rows = memory_zeroed(portion, it->row_bytes);
	bool read = true;
	while (n_rows > 0 && read) {
		size_t n = n_rows < portion ? n_rows : portion;
		read = read_rows(file, it, first, n, rows, block, error);
		first += n;
		n_rows -= n;
	}
	free(rows);
	return read;
}

const struct block *results_table(struct results_file *file, enum table_id table,
	const struct table_schema **schema, struct results_error *error)
{
	struct table_reader *it = &file->tables[table];
	error->text[0] = '\0';
	if (schema) {
		*schema = results_schema(file, table);
	}
	if (!it->present) {
		return NULL;
	}
	if (!it->loaded) {
		it->loaded = results_read(file, table, 0, it->n_rows, &it->block, error);
	}
	return it->loaded ? &it->block : NULL;
}
