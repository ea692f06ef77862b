#include "format_1.h"

#include "h5.h"
#include "memory.h"
#include "reader.h"
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_REFUSED 42
#define CPU_SECONDS 2             /* of the processor, to open the file: it takes milliseconds */
#define CPU_BYTES_PER_SECOND 4000000 /* and to read it, at least */

/* Calls `each` with every portion of a table. */
static bool portions(struct results_file *file, enum table_id table,
	bool (*each)(void *context, enum table_id table, const struct block *block, struct results_error *error),
	void *context, struct results_error *error)
{
	uint64_t n = results_n_rows(file, table);
	struct block block = {0};
	bool good = true;
	for (uint64_t first = 0; first < n && good; first += READER_ROWS) {
		size_t n_rows = n - first < READER_ROWS ? n - first : READER_ROWS;
		good = results_read(file, table, first, n_rows, &block, error) && each(context, table, &block, error);
	}
	block_finish(&block);
	return good;
}

struct measure {
	struct table_schema schemas[TABLES_MAX];
	struct table_extent extents[TABLES_MAX];
};

static bool measure(void *context, enum table_id table, const struct block *block, struct results_error *error)
{
	struct measure *it = context;
	const struct table_schema *schema = &it->schemas[table];
	for (size_t row = 0; row < block->n_rows; row++) {
		for (size_t i = 0; i < schema->n_columns; i++) {
			if (schema->columns[i].type == COLUMN_STRING) {
				size_t width = strlen(block_get(block, schema, row, i).string);
				size_t *widest = &it->extents[table].widths[i];
				*widest = width > *widest ? width : *widest;
			}
		}
	}
	return true;
}

static bool append(void *context, enum table_id table, const struct block *block, struct results_error *error)
{
	return writer_append(context, table, block, error);
}

static bool convert(struct results_file *from, const char *to, struct results_error *error)
{
	struct measure sizes = {0};
	bool good = true;
	for (int i = 0; i < TABLES_MAX && good; i++) {
		const struct table_schema *schema = results_schema(from, i);
		if (schema) {
			sizes.schemas[i] = *schema;
			sizes.extents[i].n_rows = results_n_rows(from, i);
			sizes.extents[i].widths = memory_zeroed(schema->n_columns, sizeof(size_t));
			good = portions(from, i, measure, &sizes, error);
		}
	}
	struct writer *writer =
		good ? writer_create(to, results_header(from), sizes.schemas, sizes.extents, error) : NULL;
	for (int i = 0; i < TABLES_MAX && writer && good; i++) {
		good = !results_schema(from, i) || portions(from, i, append, writer, error);
	}
	return writer && writer_close(writer, good, error);
}

static void limit_cpu(rlim_t seconds)
{
	struct rlimit limit;
	getrlimit(RLIMIT_CPU, &limit);
	limit.rlim_cur = limit.rlim_max < seconds ? limit.rlim_max : seconds;
	setrlimit(RLIMIT_CPU, &limit);
}

/* In the child: what goes wrong is told to the pipe. */
static void child(const char *path, const char *to, int tell)
{
	static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU};
	const struct rlimit no_core = {0, 0};
	setrlimit(RLIMIT_CORE, &no_core);
	dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++) {
		signal(deadly[i], SIG_DFL);
	}
	limit_cpu(CPU_SECONDS);
	struct results_error error = {{0}};
	struct results_file *file = reader_open(path, path, 1, &error);
	bool good = file != NULL;
	if (good) {
		uint64_t n_cells = 0;
		for (int i = 0; i < TABLES_MAX; i++) {
			const struct table_schema *schema = results_schema(file, i);
			n_cells += schema ? schema->n_columns * results_n_rows(file, i) : 0;
		}
		limit_cpu(CPU_SECONDS + n_cells * 8 / CPU_BYTES_PER_SECOND);
		good = convert(file, to, &error);
	}
	if (!good && write(tell, error.text, strlen(error.text)) < 0) {
		_exit(1);
	}
	_exit(good ? 0 : CHILD_REFUSED);
}

static bool run_child(const char *path, const char *to, struct results_error *error)
{
	int ends[2], status = 0;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		return results_fail(error, "cannot read %s: %s", path, results_cause(errno));
	}
	pid_t process = fork();
	if (process == 0) {
		child(path, to, ends[1]);
	}
	close(ends[1]);
	char said[sizeof(error->text)] = "";
	size_t n = 0;
	for (ssize_t got; n + 1 < sizeof(said);) {
		got = read(ends[0], said + n, sizeof(said) - 1 - n);
		if (got <= 0 && !(got < 0 && errno == EINTR)) {
			break;
		}
		n += got > 0 ? (size_t)got : 0;
	}
	close(ends[0]);
	while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR) {
	}
	if (process < 0) {
		return results_fail(error, "cannot read %s: %s", path, strerror(errno));
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_REFUSED) {
		return results_fail(error, "%s", said);
	}
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
		   results_fail(error, "cannot read %s: it is damaged: HDF5 %s on it", path,
			   WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU ? "hangs" : "crashes");
}

struct results_file *format_1_open(const char *path, struct results_error *error)
{
	const char *folder = getenv("TMPDIR");
	char to[512];
	snprintf(to, sizeof(to), "%.480s/synod-format-1-XXXXXX", folder && folder[0] ? folder : "/tmp");
	int fd = mkstemp(to);
	if (fd < 0) {
		results_fail(error, "cannot read %s, a file of format 1, by way of %s: %s", path, to, strerror(errno));
		return NULL;
	}
	close(fd);
	struct results_file *file = NULL;
	if (run_child(path, to, error)) {
		file = reader_open(to, path, RESULTS_FORMAT_VERSION, error);
	}
	unlink(to);
	if (file) {
		reader_set_version(file, 1);
	}
	return file;
}
