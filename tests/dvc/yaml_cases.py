"""Makes cases for yaml_replay with DVC's own reader, apply_diff and writer as the judge.

Usage: yaml_cases.py SEED COUNT [--small] [--files] > FILE

Each case is a YAML text as people write it (comments, odd indentation, quotes, blocks, flow
collections, anchors) and, mostly, what it is to hold afterwards.  With --files the text is that
of a .dvc file, which DVC reads as a stage, changes, and writes.
"""
import contextlib
import io
import json
import math
import os
import random
import sys
import warnings

from dvc.utils.collections import apply_diff
from dvc.utils.serialize import dumps_yaml, loads_yaml, parse_yaml_for_update

warnings.simplefilter("ignore")

WORDS = """a b data model.pkl x/y/z train test_file s3://bucket/key it's "quoted" #hash c#d
yes no on off true null ~ 0x1F 017 0o17 1e3 1_000 -1 +2 3.14 .5 5. 1.5e-7 12:30:45 2020-01-01
= << *star &amp !bang %pct @at `bt {a} [a] |pipe >gt ?q - -x : :x x: a:b ', ,x é 日本 😀 \\back
\ttab trailing. --- ... ---x --output=1 $HOME ${item} 0 -0 00 .inf .nan -.inf NULL True 1.0
c++ && || > < (a) a,b @ _ - ? key=value""".split()
COMMENTS = ["# c", "#", "#x", "# a longer comment: with 'quotes' and [brackets]", "# é 😀",
            "#  two", "##"]


class Writer:
    """Writes data as a person might."""

    def __init__(self, rng, comments):
        self.rng = rng
        self.comments = comments
        self.anchors = 0
        self.tame = rng.random() < 0.5

    def chance(self, p):
        return self.rng.random() < p

    def eol(self):
        r = self.rng
        if self.comments and self.chance(0.12):
            return " " * r.choice([1, 1, 2, 5, 20]) + r.choice(COMMENTS) + "\n"
        return (" " * r.choice([1, 3]) if self.comments and self.chance(0.03) else "") + "\n"

    def lines(self, indent):
        """Comment lines or empty lines between entries."""
        r = self.rng
        out = ""
        if self.comments and self.chance(0.15):
            for _ in range(r.choice([1, 1, 1, 2, 3])):
                if self.chance(0.35):
                    out += "\n" if self.chance(0.9) else " " * r.randrange(5) + "\n"
                else:
                    col = indent if self.chance(0.7) else r.randrange(0, indent + 5)
                    out += " " * col + r.choice(COMMENTS) + "\n"
        return out

    def scalar(self, v, flow=False, key=False):
        r = self.rng
        if isinstance(v, str):
            if self.plain_ok(v, flow, key) and self.chance(0.75):
                return v
            if self.chance(0.5) and "\n" not in v and all(" " <= c for c in v):
                return "'" + v.replace("'", "''") + "'"
            return json.dumps(v, ensure_ascii=self.chance(0.2) and ord(max(v or "a")) < 0x10000)
        if v is None:
            return r.choice(["null", "~", "Null"] if flow or key else ["null", "~", "", ""])
        if v is True or v is False:
            w = "true" if v else "false"
            return r.choice([w, w, w.title(), w.upper()])
        if isinstance(v, int):
            if self.chance(0.85):
                return str(v)
            a = abs(v)
            forms = [f"{v:_}", "0%d" % a, f"+{a}"]
            if v >= 0:
                forms += [hex(v), hex(v).upper().replace("X", "x"), "0o%o" % v, bin(v),
                          "0x00%x" % v, "0x%04X" % v]
            return r.choice(forms)
        if math.isnan(v):
            return ".nan"
        if math.isinf(v):
            return ".inf" if v > 0 else "-.inf"
        if self.chance(0.8):
            return repr(v)
        forms = ["%.1f" % v, "%.3f" % v, "%e" % v, "%.2E" % v, "%g." % int(v), "%.0fe3" % v,
                 "+%.2f" % abs(v), ".%d" % abs(int(v)), "0%.2f" % abs(v)]
        return r.choice(forms)

    @staticmethod
    def plain_ok(v, flow, key):
        if not v or v != v.strip() or "\n" in v or "\t" in v:
            return False
        try:
            text = ("[%s]" if flow else "{k}: %s".replace("{k}", "k")) % v
            got = loads_yaml(text, typ="safe")
            return (got == [v]) if flow else got == {"k": v}
        except Exception:
            return False

    def flow(self, v):
        r = self.rng
        gap = r.choice(["", " ", " ", " "])
        pad = r.choice(["", "", " "])
        if isinstance(v, list):
            sep = "," + (gap or " ") if not self.chance(0.03) else ",\n" + " " * 30
            return "[" + pad + sep.join(self.flow(x) for x in v) + pad + "]"
        if isinstance(v, dict):
            items = (self.scalar(k, True, True) + ": " + self.flow(x) for k, x in v.items())
            return "{" + pad + (", ").join(items) + pad + "}"
        return self.scalar(v, True)

    def block_text(self, v, indent):
        """A literal or folded block, or None where it cannot be one."""
        if not isinstance(v, str) or not v or "\t" in v or any(ord(c) < 32 and c != "\n" for c in v):
            return None
        if v.strip(" \n") == "" or v[0] in " \n":
            return None
        r = self.rng
        chomp = "-" if not v.endswith("\n") else ("+" if v.endswith("\n\n") else "")
        pad = " " * (indent + r.choice([2, 2, 2, 4, 1]))
        body = v.rstrip("\n").split("\n")
        if self.chance(0.5):
            out = "|" + chomp + "\n"
            for line in body:
                out += (pad + line if line else "") + "\n"
        else:
            out = ">" + chomp + "\n"
            first = True
            for line in body:
                if not first:
                    out += "\n"
                first = False
                words = line.split(" ")
                text = pad + words[0]
                for w in words[1:]:
                    if w and not text.endswith(" ") and self.chance(0.3):
                        out += text + "\n"
                        text = pad + w
                    else:
                        text += " " + w
                out += text + "\n"
        extra = len(v) - len(v.rstrip("\n")) - 1
        if extra > 0:
            out += "\n" * extra
        elif self.comments and self.chance(0.2):
            out += "\n" * r.choice([1, 2])
        return out

    def anchor(self):
        if self.tame or not self.chance(0.03):
            return ""
        self.anchors += 1
        return "&a%d " % self.anchors

    def value(self, v, indent, in_seq=False):
        """What stands behind "key:" or "-", with its newline."""
        r = self.rng
        if self.anchors and self.chance(0.03) and not self.tame:
            return " *a%d" % r.randrange(1, self.anchors + 1) + self.eol()
        if isinstance(v, (dict, list)) and v and self.chance(0.85):
            anchor = self.anchor()
            if in_seq and not anchor and self.chance(0.8):
                return self.inline(v, indent)
            head = (" " + anchor.strip() if anchor else "") + self.eol()
            step = r.choice([2, 2, 2, 2, 4, 1, 3])
            if isinstance(v, list) and not in_seq and self.chance(0.6):
                step = 0
            return head + self.block(v, indent + step)
        if isinstance(v, (dict, list)):
            return " " + self.anchor() + self.flow(v) + self.eol()
        text = self.block_text(v, indent) if self.chance(0.25) else None
        if text is not None:
            return " " + self.anchor() + text
        if isinstance(v, str) and self.chance(0.1) and " " in v and self.plain_ok(v, False, False):
            cut = v.index(" ")
            if "  " not in v and "#" not in v:
                return " " + v[:cut] + "\n" + " " * (indent + 3) + v[cut + 1:] + self.eol()
        text = self.scalar(v)
        anchor = self.anchor() if text else ""
        return (" " + anchor + text if text else "") + self.eol()

    def inline(self, v, indent):
        """A collection that starts behind its dash."""
        text = self.block(v, indent + 2, first=True)
        return " " + text.lstrip(" ")

    def block(self, v, indent, first=False):
        out = ""
        pad = " " * indent
        items = v.items() if isinstance(v, dict) else enumerate(v)
        for k, x in items:
            if not first:
                out += self.lines(indent)
            first = False
            if isinstance(v, dict):
                key = self.scalar(k, False, True)
                out += pad + key + ":" + self.value(x, indent)
            else:
                out += pad + "-" + self.value(x, indent, True)
        return out

    def document(self, v):
        out = ""
        if self.comments and self.chance(0.2):
            out += self.rng.choice(["# head\n", "# head\n\n", "\n", "# a\n# b\n", "\n\n# x\n"])
        if self.chance(0.03):
            out += "---" + self.eol()
        out += self.block(v, 0) if v else "{}\n"
        if self.comments and self.chance(0.2):
            out += self.rng.choice(["# tail\n", "\n# tail\n", "  # tail\n", "\n", "\n\n", "# no newline"])
        elif self.chance(0.05):
            out = out.rstrip("\n")
        if self.chance(0.02):
            out += "..." if out.endswith("\n") else "\n..."
            out += "\n"
        if self.chance(0.03):
            out = out.replace("\n", "\r\n")
        return out


def text(rng):
    n = rng.choice([1, 1, 1, 1, 2, 3, 5, 12, 25, 40])
    sep = rng.choice([" ", " ", " ", " ", " ", "", "  ", "\n"] if rng.random() < 0.5 else [" "])
    out = sep.join(rng.choice(WORDS) for _ in range(n))
    if rng.random() < 0.05:
        out += rng.choice(["\n", " ", "\n\n", "\u2028", "\x7f", "\x85", "\x00", "\ufeff", "\xa0"])
    if rng.random() < 0.03:
        out = rng.choice([" ", "\n", "\t", "  "]) + out
    if rng.random() < 0.04:
        out += "w" * rng.choice([60, 75, 79, 80, 81, 100])
    if rng.random() < 0.02:
        out = ""
    return out


def scalar(rng):
    r = rng.random()
    if r < 0.6:
        return text(rng)
    if r < 0.7:
        return None
    if r < 0.76:
        return rng.random() < 0.5
    if r < 0.9:
        return rng.choice([0, 1, -1, 7, 42, 1000, 65535, -5, 2**31, 2**63, 10**30, rng.randrange(10**6)])
    return rng.choice([0.0, -0.0, 1.0, 0.1, 1e-5, 1e22, 1e16, 123456789.123456789, -2.5, 5e-324,
                       1.7976931348623157e308, math.inf, -math.inf, math.nan, rng.random(),
                       rng.uniform(-1e6, 1e6), 10.0**rng.randrange(-20, 30)])


def key(rng):
    r = rng.random()
    if r < 0.8:
        return rng.choice("abcdefgh") + rng.choice(["", "", "1", "_x", "-y", ".z"])
    if r < 0.97:
        return rng.choice(WORDS) if r < 0.94 else text(rng)
    return rng.choice([1, True, None, 2.5, 10])


def tree(rng, depth):
    r = rng.random()
    if depth <= 0 or r < 0.45:
        return scalar(rng)
    n = rng.choice([0, 1, 1, 2, 2, 3, 4])
    if r < 0.72:
        return {key(rng): tree(rng, depth - 1) for _ in range(n)}
    return [tree(rng, depth - 1) for _ in range(n)]


def md5(rng):
    return "".join(rng.choice("0123456789abcdef" if rng.random() < 0.98 else "0123456789")
                   for _ in range(32))


def entry(rng, path_first):
    e = {}
    if path_first:
        e["path"] = rng.choice(WORDS)
        e["hash"] = "md5"
    e["md5"] = md5(rng) + rng.choice(["", ".dir"])
    e["size"] = rng.randrange(10**9)
    if rng.random() < 0.3:
        e["nfiles"] = rng.randrange(1000)
    if rng.random() < 0.2:
        e["isexec"] = True
    if not path_first:
        e["hash"] = "md5"
        e["path"] = rng.choice(WORDS)
    for k, v in (("desc", text(rng)), ("cache", False), ("remote", "r"), ("persist", True),
                 ("labels", ["a", "b"]), ("meta", tree(rng, 2)), ("push", False)):
        if not path_first and rng.random() < 0.1:
            e[k] = v
    return e


def dvc_like(rng):
    if rng.random() < 0.6:
        d = {"outs": [entry(rng, False) for _ in range(rng.choice([1, 1, 1, 2]))]}
        if rng.random() < 0.2:
            d = {"md5": md5(rng), "frozen": True, "deps": [entry(rng, False)], **d}
        if rng.random() < 0.2:
            d = {"desc": text(rng), **d}
        if rng.random() < 0.2:
            d["meta"] = tree(rng, 3)
        return d
    stages = {}
    for _ in range(rng.choice([1, 2, 3])):
        s = {"cmd": rng.choice([text(rng), [text(rng), text(rng)]])}
        if rng.random() < 0.7:
            s["deps"] = [entry(rng, True) for _ in range(2)]
        if rng.random() < 0.4:
            s["params"] = {"params.yaml": {key(rng): tree(rng, 2) for _ in range(3)}}
        if rng.random() < 0.8:
            s["outs"] = [entry(rng, True)]
        stages[rng.choice(["train", "prepare", "a@b", "x@1", "eval"])] = s
    return {"schema": "2.0", "stages": stages}


def mutate(rng, v, depth=0):
    """A changed copy: the kinds of change that apply_diff knows."""
    p = 0.15 if depth else 0.0
    if depth and rng.random() < 0.06:
        return tree(rng, 2)
    if isinstance(v, dict):
        out = {}
        for k, x in v.items():
            if rng.random() < p * 0.7:
                continue
            out[k] = mutate(rng, x, depth + 1)
        while rng.random() < 0.2:
            out[key(rng)] = tree(rng, 2)
        return out
    if isinstance(v, list):
        out = [mutate(rng, x, depth + 1) for x in v]
        if rng.random() < p:
            out.append(tree(rng, 2))
        elif rng.random() < p and out:
            out.pop(rng.randrange(len(out)))
        return out
    return scalar(rng) if rng.random() < p else v


def to_json(v):
    if isinstance(v, dict):
        return "{" + ", ".join(
            (json.dumps(k, ensure_ascii=False) if isinstance(k, str) else to_json(k)) + ": " + to_json(x)
            for k, x in v.items()) + "}"
    if isinstance(v, (list, tuple)):
        return "[" + ", ".join(map(to_json, v)) + "]"
    if isinstance(v, float) and math.isnan(v):
        return ".nan"
    if isinstance(v, float) and math.isinf(v):
        return ".inf" if v > 0 else "-.inf"
    if v is None or isinstance(v, (bool, int, float, str)):
        s = json.dumps(v, ensure_ascii=False)
        for c in "\x7f\x85\u2028\u2029\ufeff":
            s = s.replace(c, "\\u%04x" % ord(c))
        return s
    raise ValueError("no JSON")


def case(rng, name, small):
    if rng.random() < 0.5:
        data = dvc_like(rng)
    else:
        data = tree(rng, 2 if small else 4)
        if not isinstance(data, dict):
            data = {"a": data}
    w = Writer(rng, rng.random() < 0.8)
    source = w.document(data)
    seen = source.replace("\r\n", "\n").replace("\r", "\n")
    parts = [("case", name), ("text", source)]
    try:
        have = parse_yaml_for_update(seen, "f")
    except Exception:
        return parts + [("keep", ""), ("fail", "")]
    if not isinstance(have, dict):
        return None
    want = None
    if rng.random() < 0.7:
        try:
            want = mutate(rng, loads_yaml(seen) or {})
            judged = to_json(want)
        except Exception:
            return None
    try:
        if want is not None:
            apply_diff(want, have)
        out = dumps_yaml(have)
    except Exception:
        return parts + [("keep", "") if want is None else ("want", judged), ("fail", "")]
    return parts + [("keep", "") if want is None else ("want", judged), ("out", out)]


REPO = None


def path(rng):
    return rng.choice(["d", "data.csv", "./x", "a//b/", "../up", "sub/../y", "é", "x: y", "a #b",
                       "yes", "1e3", "'q'", "w" * 100, "a b " * 20 + "c"])


def meta_of(rng, e, hashed=True):
    e["md5"] = md5(rng) + rng.choice(["", "", ".dir"])
    if rng.random() < 0.8:
        e["size"] = rng.choice([0, 1, 4096, 10**12])
    if rng.random() < 0.2:
        e["nfiles"] = rng.randrange(100)
    if rng.random() < 0.2:
        e["isexec"] = rng.random() < 0.7
    if hashed:
        e["hash"] = "md5"


def stage_out(rng, used):
    e = {}
    if rng.random() < 0.9:
        meta_of(rng, e, rng.random() < 0.75)
    elif rng.random() < 0.6:
        e["hash"] = "md5"
    if rng.random() < 0.07 and "hash" in e:
        for k in ("md5", "size", "nfiles", "isexec"):
            e.pop(k, None)
        e["files"] = []
        for name in sorted(rng.sample(["a", "b/c", "b.c", "z z", "é"], rng.choice([1, 2, 3]))):
            x = {"relpath": name, "md5": md5(rng), "size": rng.randrange(99)}
            if rng.random() < 0.3:
                x["isexec"] = True
            if rng.random() < 0.7:
                x["cloud"] = {"r": {"etag": md5(rng), "version_id": "v1"}}
            e["files"].append(x)
    p = path(rng)
    while p.strip("./") in used:
        p = path(rng)
    used.add(p.strip("./"))
    e["path"] = p
    for k, v in (("desc", text(rng)), ("type", "model"), ("cache", False), ("cache", True),
                 ("remote", "r"), ("persist", True), ("persist", False), ("labels", ["a", "b c"]),
                 ("labels", []), ("meta", tree(rng, 2)), ("push", False), ("push", True)):
        if rng.random() < 0.06:
            e[k] = v
    if rng.random() < 0.4:
        items = list(e.items())
        rng.shuffle(items)
        e = dict(items)
    return e


def stage_dep(rng):
    r = rng.random()
    e = {}
    if r < 0.3:
        e = {"path": "data/x", "repo": {"url": "https://host/r", "rev_lock": md5(rng)}}
        if rng.random() < 0.4:
            e["repo"]["rev"] = "main"
        if rng.random() < 0.2:
            e["repo"]["config"] = rng.choice(["c.cfg", {"core": {"remote": "r"}}, {}])
        return e
    if r < 0.7:
        meta_of(rng, e, rng.random() < 0.8)
        e["path"] = rng.choice(["/etc/hostname", "../other", "/x y", "d1"])
    else:
        e = {"checksum": '"%s"' % md5(rng), "size": 3, "hash": "md5", "path": "https://host/data.csv"}
    return e


def stage_file(rng):
    d = {}
    if rng.random() < 0.15:
        d["desc"] = text(rng)
    imported = rng.random() < 0.3
    if imported or rng.random() < 0.05:
        d["md5"] = md5(rng)
    if rng.random() < 0.15:
        d["wdir"] = rng.choice([".", "..", "sub", "../sub", "./a/../b", None])
    if imported or rng.random() < 0.1:
        d[rng.choice(["frozen", "frozen", "frozen", "locked"])] = rng.random() < 0.8
    if imported:
        d["deps"] = [stage_dep(rng)]
    used = set()
    d["outs"] = [stage_out(rng, used) for _ in range(1 if imported else rng.choice([1, 1, 1, 2, 3]))]
    if rng.random() < 0.1:
        d["always_changed"] = rng.random() < 0.5
    if rng.random() < 0.15:
        d["meta"] = rng.choice([tree(rng, 3), None, 0, "", {}, False])
    if rng.random() < 0.2:
        items = list(d.items())
        rng.shuffle(items)
        d = dict(items)
    return d


def file_case(rng, name, small):
    global REPO
    import tempfile

    from dvc.dvcfile import SingleStageFile
    from dvc.repo import Repo
    from dvc.stage import serialize
    from dvc.stage.utils import compute_md5
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.meta import Meta

    if REPO is None:
        where = tempfile.mkdtemp()
        os.makedirs(where + "/pipe/deep")
        os.chdir(where)
        REPO = Repo.init(where, no_scm=True)
    source = Writer(rng, rng.random() < 0.7).document(stage_file(rng))
    place = rng.choice(["x.dvc", "pipe/x.dvc", "pipe/deep/x.dvc"])
    parts = [("case", name), ("text", source)]
    with open(place, "w", newline="") as f:
        f.write(source)
    lines = [place]
    try:
        if True:
            stage = SingleStageFile(REPO, place, verify=False).stage
            for i, o in enumerate(stage.outs):
                if rng.random() < 0.5 and o.is_in_repo:
                    h = md5(rng) + rng.choice(["", ".dir"])
                    size, nfiles = rng.choice([-1, 0, 5, 10**10]), rng.choice([-1, -1, 3])
                    x = rng.random() < 0.2
                    o.hash_name, o.hash_info, o.files = "md5", HashInfo("md5", h), None
                    o.meta = Meta(isdir=h.endswith(".dir"), size=None if size < 0 else size,
                                  nfiles=None if nfiles < 0 else nfiles, isexec=x)
                    lines.append("%d %s %d %d %d" % (i, h, size, nfiles, x))
            out = dumps_yaml(serialize.to_single_stage_file(stage))
            out += "# %s\n" % compute_md5(stage)
    except Exception:
        return parts + [("file", "\n".join(lines)), ("fail", "")]
    return parts + [("file", "\n".join(lines)), ("out", out)]


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    small = "--small" in sys.argv
    make = file_case if "--files" in sys.argv else case
    # What DVC has to say goes nowhere.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    done = 0
    while done < count:
        rng = random.Random(seed)
        seed += 1
        parts = make(rng, "seed %d" % (seed - 1), small)
        if parts is None:
            continue
        blob = b""
        try:
            for word, t in parts:
                t = t.encode()
                blob += b"%s %d\n%s\n" % (word.encode(), len(t), t)
        except UnicodeEncodeError:
            continue
        if small and len(blob) > 1200:
            continue
        out.write(blob)
        done += 1


main()
