#!/usr/bin/python3 -B
"""A seeded random walk on one repository with two tools that take turns.

    walk.py [--tools dag,dvc] [--seed N] [--steps N] [--upto K] [-v]
            [--shrink SECONDS] [--replay FILE] [--keep] [--on]

Each step that changes something is done twice from the same state, once by each tool, and all that
they leave behind must be the same, byte for byte; then one of the two results is taken on, and both
tools must say the same about it.  The walk follows from the seed and the tools alone.  Differences
that are meant stand in deliberate.py; how often each was met is printed at the end.

A walk that fails prints its steps, one JSON list a line, which --replay takes; --shrink looks for
fewer that fail alike; --on tells each difference and goes on with the result that is taken.
Exit 0: the tools agree; 1: they do not; 2: misuse.

It runs with the interpreter of the venv (tests/dvc/venv) and starts itself with it.
"""
import argparse
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time

import oracle


def with_dvc():
    """Go on with the interpreter that has DVC."""
    python, why = oracle.venv()
    if not python:
        sys.exit(why)
    oracle.go_on(python)
    return python


class Disagree(Exception):
    """The tools are not of one mind; ${kind} is what shrinking keeps."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


READ = [["status", "--json"], ["data", "status", "--granular", "--json"], ["diff", "--json"]]
MORE = [["status", "--cloud", "--json", "--remote", "REMOTE"], ["diff", "--json", "--show-hash"], ["data", "status", "--json"],
        ["data", "status", "--json", "--unchanged", "--granular"], ["diff", "HEAD~1", "HEAD", "--json"],
        ["ls", ".", "-R", "--dvc-only", "--json"], ["remote", "list"], ["ls", ".", "-R", "--json"],
        ["data", "status", "--json", "--granular", "--untracked-files"]]


def normal(value):
    """JSON without the order that DVC takes from hash tables and directories."""
    if isinstance(value, dict):
        return {key: normal(v) for key, v in value.items()}
    if isinstance(value, list):
        return sorted((normal(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def only(one, two):
    """Two answers without what both of them have."""
    if isinstance(one, dict) and isinstance(two, dict):
        both = {key: only(one.get(key, type(two.get(key))()), two.get(key, type(one.get(key))()))
                for key in sorted(one.keys() | two.keys()) if one.get(key) != two.get(key)}
        return {key: v[0] for key, v in both.items()}, {key: v[1] for key, v in both.items()}
    if isinstance(one, list) and isinstance(two, list):
        return [v for v in one if v not in two], [v for v in two if v not in one]
    return one, two


class Walk:
    """The two tools at work in ${top}; ${fill} brings the first files of the repository and is given the walk."""

    def __init__(self, top, names, python, program, verbose=False, defect=None, fill=None):
        from place import Place
        import deliberate
        import tools

        self.place = Place(top)
        env = self.place.env
        self.dvc = tools.DvcTool(oracle.Dvc(python), env)
        # Where DVC is both tools, each has hash tables of another order.
        self.other = self.dvc.driver if "dag" in names else oracle.Dvc(python, 2)
        self.tools = [tools.make(name, self.other if n else self.dvc.driver, program, env, defect)
                      for n, name in enumerate(names)]
        self.verbose = verbose
        self.table = deliberate.Table(names, self.place.repo)
        self.log = []
        self.turns = 0
        self.asked = 0
        self.went = {}  # (command, whether it succeeded): how often
        self.place.git("init", "-q")
        (fill or Walk.begin)(self)
        self.place.git("add", "-A")
        self.place.git("commit", "-q", "-m", "begin")

    remote = "rem1"  # that is asked about

    def begin(self):
        # Absolute, because DVC takes a relative one in other revisions as relative to "/".
        for argv in (["init", "-q"], ["remote", "add", "-q", "-d", "rem1", self.place.now + "/rem1"],
                     ["remote", "add", "-q", "rem2", self.place.now + "/rem2"]):
            self.must_dvc(argv)
        with open(self.place.path("README"), "w") as f:
            f.write("An ordinary file of git's.\n")

    def must_dvc(self, argv):
        rc, out, err = self.dvc.run(argv, self.place.repo)
        if rc != 0:
            raise RuntimeError(f"dvc {argv}: {rc} {err}")

    def close(self):
        self.dvc.driver.close()
        self.other.close()

    def state(self):
        """A word for what is there now: the same seed ends in the same state."""
        from place import snapshot

        # The settings name the remotes by where they lie.
        found = {path: entry for path, entry in snapshot(self.place).items() if path != "git's index, .dvc/config"}
        found = repr(sorted(found.items())).replace(self.place.top, "TOP")
        return hashlib.sha256(found.encode("utf-8", "surrogateescape")).hexdigest()[:12]

    def say(self, text):
        if self.verbose:
            print(text.encode("utf-8", "backslashreplace").decode(), flush=True)

    # Operations.

    def apply(self, op):
        self.log.append(op)
        self.say(f"{self.state()} {json.dumps(op)}" if self.verbose else "")
        op = [word.replace("{now}", self.place.now) for word in op]
        if op[0] == "both":
            self.turn(int(op[1]), op[2], op[3:])
        elif op[0] == "git":
            self.place.git(*op[1:], check=False)
        elif op[0] == "dvc":
            self.dvc.run(op[1:], self.place.repo)
        else:
            try:
                getattr(self, "do_" + op[0])(*op[1:])
            except OSError as error:  # it does not fit here
                self.say(f"    ({error})")

    def own(self, path):
        """The path of a file that may be written without touching an object of the cache."""
        path = self.place.path(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path):
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode) or status.st_nlink > 1:
                with open(path, "rb") as f:
                    content = f.read()
                os.unlink(path)
                with open(path, "wb") as f:
                    f.write(content)
            elif not status.st_mode & 0o200:
                os.chmod(path, 0o644)
        return path

    def do_write(self, path, number, times):
        with open(self.own(path), "wb") as f:
            f.write(f"content {number}\n".encode() * int(times))

    def do_append(self, path, text):
        with open(self.own(path), "ab") as f:
            f.write(text.encode())

    def do_text(self, path, text):
        with open(self.own(path), "wb") as f:
            f.write(text.encode())

    def do_chmod(self, path, mode):
        if os.path.lexists(self.place.path(path)):
            os.chmod(self.own(path), int(mode, 8))

    def do_mkdir(self, path):
        os.makedirs(self.place.path(path), exist_ok=True)

    def do_ln(self, target, path):
        os.makedirs(os.path.dirname(self.place.path(path)), exist_ok=True)
        os.symlink(target, self.place.path(path))

    def do_rm(self, path):
        path = self.place.path(path)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)

    def do_mv(self, path, to):
        os.makedirs(os.path.dirname(self.place.path(to)), exist_ok=True)
        os.rename(self.place.path(path), self.place.path(to))

    def do_lose(self, store, number):
        top = self.place.path(".dvc/cache" if store == "cache" else "../" + store)
        if number == "-1":
            shutil.rmtree(top, ignore_errors=True)
            return
        objects = sorted(os.path.join(base, name) for base, _, names in os.walk(top) for name in names)
        if objects:
            os.unlink(objects[int(number) % len(objects)])

    # A turn: both tools from the same state.

    def turn(self, keep, cwd, argv):
        from draw import tracked
        from place import differences, show, snapshot

        place = self.place
        where = os.path.join(place.repo, cwd)
        if not os.path.isdir(where):
            return
        before = snapshot(place)
        self.table.outs.update(out for _, out, _ in tracked(place.repo))
        place.forget()
        place.put_aside("begin")
        place.copy_of("begin")
        answers, after = [None, None], [None, None]
        for index in (1 - keep, keep):
            with self.place.out_of_sight(self.needs_remote(argv)):
                answers[index] = self.tools[index].run(argv, where)
            after[index] = snapshot(place)
            self.say(f"    {self.tools[index].name}: {answers[index][0]} {answers[index][2].strip()[:300]!r}")
            if index != keep:
                place.put_aside("other")
                place.bring_back("begin")
        place.drop("other")
        self.turns += 1
        self.went[(argv[0], answers[keep][0] == 0)] = self.went.get((argv[0], answers[keep][0] == 0), 0) + 1
        turn = self.table.turn(argv=argv, cwd=cwd, keep=keep, before=before, after=after, answers=answers,
                               outs={out for _, out, _ in tracked(place.repo)})
        self.table.outs.update(turn.outs)
        left = turn.unmeant(differences(*after))
        names = [tool.name for tool in self.tools]
        if left:
            lines = [f"{names[0]} and {names[1]} leave different files behind `{' '.join(argv)}`"]
            for path, one, two in left[:12]:
                lines.append(f"  {path}\n    before  {show(before.get(path))}\n    {names[0]:7} {show(one)}\n    {names[1]:7} {show(two)}")
            if len(left) > 12:
                lines.append(f"  and {len(left) - 12} more")
            for name, answer in zip(names, answers):
                lines.append(f"  {name} exits {answer[0]}: {answer[2].strip()[-400:]}")
            raise Disagree(("files", argv[0]), "\n".join(lines))
        if not turn.same_end():
            raise Disagree(("exit", argv[0]), f"`{' '.join(argv)}` does not end alike:\n" + "\n".join(
                f"  {name} exits {answer[0]}: {answer[2].strip()[-600:]}" for name, answer in zip(names, answers)))
        self.ask()

    @staticmethod
    def needs_remote(argv):
        """DVC looks for the list of a directory on the remote, whatever it is asked; dag where it is told to."""
        return argv[0] in ("push", "pull", "fetch", "remote") or "--cloud" in argv

    def question(self, tool, argv):
        with self.place.out_of_sight(self.needs_remote(argv)):
            rc, out, err = tool.run(argv, self.place.repo)
        try:
            if rc != 0:
                return False, None, err
            return True, normal(json.loads(out)) if "--json" in argv else out.split(), err
        except ValueError:
            raise Disagree(("json", argv[0]), f"{tool.name} {' '.join(argv)} prints no JSON: {out!r}")

    def ask(self):
        """Both tools say the same about the state that was taken on, and change nothing."""
        from place import STORES, differences, show, snapshot

        questions = READ + [[self.remote if word == "REMOTE" else word for word in MORE[self.turns % len(MORE)]]]
        said = {}
        self.place.forget()
        before = snapshot(self.place)
        order = sorted(range(2), key=lambda n: self.tools[n].name != "dag")
        if self.tools[order[0]].name == "dag":
            for argv in questions:
                said[order[0], tuple(argv)] = self.question(self.tools[order[0]], argv)
            changed = differences(before, snapshot(self.place))
            if changed:
                path, one, two = changed[0]
                raise Disagree(("reading",), f"asking dag changed {path}:\n  {show(one)}\n  {show(two)}")
        for argv in questions:
            for n in order:
                if (n, tuple(argv)) not in said:
                    said[n, tuple(argv)] = self.question(self.tools[n], argv)
            answers = [said[n, tuple(argv)] for n in range(2)]
            self.asked += 1
            if not self.table.same_answer(argv, answers):
                raise Disagree(("answer",) + tuple(argv[:2]), f"`{' '.join(argv)}` is not answered alike:\n" + "\n".join(
                    f"  {tool.name}: {json.dumps(said)[:3000] if answer[0] else answer[2][-600:]}"
                    for tool, answer, said in zip(self.tools, answers, only(answers[0][1], answers[1][1]))))
        # Where DVC sees a remote it brings the lists of directories.
        brings = any(self.needs_remote(argv) for argv in questions)
        changed = [d for d in differences(before, snapshot(self.place))
                   if d[1] is not None or not (brings and d[0].startswith(STORES[0]))]
        if changed:
            path, one, two = changed[0]
            raise Disagree(("reading",), f"asking changed {path}:\n  {show(one)}\n  {show(two)}")


def shrink(ops, kind, again, seconds):
    """Fewer operations that fail alike: pieces are left out as long as time is left."""
    end = time.monotonic() + seconds
    size = max(1, len(ops) // 2)
    while size and time.monotonic() < end:
        at, shorter = 0, False
        while at < len(ops) and time.monotonic() < end:
            without = ops[:at] + ops[at + size:]
            failed = again(without)
            if failed and failed[0] == kind:
                ops = without[:failed[1]]
                shorter = True
            else:
                at += size
        if not shorter or size > 1:
            size //= 2
    return ops


def play(ops, args, python, defect=None):
    """Play operations in a new place: None, or (kind, how many were played)."""
    top = os.path.realpath(tempfile.mkdtemp(prefix="dag-walk-"))
    walk = Walk(top, args.tools, python, args.dag, args.verbose, defect() if defect else None)
    try:
        for n, op in enumerate(ops):
            try:
                walk.apply(op)
            except Disagree as error:
                return error.kind, n + 1, str(error)
    finally:
        walk.close()
        shutil.rmtree(top, ignore_errors=True)
    return None


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tools", default="dag,dvc", type=lambda s: s.split(","))
    parser.add_argument("--dag", default=oracle.PROGRAM)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=150, help="of both tools")
    parser.add_argument("--upto", type=int, help="stop after so many operations")
    parser.add_argument("--shrink", type=float, metavar="SECONDS")
    parser.add_argument("--replay", metavar="FILE")
    parser.add_argument("--keep", action="store_true", help="leave the place of a walk that fails")
    parser.add_argument("--on", action="store_true", help="tell all differences, not only the first")
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args(argv)
    if len(args.tools) != 2 or not set(args.tools) <= {"dag", "dvc", "wrong"}:
        parser.error("--tools wants two of dag and dvc")
    return args


def main(argv, defect=None):
    args = arguments(argv)
    python = with_dvc()
    from draw import Draw

    start = time.monotonic()
    top = os.path.realpath(tempfile.mkdtemp(prefix="dag-walk-"))
    walk = Walk(top, args.tools, python, args.dag, args.verbose, defect() if defect else None)
    failed = end = None
    many = 0

    def apply(op):
        nonlocal many
        try:
            walk.apply(op)
        except Disagree as error:
            if not args.on:
                raise
            many += 1
            print(f"operation {len(walk.log)}: {error}".encode("utf-8", "backslashreplace").decode(), flush=True)

    try:
        if args.replay:
            with open(args.replay) as f:
                ops = [json.loads(line) for line in f if line.startswith("[")]
            for op in ops:
                apply(op)
        else:
            draw = Draw(args.seed, walk.place)
            while walk.turns < args.steps:
                for op in draw.step():
                    if args.upto is not None and len(walk.log) >= args.upto:
                        break
                    apply(op)
                if args.upto is not None and len(walk.log) >= args.upto:
                    break
        end = walk.state()
    except Disagree as error:
        failed = error
    finally:
        walk.close()
        if not (failed and args.keep):
            shutil.rmtree(top, ignore_errors=True)
    if failed:
        ops = walk.log
        print(f"seed {args.seed}, operation {len(ops)}: {failed}".encode("utf-8", "backslashreplace").decode())
        if args.shrink:
            ops = shrink(ops, failed.kind, lambda some: play(some, args, python, defect), args.shrink)
            last = play(ops, args, python, defect)
            print(f"{len(ops)} operations are enough:\n{last[2] if last else ''}".encode("utf-8", "backslashreplace").decode())
        print("\n".join(json.dumps(op) for op in ops))
        print(f"again: tests/dvc/walk.py --tools {','.join(args.tools)} --seed {args.seed} --upto {len(walk.log)}"
              + (f"\nits place is {top}" if args.keep else ""))
        return 1
    print(f"seed {args.seed}: {walk.turns} turns, {walk.asked} questions in {time.monotonic() - start:.0f} s, to {end}")
    verbs = sorted({verb for verb, _ in walk.went})
    print("  " + ", ".join(f"{verb} {walk.went.get((verb, True), 0)}+{walk.went.get((verb, False), 0)}" for verb in verbs)
          + " (done + refused)")
    for line in walk.table.report():
        print("  " + line)
    return 1 if many else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
