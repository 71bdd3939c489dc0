#!/usr/bin/python3 -B
"""The points, labels and order of plots, under both tools."""
import os
import subprocess

import answers
import oracle
import tap
import tools

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
repo = os.path.join(top, "repo")

FILES = {
    "dvc.yaml": """\
stages:
  train:
    cmd: echo
    plots:
    - loss.csv: {cache: false, x: epoch, y: loss, title: "The loss"}
    - hist.json: {cache: false}
    - pd: {cache: false}
    - many.yaml: {cache: false, y_label: "so", template: scatter}
plots:
- roc:
    template: simple
    x: fpr
    y: {a/roc.json: tpr, b/roc.json: tpr}
- conf.csv: {template: confusion, x: actual, y: predicted}
- multi:
    y: {hist.json: [acc, loss], loss.csv: loss}
    x_label: steps
- two:
    x: {loss.csv: epoch}
    y: {hist.json: acc}
- both:
    x: {hist.json: acc, loss.csv: epoch}
    y: {hist.json: loss, loss.csv: acc}
- fields:
    y: {loss.csv: [loss, acc]}
- b.tsv
- quoted.csv: {x: "the x", y: v, x_label: "X,\\"x\\""}
""",
    "loss.csv": "epoch,loss,acc\n0,1.5,0.1\n1,1.0,0.2\n2,0.5,0.7\n",
    "hist.json": '{"train": [{"acc": 0.1, "loss": 3}, {"acc": 0.2, "loss": 2e0}, {"acc": 0.3, "loss": NaN}]}\n',
    "a/roc.json": '{"roc": [{"fpr": 0, "tpr": 0}, {"fpr": 0.5, "tpr": 0.8}, {"fpr": 1, "tpr": 1}], "n": 3}\n',
    "b/roc.json": '{"roc": [{"fpr": 0, "tpr": 0}, {"fpr": 0.5, "tpr": 0.7}, {"fpr": 1, "tpr": 1}]}\n',
    "conf.csv": "actual,predicted\ncat,dog\ncat,cat\ndog,dog\n",
    "b.tsv": "x\ty\n1\t2\n3\t4\n",
    "many.yaml": "deep:\n  one: [{n: 1}, {n: 2}, {n: 3}]\n  two: [{m: a}, {m: b}]\nwords: [u, v]\n",
    "quoted.csv": 'the x,v\n1,"a ""b""\nc"\n\n2\n3,4\n',
    "pd/one.csv": "n\n1\n2\n",
    "pd/two.csv": "m\n1\n",
    "sub/dvc.yaml": "plots:\n- p.csv\n- named:\n    x: a\n    y: {p.csv: b}\n",
    "sub/p.csv": "a,b\n1,2\n2,3\n",
}


def path(name):
    return os.path.join(repo, name)


def write(name, text):
    tap.put(path(name), text)


def git(*argv):
    subprocess.run(["git", "-C", repo] + list(argv), check=True, env=env, stdout=subprocess.DEVNULL)


def same(argv):
    argv = ["plots"] + argv + ["--json", "--split"]
    ours, theirs = dag.run(argv, repo), dvc.run(argv, repo)
    if ours[0] != 0 or theirs[0] != 0:
        return tap.same(ours, theirs, " ".join(argv))
    got, wanted = answers.drawn(ours[1]), answers.drawn(theirs[1])
    for name in wanted:
        if repr(got.get(name)) != repr(wanted[name]):  # as text: NaN is equal to nothing
            return tap.same(repr(got.get(name)), repr(wanted[name]), " ".join(argv) + ": " + name)
    return tap.same(list(got), list(wanted), " ".join(argv))


for name, text in FILES.items():
    write(name, text)
subprocess.run(["git", "init", "-q", "-b", "main", repo], check=True, env=env)
dag, dvc = tools.both(python, env)
dvc.run(["init", "-q"], repo)
git("add", "-A")
git("commit", "-qm", "one")
git("tag", "v1")
write("loss.csv", "epoch,loss,acc\n0,1.4,0.1\n1,0.9,0.2\n2,0.4,0.7\n")
write("hist.json", FILES["hist.json"].replace("0.3", "0.25"))
write("pd/one.csv", "n\n1\n2\n3\n")
git("commit", "-qam", "two")
git("tag", "v2")
write("loss.csv", "epoch,loss,acc\n0,1.3,0.1\n1,0.8,0.2\n2,0.3,0.7\n")
for argv in (["show"], ["diff", "v1"], ["diff", "v1", "v2"], ["diff"], ["diff", "v2", "workspace", "v1"],
             ["show", "loss.csv", "-x", "acc", "-y", "loss", "--title", "T", "--x-label", "a", "--y-label", "b"],
             ["show", "roc"], ["diff", "v1", "--targets", "multi"], ["show", "pd"]):
    same(argv)
dvc.driver.close()
tap.done()
