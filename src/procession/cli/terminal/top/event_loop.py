"""The loop of the full screen: keys and answers in, screens out."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from procession.cli.analysis import Analysis, Filters
from procession.cli.client import NotUnderstood
from procession.cli.terminal.colors import Style, depth_of_output
from procession.cli.terminal.spans import Span
from procession.cli.terminal.top.details import detail_lines
from procession.cli.terminal.top.full_screen import Stopped, Terminal
from procession.cli.terminal.top.kept_columns import keep_columns
from procession.cli.terminal.top.mouse import key_of_click
from procession.cli.terminal.top.questions import Answer, ApiReader, Question, Questions
from procession.cli.terminal.top.scene import Scene, rows_of
from procession.cli.terminal.top.screen import longest_command, screen
from procession.cli.terminal.top.screen_state import ScreenState, Surroundings, fitted, press
from procession.cli.terminal.top.usage_history import UsageHistory
from procession.cli.terminal.tree_drawing import strokes_of_output
from procession.errors import ProcessionError

IDLE_SECONDS = 60.0
MOST_RETRY_SECONDS = 30.0
TYPING_SECONDS = 0.25
"""What is typed is searched for when nothing more was typed for so long."""
MOST_ROWS = 10_000
FIRST_ROWS = 200
"""As many as most screens have, which is not known yet."""


class TopLoop:
    def __init__(
        self,
        analysis: Analysis,
        state: ScreenState,
        *,
        interval: float,
        limit: int | None,
        kept_in: Path | None = None,
        has_mouse: bool = True,
    ) -> None:
        """`kept_in`: where chosen columns are kept."""
        self._reader = ApiReader(analysis)
        self._url = analysis.access.server.url
        self._state = state
        self._interval = interval
        self._limit = limit
        self._answer: Answer | None = None
        self._asked: Question | None = None
        self._next_at = 0.0
        self._failures = 0
        self._refused: Question | None = None
        """What the server did not understand: to ask it again is of no use."""
        self._typed = state.filters
        self._typed_at = 0.0
        self._status = ""
        self._size = (80, 24)
        self._history = UsageHistory()
        self._kept_in = kept_in
        self._has_mouse = has_mouse

    def run(self) -> int:
        """Until somebody leaves; the exit code. Raises ProcessionError where not even the first question is answered:
        that is said better on a screen that is not taken over yet."""
        self._asked = self._question(rows=FIRST_ROWS)
        self._take(self._asked, self._reader.ask(self._asked))
        self._next_at = time.monotonic() + self._interval
        try:
            with Terminal(has_mouse=self._has_mouse) as terminal:
                self._watch(terminal)
        except Stopped as stopped:
            return stopped.code
        return 0

    def _watch(self, terminal: Terminal) -> None:
        questions = Questions(self._reader, terminal.wake)
        while not self._state.is_over:
            self._size = terminal.size()
            self._state = fitted(self._state, self._around())
            seconds = self._ask_what_is_due(questions)
            self._draw(terminal)
            for key in terminal.wait(seconds):
                if key == "\x0c":
                    terminal.redraw()
                    continue
                self._press(key)
            for question, answer in questions.take():
                self._hear(question, answer)

    def _press(self, key: str) -> None:
        if key.startswith("click "):
            column, line = map(int, key.split()[1:])
            key = key_of_click(self._scene(), column, line)
        before = self._state
        self._state = fitted(press(before, key, self._around()), self._around())
        if before.prompt != self._state.prompt:
            self._typed_at = time.monotonic()
        if before.columns != self._state.columns and self._kept_in is not None:
            try:
                keep_columns(self._kept_in, self._state.columns)
            except OSError as error:
                self._status = f"the columns cannot be kept: {error}"

    def _ask_what_is_due(self, questions: Questions) -> float:
        """How long there is nothing to ask."""
        question = self._question()
        now = time.monotonic()
        if self._refused == _subject_of(question):
            return IDLE_SECONDS if self._typing_ends_at() <= now else self._typing_ends_at() - now
        is_repeated = self._state.is_live or self._failures > 0
        is_due = now >= self._next_at and is_repeated
        if not self._is_shown(question) or (is_due and not questions.is_busy):
            self._asked = question
            self._next_at = now + self._interval
            questions.put(question)
        is_idle = questions.is_busy or not is_repeated
        # An answer wakes it anyway.
        seconds = IDLE_SECONDS if is_idle else self._next_at - now
        return min(seconds, self._typing_ends_at() - now) if self._typing_ends_at() > now else seconds

    def _typing_ends_at(self) -> float:
        return self._typed_at + TYPING_SECONDS if self._state.prompt is not None else 0.0

    def _filters(self) -> Filters:
        """While a search is typed, what it was at the last pause."""
        prompt = self._state.prompt
        if prompt is None:
            self._typed = self._state.filters
        elif time.monotonic() >= self._typing_ends_at():
            self._typed = replace(self._state.filters, search=prompt.strip())
        return self._typed

    def _question(self, rows: int | None = None) -> Question:
        """With a screen before and a screen behind what is shown, so that the next key has its rows already."""
        height = self._height() if rows is None else rows
        offset = max(self._state.top - height, 0) if rows is None else 0
        limit = min(3 * height if rows is None else rows, MOST_ROWS)
        if self._limit is not None:
            limit = max(min(limit, self._limit - offset), 1)
        state = self._state
        at = state.at
        if state.is_paused and self._answer is not None:
            at = self._answer.at
        if state.tree_host is not None:
            offset, limit = 0, MOST_ROWS
        return Question(
            self._filters(), state.order, offset, limit, at, state.is_live, state.process_id, state.tree_host
        )

    def _is_shown(self, question: Question) -> bool:
        """Whether what was asked last has all that is wanted now."""
        asked = self._asked
        if asked is None or replace(asked, offset=0, limit=0) != replace(question, offset=0, limit=0):
            return False
        last = min(self._state.top + self._height(), self._total())
        return asked.offset <= self._state.top and last <= asked.offset + asked.limit

    def _hear(self, question: Question, answer: Answer | ProcessionError) -> None:
        if isinstance(answer, NotUnderstood):
            # Another question is asked as soon as there is one.
            if question == self._asked:
                self._refused = _subject_of(question)
            self._status = str(answer)
            return
        if isinstance(answer, ProcessionError):
            self._failures += 1
            wait = min(self._interval * 2 ** (self._failures - 1), MOST_RETRY_SECONDS)
            self._next_at = time.monotonic() + wait
            # First what must not be cut off.
            self._status = f"next try in {wait:.0f} s: {answer}"
            return
        self._failures = 0
        self._refused = None
        self._status = ""
        self._take(question, answer)
        if self._state.at is not None and self._state.at == question.at and answer.at < question.at:
            # The future is not known yet: who goes there looks at what is live.
            self._state = replace(self._state, at=None)

    def _take(self, question: Question, answer: Answer) -> None:
        self._answer = answer
        self._history.add(answer, question.filters, question.tree_host)

    def _scene(self) -> Scene:
        return Scene(
            self._state,
            self._answer,
            self._status,
            self._size,
            self._url,
            self._details(),
            self._history,
            depth_of_output(),
        )

    def _draw(self, terminal: Terminal) -> None:
        terminal.draw(screen(self._scene()))

    def _details(self) -> list[list[Span]]:
        if self._state.process_id is None or self._answer is None:
            return []
        details = self._answer.details
        if details is not None and details.item["id"] != self._state.process_id:
            return [[("…", Style.FAINT)]]
        return detail_lines(self._answer, strokes_of_output(), width=self._size[0])

    def _around(self) -> Surroundings:
        answer = self._answer
        chosen, host = None, None
        if answer is not None and 0 <= self._state.row - answer.offset < len(answer.items):
            item = answer.items[self._state.row - answer.offset]
            chosen, host = item["id"], item["attributes"]["host"]
        shown_at = answer.at if answer is not None else 0
        most_left = longest_command(self._scene()) - 1
        return Surroundings(self._height(), self._total(), chosen, len(self._details()), shown_at, host, most_left)

    def _height(self) -> int:
        return rows_of(self._size)

    def _total(self) -> int:
        total = self._answer.total if self._answer is not None else 0
        return total if self._limit is None else min(total, self._limit)


def _subject_of(question: Question) -> Question:
    """What it asks for, whatever part of it is on the screen."""
    return replace(question, offset=0, limit=0, process_id=None)
