#!/usr/bin/python3
"""What dvc.yaml files stand for, by DVC's own word.  Runs in the interpreter that has DVC.

usage: pipeline_cases.py PROGRAM SEED COUNT      in an empty directory

Each case is a directory of files; PROGRAM prints what its dvc.yaml stands for.  Both say the same,
names in the same order, or both refuse.  The last line says how many of each there were.
"""
import json
import logging
import os
import random
import shutil
import subprocess
import sys

from dvc.config import Config
from dvc.fs import LocalFileSystem
from dvc.parsing import DataResolver
from dvc.utils.serialize import load_yaml

PARAMS = """\
lr: 1e-5
n: 1_000
hex: 0x1F
oct: 0o17
dec: 010
big: 123456789012345678901234567890
pi: 3.140
half: .5
inf: .inf
ninf: -.INF
nan: .NaN
yes: yes
on: 'on'
t: True
f: FALSE
none: ~
empty:
s: a b
q: "it's"
tilde: '~'
uni: "caf\\u00e9"
list: [u, v, 1.50]
mixed: [1, {a: b}, [2]]
nested: {a: {b: {c: deep, d: [x, {e: 5}]}}, 'k y': blank}
models:
  a: {x: 1, y: [1, 2]}
  b: {x: 2, y: [3]}
opts: {flag: true, off: false, deep: {k: "it's", l: {}}, l: [1, "a b", true, null, 1.0], none: null, e: []}
bad: {l: [[1]]}
1: intkey
false: boolkey
base: &base {m: 1, o: 2}
derived: {<<: *base, o: 3, p: 4}
"""

TOML = """\
title = "T"
lr = 1e-5
int = 1_000
hex = 0xff
inf = -inf
on = true
text = '''
first
 second'''
esc = "a\\tb\\u00e9\\\\"
arr = [1, [2.0, "x"], {a = 1}, ]
[train]
epochs = 10
opt.name = "adam"
opt.beta = 0.9
[[runs]]
id = 1
[[runs]]
id = 2
[runs.sub]
x = "y"
["quoted key"]
"a.b" = 1
"""

JSON = '{"lr": 0.001, "deep": {"a": [1, 2.50, true, null, "s"]}, "e": 1e22, "neg": -0.0, "u": "\\u00e9"}'

STAGES = [
    "a: {cmd: 'echo ${lr} ${n} ${hex} ${oct} ${dec} ${big}'}",
    "a: {cmd: '${pi} ${half} ${inf} ${ninf} ${nan} ${yes} ${on} ${t} ${f} ${none} ${empty} ${tilde}'}",
    "a: {cmd: 'x ${s} ${q} ${uni} ${list[0]} ${list[2]} ${list[-1]} ${ nested.a.b.c } ${nested.a.b.d[1].e}'}",
    "a: {cmd: 'x ${nested.k y}'}",
    "a: {cmd: 'x ${list[7]}'}",
    "a: {cmd: 'x ${list.a}'}",
    "a: {cmd: 'x ${lr.a}'}",
    "a: {cmd: 'x ${nosuch}'}",
    "a: {cmd: 'x ${list}'}",
    "a: {cmd: 'x ${opts}'}",
    "a: {cmd: ['x ${opts}', 'y ${models.a}']}",
    "a: {cmd: 'x ${bad}'}",
    "a: {cmd: 'x ${derived} ${base.m}'}",
    "a: {cmd: 'x \\${HOME} $${lr} $HOME ${ lr}'}",
    "a: {cmd: 'x ${}'}",
    "a: {cmd: 'x ${a..b}'}",
    "a: {cmd: 'x ${a[}'}",
    "a: {cmd: 'x ${list[0]x}'}",
    "a: {cmd: 'x ${list[0]} ${list[ 1 ]} ${list.0}'}",
    "a: {cmd: 'x ${a'}",
    "a: {cmd: 'x ${1}'}",
    "a: {cmd: x, deps: ['${s}', 'n${n}'], outs: ['${uni}': {cache: false}]}",
    "a: {cmd: x, deps: ['${list}']}",
    "a: {cmd: x, outs: ['d/${lr}': {persist: true, desc: '${q}'}], meta: {k: '${list}'}}",
    "a: {cmd: x, meta: {k: '${t}', l: ['${n}', 5]}}",
    "a: {cmd: 'x ${v}', vars: [{v: 1}]}",
    "a: {cmd: 'x ${v} ${nested.z}', vars: [{v: '2', nested: {z: 3}}]}",
    "a: {cmd: 'x', vars: [{lr: 1}]}",
    "a: {cmd: 'x', vars: ['nosuch.yaml']}",
    "a: {cmd: 'x ${title} ${train.epochs} ${train.opt.name}', vars: ['p.toml:title,train']}",
    "a: {cmd: 'x ${deep.a[1]} ${e} ${neg} ${u}', vars: ['p.json:deep,e,neg,u']}",
    "a: {cmd: 'x', vars: ['p.json']}",
    "a: {cmd: 'x', vars: ['p.json:nokey']}",
    "a: {cmd: 'x', vars: ['params.yaml']}",
    "a: {cmd: 'x', vars: ['params.yaml:lr']}",
    "a: {cmd: 'x ${sub}', wdir: d, vars: ['q.yaml']}",
    "a: {cmd: 'x ${sub}', wdir: '${dir}', vars: [{dir: d}, 'q.yaml']}",
    "a: {cmd: 'x ${sub}', wdir: '${s}', vars: ['../d/q.yaml']}",
    "a: {cmd: 'x', vars: [{v: '${lr}'}]}",
    "a: {foreach: [1.50, true, null, x, x, 0x10], do: {cmd: 'echo ${item}'}}",
    "a: {foreach: [{x: 1}, {x: 2}, 3], do: {cmd: 'echo ${item}'}}",
    "a: {foreach: [{x: 1}, {x: 2}], do: {cmd: 'echo ${item.x}', outs: ['o${item.x}']}}",
    "a: {foreach: {p: {x: 1}, 2: {x: 3}, true: {x: 4}}, do: {cmd: 'echo ${key} ${item.x}'}}",
    "a: {foreach: '${models}', do: {cmd: 'echo ${key} ${item.x} ${item.y[0]}', vars: [{w: 1}]}}",
    "a: {foreach: '${list}', do: {cmd: 'echo ${item}'}}",
    "a: {foreach: '${mixed}', do: {cmd: 'echo'}}",
    "a: {foreach: '${list}', do: {cmd: 'echo ${key}'}}",
    "a: {foreach: '${lr}', do: {cmd: x}}",
    "a: {foreach: ['${n}', 'p${s}', '${list}'], do: {cmd: 'x'}}",
    "a: {foreach: ['${n}', 'p${s}'], do: {cmd: 'x ${item}'}}",
    "a: {foreach: [], do: {cmd: x}}",
    "a: {foreach: [1], do: {cmd: x, vars: [{item: 5}]}}",
    "a: {foreach: [1], do: {cmd: 'x ${key}', vars: [{key: 5}]}}",
    "a: {foreach: [1, 2], do: {cmd: 'x ${v} ${item}', vars: [{v: 5}], wdir: 'w${item}'}}",
    "a: {matrix: {p: [1, 2], q: [a, {z: 1}, [3]]}, cmd: 'x ${item.p} ${key}'}",
    "a: {matrix: {p: '${list}', q: '${mixed}'}, cmd: 'x ${item.p} ${key}', outs: ['${key}']}",
    "a: {matrix: {p: '${list}', q: [1.50, null]}, cmd: 'x ${item.q}'}",
    "a: {matrix: {p: '${models}'}, cmd: x}",
    "a: {matrix: {p: []}, cmd: x}",
    "a: {matrix: {p: [1, 1], q: [x]}, cmd: 'x ${item.p}'}",
    "a: {matrix: {p: ['${n}', 's${s}']}, cmd: 'x ${item.p}'}",
    "a: {matrix: {p: [1], q: ['${nosuch}']}, cmd: 'x'}",
    "a: {cmd: x, always_changed: true, frozen: true, params: [lr, p.json: [lr]], desc: '${s}'}",
]

VARS = [None, None, "[{extra: 5}]", "[p.toml]", "['p.json:e']", "[p.json, {extra: {a: 1}}, {extra: {b: 2}}]",
        "['nosuch.yaml']", "[{lr: 1}]", "[{models: {c: {x: 9, y: []}}}]", "[{item: 7}]", "[params.yaml]", "['params.yaml:lr']",
        "['d/q.yaml', {nested: {a: {new: 1}}}]", "[{nested: {a: 5}}]"]


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def cases(seed, count, good):
    """Each alone; then some together, seldom with one that is refused."""
    for stage in STAGES:
        yield None, [stage]
    for var in VARS[2:]:
        yield var, ["a: {cmd: 'x ${lr}'}"]
    rnd = random.Random(seed)
    stages, lists = [s for v, s in good if v is None], [None] + [v for v, _ in good if v]
    for number in range(count):
        chosen = rnd.sample(stages if number % 8 else STAGES, rnd.randint(2, 4))
        yield rnd.choice(lists if number % 8 else VARS), [s.replace("a:", f"{'abcd'[i]}:", 1) for i, s in enumerate(chosen)]


class Repo:
    """As much of one as the resolver looks at."""

    def __init__(self, parsing):
        self.fs = LocalFileSystem()
        self.config = {"parsing": parsing}


def theirs(parsing):
    try:
        resolver = DataResolver(Repo(parsing), "", load_yaml("dvc.yaml"))
        made = {}
        for name in resolver.get_keys():
            made.update(resolver.resolve_one(name))
        return json.dumps(made, sort_keys=True) + "".join("\n" + name for name in made)
    except Exception as e:  # whatever it is, the file is refused
        return e


def main():
    logging.disable(logging.WARNING)
    program, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    same = refused = wrong = 0
    good = []
    for number, (var, stages) in enumerate(cases(seed, count, good)):
        shutil.rmtree("case", ignore_errors=True)
        os.mkdir("case")
        os.chdir("case")
        write("params.yaml", PARAMS)
        write("p.toml", TOML.replace("lr", "toml_lr"))
        write("p.json", JSON.replace('"lr"', '"json_lr"'))
        write("d/q.yaml", "sub: 7\n")
        write("dvc.yaml", (f"vars: {var}\n" if var else "") + "stages:\n" + "".join(f"  {s}\n" for s in stages))
        options, parsing = [], {}
        if number % 3 == 1:
            options, parsing = ["-n"], {"bool": "boolean_optional"}
        elif number % 3 == 2:
            options, parsing = ["-a"], {"list": "append"}
        wanted = theirs(parsing)
        got = subprocess.run([program, *options, "dvc.yaml"], capture_output=True, text=True, errors="replace")
        if isinstance(wanted, Exception) and got.returncode == 1 and "Sanitizer" not in got.stderr:
            refused += 1
        elif not isinstance(wanted, Exception) and got.returncode == 0 and got.stdout == wanted + "\n":
            same += 1
            good.append((var, stages[0]))
        else:
            wrong += 1
            print(f"case {number}: {open('dvc.yaml').read()}\nDVC: {wanted!r}\ndag: {got.stdout}{got.stderr}\n")
        os.chdir("..")
    print(f"{same} the same, {refused} refused by both, {wrong} wrong")
    return 1 if wrong else 0


sys.exit(main())
