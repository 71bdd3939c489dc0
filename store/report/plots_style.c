#include "store/report/plots_style.h"

#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "store/report/chart.h"
#include "store/report/plots_page.h"

static const struct {
	const char *name;
	enum plots_look look;
} TEMPLATES[] = {{"linear", LOOK_LINES},
		 {"simple", LOOK_LINES},
		 {"smooth", LOOK_LINES},
		 {"scatter", LOOK_SCATTER},
		 {"scatter_jitter", LOOK_SCATTER},
		 {"bar_horizontal", LOOK_BARS},
		 {"bar_horizontal_sorted", LOOK_BARS_SORTED},
		 {"confusion", LOOK_MATRIX},
		 {"confusion_normalized", LOOK_SHARES}};

static const char *const COLORS[CHART_COLORS] = {"#2f6fde", "#e8590c", "#2b8a3e",
						 "#c2255c", "#7048e8", "#0b7285",
						 "#a67c00", "#5c6770"};

static const char HEAD[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:\">\n"
    "<title>Plots</title>\n<style>\n"
    ":root{color-scheme:light dark;--bg:#f5f6f8;--card:#fff;--ink:#1f2733;"
    "--soft:#667085;--grid:#e6e9ee;--axis:#aab2bd}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;padding:24px clamp(12px,3vw,40px);background:var(--bg);"
    "color:var(--ink);font:14px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,"
    "'Helvetica Neue',sans-serif}\n"
    "h1{font-size:20px;margin:0 0 2px}header p{margin:0 0 20px;color:var(--soft)}\n"
    "main{display:grid;gap:18px;align-items:start;"
    "grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr))}\n"
    "figure{margin:0;padding:14px 16px 10px;background:var(--card);"
    "border:1px solid var(--grid);border-radius:10px;min-width:0}\n"
    "figcaption{font-weight:600;margin-bottom:2px;overflow-wrap:anywhere}\n"
    "ul{list-style:none;display:flex;flex-wrap:wrap;gap:2px 14px;margin:2px 0 6px;"
    "padding:0;font-size:12.5px;color:var(--soft)}\n"
    "li{display:flex;align-items:center;gap:6px;overflow-wrap:anywhere}"
    "li svg{width:26px;height:10px;flex:none}\n"
    "svg{display:block;width:100%;height:auto}svg.x{margin:6px 0}\n"
    ".note{margin:4px 0;font-size:12.5px;color:var(--soft);overflow-wrap:anywhere}\n"
    ".many{display:flex;flex-wrap:wrap;gap:12px 20px}.many>div{flex:1 1 280px;"
    "min-width:0;max-width:480px}figure:has(.many>:nth-child(2)){grid-column:1/-1}.many "
    "h2{font-size:12.5px;font-weight:500;margin:4px "
    "0;color:var(--soft);overflow-wrap:anywhere}\n"
    "img{max-width:100%;height:auto;border-radius:4px;background:#fff}\n"
    "text{font-size:11.5px;fill:var(--soft);"
    "font-variant-numeric:tabular-nums}text.l{fill:var(--ink)}"
    "text.w{fill:#fff}\n"
    ".g{stroke:var(--grid)}.a{stroke:var(--axis)}.r{fill:var(--grid)}\n"
    ".s{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}\n"
    "circle{fill:currentColor}circle.h{opacity:0}circle:hover{opacity:1;"
    "stroke:currentColor;stroke-width:3}circle.d{fill-opacity:.6}\n"
    ".b,.m{fill:currentColor}.b:hover,.m:hover{stroke:var(--ink)}\n";

static const char DARK[] =
    "@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2028;"
    "--ink:#e4e8ee;--soft:#9aa5b3;--grid:#2b333e;--axis:#566070}\n"
    ".c0{color:#74a9ff}.c1{color:#ff9d5c}.c2{color:#69db7c}.c3{color:#f783ac}"
    ".c4{color:#b197fc}.c5{color:#3bc9db}.c6{color:#ffd43b}.c7{color:#adb5bd}"
    "text.w{fill:#12161c}}\n"
    "@media print{body{background:#fff}figure{break-inside:avoid}}\n"
    "</style>\n</head>\n<body>\n";

void
plots_style(struct buf *b)
{
	buf_adds(b, HEAD);
	for (size_t i = 0; i < CHART_COLORS; i++)
		buf_addf(b, ".c%zu{color:%s}", i, COLORS[i]);
	buf_adds(b, "\n");
	buf_adds(b, DARK);
}

bool
plots_template_known(const char *name)
{
	for (size_t i = 0; i < sizeof TEMPLATES / sizeof *TEMPLATES; i++)
		if (strcmp(TEMPLATES[i].name, name) == 0)
			return true;
	return false;
}

enum plots_look
plots_look(const char *template)
{
	for (size_t i = 0; template != NULL && i < sizeof TEMPLATES / sizeof *TEMPLATES;
	     i++)
		if (strcmp(TEMPLATES[i].name, template) == 0)
			return TEMPLATES[i].look;
	return LOOK_LINES;
}
