#!/usr/bin/python3 -B
"""Experiments of both tools in one repository: each lists, applies and removes the other's."""
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
    "train.sh": "lr=$(sed -n 's/.*lr: *\\([^ ]*\\).*/\\1/p' params.yaml)\necho \"model $lr\" > model.txt\n"
                "echo \"{\\\"acc\\\": $lr, \\\"loss\\\": {\\\"a\\\": 1}}\" > metrics.json\n",
    "data.txt": "data\n",
    "dvc.yaml": "stages:\n  train:\n    cmd: sh train.sh\n    deps: [data.txt, train.sh]\n    params: [train]\n"
                "    outs: [model.txt]\n    metrics:\n    - metrics.json:\n        cache: false\n",
}


def sh(words):
    done = subprocess.run(words, shell=True, cwd=root, env=env, capture_output=True, text=True)
    if done.returncode:
        tap.diag(f"{words}: {done.stderr}")
    return done.stdout


def works(tool, *words, rc=0):
    return tap.works(tool, list(words), root, f"{tool.name} {' '.join(words)}: exit status {rc}", rc)


def refs():
    return {line.split()[1].split("/")[-1]: line.split()[0] for line in
            sh("git for-each-ref --format='%(objectname) %(refname)' refs/exps").splitlines()
            if len(line.split("/")) == 5}


def read(*names):
    texts = []
    for name in names:
        with open(os.path.join(root, name)) as f:
            texts.append(f.read())
    return texts


def clean():
    sh("git checkout -q . && git clean -qfd")
    works(dvc, "checkout", "-q")


os.mkdir(root)
sh("git init -q .")
works(dvc, "init", "-q")
for name, text in FILES.items():
    with open(os.path.join(root, name), "w") as f:
        f.write(text)
works(dvc, "add", "-q", "data.txt")
works(dvc, "repro", "-q")
sh("git add . && git commit -qm one")
base = sh("git rev-parse HEAD").strip()

# DVC's, seen by dag.
works(dvc, "exp", "run", "-q", "-n", "theirs", "-S", "train.lr=0.5")
clean()
theirs = refs()["theirs"]
tap.same(works(dag, "exp", "list"), works(dvc, "exp", "list"), "both list it with the same words")
tap.same(works(dag, "exp", "list", "--name-only", "-A"), "theirs\n", "by name")
tap.same(works(dag, "exp", "list", "--sha-only"), theirs + "\n", "by id")
works(dag, "exp", "apply", "-q", "theirs")
ours = read("params.yaml", "dvc.lock", "metrics.json", "model.txt")
state = sh("git status --porcelain") + sh("git rev-parse HEAD")
clean()
works(dvc, "exp", "apply", "-q", "theirs")
tap.same(ours, read("params.yaml", "dvc.lock", "metrics.json", "model.txt"), "applied by either: the same files")
tap.same(state, sh("git status --porcelain") + sh("git rev-parse HEAD"), "... the same to git")
clean()

# What was measured, as both tell it: two experiments, the work tree as one of them left it.
works(dvc, "exp", "run", "-q", "-n", "more", "-S", "train.lr=0.7", "-S", "+train.new=[1, 2]")
for argv in (["exp", "show"], ["exp", "show", "-n", "2", "--rev", "HEAD"], ["exp", "show", "-a", "--sha"], ["exp", "show", "-A"], ["exp", "show", "--hide-workspace"],
             ["exp", "show", "--param-deps", "-T"], ["exp", "diff"], ["exp", "diff", "theirs"], ["exp", "diff", "theirs", "more"],
             ["exp", "diff", "more", "HEAD", "--all"], ["exp", "diff", "--param-deps"]):
    argv = argv + ["--json"]
    tap.same(json.loads(works(dag, *argv)), json.loads(works(dvc, *argv)), " ".join(argv) + ": the same")
files = "(data|train[.]sh)"  # deps are columns of DVC's tables
for argv in (["exp", "show", "--md", "--drop", files], ["exp", "show", "--csv", "--drop", files, "--drop", "loss"],
             ["exp", "show", "--csv", "--drop", files, "--drop", "(acc|train.lr)", "--keep", "acc"],
             ["exp", "show", "--md", "--only-changed", "--drop", "Created"], ["exp", "show", "--csv", "--only-changed", "--drop", "Created"], ["exp", "show", "--md", "--sort-by", "acc", "--drop", files],
             ["exp", "show", "--csv", "--sort-by", "params.yaml:train.lr", "--sort-order", "desc", "--drop", files],
             ["exp", "diff", "--md"], ["exp", "diff", "theirs", "more", "--no-path"], ["exp", "diff", "more", "--all", "--precision", "2"]):
    tap.same(works(dag, *argv), works(dvc, *argv), " ".join(argv) + ": the same")
works(dvc, "exp", "remove", "-q", "more")
clean()

# What dag renames and branches DVC knows.
works(dag, "exp", "rename", "theirs", "other")
tap.same(works(dvc, "exp", "list", "--name-only"), "other\n", "DVC lists it by the new name")
works(dag, "exp", "branch", "other")
tap.same(sh("git rev-parse other-branch").strip(), theirs, "a branch of it")
works(dag, "exp", "remove", "-q", "other")
tap.same(works(dvc, "exp", "list", "--name-only", "-A"), "", "DVC sees that it is gone")

tap.same(sh("git fsck --strict --no-dangling 2>&1"), "", "git fsck finds nothing")
tap.done()
