"""Records that compare and print by their fields; MicroPython has no dataclasses."""


class Value:
    """A record whose fields are named, in order, by `__slots__`.

    One constructor serves all records: each of its own would cost 300 bytes of heap.
    """

    __slots__: "tuple[str, ...]" = ()

    def __init__(self, *values: object) -> None:
        if len(values) != len(self.__slots__):
            raise TypeError(f"{type(self).__name__} takes {len(self.__slots__)} values")
        for name, value in zip(self.__slots__, values):  # noqa: B905 - counted above; a board's zip has no strict
            setattr(self, name, value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__
        )

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        fields = ", ".join([f"{name}={getattr(self, name)!r}" for name in self.__slots__])
        return f"{type(self).__name__}({fields})"
