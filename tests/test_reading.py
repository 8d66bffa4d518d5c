import pytest

from lilliput.reading import parse_json, parse_toml


def test_what_is_well_formed_is_parsed() -> None:
    assert parse_json('{"a": [1, 2.5, "x"]}') == {"a": [1, 2.5, "x"]}
    assert parse_json(b'"\xc3\xa9"') == "é"
    assert parse_toml("a = 1\n[b]\nc = true") == {"a": 1, "b": {"c": True}}


@pytest.mark.parametrize("text", ["", "{", "[" * 200_000, "9" * 5000, b'"\xff"', b"\x00"])
def test_one_kind_of_error_for_json(text: str | bytes) -> None:
    with pytest.raises(ValueError) as caught:
        parse_json(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["a", "a = ", "a = " + "[" * 100_000, f"a = {'9' * 5000}"])
def test_one_kind_of_error_for_toml(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_toml(text)
    assert "\n" not in str(caught.value)
