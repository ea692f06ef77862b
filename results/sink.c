#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

/* HDF5 hands back a pointer to the first member. */
struct sink_file {
	H5FD_t base;
	struct sink *sink;
	haddr_t end_allocated, end_written;
};

struct sink_settings {
	struct sink *sink;
};

static H5FD_t *sink_open(const char *name, unsigned flags, hid_t access, haddr_t address_max)
{
	const struct sink_settings *settings = H5Pget_driver_info(access);
	struct sink_file *file = calloc(1, sizeof(*file));
	if (!settings || !file) {
		free(file);
		return NULL;
	}
	file->sink = settings->sink;
	return &file->base;
}

static herr_t sink_close(H5FD_t *base)
{
	free(base);
	return 0;
}

/* What the default driver answers, as far as it bears on where HDF5 puts things in the file. */
static herr_t sink_query(const H5FD_t *base, unsigned long *flags)
{
	*flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
			 H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
	return 0;
}

static haddr_t sink_get_eoa(const H5FD_t *base, H5FD_mem_t type)
{
	return ((const struct sink_file *)base)->end_allocated;
}

static herr_t sink_set_eoa(H5FD_t *base, H5FD_mem_t type, haddr_t address)
{
	((struct sink_file *)base)->end_allocated = address;
	return 0;
}

static haddr_t sink_get_eof(const H5FD_t *base, H5FD_mem_t type)
{
	return ((const struct sink_file *)base)->end_written;
}

/* HDF5 reads back little of what it writes; what lies past the end is zero. */
static herr_t sink_read(
	H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *buffer)
{
	struct sink *sink = ((struct sink_file *)base)->sink;
	char *at = buffer;
	while (size > 0) {
		ssize_t n = pread(sink->fd, at, size, (off_t)address);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			if (n < 0 && !sink->error) {
				sink->error = errno;
			}
			memset(at, 0, size);
			return 0;
		}
		at += n;
		address += (haddr_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static herr_t sink_write(
	H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, const void *buffer)
{
	struct sink_file *file = (struct sink_file *)base;
	const char *at = buffer;
	if (address + size > file->end_written) {
		file->end_written = address + size;
	}
	while (size > 0 && !file->sink->error) {
		ssize_t n = pwrite(file->sink->fd, at, size, (off_t)address);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			file->sink->error = n < 0 ? errno : ENOSPC;
			break;
		}
		at += n;
		address += (haddr_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static herr_t sink_truncate(H5FD_t *base, hid_t transfer, hbool_t closing)
{
	struct sink_file *file = (struct sink_file *)base;
	if (file->end_allocated != file->end_written) {
		if (!file->sink->error && ftruncate(file->sink->fd, (off_t)file->end_allocated) != 0) {
			file->sink->error = errno;
		}
		file->end_written = file->end_allocated;
	}
	return 0;
}

static const H5FD_class_t sink_class = {
#ifdef H5FD_CLASS_VERSION
	.version = H5FD_CLASS_VERSION,
	.value = 600, /* any from 256 on is free for users */
#endif
	.name = "synod-sink",
	.maxaddr = INT64_MAX,
	.fc_degree = H5F_CLOSE_WEAK,
	.fapl_size = sizeof(struct sink_settings),
	.open = sink_open,
	.close = sink_close,
	.query = sink_query,
	.get_eoa = sink_get_eoa,
	.set_eoa = sink_set_eoa,
	.get_eof = sink_get_eof,
	.read = sink_read,
	.write = sink_write,
	.truncate = sink_truncate,
	.fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t sink_create_file(struct sink *sink, const char *path, hid_t creation)
{
	sink->driver = H5FDregister(&sink_class);
	hid_t access = H5Pcreate(H5P_FILE_ACCESS);
	struct sink_settings settings = {sink};
	H5Pset_driver(access, sink->driver, &settings);
	H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
	hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
	H5Pclose(access);
	return file;
}

/* Closing a file in HDF5 1.10 first lets go of the driver and then calls it: so the driver goes
 * last. */
herr_t sink_close_file(struct sink *sink, hid_t file)
{
	herr_t closed = file >= 0 ? H5Fclose(file) : 0;
	if (sink->driver > 0) {
		H5FDunregister(sink->driver);
	}
	return closed;
}
