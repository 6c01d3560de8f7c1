"""The one table of key bindings.

The bindings of screens and widgets, the footer, the `?` help and the command palette are all made from it; an entry's
`id` is what a configuration file remaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from textual.binding import Binding, BindingType


class Key(Struct, frozen=True):
    """One row: what a key does, and where."""

    #: `app`, `run` (a run is at hand), `build`, `checkpoints`, `clean`, `compare`, `validation`, `timeline`, `list`
    #: (any), `bars`, `tasks`, `log`, `gates`, `search`, `filter`, `resume`, `new`, `toggle`, `palette`,
    #: `dialog`, `said` (an error stands: before all else).
    where: str
    keys: str
    action: str
    #: The word beside the key in the footer and the palette.
    label: str
    #: A sentence for the help.
    help: str
    group: str
    #: The place in the footer, lowest first; 0: not there.
    footer: int = 0
    #: The palette offers it.
    palette: bool = True

    @property
    def id(self) -> str:
        """The name under which it is remapped."""
        action = self.action.removeprefix("screen.")
        return f"{self.where}.{action}".replace("('", ".").removesuffix("')")


RUN: Final = "Run"
LOOK: Final = "Look"
MOVE: Final = "Move"
APP: Final = "Specular"

TABLE: Final[tuple[Key, ...]] = (
    Key("app", "1", "mode('build')", "Build", "the open run: its tasks and their logs", APP),
    Key("app", "2", "mode('checkpoints')", "Checkpoints", "every run of this directory", APP),
    Key(
        "app",
        "3",
        "mode('validation')",
        "Validation",
        "is a checkpoint as it was written? its five checks and its gates",
        APP,
    ),
    Key("app", "4", "mode('timeline')", "Timeline", "when the tasks of the open run ran, and what held it up", APP),
    Key("app", "b", "new_build", "New build", "start a build: plan, policy, jobs", RUN, 80),
    Key("app", "question_mark", "help", "Help", "the keys of where you are", APP),
    Key(
        "app",
        "ctrl+p",
        "command_palette",
        "Commands",
        "every action, every run, every task, by name",
        APP,
        palette=False,
    ),
    Key(
        "app",
        "O",
        "open_newest",
        "Open newest",
        "the build that another shell has started; with no run open the newest that can go on, else the newest",
        LOOK,
        5,
    ),
    Key("app", "m", "messages", "Messages", "all that has been said, newest first", APP),
    Key("said", "escape", "close_message", "Close", "close the error that stands beside the modes", APP, palette=False),
    Key("app", "ctrl+z", "suspend_process", "To the shell", "stop this application; fg brings it back", APP),
    Key("app", "q", "leave", "Quit", "leave; a build started here may go on, pause or stop", APP, 90),
    Key("run", "p", "pause", "Pause", "freeze the running tasks; start nothing new", RUN, 10),
    Key("run", "r", "resume", "Resume", "let a frozen build go on; of a stored run: what a resume would do", RUN, 11),
    Key("run", "P", "drain", "Drain", "let running tasks end, start nothing new; again: undo", RUN, 12),
    Key(
        "build",
        "R",
        "retry_all",
        "Retry failed",
        "run all failed tasks again; of a stored run, see first what that would do",
        RUN,
        20,
    ),
    Key(
        "build",
        "t",
        "retry_task",
        "Retry this one",
        "run the selected task again, and no other failed one; of a stored run, see first what that would do",
        RUN,
        21,
    ),
    Key(
        "build",
        "s",
        "skip",
        "Skip",
        "skip the failed task under the cursor, else all that failed, and what needs them; asks",
        RUN,
        22,
    ),
    Key(
        "build",
        "x",
        "stop_task",
        "Stop task",
        "stop the running task under the cursor; asks",
        RUN,
        30,
    ),
    Key("build", "X", "stop_build", "Stop build", "stop the build; its checkpoint is saved; asks", RUN, 31),
    Key("checkpoints", "enter", "open", "Open", "show the run in Build", LOOK, 5, palette=False),
    Key("checkpoints", "space", "mark", "Mark", "mark the run, or take its mark away; d, z, K and v do all", LOOK, 27),
    Key(
        "checkpoints",
        "d,delete",
        "delete",
        "Delete",
        "delete what is marked, or the run under the cursor; asks",
        RUN,
        30,
    ),
    Key("checkpoints", "u", "undo", "Undo", "take back what was deleted last", RUN, 31),
    Key("checkpoints", "c", "clean", "Clean up", "remove many by rule; see which ones before it happens", RUN, 32),
    Key("checkpoints", "o", "compare", "Compare", "with the marked run, or the one before of its plan", LOOK, 33),
    Key("checkpoints", "z", "compress", "Compress", "pack the files of what is marked, or of the run; asks", RUN, 36),
    Key("checkpoints", "e", "export", "Export", "write the run into an archive", RUN, 34),
    Key("checkpoints", "i", "import", "Import", "take a run from an archive", RUN, 35),
    Key("checkpoints", "K", "pin", "Pin", "have clean-up never take it, or let it again", RUN, 37),
    Key("checkpoints", "a", "abandon", "Abandon", "give an unfinished run up; asks", RUN, 38),
    Key(
        "checkpoints", "tab", "switch_pane", "Other pane", "go between the list and the side pane", MOVE, palette=False
    ),
    Key("checkpoints", "escape", "back", "Back", "give up what is under way; take all marks away", MOVE, palette=False),
    Key("clean", "enter", "confirm", "Remove", "remove what is shown as going; asks", RUN, 5, palette=False),
    Key("clean", "down,tab", "next_field", "Next field", "go to the next field", MOVE, palette=False),
    Key("clean", "up,shift+tab", "previous_field", "Field before", "go to the field before", MOVE, palette=False),
    Key("clean", "escape", "close", "Close", "leave all as it is", MOVE, 6, palette=False),
    Key("toggle", "space", "switch", "Switch", "switch it on or off", RUN, 4, palette=False),
    Key("compare", "enter", "open", "Open", "show the task, and its log, in Build", LOOK, 5),
    Key("compare", "o", "order", "Sort", "what differs most first; what got slower; as in the plan", LOOK, 10),
    Key("compare", "A", "all", "All tasks", "show also what does not differ, or leave it out", LOOK, 11),
    Key("compare", "n", "next", "Next", "go to the next task that ended otherwise", LOOK, 12),
    Key("compare", "N", "previous", "Previous", "go to the one before", LOOK),
    Key("compare", "escape", "back", "Back", "back to the list", MOVE, 15, palette=False),
    Key("checkpoints", "v", "validate", "Validate", "prove the checkpoint: every file, every hash", LOOK, 25),
    Key("validation", "v", "validate", "Validate", "prove the checkpoint: every file, every hash", LOOK, 5),
    Key("validation", "escape", "cancel", "Cancel", "give the check up", LOOK, 6, palette=False),
    Key("validation", "R", "repair", "Repair", "run again what is damaged; see first what that would do", RUN, 7),
    Key("validation", "i", "restore", "Restore", "take the damaged run from an archive", RUN, 8),
    Key("validation", "d,delete", "delete", "Delete", "delete the run; asks", RUN, 30),
    Key("validation", "u", "undo", "Undo", "take back what was deleted last", RUN, 31),
    Key("validation", "e", "export", "Export", "write the run into an archive", RUN, 34),
    Key("gates", "enter", "select", "Log", "show the log of the gate in Build", LOOK, 20, palette=False),
    Key("validation", "tab", "switch_pane", "Other pane", "go between checks and gates", MOVE, palette=False),
    Key("tasks", "slash", "screen.filter", "Filter", "filter the tasks as you type", LOOK, 40),
    Key("log", "slash", "screen.search", "Search", "search the whole log", LOOK, 5),
    Key("search", "enter", "submit", "Keep", "go on in the log, from match to match", LOOK, 10, palette=False),
    Key("search", "escape", "screen.end_search", "End", "end the search", LOOK, 11, palette=False),
    Key("build", "n", "next", "Next failure", "go to the next failed task; in a search: the next match", LOOK),
    Key("build", "N", "previous", "Previous failure", "go to the failed task, or the match, before", LOOK),
    Key(
        "build",
        "c",
        "why",
        "Why",
        "go to the line of the log that says why it failed",
        LOOK,
        24,
    ),
    Key("build", "f", "follow", "Follow", "stay at the end of the log as it grows", LOOK, 41),
    Key("build", "w", "wrap", "Wrap", "break long lines of the log", LOOK, 42),
    Key("build", "number_sign", "numbers", "Line numbers", "number the lines of the log, or do not", LOOK),
    Key("build", "y", "copy", "Copy", "copy the selected lines, or the id under the cursor", LOOK, 43),
    Key("build", "left_square_bracket", "earlier_attempt", "Earlier log", "the log of the attempt before", LOOK),
    Key("build", "right_square_bracket", "later_attempt", "Later log", "the log of the attempt after", LOOK),
    Key("tasks", "o", "cycle_sort", "Sort", "order tasks by plan, by state, by duration", LOOK),
    Key("build", "v", "open_outside('pager')", "Pager", "open the log in $PAGER", LOOK, 44),
    Key("build", "e", "open_outside('editor')", "Editor", "open a copy of the log in $EDITOR", LOOK),
    Key(
        "tasks",
        "a",
        "screen.next_running",
        "Running",
        "go to the next running task; the cursor goes with what runs until you move it",
        LOOK,
        13,
    ),
    Key("tasks", "enter", "open", "Log", "go to the log of the task", MOVE, palette=False),
    Key("build", "escape", "back", "Back", "end the filter; go back to the tasks", MOVE, palette=False),
    Key("build", "tab", "switch_pane", "Other pane", "go between tasks and log", MOVE, palette=False),
    Key("filter", "enter", "submit", "Keep", "keep the filter, go to what it found", LOOK, 10, palette=False),
    Key("filter", "escape", "screen.back", "Clear", "end the filter, or the search", LOOK, 11, palette=False),
    Key("list", "j,down", "cursor_down", "Down", "one line down", MOVE, palette=False),
    Key("list", "k,up", "cursor_up", "Up", "one line up", MOVE, palette=False),
    Key("list", "g,home", "go_top", "First", "to the first line", MOVE, palette=False),
    Key("list", "G,end", "go_bottom", "Last", "to the last line", MOVE, palette=False),
    Key("list", "ctrl+d", "half_page_down", "Half down", "half a page down", MOVE, palette=False),
    Key("list", "ctrl+u", "half_page_up", "Half up", "half a page up", MOVE, palette=False),
    Key("list", "pagedown", "page_down", "Page down", "a page down", MOVE, palette=False),
    Key("list", "pageup", "page_up", "Page up", "a page up", MOVE, palette=False),
    Key("log", "h,left", "scroll_left", "Left", "show what is cut off at the left", MOVE, palette=False),
    Key("log", "l,right", "scroll_right", "Right", "show what is cut off at the right", MOVE, palette=False),
    Key("log", "shift+up", "select_up", "Select up", "select lines, upwards", MOVE, palette=False),
    Key("log", "shift+down", "select_down", "Select down", "select lines, downwards", MOVE, palette=False),
    Key("bars", "h,left", "bar_before", "Before", "to the attempt before in the same row", MOVE, palette=False),
    Key("bars", "l,right", "bar_after", "After", "to the attempt after in the same row", MOVE, palette=False),
    Key("bars", "enter", "open", "Task", "go to the task in Build", LOOK, 5, palette=False),
    Key("bars", "o", "cycle_order", "Rows", "a row for each slot, or for each task", LOOK, 50),
    Key("bars", "plus,equals_sign", "zoom_in", "Closer", "look closer; so does the mouse wheel", LOOK, 40),
    Key("bars", "minus", "zoom_out", "Further", "look from further away", LOOK, 41),
    Key("bars", "z", "zoom_bar", "Zoom to it", "look so close that one attempt fills the middle", LOOK),
    Key("bars", "0", "whole", "Whole run", "show the whole run", LOOK, 42),
    Key("bars", "H,shift+left", "pan_left", "Earlier", "show what was earlier", MOVE, palette=False),
    Key("bars", "L,shift+right", "pan_right", "Later", "show what was later", MOVE, palette=False),
    Key("timeline", "n", "next", "Next to see", "to the next attempt that failed, or was slow", LOOK, 20),
    Key("timeline", "N", "previous", "Previous to see", "to the one before that failed, or was slow", LOOK),
    Key("timeline", "c", "next_critical", "Critical path", "along the critical path", LOOK, 21),
    Key("timeline", "C", "previous_critical", "Back along it", "back along the critical path", LOOK),
    Key("timeline", "y", "copy", "Copy", "copy the id of the task under the cursor", LOOK),
    Key("resume", "enter", "start", "Start", "start the build as it is shown", RUN, 1, palette=False),
    Key("resume", "escape", "leave", "Leave", "start nothing", RUN, 2, palette=False),
    Key("resume", "f", "switch('retry_failed')", "Only the failed", "run what failed, nothing else", RUN),
    Key("resume", "s", "switch('skip_failed')", "Skip the failed", "leave out what failed, and what needs it", RUN),
    Key("resume", "d", "switch('run_dependents')", "Run dependents", "run what needs a skipped task too", RUN),
    Key("resume", "t", "from_task", "From this task", "the task under the cursor runs again, and what needs it", RUN),
    Key("resume", "o", "switch('alone')", "Only that task", "neither what needs it nor anything else runs", RUN),
    Key("resume", "v", "switch('validate')", "Validate first", "prove the checkpoint before going on with it", RUN),
    Key("resume", "e", "switch('repair')", "Repair", "run again what is damaged", RUN),
    Key("resume", "V", "switch('revalidate')", "Gates again", "run the gates again, by the present policy", RUN),
    Key("resume", "a", "switch('keep_going')", "Keep going", "after a failure, all that does not need it runs", RUN),
    Key("resume", "plus,equals_sign", "more_jobs", "More jobs", "one task more at once", RUN),
    Key("resume", "minus", "fewer_jobs", "Fewer jobs", "one task fewer at once", RUN),
    Key("resume", "tab,n", "next_group", "Next group", "to what is done with other tasks", MOVE, 3, palette=False),
    Key("resume", "question_mark", "help", "Help", "the keys of this screen", APP, 90, palette=False),
    Key("new", "enter", "start", "Start", "start the build", RUN, palette=False),
    Key("palette", "down,ctrl+n", "hit_down", "Down", "to the next of what was found", MOVE, palette=False),
    Key("palette", "up", "hit_up", "Up", "to the one before", MOVE, palette=False),
    Key("palette", "pagedown", "hit_page_down", "Page down", "a page down", MOVE, palette=False),
    Key("palette", "pageup", "hit_page_up", "Page up", "a page up", MOVE, palette=False),
    Key("dialog", "escape,ctrl+c", "cancel", "Cancel", "close, and change nothing", MOVE, palette=False),
)

#: How keys are written for people where Textual's name is not that.
_SHOWN: Final = {
    "question_mark": "?",
    "number_sign": "#",
    "slash": "/",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "shift+up": "Shift-Up",
    "shift+down": "Shift-Down",
    "shift+tab": "Shift-Tab",
    "shift+left": "Shift-Left",
    "shift+right": "Shift-Right",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "delete": "Del",
} | {f"f{number}": f"F{number}" for number in range(1, 25)}


def shown(keys: str) -> str:
    """Return a key, or several with commas between, as people read them: `j Down`, `^d PgDn`."""
    return " ".join(_SHOWN.get(key, key.replace("ctrl+", "^")) for key in keys.split(","))


#: The rows of which places act at the same time: what has the focus, its screen, and the application.
TOGETHER: Final[tuple[frozenset[str], ...]] = (
    frozenset({"app", "run", "build", "list", "tasks"}),
    frozenset({"app", "run", "build", "list", "log"}),
    frozenset({"app", "run", "checkpoints", "list"}),
    frozenset({"app", "run", "validation", "list", "gates"}),
    frozenset({"app", "run", "timeline", "list", "bars"}),
    frozenset({"resume", "list"}),
    frozenset({"app", "clean", "toggle"}),
    frozenset({"app", "compare", "list"}),
    frozenset({"dialog", "toggle"}),
    frozenset({"filter"}),
    frozenset({"search"}),
    frozenset({"dialog", "new", "toggle"}),
    frozenset({"dialog", "palette"}),
)

#: Stands for the key of a row that has none: nothing that can be pressed.
NONE: Final = "unbound"


def together(one: str, other: str) -> bool:
    """Tell whether two rows, named by their ids, may be asked for a key at the same time."""
    places = {one.partition(".")[0], other.partition(".")[0]}
    return any(places <= company for company in TOGETHER)


#: The keys of rows that the configuration has remapped, by id.
_REMAPPED: dict[str, str] = {}


def remap(keys_by_id: Mapping[str, str]) -> None:
    """Let these rows have other keys from now on, and all others their own."""
    _REMAPPED.clear()
    _REMAPPED.update(keys_by_id)


def acting(row: Key) -> str:
    """Return the keys of a row as they are now, with commas between; "" where it has none."""
    found = _REMAPPED.get(row.id, row.keys)
    return "" if found == NONE else found


def pressed(row_id: str) -> str:
    """Return the key that does what a row says, as people read it: its first one."""
    (row,) = by_id([row_id])
    return shown(acting(row).split(",")[0])


def cap(row_id: str) -> tuple[str, str]:
    """Return the key that does what a row says as a segment; a text never names a key in any other way."""
    return pressed(row_id), "key"


def rows(*where: str) -> list[Key]:
    """Return the rows of these places, in the order of the table."""
    return [key for key in TABLE if key.where in where]


def bindings(*where: str) -> list[BindingType]:
    """Return the bindings of a screen or a widget."""
    return [
        Binding(
            key.keys,
            key.action,
            key.label,
            show=key.footer > 0,
            key_display=shown(key.keys.split(",")[0]),
            tooltip=key.help,
            id=key.id,
            priority=key.where == "said",
        )
        for key in rows(*where)
    ]


def by_id(ids: Iterable[str | None]) -> list[Key]:
    """Return the rows with these ids, in the order of the table."""
    wanted = set(ids)
    return [key for key in TABLE if key.id in wanted]
