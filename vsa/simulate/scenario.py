"""What a simulated call is rendered from: how long, in which layout, and what cameras and lines do to the picture.

A scenario says nothing of what people do; chance does, with a seed (`vsa.simulate.acting`,
`vsa.simulate.conversation`). Change one with `dataclasses.replace`, or all its cameras with `Scenario.with_cameras`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from vsa.errors import InputError

#: Who is who, from left to right.
CAST = {"therapist": "grace_hopper", "client": "astronaut"}
#: How voices are recorded: as one mono track, as one stereo track with a voice to each side, or as one track each.
Recorded = Literal["mixed", "channels", "streams"]
#: Two tiles of one size; a large one with a small one beside it; a large one with a small one in its corner.
View = Literal["side_by_side", "speaker", "inset"]
#: Start and end, s.
Span = tuple[float, float]

_SMALLEST, _LARGEST = 64, 4096  # px
_CRF = (0, 51)


@dataclass(frozen=True)
class Light:
    """How a tile is lit.

    Attributes
    ----------
    gain
        What grey is multiplied with.
    gamma
        Above 1 darkens what is neither black nor white.
    cast
        Gain of red, green and blue.
    backlight
        0 to 1: how much brighter it is behind the head, and darker on it.
    """

    gain: float = 1.0
    gamma: float = 1.0
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    backlight: float = 0.0


@dataclass(frozen=True)
class Slow:
    """From `start` to `end` (s) there are `fps` new pictures a second; 0: none."""

    start: float
    end: float
    fps: float


@dataclass(frozen=True)
class Camera:
    """One participant's camera and line.

    Attributes
    ----------
    noise_sd
        Of the sensor, grey levels.
    light
        How the person is lit.
    off
        When the camera is off: the tile is dark, and the voice goes on.
    held
        When the tile repeats pictures while the rest of the call goes on.
    """

    noise_sd: float = 1.5
    light: Light = Light()
    off: tuple[Span, ...] = ()
    held: tuple[Slow, ...] = ()


@dataclass(frozen=True)
class Shot:
    """A layout, from `start` (s) up to the next; `first` is on the left, or large."""

    start: float
    view: View = "side_by_side"
    first: str = "therapist"


@dataclass(frozen=True)
class Scenario:
    """A call to be rendered.

    Attributes
    ----------
    name, about
        For people.
    seconds, fps, size
        Length, pictures a second, width and height in px.
    crf
        See `vsa.media.encoder.Encoder`.
    face_px
        Mean height of the two faces in tiles side by side, px; everything shrinks with them. None: as large as fits.
    shots
        Layouts in order of time; the first starts at 0 s.
    cameras
        By role; who is left out has a plain one.
    sparse
        When the whole file has fewer pictures; those that are left keep their times.
    head_turns
        Whether people also turn their heads to the side.
    names
        Whether tiles have a name in the corner.
    sound
        How voices are recorded; None: not at all, the file is silent.
    """

    name: str = "plain"
    about: str = ""
    seconds: float = 30.0
    fps: float = 25.0
    size: tuple[int, int] = (1280, 720)
    crf: int | None = None
    face_px: float | None = None
    shots: tuple[Shot, ...] = (Shot(0.0),)
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    sparse: tuple[Slow, ...] = ()
    head_turns: bool = True
    names: bool = True
    sound: Recorded | None = "mixed"

    def camera(self, role: str) -> Camera:
        """Of one participant."""
        return self.cameras.get(role, Camera())

    def with_cameras(self, **changes: Any) -> Scenario:
        """The same call with something else about both cameras, as ``noise_sd=6``."""
        return replace(self, cameras={role: replace(self.camera(role), **changes) for role in CAST})

    def checked(self) -> Scenario:
        """The same, if it can be rendered.

        Raises
        ------
        InputError
            When it can't.
        """
        if self.sound is not None and self.sound not in get_args(Recorded):
            raise InputError(
                f"A call can't be recorded as {self.sound!r}.",
                f"Choose one of {', '.join(get_args(Recorded))}.",
            )
        wrong = ""
        if not 0 < self.seconds < 24 * 3600:
            wrong = f"it would last {self.seconds:g} s"
        elif not 0 < self.fps <= 120 or self.seconds * self.fps < 2:
            wrong = f"{self.seconds:g} s with {self.fps:g} pictures a second are no call"
        elif not all(_SMALLEST <= side <= _LARGEST for side in self.size):
            wrong = f"{self.size[0]}x{self.size[1]} px is no size of a call"
        elif self.crf is not None and not _CRF[0] <= self.crf <= _CRF[1]:
            wrong = f"there is no CRF of {self.crf}"
        if wrong:
            raise InputError(
                f"The call can't be simulated: {wrong}.",
                f"Give at least two pictures, up to 120 a second, sides of {_SMALLEST} to {_LARGEST} px, and a CRF of "
                f"{_CRF[0]} to {_CRF[1]}.",
            )
        return self


def _plain(seconds: float) -> Scenario:
    return Scenario("plain", "Two tiles side by side, good light, a good line.", seconds)


def _camera_off(seconds: float) -> Scenario:
    off = Camera(off=((0.4 * seconds, 0.65 * seconds),))
    return Scenario(
        "camera_off",
        "The client's camera is off for a quarter of the call; both go on talking.",
        seconds,
        cameras={"client": off},
    )


def _layout_change(seconds: float) -> Scenario:
    shots = (Shot(0.0), Shot(0.45 * seconds, "speaker", "client"), Shot(0.75 * seconds, "inset"))
    return Scenario(
        "layout_change",
        "Side by side, then the client large and the therapist small at the side, then the therapist large with the "
        "client in a corner.",
        seconds,
        shots=shots,
    )


def _poor_line(seconds: float) -> Scenario:
    held = (
        Slow(0.25 * seconds, 0.45 * seconds, 5.0),
        Slow(0.55 * seconds, 0.55 * seconds + min(1.5, 0.1 * seconds), 0.0),
    )
    return Scenario(
        "poor_line",
        "The client's picture stutters at 5 a second and freezes once, the whole recording falls to 8 a second for a "
        "while, and compression is strong.",
        seconds,
        crf=34,
        cameras={"client": Camera(held=held)},
        sparse=(Slow(0.75 * seconds, 0.9 * seconds, 8.0),),
    )


def _dim(seconds: float) -> Scenario:
    lamp = Light(gain=0.5, gamma=1.25, cast=(1.12, 1.0, 0.78))
    window = Light(gain=0.7, gamma=1.1, cast=(0.92, 1.0, 1.1))
    return Scenario(
        "dim",
        "A room in the evening on either side, and the noise that comes with it.",
        seconds,
        crf=28,  # less would keep the noise, at ten times the size
        cameras={"therapist": Camera(5.0, window), "client": Camera(7.0, lamp)},
    )


def _backlit(seconds: float) -> Scenario:
    return Scenario(
        "backlit",
        "The client sits before a bright window.",
        seconds,
        cameras={"client": Camera(3.0, Light(backlight=1.0))},
    )


def _small(seconds: float) -> Scenario:
    return Scenario("small", "Faces of 100 px.", seconds, face_px=100.0)


_MAKERS: tuple[Callable[[float], Scenario], ...] = (
    _plain,
    _camera_off,
    _layout_change,
    _poor_line,
    _dim,
    _backlit,
    _small,
)
#: Name -> what happens in it.
SCENARIOS: dict[str, str] = {made.name: made.about for made in (maker(30.0) for maker in _MAKERS)}


def scenario(name: str, seconds: float = 30.0) -> Scenario:
    """A scenario by name; what happens in it happens at the same share of any length.

    Raises
    ------
    InputError
        When there is none of that name.
    """
    if name not in SCENARIOS:
        raise InputError(f"There is no scenario '{name}'.", f"Choose of {', '.join(SCENARIOS)}.")
    return _MAKERS[list(SCENARIOS).index(name)](seconds)
