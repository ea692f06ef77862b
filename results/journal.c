/* The journal of finished runs: a header, then one record a run (record.h) in the order of finishing.
 *
 * Whatever follows the last whole record, be it cut off by a kill or zeros after a loss of power, is dropped when
 * the journal is resumed. In memory: one offset a run, and what the writer must know in advance (rows, widths of
 * strings). */
#include "results/results.h"

#include "h5.h"
#include "memory.h"
#include "place.h"
#include "copies.h"
#include "record.h"
#include "writer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define JOURNAL_MAGIC "synodjnl"
#define JOURNAL_VERSION 1

struct journal_head {
	char magic[8];
	uint64_t version;
	uint64_t n_runs;
	uint64_t hash_scenario; /* scenario and seed */
	uint64_t hash_build;    /* synod_version and source */
	uint64_t hash_schemas;
	uint64_t check; /* over the fields above */
};

struct journal {
	char *path, *path_partial, *path_journal; /* NULL where it has no name */
	int fd; /* locked against other processes for as long as it is open */
	bool locked; /* unless the file system has no locks */
	uint64_t end;
	uint64_t n_runs, n_held;
	uint64_t *offsets; /* per run; 0 where it is not held */
	struct results_header header;
	struct table_schema schemas[TABLES_MAX];
	struct table_extent extents[TABLES_MAX];
};

/* --- What a journal belongs to --- */

/* The length goes in as well, so that no two lists of texts run together into the same bytes. */
static void hash_text(XXH3_state_t *state, const char *text)
{
	uint64_t bytes = strlen(text ? text : "");
	XXH3_64bits_update(state, &bytes, sizeof(bytes));
	XXH3_64bits_update(state, text ? text : "", bytes);
}

static void hash_integer(XXH3_state_t *state, uint64_t value)
{
	XXH3_64bits_update(state, &value, sizeof(value));
}

static struct journal_head head_make(const struct journal *journal, XXH3_state_t *state)
{
	struct journal_head head = {
		.magic = JOURNAL_MAGIC, .version = JOURNAL_VERSION, .n_runs = journal->n_runs};
	XXH3_64bits_reset(state);
	hash_text(state, journal->header.scenario);
	hash_integer(state, journal->header.seed);
	head.hash_scenario = XXH3_64bits_digest(state);

	XXH3_64bits_reset(state);
	hash_text(state, journal->header.synod_version);
	hash_text(state, journal->header.source);
	head.hash_build = XXH3_64bits_digest(state);

	XXH3_64bits_reset(state);
	for (int i = 0; i < TABLES_MAX; i++) {
		const struct table_schema *schema = &journal->schemas[i];
		hash_integer(state, schema->n_columns);
		hash_text(state, schema->n_columns > 0 ? schema_name(schema, i) : NULL);
		for (size_t j = 0; j < schema->n_columns; j++) {
			hash_text(state, schema->columns[j].name);
			hash_integer(state, schema->columns[j].type);
			hash_text(state, schema->columns[j].unit);
			hash_text(state, schema->columns[j].help);
			hash_text(state, schema->columns[j].label);
			hash_integer(state, schema->columns[j].sort);
			hash_text(state, schema->columns[j].share_of);
			hash_integer(state, schema->columns[j].more_is_better);
		}
	}
	head.hash_schemas = XXH3_64bits_digest(state);
	head.check = XXH3_64bits(&head, offsetof(struct journal_head, check));
	return head;
}

/* --- Records --- */

/* Notes that the journal holds a run: what the writer will have to know in advance. */
static void hold(struct journal *journal, uint64_t run, uint64_t offset, uint64_t bytes,
	const struct block blocks[TABLES_MAX])
{
	journal->offsets[run] = offset;
	journal->n_held++;
	journal->end = offset + bytes;
	for (int i = 0; i < TABLES_MAX; i++) {
		const struct table_schema *schema = &journal->schemas[i];
		struct table_extent *extent = &journal->extents[i];
		extent->n_rows += blocks[i].n_rows;
		for (size_t j = 0; j < schema->n_columns; j++) {
			if (schema->columns[j].type != COLUMN_STRING) {
				continue;
			}
			uint64_t last = UINT64_MAX; /* equal strings in a row share their text */
			for (size_t row = 0; row < blocks[i].n_rows; row++) {
				uint64_t at = blocks[i].cells[row * schema->n_columns + j];
				size_t width = at == last ? 0 : strlen(blocks[i].text + at);
				extent->widths[j] = width > extent->widths[j] ? width : extent->widths[j];
				last = at;
			}
		}
	}
}

static bool cannot(const struct journal *journal, const char *action, struct results_error *error)
{
	return results_fail(error, "cannot %s %s: %s", action,
		journal->path_journal ? journal->path_journal : "what is kept in memory", results_cause(errno));
}

static enum read_result read_record(
	const struct journal *journal, uint64_t offset, uint64_t file_bytes, struct record_buffer *buffer)
{
	return record_read(journal->fd, journal->schemas, journal->n_runs, offset, file_bytes, buffer);
}

/* Finds the runs that the journal holds and cuts off what follows the last whole one. */
static bool scan(struct journal *journal, uint64_t file_bytes, struct results_error *error)
{
	struct record_buffer buffer = {0};
	enum read_result result = READ_WHOLE;
	while (journal->end < file_bytes) {
		result = read_record(journal, journal->end, file_bytes, &buffer);
		if (result != READ_WHOLE || journal->offsets[buffer.run] != 0) {
			break;
		}
		struct block blocks[TABLES_MAX];
		for (int i = 0; i < TABLES_MAX; i++) {
			blocks[i] = record_block(journal->schemas, &buffer, i);
		}
		hold(journal, buffer.run, journal->end, buffer.layout.bytes, blocks);
	}
	free(buffer.bytes);
	if (result == READ_FAILED) {
		return cannot(journal, "read", error);
	}
	if (journal->end < file_bytes && ftruncate(journal->fd, (off_t)journal->end) != 0) {
		return cannot(journal, "cut the damaged end off", error);
	}
	return true;
}

static bool write_head(
	struct journal *journal, const struct journal_head *head, struct results_error *error)
{
	if (ftruncate(journal->fd, 0) != 0) {
		return cannot(journal, "empty", error);
	}
	struct journal_head copy = *head;
	struct iovec part = {&copy, sizeof(copy)};
	if (!write_at(journal->fd, &part, 1, 0)) {
		cannot(journal, "write", error);
		if (journal->path_journal) {
			unlink(journal->path_journal); /* it holds nothing */
		}
		return false;
	}
	return true;
}

/* --- Opening --- */

/* Opens and locks the journal. One that was removed by its owner between our opening and our
 * locking is no longer the file of that name, and is opened again. */
static bool open_locked(struct journal *journal, struct stat *status, struct results_error *error)
{
	for (;;) {
		journal->fd = place_open(journal->path_journal, JOURNAL_MAGIC, strlen(JOURNAL_MAGIC), error);
		if (journal->fd < 0) {
			return false;
		}
		journal->locked = flock(journal->fd, LOCK_EX | LOCK_NB) == 0;
		/* Some file systems know no locks. */
		if (!journal->locked && errno != ENOLCK && errno != ENOSYS && errno != EOPNOTSUPP) {
			if (errno != EWOULDBLOCK) {
				return cannot(journal, "lock", error);
			}
			return results_fail(error,
				"cannot write %s: another synod is writing it now (it holds %s)", journal->path,
				journal->path_journal);
		}
		struct stat named;
		if (fstat(journal->fd, status) != 0) {
			return cannot(journal, "read", error);
		}
		if (lstat(journal->path_journal, &named) == 0 && named.st_dev == status->st_dev &&
			named.st_ino == status->st_ino) {
			return true;
		}
		close(journal->fd);
	}
}

/* Refuses a journal of something else. */
static bool head_matches(const struct journal *journal, const struct journal_head *found,
	const struct journal_head *wanted, struct results_error *error)
{
	const char *what = NULL;
	if (found->version != wanted->version) {
		what = "another version of the journal's format";
	} else if (found->check != XXH3_64bits(found, offsetof(struct journal_head, check))) {
		return results_fail(error,
			"cannot go on from %s: its header is damaged; --force gives it up and starts anew",
			journal->path_journal);
	} else if (found->hash_build != wanted->hash_build) {
		what = "another version of synod";
	} else if (found->hash_scenario != wanted->hash_scenario) {
		what = "another scenario, or other settings of it";
	} else if (found->n_runs != wanted->n_runs) {
		what = "a sweep of another number of runs";
	} else if (found->hash_schemas != wanted->hash_schemas) {
		what = "other tables or columns";
	}
	error->other = what != NULL;
	return !what ||
		   results_fail(error,
			   "cannot write %s: unfinished work of %s is there (%s), and would be lost; name another file, or "
			   "give it up with --force",
			   journal->path, what, journal->path_journal);
}

/* Reads what it holds, or begins it anew. */
static bool begin(
	struct journal *journal, bool resume, uint64_t file_bytes, struct results_error *error)
{
	XXH3_state_t *state = XXH3_createState();
	struct journal_head wanted = head_make(journal, state), found;
	XXH3_freeState(state);
	journal->end = sizeof(wanted);
	/* Without a record there is nothing to go on with, and nothing to lose. */
	if (!resume || file_bytes <= sizeof(wanted)) {
		return write_head(journal, &wanted, error);
	}
	if (read_at(journal->fd, &found, sizeof(found), 0) != READ_WHOLE) {
		return cannot(journal, "read", error);
	}
	return head_matches(journal, &found, &wanted, error) && scan(journal, file_bytes, error);
}

static bool open_file(struct journal *journal, bool resume, struct results_error *error)
{
	struct stat status;
	return place_check(journal->path, error) && open_locked(journal, &status, error) &&
		   begin(journal, resume, (uint64_t)status.st_size, error);
}

/* A journal that is not open yet. */
static struct journal *create(const struct results_header *header,
	const struct table_schema schemas[TABLES_MAX], uint64_t n_runs, struct results_error *error)
{
	error->text[0] = '\0';
	error->other = false;
	struct journal *journal = memory_zeroed(1, sizeof(*journal));
	journal->fd = -1;
	journal->n_runs = n_runs;
	journal->offsets = memory_zeroed(n_runs, sizeof(*journal->offsets));
	journal->header = header_copy(header);
	for (int i = 0; i < TABLES_MAX; i++) {
		journal->schemas[i] = schema_copy(&schemas[i]);
		journal->extents[i].widths = memory_zeroed(schemas[i].n_columns, sizeof(size_t));
	}
	return journal;
}

struct journal *journal_open(const char *path, const struct results_header *header,
	const struct table_schema schemas[TABLES_MAX], uint64_t n_runs, bool resume,
	struct results_error *error)
{
	struct journal *journal = create(header, schemas, n_runs, error);
	journal->path = memory_copy_text(path);
	journal->path_partial = place_beside(path, ".partial");
	journal->path_journal = place_beside(path, ".journal");
	if (!open_file(journal, resume, error)) {
		journal_close(journal);
		return NULL;
	}
	return journal;
}

struct journal *journal_open_nameless(int fd, const struct results_header *header,
	const struct table_schema schemas[TABLES_MAX], uint64_t n_runs, struct results_error *error)
{
	struct journal *journal = create(header, schemas, n_runs, error);
	struct stat status = {0};
	journal->fd = fd >= 0 ? fd : memfd_create("synod-journal", 0);
	if (journal->fd < 0 || fstat(journal->fd, &status) != 0 ||
		!begin(journal, true, (uint64_t)status.st_size, error)) {
		journal_close(journal);
		return NULL;
	}
	return journal;
}

int journal_descriptor(const struct journal *journal)
{
	return journal->fd;
}

void journal_close(struct journal *journal)
{
	if (!journal) {
		return;
	}
	if (journal->fd >= 0) {
		close(journal->fd);
	}
	for (int i = 0; i < TABLES_MAX; i++) {
		schema_finish(&journal->schemas[i]);
		free(journal->extents[i].widths);
	}
	header_finish(&journal->header);
	free(journal->offsets);
	free(journal->path_journal);
	free(journal->path_partial);
	free(journal->path);
	free(journal);
}

bool journal_is_locked(const struct journal *journal)
{
	return journal->locked;
}

bool journal_holds(const struct journal *journal, uint64_t run)
{
	assert(run < journal->n_runs);
	return journal->offsets[run] != 0;
}

uint64_t journal_count(const struct journal *journal)
{
	return journal->n_held;
}

/* Without a name nothing will be made of it but a summary. */
static bool keeps(const struct journal *journal, enum table_id table)
{
	return journal->path || table == TABLE_RUNS;
}

bool journal_append(struct journal *journal, uint64_t run, const struct run_blocks *blocks,
	struct results_error *error)
{
	assert(!journal_holds(journal, run));
	error->text[0] = '\0';
	static const struct block none;
	const struct block *kept[TABLES_MAX];
	for (int i = 0; i < TABLES_MAX; i++) {
		kept[i] = keeps(journal, i) ? &blocks->tables[i] : &none;
	}
	uint64_t bytes = record_write(journal->fd, journal->schemas, run, kept, journal->end);
	if (bytes == 0) {
		cannot(journal, "write", error);
		/* What came through of it is given back. Should that fail as well, the next record
		 * overwrites it or its checksum tells. */
		bool cut = ftruncate(journal->fd, (off_t)journal->end) == 0;
		(void)cut;
		return false;
	}
	hold(journal, run, journal->end, bytes, blocks->tables);
	return true;
}

bool journal_visit(struct journal *journal, journal_visitor *visit, void *context,
	struct results_error *error)
{
	struct record_buffer buffer = {0};
	bool read = true;
	for (uint64_t run = 0; run < journal->n_runs && read; run++) {
		if (journal->offsets[run] == 0) {
			continue;
		}
		read = read_record(journal, journal->offsets[run], journal->end, &buffer) == READ_WHOLE ||
			   cannot(journal, "read", error);
		if (read) {
			struct block block = record_block(journal->schemas, &buffer, TABLE_RUNS);
			visit(context, &journal->schemas[TABLE_RUNS], &block);
		}
	}
	free(buffer.bytes);
	return read;
}

/* --- Completing --- */

static bool write_runs(struct journal *journal, struct writer *writer, struct results_error *error)
{
	struct record_buffer buffer = {0};
	bool written = true;
	for (uint64_t run = 0; run < journal->n_runs && written; run++) {
		switch (read_record(journal, journal->offsets[run], journal->end, &buffer)) {
		case READ_FAILED:
			written = cannot(journal, "read", error);
			break;
		case READ_SHORT:
			written = results_fail(error,
				"cannot read run %llu from %s: the journal was changed while synod was writing it",
				(unsigned long long)run, journal->path_journal);
			break;
		case READ_WHOLE:
			for (int i = 0; i < TABLES_MAX && written; i++) {
				struct block block = record_block(journal->schemas, &buffer, i);
				written = writer_append(writer, i, &block, error);
			}
			break;
		}
	}
	free(buffer.bytes);
	return written;
}

static bool write_partial(struct journal *journal, struct results_error *error)
{
	struct writer *writer = writer_create(
		journal->path_partial, &journal->header, journal->schemas, journal->extents, error);
	if (!writer) {
		return false;
	}
	bool written = write_runs(journal, writer, error);
	return writer_close(writer, written, error);
}

bool journal_complete(struct journal *journal, struct results_error *error)
{
	assert(journal->path && journal->n_held == journal->n_runs);
	error->text[0] = '\0';
	bool complete =
		write_partial(journal, error) && place_rename(journal->path_partial, journal->path, error);
	/* The journal goes last, while it is still locked. */
	if (complete) {
		unlink(journal->path_journal);
	}
	journal_close(journal);
	return complete;
}
