import json
from pathlib import Path

import pytest

from lilliput.data.surveillance.names import (
    _NO_CLASS,
    _SAME_MEANING,
    CLASS_OF,
    VIRAT_EVENTS,
    read_names,
)
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES
from lilliput.errors import DataError

# MEVA's names since 2020, as its repository lists them.
MEVA_NAMES = [
    "hand_interacts_with_person",
    "person_abandons_package",
    "person_carries_heavy_object",
    "person_closes_facility_door",
    "person_closes_trunk",
    "person_closes_vehicle_door",
    "person_embraces_person",
    "person_enters_scene_through_structure",
    "person_enters_vehicle",
    "person_exits_scene_through_structure",
    "person_exits_vehicle",
    "person_interacts_with_laptop",
    "person_loads_vehicle",
    "person_opens_facility_door",
    "person_opens_trunk",
    "person_opens_vehicle_door",
    "person_picks_up_object",
    "person_purchases",
    "person_puts_down_object",
    "person_reads_document",
    "person_rides_bicycle",
    "person_sits_down",
    "person_stands_up",
    "person_steals_object",
    "person_talks_on_phone",
    "person_talks_to_person",
    "person_texts_on_phone",
    "person_transfers_object",
    "person_unloads_vehicle",
    "vehicle_drops_off_person",
    "vehicle_makes_u_turn",
    "vehicle_picks_up_person",
    "vehicle_reverses",
    "vehicle_starts",
    "vehicle_stops",
    "vehicle_turns_left",
    "vehicle_turns_right",
]


def test_every_activity_is_known() -> None:
    assert len(MEVA_NAMES) == 37
    assert {*MEVA_NAMES, *VIRAT_EVENTS.values()} <= set(CLASS_OF)
    assert all(CLASS_OF[name.lower()] == name for name in TINYVIRAT_CLASSES)
    assert set(_SAME_MEANING) <= set(TINYVIRAT_CLASSES)


def test_no_name_is_mapped_twice() -> None:
    words = [w for words in (*_SAME_MEANING.values(), _NO_CLASS) for w in words.split()]
    words += [name.lower() for name in TINYVIRAT_CLASSES]
    assert len(words) == len(set(words))


def test_other_names_are_read(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    path.write_text(json.dumps({"Person_Stands_Up": "Misc", "Talking": None}))
    assert read_names(path) == {"person_stands_up": "Misc", "talking": None}
    for content, message in (('{"a": "b"}', "no class of"), ("[]", "must map"), ("{", "JSON")):
        path.write_text(content)
        with pytest.raises(DataError, match=message):
            read_names(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_names(tmp_path / "absent.json")
