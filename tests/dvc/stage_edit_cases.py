"""What stage_edit.t has both tools do: cases of (name, files, steps), and options of a case.

`files` are put over BASE; None takes one away, a name with a slash at its end is a directory.  A step is a list
of words that both tools understand, from `cwd`; ROOT in a word or a text is the repository.  `ok` says
whether the last step is to succeed.  Other options: autostage; tracked (files that git knows), rest
(only the exit status is compared, as what is left is another), list (what is printed is compared, too).
"""

COMMENTED = """\
# All that there is.
vars:
- conf.yaml   # beside params.yaml

stages:
  # The first one.
  prepare:
    cmd: >-
      python prepare.py
      --in raw --out 'clean'
    deps: ["raw", 'prepare.py']   # both
    outs:
      - clean:
          cache: true
    # behind it

  train:   # the second
    desc: "it's long"
    cmd: |
      echo 1
      echo 2
    wdir: ./sub/
    params: [lr, "n", {other.json: [b, a]}]
    deps:
    - ../clean
    - x   # last
    metrics:
    - m.json: {cache: false}
    - n.json:
        cache: no
        desc: of n
    outs: [z, y]
    meta: {who: me, when: 1_000}


  eval:
    cmd: ["a", 'b']
    frozen: false
    always_changed: yes
    plots:
      - p.csv: {y: b, x: a, cache: false, title: "T"}
      - q.csv
plots:
- p.csv   # drawn
# the end
"""
COMMENTED = COMMENTED.replace("cache: no\n", "cache: false\n").replace("changed: yes", "changed: true")

TEMPLATES = """\
stages:
  plain:
    cmd: echo plain
    outs: [plain.txt]
  templ:
    cmd: echo ${lr}
    outs: ["${name}.txt"]
  each:
    foreach: [1, 2]
    do:
      cmd: echo ${item}
      outs: ["each${item}.txt"]
  grid:
    matrix: {a: [1, 2], b: [x]}
    cmd: echo ${item.a} ${item.b}
    outs: ["grid-${item.a}-${item.b}"]
  escaped:
    cmd: echo \\${HOME}
  local:
    vars: [{k: 1}]
    cmd: echo
"""

LOCK = """\
schema: '2.0'
stages:
  prepare:
    cmd: x
    deps:
    - path: raw
      hash: md5
      md5: d41d8cd98f00b204e9800998ecf8427e
      size: 0
    outs:
    - path: clean
      hash: md5
      md5: d41d8cd98f00b204e9800998ecf8427e
      size: 0
  eval:
    cmd:   # hand written
    - a
    - b
    outs:
    - path: q.csv
      hash: md5
      md5: d41d8cd98f00b204e9800998ecf8427e
      size: 0
"""

DVC_FILE = """\
# by hand
outs:
- md5: d41d8cd98f00b204e9800998ecf8427e
  size: 0   # nothing in it
  hash: md5
  path: data.csv
desc: 'some data'
"""

BASE = {"params.yaml": "lr: 1\nname: nn\nn: 2\n", "conf.yaml": "c: 1\n", "sub/": None, "raw": "r\n"}
TWO = {"dvc.yaml": "stages:\n  a:\n    cmd: echo\n    deps: [raw]\n    outs: [a.out, dir/x]\n",
       "sub/dvc.yaml": "stages:\n  b:\n    cmd: echo\n    deps: [../a.out]\n    outs: [b.out]\n"}
LONG = "x" * 90

cases = []


def case(name, files, *steps, **how):
    cases.append(dict(name=name, files={**BASE, **files}, steps=steps, **how))


def add(*words):
    return ["stage", "add", *words]


# A new file.
case("added and run", {}, add("-n", "a", "-d", "raw", "-p", "lr", "-o", "out", "-O", "sub/x", "--run", "cp raw out; cp raw sub/x"), ok=True)
case("added and run below", TWO, add("-n", "c", "-d", "../raw", "-o", "c.out", "--run", "cp ../raw c.out"), cwd="sub", ok=True)
case("added, run and failed", {}, add("-n", "a", "-o", "out", "--run", "false"), ok=False, rest=True)
case("nothing but a command", {}, add("-n", "a", "echo"), ok=True)
case("all kinds of outputs", {"d/": None},
     add("-n", "all", "-o", "o", "-O", "O", "--outs-persist", "op", "--outs-persist-no-cache", "opn", "-m", "m",
         "-M", "M", "--plots", "p", "--plots-no-cache", "pn", "-o", "d/o", "-d", "raw", "-d", "b", "-d", "a",
         "python", "x.py"), ok=True, autostage=True)
case("words of the command", {}, add("-n", "a", "echo", "a b", "", 'say "hi" x', "it's", "-n", "-x", "--name"), ok=True)
case("one word with blanks", {}, add("-n", "a", "echo 'a b' && true # not a comment"), ok=True)
case("a long command", {}, add("-n", "a", "python", "-m", "some.module", "--alpha=1", "--beta", "two", LONG, "tail"), ok=True)
case("a command of lines", {}, add("-n", "a", "echo 1\necho 2\n"), ok=True)
case("a command with a colon", {}, add("-n", "a", "echo: x #y"), ok=True)
case("a command that looks like a number", {}, add("-n", "a", "1_000"), ok=True)
case("no command", {}, add("-n", "a"), ok=False)
case("an empty command", {}, add("-n", "a", ""), ok=False)
case("no name", {}, add("echo"), ok=False)
case("an empty name", {}, add("-n", "", "echo"), ok=False)
for bad in ("a.b", "a:b", "a@b", "a/b", "a$", "a~", "(a)", 'a"', "a\\", "${x}"):
    case(f"the name {bad}", {}, add("-n", bad, "echo"), ok=False)
for good in ("a-b", "a_b", "a b", "é", "1", "true", "null", "-a", "a\tb", "1.5".replace(".", "_"), " a"):
    case(f"the name {good!r}", {}, add(f"--name={good}", "echo"), ok=True)
case("a description", {}, add("-n", "a", "--desc", "what: it is\nfor", "--always-changed", "echo"), ok=True)
case("an empty description", {}, add("-n", "a", "--desc", "", "echo"), ok=True)

# Params.
case("params", {}, add("-n", "a", "-p", "n,lr", "-p", "other.json:b,a", "-p", "p.toml:", "-p", "z.z", "echo"), ok=True)
case("params twice", {}, add("-n", "a", "-p", "lr,lr", "-p", "params.yaml:a", "-p", "x:y:k", "-p", "b.yaml:,,", "echo"), ok=True)
case("all params", {}, add("-n", "a", "-p", "", "echo"), ok=True)
case("all, and some", {}, add("-n", "a", "-p", "params.yaml:", "-p", "lr", "echo"), ok=True)
case("params that are a dependency", {}, add("-n", "a", "-p", "lr", "-d", "params.yaml", "echo"), ok=False)
case("params under two names", {}, add("-n", "a", "-p", "lr", "-p", "./params.yaml:n", "echo"), ok=False)
case("params with the name as typed", {}, add("-n", "a", "-p", "./params.yaml:n", "-p", "a.yaml:x", "echo"), ok=True)
case("params that it makes", {}, add("-n", "a", "-p", "made.yaml:x", "-o", "made.yaml", "echo"), ok=False)
case("params of dvc.yaml", {}, add("-n", "a", "-p", "dvc.yaml:x", "echo"), ok=False)

# Paths.
case("paths as typed", {}, add("-n", "a", "-d", "./raw", "-d", "sub/../b", "-o", "sub//c", "-o", "./d", "echo"), ok=True)
case("paths that are absolute", {}, add("-n", "a", "-d", "ROOT/raw", "-o", "ROOT/sub/out", "-w", "sub", "echo"), ok=True)
case("an absolute path elsewhere", {}, add("-n", "a", "-d", "/etc/hosts", "-O", "/tmp/nothing/here", "echo"), ok=True)
case("an output elsewhere", {}, add("-n", "a", "-o", "/tmp/nothing/here", "echo"), ok=False)
case("an output above", {}, add("-n", "a", "-o", "../here", "echo"), ok=False)
case("an output above, not for the cache", {}, add("-n", "a", "-O", "../here", "echo"), ok=True)
case("a dependency above", {}, add("-n", "a", "-d", "../here", "echo"), ok=True)
case("the repository", {}, add("-n", "a", "-o", ".", "echo"), ok=False)
case("an empty output", {}, add("-n", "a", "-o", "", "echo"), ok=False)
case("an empty dependency", {}, add("-n", "a", "-d", "", "echo"), ok=False)
case("odd names", {"d/": None}, add("-n", "a", "-o", "d/a b", "-o", "#x", "-o", "é", "-o", "*", "-o", "- y", "-d", "k: v",
                                    "-d", "'q'", "-d", "!t", "-o", "[1]", "echo"), ok=True)
case("a .dvc file", {}, add("-n", "a", "-o", "x.dvc", "echo"), ok=False)
case("a .dvc file as dependency", {}, add("-n", "a", "-d", "x.dvc", "echo"), ok=False)
case("dvc.yaml as an output", {}, add("-n", "a", "-o", "sub/dvc.yaml", "echo"), ok=False)
case("dvc.lock as a dependency", {}, add("-n", "a", "-d", "dvc.lock", "echo"), ok=True)
case("an output twice", {}, add("-n", "a", "-o", "x", "-m", "./x", "echo"), ok=False)
case("a dependency twice", {}, add("-n", "a", "-d", "x", "-d", "sub/../x", "echo"), ok=False)
case("needed and made", {}, add("-n", "a", "-d", "x", "-o", "x", "echo"), ok=False)
case("one output in another", {}, add("-n", "a", "-o", "x", "-o", "x/y", "echo"), ok=False)
case("a part of what it makes", {}, add("-n", "a", "-d", "x/y", "-o", "x", "echo"), ok=False)
case("all of what it makes a part of", {}, add("-n", "a", "-d", "x", "-o", "x/y", "echo"), ok=False)
case("an ignored output", {".dvcignore": "*.tmp\n"}, add("-n", "a", "-o", "x.tmp", "echo"), ok=False)
case("an ignored dependency", {".dvcignore": "*.tmp\n"}, add("-n", "a", "-d", "x.tmp", "echo"), ok=True)
case("an output below what is ignored", {".dvcignore": "/big\n"}, add("-n", "a", "-O", "big/x", "echo"), ok=False)

# Directories.
case("a working directory", {}, add("-n", "a", "-w", "sub", "-d", "x", "-o", "y", "-p", "lr", "echo"), ok=True, autostage=True)
case("one that is spelt oddly", {}, add("-n", "a", "-w", "./sub/../sub//", "-o", "../y", "echo"), ok=True)
case("one that is here", {}, add("-n", "a", "-w", ".", "-o", "y", "echo"), ok=True)
case("one that is absolute", {}, add("-n", "a", "-w", "ROOT/sub", "-o", "y", "echo"), ok=True)
case("one that is not there", {}, add("-n", "a", "-w", "nope", "echo"), ok=False)
case("one that is a file", {}, add("-n", "a", "-w", "raw", "echo"), ok=False)
case("one outside", {}, add("-n", "a", "-w", "..", "echo"), ok=False)
case("in a directory", {}, add("-n", "a", "-d", "../raw", "-o", "x", "-o", "../y", "echo"), ok=True, cwd="sub", autostage=True)
case("in a directory, working above", {}, add("-n", "a", "-w", "..", "-d", "raw", "-o", "x", "echo"), ok=True, cwd="sub")
case("a directory that is not there", {}, add("-n", "a", "-O", "k", "-o", "later/x", "echo"), ok=True, autostage=True)

# .gitignore.
case("what git ignores already", {".gitignore": "*.bin\n/k\n"}, add("-n", "a", "-o", "x.bin", "-o", "k", "-o", "z", "echo"), ok=True, autostage=True)
case("a .gitignore without an end", {".gitignore": "x"}, add("-n", "a", "-o", "z", "echo"), ok=True, autostage=True)
case("an ignored directory", {".gitignore": "d/\n", "d/": None}, add("-n", "a", "-o", "d", "echo"), ok=True)
case("a dvc.yaml that git ignores", {".gitignore": "dvc.yaml\n"}, add("-n", "a", "echo"), ok=False)
case("an output that git tracks", {}, add("-n", "a", "-o", "raw", "echo"), ok=False, tracked=["raw"], rest=True)
case("an output that git may track", {}, add("-n", "a", "-O", "raw", "echo"), ok=True, tracked=["raw"])
case("an output with files that git tracks", {"d/f": "1\n"}, add("-n", "a", "-o", "d", "echo"), ok=False, tracked=["d/f"], rest=True)

# With others.
case("a second one", {"dvc.yaml": COMMENTED}, add("-n", "new", "-d", "clean", "-o", "n", "echo"), ok=True, autostage=True)
case("a third, and a fourth", {}, add("-n", "b", "-o", "x", "echo"), add("-n", "a", "-d", "x", "-o", "y", "echo"),
     add("-n", "c", "-d", "y", "-p", "lr", "echo"), ok=True)
case("an empty dvc.yaml", {"dvc.yaml": ""}, add("-n", "a", "echo"), ok=True)
case("comments alone", {"dvc.yaml": "# x\n"}, add("-n", "a", "echo"), ok=True)
case("no stages yet", {"dvc.yaml": "plots:\n- p.csv   # c\nmetrics: [m]\n"}, add("-n", "a", "echo"), ok=True)
case("stages in braces", {"dvc.yaml": "stages: {a: {cmd: echo}}\n"}, add("-n", "b", "-o", "x", "echo"), ok=True)
case("the same name", {"dvc.yaml": COMMENTED}, add("-n", "train", "echo"), ok=False)
case("the same name by force", {"dvc.yaml": COMMENTED}, add("-n", "train", "-f", "--desc", "new", "-w", "sub", "-o", "z",
                                                             "-d", "b", "-M", "n.json", "echo"), ok=True)
case("nearly the same", {"dvc.yaml": COMMENTED}, add("-n", "prepare", "-f", "-d", "prepare.py", "-d", "raw", "-o", "clean",
                                                     "python prepare.py --in raw --out 'clean'"), ok=True)
case("plots by force", {"dvc.yaml": COMMENTED}, add("-n", "eval", "-f", "--plots", "p.csv", "--plots", "q.csv", "x"), ok=True)
case("flags that stay", {"dvc.yaml": "stages:\n  a:\n    cmd: x\n    outs:\n    - o: {remote: r, push: false, type: t,"
                         " labels: [l], meta: {k: 1.0}, desc: d, persist: true}\n    - p: {cache: false}\n    meta: 5\n"},
     add("-n", "a", "-f", "-o", "o", "-o", "p", "x"), ok=True)
case("by force, with none there", {"dvc.yaml": COMMENTED}, add("-n", "new", "-f", "echo"), ok=True)
case("one of templates by force", {"dvc.yaml": TEMPLATES}, add("-n", "templ", "-f", "-o", "nn.txt", "echo"), ok=True)
case("one of foreach by force", {"dvc.yaml": TEMPLATES}, add("-n", "each", "-f", "-o", "e", "echo"), ok=True)
case("one of matrix by force", {"dvc.yaml": TEMPLATES}, add("-n", "grid", "-f", "echo"), ok=True)
case("templates in the words", {"dvc.yaml": TEMPLATES}, add("-n", "new", "-o", "${name}.out", "-d", "${x}", "echo ${lr}"), ok=True)
case("what a template makes", {"dvc.yaml": TEMPLATES}, add("-n", "new", "-o", "nn.txt", "echo"), ok=False)
case("what foreach makes", {"dvc.yaml": TEMPLATES}, add("-n", "new", "-o", "each2.txt", "echo"), ok=False)
case("what matrix makes", {"dvc.yaml": TEMPLATES}, add("-n", "new", "-o", "grid-2-x/y", "echo"), ok=False)
case("what another file makes", TWO, add("-n", "new", "-o", "sub/b.out", "echo"), ok=False)
case("above what another makes", TWO, add("-n", "new", "-o", "dir", "echo"), ok=False)
case("below what another makes", TWO, add("-n", "new", "-o", "a.out/x", "echo"), ok=False)
case("a directory with a dvc.yaml in it", TWO, add("-n", "new", "-O", "sub", "echo"), ok=False)
case("here, where another makes all", {"dvc.yaml": "stages:\n  a:\n    cmd: x\n    outs: [sub]\n"},
     add("-n", "new", "echo"), ok=False, cwd="sub")
case("what a .dvc file tracks", {"data.csv.dvc": DVC_FILE}, add("-n", "new", "-o", "data.csv", "echo"), ok=False)
case("below what a .dvc file tracks", {"data.csv.dvc": DVC_FILE}, add("-n", "new", "-m", "data.csv/x", "echo"), ok=False)
case("with what a .dvc file tracks", {"data.csv.dvc": DVC_FILE}, add("-n", "new", "-d", "data.csv", "-o", "x", "echo"), ok=True)
case("a circle", TWO, add("-n", "new", "-d", "sub/b.out", "-o", "raw", "echo"), ok=False)
case("a circle by a directory", TWO, add("-n", "new", "-d", "sub", "-o", "raw/x", "echo"), ok=False)
case("a circle by params", {"dvc.yaml": "stages:\n  a:\n    cmd: x\n    params: [made.yaml: [k]]\n    outs: [y]\n"},
     add("-n", "new", "-d", "y", "-o", "made.yaml", "echo"), ok=False)
case("a circle that force breaks", TWO, add("-n", "a", "-f", "-d", "raw2", "-o", "raw", "-o", "a.out", "echo"), ok=True)
case("a circle that force makes", TWO, add("-n", "a", "-f", "-d", "sub/b.out", "-o", "a.out", "echo"), ok=False)
case("its own outputs by force", TWO, add("-n", "a", "-f", "-o", "dir", "echo"), ok=True)
case("a second file", TWO, add("-n", "c", "-d", "b.out", "-o", "c", "echo"), ok=True, cwd="sub")
case("a dvc.yaml with mistakes", {"dvc.yaml": "stages:\n  a:\n    outs: [x]\n"}, add("-n", "b", "echo"), ok=False)
case("a dvc.yaml that is none", {"dvc.yaml": "- a\n"}, add("-n", "b", "echo"), ok=False)
case("another with mistakes", {"sub/dvc.yaml": "stages: [\n"}, add("-n", "b", "echo"), ok=False)
case("without git's index", {"dvc.yaml": COMMENTED}, add("-n", "b", "-o", "x", "echo"), ok=True, no_scm=True)

# Frozen or not.
for stage in ("prepare", "train", "eval"):
    case(f"freeze {stage}", {"dvc.yaml": COMMENTED}, ["freeze", stage], ok=True, autostage=True)
    case(f"freeze {stage}, and back", {"dvc.yaml": COMMENTED}, ["freeze", stage], ["unfreeze", stage], ok=True)
case("what is frozen", {"dvc.yaml": "stages:\n  a:\n    frozen: true   # for now\n    cmd: x\n"}, ["freeze", "a"], ok=True)
case("unfreeze what is frozen", {"dvc.yaml": "stages:\n  a:\n    frozen: true   # for now\n\n    # more\n    cmd: x\n"}, ["unfreeze", "a"], ok=True)
case("lists that are not sorted", {"dvc.yaml": "stages:\n  a:\n    cmd: x\n    deps:\n    - b   # b\n    - a   # a\n    outs: [d, c]\n"
                                   "    params: [p.json: [z, y], lr, a.yaml: ]\n"}, ["freeze", "a"], ok=True)
case("what says nothing", {"dvc.yaml": "stages:\n  a:\n    cmd: x\n    deps: []\n    wdir: .\n    desc: ''\n    meta: {}\n"
                           "    outs:\n    - x: {push: true, remote: r}\n    always_changed: false\n"}, ["freeze", "a"], ok=True)
case("in another file", TWO, ["freeze", "sub/dvc.yaml:b"], ["freeze", ":a"], ok=True, autostage=True)
case("from a directory", TWO, ["freeze", "b", "../dvc.yaml:a"], ok=True, cwd="sub")
case("a stage that is not there", TWO, ["freeze", "nope"], ok=False)
case("one that is there, one that is not", TWO, ["freeze", "nope", "a"], ok=False)
case("a whole file", TWO, ["freeze", "dvc.yaml"], ok=False)
case("a file that is not there", TWO, ["freeze", "nope/dvc.yaml:a"], ok=False)
case("dvc.lock", TWO, ["freeze", "dvc.lock:a"], ok=False)
for stage in ("templ", "each", "each@1", "grid@1-x", "escaped", "local"):
    case(f"freeze {stage} of templates", {"dvc.yaml": TEMPLATES}, ["freeze", stage], ok=False)
case("freeze the plain one", {"dvc.yaml": TEMPLATES}, ["freeze", "plain"], ok=True)
case("unfreeze one of templates", {"dvc.yaml": TEMPLATES}, ["unfreeze", "templ"], ok=False)
case("a .dvc file", {"data.csv.dvc": DVC_FILE}, ["freeze", "data.csv.dvc"], ok=True, autostage=True)
case("a .dvc file and back", {"data.csv.dvc": DVC_FILE}, ["freeze", "data.csv.dvc"], ["unfreeze", "data.csv.dvc"], ok=True)
case("a .dvc file that is not there", {}, ["freeze", "data.csv.dvc"], ok=False)

# Taken out.
for stage in ("prepare", "train", "eval"):
    case(f"remove {stage}", {"dvc.yaml": COMMENTED, "dvc.lock": LOCK, ".gitignore": "/clean\n# c\n/q.csv\n", "sub/.gitignore": "/y\n/z\n"},
         ["remove", stage], ok=True)
case("remove two", {"dvc.yaml": COMMENTED, "dvc.lock": LOCK}, ["remove", "eval", "prepare"], ok=True)
case("remove the last", TWO, ["remove", "a"], ok=True)
case("remove a file with one", TWO, ["remove", "sub/dvc.yaml"], ok=True)
case("remove by file", TWO, ["remove", "sub/dvc.yaml:b"], ok=True)
case("remove what is not there", TWO, ["remove", "nope"], ok=False)
case("remove of a group", {"dvc.yaml": TEMPLATES}, ["remove", "each"], ok=False)
case("remove one of a group", {"dvc.yaml": TEMPLATES}, ["remove", "each@1"], ok=False)
case("remove one of templates", {"dvc.yaml": TEMPLATES, ".gitignore": "/nn.txt\n"}, ["remove", "templ"], ok=False, rest=True)
case("remove the plain one", {"dvc.yaml": TEMPLATES, ".gitignore": "/plain.txt\n/nn.txt\n", "plain.txt": "p\n"}, ["remove", "plain"], ok=True)
case("added and taken out", {}, add("-n", "a", "-o", "x", "-w", "sub", "echo"), add("-n", "b", "-o", "y", "echo"), ["remove", "a"], ok=True)
case("taken out with what it made", {}, add("-n", "a", "-o", "x", "-O", "z", "echo x > x; echo z > z"), ["remove", "--outs", "a"], ok=True)
case("a lock of others", {"dvc.yaml": TEMPLATES, "dvc.lock": LOCK}, ["remove", "plain"], ok=True)

# Listed.
for words in ([], ["--name-only"], ["--all"], ["train", "eval"], ["dvc.yaml"], ["dvc.yaml:train"], ["nope"], ["sub"],
              ["-R", "sub"], ["-R", "."], ["--all", "--names-only"], ["data.csv.dvc"], ["data.csv"], ["eval", "dvc.yaml"]):
    case(f"list {' '.join(words)}", {"dvc.yaml": COMMENTED, "data.csv.dvc": DVC_FILE, "sub/dvc.yaml": TWO["sub/dvc.yaml"]},
         ["stage", "list", *words], ok=not words or words[-1] not in ("nope", "sub", "data.csv") or words[0] == "-R", list=True)
case("list from below", {"dvc.yaml": COMMENTED}, ["stage", "list", "../dvc.yaml"], ok=True, list=True, cwd="sub")
case("list with no dvc.yaml", {}, ["stage", "list"], ok=False, list=True)
case("list with no stages", {"dvc.yaml": "plots: [p]\n"}, ["stage", "list"], ok=True, list=True)
for words in ([], ["each"], ["each@2"], ["grid"], ["templ"], ["each@3"]):
    case(f"list {words} of templates", {"dvc.yaml": TEMPLATES}, ["stage", "list", *words], ok=words != ["each@3"], list=True)
case("list what is described", {"dvc.yaml": "stages:\n  a:\n    cmd: x\n    desc: \"\\n\\n  one  \\ntwo\"\n  bb:\n    cmd: x\n    desc: " + "é" * 81 +
     "\n  c:\n    cmd: x\n    deps: [r]\n    params: [lr, q.json: [a]]\n  d:\n    cmd: x\n    desc: ${name}\n  e:\n    cmd: x\n    desc: " + "é" * 80 + "\n"},
     ["stage", "list"], ok=True, list=True)
BAD = {"dvc.yaml": COMMENTED, "sub/dvc.yaml": "stages: [\n"}
case("list with mistakes elsewhere", BAD, ["stage", "list"], ok=True, list=True)
case("list all with mistakes", BAD, ["stage", "list", "--all"], ok=True, list=True)
case("list all with mistakes, or fail", BAD, ["stage", "list", "--all", "--fail"], ok=False, list=True)
case("list the one with mistakes", BAD, ["stage", "list", "sub/dvc.yaml"], ok=False, list=True)
