#!/usr/bin/python3 -B
"""What deliberate.py lets pass, and what lies right beside it and must not pass."""
import hashlib
import json
import os
import subprocess

import tap
from tap import same

python = tap.python(within=True)
import deliberate
import oracle
from place import differences

top = tap.scratch()


def f(text, mode="0644", kind="file"):
    return kind, mode, text.encode()


def d(mode="0755"):
    return "directory", mode, b""


def staged(text):
    return "staged", "100644", hashlib.sha1(b"blob %d\0" % len(text) + text.encode()).hexdigest()


def left(argv, before, dag, dvc, outs=(), codes=(0, 0), err="", ever=(), ours=""):
    """The paths that no rule answers for, where both tools have changed ${before} so (None: gone)."""
    table = deliberate.Table(["dag", "dvc"], top)
    table.outs.update(ever)
    after = [{path: entry for path, entry in {**before, **side}.items() if entry} for side in (dag, dvc)]
    turn = table.turn(argv=argv.split(), cwd="", keep=0, before=before, after=after,
                      answers=[(codes[0], "", ours), (codes[1], "", err)], outs=set(outs))
    found = [path for path, _, _ in turn.unmeant(differences(*after))]
    return found + ([] if turn.same_end() else ["exit"])


def meant(name, *args, **more):
    same(left(*args, **more), [], name)


def seen(name, wanted, *args, **more):
    same(left(*args, **more), wanted, f"but not {name}")


OBJECT = "repo/.dvc/cache/files/md5/b1/946ac92492d2347c6235b4d2611184"
LISTED = '[{"md5": "b1946ac92492d2347c6235b4d2611184", "relpath": "a"}]'

# Permissions.
meant("permissions that were there", "checkout", {"repo/a": f("1", "0664")}, {}, {"repo/a": f("1")}, outs=["a"])
seen("executability", ["repo/a"], "checkout", {"repo/a": f("1", "0664")}, {}, {"repo/a": f("1", "0744")}, outs=["a"])
seen("permissions that dag made", ["repo/a"], "checkout", {"repo/a": f("1")}, {"repo/a": f("1", "0664")}, {}, outs=["a"])
seen("content", ["repo/a"], "checkout", {"repo/a": f("1", "0664")}, {}, {"repo/a": f("2")}, outs=["a"])
meant("executability inside a directory", "add d", {"repo/d/a": f("1", "0755")}, {}, {"repo/d/a": f("1")}, outs=["d"])
meant("those of a file that moves", "move -- a b", {"repo/a": f("1", "0600")}, {"repo/a": None, "repo/b": f("1", "0600")},
      {"repo/a": None, "repo/b": f("1")}, outs=["b"], ever=["a"])
meant("those of a file in what is removed", "remove d.dvc", {"repo/d/a": f("1", "0755")}, {}, {"repo/d/a": f("1")}, ever=["d"])
seen("those of a file that was never tracked", ["repo/e/a"], "remove d.dvc", {"repo/e/a": f("1", "0755")}, {}, {"repo/e/a": f("1")}, ever=["d"])
seen("others", ["repo/b"], "move -- a b", {"repo/a": f("1", "0600")}, {"repo/a": None, "repo/b": f("1", "0640")},
     {"repo/a": None, "repo/b": f("1")}, outs=["b"], ever=["a"])

# .gitignore.
meant("a blank at the end", "add x", {}, {"repo/.gitignore": f("/a\n/x\\ \n")}, {"repo/.gitignore": f("/a\n/x \n")})
meant("what git was told of it", "add x", {}, {"repo/.gitignore": f("/x\\ \n"), "git's index, .gitignore": staged("/x\\ \n")},
      {"repo/.gitignore": f("/x \n"), "git's index, .gitignore": staged("/x \n")})
seen("what git was told of something else", ["git's index, .gitignore"], "add x", {},
     {"repo/.gitignore": f("/x\\ \n"), "git's index, .gitignore": staged("/y\n")},
     {"repo/.gitignore": f("/x \n"), "git's index, .gitignore": staged("/x \n")})
seen("another line", ["repo/.gitignore"], "add x", {}, {"repo/.gitignore": f("/a\n/x\\ \n")}, {"repo/.gitignore": f("/b\n/x \n")})
meant("a line that had to be escaped", "remove b.dvc", {"repo/.gitignore": f("/a\n/\\[b\\]\n")}, {"repo/.gitignore": f("/a\n")}, {})
meant("the last of them", "remove b.dvc", {"repo/.gitignore": f("/\\[b\\]\n")}, {"repo/.gitignore": None}, {})
seen("one that had not", ["repo/.gitignore"], "remove b.dvc", {"repo/.gitignore": f("/a\n/b\n")}, {"repo/.gitignore": f("/a\n")}, {})
seen("a line that dag keeps", ["repo/.gitignore"], "remove b.dvc", {"repo/.gitignore": f("/a\n/\\[b\\]\n")}, {}, {"repo/.gitignore": f("/a\n")})
seen("one of an add", ["repo/.gitignore"], "add b", {"repo/.gitignore": f("/a\n/\\[b\\]\n")}, {"repo/.gitignore": f("/a\n")}, {})

# Pointers.
meant("a moved pointer with its comments", "move a b", {"repo/a.dvc": f("# mine\nouts:\n- path: a\n")},
      {"repo/a.dvc": None, "repo/b.dvc": f("# mine\nouts:\n- path: b\n")}, {"repo/a.dvc": None, "repo/b.dvc": f("outs:\n- path: b\n")})
seen("one that says something else", ["repo/b.dvc"], "move a b", {"repo/a.dvc": f("outs:\n- path: a\n")},
     {"repo/a.dvc": None, "repo/b.dvc": f("outs:\n- path: a\n")}, {"repo/a.dvc": None, "repo/b.dvc": f("outs:\n- path: b\n")})
seen("one that was not moved", ["repo/b.dvc"], "add b", {}, {"repo/b.dvc": f("# mine\nouts:\n- path: b\n")}, {"repo/b.dvc": f("outs:\n- path: b\n")})
AUTO = {"repo/.dvc/config": f("[core]\n    autostage = true\n"), "git's index, a.dvc": staged("old"), "repo/a.dvc": f("old")}
meant("a pointer that git is told of", "commit a.dvc", AUTO, {"repo/a.dvc": f("new"), "git's index, a.dvc": staged("new")}, {"repo/a.dvc": f("new")})
seen("without core.autostage", ["git's index, a.dvc"], "commit a.dvc", {**AUTO, "repo/.dvc/config": f("")},
     {"repo/a.dvc": f("new"), "git's index, a.dvc": staged("new")}, {"repo/a.dvc": f("new")})
seen("another content of it", ["git's index, a.dvc"], "commit a.dvc", AUTO, {"repo/a.dvc": f("new"), "git's index, a.dvc": staged("none")}, {"repo/a.dvc": f("new")})
seen("another file", ["git's index, x"], "commit a.dvc", AUTO, {"repo/x": f("x"), "git's index, x": staged("x")}, {"repo/x": f("x")})

seen("another content of a pointer that stays", ["git's index, a.dvc"], "remove b.dvc", AUTO, {"git's index, a.dvc": None}, {})
meant("a pointer that is gone", "remove a.dvc", AUTO, {"repo/a.dvc": None, "git's index, a.dvc": None}, {"repo/a.dvc": None})
seen("in another verb", ["git's index, a.dvc"], "add b", AUTO, {"repo/a.dvc": None, "git's index, a.dvc": None}, {"repo/a.dvc": None})
SHARED = {"repo/d/a": f("1", "0444", "shared file"), OBJECT: f("1", "0444", "shared file")}
meant("an object with a name less", "checkout", SHARED, {"repo/d/a": None, OBJECT: f("1", "0444")}, {}, ever=["d"])
seen("one of another content", [OBJECT], "checkout", {**SHARED, OBJECT: f("2", "0444", "shared file")}, {"repo/d/a": None, OBJECT: f("2", "0444")}, {}, ever=["d"])
seen("one whose file is the same", [OBJECT], "checkout", SHARED, {OBJECT: f("1", "0444")}, {}, ever=["d"])
TWO = {"repo/d/a": f("1", "0444", "shared file"), "repo/e": f("1", "0444", "shared file")}
meant("a file with a name less", "checkout", TWO, {"repo/d/a": None, "repo/e": f("1", "0444")}, {}, ever=["d"])
seen("one with a name more", ["repo/e"], "checkout", {**TWO, "repo/e": f("1", "0444")}, {"repo/d/a": None, "repo/e": f("1", "0444", "shared file")}, {}, ever=["d"])
seen("one that may be written", ["repo/e"], "checkout", TWO, {"repo/d/a": None, "repo/e": f("1")}, {}, ever=["d"])
seen("one whose other name is there", ["repo/e"], "checkout", TWO, {"repo/e": f("1", "0444")}, {}, ever=["d"])

# Stages.
LOCK = "schema: '2.0'\nstages:\n  s:\n    cmd: {}\n    deps:\n    - path: i\n      md5: {}\n    outs:\n    - path: o\n      md5: {}\n"
RUN = {"repo/.dvc/cache/runs": d(), "repo/.dvc/cache/runs/ab": d(), "repo/.dvc/cache/runs/ab/cd": f("md5: b1946ac92492d2347c6235b4d2611184\n")}
seen("what a stage reads", ["repo/dvc.lock"], "commit", {}, {"repo/dvc.lock": f(LOCK.format(1, 2, 3))}, {"repo/dvc.lock": f(LOCK.format(7, 8, 3))})
seen("what it makes", ["repo/dvc.lock"], "commit", {}, {"repo/dvc.lock": f(LOCK.format(1, 2, 3))}, {"repo/dvc.lock": f(LOCK.format(1, 2, 4))})
seen("all of it", ["repo/dvc.lock"], "commit", {}, {}, {"repo/dvc.lock": f(LOCK.format(1, 2, 3))})
seen("what an add does to it", ["repo/dvc.lock"], "add x", {}, {"repo/dvc.lock": f(LOCK.format(1, 2, 3))}, {"repo/dvc.lock": f(LOCK.format(7, 2, 3))})
seen("the run cache", ["repo/.dvc/cache/runs/ab/cd"], "commit", {}, {}, {"repo/.dvc/cache/runs/ab/cd": RUN["repo/.dvc/cache/runs/ab/cd"]})
seen("an object of nothing", [OBJECT], "commit", {}, {}, {OBJECT: f("hello\n", "0444")})

# What is missing.
LIST = "rem1/files/md5/12/34.dir"
meant("a list without its files on a remote", "push", {}, {}, {LIST: f(LISTED)})
seen("one with its files", [LIST], "push", {"rem1/files/md5/b1/946ac92492d2347c6235b4d2611184": f("hello\n")}, {}, {LIST: f(LISTED)})
meant("files of a list that a remote has", "push", {LIST: f(LISTED)}, {"rem1/files/md5/b1/946ac92492d2347c6235b4d2611184": f("hello\n")}, {})
seen("files of no list", ["rem1/files/md5/b1/946ac92492d2347c6235b4d2611184"], "push", {}, {"rem1/files/md5/b1/946ac92492d2347c6235b4d2611184": f("hello\n")}, {})
seen("other bytes of one", ["rem1/files/md5/b1/946ac92492d2347c6235b4d2611184"], "push", {LIST: f(LISTED)}, {"rem1/files/md5/b1/946ac92492d2347c6235b4d2611184": f("x")},
     {"rem1/files/md5/b1/946ac92492d2347c6235b4d2611184": f("hello\n")})
meant("what a gc protects", "gc -w", {OBJECT: f("hello\n", "0444")}, {}, {OBJECT: None})
seen("what it must not remove", [OBJECT], "gc -w", {OBJECT: f("hello\n", "0444")}, {OBJECT: None}, {})
UNKNOWN_USE = {"codes": (1, 0), "outs": ["d"], "ours": "dag: error: 'd' is tracked and has files here, but its list is not in the cache, so no\n"}
USED = {"repo/d.dvc": f("outs:\n- {md5: 1234.dir, path: d}\n"), "repo/d": d(), "repo/d/a": f("1"), OBJECT: f("hello\n", "0444")}
meant("what may be used", "gc -w", USED, {}, {OBJECT: None}, **UNKNOWN_USE)
seen("a directory whose list is there", ["exit"], "gc -w", {**USED, "repo/.dvc/cache/files/md5/12/34.dir": f(LISTED)}, {}, {}, **UNKNOWN_USE)
seen("one without files", ["exit"], "gc -w", {"repo/d.dvc": USED["repo/d.dvc"], "repo/d": d()}, {}, {}, **UNKNOWN_USE)
seen("one that is none", ["exit"], "gc -w", {**USED, "repo/d.dvc": f("outs:\n- {md5: 1234, path: d}\n")}, {}, {}, **UNKNOWN_USE)
seen("one that is not tracked", ["exit"], "gc -w", USED, {}, {}, **{**UNKNOWN_USE, "outs": []})
seen("a gc that has done something", ["exit"], "gc -w", USED, {OBJECT: None}, {OBJECT: None}, **UNKNOWN_USE)
seen("another verb", ["exit"], "push", USED, {}, {}, **UNKNOWN_USE)
NEAR = "repo/.dvc/cache/files/md5/12/34.dir"
meant("a list that a gc has read", "gc -w --cloud", {LIST: f(LISTED)}, {}, {NEAR: f(LISTED)})
seen("another one", [NEAR], "gc -w --cloud", {LIST: f("[]")}, {}, {NEAR: f(LISTED)})
seen("one that it needs not read", [NEAR], "gc -w", {LIST: f(LISTED)}, {}, {NEAR: f(LISTED)})
seen("a file that it has read", [OBJECT], "gc -w --cloud", {OBJECT.replace("repo/.dvc/cache", "rem1"): f("hello\n")}, {}, {OBJECT: f("hello\n")})
seen("a list that dag has brought", [NEAR], "gc -w --cloud", {LIST: f(LISTED)}, {NEAR: f(LISTED)}, {})
seen("what a checkout loses", [OBJECT], "checkout", {OBJECT: f("hello\n", "0444")}, {}, {OBJECT: None})
FAILED = "ERROR: Checkout failed for following targets:\nd\nIs your cache up to date?\n"
meant("a directory that is right without its list", "checkout", {"repo/d/a": f("1")}, {}, {"repo/d/a": None}, outs=["d"], codes=(0, 255), err=FAILED)
seen("another one", ["repo/e/a", "exit"], "checkout", {"repo/e/a": f("1")}, {}, {"repo/e/a": None}, outs=["d", "e"], codes=(0, 255), err=FAILED)
seen("one that dag fails at, too", ["exit"], "checkout", {"repo/d/a": f("1")}, {}, {}, outs=["d"], codes=(0, 255), err=FAILED)
UNKNOWN = "WARNING: No file hash info found for '/tmp/x/now/repo/d'. It won't be created.\n"
meant("what never ran", "checkout", {}, {}, {}, codes=(0, 255), err=UNKNOWN + FAILED)
seen("what else is missing beside it", ["exit"], "checkout", {}, {}, {}, codes=(0, 255), err=UNKNOWN + FAILED.replace("\nd\n", "\nd\ne\n"))
meant("objects that are nowhere", "push", {}, {}, {}, codes=(1, 0), err="Some of the cache files do not exist neither locally nor on remote")
seen("another failure", ["exit"], "push", {}, {}, {}, codes=(1, 0))
seen("one of DVC alone", ["exit"], "push", {}, {}, {}, codes=(0, 1), err="Some of the cache files do not exist neither locally nor on remote")
meant("what only one of two failures removes, and another name of it that both do", "checkout", {"repo/a": f("1", "0444", "shared file")},
      {"repo/a": f("1", "0444")}, {"repo/a": None}, codes=(1, 255))
seen("what they change", ["repo/a"], "checkout", {"repo/a": f("1", "0444", "shared file")}, {"repo/a": f("2", "0444")}, {"repo/a": None}, codes=(1, 255))
meant("an empty directory", "checkout", {"repo/d": d(), "repo/d/e": d()}, {}, {"repo/d/e": None}, outs=["d"])
meant("one beside a file", "checkout", {"repo/d": d(), "repo/d/e": d(), "repo/d/f": f("1")}, {}, {"repo/d/e": None}, outs=["d"])
seen("one with a file", ["repo/d/e", "repo/d/e/f"], "checkout", {"repo/d/e": d(), "repo/d/e/f": f("1")}, {}, {"repo/d/e": None, "repo/d/e/f": None}, outs=["d"])
meant("what no pointer names any more", "checkout", {"repo/d/a": f("1")}, {}, {"repo/d/a": None}, ever=["d"])
seen("what one names", ["repo/d/a"], "checkout", {"repo/d/a": f("1")}, {}, {"repo/d/a": None}, ever=["d"], outs=["d"])
meant("what an ignored one names", "checkout", {"repo/d": f("1"), "repo/.dvcignore": f("/d.*\n")}, {}, {"repo/d": None}, ever=["d"], outs=["d"])
seen("what is ignored itself", ["repo/d"], "checkout", {"repo/d": f("1"), "repo/.dvcignore": f("/d\n")}, {}, {"repo/d": None}, ever=["d"], outs=["d"])
meant("line ends", "commit", {"repo/a": f("1\r\n2\r\n")}, {}, {"repo/a": f("1\n2\n")})
seen("lines", ["repo/a"], "commit", {"repo/a": f("1\r\n2\r\n")}, {}, {"repo/a": f("1\n")})


meant("a file that was moved as it was", "move -- a b", {"repo/a": f("hi"), OBJECT: f("hi", "0444")}, {"repo/a": None, "repo/b": f("hi")},
      {"repo/a": None, "repo/b": f("hi", "0444", "shared file"), OBJECT: f("hi", "0444", "shared file")}, outs=["b"])
seen("another content", ["repo/b"], "move -- a b", {"repo/a": f("hi")}, {"repo/a": None, "repo/b": f("hi")}, {"repo/a": None, "repo/b": f("ho", "0444", "shared file")}, outs=["b"])
seen("another object", [OBJECT], "move -- a b", {"repo/a": f("hi"), OBJECT: f("x", "0444")}, {"repo/a": None, "repo/b": f("hi")},
     {"repo/a": None, "repo/b": f("hi", "0444", "shared file"), OBJECT: f("x", "0444", "shared file")}, outs=["b"])
meant("a file that is linked to its object", "add -- a", {"repo/a": f("hi"), OBJECT: f("hi", "0444")}, {"repo/a": f("hi", "0444", "shared file"),
      OBJECT: f("hi", "0444", "shared file")}, {}, outs=["a"])
seen("one that is linked and may be written", ["repo/a"], "add -- a", {"repo/a": f("hi")}, {"repo/a": f("hi", "0644", "shared file")}, {}, outs=["a"])
seen("one that is linked to another", ["repo/a"], "add -- a", {"repo/a": f("hi")}, {"repo/a": f("ho", "0444", "shared file")}, {}, outs=["a"])
seen("one of DVC's", ["repo/a"], "add -- a", {"repo/a": f("hi")}, {}, {"repo/a": f("hi", "0444", "shared file")}, outs=["a"])
seen("a file that was added", ["repo/b"], "add b", {"repo/b": f("hi")}, {}, {"repo/b": f("hi", "0444", "shared file")}, outs=["b"])
SLASHED = "ERROR: failed to commit b\\\\x - 'b/x' does not exist as an output"
meant("a backslash in a target", "commit b\\x", {}, {}, {}, codes=(0, 1), err=SLASHED)
seen("another target", ["exit"], "commit b/x", {}, {}, {}, codes=(0, 1), err=SLASHED)
POINTER = {"codes": (0, 1), "err": "ERROR: failed to commit b\\x.dvc - '/tmp/r/b/x.dvc' does not exist"}
meant("one that names its pointer", "commit b\\x.dvc", {"repo/b\\x.dvc": f("1")}, {"repo/b\\x.dvc": f("2"), OBJECT: f("hello\n")}, {}, **POINTER)
seen("another pointer", ["repo/a.dvc"], "commit b\\x.dvc", {"repo/a.dvc": f("1")}, {"repo/a.dvc": f("2")}, {}, **POINTER)
seen("the data", ["repo/b\\x"], "commit b\\x.dvc", {"repo/b\\x": f("1")}, {"repo/b\\x": f("2")}, {}, **POINTER)
seen("another verb", ["repo/b\\x.dvc"], "add b\\x.dvc", {"repo/b\\x.dvc": f("1")}, {"repo/b\\x.dvc": f("2")}, {}, **POINTER)
HOLE = {"codes": (1, 0), "ours": "it is neither in the cache nor on the remote"}
meant("a file that is nowhere, of a list", "push", {LIST: f(LISTED)}, {}, {}, **HOLE)
seen("one that the cache has", ["exit"], "push", {LIST: f(LISTED), OBJECT: f("hello\n")}, {}, {}, **HOLE)
seen("one of no list", ["exit"], "push", {}, {}, {}, **HOLE)
WITH_LIST = {"repo/d.dvc": f("outs:\n- {md5: 1234.dir, path: d}\n"), "repo/.dvc/cache/files/md5/12/34.dir": f(LISTED)}
NAMELESS = {"codes": (1, 0), "ours": "dag: error: d: 'b' is not in the list of 'd'\n", "outs": ["d"]}
meant("a path that its list has not got", "push -- d/b", WITH_LIST, {}, {}, **NAMELESS)
meant("a list that is pushed for it", "push -- d/b", WITH_LIST, {}, {LIST: f(LISTED)}, **NAMELESS)
seen("a path that its list has", ["exit"], "push -- d/a", WITH_LIST, {}, {}, **NAMELESS)
seen("one of another directory", ["exit"], "push -- e/b", WITH_LIST, {}, {}, **{**NAMELESS, "outs": ["d", "e"]})
seen("one whose list is nowhere", ["exit"], "push -- d/b", {"repo/d.dvc": WITH_LIST["repo/d.dvc"]}, {}, {}, **NAMELESS)
seen("what else is said beside it", ["exit"], "push -- d/b", WITH_LIST, {}, {}, **{**NAMELESS, "ours": "dag: error: no\n" + NAMELESS["ours"]})
seen("a refusal that has pushed something", ["rem1/files/md5/b1/946ac92492d2347c6235b4d2611184", "exit"], "push -- d/b", WITH_LIST,
     {"rem1/files/md5/b1/946ac92492d2347c6235b4d2611184": f("hello\n")}, {}, **NAMELESS)
seen("another list", ["rem1/files/md5/56/78.dir"], "push -- d/b", {**WITH_LIST, "rem1/files/md5/b1/946ac92492d2347c6235b4d2611184": f("hello\n")},
     {}, {"rem1/files/md5/56/78.dir": f(LISTED)}, **NAMELESS)
seen("in another verb", ["exit"], "commit -- d/b", WITH_LIST, {}, {}, **NAMELESS)
AWAY = {"codes": (2, 0), "ours": "dag: error: the directory of the remote 'rem2' does not exist: '/x/rem2'; is it mounted? the first push makes it\n"}
meant("a remote that is not there", "fetch --remote rem2", {"repo/a": f("x")}, {}, {}, **AWAY)
seen("one that is", ["exit"], "fetch --remote rem2", {"rem2/files": d()}, {}, {}, **AWAY)
seen("something got from it", [OBJECT, "exit"], "fetch --remote rem2", {}, {}, {OBJECT: f("hello\n")}, **AWAY)
seen("a push", ["exit"], "push --remote rem2", {}, {}, {}, **AWAY)
IGNORED = {"codes": (0, 1), "err": "ERROR: Path '/x/now/repo/y' is ignored by .dvcignore:2:y"}
meant("what DVC does not begin for an ignored path", "add a", {}, {"repo/a.dvc": f("x")}, {}, **IGNORED)
seen("what it has begun", ["repo/a.dvc", "repo/b"], "add a", {}, {"repo/a.dvc": f("x")}, {"repo/b": f("x")}, **IGNORED)
seen("what it does not begin for another reason", ["repo/a.dvc", "exit"], "add a", {}, {"repo/a.dvc": f("x")}, {}, codes=(0, 1), err="ERROR: no")
REFUSED = {"codes": (1, 0), "ours": "nothing was changed, as these files would be lost", "outs": ["a"]}
TRACKED = {"repo/a": f("new"), "repo/a.dvc": f("outs:\n"), "repo/.gitignore": f("/a\n")}
GONE = {path: None for path in TRACKED}
meant("data that is nowhere else", "remove --outs -- a.dvc", TRACKED, {}, GONE, **REFUSED)
seen("data that the cache has", sorted(TRACKED) + ["exit"], "remove --outs -- a.dvc", {**TRACKED, OBJECT: f("new", "0444")}, {}, GONE, **REFUSED)
seen("a refusal that has done something", ["repo/.gitignore", "repo/a", "repo/a.dvc", "exit"], "remove --outs -- a.dvc", TRACKED, {"repo/a.dvc": f("x")}, GONE, **REFUSED)
seen("without --outs", sorted(TRACKED) + ["exit"], "remove -- a.dvc", TRACKED, {}, GONE, **REFUSED)
HOLDS = {"repo/.dvcignore": f("x?\n"), "repo/d": d(), "repo/d/s": d(), "repo/d/s/x1": f("1")}
ALL = {path: None for path in HOLDS if path.startswith("repo/d")}
meant("an ignored file of a directory that goes", "remove --outs -- d.dvc", HOLDS, {}, ALL)
seen("one that is not ignored", ["repo/d/y"], "remove --outs -- d.dvc", {**HOLDS, "repo/d/y": f("1")}, {}, {**ALL, "repo/d/y": None})
seen("one that dag has changed", ["repo/d", "repo/d/s", "repo/d/s/x1"], "remove --outs -- d.dvc", HOLDS, {"repo/d/s/x1": f("2")}, ALL)
seen("one that a checkout takes", ["repo/d/s/x1"], "checkout", {**HOLDS, "repo/d/y": f("1")}, {}, {"repo/d/s/x1": None}, outs=["d"])
REAL = {"repo/a": ("link", "", b"real"), "repo/real": f("hello\n"), "repo/.dvc/config": f("[cache]\n    type = hardlink\n")}
NAMED = {"repo/a": f("hello\n", "0444", "shared file"), OBJECT: f("hello\n", "0444", "shared file")}
READ_ONLY = {**NAMED, "repo/real": NAMED["repo/a"]}
meant("what a link leads to that is added", "add -- a", REAL, NAMED, READ_ONLY, outs=["a"])
seen("what one leads to that is not", ["repo/real"], "add -- a", REAL, NAMED, READ_ONLY, outs=["b"])
seen("what none leads to", ["repo/real"], "add -- a", {**REAL, "repo/a": ("link", "", b"other")}, NAMED, READ_ONLY, outs=["a"])
seen("what dag makes of it", ["repo/real"], "add -- a", REAL, READ_ONLY, NAMED, outs=["a"])
seen("another content of it", ["repo/real"], "add -- a", REAL, NAMED, {**NAMED, "repo/real": f("x", "0444", "shared file")}, outs=["a"])


# Commits that DVC leaves out.
def git(*argv):
    return subprocess.run(("git",) + argv, cwd=top, env=env, check=True, capture_output=True, text=True).stdout.strip()


env = oracle.environment(top + "/home")
git("init", "-q")
for name, text in (("a.dvc", "outs:\n- {md5: aa11, path: a}\n"), ("x.dvc", "outs:\n- {md5: 1234.dir, path: x}\n"), (".dvcignore", "/x\n")):
    with open(f"{top}/{name}", "w") as out:
        out.write(text)
git("add", "a.dvc", "x.dvc")
git("commit", "-qm", "right")
git("add", ".dvcignore")
git("commit", "-qm", "ignored")
SENT = {"rem1/files/md5/aa": d(), "rem1/files/md5/aa/11": f("a"), "rem1/files/md5/b1/946ac92492d2347c6235b4d2611184": f("hello\n"), LIST: f(LISTED)}


def skipping(rev):
    return f"WARNING: failed to collect '{rev}', skipping\n"


for rev in (git("rev-parse", "HEAD"), "main", "main,other"):
    meant("what dag sends of " + rev, "push --all-commits", {}, SENT, {}, err=skipping(rev))
seen("of one that DVC cannot read for another reason", sorted(SENT), "push --all-commits", {}, SENT, {}, err=skipping("HEAD~1"))
seen("of one that it has read", sorted(SENT), "push --all-commits", {}, SENT, {})
seen("what that commit does not name", ["rem1/files/md5/bb/22"], "push --all-commits", {}, {**SENT, "rem1/files/md5/bb/22": f("b")}, {}, err=skipping("main"))
seen("what DVC sends", sorted(SENT), "push --all-commits", {}, {}, SENT, err=skipping("main"))
seen("what a gc keeps of it", sorted(SENT), "gc --all-commits", {}, SENT, {}, err=skipping("main"))

# Commits that name another remote.
os.mkdir(top + "/.dvc")
for number in (1, 2):
    with open(top + "/.dvc/config", "w") as out:
        out.write(f"[core]\n    remote = rem{number}\n")
    with open(top + "/a.dvc", "w") as out:
        out.write(f"outs:\n- {{md5: aa1{number}, path: a}}\n")
    git("add", "a.dvc", ".dvc/config")
    git("commit", "-qm", "with rem%d" % number)
NOW = {"repo/.dvc/config": f("[core]\n    remote = rem2\n")}
OURS, THEIRS, CACHED = ({path + "/files/md5/aa/11": f("x")} for path in ("rem2", "rem1", "repo/.dvc/cache"))
meant("the remote that a commit names", "push --all-commits", NOW, OURS, THEIRS)
meant("what is only there", "fetch --all-commits", NOW, {}, CACHED)
seen("the wrong way round", [*THEIRS, *OURS], "push --all-commits", NOW, THEIRS, OURS)
seen("a remote that is named", [*THEIRS, *OURS], "push --all-commits --remote rem2", NOW, OURS, THEIRS)
seen("a remote that no commit names", ["rem3/files/md5/aa/11"], "push --all-commits", NOW, OURS, {"rem3/files/md5/aa/11": f("x")})
seen("what those name that name the remote of now", ["rem1/files/md5/aa/12", "rem2/files/md5/aa/12"], "push --all-commits", NOW,
     {"rem2/files/md5/aa/12": f("x")}, {"rem1/files/md5/aa/12": f("x")})
seen("the commits of branches, which are others", [*THEIRS, *OURS], "push --all-branches", NOW, OURS, THEIRS)
seen("the work tree", [*THEIRS, *OURS], "push", NOW, OURS, THEIRS)
for name in ("a.dvc", "x.dvc", ".dvcignore"):
    os.unlink(f"{top}/{name}")


# Answers.
def agree(name, wanted, argv, dag, dvc, err="", outs=()):
    table = deliberate.Table(["dag", "dvc"], top)
    table.outs.update(outs)
    said = [(True, dag, ""), (dvc is not None, dvc, err)]
    same(table.same_answer(argv.split(), said), wanted, name if wanted else f"but not {name}")


DIFF = {"added": [], "deleted": [], "modified": [], "renamed": [], "not in cache": []}
os.symlink("nowhere", top + "/gone")
with open(top + "/there", "w") as out:
    out.write("x")
agree("all names of an object", True, "status --cloud --json", {"a": "new", "b": "new"}, {"a": "new"})
agree("one of them", False, "status --cloud --json", {"a": "new"}, {"a": "new", "b": "new"})
agree("another state of it", False, "status --cloud --json", {"a": "new", "b": "new"}, {"a": "deleted"})
agree("a file that is not known to be nowhere", False, "status --cloud --json", {"d/a": "missing"}, {"d/a": "deleted"})
agree("no answer for an ignored path", True, "status --json", {}, None, "ERROR: Path '/x/y' is ignored by .dvcignore:2:y")
agree("a tab in a name", True, "data status --json", {"committed": {"modified": ["a\tb", "c"]}},
      {"committed": {"added": ["a\tb"], "deleted": ["ab"], "modified": ["c"]}}, outs=["a\tb"])
agree("one that another is paired with", True, "data status --json", {"committed": {"added": ["c"]}},
      {"committed": {"added": ["a\tb"], "renamed": [{"old": "ab", "new": "c"}]}}, outs=["a\tb"])
agree("one that is paired with another", True, "diff --json", dict(DIFF, deleted=[{"path": "c"}]),
      dict(DIFF, deleted=[{"path": "ab"}], renamed=[{"path": {"old": "c", "new": "a\tb"}}]), outs=["a\tb"])
agree("another file than the one that it is paired with", False, "data status --json", {"committed": {"added": ["d"]}},
      {"committed": {"added": ["a\tb"], "renamed": [{"old": "ab", "new": "c"}]}}, outs=["a\tb"])
agree("one between two that are paired", True, "data status --json", {"committed": {"renamed": [{"old": "c", "new": "d"}]}},
      {"committed": {"renamed": [{"old": "ab", "new": "d"}, {"old": "c", "new": "a\tb"}]}}, outs=["a\tb"])
agree("one beside two that are not", False, "data status --json", {"committed": {"renamed": [{"old": "c", "new": "e"}]}},
      {"committed": {"renamed": [{"old": "ab", "new": "d"}, {"old": "c", "new": "a\tb"}]}}, outs=["a\tb"])
agree("two of them", True, "data status --json", {}, {"committed": {"renamed": [{"old": "ab", "new": "a\tb"}]}}, outs=["a\tb"])
agree("in one that is not tracked", False, "data status --json", {"committed": {"modified": ["a\tb"]}}, {"committed": {"added": ["a\tb"]}}, outs=["c"])
agree("what else differs", False, "data status --json", {"committed": {"modified": ["a\tb", "c"]}}, {"committed": {"added": ["a\tb", "c"]}}, outs=["a\tb"])
agree("a tab in ls", True, "ls --json", [{"path": "a\tb/c", "size": 1}], [{"path": "ab/c", "size": 1}])
agree("a # in it", True, "ls --json", [{"path": "d/#h/#x"}, {"path": "e"}], [{"path": "d#h/#x"}, {"path": "e"}])
agree("one in a directory", True, "data status --json", {}, {"committed": {"renamed": [{"old": "#h", "new": "d/#h"}]}}, outs=["d/#h"])
agree("one deeper", True, "diff --json", dict(DIFF, deleted=[{"path": "d/e/#h"}]), dict(DIFF, deleted=[{"path": "d#h"}]), outs=["d/e/#h"])
agree("another file of that name", False, "diff --json", dict(DIFF, deleted=[{"path": "d/e/#h"}]), dict(DIFF, deleted=[{"path": "e#h"}]), outs=["d/e/#h"])
agree("one in a name", False, "data status --json", {}, {"committed": {"renamed": [{"old": "#h", "new": "d/a#h"}]}}, outs=["d/a#h"])
agree("another size of it", False, "ls --json", [{"path": "a\tb/c", "size": 1}], [{"path": "ab/c", "size": 2}])
agree("a link that leads nowhere", True, "status --json", {"a.dvc": [{"changed outs": {"gone": "deleted"}}]}, None,
      f"ERROR: unexpected error - [Errno 2] No such file or directory: '{top}/gone'")
agree("something else that is missing", False, "status --json", {}, None, f"ERROR: unexpected error - [Errno 2] No such file or directory: '{top}/never'")
agree("another failure", False, "status --json", {}, None, "ERROR: no")
agree("one of another question", False, "data status --json", {}, None, f"ERROR: unexpected error - [Errno 2] No such file or directory: '{top}/gone'")
os.symlink(".", top + "/dirlink")
agree("an untracked link to a directory", True, "data status --json", {"untracked": ["dirlink"]}, {})
agree("an untracked file", False, "data status --json", {"untracked": ["there"]}, {})
os.symlink("there", top + "/filelink")
agree("an untracked link to a file", False, "data status --json", {"untracked": ["filelink"]}, {})
agree("a deleted link", True, "diff --json", dict(DIFF, deleted=[{"path": "gone"}]), dict(DIFF, modified=[{"path": "gone"}]))
agree("a deleted file", False, "diff --json", dict(DIFF, deleted=[{"path": "there"}]), dict(DIFF, modified=[{"path": "there"}]))
agree("a directory that is known by its files", True, "data status --json --granular", {"not_in_cache": ["d/", "d/a"]},
      {"not_in_cache": ["d/"], "uncommitted": {"unknown": ["d/a", "d/s/"]}})
agree("a file of another one", False, "data status --json --granular", {"not_in_cache": ["d/", "e/a"]},
      {"not_in_cache": ["d/"], "uncommitted": {"unknown": ["d/a"]}})
agree("that a list is missing", False, "data status --json --granular", {}, {"not_in_cache": ["d/"], "uncommitted": {"unknown": ["d/a"]}})
agree("a file that begins like another", False, "data status --json --granular", {"not_in_cache": ["d", "da"]},
      {"not_in_cache": ["d"], "uncommitted": {"unknown": ["da"]}})
agree("the same in a diff", False, "diff --json", dict(DIFF, **{"not in cache": [{"path": "d"}, {"path": "da"}]}), dict(DIFF, **{"not in cache": [{"path": "d"}]}))
agree("the same in a diff", True, "diff --json", dict(DIFF, **{"not in cache": [{"path": "d/"}, {"path": "d/a"}]}), dict(DIFF, **{"not in cache": [{"path": "d/"}]}))
agree("one file more", False, "diff --json", dict(DIFF, **{"not in cache": [{"path": "d/"}, {"path": "e"}]}), dict(DIFF, **{"not in cache": [{"path": "d/"}]}))
agree("directories inside", True, "data status --json --granular", {"committed": {"unknown": ["d/s/a"]}}, {"committed": {"unknown": ["d/s/", "d/s/a"]}})
agree("files that dag does not tell", False, "data status --json --granular", {"committed": {"unknown": ["d/s/a"]}}, {"committed": {"unknown": ["d/s/", "d/s/a", "d/s/b"]}})
agree("what a stage reads", False, "status --json", {"s": [{"changed outs": {"o": "modified"}}]},
      {"s": [{"changed deps": {"i": "modified"}}, {"changed outs": {"o": "modified"}}, "changed command"], "t": ["always changed"]})
agree("what it makes", False, "status --json", {}, {"s": [{"changed deps": {"i": "modified"}}, {"changed outs": {"o": "modified"}}]})
with open(top + "/dvc.yaml", "w") as out:
    out.write("stages:\n  n: {cmd: x, outs: [n, o]}\n")
with open(top + "/dvc.lock", "w") as out:
    out.write("stages:\n  n:\n    outs:\n    - {path: o, md5: x}\n")
agree("an output that was never there", True, "diff --json", {}, dict(DIFF, deleted=[{"path": "n"}]))
agree("one that was", False, "diff --json", {}, dict(DIFF, deleted=[{"path": "o"}]))
agree("data with a pointer of its own", False, "diff --json", {}, dict(DIFF, deleted=[{"path": "p"}]), outs=["p"])
agree("dag's own state", True, "ls --json", [], [{"path": ".dag/index.db"}])
agree("anything else of that sort", False, "ls --json", [], [{"path": ".dagx"}])
agree("anything else", False, "data status --json", {}, json.loads('{"untracked": ["x"]}'))
tap.done()
