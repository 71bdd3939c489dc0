"""Where the two tools differ, and why: the only differences that a walk lets pass.

Each entry is a function of a turn that returns the paths it answers for; docs/artifacts.md tells the
user of those that are dag's choice.
"""
import json
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
        if (self.answers[0][0] == 0) == (self.answers[1][0] == 0):
            return True
        if "dag" not in self.names:
            return False
        n = self.names.index("dag")
        for name, reason, verbs, words in FAILURES:
            if self.answers[n][0] == 1 and self.argv[0] in verbs and words in self.answers[1 - n][2]:
                self.table.used[name] = self.table.used.get(name, 0) + 1
                return True
        return False


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


def kept_permissions(turn, found):
    """Files of the work tree that are alike but for their permissions, which dag left alone."""
    claimed = []
    for path, one, two in found:
        if path.startswith("repo/") and not path.startswith("repo/.dvc/") and one and two:
            ours = one if turn.names[0] == "dag" else two
            same = one[0] == two[0] and one[2] == two[2] and (int(one[1], 8) ^ int(two[1], 8)) & 0o100 == 0
            if one[0] == "file" and same and turn.before.get(path) == ours:
                claimed.append(path)
    return claimed


def blank_at_end(turn, found):
    """.gitignore files that are alike but for the lines of names that end in a blank."""
    def rest(entry):
        return [line for line in (entry[2] if entry else b"").splitlines() if not line.endswith(b" ")]

    return [path for path, one, two in found if path.endswith("/.gitignore") and path.startswith("repo/")
            and (not one or not two or one[:2] == two[:2]) and rest(one) == rest(two)]


def half_done(turn, found):
    """Both have failed; one of them has done there what the other has not begun."""
    if any(answer[0] == 0 for answer in turn.answers):
        return []
    return [path for path, one, two in found if turn.before.get(path) in (one, two)]


def linked(turn, found):
    """Files that dag has linked to their object and DVC has not, and those objects."""
    n = turn.names.index("dag")
    contents = set()
    claimed = []
    for path, *sides in found:
        ours, theirs = sides[n], sides[1 - n]
        if path.startswith("repo/.dvc/") or not ours or not theirs or theirs[0] != "file":
            continue
        if ours[0] == "link":
            target = os.path.join(os.path.dirname(path), os.fsdecode(ours[2]))
            target = target[target.find("repo/.dvc/cache"):]
            if turn.after[n].get(target, ("", "", None))[2] == theirs[2]:
                claimed.append(path)
        elif ours[0] == "shared file" and ours[1] == "0444" and ours[2] == theirs[2]:
            claimed.append(path)
            contents.add(ours[2])
    for path, *sides in found:
        ours, theirs = sides[n], sides[1 - n]
        if path.startswith("repo/.dvc/cache/") and ours and theirs and ours[1] == theirs[1] and ours[2] == theirs[2] \
                and ours[2] in contents:
            claimed.append(path)
    return claimed


def empty_directories(turn, found):
    """Directories without a file below them, which one of the two has removed or not made."""
    claimed = []
    for path, one, two in found:
        side = 0 if one else 1
        if (one or two)[0] == "directory" and not (one and two) and path.startswith("repo/") and not any(
                other.startswith(path + "/") and entry[0] != "directory" for other, entry in turn.after[side].items()):
            claimed.append(path)
    return claimed


def listed(snapshot, store):
    """The directory lists of a store: {path: the paths of what they list}."""
    lists = {}
    for path, (kind, _, content) in snapshot.items():
        if path.startswith(store + "/") and path.endswith(".dir") and kind != "directory":
            try:
                sums = [entry["md5"] for entry in json.loads(content)]
            except (ValueError, UnicodeDecodeError):  # a big one, of which only the hash is kept
                sums = []
            lists[path] = {f"{store}/files/md5/{md5[:2]}/{md5[2:]}" for md5 in sums}
    return lists


def parents(paths):
    return {path.rsplit("/", 1)[0] for path in paths}


def early_lists(turn, found):
    """Lists of directories that DVC has put on a remote which lacks some of the files."""
    if turn.argv[0] != "push":
        return []
    n = turn.names.index("dag")
    theirs = turn.after[1 - n]
    claimed = set()
    for path, *sides in found:
        if path.endswith(".dir") and sides[n] is None and path.startswith("rem"):
            if listed(theirs, path.split("/")[0])[path] - theirs.keys():
                claimed.add(path)
    return claimed | {path for path, *sides in found if path in parents(claimed) and sides[n] is None}


def repaired(turn, found):
    """Files that dag has brought to a remote where their list was already."""
    if turn.argv[0] != "push":
        return []
    n = turn.names.index("dag")
    claimed = set()
    for path, *sides in found:
        if path.startswith("rem") and sides[1 - n] is None and not path.endswith(".dir"):
            if any(path in files for files in listed(turn.before, path.split("/")[0]).values()):
                claimed.add(path)
    return claimed | {path for path, *sides in found if path in parents(claimed) and sides[1 - n] is None}


def protected(turn, found):
    """Objects that a gc of DVC removes and one of dag does not."""
    if turn.argv[0] != "gc":
        return []
    n = turn.names.index("dag")
    claimed = {path for path, *sides in found
               if "/files/md5/" in path and sides[1 - n] is None and sides[n] == turn.before.get(path)}
    return claimed | {path for path, *sides in found if path in parents(claimed) and sides[1 - n] is None}


def line_ends(turn, found):
    """Files that DVC 2 recorded by their lines, of which DVC leaves other bytes behind."""
    n = turn.names.index("dag")
    return [path for path, *sides in found
            if turn.argv[0] == "commit" and path.startswith("repo/") and all(sides) and sides[n] == turn.before.get(path)
            and isinstance(sides[n][2], bytes) and sides[n][2].replace(b"\r\n", b"\n") == sides[1 - n][2]]


RULES = [
    ("stale outputs", "a checkout removes what is tracked no longer only where the tool itself put it: the one that works on "
     "the copy of the repository cannot know", True, stale_outputs),
    ("permissions kept", "a file that is right already keeps its permissions; DVC makes a single one anew, without what "
     "others than its owner might execute", False, kept_permissions),
    ("blank at the end", "in .gitignore the last blank of a name is escaped, as git wants it; DVC's entry ignores another name",
     False, blank_at_end),
    ("half done", "where one thing cannot be done dag does the others, and begins nothing that it cannot finish; DVC stops at "
     "the first in the order of the directory, or removes files before it finds that others are missing", False, half_done),
    ("linked", "every file is linked as cache.type says; DVC leaves those whose objects were in the cache before",
     False, linked),
    ("empty directories", "a directory without files is nothing that is tracked: dag leaves it, DVC removes it where it changes "
     "something beside it", False, empty_directories),
    ("early lists", "the list of a directory is not pushed before all its files lie on the remote, also where only one of them "
     "was named", False, early_lists),
    ("repaired", "a list on the remote is no proof that its files are there: push brings those that are missing; DVC takes it "
     "as proof", False, repaired),
    ("protected", "a gc keeps what any local branch, tag, stash or other work tree uses, whatever else it is asked to look at; "
     "DVC keeps what it is asked for", False, protected),
    ("line ends", "a commit never changes the bytes of a file; DVC puts in its place what DVC 2 hashed, with other line ends",
     False, line_ends),
]

CLOUD = ("names of one object", "status --cloud tells all files that an object is the content of, not one of them")

# What dag takes for a failure and DVC does not: (name, reason, commands, what DVC writes).
FAILURES = [
    ("missing objects", "objects that are neither here nor there are a failure; DVC warns and exits with 0",
     {"push", "fetch", "pull"}, "Some of the cache files do not exist neither locally nor on remote"),
]


class Table:
    def __init__(self, names):
        self.names = names
        self.outs = set()  # all that was ever tracked
        self.used = {}

    def turn(self, **what):
        return Turn(self, **what)

    def same_answer(self, argv, said):
        if said[0][:2] == said[1][:2]:
            return True
        if "dag" in self.names and argv[0] == "status" and "--cloud" in argv and said[0][0] and said[1][0]:
            # DVC tells each object under one name only, whichever comes first.
            n = self.names.index("dag")
            if said[1 - n][1].items() <= said[n][1].items():
                self.used[CLOUD[0]] = self.used.get(CLOUD[0], 0) + 1
                return True
        return False

    def report(self):
        return [f"{self.used[name]} x {name}: {reason}" for name, reason, *_ in RULES + FAILURES + [CLOUD] if name in self.used]
