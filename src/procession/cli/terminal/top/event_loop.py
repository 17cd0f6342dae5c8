"""The loop of the full screen: keys and answers in, screens out."""

from __future__ import annotations

import time
from dataclasses import replace

from procession.cli.analysis import Analysis
from procession.cli.client import NotUnderstood
from procession.cli.terminal.top.details import detail_lines
from procession.cli.terminal.top.full_screen import Stopped, Terminal
from procession.cli.terminal.top.questions import Answer, ApiReader, Question, Questions
from procession.cli.terminal.top.screen import FOOTER_LINES, HEADER_LINES, screen
from procession.cli.terminal.top.screen_state import ScreenState, Surroundings, fitted, press
from procession.cli.terminal.tree_drawing import strokes_of_output
from procession.errors import ProcessionError

IDLE_SECONDS = 60.0
MOST_RETRY_SECONDS = 30.0
MOST_ROWS = 10_000
FIRST_ROWS = 200
"""As many as most screens have, which is not known yet."""


class TopLoop:
    def __init__(self, analysis: Analysis, state: ScreenState, *, interval: float, limit: int | None) -> None:
        self._reader = ApiReader(analysis)
        self._url = analysis.access.server.url
        self._state = state
        self._interval = interval
        self._limit = limit
        self._answer: Answer | None = None
        self._asked: Question | None = None
        self._next_at = 0.0
        self._failures = 0
        self._is_refused = False
        self._status = ""
        self._size = (80, 24)

    def run(self) -> int:
        """Until somebody leaves; the exit code. Raises ProcessionError where not even the first question is answered:
        that is said better on a screen that is not taken over yet."""
        self._asked = self._question(rows=FIRST_ROWS)
        self._answer = self._reader.ask(self._asked)
        self._next_at = time.monotonic() + self._interval
        try:
            with Terminal() as terminal:
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
                self._state = fitted(press(self._state, key, self._around()), self._around())
            for question, answer in questions.take():
                self._hear(question, answer)

    def _ask_what_is_due(self, questions: Questions) -> float:
        """How long there is nothing to ask."""
        question = self._question()
        now = time.monotonic()
        is_repeated = (self._state.is_live or self._failures > 0) and not self._is_refused
        is_due = now >= self._next_at and is_repeated
        if not self._is_shown(question) or (is_due and not questions.is_busy):
            self._asked = question
            self._is_refused = False
            self._next_at = now + self._interval
            questions.put(question)
        is_idle = questions.is_busy or not is_repeated
        # An answer wakes it anyway.
        return IDLE_SECONDS if is_idle else self._next_at - now

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
        return Question(state.filters, state.order, offset, limit, at, state.is_live, state.process_id)

    def _is_shown(self, question: Question) -> bool:
        """Whether what was asked last has all that is wanted now."""
        asked = self._asked
        if asked is None or replace(asked, offset=0, limit=0) != replace(question, offset=0, limit=0):
            return False
        last = min(self._state.top + self._height(), self._total())
        return asked.offset <= self._state.top and last <= asked.offset + asked.limit

    def _hear(self, question: Question, answer: Answer | ProcessionError) -> None:
        if isinstance(answer, NotUnderstood):
            # To ask it again is of no use; another question is asked as soon as there is one.
            self._is_refused = question == self._asked
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
        self._is_refused = False
        self._status = ""
        self._answer = answer
        if self._state.at is not None and self._state.at == question.at and answer.at < question.at:
            # The future is not known yet: who goes there looks at what is live.
            self._state = replace(self._state, at=None)

    def _draw(self, terminal: Terminal) -> None:
        terminal.draw(
            screen(
                self._state,
                self._answer,
                self._status,
                size=self._size,
                around=self._around(),
                details=self._details(),
                url=self._url,
            )
        )

    def _details(self) -> list[str]:
        if self._state.process_id is None or self._answer is None:
            return []
        details = self._answer.details
        if details is not None and details.item["id"] != self._state.process_id:
            return ["…"]
        return detail_lines(self._answer, strokes_of_output(), width=self._size[0])

    def _around(self) -> Surroundings:
        answer = self._answer
        chosen = None
        if answer is not None and 0 <= self._state.row - answer.offset < len(answer.items):
            chosen = answer.items[self._state.row - answer.offset]["id"]
        shown_at = answer.at if answer is not None else 0
        return Surroundings(self._height(), self._total(), chosen, len(self._details()), shown_at)

    def _height(self) -> int:
        return max(self._size[1] - HEADER_LINES - FOOTER_LINES, 1)

    def _total(self) -> int:
        total = self._answer.total if self._answer is not None else 0
        return total if self._limit is None else min(total, self._limit)
