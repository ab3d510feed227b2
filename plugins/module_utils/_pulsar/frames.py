# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of Pulsar's binary protocol that the handshake needs, as bytes.

A frame is its size, the size of its command, and the command, in Protocol Buffers; both sizes are 4 bytes, the higher
first. The numbers of commands and fields are those of PulsarApi.proto of Apache Pulsar.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Mapping
from typing import Union

SIZES = struct.Struct(">II")
SIZE_LIMIT = 256 * 1024  # bytes; an answer to the handshake has a few hundred, a long error some thousand

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10  # bytes of one with 64 bits
_TYPE = 1  # the field of BaseCommand that tells which of the others is there


class Kind(enum.IntEnum):
    """Commands: each number is the command's type, and the field of BaseCommand that holds it."""

    CONNECT = 2
    CONNECTED = 3
    PRODUCER = 5
    SUCCESS = 13
    ERROR = 14
    CLOSE_PRODUCER = 15
    PRODUCER_SUCCESS = 17
    PING = 18
    PONG = 19
    PARTITIONED_METADATA = 21
    PARTITIONED_METADATA_RESPONSE = 22
    LOOKUP = 23
    LOOKUP_RESPONSE = 24


class ServerError(enum.IntEnum):
    """Why a broker refuses, named as in PulsarApi.proto."""

    UnknownError = 0
    MetadataError = 1
    PersistenceError = 2
    AuthenticationError = 3
    AuthorizationError = 4
    ConsumerBusy = 5
    ServiceNotReady = 6
    ProducerBlockedQuotaExceededError = 7
    ProducerBlockedQuotaExceededException = 8
    ChecksumError = 9
    UnsupportedVersionError = 10
    TopicNotFound = 11
    SubscriptionNotFound = 12
    ConsumerNotFound = 13
    TooManyRequests = 14
    TopicTerminatedError = 15
    ProducerBusy = 16
    InvalidTopicName = 17
    IncompatibleSchema = 18
    ConsumerAssignError = 19
    TransactionCoordinatorNotFound = 20
    InvalidTxnStatus = 21
    NotAllowedError = 22
    TransactionConflict = 23
    TransactionNotFound = 24
    ProducerFenced = 25


class MalformedFrame(ValueError):
    """Bytes that are no frame of the protocol."""


class Fields(dict[int, Union[int, bytes]]):
    """The fields of a message by number; the last one holds where one is repeated."""

    def number(self, field: int, default: int = 0) -> int:
        """Return a number; raises MalformedFrame when the field is something else."""
        value = self.get(field, default)
        if not isinstance(value, int):
            raise MalformedFrame("text where a number belongs")
        return value

    def data(self, field: int) -> bytes:
        """Return bytes, empty when there are none; raises MalformedFrame when the field is something else."""
        value = self.get(field, b"")
        if not isinstance(value, bytes):
            raise MalformedFrame("a number where text belongs")
        return value

    def text(self, field: int) -> str:
        """Return text, empty when there is none; raises MalformedFrame when the field is something else."""
        return self.data(field).decode("utf-8", "replace")


def encode_frame(kind: Kind, fields: Mapping[int, int | str | bytes]) -> bytes:
    """Return a frame with a command.

    :arg fields: values by the number of the field; a bool is a number.
    """
    command = encode({_TYPE: kind, int(kind): encode(fields)})
    return SIZES.pack(len(command) + 4, len(command)) + command


def encode(fields: Mapping[int, int | str | bytes]) -> bytes:
    """Return a message of Protocol Buffers."""
    parts = []
    for number, value in fields.items():
        if isinstance(value, int):
            parts += [_encode_varint(number << 3 | _VARINT), _encode_varint(value)]
        else:
            data = value.encode() if isinstance(value, str) else value
            parts += [_encode_varint(number << 3 | _BYTES), _encode_varint(len(data)), data]
    return b"".join(parts)


def _encode_varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def decode_command(data: bytes) -> tuple[int, Fields]:
    """Return the type of a command and its fields.

    :arg data: a frame without its two sizes.
    :raises MalformedFrame: it is no command.
    """
    command = decode(data)
    kind = command.number(_TYPE)
    return kind, decode(command.data(kind))


def decode(data: bytes) -> Fields:
    """Return the fields of a message of Protocol Buffers.

    :raises MalformedFrame: it is none.
    """
    fields = Fields()
    position = 0
    while position < len(data):
        key, position = _decode_varint(data, position)
        number, wire_type = key >> 3, key & 0b111
        if wire_type == _VARINT:
            fields[number], position = _decode_varint(data, position)
            continue
        if wire_type == _BYTES:
            size, position = _decode_varint(data, position)
        elif wire_type in _FIXED_SIZES:
            size = _FIXED_SIZES[wire_type]
        else:
            raise MalformedFrame("a field of a type that does not exist")
        if size > len(data) - position:
            raise MalformedFrame("a field that is cut off")
        fields[number] = data[position : position + size]
        position += size
    return fields


def _decode_varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[position : position + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise MalformedFrame("a number that does not end")
