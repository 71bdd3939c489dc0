/*
 * Plots of what two files hold: two letters for their formats (c: CSV, C: without a header, t: TSV,
 * j: JSON, T: TOML, else YAML), then what dvc.yaml says of the plot, and behind lines "%%%" the files
 * "a" and "b", of two revisions.  Mistakes stand inside the files; points and page are well formed.
 */
#include <jansson.h>
#include <stdbool.h>

#include "base/json.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "fuzz.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/value.h"
#include "store/pipeline/value_text.h"
#include "store/report/delimited.h"
#include "store/report/plots_internal.h"
#include "store/report/plots_page.h"

#define BORDER "\n%%%\n"
#define DEEP   64

struct part {
	const char *p;
	size_t n;
};

static int
read_file(struct arena *a, struct plot_file *f, char format, const struct part *part)
{
	struct diag *d = fuzz_need(diag_new());
	struct yaml_node *top = NULL;
	int rc;

	if (format == 'c' || format == 'C' || format == 't')
		rc = delimited_parse(a, d, "x", part->p, part->n,
				     format == 't' ? '\t' : ',', format != 'C', &top);
	else
		rc = params_parse_dates(a, d,
					format == 'j'	? "x.json"
					: format == 'T' ? "x.toml"
							: "x.yaml",
					part->p, part->n, &top);
	CHECK(rc >= 0);
	CHECK((rc == 0) == (diag_errors(d) == 0));
	fuzz_check_diag(d, part->p, part->n);
	f->data = rc == 0 ? top : NULL;
	CHECK(plots_file_points(a, f) == 0);
	diag_free(d);
	return rc;
}

/* What ends is what began last, and all texts are texts. */
static void
check_page(const struct buf *page)
{
	static const char *const alone[] = {"img", "meta", "!doctype"};
	const char *p = page->p, *open[DEEP], *name;
	size_t deep = 0, n;
	uint32_t c;

	for (const char *s = p; s < page->p + page->n; s += n) {
		int len = utf8_decode(s, (size_t)(page->p + page->n - s), &c);

		CHECK(len >= 1 && c != 0 && (c >= ' ' || c == '\n' || c == '\t'));
		n = (size_t)len;
	}
	while ((p = strchr(p, '<')) != NULL) {
		bool end = p[1] == '/', skip = false;

		name = p + 1 + end;
		n = strcspn(name, " />\n");
		CHECK(n > 0);
		p = strchr(name, '>');
		CHECK(p != NULL);
		for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
			skip = skip || strncasecmp(name, alone[i], n) == 0;
		if (skip || (!end && p[-1] == '/'))
			continue;
		if (!end) {
			CHECK(deep < DEEP);
			open[deep++] = name;
			continue;
		}
		CHECK(deep > 0);
		deep--;
		CHECK(strncmp(open[deep], name, n) == 0);
	}
	CHECK(deep == 0);
	/* No number of the drawing is none. */
	CHECK(strstr(page->p, "=\"nan") == NULL && strstr(page->p, "=\"-nan") == NULL);
	CHECK(strstr(page->p, "=\"inf") == NULL && strstr(page->p, "=\"-inf") == NULL);
}

static void
check_points(const struct plot *plot)
{
	size_t n = 0;

	vec_foreach (&plot->series, const struct plot_series, s) {
		CHECK(s->from == n && s->n <= plot->points.n - n);
		CHECK(s->rev_at < plot->revs.n && s->group < plot->groups.n);
		n += s->n;
	}
	CHECK(n == plot->points.n);
	vec_foreach (&plot->points, struct yaml_node *const, it) {
		struct buf text;

		buf_init(&text, 0);
		value_put_json(*it, &text);
		CHECK(!buf_failed(&text) && text.p[0] == '{');
		CHECK(yaml_get(*it, "rev") != NULL);
		buf_release(&text);
	}
}

static void
draw(struct arena *a, const struct yaml_node *props, struct plot_file *files)
{
	struct plots p = {.arena = a};
	struct plot plot = {.id = "a"};
	plot_file_list list = {0};
	struct err err = {0};
	struct buf page;

	CHECK(vec_push(&p.v, &plot) == 0);
	for (size_t i = 0; i < 2; i++)
		CHECK(vec_push(&list, &files[i]) == 0);
	for (size_t rev = 0; rev < 2; rev++)
		CHECK(plots_points(&p, &plot, "a", props, rev == 0 ? "one" : "<two>",
				   &list, &err) == 0);
	check_points(&plot);
	buf_init(&page, PLOTS_PAGE_MAX);
	CHECK(plots_page(&p, &page, &err) == 0);
	check_page(&page);
	buf_release(&page);
	vec_release(&list);
	vec_release(&p.v);
	vec_release(&plot.revs);
	vec_release(&plot.groups);
	vec_release(&plot.points);
	vec_release(&plot.series);
	vec_release(&plot.problems);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n);
	struct arena *a = fuzz_need(arena_new((size_t)256 << 20));
	struct diag *d = fuzz_need(diag_new());
	struct plot_file files[2] = {{.path = "a"}, {.path = "b"}};
	struct part parts[3] = {0};
	const char *at = text + (n < 2 ? n : 2), *end = text + n;
	struct yaml_node *props = NULL;

	for (size_t i = 0; i < 3; i++) {
		const char *border =
		    at < end ? memmem(at, (size_t)(end - at), BORDER, strlen(BORDER))
			     : NULL;

		parts[i].p = at;
		parts[i].n = (size_t)((border != NULL ? border : end) - at);
		at = border != NULL ? border + strlen(BORDER) : end;
	}
	if (n >= 2 &&
	    params_parse(a, d, "dvc.yaml", parts[0].p, parts[0].n, &props) == 0 &&
	    props->kind == YAML_MAP) {
		for (size_t i = 0; i < 2; i++)
			(void)read_file(a, &files[i], text[i], &parts[i + 1]);
		draw(a, props, files);
		for (size_t i = 0; i < 2; i++)
			vec_release(&files[i].points);
	}
	diag_free(d);
	arena_free(a);
	free(text);
	return 0;
}
