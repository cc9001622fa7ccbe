from simulators.sse import Message, Reader


def read(reader: Reader, text: str) -> list[Message]:
    return [message for line in text.split("\n") for message in reader.feed(line)]


def test_an_event_ends_at_the_blank_line() -> None:
    assert read(Reader(), 'id: 7\nevent: case\ndata: {"a":1}\n\n') == [
        Message("7", "case", '{"a":1}')
    ]


def test_comments_and_unknown_fields_say_nothing() -> None:
    assert read(Reader(), ": keep-alive\n\nretry: 5\nnonsense\n\n") == []


def test_data_of_several_lines_is_joined() -> None:
    assert read(Reader(), "data: a\ndata:b\ndata\n\n") == [Message("", "message", "a\nb\n")]


def test_the_id_lasts_until_the_next_one() -> None:
    reader = Reader()
    read(reader, "id: 3\ndata: x\n\n")
    assert read(reader, "data: y\n\n") == [Message("3", "message", "y")]


def test_after_a_broken_connection_the_half_event_is_gone_and_the_id_stays() -> None:
    reader = Reader()
    read(reader, "id: 3\ndata: x\n\nevent: case\ndata: half")
    reader.reset()
    assert read(reader, "data: y\n\n") == [Message("3", "message", "y")]
