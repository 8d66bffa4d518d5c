"""Files of motion capture that hold the same two frames, written by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path

# A body that stands upright: where each joint is from the one before it, y up, and its children.
# The names are those of our own joints; each file has other ones.
_OFFSETS: Mapping[str, tuple[str, tuple[float, float, float]]] = {
    "pelvis": ("", (0, 0, 0)),
    "left_hip": ("pelvis", (10, 0, 0)),
    "left_knee": ("left_hip", (0, -40, 0)),
    "left_ankle": ("left_knee", (0, -40, 0)),
    "left_toe": ("left_ankle", (0, -5, 15)),
    "right_hip": ("pelvis", (-10, 0, 0)),
    "right_knee": ("right_hip", (0, -40, 0)),
    "right_ankle": ("right_knee", (0, -40, 0)),
    "right_toe": ("right_ankle", (0, -5, 15)),
    "neck": ("pelvis", (0, 50, 0)),
    "head": ("neck", (0, 20, 0)),
    "left_shoulder": ("neck", (18, 0, 0)),
    "left_elbow": ("left_shoulder", (0, -30, 0)),
    "left_wrist": ("left_elbow", (0, -25, 0)),
    "right_shoulder": ("neck", (-18, 0, 0)),
    "right_elbow": ("right_shoulder", (0, -30, 0)),
    "right_wrist": ("right_elbow", (0, -25, 0)),
}
# In the second frame the left elbow is bent forward by 90 degrees, and the body turned to its left.
BENT, TURNED = -90.0, 90.0


def write_bvh(
    path: Path,
    names: Mapping[str, str],
    *,
    fps: int = 30,
    frames: int = 2,
    order: Sequence[str] = ("Zrotation", "Yrotation", "Xrotation"),
    z_up: bool = False,
) -> Path:
    """A BVH file; ``names`` are the file's joints in the order of ours."""
    named = dict(zip(_OFFSETS, names.values(), strict=True)) if not names else dict(names)
    lines = ["HIERARCHY"]
    moving: list[str] = []

    def offset(joint: str) -> str:
        x, y, z = _OFFSETS[joint][1]
        return f"OFFSET {x} {-z} {y}" if z_up else f"OFFSET {x} {y} {z}"

    def write(joint: str, depth: int) -> None:
        pad = "  " * depth
        moving.append(joint)
        lines.append(f"{pad}{'JOINT' if depth else 'ROOT'} {named[joint]}")
        lines.extend((f"{pad}{{", f"{pad}  {offset(joint)}"))
        place = "Xposition Yposition Zposition " if not depth else ""
        lines.append(f"{pad}  CHANNELS {3 + 3 * (not depth)} {place}{' '.join(order)}")
        children = [child for child, (parent, _) in _OFFSETS.items() if parent == joint]
        for child in children:
            write(child, depth + 1)
        if not children:
            lines.append(f"{pad}  End Site {{ OFFSET 0 0 0 }}")
        lines.append(f"{pad}}}")

    write("pelvis", 0)
    lines += ["MOTION", f"Frames: {frames}", f"Frame Time: {1 / fps:.8f}"]
    for frame in range(frames):
        share = frame / (frames - 1)
        values: list[float] = [0, 0, 85] if z_up else [0, 85, 0]
        for joint in moving:
            turns = dict.fromkeys("XYZ", 0.0)
            if joint == "pelvis":
                turns["Z" if z_up else "Y"] = TURNED * round(share)
            if joint == "left_elbow":
                turns["X"] = BENT * round(share)
            values += [turns[channel[0]] for channel in order]
        lines.append(" ".join(map(str, values)))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


_SIDES = ("left", "right")
CMU = {
    "pelvis": "Hips", "neck": "Neck", "head": "Head",
    **{f"{s}_hip": f"{s.title()}UpLeg" for s in _SIDES},
    **{f"{s}_knee": f"{s.title()}Leg" for s in _SIDES},
    **{f"{s}_ankle": f"{s.title()}Foot" for s in _SIDES},
    **{f"{s}_toe": f"{s.title()}ToeBase" for s in _SIDES},
    **{f"{s}_shoulder": f"{s.title()}Arm" for s in _SIDES},
    **{f"{s}_elbow": f"{s.title()}ForeArm" for s in _SIDES},
    **{f"{s}_wrist": f"{s.title()}Hand" for s in _SIDES},
}  # fmt: skip
MIXAMO = {joint: f"mixamorig:{name}" for joint, name in CMU.items()}
STYLE = {
    "pelvis": "Hips", "neck": "Neck", "head": "Head",
    **{f"{s}_{part}": f"{s.title()}{part.title()}" for s in _SIDES
       for part in ("hip", "knee", "ankle", "toe", "shoulder", "elbow", "wrist")},
}  # fmt: skip

ASF = """\
# the same body
:version 1.10
:name VICON
:units
  mass 1.0
  length 0.45
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
{bones}:hierarchy
  begin
    root lhipjoint rhipjoint thorax
    lhipjoint lfemur
    lfemur ltibia
    ltibia lfoot
    lfoot ltoes
    rhipjoint rfemur
    rfemur rtibia
    rtibia rfoot
    rfoot rtoes
    thorax lowerneck lclavicle rclavicle
    lowerneck head
    lclavicle lhumerus
    lhumerus lradius
    lradius lwrist
    rclavicle rhumerus
    rhumerus rradius
    rradius rwrist
  end
"""


def write_amc(folder: Path, stem: str = "02_01") -> Path:
    """An ASF file and an AMC file of the same two frames; returns the latter."""
    numbered: list[tuple[str, tuple[float, float, float], float]] = []
    for letter, x in (("l", 1), ("r", -1)):
        numbered += [
            (f"{letter}hipjoint", (x, 0, 0), 10),
            (f"{letter}femur", (0, -1, 0), 40),
            (f"{letter}tibia", (0, -1, 0), 40),
            (f"{letter}foot", (0, -0.31622777, 0.94868330), 15.8113883),
            (f"{letter}toes", (0, 0, 1), 0),
            (f"{letter}clavicle", (x, 0, 0), 18),
            (f"{letter}humerus", (0, -1, 0), 30),
            (f"{letter}radius", (0, -1, 0), 25),
            (f"{letter}wrist", (0, -1, 0), 0),
        ]
    numbered += [("thorax", (0, 1, 0), 50), ("lowerneck", (0, 1, 0), 0), ("head", (0, 1, 0), 20)]
    bones = ""
    for number, (name, (x, y, z), length) in enumerate(numbered, 1):
        # Its own coordinates are turned about y: what is a turn about x elsewhere is one about z.
        axis = "0 90 0 XYZ" if name == "lradius" else "0 0 0 XYZ"
        dof = "    dof rz\n    limits (-180 180)\n" if name == "lradius" else ""
        bones += (
            f"  begin\n    id {number}\n    name {name}\n    direction {x} {y} {z}\n"
            f"    length {length}\n    axis {axis}\n{dof}  end\n"
        )
    (folder / f"{stem.split('_')[0]}.asf").write_text(ASF.format(bones=bones), encoding="utf-8")
    frames = [
        f"{frame + 1}\nroot 0 85 0 0 {TURNED * frame} 0\nlradius {BENT * frame}" for frame in (0, 1)
    ]
    path = folder / f"{stem}.amc"
    path.write_text("#!OML\n:FULLY-SPECIFIED\n:DEGREES\n" + "\n".join(frames), encoding="utf-8")
    return path
