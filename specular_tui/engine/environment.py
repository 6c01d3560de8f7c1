"""The environment of the task that is started next, as C has it: an array of `NAME=value`, with NULL at its end."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Final

#: Room for so many variables beside the inherited ones, to begin with.
_ROOM: Final = 32


class Environment:
    """One array for all tasks: what they inherit stays in it, and only what differs is put in for each of them."""

    def __init__(self, inherited: Mapping[bytes, bytes]) -> None:
        """Let all tasks have `inherited`."""
        self._inherited = [b"%b=%b" % variable for variable in inherited.items()]
        self._places = {name: place for place, name in enumerate(inherited)}
        self._array = self._make(_ROOM)
        #: Places of inherited variables that the last task had values of its own for.
        self._replaced: list[int] = []

    def _make(self, room: int) -> ctypes.Array[ctypes.c_char_p]:
        return (ctypes.c_char_p * (len(self._inherited) + room + 1))(*self._inherited)

    def array(self, env: Mapping[bytes, bytes]) -> ctypes.Array[ctypes.c_char_p]:
        """Return the array with `env` on top of what is inherited; it is good until the next call.

        Raises:
            ValueError: there is a zero byte in a variable, or no name in front of its `=`.
        """
        end = len(self._inherited)
        if end + len(env) >= len(self._array):
            self._array, self._replaced = self._make(2 * len(env)), []
        array, places, replaced = self._array, self._places, self._replaced
        while replaced:
            place = replaced.pop()
            array[place] = self._inherited[place]
        for name, value in env.items():
            variable = b"%b=%b" % (name, value)
            if b"\0" in variable:
                raise ValueError("embedded null byte")
            if not name or b"=" in name:
                raise ValueError("illegal environment variable name")
            place = places.get(name, end)
            if place == end:
                end += 1
            else:
                replaced.append(place)
            array[place] = variable
        array[end] = None
        return array
