#!/usr/bin/python3 -B
"""Whole repositories of DVC's: what dag does in them leaves no stray difference.

    repos.t [NAME...]

Some are made here; the others are those of the shared data, where that is at hand
(DAG_SHARED/data/dvc).
"""
import os
import re
import shutil
import sys
import tarfile

import tap
from tap import ok, same

python = tap.python(within=True)
import oracle
import walk
from draw import AWKWARD, tracked

top = tap.scratch()
source = os.environ.get("DAG_SOURCE", os.path.join(oracle.HERE, "../.."))


def put(w, path, text, mode=0o644):
    tap.put(w.place.path(path), text, mode)


def init(w, *argvs):
    for argv in (["init", "-q"],) + argvs:
        w.must_dvc(argv)


# The repositories.

def pipeline(w):
    """Stages with parameters, metrics and a run cache, an executable, imports from outside."""
    put(w, "../outside/one", "outside\n")
    put(w, "../outside/dir/a/b", "inside\n")
    put(w, "tool.sh", "#!/bin/sh\n", 0o755)
    put(w, "in.txt", "7\n")
    put(w, "params.yaml", "lr: 1e-3\nlist: [1, 2]\ndeep:\n  name: 'yes'\n")
    put(w, "dvc.yaml", """
stages:
  train:
    cmd: mkdir -p out && cp in.txt out/m && echo z > out/z && cat in.txt in.txt > model.bin && echo '{"auc":0.5}' > metrics.json
    deps: [in.txt]
    params: [lr, deep.name, list]
    outs:
    - model.bin
    - out
    metrics:
    - metrics.json: {cache: false}
  after:
    cmd: wc -c < model.bin > size.txt
    deps: [model.bin, out/m]
    outs: [size.txt: {persist: true}]
""".lstrip())
    init(w, ["add", "-q", "tool.sh"], ["import-url", "-q", "../outside/one", "imp"], ["import-url", "-q", "../outside/dir", "impd"],
         ["repro", "-q"])


def scalars(w):
    """A dvc.lock with what YAML writes in odd ways."""
    values = ["'123'", "'1e3'", "yes", "'true'", "''", "'null'", "'~'", "12:30:45", "0o17", "010", "0x1F", "1_000", "1e5", "1.50", ".inf",
              "-.5", "\"tab\\there\"", "\"two\\nlines\"", "'it''s'", "'- item'", "'a: b'", "'# c'", "'[x]'", "'{y}'", "'&a'", "'*b'", "'!t'", "'%d'",
              "'@at'", "'`tick'", "\"\\u00e9\\U0001F600\"", "' lead'", "'trail '", "'2020-01-01'", "'='", "'<<'", "null", "true", "123456789012345678901",
              "'" + "word " * 40 + "end'", "'" + "x" * 200 + "'", "[a, [b, {c: 1}], {}]", "{z: 1, a: {q: [1, 2.5e-7]}}"]
    put(w, "in", "x\n")
    put(w, "params.yaml", "".join(f"k{n}: {value}\n" for n, value in enumerate(values)) + "'odd key: x': 1\n'yes': 2\n")
    names = "".join(f"    - k{n}\n" for n in range(len(values)))
    put(w, "dvc.yaml", "stages:\n  s:\n    cmd: cp in o && echo '" + "a long command " * 12 + "' > /dev/null\n    deps:\n    - in\n    params:\n" + names + "    outs:\n    - o\n")
    init(w, ["repro", "-q"])


def names(link):
    def fill(w):
        """A directory with awkward names."""
        for n, name in enumerate(AWKWARD):
            put(w, "d/" + name, f"{n}\n")
            put(w, "d/" + name + "-dir/" + name, b"" if n % 3 == 0 else f"{n // 2}\n")
        put(w, "d/new\nline", "n\n")
        put(w, "d/\x7f\x01", "c\n")
        init(w, ["config", "cache.type", link], ["add", "-q", "d"])
    return fill


def matrix(w):
    """Stages made of foreach and matrix, in a directory below the root."""
    put(w, "sub/params.yaml", "m:\n  a: 1\n  b: x\n")
    put(w, "sub/work/dvc.yaml", """
vars: [../params.yaml]
stages:
  each:
    foreach: ${m}
    do:
      wdir: ..
      cmd: mkdir -p made && echo ${item} > made/${key}
      outs:
      - made/${key}
  grid:
    matrix:
      x: [1, 2.5]
      y: [p, {q: 1}]
    cmd: echo ${item.x} > g-${key}
    outs:
    - g-${key}
""".lstrip())
    init(w, ["repro", "-q", "-P"])


def legacy(w):
    """What DVC 2 wrote: entries without `hash`, objects at the top of the cache."""
    init(w)
    put(w, "lf", "a\nb\n")
    put(w, "crlf", "a\r\nb\r\n")
    put(w, "x/f", "1\r\n")
    put(w, "x/g", "2\n")
    both = "dd8c6a395b5dd36c56d23275028f526c"
    one, two = "b026324c6904b2a9cb4b88d6d61c81d1", "26ab0db90d72e28ad0ba1e22ee510510"
    listing = f'[{{"md5": "{one}", "relpath": "f"}}, {{"md5": "{two}", "relpath": "g"}}]'
    import hashlib
    whole = hashlib.md5(listing.encode()).hexdigest()
    for name, text in ((both, "a\nb\n"), (one, "1\r\n"), (two, "2\n"), (whole + ".dir", listing)):
        put(w, f".dvc/cache/{name[:2]}/{name[2:]}", text, 0o444)
    put(w, "lf.dvc", f"outs:\n- md5: {both}\n  size: 4\n  path: lf\n")
    put(w, "crlf.dvc", f"outs:\n- md5: {both}\n  size: 6\n  path: crlf\n")
    put(w, "x.dvc", f"outs:\n- md5: {whole}.dir\n  size: 5\n  nfiles: 2\n  path: x\n")
    put(w, ".gitignore", "/lf\n/crlf\n/x\n")


def by_hand(w):
    """Pointers that somebody has written, in several places."""
    put(w, "a", "hello\n")
    put(w, "data/b b", "more\n")
    put(w, "data/t/f", "1\n")
    init(w, ["add", "-q", "a", "data/b b", "data/t"])
    put(w, "a.dvc", "# the first\n\nouts:\n    -   path:   a   # here\n        # the sum\n        md5: b1946ac92492d2347c6235b4d2611184\n"
        "        hash: md5\n        size: 6\n        desc: >\n          folded\n          words\nmeta: {who: me, list: [1, two]}\n# end\n")
    put(w, "all.dvc", "wdir: data\ndesc: 'two of them'\nouts:\n- {path: b b, hash: md5, md5: 4129ef01b5f1ae08c0e2bab6d1dd5f1e}\n"
        "- path: t\n  hash: md5\n  labels:\n  - x\n")
    os.unlink(w.place.path("data/b b.dvc"))
    os.unlink(w.place.path("data/t.dvc"))
    w.must_dvc(["commit", "-q", "-f", "all.dvc"])


own = {"pipeline": pipeline, "scalars": scalars, "names as symlinks": names("symlink"), "names as copies": names("copy"),
       "names as hard links": names("hardlink"), "matrix": matrix, "legacy": legacy, "by hand": by_hand}


def shared():
    """The repositories of the shared data, unpacked; or none."""
    for where in (os.environ.get("DAG_SHARED"), source + "/../shared", source + "/../../shared"):
        archive = where and os.path.join(where, "data/dvc/dvc-3.64-repos.tar.gz")
        if archive and os.path.isfile(archive):
            with tarfile.open(archive) as tar:
                tar.extractall(top + "/given")
            return sorted(os.listdir(top + "/given"))
    return []


def given(name):
    def fill(w):
        shutil.copytree(f"{top}/given/{name}", w.place.repo, symlinks=True, dirs_exist_ok=True)
        # What is imported comes from a machine that is not this one: it is put beside the repository,
        # as it was, because DVC commits no import whose source is gone.
        for pointer, out, _ in tracked(w.place.repo):
            with open(w.place.path(pointer), encoding="utf-8") as f:
                text = f.read()
            if "\n  path: /" in text:
                there = "../outside/" + out
                copy = shutil.copytree if os.path.isdir(w.place.path(out)) else shutil.copy
                os.makedirs(w.place.path("../outside"), exist_ok=True)
                copy(w.place.path(out), w.place.path(there))
                put(w, pointer, re.sub(r"(?m)^  path: /.*$", "  path: " + there, text))
                w.must_dvc(["commit", "-q", "-f", pointer])
    return fill


# What is done in each.

def rerun(w, name):
    """All that has run runs again, in a copy for each tool: git sees the same, which is nothing in most."""
    if not any("dvc.lock" in files for _, _, files in os.walk(w.place.repo)):
        return
    left = {}
    for tool, argv in zip(w.tools, (["run"], ["repro"])):
        repo = os.path.join(os.path.dirname(w.place.repo), "again-" + tool.name)
        shutil.copytree(w.place.repo, repo, symlinks=True, ignore=shutil.ignore_patterns(".dag"))
        rc, out, err = tool.run(argv + ["-f", "-P"], repo, 300)
        seen = w.place.git("-C", repo, "status", "--porcelain")[1] + w.place.git("-C", repo, "diff")[1]
        left[tool.name] = (rc, seen.decode(errors="backslashreplace"))
        if rc != 0:
            tap.diag(out + err)
    same(left["dag"], left["dvc"], f"{name}: a full rerun leaves what DVC's leaves")
    # One was never run whole, another when its input was not executable yet.
    if name in own or left["dvc"][1] == "":
        same(left["dag"], (0, ""), "... and nothing is other than it was")


def visit(name, fill):
    """One repository.  As it is given the two tools do the same to it; once it is written as this
    DVC writes (a .dvc of somebody's own layout, a dvc.lock of an older YAML library), nothing that is
    done leaves a difference from what git has.
    """
    w = walk.Walk(os.path.join(top, name.replace(" ", "-")), ["dag", "dvc"], python, oracle.PROGRAM, fill=fill)
    w.remote = "near"
    save = [["git", "add", "-A"], ["git", "commit", "-q", "--allow-empty", "-m", "save"]]
    try:
        for op in [["dvc", "remote", "add", "-f", "-d", "near", "../near"]] + save:
            w.apply(op)
        w.ask()
        outs = sorted({out for _, out, _ in tracked(w.place.repo)})
        w.apply(["both", "0", "", "checkout", "-f"])
        # DVC commits all or nothing: not what has never run.
        commits = [] if w.table.used.get("nothing recorded") else [["both", "1", "", "commit", "-f"], ["both", "0", "", "commit"]]
        for op in commits[:1] + save:
            w.apply(op)
        good = True
        for op in (commits[1:] + [["both", "1", "", "push"]] + [["rm", out] for out in outs]
                   + [["lose", "cache", "-1"], ["both", "0", "", "pull"], ["both", "1", "", "checkout"],
                      ["both", "0", "", "gc", "-w", "-f"]]):
            w.apply(op)
            if op[0] == "both" and w.place.git("status", "--porcelain", "-z")[1]:
                good = False
                tap.diag(f"after {' '.join(op[3:])}:\n" + w.place.git("diff")[1].decode(errors="backslashreplace"))
        ok(good, f"{name}: {w.turns} turns, {w.asked} questions, and git sees nothing")
        rerun(w, name)
    except walk.Disagree as error:
        ok(False, name)
        tap.diag(str(error))
    finally:
        w.close()
        for line in w.table.report():
            print(f"# {name}: {line}")


there = {name: given(name) for name in shared()}
if not there:
    print("# SKIP the shared repositories, which are not here (DAG_SHARED/data/dvc)")
for name, fill in {**own, **there}.items():
    if name in sys.argv[1:] or not sys.argv[1:]:
        visit(name, fill)
tap.done()
