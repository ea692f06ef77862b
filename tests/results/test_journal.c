#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The linker puts these before the system's: a disk that is full, a file system without locks. */
static bool disk_is_full;
static int flock_errno;
ssize_t __real_pwrite64(int fd, const void *bytes, size_t n, off_t at);
ssize_t __real_pwritev64(int fd, const struct iovec *parts, int n, off_t at);
int __real_flock(int fd, int operation);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwritev64(int fd, const struct iovec *parts, int n, off_t at);
int __wrap_flock(int fd, int operation);

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
	errno = ENOSPC;
	return disk_is_full ? -1 : __real_pwrite64(fd, bytes, n, at);
}

ssize_t __wrap_pwritev64(int fd, const struct iovec *parts, int n, off_t at)
{
	errno = ENOSPC;
	return disk_is_full ? -1 : __real_pwritev64(fd, parts, n, at);
}

int __wrap_flock(int fd, int operation)
{
	errno = flock_errno;
	return flock_errno ? -1 : __real_flock(fd, operation);
}

static void assert_error(const struct results_error *error, const char *part)
{
	if (!strstr(error->text, part)) {
		fail_msg("\"%s\" does not say \"%s\"", error->text, part);
	}
}

/* The expected bytes are made once per test, by a sweep that was never interrupted. */
static const char *reference(void **state)
{
	const char *path = in_folder(state, "reference.h5");
	must_write(path);
	return path;
}

static void finish_and_compare(const char *path, const char *expected)
{
	struct journal *journal = must_open(path, true);
	for (uint64_t run = FIXTURE_RUNS; run-- > 0;) {
		if (!journal_holds(journal, run)) {
			must_append(journal, run);
		}
	}
	assert_int_equal(journal_count(journal), FIXTURE_RUNS);
	must_complete(journal);
	assert_same_bytes(path, expected);
}

static void order_of_appending_leaves_no_trace(void **state)
{
	const char *expected = reference(state), *path = in_folder(state, "x.h5");
	struct journal *journal = must_open(path, false);
	for (uint64_t i = 0; i < FIXTURE_RUNS; i++) {
		uint64_t run = (i * 5 + 3) % FIXTURE_RUNS;
		assert_false(journal_holds(journal, run));
		must_append(journal, run);
		assert_true(journal_holds(journal, run));
		assert_int_equal(journal_count(journal), i + 1);
	}
	assert_false(exists(path)); /* not before it is whole */
	must_complete(journal);
	assert_same_bytes(path, expected);
	assert_false(exists(in_folder(state, "x.h5.journal")));
	assert_false(exists(in_folder(state, "x.h5.partial")));
}

/* What malloc gives back must not reach the file: HDF5 would otherwise store its old contents. */
static void dirty_memory_leaves_no_trace(void **state)
{
	const char *expected = reference(state), *path = in_folder(state, "x.h5");
	void *blocks[512];
	for (size_t i = 0; i < 512; i++) {
		blocks[i] = malloc(64 + i * 37);
		memset(blocks[i], 0xa5, 64 + i * 37);
	}
	for (size_t i = 0; i < 512; i++) {
		free(blocks[i]);
	}
	must_write(path);
	assert_same_bytes(path, expected);
}

static void a_cut_journal_is_resumed_to_the_same_bytes(void **state)
{
	const char *expected = reference(state), *path = in_folder(state, "x.h5");
	const char *path_journal = in_folder(state, "x.h5.journal");
	struct journal *journal = must_open(path, false);
	for (uint64_t run = 0; run < FIXTURE_RUNS; run++) {
		must_append(journal, run);
	}
	journal_close(journal);
	size_t n_bytes;
	unsigned char *bytes = read_bytes(path_journal, &n_bytes);
	/* Some bytes of the header, all about the end of it, then samples; the last is no cut at all.
	 */
	for (size_t cut = 0; cut <= n_bytes; cut += cut < 50 ? 5 : cut < 60 ? 1 : 397) {
		write_bytes(path_journal, bytes, cut);
		finish_and_compare(path, expected);
	}
	free(bytes);
}

static void damage_drops_what_follows_it(void **state)
{
	const char *expected = reference(state), *path = in_folder(state, "x.h5");
	const char *path_journal = in_folder(state, "x.h5.journal");
	struct journal *journal = must_open(path, false);
	for (uint64_t run = 0; run < FIXTURE_RUNS; run++) {
		must_append(journal, run);
	}
	journal_close(journal);
	size_t n_bytes;
	unsigned char *bytes = read_bytes(path_journal, &n_bytes);
	for (size_t at = 56; at < n_bytes; at += 83) { /* past the header */
		bytes[at] ^= 0x10;
		write_bytes(path_journal, bytes, n_bytes);
		bytes[at] ^= 0x10;
		journal = must_open(path, true);
		assert_true(journal_count(journal) < FIXTURE_RUNS);
		journal_close(journal);
		if (at % 5 == 0) { /* each costs two syncs of the disk */
			finish_and_compare(path, expected);
		}
	}
	free(bytes);
}

/* A child appends runs without end until it is killed at a moment that is not ours to choose. */
static void a_killed_sweep_is_resumed_to_the_same_bytes(void **state)
{
	const char *expected = reference(state), *path = in_folder(state, "x.h5");
	for (int attempt = 0; attempt < 10; attempt++) {
		int ready[2];
		assert_int_equal(pipe(ready), 0);
		pid_t child = fork();
		if (child == 0) {
			struct results_error error;
			for (;;) {
				struct journal *journal = journal_open(
					path, &fixture_header, fixture_schemas, FIXTURE_RUNS, false, &error);
				for (uint64_t run = 0; run < FIXTURE_RUNS; run++) {
					struct run_blocks blocks = fixture_run(run);
					if (!journal || !journal_append(journal, run, &blocks, &error) ||
						write(ready[1], "x", 1) != 1) {
						_exit(1);
					}
					run_blocks_finish(&blocks);
				}
				journal_close(journal);
			}
		}
		char bytes[5];
		assert_true(read(ready[0], bytes, sizeof(bytes)) > 0);
		usleep((useconds_t)(attempt * 137));
		kill(child, SIGKILL);
		int status;
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		close(ready[0]);
		close(ready[1]);
		finish_and_compare(path, expected);
	}
}

static void no_resume_begins_anew(void **state)
{
	const char *path = in_folder(state, "x.h5");
	struct journal *journal = must_open(path, false);
	must_append(journal, 3);
	journal_close(journal);
	journal = must_open(path, true);
	assert_int_equal(journal_count(journal), 1);
	assert_true(journal_holds(journal, 3));
	journal_close(journal);
	journal = must_open(path, false);
	assert_int_equal(journal_count(journal), 0);
	journal_close(journal);
	journal = must_open(path, true);
	assert_int_equal(journal_count(journal), 0);
	journal_close(journal);
}

static void another_sweeps_journal_is_refused(void **state)
{
	const char *path = in_folder(state, "x.h5");
	struct journal *journal = must_open(path, false);
	must_append(journal, 3);
	journal_close(journal);
	struct results_error error;

	struct results_header header = fixture_header;
	header.seed++;
	assert_null(journal_open(path, &header, fixture_schemas, FIXTURE_RUNS, true, &error));
	assert_error(&error, "another scenario");
	header = fixture_header;
	header.scenario = "title: another\n";
	assert_null(journal_open(path, &header, fixture_schemas, FIXTURE_RUNS, true, &error));
	assert_error(&error, "another scenario");
	header = fixture_header;
	header.source = "v0.1-4-g000000";
	assert_null(journal_open(path, &header, fixture_schemas, FIXTURE_RUNS, true, &error));
	assert_error(&error, "another version of synod");
	assert_null(journal_open(path, &fixture_header, fixture_schemas, 13, true, &error));
	assert_error(&error, "another number of runs");

	struct table_schema schemas[TABLES_MAX];
	memcpy(schemas, fixture_schemas, sizeof(schemas));
	schemas[TABLE_DECISIONS].n_columns--;
	assert_null(journal_open(path, &fixture_header, schemas, FIXTURE_RUNS, true, &error));
	assert_error(&error, "other tables or columns");

	journal = must_open(path, true); /* and none of them has touched it */
	assert_int_equal(journal_count(journal), 1);
	journal_close(journal);
	/* One that was begun and holds nothing is nobody's loss. */
	journal_close(must_open(path, false));
	journal = journal_open(path, &header, fixture_schemas, FIXTURE_RUNS, true, &error);
	assert_non_null(journal);
	journal_close(journal);
}

static void assert_bytes(const char *path, const char *expected)
{
	size_t n_bytes;
	unsigned char *bytes = read_bytes(path, &n_bytes);
	assert_int_equal(n_bytes, strlen(expected));
	assert_memory_equal(bytes, expected, n_bytes);
	free(bytes);
}

/* Nothing that synod has not written is written over or through, resumed or not. */
static void what_is_not_ours_is_left_alone(void **state)
{
	static const char notes[] = "my own notes, which have nothing to do with any synod";
	const char *path = in_folder(state, "x.h5"), *other = in_folder(state, "other");
	const char *endings[] = {"x.h5.journal", "x.h5.partial", "x.h5"};
	struct results_error error;
	for (int i = 0; i < 3; i++) {
		const char *beside = in_folder(state, endings[i]);
		for (int link = 0; link < 2; link++) {
			write_bytes(other, notes, strlen(notes));
			if (link) {
				assert_int_equal(symlink(other, beside), 0);
			} else if (i < 2) {
				write_bytes(beside, notes, strlen(notes));
			} else {
				assert_int_equal(mkfifo(beside, 0600), 0);
			}
			for (int resume = 0; resume < 2; resume++) {
				struct journal *journal = journal_open(
					path, &fixture_header, fixture_schemas, FIXTURE_RUNS, resume, &error);
				assert_true((journal != NULL) == (i == 1));
				if (journal) {
					for (uint64_t run = journal_count(journal); run < FIXTURE_RUNS; run++) {
						must_append(journal, run);
					}
					assert_false(journal_complete(journal, &error));
					assert_false(exists(path));
				}
				assert_error(&error, beside);
				assert_error(&error, link     ? "symbolic link"
									 : i == 2 ? "a pipe"
											  : "was not written by synod");
			}
			assert_bytes(link || i == 2 ? other : beside, notes);
			assert_int_equal(unlink(beside), 0);
		}
		unlink(in_folder(state, "x.h5.journal"));
	}
	must_write(path);
	chmod(path, 0444);
	assert_null(journal_open(path, &fixture_header, fixture_schemas, FIXTURE_RUNS, false, &error));
	assert_error(&error, "read-only");
}

/* A foreign HDF5 file begins like a result of format 1. */
static void a_foreign_file_is_never_replaced(void **state)
{
	const char *path = in_folder(state, "x.h5");
	struct results_error error;
	const char *contents[] = {"validators: 4\n", "\x89HDF\r\n\x1a\n and more that HDF5 can't read"};
	for (int i = 0; i < 2; i++) {
		for (int force = 0; force < 2; force++) {
			write_bytes(path, contents[i], strlen(contents[i]));
			assert_int_equal(results_find(path, &fixture_header, force, &error), FOUND_FOREIGN);
			assert_error(&error, "is not a result file");
			assert_true(error.other);
		}
	}
}

static void without_locks_it_goes_on(void **state)
{
	static const int none[] = {ENOLCK, ENOSYS, EOPNOTSUPP};
	const char *expected = reference(state), *path = in_folder(state, "x.h5");
	for (int i = 0; i < 3; i++) {
		flock_errno = none[i];
		struct journal *journal = must_open(path, false);
		assert_false(journal_is_locked(journal));
		journal_close(journal);
		finish_and_compare(path, expected);
		struct results_error error;
		struct results_file *file = results_open(path, &error);
		assert_non_null(file);
		results_close(file);
	}
	flock_errno = EIO;
	struct results_error error;
	assert_null(journal_open(path, &fixture_header, fixture_schemas, FIXTURE_RUNS, false, &error));
	assert_error(&error, "cannot lock");
	flock_errno = 0;
	struct journal *journal = must_open(path, false);
	assert_true(journal_is_locked(journal));
	journal_close(journal);
}

/* There is nothing to go on with: the file under the final name is whole. */
static void a_finished_result_is_told_from_others(void **state)
{
	const char *path = in_folder(state, "x.h5"), *path_journal = in_folder(state, "x.h5.journal");
	struct results_error error;
	assert_int_equal(results_find(path, &fixture_header, false, &error), FOUND_NOTHING);
	must_write(path);
	assert_false(results_begun(path));
	assert_int_equal(results_find(path, &fixture_header, false, &error), FOUND_FINISHED);
	struct results_header header = fixture_header;
	header.seed++;
	assert_int_equal(results_find(path, &header, false, &error), FOUND_OTHER_SCENARIO);
	assert_error(&error, "another scenario");
	assert_error(&error, "--force");
	assert_true(error.other);
	assert_int_equal(results_find(path, &header, true, &error), FOUND_NOTHING);
	header = fixture_header;
	header.scenario = "title: another\n";
	assert_int_equal(results_find(path, &header, false, &error), FOUND_OTHER_SCENARIO);
	header = fixture_header;
	header.synod_version = "0.0.0";
	assert_int_equal(results_find(path, &header, false, &error), FOUND_OTHER_VERSION);
	assert_error(&error, "another version of synod");

	journal_close(must_open(path, false)); /* one that is to replace it was begun */
	assert_true(results_begun(path));
	assert_int_equal(unlink(path_journal), 0);
	write_bytes(path, "synod-results 2\n and no more", 20);
	assert_int_equal(results_find(path, &fixture_header, false, &error), FOUND_UNREADABLE);
	assert_error(&error, "damaged");
	assert_int_equal(results_find(path, &fixture_header, true, &error), FOUND_NOTHING);
	write_bytes(path, "", 0); /* what mktemp makes */
	assert_int_equal(results_find(path, &fixture_header, false, &error), FOUND_NOTHING);
}

static void a_second_writer_is_refused(void **state)
{
	const char *path = in_folder(state, "x.h5");
	struct journal *journal = must_open(path, false);
	must_append(journal, 0);
	struct results_error error;
	assert_null(journal_open(path, &fixture_header, fixture_schemas, FIXTURE_RUNS, true, &error));
	assert_error(&error, "another synod is writing it");
	assert_null(journal_open(path, &fixture_header, fixture_schemas, FIXTURE_RUNS, false, &error));
	journal_close(journal);
	journal = must_open(path, true); /* and the first one's run is still there */
	assert_int_equal(journal_count(journal), 1);
	journal_close(journal);
}

static void bad_places_are_named(void **state)
{
	struct results_error error;
	const char *folder = in_folder(state, ""), *absent = in_folder(state, "no/such/x.h5");
	assert_null(journal_open(folder, &fixture_header, fixture_schemas, 1, false, &error));
	assert_error(&error, "it is a folder");
	assert_null(journal_open(absent, &fixture_header, fixture_schemas, 1, false, &error));
	assert_error(&error, absent);
	assert_error(&error, "No such file or directory");
	/* A rename onto a device would replace it. */
	assert_null(journal_open("/dev/null", &fixture_header, fixture_schemas, 1, false, &error));
	assert_error(&error, "not a plain file");
	assert_null(journal_open("/proc/x.h5", &fixture_header, fixture_schemas, 1, false, &error));
	assert_error(&error, "/proc/x.h5.journal");
}

static void a_full_disk_is_said_at_the_first_byte(void **state)
{
	const char *path = in_folder(state, "x.h5");
	struct results_error error;
	disk_is_full = true;
	assert_null(journal_open(path, &fixture_header, fixture_schemas, 1, false, &error));
	disk_is_full = false;
	assert_error(&error, "x.h5.journal: No space left on device");
	assert_false(exists(in_folder(state, "x.h5.journal")));
}

static void a_full_disk_at_the_end_keeps_the_journal(void **state)
{
	const char *expected = reference(state), *path = in_folder(state, "x.h5");
	struct journal *journal = must_open(path, false);
	for (uint64_t run = 0; run < FIXTURE_RUNS; run++) {
		must_append(journal, run);
	}
	const char *partial = in_folder(state, "x.h5.partial");
	struct results_error error;
	disk_is_full = true;
	assert_false(journal_complete(journal, &error));
	disk_is_full = false;
	assert_error(&error, "x.h5.partial: No space left on device");
	assert_false(exists(path));
	assert_false(exists(partial));
	finish_and_compare(path, expected);
}

/* A limit on the size of files stands in for a disk that fills up in the middle of a record or
 * table. */
static void a_disk_that_fills_up_loses_no_finished_run(void **state)
{
	const char *expected = reference(state), *path = in_folder(state, "x.h5");
	size_t n_bytes;
	free(read_bytes(expected, &n_bytes));
	for (size_t limit = 100; limit < n_bytes; limit += 911) {
		pid_t child = fork();
		if (child == 0) {
			signal(SIGXFSZ, SIG_IGN);
			setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, limit});
			struct results_error error;
			struct journal *journal =
				journal_open(path, &fixture_header, fixture_schemas, FIXTURE_RUNS, true, &error);
			bool going = journal;
			for (uint64_t run = 0; run < FIXTURE_RUNS && going; run++) {
				if (!journal_holds(journal, run)) {
					struct run_blocks blocks = fixture_run(run);
					going = journal_append(journal, run, &blocks, &error);
					run_blocks_finish(&blocks);
				}
			}
			if (going) {
				going = journal_complete(journal, &error);
			} else {
				journal_close(journal);
			}
			exit(going ? 0 : strstr(error.text, "`ulimit -f`") ? 42 : 1);
		}
		int status;
		waitpid(child, &status, 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 42);
		assert_false(exists(path));
	}
	struct journal *journal = must_open(path, true);
	assert_true(journal_count(journal) > 0);
	journal_close(journal);
	finish_and_compare(path, expected);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(order_of_appending_leaves_no_trace),
		IN_FOLDER(dirty_memory_leaves_no_trace),
		IN_FOLDER(a_cut_journal_is_resumed_to_the_same_bytes),
		IN_FOLDER(damage_drops_what_follows_it),
		IN_FOLDER(a_killed_sweep_is_resumed_to_the_same_bytes),
		IN_FOLDER(no_resume_begins_anew),
		IN_FOLDER(another_sweeps_journal_is_refused),
		IN_FOLDER(what_is_not_ours_is_left_alone),
		IN_FOLDER(a_foreign_file_is_never_replaced),
		IN_FOLDER(without_locks_it_goes_on),
		IN_FOLDER(a_finished_result_is_told_from_others),
		IN_FOLDER(a_second_writer_is_refused),
		IN_FOLDER(bad_places_are_named),
		IN_FOLDER(a_full_disk_is_said_at_the_first_byte),
		IN_FOLDER(a_full_disk_at_the_end_keeps_the_journal),
		IN_FOLDER(a_disk_that_fills_up_loses_no_finished_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
