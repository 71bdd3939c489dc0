/*
 * Whole files: many mistakes in one go at the right places, and the file of the plan with
 * what of it is refused as not built.
 */
#include "unit/scheduler/load_fixture.h"

#define FORTY "tests/data/bad/forty.yaml"
#define LINES 200

/* How many mistakes each line says it has: "#! N" at its end. */
static size_t
read_marks(const char *text, unsigned marks[LINES])
{
	size_t line = 1, total = 0;
	const char *eol, *mark;

	for (; *text != '\0'; text = eol + 1, line++) {
		eol = strchr(text, '\n');
		assert_non_null(eol);
		assert_true(line < LINES);
		mark = strstr(text, "#! ");
		marks[line] = mark != NULL && mark < eol ? (unsigned)(mark[3] - '0') : 0;
		total += marks[line];
	}
	return total;
}

/* Forty and more mistakes, all in one go, each on its line. */
static void
forty_mistakes(void **state)
{
	unsigned marks[LINES] = {0}, found[LINES] = {0}, line, col;
	size_t len, total;
	char *text = read_data("bad/forty.yaml", &len);
	struct loaded l = load_named(FORTY, text, len);
	const char *s;

	(void)state;
	total = read_marks(text, marks);
	assert_true(total >= 40);
	assert_null(l.dag);
	for (s = l.said.p; *s != '\0'; s = strchr(s, '\n') + 1) {
		char severity[16];

		if (sscanf(s, FORTY ":%u:%u: %15[a-z]", &line, &col, severity) == 3 &&
		    strcmp(severity, "error") == 0)
			found[line]++;
	}
	for (line = 1; line < LINES; line++)
		if (marks[line] != found[line])
			fail_msg("line %u: %u mistakes planted, %u found\n%s", line,
				 marks[line], found[line], l.said.p);
	assert_int_equal(diag_errors(l.diag), total);
	golden("bad/forty.txt", l.said.p);
	unload(&l);
	free(text);
}

/* The file of the plan: every key and type is known; these are not built yet. */
static void
the_file_of_the_plan(void **state)
{
	static const char *const refused[] = {
	    "10:1: error: `max_active_runs` is not built yet",
	    "16:11: error: type 'batch' is not built yet",
	    "17:5: error: `for_each` is not built yet",
	    "22:11: error: type 'batch' is not built yet",
	    "27:11: error: type 'validate' is not built yet",
	    "32:11: error: type 'transform' is not built yet",
	    "42:11: error: type 'train' is not built yet",
	};
	const size_t n = sizeof(refused) / sizeof(refused[0]);
	size_t len, i = 0;
	char *text = read_data("design5.yaml", &len);
	struct loaded l = load_named("design5.yaml", text, len);

	(void)state;
	for (const char *s = l.said.p; *s != '\0'; s = strchr(s, '\n') + 1) {
		if (strncmp(s, "design5.yaml:", 13) != 0)
			continue;
		assert_true(i < n);
		if (strncmp(s + 13, refused[i], strlen(refused[i])) != 0)
			fail_msg("wanted %s\nsaid: %s", refused[i], s);
		i++;
	}
	assert_int_equal(i, n);
	assert_int_equal(diag_errors(l.diag), n);
	unload(&l);
	free(text);
}

/* What is left of it when what is not built is taken out has the edges it should. */
static void
what_is_built_of_it_loads(void **state)
{
	struct loaded l =
	    loads("dag: toxic_comments\n"
		  "schedule: {cron: \"0 2 * * *\", timezone: Europe/Berlin}\n"
		  "params:\n"
		  "  max_length: {type: integer, default: 512, minimum: 1, "
		  "maximum: 512}\n"
		  "env: {LANG: C.UTF-8}\n"
		  "defaults: {retries: 1, retry_delay: 1m}\n"
		  "timeout: 2h\n"
		  "notify: {on: [failure, recovery], to: [ops]}\n"
		  "tasks:\n"
		  "  extract:\n"
		  "    run: ./extract.sh\n"
		  "    outputs: [data/production/cleaned.csv]\n"
		  "  train:\n"
		  "    run: ./train\n"
		  "    inputs: [data/production/cleaned.csv]\n"
		  "    outputs: [models/toxic.onnx]\n");
	const struct dag_task *train = task(&l, "train");

	(void)state;
	assert_string_equal(l.dag->name, "toxic_comments");
	assert_int_equal(l.dag->timeout_us, INT64_C(7200000000));
	assert_int_equal(train->nup, 1);
	assert_int_equal(train->up[0], task(&l, "extract")->id);
	assert_int_equal(train->retries, 1);
	assert_int_equal(train->retry_delay_us, INT64_C(60000000));
	assert_int_equal(l.dag->nenv, 1);
	unload(&l);
}

/* The examples of the page are DAG files; one that uses a param without declaring it is given
 * that. */
static void
examples_of_the_page_load(void **state)
{
	size_t len, files = 0;
	char *page = read_data("../../docs/dag-file.md", &len), *from = page, *to;

	(void)state;
	while ((from = strstr(from, "```yaml\n")) != NULL) {
		from += strlen("```yaml\n");
		to = strstr(from, "```");
		assert_non_null(to);
		*to = '\0';
		if (dag_looks_like(from, strlen(from))) {
			struct loaded l;
			struct buf b;

			buf_init(&b, 0);
			buf_addf(&b, "%s%s",
				 strstr(from, "params:\n") ? "" : "params: {name: x}\n",
				 from);
			l = loads(b.p);
			unload(&l);
			buf_release(&b);
			files++;
		}
		from = to + 1;
	}
	assert_true(files >= 2);
	free(page);
}

/* Cut anywhere, or with any byte changed, a file gives a model or a message. */
static void
any_prefix_and_any_changed_byte(void **state)
{
	static const char bytes[] = "\0\n :{[*&!|'\"-%\xff}";
	size_t len;
	char *text = read_data("bad/forty.yaml", &len);

	(void)state;
	for (size_t i = 0; i < len; i += 5) {
		struct loaded l = load_named(FORTY, text, i);
		char kept = text[i];

		unload(&l);
		text[i] = bytes[i / 5 % sizeof(bytes)];
		l = load_named(FORTY, text, len);
		unload(&l);
		text[i] = kept;
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forty_mistakes),
	    cmocka_unit_test(the_file_of_the_plan),
	    cmocka_unit_test(what_is_built_of_it_loads),
	    cmocka_unit_test(examples_of_the_page_load),
	    cmocka_unit_test(any_prefix_and_any_changed_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
