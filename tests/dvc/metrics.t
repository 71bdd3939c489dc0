#!/usr/bin/python3 -B
"""What both tools show of params and metrics, and what they say has changed between revisions.

DAG_METRICS_SEED and DAG_METRICS_STEPS choose other edits and more than the usual.
"""
import json
import os
import random
import subprocess

import oracle
import tap
import tools

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
rnd = random.Random(int(os.environ.get("DAG_METRICS_SEED", "1")))
steps = int(os.environ.get("DAG_METRICS_STEPS", "5"))
repo = os.path.join(top, "repo")

FILES = {
    "params.yaml": """\
lr: 0.001
train:
  epochs: 10
  layers: [64, 32.5, 'a''b', null, true, {x: 1e-5, y: .inf}, "tab\\t"]
  deep: {x: 1e-5, y: {}, none: null}
unused: 3
names: [u, v]
""",
    "vars.yaml": "name: bob\nsub: {a: 1, b: [1, 2]}\nnever: 1\n",
    "other.json": '{"seed": 42, "list": [7, 8, 9], "b": {"c": {"d": 1}}}\n',
    "conf.toml": "a = 1\n[b]\nc = 2.50\n",
    "dvc.yaml": """\
vars:
- vars.yaml
- loc: {z: 9}
params:
- conf.toml
metrics:
- top.json
stages:
  train:
    cmd: echo ${name} ${loc.z} ${sub.a}
    params:
    - lr
    - train.epochs
    - train.layers
    - other.json: [seed, b.c]
    metrics:
    - metrics.json: {cache: false}
    - cached.yaml
    - dir
  many:
    foreach: ${names}
    do:
      cmd: echo ${item}
      metrics:
      - m_${item}.toml: {cache: false}
""",
    "metrics.json": '{"acc": 0.123456789, "loss": {"train": 1.5, "val": NaN}, "n": 10, "name": "x", "list": [1], "ok": true}\n',
    "cached.yaml": "auc: 0.98765432101\nday: 2024-01-01\nhex: 0x10\nempty: {a: {}}\n",
    "dir/a.json": '{"q": 1e20, "r": -0.0, "r": 7}\n',
    "dir/sub/b.yaml": "0.75\n",
    "top.json": '{"top": 1, "uni": "\\u65e5\\u672c", "big": 12345678901234567890123}\n',
    "m_u.toml": "f1 = 0.1\n",
    "m_v.toml": "f1 = 0.2\nday = 2024-01-01\nat = 2024-01-01 10:00:00\n[s]\nt = 'x'\n",
    "sub/dvc.yaml": "metrics: [m.yaml]\nparams: [p.yaml]\nstages:\n  s:\n    wdir: in\n    cmd: echo\n    params: [../p.yaml: [k]]\n"
                    "    metrics: [n.json: {cache: false}]\n",
    "sub/m.yaml": "deep: {er: {est: 3}}\n",
    "sub/p.yaml": "k: 1\nl: two\n",
    "sub/in/n.json": '{"n": 1}\n',
}


def path(name):
    return os.path.join(repo, name)


def write(name, text):
    tap.put_anew(path(name), text)


def git(*argv):
    subprocess.run(["git", "-C", repo] + list(argv), check=True, env=env, stdout=subprocess.DEVNULL)


def without_words(value):
    """Errors by their kind; the order of keys is kept."""
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        keys = [k for k, _ in value]
        if keys == ["type", "msg"]:
            return dict(value)["type"]
        return [(k, without_words(v)) for k, v in value]
    return repr(value)


def as_json(argv, out):
    """Of a diff DVC leaves the order to chance."""
    if "diff" in argv:
        return repr(sorted((p, sorted(kv)) for p, kv in json.loads(out, object_pairs_hook=list)))
    return without_words(json.loads(out, object_pairs_hook=list))


def as_table(argv, out):
    """Lines; of a diff the files by name, which DVC leaves to chance."""
    lines = out.split("\n")
    if "diff" not in argv:
        return lines
    head = 2 if "--md" in argv else 1
    rows = [line for line in lines[head:] if line]
    return lines[:head] + (sorted(rows) if "--no-path" in argv else sorted(rows, key=lambda r: r.strip("| ").split(" ")[0]))


def same(argv, cwd=""):
    ours = dag.run(argv, path(cwd))
    theirs = dvc.run(argv, path(cwd))
    read = as_json if "--json" in argv else as_table
    if ours[0] not in (0, 1) or theirs[0] != 0:
        return tap.same(ours, theirs, " ".join(argv))
    got, wanted = read(argv, ours[1]), read(argv, theirs[1])
    if got == wanted:
        return True
    tap.same(got, wanted, " ".join(argv) + (f" in {cwd}" if cwd else ""))
    tap.diag(ours[2] + theirs[2])
    return False


NUMBERS = ["1", "1.0", "-0.0", "0.1234567", "1e-7", "123456789.123456789", "1e22", "true", "null", "\"s\"", "[1, 2.5]", "{\"a\": 1}", "NaN",
           "-Infinity", "0.000015", "2.675", "1e16", "{}", "\"\"", "100000000000000000000"]


def number():
    return rnd.choice(NUMBERS)


EDITS = [
    lambda: write("metrics.json", '{"acc": %s, "loss": {"train": %s}, "more": %s}\n' % (number(), number(), number())),
    lambda: write("metrics.json", "%s\n" % number()),
    lambda: write("cached.yaml", "auc: %s\nlist: [%s]\n" % (rnd.choice(["1", ".nan", ".inf", "1_000", "0o17", "yes"]), rnd.random())),
    lambda: write("dir/a.json", '{"q": %s}\n' % rnd.random()),
    lambda: write("dir/c.yaml", "c: %d\n" % rnd.randint(0, 9)),
    lambda: os.path.exists(path("top.json")) and os.unlink(path("top.json")),
    lambda: write("top.json", FILES["top.json"]),
    lambda: write("top.json", '{"top": '),
    lambda: write("params.yaml", FILES["params.yaml"].replace("0.001", rnd.choice(["0.01", "x", "1e-3", "[1, x]", "{a: 1, b: {c: 2}}"]))),
    lambda: write("params.yaml", FILES["params.yaml"].replace("epochs: 10", "epochs: %d" % rnd.randint(1, 3)).replace("unused: 3", "used: {a: 3}")),
    lambda: write("params.yaml", FILES["params.yaml"].replace("[64, ", "[%d, " % rnd.randint(1, 3))),
    lambda: write("vars.yaml", FILES["vars.yaml"].replace("a: 1", "a: %s" % rnd.choice(["2", "2.5", "x"]))),
    lambda: write("other.json", '{"seed": %s, "b": {"c": {"d": %s}}}\n' % (number(), number())),
    lambda: write("conf.toml", "a = %d\n[b]\nc = %r\n" % (rnd.randint(0, 9), rnd.random())),
    lambda: write("sub/p.yaml", "k: %d\n" % rnd.randint(0, 9)),
]

for name, text in FILES.items():
    write(name, text)
subprocess.run(["git", "init", "-q", "-b", "main", repo], check=True, env=env)
dag, dvc = tools.both(python, env)
dvc.run(["init", "-q"], repo)


def record():
    """What a run would have recorded."""
    return dvc.run(["commit", "-f", "-q", "train"], repo)


for argv in (["metrics", "diff", "--json"], ["params", "diff", "--md"]):
    tap.ok(same(argv), "without a commit: " + " ".join(argv))
record()
git("add", "-A")
git("commit", "-qm", "one")
git("tag", "v1")
git("checkout", "-q", "-b", "side")

SHOWS = [["metrics", "show"], ["metrics", "show", "--md"], ["metrics", "show", "--json"], ["metrics", "show", "--precision", "2"]]
DIFFS = [["metrics", "diff"], ["metrics", "diff", "main", "--md"], ["metrics", "diff", "--json", "--all"], ["params", "diff"],
         ["params", "diff", "--json", "--all"], ["params", "diff", "main", "--md", "--deps"], ["metrics", "diff", "main", "workspace", "--no-path"]]
good = True
for argv in SHOWS + DIFFS:
    good = same(argv) and good
tap.ok(good, "nothing has changed")
done = 0
for step in range(steps):
    for _ in range(rnd.randint(1, 3)):
        rnd.choice(EDITS)()
    if not all([same(argv) for argv in rnd.sample(SHOWS, 1) + rnd.sample(DIFFS, 2)]):
        for name in ("metrics.json", "cached.yaml", "other.json", "params.yaml"):
            with open(path(name), encoding="utf-8") as f:
                tap.diag(f"{name}: {f.read()}")
        break
    done += 1
tap.ok(done == steps, f"{steps} edits of params and metrics")

for name in ("params.yaml", "top.json", "vars.yaml", "sub/p.yaml"):
    write(name, FILES[name])
write("params.yaml", FILES["params.yaml"].replace("0.001", "0.5"))
write("metrics.json", '{"acc": 1, "loss": {"train": 1.25}, "n": 12, "s": "t"}\n')
write("cached.yaml", "auc: 0.5\n")
record()
git("commit", "-qam", "two")
git("tag", "v2")
git("tag", "v2b")
# The cache has what the work tree has no more.
write("cached.yaml", "auc: 0.25\n")
os.unlink(path("dir/a.json"))
for argv, cwd in [
        (["metrics", "show", "-a"], ""), (["metrics", "show", "-a", "--json"], ""), (["metrics", "show", "-a", "-T", "--json"], ""),
        (["metrics", "show", "-T", "--md"], ""), (["metrics", "show", "-A"], ""),
        (["metrics", "diff", "v1", "v2"], ""), (["metrics", "diff", "v2", "v1", "--json"], ""), (["metrics", "diff", "workspace", "main"], ""),
        (["params", "diff", "v1", "v2", "--all"], ""), (["params", "diff", "v1", "v2", "--json"], ""),
        (["metrics", "show", "metrics.json", "sub/in", "--json"], ""), (["metrics", "show", "dir", "-R"], ""),
        (["metrics", "show", "params.yaml"], ""), (["metrics", "show", "--json"], "sub"), (["metrics", "show", "../top.json", "in"], "sub"),
        (["metrics", "diff", "main"], "sub"), (["params", "diff", "main"], "sub/in"),
        (["metrics", "diff", "main", "--targets", "cached.yaml"], ""), (["params", "diff", "main", "--targets", "params.yaml", "--json"], ""),
        (["metrics", "diff", "HEAD", "--precision", "1"], "")]:
    tap.ok(same(argv, cwd), " ".join(argv) + (f" in {cwd}" if cwd else ""))
git("checkout", "-q", ".")
dvc.run(["checkout", "-f", "-q"], repo)
tap.ok(same(["metrics", "show", "-a", "--json"]), "what the branch has is not told twice")
dvc.driver.close()
tap.done()
