"""The mouse, which goes only to what lies still: what comes late pushes the rest of the page down."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, expect

# The strip over the slider is there once it has been counted.
_STILL_TO_COME = '[aria-busy="true"], [aria-label="Time travel"]:not(:has([role="img"]))'
_BOX_IN = """(inner, around) => {
  const [box, origin] = [inner, around].map((one) => one.getBoundingClientRect());
  return [box.left - origin.left, box.top - origin.top, box.width, box.height];
}"""


@dataclass(frozen=True)
class Box:
    """A rectangle, in pixels."""

    left: float
    top: float
    width: float
    height: float


def box_in(inner: Locator, around: Locator) -> Box:
    """Where something is in something else, which may both move meanwhile."""
    return Box(*inner.evaluate(_BOX_IN, around.element_handle()))


def point_at(on: Locator, left: float, top: float) -> tuple[float, float]:
    """Moves there, in pixels from its corner, and says where that is in the window."""
    _wait_until_all_is_there(on)
    # The browser waits until it has been at one place for two frames, and nothing lies over it.
    on.hover(position={"x": left, "y": top})
    found = on.bounding_box()
    assert found is not None
    return found["x"] + left, found["y"] + top


def drag(on: Locator, begin: float, end: float) -> None:
    """Along its middle, between two shares of its width."""
    box = _size(on)
    x, y = point_at(on, box.width * begin, box.height / 2)
    on.page.mouse.down()
    on.page.mouse.move(x + box.width * (end - begin), y, steps=4)
    on.page.mouse.up()


def click(on: Locator, share: float) -> None:
    """In its middle, at a share of its width."""
    box = _size(on)
    on.click(position={"x": box.width * share, "y": box.height / 2})


def _size(on: Locator) -> Box:
    _wait_until_all_is_there(on)
    return box_in(on, on)


def _wait_until_all_is_there(on: Locator) -> None:
    expect(on.page.locator(_STILL_TO_COME)).to_have_count(0)
