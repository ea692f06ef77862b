#include "fixture.h"

#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

static void assert_refused(const char *path, const char *part)
{
	struct results_error error;
	assert_null(results_open(path, &error));
	if (!strstr(error.text, part) || !strstr(error.text, path)) {
		fail_msg("\"%s\" does not say \"%s\" and the path", error.text, part);
	}
}

static struct results_file *must_read(const char *path)
{
	struct results_error error;
	struct results_file *file = results_open(path, &error);
	if (!file) {
		fail_msg("%s", error.text);
	}
	return file;
}

static void what_was_written_comes_back(void **state)
{
	const char *path = in_folder(state, "x.h5");
	must_write(path);
	struct results_file *file = must_read(path);
	const struct results_header *header = results_header(file);
	assert_string_equal(header->scenario, fixture_header.scenario);
	assert_string_equal(header->synod_version, fixture_header.synod_version);
	assert_string_equal(header->source, fixture_header.source);
	assert_true(header->seed == fixture_header.seed);
	for (int table = 0; table < TABLES_MAX; table++) {
		struct results_error error;
		const struct table_schema *schema, *expected = &fixture_schemas[table];
		const struct block *block = results_table(file, table, &schema, &error);
		if (expected->n_columns == 0) {
			assert_null(block);
			assert_string_equal(error.text, "");
			continue;
		}
		assert_non_null(block);
		assert_int_equal(schema->n_columns, expected->n_columns);
		for (size_t i = 0; i < expected->n_columns; i++) {
			assert_string_equal(schema->columns[i].name, expected->columns[i].name);
			assert_string_equal(schema->columns[i].unit, expected->columns[i].unit);
			assert_string_equal(schema->columns[i].help, expected->columns[i].help);
			assert_int_equal(schema->columns[i].type, expected->columns[i].type);
			const char *label = expected->columns[i].label, *of = expected->columns[i].share_of;
			assert_string_equal(schema->columns[i].label, label == NULL ? "" : label);
			assert_string_equal(schema->columns[i].share_of, of == NULL ? "" : of);
			assert_int_equal(schema->columns[i].sort, expected->columns[i].sort);
			assert_int_equal(schema->columns[i].more_is_better, expected->columns[i].more_is_better);
		}
		size_t row = 0;
		for (uint64_t run = 0; run < FIXTURE_RUNS; run++) {
			struct run_blocks blocks = fixture_run(run);
			const struct block *from = &blocks.tables[table];
			for (size_t i = 0; i < from->n_rows; i++, row++) {
				for (size_t j = 0; j < expected->n_columns; j++) {
					union cell a = block_get(from, expected, i, j);
					union cell b = block_get(block, schema, row, j);
					if (expected->columns[j].type == COLUMN_STRING) {
						assert_string_equal(a.string, b.string);
					} else {
						assert_true(a.integer == b.integer);
					}
				}
			}
			run_blocks_finish(&blocks);
		}
		assert_int_equal(block->n_rows, row);
		assert_ptr_equal(results_table(file, table, NULL, &error), block);
	}
	results_close(file);
}

static void a_long_scenario_and_no_rows_are_possible(void **state)
{
	const char *path = in_folder(state, "x.h5");
	char *scenario = malloc(1000001);
	memset(scenario, 'x', 1000000);
	scenario[1000000] = '\0';
	struct results_header header = fixture_header;
	header.scenario = scenario;
	header.source = "";
	struct results_error error;
	struct journal *journal = journal_open(path, &header, fixture_schemas, 0, false, &error);
	assert_non_null(journal);
	must_complete(journal);
	struct results_file *file = must_read(path);
	assert_string_equal(results_header(file)->scenario, scenario);
	assert_string_equal(results_header(file)->source, "");
	const struct block *block = results_table(file, TABLE_DECISIONS, NULL, &error);
	assert_non_null(block);
	assert_int_equal(block->n_rows, 0);
	results_close(file);
	free(scenario);
}

/* A time would make two runs of one scenario differ, but only when they fall into different
 * seconds. */
static void nothing_has_a_time(void **state)
{
	const char *path = in_folder(state, "x.h5");
	must_write(path);
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
	const char *const names[] = {"/", "/runs", "/decisions"};
	for (size_t i = 0; i < 3; i++) {
		H5O_info_t info;
		assert_true(H5Oget_info_by_name1(file, names[i], &info, H5P_DEFAULT) >= 0);
		assert_int_equal(info.atime, 0);
		assert_int_equal(info.mtime, 0);
		assert_int_equal(info.ctime, 0);
		assert_int_equal(info.btime, 0);
	}
	H5Fclose(file);
	/* The root's is not told by that call: so no four bytes may be the present in seconds. */
	size_t n_bytes;
	unsigned char *bytes = read_bytes(path, &n_bytes);
	for (size_t at = 0; at + 4 <= n_bytes; at++) {
		uint32_t word;
		memcpy(&word, bytes + at, sizeof(word));
		assert_false(llabs((long long)word - (long long)time(NULL)) < 10);
	}
	free(bytes);
}

static void h5dump_reads_it(void **state)
{
	if (system("command -v h5dump >/dev/null 2>&1") != 0) {
		skip();
	}
	const char *path = in_folder(state, "x.h5");
	must_write(path);
	char command[600];
	snprintf(command, sizeof(command), "h5dump -m %%.17g %s 2>&1", path);
	FILE *pipe = popen(command, "r");
	char *text = malloc(1 << 20);
	size_t n = fread(text, 1, (1 << 20) - 1, pipe);
	text[n] = '\0';
	assert_int_equal(pclose(pipe), 0);
	assert_non_null(strstr(text, "synod-results"));
	assert_non_null(strstr(text, "unit.latency_mean_s"));
	assert_non_null(strstr(text, "0.33333333333333331")); /* run 0's latency */
	assert_non_null(strstr(text, "H5T_STD_I64LE \"item\""));
	assert_non_null(strstr(text, "DATASET \"decisions\""));
	assert_null(strstr(text, "DATASET \"series\"")); /* not recorded */
	free(text);
}

/* --- Files by other hands --- */

static void text_attribute(hid_t object, const char *name, const char *text)
{
	hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
	H5Tset_size(type, strlen(text) + 1);
	hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
	H5Awrite(attribute, type, text);
	H5Aclose(attribute);
	H5Sclose(space);
	H5Tclose(type);
}

static void integer_attribute(hid_t object, const char *name, int64_t value)
{
	hid_t space = H5Screate(H5S_SCALAR);
	hid_t attribute = H5Acreate2(object, name, H5T_STD_I64BE, space, H5P_DEFAULT, H5P_DEFAULT);
	H5Awrite(attribute, H5T_NATIVE_INT64, &value);
	H5Aclose(attribute);
	H5Sclose(space);
}

static hid_t foreign_file(const char *path, const char *format, int64_t version)
{
	hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
	text_attribute(file, "format", format);
	integer_attribute(file, "format_version", version);
	text_attribute(file, "synod_version", "0.9");
	text_attribute(file, "source", "elsewhere");
	text_attribute(file, "scenario", "title: x\n");
	integer_attribute(file, "seed", 42);
	return file;
}

struct foreign_row {
	int32_t run;
	uint64_t big;
	float value;
	char wide[9], spaces[6];
	const char *pointer;
};

static void foreign_table(hid_t file, const struct foreign_row rows[2])
{
	hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct foreign_row));
	hid_t wide = H5Tcopy(H5T_C_S1), spaces = H5Tcopy(H5T_C_S1), pointer = H5Tcopy(H5T_C_S1);
	H5Tset_size(wide, 9);
	H5Tset_strpad(wide, H5T_STR_NULLPAD);
	H5Tset_size(spaces, 6);
	H5Tset_strpad(spaces, H5T_STR_SPACEPAD);
	H5Tset_size(pointer, H5T_VARIABLE);
	H5Tset_cset(pointer, H5T_CSET_UTF8);
	H5Tinsert(type, "run", offsetof(struct foreign_row, run), H5T_NATIVE_INT32);
	H5Tinsert(type, "big", offsetof(struct foreign_row, big), H5T_NATIVE_UINT64);
	H5Tinsert(type, "value", offsetof(struct foreign_row, value), H5T_NATIVE_FLOAT);
	H5Tinsert(type, "wide", offsetof(struct foreign_row, wide), wide);
	H5Tinsert(type, "spaces", offsetof(struct foreign_row, spaces), spaces);
	H5Tinsert(type, "pointer", offsetof(struct foreign_row, pointer), pointer);
	hid_t space = H5Screate_simple(1, &(hsize_t){2}, NULL);
	hid_t dataset = H5Dcreate2(file, "runs", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	assert_true(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows) >= 0);
	H5Dclose(dataset);
	H5Sclose(space);
	H5Tclose(pointer);
	H5Tclose(spaces);
	H5Tclose(wide);
	H5Tclose(type);
}

static void files_of_other_writers_are_read(void **state)
{
	const char *path = in_folder(state, "foreign.h5");
	hid_t made = foreign_file(path, "synod-results", 1);
	foreign_table(made, (struct foreign_row[]){
							{-1, 7, 0.5f, "123456789", "ab    ", "\xc3\xa9t\xc3\xa9"},
							{2, INT64_MAX, (float)NAN, "x", "      ", ""},
						});
	H5Fclose(made);
	struct results_file *file = must_read(path);
	assert_string_equal(results_header(file)->source, "elsewhere");
	assert_true(results_header(file)->seed == 42);
	struct results_error error;
	const struct table_schema *schema;
	const struct block *block = results_table(file, TABLE_RUNS, &schema, &error);
	assert_non_null(block);
	assert_int_equal(schema->n_columns, 6);
	assert_string_equal(schema->columns[0].unit, "");
	assert_string_equal(schema->columns[0].label, ""); /* it says none, as files of before */
	assert_int_equal(schema->columns[0].sort, SORT_NONE);
	assert_true(block_get(block, schema, 0, 0).integer == -1);
	assert_true(block_get(block, schema, 1, 1).integer == INT64_MAX);
	assert_true(block_get(block, schema, 0, 2).real == 0.5);
	assert_true(block->cells[6 + 2] == UINT64_C(0x7ff8000000000000));
	assert_string_equal(block_get(block, schema, 0, 3).string, "123456789");
	assert_string_equal(block_get(block, schema, 0, 4).string, "ab");
	assert_string_equal(block_get(block, schema, 1, 4).string, "");
	assert_string_equal(block_get(block, schema, 0, 5).string, "\xc3\xa9t\xc3\xa9");
	assert_string_equal(block_get(block, schema, 1, 5).string, "");
	results_close(file);
}

/* A number that a cell can't hold is an error, never another number. */
static void an_integer_too_large_is_refused(void **state)
{
	const char *path = in_folder(state, "foreign.h5");
	hid_t made = foreign_file(path, "synod-results", 1);
	foreign_table(made, (struct foreign_row[]){
							{0, UINT64_MAX, 0, "", "", ""},
							{0, 0, 0, "", "", ""},
						});
	H5Fclose(made);
	assert_refused(path, "cannot read");
}

static void what_is_no_result_is_refused(void **state)
{
	assert_refused(in_folder(state, "absent.h5"), "No such file");
	assert_refused(in_folder(state, ""), "it is a folder");
	assert_refused("/dev/null", "not a plain file");
	const char *path = in_folder(state, "x.h5");
	write_bytes(path, "", 0);
	assert_refused(path, "not a synod result");
	write_bytes(path, "run,item\n1,2\n", 13);
	assert_refused(path, "not a synod result");
	H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
	assert_refused(path, "has no `format`");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(path, "not a plain file");
	assert_int_equal(unlink(path), 0);
	H5Fclose(foreign_file(path, "other-results", 1));
	assert_refused(path, "\"other-results\"");
	H5Fclose(foreign_file(path, "synod-results", 2));
	assert_refused(path, "version 2 of the format, but not the digest");
	H5Fclose(foreign_file(path, "synod-results", 3));
	assert_refused(path, "version 3 of the format");
	write_bytes(path, "synod-results 3\nwho knows", 25);
	assert_refused(path, "version 3 of the format");
	hid_t made = foreign_file(path, "synod-results", 1);
	H5Gclose(H5Gcreate2(made, "runs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
	H5Fclose(made);
	assert_refused(path, "cannot read");
}

/* --- Damage --- */

/* A file cut off anywhere, or with one bit flipped anywhere, is refused in a sentence that names it. */
static void damage_is_refused(void **state)
{
	const char *path = in_folder(state, "x.h5");
	must_write(path);
	size_t n_bytes;
	unsigned char *bytes = read_bytes(path, &n_bytes);
	for (size_t cut = 0; cut < n_bytes; cut += cut < 600 ? 37 : 503) {
		write_bytes(path, bytes, cut);
		assert_refused(path, cut >= 16 ? "damaged" : "cannot read");
	}
	for (size_t i = 0; i < 1000; i++) {
		/* Every bit of the seal's text at least once in eight, then all over the file. */
		size_t bit = i < 300 ? i * 7 : (i * 2654435761u) % (n_bytes * 8);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		write_bytes(path, bytes, n_bytes);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_refused(path, "cannot read");
	}
	unsigned char *longer = malloc(n_bytes + 1);
	memcpy(longer, bytes, n_bytes);
	longer[n_bytes] = 0;
	write_bytes(path, longer, n_bytes + 1);
	assert_refused(path, "damaged");
	write_bytes(path, bytes, n_bytes);
	results_close(must_read(path));
	free(longer);
	free(bytes);
}

/* The digest is one that a shell can take as well. */
static void the_seal_says_how_to_check_it(void **state)
{
	const char *path = in_folder(state, "x.h5");
	must_write(path);
	size_t n_bytes;
	unsigned char *bytes = read_bytes(path, &n_bytes);
	const char *digest = strstr((char *)bytes, "\nxxh3-128 ");
	char expected[64];
	assert_non_null(digest);
	snprintf(expected, sizeof(expected), "\nbytes %zu\n", n_bytes - 512);
	assert_non_null(strstr((char *)bytes, expected));
	XXH128_canonical_t canonical;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes + 512, n_bytes - 512));
	for (size_t i = 0; i < 16; i++) {
		snprintf(expected, sizeof(expected), "%02x", canonical.digest[i]);
		assert_memory_equal(digest + strlen("\nxxh3-128 ") + 2 * i, expected, 2);
	}
	free(bytes);
}

/* HDF5's own look at the file: no text of variable length, whose heap is what it dies of. */
static void nothing_has_a_variable_length(void **state)
{
	const char *path = in_folder(state, "x.h5");
	must_write(path);
	size_t n_bytes;
	unsigned char *bytes = read_bytes(path, &n_bytes);
	for (size_t at = 0; at + 4 <= n_bytes; at++) {
		assert_false(memcmp(bytes + at, "GCOL", 4) == 0);
	}
	free(bytes);
}

/* Format 1 has no digest and keeps its texts in the global heap. What kills HDF5 must not kill us; here each
 * length of an object in the heap is spoilt in turn. */
static void damage_to_format_1_kills_nobody(void **state)
{
	const char *path = in_folder(state, "old.h5");
	hid_t made = foreign_file(path, "synod-results", 1);
	foreign_table(made, (struct foreign_row[]){
							{-1, 7, 0.5f, "123456789", "ab    ", "a text of some length"},
							{2, 8, 0, "x", "      ", "and another one"},
						});
	H5Fclose(made);
	results_close(must_read(path));
	size_t n_bytes, at = 0;
	unsigned char *bytes = read_bytes(path, &n_bytes);
	while (at + 4 <= n_bytes && memcmp(bytes + at, "GCOL", 4) != 0) {
		at++;
	}
	assert_true(at + 100 < n_bytes);
	int n_refused = 0;
	for (size_t i = at * 8; i < (at + 64) * 8; i += 5) {
		bytes[i / 8] ^= (unsigned char)(1 << i % 8);
		write_bytes(path, bytes, n_bytes);
		bytes[i / 8] ^= (unsigned char)(1 << i % 8);
		struct results_error error;
		struct results_file *file = results_open(path, &error);
		if (file) {
			assert_non_null(results_table(file, TABLE_RUNS, NULL, &error));
			results_close(file);
		} else {
			assert_non_null(strstr(error.text, path));
			n_refused++;
		}
	}
	assert_true(n_refused > 0);
	free(bytes);
}

/* A sweep that was interrupted has no result yet, and a journal that goes on. */
static void an_unfinished_result_is_told_as_such(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "x.h5");
	assert_null(results_open(path, &error));
	assert_null(strstr(error.text, "journal"));
	struct journal *journal = must_open(path, false);
	must_append(journal, 0);
	journal_close(journal);
	assert_null(results_open(path, &error));
	assert_non_null(strstr(error.text, "its runs so far are in the journal beside it"));
}

int main(void)
{
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(an_unfinished_result_is_told_as_such),
		IN_FOLDER(what_was_written_comes_back),
		IN_FOLDER(a_long_scenario_and_no_rows_are_possible),
		IN_FOLDER(nothing_has_a_time),
		IN_FOLDER(h5dump_reads_it),
		IN_FOLDER(files_of_other_writers_are_read),
		IN_FOLDER(an_integer_too_large_is_refused),
		IN_FOLDER(what_is_no_result_is_refused),
		IN_FOLDER(damage_is_refused),
		IN_FOLDER(the_seal_says_how_to_check_it),
		IN_FOLDER(nothing_has_a_variable_length),
		IN_FOLDER(damage_to_format_1_kills_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
