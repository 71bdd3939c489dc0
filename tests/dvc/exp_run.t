#!/usr/bin/python3 -B
"""`dag exp run` beside `dvc exp run`: the same experiments from the same work tree, which DVC shows, lists and applies."""
import json
import os
import subprocess

import oracle
import tap
import tools

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
dag, dvc = tools.both(python, env)
root = os.path.join(top, "r")

FILES = {
    "params.yaml": "# how it learns\ntrain:\n  lr: 0.1  # rate\n  epochs: 3\nseed: 42\n",
    "more.toml": "# deeper\ndepth = 2 # layers\n",
    "one.json": "{\"w\": 1, \"v\": [1, {\"a\": \"x\"}]}",
    "train.sh": "lr=$(sed -n 's/.*lr: *\\([^ ]*\\).*/\\1/p' params.yaml)\necho \"model $lr\" > model.txt\n"
                "echo \"{\\\"acc\\\": $lr, \\\"loss\\\": {\\\"a\\\": 1}}\" > metrics.json\necho \"x,y\n1,$lr\" > plot.csv\n"
                "echo ${DVC_EXP_NAME#*-} $DVC_EXP_BASELINE_REV > env.txt\n",
    "data.txt": "data\n",
    "dvc.yaml": "stages:\n  train:\n    cmd: sh train.sh\n    deps: [data.txt, train.sh]\n    params:\n    - train\n    - more.toml: [depth]\n"
                "    outs:\n    - model.txt\n    - env.txt:\n        cache: false\n    metrics:\n    - metrics.json:\n        cache: false\n"
                "    plots:\n    - plot.csv:\n        cache: false\n"
                "  after:\n    cmd: cat model.txt model.txt > twice.txt\n    deps: [model.txt]\n    outs: [twice.txt]\n"
                "params: [extra.yaml]\n",
    "extra.yaml": "e: 1\n",
}


def sh(words):
    done = subprocess.run(words, shell=True, cwd=root, env=env, capture_output=True, text=True, errors="surrogateescape")
    if done.returncode:
        tap.diag(f"{words}: {done.stderr}")
    return done.stdout


def works(tool, *words, rc=0):
    return tap.works(tool, list(words), root, f"{tool.name} {' '.join(words)}: exit status {rc}", rc)


def ref(name):
    return [line for line in sh("git for-each-ref --format='%(refname)' refs/exps").split() if line.endswith("/" + name)][0]


def commit(name):
    """Message, parent, author and files of an experiment."""
    where = ref(name)
    files = {}
    for line in sh(f"git ls-tree -r {where}").splitlines():
        mode, kind, rest = line.split(" ", 2)
        if not rest.endswith("\t.dvc/tmp/repro.dat"):  # which DVC forgets there
            files[rest.split("\t")[1]] = (mode, sh(f"git cat-file {kind} {rest.split()[0]}"))
    return dict(files, said=sh(f"git log -1 --format='%P %an %ae %B' {where}"))


def same(ours, theirs, what):
    """Only what differs is shown."""
    keys = [k for k in sorted({*ours, *theirs}) if ours.get(k) != theirs.get(k)]
    tap.same({k: ours.get(k) for k in keys}, {k: theirs.get(k) for k in keys}, what)


def clean():
    sh("git checkout -q . && git clean -qfd")
    works(dvc, "checkout", "-q")


os.mkdir(root)
sh("git init -q -b main . && git config user.name Tester && git config user.email tester@example.com")  # libgit2 of DVC knows no $GIT_CONFIG_GLOBAL
works(dvc, "init", "-q")
for name, text in FILES.items():
    with open(os.path.join(root, name), "w") as f:
        f.write(text)
works(dvc, "add", "-q", "data.txt")
works(dvc, "repro", "-q")
sh("git add . && git commit -qm one")

# The same by both, from a work tree with changes.
pointers = {}
CASES = [
    ("plain", ["-S", "train.lr=0.5"]),
    ("added", ["-S", "+train.new={a: 1}", "-S", "more.toml:depth=3", "-S", "one.json:w=[2, 3]"]),
    ("stage", ["-S", "~train.epochs", "-S", "seed=1", "train"]),
    ("forced", ["-f"]),
]
for name, words in CASES:
    for tool, its in ((dag, "our-" + name), (dvc, "their-" + name)):
        with open(os.path.join(root, "train.sh"), "a") as f:
            f.write("# changed\n")
        with open(os.path.join(root, "staged.txt"), "w") as f:
            f.write("staged\n")
        sh("git add staged.txt")
        works(tool, "exp", "run", "-q", "-n", its, *words)
        sh("git rm -qf --cached staged.txt; rm -f staged.txt")
        clean()
    same(commit("our-" + name), commit("their-" + name), f"{name}: the same commit")

# The work tree as it is, kept by both: data, code, and a file that git does not track.
for tool, its in ((dag, "our-save"), (dvc, "their-save")):
    for name, text in (("data.txt", "other\n"), ("model.txt", "by hand\n"), ("loose.txt", "loose\n"), ("left.txt", "left\n")):
        with open(os.path.join(root, name), "w") as f:
            f.write(text)
    works(tool, "exp", "save", "-n", its, "-I", "loose.txt")
    pointers[its] = sh("cat data.txt.dvc dvc.lock; git status --porcelain")
    clean()
same(commit("our-save"), commit("their-save"), "save: the same commit")
tap.same(pointers["our-save"], pointers["their-save"], "... and the same is recorded")

# DVC shows ours.
shown = json.loads(works(dvc, "exp", "show", "--json"))
ours = {e["name"]: e["revs"][0]["data"] for s in shown for e in s.get("experiments") or []}
tap.same(ours["our-plain"]["metrics"], ours["their-plain"]["metrics"], "the same metrics to DVC")
tap.same(ours["our-plain"]["params"], ours["their-plain"]["params"], "the same params to DVC")
tap.same(sorted(works(dag, "exp", "list").split()), sorted(works(dvc, "exp", "list").split()), "both list all of them")
works(dvc, "exp", "apply", "-q", "our-plain")
with open(os.path.join(root, "model.txt")) as f:
    tap.same(f.read(), "model 0.5\n", "DVC applies ours, with its data")
clean()

works(dvc, "exp", "remove", "-q", "our-plain")
tap.same("our-plain" in works(dag, "exp", "list", "--name-only"), False, "DVC removes ours")
tap.same(sh("git fsck --strict --no-dangling 2>&1"), "", "git fsck finds nothing")
tap.same(sh("git status --porcelain"), "", "nothing is left in the work tree")
tap.done()
