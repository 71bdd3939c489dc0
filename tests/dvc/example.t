#!/usr/bin/python3 -B
"""A project of the usual shape (prepare, featurize, train, evaluate), run by each tool from nothing: the same files, the
same dvc.lock, the same metrics and points of plots; and each finds nothing to do in what the other has left."""
import json
import os
import subprocess

import answers
import oracle
import tap
import tools

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))

FILES = {
    "params.yaml": "prepare:\n  split: 0.25\n  seed: 7\nfeaturize: {words: 40}\ntrain: {rounds: 30, rate: 0.5}\n",
    "src/prepare.awk": """\
# One line in so many is for the test.
BEGIN { every = int(1 / split_at + 0.5) }
{ out = (NR + seed) % every == 0 ? "prepared/test.tsv" : "prepared/train.tsv"; print > out }
""",
    "src/featurize.awk": """\
# How often each of the most frequent words stands in a line.
BEGIN { FS = "\\t"; OFS = "\\t" }
pass == 1 { n = split($2, w, " "); for (i = 1; i <= n; i++) if (!seen[w[i]]++ && known < words) at[w[i]] = ++known; next }
{
	delete c; n = split($2, w, " ")
	for (i = 1; i <= n; i++) if (w[i] in at) c[at[w[i]]]++
	line = $1
	for (i = 1; i <= known; i++) line = line OFS (c[i] + 0)
	print line
}
""",
    "src/train.awk": """\
# A perceptron.
BEGIN { FS = "\\t" }
{ y[NR] = $1 == "good" ? 1 : -1; for (i = 2; i <= NF; i++) x[NR, i] = $i; nf = NF }
END {
	for (r = 1; r <= rounds; r++)
		for (k = 1; k <= NR; k++) {
			s = w[1]; for (i = 2; i <= nf; i++) s += w[i] * x[k, i]
			if (s * y[k] <= 0) { w[1] += rate * y[k]; for (i = 2; i <= nf; i++) w[i] += rate * y[k] * x[k, i] }
		}
	for (i = 1; i <= nf; i++) printf "%.6f\\n", w[i]
}
""",
    "src/evaluate.awk": """\
BEGIN { FS = "\\t"; while ((getline v < "model.txt") > 0) w[++n] = v; print "actual,predicted" > "eval/classes.csv" }
{
	s = w[1]; for (i = 2; i <= NF; i++) s += w[i] * $i
	p = s > 0 ? "good" : "bad"; right += p == $1
	print $1 "," p > "eval/classes.csv"
	score[NR] = s; good[NR] = $1 == "good"; all[good[NR]]++
}
END {
	# The curve: for every limit how many are taken for good, rightly and wrongly.
	print "{\\"roc\\": [" > "eval/roc.json"
	for (limit = 4; limit >= -4; limit -= 0.5) {
		yes[0] = yes[1] = 0
		for (i = 1; i <= NR; i++) yes[good[i]] += score[i] > limit
		printf "%s{\\"fpr\\": %.4f, \\"tpr\\": %.4f}\\n", limit < 4 ? "," : "", yes[0] / all[0], yes[1] / all[1] > "eval/roc.json"
	}
	print "]}" > "eval/roc.json"
	printf "{\\"accuracy\\": %.4f, \\"n\\": %d}\\n", right / NR, NR > "metrics.json"
}
""",
    "dvc.yaml": """\
stages:
  evaluate:
    cmd: rm -rf eval && mkdir eval && awk -f src/evaluate.awk features/test.tsv
    deps: [model.txt, features/test.tsv, src/evaluate.awk]
    metrics:
    - metrics.json: {cache: false}
    plots:
    - eval/classes.csv: {template: confusion, x: actual, y: predicted}
    - eval/roc.json: {cache: false, x: fpr, y: tpr, title: ROC}
  prepare:
    cmd: mkdir -p prepared && awk -v split_at=${prepare.split} -v seed=${prepare.seed} -f src/prepare.awk data/reviews.tsv
    deps: [data/reviews.tsv, src/prepare.awk]
    params: [prepare.split, prepare.seed]
    outs: [prepared]
  featurize:
    cmd:
    - mkdir -p features
    - awk -v words=${featurize.words} -f src/featurize.awk pass=1 prepared/train.tsv pass=2 prepared/train.tsv > features/train.tsv
    - awk -v words=${featurize.words} -f src/featurize.awk pass=1 prepared/train.tsv pass=2 prepared/test.tsv > features/test.tsv
    deps: [prepared, src/featurize.awk]
    params: [featurize]
    outs: [features/train.tsv, features/test.tsv]
  train:
    cmd: awk -v rounds=${train.rounds} -v rate=${train.rate} -f src/train.awk features/train.tsv > model.txt
    deps: [features/train.tsv, src/train.awk]
    params: [train.rounds, train.rate]
    outs: [model.txt]
""",
}
WORDS = "a the it was film of and plot dull fine warm slow bright cold loved hated again never".split()


def reviews():
    """Lines whose words lean to what they are, always the same."""
    x, lines = 1, []
    for k in range(400):
        label = "good" if k % 3 else "bad"
        words = []
        for _ in range(12):
            x = (x * 1103515245 + 12345) % 2**31
            words.append(WORDS[(x >> 8) % len(WORDS)])
        words.append("loved" if label == "good" else "hated")
        lines.append(label + "\t" + " ".join(words))
    return "\n".join(lines) + "\n"


def make(name):
    repo = os.path.join(top, name)
    subprocess.run(["git", "init", "-q", repo], check=True, env=env)
    dvc.run(["init", "-q"], repo)
    for path, text in dict(FILES, **{"data/reviews.tsv": reviews()}).items():
        tap.put(os.path.join(repo, path), text)
    dvc.run(["add", "-q", "data/reviews.tsv"], repo)
    return repo


def left(repo):
    """All files but those that are one tool's own."""
    found = {}
    for d, dirs, names in os.walk(repo):
        dirs[:] = [n for n in dirs if os.path.join(d, n) not in [os.path.join(repo, p) for p in (".git", ".dag", ".dvc/tmp")]]
        for n in names:
            path = os.path.join(d, n)
            with open(path, "rb") as f:
                found[os.path.relpath(path, repo)] = f.read()
    return found


def shown(tool, repo):
    """What the tool shows of metrics and of the points of plots, alone and beside the commit."""
    found = {}
    for argv in ["metrics", "show"], ["metrics", "diff"], ["plots", "show", "--split"], ["plots", "diff", "--split"]:
        rc, out, err = tool.run(argv + ["--json"], repo)
        found[" ".join(argv)] = (rc, err if rc else answers.drawn(out) if argv[0] == "plots" else json.loads(out))
    return found


driver = oracle.Dvc(python)
dvc = tools.DvcTool(driver, env)
dag = tools.DagTool(os.path.join(os.environ["DAG_BUILD"], "bin", "dag"), env)
ours, theirs = make("ours"), make("theirs")
rc, out, err = dag.run(["run"], ours)
tap.ok(rc == 0, "dag run") or tap.diag(out + err)
rc, out, err = dvc.run(["repro"], theirs)
tap.ok(rc == 0, "dvc repro") or tap.diag(out + err)
mine, other = left(ours), left(theirs)
tap.same(sorted(mine), sorted(other), "the same files")
tap.ok(mine == other, "... with the same bytes") or tap.diag("\n".join(n for n in mine if mine[n] != other.get(n)))
tap.ok(b"accuracy" in mine["metrics.json"] and b"actual,predicted" in mine["eval/classes.csv"], "with metrics and plots")
for repo in ours, theirs:
    for argv in ["add", "-A"], ["commit", "-qm", "one"]:
        subprocess.run(["git", "-C", repo] + argv, check=True, env=env)
rc, out, err = dvc.run(["repro"], ours)
tap.ok(rc == 0 and "Running stage" not in out + err, "dvc finds nothing to do after dag") or tap.diag(out + err)
rc, out, err = dag.run(["run"], theirs)
tap.ok(rc == 0 and "4 unchanged" in out, "dag finds nothing to do after dvc") or tap.diag(out + err)
tap.ok(left(ours) == mine and left(theirs) == other, "... and leaves all as it was")
for repo in ours, theirs:
    tap.put(os.path.join(repo, "params.yaml"), FILES["params.yaml"].replace("rounds: 30", "rounds: 3"))
dag.run(["run"], ours)
dvc.run(["repro"], theirs)
mine, other = left(ours), left(theirs)
tap.ok(mine == other, "after an edit of params the same again") or tap.diag(
    "\n".join(n for n in sorted({*mine, *other}) if mine.get(n) != other.get(n)))
seen = shown(dvc, theirs)
tap.ok([(rc, len(what)) for rc, what in seen.values()] == [(0, 1), (0, 1), (0, 2), (0, 2)], "metrics and plots are shown")
for tool, repo in (dag, ours), (dag, theirs), (dvc, ours):
    got = shown(tool, repo)
    for words, answer in seen.items():
        tap.same(got[words], answer, f"{words} of {os.path.basename(repo)}, by {tool.name}")
rc, out, err = dag.run(["status"], theirs)
tap.ok(rc == 0 and "up to date" in out, "dag status agrees") or tap.diag(out + err)
driver.close()
tap.done()
