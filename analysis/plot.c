#include "plot.h"

#include "run_gnuplot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* The widest common sans font, DejaVu, has about this many ems a character. */
#define EM 0.57
#define TEXT_PT 8.0
#define TURNED_PT 14.0 /* between names that are turned by 35 degrees: a line's height over its sine */
#define NOTE_PT 7.0
#define TITLE_PT 9.5
#define PAD_PT 6.0

static double text_pt(const char *text, double size)
{
	return (double)text_length(text) * EM * size;
}

size_t plot_style(size_t i)
{
	return i % 12 + 1;
}

static void quote(FILE *out, const char *text, bool format)
{
	char clean[2048];
	text_clean(clean, sizeof(clean), text, 500);
	fputc('\'', out);
	for (const char *c = clean; *c != '\0'; c++) {
		/* A doubled quote is not safe: gnuplot 5.4 takes one at the start for an empty string, and
		 * what follows for commands. */
		if (*c == '\'') {
			fputs("’", out);
		} else {
			fputs(format && *c == '%' ? "%" : "", out);
			fputc(*c, out);
		}
	}
	fputc('\'', out);
}

void plot_quote(FILE *out, const char *text)
{
	quote(out, text, false);
}

static FILE *open_file(const struct figures_request *request, const char *name, const char *suffix,
	struct results_error *error)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s%s", request->directory, name, suffix);
	FILE *file = fopen(path, "w");
	if (file == NULL) {
		snprintf(error->text, sizeof(error->text), "%.300s: can't be written: %s", path,
			strerror(errno));
	}
	return file;
}

static bool make_directory(const char *path, struct results_error *error)
{
	char part[4096];
	size_t length = strlen(path);
	if (length == 0 || length >= sizeof(part)) {
		snprintf(error->text, sizeof(error->text), "%.300s: no usable name for a folder", path);
		return false;
	}
	memcpy(part, path, length + 1);
	for (size_t i = 1; i <= length; i++) {
		if (part[i] != '/' && part[i] != '\0') {
			continue;
		}
		char kept = part[i];
		part[i] = '\0';
		if (mkdir(part, 0777) != 0 && errno != EEXIST) {
			snprintf(error->text, sizeof(error->text), "%.300s: the folder can't be made: %s", part,
				strerror(errno));
			return false;
		}
		part[i] = kept;
	}
	return true;
}

/* The style lies beside the figures, so that the folder can be sent to someone. */
static bool copy_style(const struct figures_request *request, struct results_error *error)
{
	char path[4096], bytes[4096];
	snprintf(path, sizeof(path), "%s/style.gp",
		request->gnuplot_data == NULL ? "." : request->gnuplot_data);
	FILE *from = fopen(path, "r");
	if (from == NULL) {
		snprintf(error->text, sizeof(error->text),
			"%.300s: the style of the figures is missing: %s", path, strerror(errno));
		return false;
	}
	FILE *to = open_file(request, "style", ".gp", error);
	if (to == NULL) {
		fclose(from);
		return false;
	}
	size_t n;
	while ((n = fread(bytes, 1, sizeof(bytes), from)) > 0) {
		fwrite(bytes, 1, n, to);
	}
	bool whole = !ferror(from) && !ferror(to);
	fclose(from);
	whole = fclose(to) == 0 && whole;
	if (!whole) {
		snprintf(
			error->text, sizeof(error->text), "%.300s: can't be copied: %s", path, strerror(errno));
	}
	return whole;
}

/* Breaks text into lines of at most `width` characters at spaces; ends of lines are '\n'. */
static size_t wrap(char *text, size_t width)
{
	size_t n_lines = 1, column = 0;
	char *space = NULL;
	for (char *c = text; *c != '\0'; c++) {
		column += ((unsigned char)*c & 0xC0) != 0x80;
		if (*c == ' ') {
			space = c;
		}
		if (column > width && space != NULL) {
			*space = '\n';
			char kept = c[1];
			c[1] = '\0';
			column = text_length(space + 1);
			c[1] = kept;
			space = NULL;
			n_lines++;
		}
	}
	return n_lines;
}

/* Breaks a name along x into lines of at most `width` characters, also after hyphens and commas;
 * ends of lines are '\n'. Answers the length of the longest line. */
static size_t wrap_tic(char *out, size_t size, const char *name, size_t width, size_t *n_lines)
{
	char clean[200];
	text_clean(clean, sizeof(clean), name, 40);
	size_t length = 0, line = 0, longest = 0;
	*n_lines = 1;
	for (const char *part = clean; *part != '\0' && length + 8 < size;) {
		size_t bytes = strcspn(part, " -,_/");
		bytes += part[bytes] != '\0';
		char word[200];
		snprintf(word, sizeof(word), "%.*s", (int)bytes, part);
		size_t n = text_length(word), hangs = n > 0 && word[bytes - 1] == ' ';
		if (line > 0 && line + n - hangs > width) {
			out[length++] = '\n';
			line = 0;
			(*n_lines)++;
		}
		int written = snprintf(out + length, size - length, "%s", word);
		length += (size_t)written < size - length ? (size_t)written : size - length - 1;
		line += n;
		longest = line - hangs > longest ? line - hangs : longest;
		part += bytes;
	}
	out[length] = '\0';
	return longest;
}

static double x_screen(const struct plot *plot, double pt)
{
	return pt / plot->width;
}

static double y_screen(const struct plot *plot, double pt)
{
	return pt / plot->height;
}

static void write_label(struct plot *plot, double x, double y, const char *text, const char *how)
{
	fprintf(plot->script, "set label ");
	plot_quote(plot->script, text);
	fprintf(plot->script, " at screen %.5f, %.5f %s\n", x_screen(plot, x), y_screen(plot, y), how);
}

/* Writes `text`, whose lines end in '\n', downwards from y. */
static void write_lines(struct plot *plot, double y, double leading, char *text, const char *how)
{
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		write_label(plot, PAD_PT, y, line, how);
		y -= leading;
	}
}

static double legend_item_pt(const struct legend_item *item)
{
	bool wide = item->kind == LEGEND_LINE || item->kind == LEGEND_ARROW || item->kind == LEGEND_STROKE;
	return (wide ? 25 : 16) + text_pt(item->text, TEXT_PT) + 8;
}

/* The legend takes as many rows as it needs; answers how many, and draws them from y when asked. */
static size_t legend(struct plot *plot, const struct page *page, double y, bool draw)
{
	double x = PAD_PT;
	size_t n_rows = page->n_legend > 0;
	for (size_t i = 0; i < page->n_legend; i++) {
		const struct legend_item *item = &page->legend[i];
		double width = legend_item_pt(item);
		if (x > PAD_PT && x + width > plot->width - PAD_PT) {
			x = PAD_PT;
			y -= 11;
			n_rows++;
		}
		if (!draw) {
			x += width;
			continue;
		}
		size_t style = plot_style(item->style);
		double x0 = x_screen(plot, x), x1 = x_screen(plot, x + 20);
		if (item->kind == LEGEND_LINE) {
			fprintf(plot->script,
				"set arrow from screen %.5f, %.5f to screen %.5f, %.5f nohead ls %zu\n", x0,
				y_screen(plot, y), x1, y_screen(plot, y), style);
			fprintf(plot->script, "set label '' at screen %.5f, %.5f point ls %zu\n",
				x_screen(plot, x + 10), y_screen(plot, y), style);
		} else if (item->kind == LEGEND_ARROW || item->kind == LEGEND_STROKE) {
			fprintf(plot->script, "set arrow from screen %.5f, %.5f to screen %.5f, %.5f ls %zu ", x0,
				y_screen(plot, y), x1, y_screen(plot, y), item->style);
			if (item->kind == LEGEND_ARROW) {
				fprintf(plot->script, "head size screen %.5f,17 fixed noborder\n", x_screen(plot, 5));
			} else {
				fprintf(plot->script, "nohead\n");
			}
		} else if (item->kind == LEGEND_POINT) {
			fprintf(plot->script, "set label '' at screen %.5f, %.5f point ls %zu\n",
				x_screen(plot, x + 7), y_screen(plot, y), item->style);
		} else {
			bool pale = item->kind == LEGEND_PALE_BAR || item->kind == LEGEND_PALE_GREY;
			bool grey = item->kind == LEGEND_GREY || item->kind == LEGEND_PALE_GREY;
			char colour[32];
			snprintf(colour, sizeof(colour), grey ? "grey_note" : "colour(%zu)", style);
			fprintf(plot->script,
				"set object rectangle from screen %.5f, %.5f to screen %.5f, %.5f "
				"fc rgb %s fs transparent solid %g noborder\n",
				x_screen(plot, x), y_screen(plot, y - 3.5), x_screen(plot, x + 12),
				y_screen(plot, y + 3.5), colour, pale ? PLOT_PALE : 1.0);
		}
		bool bar = item->kind >= LEGEND_BAR && item->kind <= LEGEND_PALE_GREY;
		write_label(plot, x + (bar || item->kind == LEGEND_POINT ? 15 : 24), y, item->text,
			"left tc rgb grey_dark font font_text");
		x += width;
	}
	return n_rows;
}

/* The last number along x is centred at its tic: half of it hangs over. */
double plot_right_pt(const struct page *page)
{
	return page->tics == NULL ? 14 : 8;
}

static void measure(
	struct plot *plot, size_t n_legend_rows, size_t n_title_lines, size_t n_caption_lines)
{
	const struct page *page = plot->page;
	double first = page->left_pt > 0 ? page->left_pt : 47, others = page->shared_y ? 8 : 47;
	double right = plot_right_pt(page);
	plot->left = first;
	double free_pt = plot->width - first - right - others * (double)(page->columns - 1);
	plot->panel_width = free_pt / (double)page->columns;
	plot->step = plot->panel_width + others;
	/* Names that do not fit side by side are broken; if that does not do, they are turned. */
	double slot = page->n_tics > 0 ? plot->panel_width / (double)page->n_tics : 0;
	plot->tic_width = (size_t)fmax(1, (slot - 3) / (EM * TEXT_PT));
	size_t n_lines = 1;
	for (size_t i = 0; page->tics != NULL && i < page->n_tics; i++) {
		char wrapped[400];
		size_t n, longest = wrap_tic(wrapped, sizeof(wrapped), page->tics[i], plot->tic_width, &n);
		plot->rotate = plot->rotate || longest > plot->tic_width + 1 || n > 3 ||
					   (double)longest * EM * TEXT_PT > slot + 2;
		n_lines = n > n_lines ? n : n_lines;
	}
	bool named = page->tics == NULL || page->n_tics > 1 || page->tics[0][0] != '\0';
	plot->tic_room = (named ? 26 : 8) + 9.5 * (double)(plot->rotate ? 0 : n_lines - 1);
	for (size_t i = 0; plot->rotate && i < page->n_tics; i++) {
		plot->tic_room = fmax(plot->tic_room, 24 + 0.574 * text_pt(page->tics[i], TEXT_PT));
	}
	plot->top = PAD_PT + 12 * (double)n_title_lines + 11 * (double)n_legend_rows + 6;
	double panels = 0;
	for (size_t row = 0; row < page->rows; row++) {
		bool has_x = page->inner_x || row + 1 == page->rows;
		panels += page->panel_pt + (page->panel_titles ? 13 : 4) + (has_x ? plot->tic_room : 8);
	}
	plot->height = ceil(plot->top + panels + 4 + 9 * (double)n_caption_lines + PAD_PT);
}

static void write_head(struct plot *plot)
{
	const struct figures_request *request = plot->request;
	fprintf(plot->script,
		"# Draws this figure again: gnuplot %s.gp\n"
		"if (!exists(\"format\")) {\n"
		"\tdo for [format in \"%s%s%s\"] {\n"
		"\t\tload \"%s.gp\"\n"
		"\t}\n"
		"\texit\n"
		"}\n"
		"width_pt = %.1f\n"
		"height_pt = %.1f\n"
		"load \"style.gp\"\n"
		"data = \"%s.dat\"\n"
		"set output \"%s.\".format\n"
		"set multiplot\n\n",
		plot->name, request->formats & FIGURE_SVG ? "svg " : "",
		request->formats & FIGURE_PNG ? "png " : "", request->formats & FIGURE_PDF ? "pdf " : "",
		plot->name, plot->width, plot->height, plot->name, plot->name);
}

/* What the user asked for instead of the figure's own text. */
static const char *chosen(const char *asked, const char *own)
{
	return asked == NULL ? own : strcmp(asked, "none") == 0 ? "" : asked;
}

bool plot_begin(struct plot *plot, const struct figures_request *request, const char *name,
	const struct page *page, struct results_error *error)
{
	*plot = (struct plot){.request = request, .page = page, .name = name};
	plot->width = page->wide ? PLOT_PAGE_PT : PLOT_COLUMN_PT;
	char title[512], caption[2048];
	text_clean(title, sizeof(title), chosen(request->title, page->title), 200);
	text_clean(caption, sizeof(caption), chosen(request->note, page->caption), 1500);
	for (size_t n = strlen(caption); n > 0 && caption[n - 1] == ' '; n--) {
		caption[n - 1] = '\0';
	}
	double inside = plot->width - 2 * PAD_PT;
	size_t n_title = title[0] == '\0' ? 0 : wrap(title, (size_t)(inside / (EM * TITLE_PT)));
	size_t n_caption = caption[0] == '\0' ? 0 : wrap(caption, (size_t)(inside / (EM * NOTE_PT)));
	size_t n_legend = legend(plot, page, 0, false);
	measure(plot, n_legend, n_title, n_caption);
	if (!make_directory(request->directory, error) || !copy_style(request, error)) {
		return false;
	}
	plot->script = open_file(request, name, ".gp", error);
	if (plot->script == NULL) {
		return false;
	}
	plot->data = open_file(request, name, ".dat", error);
	if (plot->data == NULL) {
		fclose(plot->script);
		return false;
	}
	write_head(plot);
	write_lines(
		plot, plot->height - PAD_PT - 5, 12, title, "left tc rgb grey_dark font font_title");
	write_lines(plot, PAD_PT + 9 * (double)n_caption - 5, 9, caption,
		"left tc rgb grey_note font font_note");
	legend(plot, page, plot->height - PAD_PT - 12 * (double)n_title - 6, true);
	return true;
}

size_t plot_block(struct plot *plot, const char *comment)
{
	char clean[512];
	text_clean(clean, sizeof(clean), comment, 120);
	fprintf(plot->data, "%s# %s\n", plot->n_blocks > 0 ? "\n\n" : "", clean);
	return plot->n_blocks++;
}

/* The step of about n tics over a range: 1, 2, 2.5 or 5 times a power of ten. */
static double tic_step(double range, double n)
{
	static const double steps[] = {1, 2, 2.5, 5, 10};
	if (!(range > 0)) {
		return 1;
	}
	double power = 1;
	while (power * 10 <= range / n) {
		power *= 10;
	}
	while (power > range / n) {
		power /= 10;
	}
	for (size_t i = 0; i < 5; i++) {
		if (steps[i] == 2.5 && power < 0.1) {
			continue; /* 0.025 and 0.075 take more room than they are worth */
		}
		if (steps[i] * power * (n + 0.5) >= range) {
			return steps[i] * power;
		}
	}
	return 10 * power;
}

/* A name along x: its lines, each quoted, joined by what only a double-quoted string can say.
 * gnuplot takes these names, alone of all text, for formats of a number. */
static void write_tic(struct plot *plot, const char *name)
{
	char wrapped[400];
	size_t n;
	if (plot->rotate) {
		quote(plot->script, name, true);
		return;
	}
	wrap_tic(wrapped, sizeof(wrapped), name, plot->tic_width, &n);
	const char *joint = "";
	for (char *line = wrapped, *end; line != NULL; line = end) {
		end = strchr(line, '\n');
		if (end != NULL) {
			*end++ = '\0';
		}
		fprintf(plot->script, "%s", joint);
		quote(plot->script, line, true);
		joint = ".\"\\n\".";
	}
}

/* The largest of 1, 2, 5 times a power of ten that is at most `value` > 0, or the least that is at least it. */
static double round_number(double value, bool up)
{
	static const double digits[] = {1, 2, 5, 10};
	double power = pow(10, floor(log10(value)));
	double below = power, above = 10 * power;
	for (size_t i = 0; i < 4; i++) {
		double number = digits[i] * power;
		below = number <= value * (1 + 1e-9) ? number : below;
		above = number >= value * (1 - 1e-9) && number < above ? number : above;
	}
	return up ? above : below;
}

/* A logarithmic axis: tics at powers of ten, and at 2 and 5 times these where there are few. */
static void write_logarithmic(FILE *out, char axis, double low, double high)
{
	bool few = high / low <= 300;
	fprintf(out, "set logscale %c\nset %crange [%.10g:%.10g]\nset %ctics norotate (", axis, axis, low, high, axis);
	const char *comma = "";
	for (double power = pow(10, floor(log10(low))); power <= high; power *= 10) {
		for (int digit = 1; digit <= 5; digit = digit == 1 ? 2 : digit == 2 ? 5 : 6) {
			double tic = digit * power;
			if (tic >= low * (1 - 1e-9) && tic <= high * (1 + 1e-9) && (digit == 1 || few)) {
				fprintf(out, "%s%.10g", comma, tic);
				comma = ", ";
			}
		}
	}
	fprintf(out, ")\n");
}

static void write_x(struct plot *plot, const struct panel *panel, bool shown)
{
	const struct page *page = plot->page;
	FILE *out = plot->script;
	if (page->tics == NULL && panel->log_x) {
		write_logarithmic(out, 'x', panel->x_min, panel->x_max);
	} else if (page->tics == NULL) {
		double range = panel->x_max - panel->x_min;
		fprintf(out, "set xrange [%.10g:%.10g]\nset xtics autofreq %.10g norotate\n", panel->x_min,
			panel->x_max, tic_step(range, plot->panel_width > 160 ? 6 : 4));
	} else {
		/* Turned names lie side by side down to a distance; of more than have room every so-many-th is written. */
		double slot = plot->panel_width / (double)page->n_tics;
		size_t every = plot->rotate ? (size_t)fmax(1, ceil(TURNED_PT / slot)) : 1;
		fprintf(out, "set xrange [-0.5:%.1f]\nset xtics %s (", (double)page->n_tics - 0.5,
			plot->rotate ? "rotate by 35 right offset 0, -0.2" : "norotate");
		for (size_t i = 0; i < page->n_tics; i++) {
			fprintf(out, "%s", i > 0 ? ", " : "");
			write_tic(plot, shown && i % every == 0 ? page->tics[i] : "");
			fprintf(out, " %zu", i);
		}
		fprintf(out, ")\n");
	}
	fprintf(out, shown ? "set format x '%%g'\n" : "set format x ''\n");
}

void plot_panel(struct plot *plot, const struct panel *panel)
{
	const struct page *page = plot->page;
	double left = plot->left + plot->step * (double)panel->column;
	double head = page->panel_titles ? 13 : 4;
	double row = page->panel_pt + head + (page->inner_x ? plot->tic_room : 8);
	double top = plot->height - plot->top - row * (double)panel->row - head;
	double bottom = top - page->panel_pt;
	bool has_x = page->inner_x || panel->row + 1 == page->rows;
	bool has_y = !page->shared_y || panel->column == 0;
	FILE *out = plot->script;
	if (plot->n_panels++ > 0) { /* title, legend and labels are drawn once, with their own panel */
		fprintf(out, "\nunset label\nunset arrow\nunset object\n");
	}
	fprintf(out, "\nset lmargin at screen %.5f\nset rmargin at screen %.5f\n", x_screen(plot, left),
		x_screen(plot, left + plot->panel_width));
	fprintf(out, "set bmargin at screen %.5f\nset tmargin at screen %.5f\n", y_screen(plot, bottom),
		y_screen(plot, top));
	write_x(plot, panel, has_x);
	double range = panel->y_max - panel->y_min;
	double y_max = panel->y_whole ? fmin(panel->y_max, 104) : panel->y_max;
	if (panel->log_y) {
		double low = round_number(panel->y_min, false), high = round_number(panel->y_max, true);
		bool none = high <= low; /* all is one round number: no range */
		write_logarithmic(out, 'y', none ? low / 2 : low, none ? high * 2 : high);
	} else {
		fprintf(out, "set yrange [%.10g:%.10g]\nset ytics autofreq %.10g\n", panel->y_min, y_max,
			tic_step(panel->y_whole ? fmin(range, 104) : range, page->panel_pt >= 95 ? 5 : 4));
	}
	fprintf(out, "set format y '%s'\n", has_y ? "%g" : "");
	if (panel->title != NULL && page->panel_titles) {
		write_label(plot, left + plot->panel_width / 2, top + 7, panel->title,
			"center tc rgb grey_dark font font_text");
	}
	if (has_y && panel->y_label != NULL) {
		char label[LABEL_MAX * 2];
		text_clean(label, sizeof(label), panel->y_label, 80);
		size_t n = wrap(label, (size_t)((page->panel_pt + 12) / (EM * TEXT_PT)));
		double x = left - 37 - (n > 1 ? 3 : 0);
		for (char *line = strtok(label, "\n"); line != NULL; line = strtok(NULL, "\n")) {
			write_label(plot, n > 1 ? x - 1 : x, (top + bottom) / 2, line,
				"center rotate by 90 tc rgb grey_dark font font_text");
			x += 9;
		}
	}
	if (has_x && panel->x_label != NULL) {
		write_label(plot, left + plot->panel_width / 2, bottom - plot->tic_room + 5, panel->x_label,
			"center tc rgb grey_dark font font_text");
	}
}

/* What a figure's script writes, one path for each format that was asked for; answers how many. */
static size_t figure_paths(const struct plot *plot, char paths[3][512])
{
	static const char *const formats[] = {"svg", "png", "pdf"};
	size_t n = 0;
	for (size_t i = 0; i < 3; i++) {
		if (plot->request->formats & 1u << i) {
			snprintf(paths[n++], sizeof(paths[0]), "%.240s/%.240s.%s", plot->request->directory, plot->name,
				formats[i]);
		}
	}
	return n;
}

/* gnuplot says nothing of a figure that it could not write. An old one must not pass for it. */
static bool draw(const struct plot *plot, const char *script, struct results_error *error)
{
	char paths[3][512];
	size_t n = figure_paths(plot, paths);
	for (size_t i = 0; i < n; i++) {
		unlink(paths[i]);
	}
	unsigned seconds_max = plot->request->gnuplot_seconds_max;
	if (!run_gnuplot(plot->request->directory, script,
			seconds_max == 0 ? GNUPLOT_SECONDS_MAX : seconds_max, error)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		struct stat status;
		if (stat(paths[i], &status) != 0 || status.st_size == 0) {
			snprintf(error->text, sizeof(error->text),
				"gnuplot ended without an error, but wrote no %.400s (is the disk full?)", paths[i]);
			return false;
		}
	}
	return true;
}

bool plot_end(struct plot *plot, struct results_error *error)
{
	fprintf(plot->script, "\nunset multiplot\nunset output\nreset\n");
	bool whole = !ferror(plot->script) && !ferror(plot->data);
	whole = fclose(plot->script) == 0 && whole;
	whole = fclose(plot->data) == 0 && whole;
	if (!whole) {
		snprintf(error->text, sizeof(error->text), "%.200s/%.100s.gp: can't be written whole: %s",
			plot->request->directory, plot->name, strerror(errno));
		return false;
	}
	char script[256];
	snprintf(script, sizeof(script), "%.200s.gp", plot->name);
	return draw(plot, script, error);
}
