"""What the steps of a walk are made of, drawn from a seed and from what is in the repository.

A step is a list of operations; an operation is a list of strings that can be applied to any state
(one that does not fit does nothing), so that a walk can be written down and shortened:

    write PATH NUMBER TIMES      the file anew: "content NUMBER\\n", TIMES times
    append PATH TEXT             text PATH TEXT          rm PATH           mv PATH PATH
    chmod PATH MODE              mkdir PATH              ln TARGET PATH
    git WORD...                  dvc WORD...             (once, by that program)
    both N DIRECTORY WORD...     by each tool from the same state; the result of tool N is kept
    lose cache|rem1|rem2 N       an object goes, the Nth modulo their number; N -1: all of them

{now} in a word is the directory that holds the repository and its remotes.
"""
import os
import random
import re

import yaml

SIMPLE = ["a", "b.csv", "model.bin", "weights", "raw", "x.tmp", "part-0001"]
AWKWARD = ["with space", "it's", 'quo"te', "ünïcode", "-dash", "tab\there", "#hash", "!bang", "[brackets]", "star*",
           "end ", "日本", "back\\slash", ".hidden", "emoji😀", "a:b", "yes", "123", "1e3", "null", "~", "@at", "%pct",
           "comma, and", "l" * 150, "key: value", "- item", "e\u0301", "{brace}", "&amp"]
PLACES = ["", "", "", "data", "data/deep", "sp ace"]
REMOTES = ["rem1", "rem2"]


def tracked(repo):
    """The outputs of the .dvc files: [(pointer, path, is a directory)], paths relative to the
    repository; files that are no YAML are left out.
    """
    found = []
    for base, dirs, files in os.walk(repo):
        dirs[:] = sorted(d for d in dirs if d not in (".git", ".dvc", ".dag"))
        for name in sorted(files):
            if not name.endswith(".dvc"):
                continue
            try:
                with open(os.path.join(base, name), encoding="utf-8") as f:
                    document = yaml.load(f, yaml.BaseLoader) or {}  # every scalar as it is written
                outs = [(str(out["path"]), str(out.get("md5", "")).endswith(".dir")) for out in document["outs"]]
            except (yaml.YAMLError, KeyError, TypeError, UnicodeDecodeError, OSError):
                continue
            where = os.path.relpath(base, repo)
            for path, directory in outs:
                found.append((os.path.normpath(os.path.join(where, name)),
                              os.path.normpath(os.path.join(where, path)), directory))
    return found


class Draw:
    def __init__(self, seed, place):
        self.random = random.Random(seed)
        # Not both in one walk: DVC makes an object executable with the file that is linked to it,
        # and by that all other files of the content.
        self.links = bool(seed % 2)
        self.place = place
        self.branches = ["main"]
        self.serial = 0
        self.table = [(weight, getattr(self, name)) for name, weight in WEIGHTS.items()]

    # Little helpers.

    def chance(self, p):
        return self.random.random() < p

    def pick(self, things):
        return self.random.choice(things) if things else None

    def number(self):
        self.serial += 1
        # Some contents come again, under other names.
        return str(self.serial if self.chance(0.7) else self.random.randrange(1, 6))

    def times(self):
        return str(self.pick([0, 1, 1, 1, 3, 40, 6000]))

    def name(self, output=False):
        """Of a file; not for an output what DVC takes for the address of a stage."""
        awkward = [name for name in AWKWARD if not (output and ":" in name)]
        return self.pick(awkward) if self.chance(0.25) else self.pick(SIMPLE) + str(self.random.randrange(9))

    def both(self, *argv, cwd=""):
        return ["both", str(self.random.randrange(2)), cwd] + list(argv)

    def outs(self, directory=None):
        return [(p, o, d) for p, o, d in tracked(self.place.repo) if directory is None or d == directory]

    def inside(self, out):
        """The files of a tracked directory, as it is now."""
        found = []
        for base, dirs, files in os.walk(os.path.join(self.place.repo, out)):
            dirs.sort()
            found += [os.path.relpath(os.path.join(base, f), self.place.repo) for f in sorted(files)]
        return found

    def exists(self, path):
        return os.path.lexists(os.path.join(self.place.repo, path))

    def target(self, out):
        """How a user may name a tracked output.  DVC takes a backslash for a slash where it looks for a stage."""
        return self.pick([out[0], out[1], out[1]] if "\\" not in out[1] else [out[0]] * 3)

    def some_file(self):
        """A file that is tracked or lies in a tracked directory, and is there."""
        out = self.pick(self.outs())
        if not out:
            return None
        path = self.pick(self.inside(out[1])) if out[2] else out[1]
        return path if path and os.path.isfile(os.path.join(self.place.repo, path)) else None

    def step(self):
        while True:
            ops = self.random.choices([f for _, f in self.table], [w for w, _ in self.table])[0]()
            if ops:
                return ops

    # New things under control.

    def new_file(self):
        path = os.path.join(self.pick(PLACES), self.name(output=True))
        if self.exists(path) or self.exists(path + ".dvc"):
            return None
        ops = [["write", path, self.number(), self.times()]]
        if self.chance(0.15) and not self.links:
            ops.append(["chmod", path, "755"])
        if self.chance(0.1):
            ops += [["mv", path, path + "-real"], ["ln", os.path.basename(path) + "-real", path]]
        return ops + [self.both("add", "--", path)]

    def fill(self, path):
        ops = [["mkdir", path]]
        for _ in range(self.random.randrange(0, 7)):
            ops.append(["write", os.path.join(path, self.pick(["", "sub", "sub/deep", "s p"]), self.name()),
                        self.number(), self.times()])
        if self.chance(0.2):
            ops.append(["mkdir", os.path.join(path, "empty/er")])
        if self.chance(0.15):
            ops.append(["ln", "../" * (path.count("/") + 1) + "README", os.path.join(path, "link")])
        if self.chance(0.1):
            ops.append(["ln", "sub", os.path.join(path, "dirlink")])
        return ops

    def new_directory(self):
        path = os.path.join(self.pick(PLACES), self.name(output=True))
        if self.exists(path) or self.exists(path + ".dvc"):
            return None
        return self.fill(path) + [self.both("add", "--", path)]

    def several(self):
        names = {os.path.join(self.pick(PLACES), self.name(output=True)) for _ in range(self.random.randrange(2, 4))}
        names = sorted(n for n in names if not self.exists(n) and not self.exists(n + ".dvc"))
        self.random.shuffle(names)
        if not names:
            return None
        ops = [["write", n, self.number(), self.times()] for n in names]
        return ops + [self.both("add", *(["-q"] if self.chance(0.2) else []), "--", *names)]

    # Changes to what is tracked; half of them are added or committed at once.

    def settle(self, path):
        """Perhaps bring a change of the path under control."""
        out = self.pick([o for o in self.outs() if path == o[1] or path.startswith(o[1] + "/")])
        if not out or self.chance(0.4):
            return []
        return [self.pick([self.both("add", "--", out[1]), self.both("commit", "--force", "--", self.target(out)),
                           self.both("commit", "--force")])]

    def edit(self):
        path = self.some_file()
        if not path:
            return None
        change = self.pick([["write", path, self.number(), self.times()], ["append", path, "more\n"],
                            ["chmod", path, self.pick(["600" if self.links else "755", "644"])], ["rm", path]])
        return [change] + self.settle(path)

    def grow(self):
        out = self.pick(self.outs(directory=True))
        if not out:
            return None
        files = self.inside(out[1])
        new = os.path.join(out[1], self.pick(["", "sub", "new"]), self.name())
        change = ["write", new, self.number(), self.times()]
        if files and self.chance(0.4):
            change = ["mv", self.pick(files), new]
        return [change] + self.settle(out[1])

    def turn(self):
        """A file becomes a directory, or the other way round."""
        out = self.pick(self.outs())
        if not out or self.chance(0.5):
            return None
        ops = [["rm", out[1]]]
        ops += [["write", out[1], self.number(), "1"]] if out[2] else self.fill(out[1])
        return ops + [self.both("add", "--", out[1])]

    def again(self):
        outs = [o[1] for o in self.outs() if self.exists(o[1])]
        return [self.both("add", "--", *self.random.sample(outs, min(len(outs), 2)))] if outs else None

    def commit(self):
        out = self.pick(self.outs())
        which = ["--", self.target(out)] if out and self.chance(0.5) else []
        return [self.both("commit", *(["--force"] if self.chance(0.8) else []), *which)]

    # What is there and what should be.

    def checkout(self):
        ops = []
        outs = self.outs()
        if outs and self.chance(0.6):
            ops.append(["rm", self.pick(outs)[1]])
        argv = ["checkout"] + (["--force"] if self.chance(0.6) else []) + (["--relink"] if self.chance(0.1) else [])
        if outs and self.chance(0.35):
            # DVC removes the second of a pointer and a path that are named together.
            some, column = self.random.sample(outs, min(len(outs), self.random.choice([1, 2]))), self.random.randrange(2)
            argv += ["--"] + [out[column] for out in some]
        return ops + [self.both(*argv)]

    def part(self):
        """A file of a tracked directory is named."""
        out = self.pick(self.outs(directory=True))
        path = self.pick(self.inside(out[1])) if out else None
        if not path:
            return None
        return self.pick([[["rm", path], self.both("checkout", "--force", "--", path)],
                          [self.both("push", "--remote", self.pick(REMOTES), "--", path)],
                          [["append", path, "+"], self.both("add", "--", path)]])

    def elsewhere(self):
        """From a directory below the root."""
        where = self.pick(["data", "data/deep", "sp ace"])
        if not os.path.isdir(os.path.join(self.place.repo, where)):
            return None
        out = self.pick(self.outs())
        argv = self.pick([["checkout", "--force"], ["commit", "--force"], ["status"], ["push"]])
        if out and self.chance(0.6):
            argv = argv + ["--", os.path.relpath(self.target(out), where)]
        return [self.both(*argv, cwd=where)]

    # Remotes.

    def remote_words(self):
        return ["--remote", self.pick(REMOTES)] if self.chance(0.4) else []

    def push(self):
        argv = ["push"] + self.remote_words() + self.pick([[], [], [], ["--all-branches"], ["--all-tags"], ["--all-commits"], ["--jobs", "2"]])
        out = self.pick(self.outs())
        return [self.both(*argv, *(["--", self.target(out)] if out and self.chance(0.25) else []))]

    def fetch(self):
        where = self.remote_words()
        ops = [self.both("push", *where)] if self.chance(0.6) else []
        if ops or self.chance(0.1):
            ops.append(["lose", "cache", self.pick(["-1", str(self.random.randrange(50))])])
        out = self.pick(self.outs())
        argv = self.pick([["fetch"], ["pull"], ["pull", "--force"]]) + where
        argv += self.pick([[], [], ["--all-branches"], ["--all-tags"]]) if argv[0] == "fetch" else []
        if out and self.chance(0.4):
            ops.append(["rm", out[1]])
        return ops + [self.both(*argv, *(["--", self.target(out)] if out and self.chance(0.3) else []))]

    def heal(self):
        """What is lost for good is made anew or given up, so that a walk does not end in errors alone."""
        ops = []
        for out in self.outs():
            if not self.exists(out[1]):
                if self.chance(0.6):
                    ops += self.fill(out[1]) if out[2] else [["write", out[1], self.number(), "1"]]
                    ops.append(self.both("add", "--", out[1]))
                else:
                    ops.append(self.both("remove", "--", out[0]))
        return ops + [self.both("commit", "--force")] if ops else None

    def collect(self):
        argv = ["gc", "--force"] + self.pick([["--workspace"], ["--workspace"], ["--all-branches"], ["--all-tags"], ["--all-commits"], ["--workspace", "--all-tags"], ["--workspace", "--dry"]])
        if self.chance(0.1):
            argv += ["--cloud"] + self.remote_words()
        return [self.both(*argv)]

    def settings(self):
        name = self.pick(REMOTES)
        return [self.pick([
            self.both("remote", "add", "rem%d" % self.random.randrange(3, 6), "../rem3"),
            self.both("remote", "add", "-f", "-d", name, "{now}/" + name),
            self.both("remote", "default", name), self.both("remote", "modify", name, "jobs", "2"),
            self.both("remote", "modify", "--unset", name, "jobs"), self.both("remote", "default", "nowhere"),
            self.both("remote", "add", "sp ace", "/no/where, ever"), self.both("remote", "remove", "sp ace"),
            self.both("remote", "modify", "--local", name, "verify", "true"),
            self.both("remote", "rename", "rem%d" % self.random.randrange(3, 6), "other"),
            self.both("remote", "remove", "other"), self.both("remote", "list")])]

    def config(self):
        types = ["hardlink", "symlink", "hardlink,copy", "copy", "reflink,copy"] if self.links else ["copy", "reflink,copy"]
        return [["dvc", "config"] + self.pick([["cache.type", self.pick(types)], ["cache.type", self.pick(types)],
            ["core.autostage", "true"], ["core.autostage", "false"], ["core.checksum_jobs", "2"]])]

    # Names of outputs.

    def move(self):
        out = self.pick(self.outs())
        if not out:
            return None
        to = self.pick([os.path.join(self.pick(PLACES), self.name(output=True)), os.path.dirname(out[1]) or ".", "data"])
        return [self.both("move", "--", out[1], to)]

    def remove(self):
        out = self.pick(self.outs())
        if not out or self.chance(0.4):
            return None
        return [self.both("remove", *(["--outs"] if self.chance(0.5) else []), "--", out[0])]

    def pointer(self):
        """A .dvc file as somebody may write it by hand, then whatever rewrites it."""
        out = self.pick(self.outs())
        if not out:
            return None
        with open(os.path.join(self.place.repo, out[0]), encoding="utf-8") as f:
            text = f.read()
        shapes = [
            lambda t: "# what it is\n" + t,
            lambda t: t.replace("  size:", "  # in bytes\n  size:"),
            lambda t: t.rstrip("\n") + "   # the end\n",
            lambda t: t if "meta:" in t else t + "meta: {owner: 'me', list: [1, two, 3.0]}\n",
            lambda t: t if "desc:" in t else "desc:   some words\n" + t,
            lambda t: t if "\n- " not in t else "outs:\n" + "".join("    " + line for line in t.split("outs:\n", 1)[1].splitlines(True))
            if t.startswith("outs:\n") else t,
            lambda t: re.sub(r"(?m)^(- )(md5: \S+)\n((?:  .*\n)*)  hash: md5\n", r"\1hash: md5\n  \2\n\3", t),
            lambda t: re.sub(r"(?m)^  size: .*\n", "", t),
            lambda t: re.sub(r"(?m)^(  path: )([A-Za-z0-9]+)$", r'\1"\2"', t),
            lambda t: t + "\n\n# later\n",
            lambda t: re.sub(r"(?m)^  hash: md5$", "  hash: md5\n  labels: [a, 'b']\n  type: model", t) if "labels" not in t else t,
        ]
        for shape in self.random.sample(shapes, self.random.choice([1, 1, 2, 3])):
            text = shape(text)
        try:
            if not yaml.safe_load(text)["outs"][0]["path"]:
                return None
        except (yaml.YAMLError, KeyError, TypeError):
            return None
        ops = [["text", out[0], text]]
        path = os.path.join(self.place.repo, out[1])
        if os.path.isfile(path) and not out[2]:
            ops.append(["append", out[1], "+"])
        elif os.path.isdir(path):
            ops.append(["write", os.path.join(out[1], "by hand"), self.number(), "1"])
        return ops + [self.pick([self.both("add", "--", out[1]), self.both("commit", "--force", "--", out[0])])]

    def ignore(self):
        text = "".join(line + "\n" for line in self.random.sample(
            ["*.tmp", "/data/deep/*.csv", "sub/deep", "!x.tmp1", "# words", "s p/", "**/weights*", "[xy].tmp?"],
            self.random.randrange(0, 4)))
        return [["text", ".dvcignore", text]]

    # git.

    def save(self):
        return [["git", "add", "-A", "--", "*.dvc", ":(glob)**/.gitignore", ".dvcignore", ".dvc/config"],
                ["git", "commit", "-q", "--allow-empty", "-m", "step"]]

    def branch(self):
        ops = self.save()
        if len(self.branches) < 4 and self.chance(0.5):
            self.branches.append("branch%d" % len(self.branches))
            ops.append(["git", "switch", "-q", "-c", self.branches[-1]])
        else:
            ops += [["git", "switch", "-q", "-f", self.pick(self.branches)],
                    self.both("checkout", *(["--force"] if self.chance(0.7) else []))]
        return ops

    def tag(self):
        return self.save() + [["git", "tag", "-f", "tag%d" % self.random.randrange(4)]]

    def loss(self):
        return [["lose", self.pick(["cache", "cache", "rem1", "rem2"]), str(self.random.randrange(100))]]


WEIGHTS = {
    "new_file": 7, "new_directory": 6, "several": 3, "edit": 9, "grow": 7, "turn": 1, "again": 3, "commit": 4,
    "checkout": 8, "part": 3, "elsewhere": 2, "push": 8, "fetch": 7, "collect": 3, "settings": 3, "config": 2,
    "move": 3, "remove": 3, "pointer": 3, "ignore": 1, "save": 6, "branch": 5, "tag": 1, "loss": 1, "heal": 4,
}
