"""Where the two tools differ, and why: the only differences that a walk lets pass; answers.py has those of what they say.

Each entry is a function of a turn that returns the paths it answers for; docs/artifacts.md tells the
user of those that are dag's choice.
"""
import hashlib
import json
import os
import re
import subprocess

import pathspec
import yaml

import answers
from place import STORES


class Turn:
    def __init__(self, table, argv, cwd, keep, before, after, answers, outs):
        self.table, self.argv, self.cwd, self.keep = table, argv, cwd, keep
        self.claimed = set()  # paths that rules have answered for
        self.kept = False  # what DVC removes dag has refused to
        self.right = False  # what DVC fails at is right already
        self.before, self.after, self.answers, self.outs = before, after, answers, outs
        self.names = table.names

    def unmeant(self, found):
        for name, reason, both, rule in RULES:
            if not found:
                break
            if not both and "dag" not in self.names:
                continue
            claimed = set(rule(self, found))
            self.claimed |= claimed
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
        for name, _, rule in ENDS:
            if rule(self, *self.answers[n][::2], *self.answers[1 - n][::2]):
                self.table.used[name] = self.table.used.get(name, 0) + 1
                return True
        return False

    def changed(self, n):
        return self.after[n] != self.before

    def moved(self):
        """What lay where a move has taken it from: it, or what was in it."""
        source = "repo/" + os.path.normpath(os.path.join(self.cwd, self.argv[-2]))
        return [entry for path, entry in self.before.items() if path == source or path.startswith(source + "/")]


def stale_outputs(turn, found):
    """Files that were outputs once, are none now, and are gone in one of the two.  A pointer that is ignored is none."""
    if turn.argv[0] not in ("checkout", "pull"):
        return []
    was = turn.table.outs
    hidden = ignoring(turn.before)
    outs = {out for out in turn.outs if not hidden(out + ".dvc")}
    claimed = []
    for path, one, two in found:
        if not path.startswith("repo/") or (one is not None and two is not None):
            continue
        relative = path[len("repo/"):]
        parts = relative.split("/")
        above = {"/".join(parts[:n]) for n in range(1, len(parts) + 1)}
        gone = one is None or two is None
        if gone and above & was and not above & outs and turn.before.get(path) == (one or two):
            claimed.append(path)
    return claimed


def kept_permissions(turn, found):
    """Files of the work tree that are alike but for their permissions, which dag left alone."""
    claimed = []
    outs = turn.outs | (turn.table.outs if turn.argv[0] == "remove" else set())
    for path, one, two in found:
        if path.startswith("repo/") and not path.startswith("repo/.dvc/") and one and two:
            ours = one if turn.names[0] == "dag" else two
            # Of a file in a directory nobody records whether it can be executed.
            in_directory = any(path.startswith(f"repo/{out}/") for out in outs)
            same = one[0] == two[0] and one[2] == two[2] and (in_directory or (int(one[1], 8) ^ int(two[1], 8)) & 0o100 == 0)
            if one[0] == "file" and same and turn.before.get(path) == ours:
                claimed.append(path)
            elif turn.argv[0] == "move" and one[0] == "file" and one[0] == two[0] and one[2] == two[2] and ours in turn.moved():
                claimed.append(path)
    return claimed


def blank_at_end(turn, found):
    """.gitignore files that are alike but for the lines of names that end in a blank."""
    def rest(entry):
        return [line for line in (entry[2] if entry else b"").splitlines() if not line.endswith(b" ")]

    return [path for path, one, two in found if path.endswith("/.gitignore") and path.startswith("repo/")
            and (not one or not two or one[:2] == two[:2]) and rest(one) == rest(two)]


def escaped_lines(turn, found):
    """.gitignore files in which DVC has left the line of a name that has to be escaped there."""
    if turn.argv[0] not in ("move", "remove"):
        return []
    n = turn.names.index("dag")
    claimed = []
    for path, *sides in found:
        ours, theirs = sides[n], sides[1 - n]
        if path.startswith("repo/") and path.endswith("/.gitignore") and theirs and (ours is None or ours[:2] == theirs[:2]):
            left = (ours[2] if ours else b"").splitlines()
            more = [line for line in theirs[2].splitlines() if line not in left]
            if more and all(b"\\" in line for line in more) and [line for line in theirs[2].splitlines() if line in left] == left:
                claimed.append(path)
    return claimed


def moved_pointers(turn, found):
    """A pointer that was moved, with the comments and the layout that it had."""
    claimed = []
    for path, *sides in found:
        if turn.argv[0] == "move" and path.endswith(".dvc") and all(sides) and sides[0][:2] == sides[1][:2]:
            meaning = [yaml.load(side[2], yaml.BaseLoader) for side in sides]
            if meaning[0] == meaning[1]:
                claimed.append(path)
    return claimed


def right_already(turn, found):
    """Directories whose list is not there, and that dag found to be right as they are; DVC has removed their files."""
    n = turn.names.index("dag")
    failed = re.search(r"Checkout failed for following targets:\n(.*?)\nIs your cache up to date", turn.answers[1 - n][2], re.S)
    if turn.argv[0] not in ("checkout", "pull") or turn.answers[n][0] != 0 or not failed:
        return []
    outs = ["repo/" + os.path.normpath(os.path.join(turn.cwd, out)) + "/" for out in failed[1].split("\n")]
    claimed = [path for path, *sides in found if any((path + "/").startswith(out) for out in outs)
               and sides[1 - n] is None and sides[n] == turn.before.get(path)]
    turn.right = bool(claimed)
    return claimed


def moved_as_was(turn, found):
    """A file that lies where it was moved as it was, and that DVC has linked to its object on the way."""
    n = turn.names.index("dag")
    if turn.argv[0] != "move":
        return []
    claimed = [path for path, *sides in found if path.startswith("repo/") and not path.startswith("repo/.dvc/") and all(sides)
               and sides[n] in turn.moved() and sides[1 - n][0] == "shared file" and sides[1 - n][2] == sides[n][2]]
    contents = {turn.after[n][path][2] for path in claimed}
    return claimed + [path for path, *sides in found if path.startswith("repo/.dvc/cache/") and all(sides) and sides[n][2] in contents
                      and sides[0][1:] == sides[1][1:]]


def behind_links(turn, found):
    """A file that a link led to which has been added, and that DVC has made a name of the object."""
    n = turn.names.index("dag")
    outs = ["repo/" + out + "/" for out in turn.outs]
    targets = {os.path.normpath(os.path.join(os.path.dirname(path), os.fsdecode(entry[2]))) for path, entry in turn.before.items()
               if entry[0] == "link" and any((path + "/").startswith(out) for out in outs)}
    return [path for path, *sides in found if turn.argv[0] in ("add", "commit") and path in targets and all(sides)
            and sides[n] == turn.before.get(path) and sides[1 - n] == ("shared file", "0444", sides[n][2])]


def lists_without_files(snapshot):
    """The lists of the remotes of which a file is neither there nor in the cache."""
    here = {path.rsplit("/files/md5/", 1)[1] for path in snapshot if path.startswith("repo/.dvc/cache/files/md5/")}
    for store in ("rem1", "rem2", "rem3", "near"):
        for path, files in listed(snapshot, store).items():
            if any(name not in snapshot and name.rsplit("/files/md5/", 1)[1] not in here for name in files):
                yield path


def ignoring(snapshot):
    """What tells whether .dvcignore has a path of the repository in it, or a directory that it lies in."""
    text = snapshot["repo/.dvcignore"][2].decode() if "repo/.dvcignore" in snapshot else ""
    return pathspec.PathSpec.from_lines("gitwildmatch", text.splitlines()).match_file


def ignored_files(turn, found):
    """What .dvcignore has in it of a directory that is removed with its pointer, and the directories that hold it."""
    n = turn.names.index("dag")
    if turn.argv[:2] != ["remove", "--outs"]:
        return []
    hidden = ignoring(turn.before)
    left = {path: sides[n] for path, *sides in found if path.startswith("repo/") and sides[1 - n] is None and sides[n] == turn.before.get(path)}
    files = {path for path, entry in left.items() if entry[0] != "directory" and hidden(path[len("repo/"):])}
    return files | {path for path, entry in left.items() if entry[0] == "directory" and any(name.startswith(path + "/") for name in files)}


def git(repo, *argv, text=b""):
    return subprocess.run(("git",) + argv, cwd=repo, input=text, capture_output=True).stdout


def committed(repo, rev):
    """The pointers and the settings of a commit, as a snapshot has them."""
    names = [name for name in git(repo, "ls-tree", "-r", "-z", "--name-only", rev).split(b"\0")
             if name.endswith(b".dvc") or name in (b".dvcignore", b".dvc/config")]
    said = git(repo, "cat-file", "--batch", text=b"".join(b"%s:%s\n" % (rev.encode(), name) for name in names))
    found = {}
    for name in names:
        head, said = said.split(b"\n", 1)
        size = int(head.split()[2])
        found["repo/" + os.fsdecode(name)], said = ("file", "0644", said[:size]), said[size + 1:]
    return found


def outputs(snapshot):
    """What the pointers of a snapshot name: [(path, the name of its object in a store)]."""
    return [(os.path.join(os.path.dirname(path), out["path"]), f"/files/md5/{out['md5'][:2]}/{out['md5'][2:]}")
            for path, (kind, _, text) in snapshot.items() if path.startswith("repo/") and path.endswith(".dvc") and kind == "file"
            for out in yaml.load(text, yaml.BaseLoader)["outs"]]


def with_files(names, snapshots):
    """The names of objects, with those of the files of the lists among them that are somewhere in ${snapshots}."""
    return names | {file[len(store):] for snapshot in snapshots for store in STORES for path, files in listed(snapshot, store).items()
                    if path[len(store):] in names for file in files}


def skipped_commits(turn, found):
    """What dag has sent or got for a commit that DVC leaves out, as .dvcignore of that commit has a tracked path in it."""
    n = turn.names.index("dag")
    if turn.argv[0] not in ("push", "fetch"):
        return []
    named = set()
    for label in re.findall("failed to collect '(.*?)', skipping", turn.answers[1 - n][2]):
        there = turn.before if label == "workspace" else committed(turn.table.repo, label.split(",")[0])
        hidden = ignoring(there)
        outs = outputs(there)
        if any(hidden(out[len("repo/"):]) for out, _ in outs):
            named.update(name for _, name in outs)
    named = with_files(named, [turn.after[n]])
    claimed = {path for path, *sides in found if sides[1 - n] is None and any(path == store + name for store in STORES for name in named)}
    return claimed | {path for path, *sides in found if path in parents(claimed) and sides[1 - n] is None}


def default_remote(snapshot):
    named = re.search(rb"^\s*remote = (\w+)$", snapshot.get("repo/.dvc/config", ("", "", b""))[2], re.M)
    return named and named[1].decode()


def other_remotes(turn, found):
    """What dag has sent to the default remote of now, or has not got from it, and DVC to or from that which a commit names."""
    n = turn.names.index("dag")
    which = [words for option, words in {"--all-branches": ["--no-walk", "--branches"], "--all-tags": ["--no-walk", "--tags"],
                                         "--all-commits": ["--all"]}.items() if option in turn.argv]
    if turn.argv[0] not in ("push", "fetch") or "--remote" in turn.argv or not which:
        return []
    now = default_remote(turn.before)
    elsewhere = {}  # remote: the objects that commits name which name it
    for rev in git(turn.table.repo, "rev-list", *which[0]).decode().split():
        there = committed(turn.table.repo, rev)
        if default_remote(there) != now:
            elsewhere.setdefault(default_remote(there), set()).update(name for _, name in outputs(there))
    claimed = set()
    for remote, names in elsewhere.items():
        for name in with_files(names, turn.after):
            ours, theirs = (f"{now}{name}", f"{remote}{name}") if turn.argv[0] == "push" else (f"{STORES[0]}{name}",) * 2
            claimed |= {path for path, *sides in found if path == ours and sides[1 - n] is None or path == theirs and sides[n] is None}
    return claimed | {path for path, one, two in found if path in parents(claimed) and None in (one, two)}


def ignored(turn, found):
    """All that dag has done, where DVC does nothing as .dvcignore has a tracked path in it."""
    n = turn.names.index("dag")
    if turn.answers[1 - n][0] == 0 or not answers.IGNORED.search(turn.answers[1 - n][2]) or turn.after[1 - n] != turn.before:
        return []
    return [path for path, *_ in found]


def slashed(turn):
    """Whether DVC has done nothing, as it looks for a target with slashes where that has backslashes."""
    n = turn.names.index("dag")
    words = [word.replace("\\", "/") for word in turn.argv if "\\" in word]
    return not turn.changed(1 - n) and any(re.search(re.escape(word) + "' does not exist", turn.answers[1 - n][2]) for word in words)


def backslashes(turn, found):
    """What dag has recorded of it: the pointer, what git is told of that, and objects."""
    n = turn.names.index("dag")
    pointers = [word[:-len(".dvc")] if word.endswith(".dvc") else word for word in turn.argv if "\\" in word]
    names = {os.path.normpath(os.path.join(turn.cwd, word)) + ".dvc" for word in pointers}
    if turn.argv[0] != "commit" or turn.answers[n][0] != 0 or not slashed(turn):
        return []
    return [path for path, *sides in found if path in {f"{where}{name}" for where in ("repo/", "git's index, ") for name in names}
            or (path.startswith("repo/.dvc/cache/files/md5/") and sides[1 - n] is None)]


def not_lost(turn, found):
    """What dag does not remove as its content would be lost, and DVC removes."""
    n = turn.names.index("dag")
    if turn.argv[:2] != ["remove", "--outs"] or "these files would be lost" not in turn.answers[n][2] or turn.answers[n][0] != 1:
        return []
    cached = {entry[2] for path, entry in turn.before.items() if path.startswith("repo/.dvc/cache/")}
    lost = [path for path, *sides in found if sides[1 - n] is None and sides[n] and sides[n][0] == "file"
            and not path.endswith((".dvc", "/.gitignore")) and sides[n][2] not in cached]
    if not lost or any(sides[n] != turn.before.get(path) for path, *sides in found):
        return []
    turn.kept = True
    return [path for path, *_ in found]


def as_before(turn, path, entry):
    """Whether there is what was there, perhaps with fewer names than it had."""
    before = turn.before.get(path)
    return entry == before or (before and entry and (before[0], entry[0]) == ("shared file", "file") and entry[1:] == before[1:])


def half_done(turn, found):
    """Both have failed; one of them has done there what the other has not begun."""
    if any(answer[0] == 0 for answer in turn.answers):
        return []
    return [path for path, one, two in found if as_before(turn, path, one) or as_before(turn, path, two)]


def linked(turn, found):
    """Files that dag has linked to their object and DVC has not, and those objects."""
    n = turn.names.index("dag")
    contents = set()
    claimed = []
    for path, *sides in found:
        ours, theirs = sides[n], sides[1 - n]
        if not any((path + "/").startswith(f"repo/{out}/") for out in turn.outs) or not ours or not theirs or theirs[0] != "file":
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


def unlisted(turn):
    """The name of the list that has not got the one path that dag, for that, refuses to push; else None."""
    n = turn.names.index("dag")
    code, _, said = turn.answers[n]
    path = os.path.normpath(os.path.join(turn.cwd, turn.argv[-1]))
    for out in turn.outs if turn.argv[0] == "push" and code == 1 and not turn.changed(n) else ():
        if not path.startswith(out + "/") or not re.fullmatch(f"dag: error: .* is not in the list of '{re.escape(out)}'\n", said):
            continue
        name = yaml.load(turn.before[f"repo/{out}.dvc"][2], yaml.BaseLoader)["outs"][0]["md5"]
        name = f"files/md5/{name[:2]}/{name[2:]}"
        lists = [json.loads(turn.before[f"{store}/{name}"][2]) for store in STORES if f"{store}/{name}" in turn.before]
        if lists and not any(f"{out}/{entry['relpath']}/".startswith(path + "/") for entry in lists[0]):
            return name
    return None


def lists_for_nothing(turn, found):
    """The list of a directory that DVC has pushed, asked for a path that is not in it."""
    name = unlisted(turn)
    n = turn.names.index("dag")
    claimed = {path for path, *sides in found if name and sides[n] is None and path in [f"{store}/{name}" for store in STORES]}
    return claimed | {path for path, *sides in found if path in parents(claimed) and sides[n] is None}


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


def lists_brought(turn, found):
    """Lists that a gc of a remote has left in the cache, as it has read them there."""
    n = turn.names.index("dag")
    if turn.argv[0] != "gc" or "--cloud" not in turn.argv:
        return []
    there = {path[len(store):]: entry for store in STORES[1:] for path, entry in turn.before.items() if path.startswith(store + "/") and path.endswith(".dir")}
    claimed = {path for path, *sides in found if sides[n] is None and sides[1 - n] and path.startswith(STORES[0] + "/")
               and there.get(path[len(STORES[0]):], ("", "", None))[2] == sides[1 - n][2]}
    return claimed | {path for path, *sides in found if path in parents(claimed) and sides[n] is None}


def blob(entry):
    return entry and hashlib.sha1(b"blob %d\0" % len(entry[2]) + entry[2]).hexdigest()


def staged_alike(turn, found):
    """What each has told git of, as it has it: files that may differ themselves."""
    claimed = []
    for path, *sides in found:
        name = "repo/" + path.partition("git's index, ")[2]
        if name in turn.claimed and all(sides) and all(side[2] == blob(after.get(name)) for side, after in zip(sides, turn.after)):
            claimed.append(path)
    return claimed


def autostage(snapshot):
    kind, _, content = snapshot.get("repo/.dvc/config", ("", "", b""))
    return b"autostage = true" in content


def staged(turn, found):
    """What dag has told git of as it is now, or that it is gone, where core.autostage asks for that."""
    n = turn.names.index("dag")
    if turn.argv[0] not in ("commit", "remove") or not autostage(turn.before):
        return []
    claimed = []
    for path, *sides in found:
        name = path.partition("git's index, ")[2]
        if name.endswith((".dvc", "dvc.lock", ".gitignore")) and sides[1 - n] == turn.before.get(path) \
                and (sides[n] and sides[n][2]) == blob(turn.after[n].get("repo/" + name)):
            claimed.append(path)
    return claimed


def link_counts(turn, found):
    """Files that differ in whether they have another name, which a file that is answered for already is: objects, and
    others where that name is gone."""
    names = [path for path in turn.claimed if not path.startswith("repo/.dvc/")]
    shared = [{snapshot[path][2] for path in names if snapshot.get(path, ("",))[0] == "shared file"} for snapshot in turn.after]
    gone = [{turn.after[1 - n][path][2] for path in names if path not in turn.after[n] and turn.after[1 - n].get(path, ("",))[0] == "shared file"}
            for n in (0, 1)]
    claimed = []
    for path, *sides in found:
        if all(sides) and {side[0] for side in sides} == {"file", "shared file"} and sides[0][1:] == sides[1][1:]:
            alone = 0 if sides[0][0] == "file" else 1
            if sides[0][2] in (shared[0] | shared[1] if path.startswith("repo/.dvc/cache/") else gone[alone]):
                claimed.append(path)
    return claimed


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
    ("escaped lines", "a line of .gitignore goes with what it is for; DVC does not find those that had to be escaped", False, escaped_lines),
    ("moved pointers", "a pointer keeps its comments and its layout when it is moved; DVC writes it anew", False, moved_pointers),
    ("right already", "a directory whose files are those that its pointer means is right, whether its list is in the cache or not; "
     "DVC's checkout removes it and fails", False, right_already),
    ("moved as it was", "a move is a rename; DVC makes the file anew, by cache.type", False, moved_as_was),
    ("behind links", "with cache.type hardlink what is added is linked to its object; DVC links what a link led to as well", False, behind_links),
    ("ignored", "a tracked path that .dvcignore has in it is refused where it is asked for; DVC does nothing at all", False, ignored),
    ("backslashes", "a target with a backslash is that path; DVC's commit looks for one with a slash", False, backslashes),
    ("ignored files", "what .dvcignore has in it is nobody's data: remove --outs leaves it; DVC removes the directory with all that is in it",
     False, ignored_files),
    ("skipped commits", "where .dvcignore has a tracked path in it the other paths of that commit are pushed and fetched; DVC leaves the commit out",
     False, skipped_commits),
    ("other remotes", "one push or fetch is with one remote, the default of the work tree; DVC asks the settings of each commit for its own",
     False, other_remotes),
    ("not lost", "remove --outs removes nothing that is nowhere else, unless by force", False, not_lost),
    ("half done", "where one thing cannot be done dag does the others, and begins nothing that it cannot finish; DVC stops at "
     "the first in the order of the directory, or removes files before it finds that others are missing", False, half_done),
    ("linked", "every file is linked as cache.type says; DVC leaves those whose objects were in the cache before",
     False, linked),
    ("empty directories", "a directory without files is nothing that is tracked: dag leaves it, DVC removes it where it changes "
     "something beside it", False, empty_directories),
    ("lists for nothing", "asked to push what the list of its directory does not have dag pushes nothing; DVC pushes the list", False,
     lists_for_nothing),
    ("early lists", "the list of a directory is not pushed before all its files lie on the remote, also where only one of them "
     "was named", False, early_lists),
    ("repaired", "a list on the remote is no proof that its files are there: push brings those that are missing; DVC takes it "
     "as proof", False, repaired),
    ("protected", "a gc keeps what any local branch, tag, stash or other work tree uses, and what links lead to, whatever else it is asked to look at; "
     "DVC keeps what it is asked for", False, protected),
    ("lists brought", "a gc of a remote reads its lists there; DVC puts them into the cache", False, lists_brought),
    ("line ends", "a commit never changes the bytes of a file; DVC puts in its place what DVC 2 hashed, with other line ends",
     False, line_ends),
    ("staged", "core.autostage is for every verb that writes a pointer; DVC's commit and remove leave it to the user", False, staged),
    ("link counts", "an object has as many names as there are files linked to it", True, link_counts),
    ("staged alike", "what differs in a file differs in what git is told of it", False, staged_alike),
]


# How they end.  A rule is given the turn, the exit status and the errors of dag, and those of DVC; one of them has succeeded.

def right_or_kept(turn, code, said, theirs, err):
    """What has been answered for by the files."""
    return (code == 0 and turn.right) or (theirs == 0 and turn.kept)


def nothing_recorded(turn, code, said, theirs, err):
    """All that a checkout of DVC fails at are outputs of stages that have never run."""
    failed = re.search(r"Checkout failed for following targets:\n(.*?)\nIs your cache up to date", err, re.S)
    unknown = re.findall(r"No file hash info found for '.*?/now/repo/(.*?)'\. It won't be created", err)
    return code == 0 and turn.argv[0] in ("checkout", "pull") and failed \
        and {os.path.normpath(os.path.join(turn.cwd, out)) for out in failed[1].split("\n")} <= set(unknown)


def trusted_lists(turn, code, said, theirs, err):
    """A push that is asked for a file which is nowhere, of a list that the remote has."""
    return turn.argv[0] == "push" and "neither in the cache nor on the remote" in said and theirs == 0 and any(lists_without_files(turn.before))


def not_listed(turn, code, said, theirs, err):
    return theirs == 0 and unlisted(turn)


def absent_remote(turn, code, said, theirs, err):
    absent = re.match(r"dag: error: the directory of the remote '(\w+)' does not exist: [^\n]*\n$", said)
    return turn.argv[0] in ("fetch", "pull") and absent and not any((path + "/").startswith(absent[1] + "/") for path in turn.before) \
        and not turn.changed(0) and not turn.changed(1)


def backslash(turn, code, said, theirs, err):
    return code == 0 and slashed(turn)


def ignored_path(turn, code, said, theirs, err):
    return answers.IGNORED.search(err)


def unknown_use(turn, code, said, theirs, err):
    """A gc where a directory of the work tree has files, and its list is nowhere."""
    named = re.match(r"dag: error: '(.*)' is tracked and has files here, but its list is not in the cache, [^\n]*\n$", said)
    if turn.argv[0] != "gc" or not named or named[1] not in turn.outs or turn.changed(turn.names.index("dag")):
        return False
    lists = {path: name for path, name in outputs(turn.before)}
    name = lists.get("repo/" + named[1], "")
    return name.endswith(".dir") and STORES[0] + name not in turn.before and any(path.startswith(f"repo/{named[1]}/") for path in turn.before)


def missing_objects(turn, code, said, theirs, err):
    return code == 1 and turn.argv[0] in ("push", "fetch", "pull") and "Some of the cache files do not exist neither locally nor on remote" in err


ENDS = [
    ("answered for", "what is right already, or is not lost, is no failure", right_or_kept),
    ("nothing recorded", "of what no run has recorded there is nothing to check out; DVC fails at it", nothing_recorded),
    ("trusted lists", answers.TRUSTED, trusted_lists),
    ("not in the list", "to push what its directory's list does not have is a failure: it was not added; DVC says nothing", not_listed),
    ("absent remotes", "a remote that is not there may not be mounted; DVC takes it for an empty one", absent_remote),
    ("backslashes", "a target with a backslash is that path; DVC's commit looks for one with a slash", backslash),
    ("ignored", "a tracked path that .dvcignore has in it is refused where it is asked for; DVC does nothing at all", ignored_path),
    ("unknown use", "a gc removes nothing where it cannot know what the work tree uses; DVC removes what it does not know", unknown_use),
    ("missing objects", "objects that are neither here nor there are a failure; DVC warns and exits with 0", missing_objects),
]


class Table:
    """Which differences of ${names} were met; the repository that is asked about lies at ${repo}."""

    def __init__(self, names, repo=None):
        self.names = names
        self.repo = repo
        self.outs = set()  # all that was ever tracked
        self.used = {}

    def turn(self, **what):
        return Turn(self, **what)

    def same_answer(self, argv, said):
        """Whether two answers are the same but for what is meant."""
        used = []
        if said[0][:2] != said[1][:2]:
            if "dag" not in self.names:
                return False
            n = self.names.index("dag")
            ours, theirs = said[n], said[1 - n]
            for name, _, rule in answers.RULES:
                both = rule(self, argv, ours, theirs)
                if both:
                    used.append(name)
                    ours, theirs = both
                if ours[:2] == theirs[:2]:
                    break
            else:
                return False
        for name in used:
            self.used[name] = self.used.get(name, 0) + 1
        return True

    def report(self):
        reasons = {name: reason for name, reason, *_ in RULES + ENDS + answers.RULES}
        return [f"{self.used[name]} x {name}: {reason}" for name, reason in reasons.items() if name in self.used]
