"""Which of TinyVIRAT's classes an activity of VIRAT or MEVA belongs to.

We found no mapping of TinyVIRAT's authors. Names that are classes stand for themselves: they
are those of VIRAT's KPF annotations. VIRAT 2.0's events and MEVA's activities are mapped by what
they mean. MEVA renamed its activities twice; all three names are known.

An activity without a class is left out where TinyVIRAT has none for it: picking up, unloading and
opening a trunk, say, are activities of VIRAT's KPF, too, and became no classes. Where a structure
is entered from (``person_enters_scene_through_structure``) MEVA does not tell; it counts as
entering by its name.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from lilliput.data.class_map import read_json
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES
from lilliput.errors import DataError

VIRAT_EVENTS = {
    1: "loading_vehicle",
    2: "unloading_vehicle",
    3: "opening_trunk",
    4: "closing_trunk",
    5: "getting_into_vehicle",
    6: "getting_out_of_vehicle",
    7: "gesturing",
    8: "digging",
    9: "carrying_object",
    10: "running",
    11: "entering_facility",
    12: "exiting_facility",
}

_SAME_MEANING = {
    "Opening": "person_opens_facility_door open_facility_door person_opens_vehicle_door "
    "open_vehicle_door",
    "Closing": "person_closes_facility_door close_facility_door person_closes_vehicle_door "
    "close_vehicle_door",
    "Entering": "getting_into_vehicle entering_facility person_enters_vehicle enter_vehicle "
    "person_enters_scene_through_structure person_enters_through_structure "
    "enter_through_structure enter_facility",
    "Exiting": "getting_out_of_vehicle exiting_facility person_exits_vehicle exit_vehicle "
    "person_exits_scene_through_structure person_exits_through_structure "
    "exit_through_structure exit_facility",
    "Interacts": "person_interacts_with_laptop person_laptop_interaction laptop_interaction",
    "Loading": "loading_vehicle person_loads_vehicle load_vehicle",
    "Talking": "person_talks_to_person people_talking",
    "Riding": "person_rides_bicycle",
    "Transport_HeavyCarry": "person_carries_heavy_object transport_heavy_carry heavy_carry",
    "activity_carrying": "carrying_object",
    "activity_gesturing": "gesturing",
    "activity_running": "running",
    "specialized_talking_phone": "person_talks_on_phone talk_on_phone",
    "specialized_texting_phone": "person_texts_on_phone text_on_phone",
    "vehicle_starting": "vehicle_starts",
    "vehicle_stopping": "vehicle_stops",
    "vehicle_turning_left": "vehicle_turns_left",
    "vehicle_turning_right": "vehicle_turns_right",
}

_NO_CLASS = (
    # VIRAT 2.0 and VIRAT's KPF
    "unloading_vehicle opening_trunk closing_trunk digging unloading open_trunk pickup setdown "
    "object_transfer person_person_interaction dropoff_person_vehicle pickup_person_vehicle drop "
    "vehicle_u_turn activity_sitting activity_crouching specialized_throwing specialized_umbrella "
    # MEVA
    "person_abandons_package abandon_package person_closes_trunk close_trunk "
    "person_embraces_person person_person_embrace embrace_interaction hand_interacts_with_person "
    "hand_interaction person_transfers_object person_opens_trunk person_picks_up_object "
    "pick_up_object person_purchases person_purchasing purchasing person_reads_document "
    "person_reading_document read_document person_puts_down_object person_sets_down_object "
    "set_down_object person_sits_down person_sitting_down sit_down person_stands_up "
    "person_standing_up stand_up person_steals_object theft person_unloads_vehicle unload_vehicle "
    "vehicle_drops_off_person vehicle_dropsoff_person vehicle_picks_up_person "
    "vehicle_picksup_person vehicle_reverses vehicle_reversing vehicle_makes_u_turn vehicle_uturn"
)

CLASS_OF: Mapping[str, str | None] = {
    **{name.lower(): name for name in TINYVIRAT_CLASSES},
    **{word: name for name, words in _SAME_MEANING.items() for word in words.split()},
    **dict.fromkeys(_NO_CLASS.split()),
}
"""Class of each known activity, in small letters; None for one without."""


def read_names(path: Path) -> dict[str, str | None]:
    """Reads other names, or others' classes: ``{"person_stands_up": "Misc", "Talking": null}``.

    Raises:
        DataError: No such JSON, or a class is none of TinyVIRAT's.
    """
    try:
        mapping = read_json(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    if not isinstance(mapping, dict):
        raise DataError(f"{path}: must map names of activities to classes, or to null")
    for name, label in mapping.items():
        if label is not None and label not in TINYVIRAT_CLASSES:
            raise DataError(
                f"{path}: '{name}' is mapped to {json.dumps(label)}, which is no class of "
                f"TinyVIRAT's: {', '.join(TINYVIRAT_CLASSES)}"
            )
    return {name.lower(): label for name, label in mapping.items()}
