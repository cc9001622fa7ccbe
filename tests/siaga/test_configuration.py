import re
from pathlib import Path

import msgspec
import pytest

from siaga.configuration import Key, leaves, line_of, load
from siaga.errors import ConfigurationError


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    requests: int = 10


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "localhost"
    port: int = 80
    names: tuple[str, ...] = ()
    limits: Limits = Limits()


class Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    server: Server = Server()


TEXT = """\
# a comment
[server]
host = "example"

[server.limits]
requests = 5
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "siaga.toml"
    path.write_text(TEXT)
    return path


def _load(
    path: Path, environment: dict[str, str] | None = None, options: dict[Key, object] | None = None
) -> Schema:
    return load(Schema, path, environment or {}, options or {})


def test_the_file_is_read_and_the_rest_has_defaults(file: Path) -> None:
    assert _load(file) == Schema(Server("example", 80, (), Limits(5)))


def test_the_environment_goes_over_the_file(file: Path) -> None:
    environment = {"SIAGA_SERVER_PORT": "81", "SIAGA_SERVER_LIMITS_REQUESTS": "7", "HOME": "/"}
    assert _load(file, environment).server == Server("example", 81, (), Limits(7))


def test_options_go_over_the_environment(file: Path) -> None:
    environment = {"SIAGA_SERVER_PORT": "81"}
    assert _load(file, environment, {("server", "port"): 82}).server.port == 82


def test_a_list_in_the_environment_is_written_as_in_the_file(file: Path) -> None:
    assert _load(file, {"SIAGA_SERVER_NAMES": '["a", "b"]'}).server.names == ("a", "b")


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_key(file: Path) -> None:
    file.write_text(TEXT.replace("requests", "reqests"))
    with pytest.raises(ConfigurationError) as caught:
        _load(file)
    error = caught.value
    assert (error.line, error.key, error.nearest) == (
        6,
        "server.limits.reqests",
        "server.limits.requests",
    )


def test_an_unknown_table_is_named_with_its_line(file: Path) -> None:
    file.write_text(TEXT.replace("[server]", "[sever]").replace("[server.", "[sever."))
    with pytest.raises(ConfigurationError, match=re.escape("did you mean 'server'?")) as caught:
        _load(file)
    assert caught.value.line == 2


def test_an_unknown_variable_is_an_error_too(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="SIAGA_SERVER_PORT"):
        _load(file, {"SIAGA_SERVER_PROT": "81"})


def test_a_value_of_the_wrong_type_is_named_with_its_line(file: Path) -> None:
    file.write_text(TEXT.replace("= 5", '= "many"'))
    with pytest.raises(ConfigurationError, match=r"server\.limits\.requests") as caught:
        _load(file)
    assert caught.value.line == 6


def test_a_wrong_value_from_the_environment_names_the_variable(file: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _load(file, {"SIAGA_SERVER_PORT": "many"})
    assert caught.value.source == "SIAGA_SERVER_PORT"


def test_a_table_where_a_value_stands_in_the_way_is_an_error(file: Path) -> None:
    file.write_text("server = 5\n")
    with pytest.raises(ConfigurationError) as caught:
        _load(file, {"SIAGA_SERVER_PORT": "81"})
    assert (caught.value.key, caught.value.line) == ("server", 1)


def test_broken_toml_names_its_line(file: Path) -> None:
    file.write_text("[server]\nhost = \n")
    with pytest.raises(ConfigurationError) as caught:
        _load(file)
    assert caught.value.line == 2


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be read"):
        _load(tmp_path / "none.toml")


def test_every_setting_is_a_leaf() -> None:
    assert set(leaves(Schema)) == {
        ("server", "host"),
        ("server", "port"),
        ("server", "names"),
        ("server", "limits", "requests"),
    }


@pytest.mark.parametrize(
    ("key", "line"),
    [(("server",), 2), (("server", "host"), 3), (("server", "limits", "requests"), 6)],
)
def test_the_line_of_a_key(key: Key, line: int) -> None:
    assert line_of(key, TEXT) == line
