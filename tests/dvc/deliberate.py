"""Where the two tools differ, and why: the only differences that a walk lets pass.

Each entry is a function of a turn that returns the paths it answers for; docs/artifacts.md tells the
user of those that are dag's choice.
"""
import os


class Turn:
    def __init__(self, table, argv, keep, before, after, answers, outs):
        self.table, self.argv, self.keep = table, argv, keep
        self.before, self.after, self.answers, self.outs = before, after, answers, outs
        self.names = table.names

    def unmeant(self, found):
        for name, reason, both, rule in RULES:
            if not found:
                break
            if not both and "dag" not in self.names:
                continue
            claimed = set(rule(self, found))
            if claimed:
                self.table.used[name] = self.table.used.get(name, 0) + 1
                found = [d for d in found if d[0] not in claimed]
        return found

    def same_end(self):
        """Both succeed or both fail; by how much they fail is not compared."""
        return (self.answers[0][0] == 0) == (self.answers[1][0] == 0)


def stale_outputs(turn, found):
    """Files that were outputs once, are none now, and are gone in one of the two."""
    if turn.argv[0] not in ("checkout", "pull"):
        return []
    was = turn.table.outs
    claimed = []
    for path, one, two in found:
        if not path.startswith("repo/") or (one is not None and two is not None):
            continue
        relative = path[len("repo/"):]
        parts = relative.split("/")
        above = {"/".join(parts[:n]) for n in range(1, len(parts) + 1)}
        gone = one is None or two is None
        if gone and above & was and not above & turn.outs and turn.before.get(path) == (one or two):
            claimed.append(path)
    return claimed


RULES = [
    ("stale outputs", "a checkout removes what is tracked no longer only where the tool itself put it: the one that works on "
     "the copy of the repository cannot know", True, stale_outputs),
]


class Table:
    def __init__(self, names):
        self.names = names
        self.outs = set()  # all that was ever tracked
        self.used = {}

    def turn(self, **what):
        return Turn(self, **what)

    def same_answer(self, argv, said):
        return said[0][:2] == said[1][:2]

    def report(self):
        return [f"{self.used[name]} x {name}: {reason}" for name, reason, _, _ in RULES if name in self.used]
