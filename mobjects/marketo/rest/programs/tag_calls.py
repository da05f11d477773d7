"""Channel and tags of one program.

Each tag has a call of its own, which leaves the other tags alone (Adobe's developer pages on tags). The list in the
update of a program replaces all tags, and removes those that it does not name; it is used only where Marketo does not
let a tag be set by itself and a person confirmed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from mobjects.marketo.errors import RefusalReason, Rejected
from mobjects.marketo.rest.codes import NOTHING_FOUND
from mobjects.marketo.rest.programs.logged_calls import LoggedCalls
from mobjects.marketo.rest.programs.program_facts import ProgramFacts
from mobjects.marketo.rest.programs.program_types import explain_program_type
from mobjects.marketo.rest.programs.reading import (
    ASSETS,
    CHANNEL,
    ProgramReader,
    RemoteProgram,
    program_path,
)
from mobjects.marketo.rest.programs.write_state import ProgramMissing, WriteRefused, WriteState
from mobjects.marketo.types import OutgoingRecord, TagValue
from mobjects.marking import gettext_noop as _

_NO_SUCH_CALL = frozenset({"605", "610"})
_ALONE = {
    "set": _("Marketo does not let this tag be set by itself"),
    "removed": _("Marketo does not let this tag be removed by itself"),
}


def is_channel(tag_type: str) -> bool:
    """Whether a tag type stands for the channel."""
    return tag_type.casefold() == CHANNEL.casefold()


class TagCalls:
    """Writes channel and tags.

    Args:
        calls, reader: to make calls with.
        record: what is wanted.
        facts: what is known of the instance.
        state: how far the update has come.
    """

    def __init__(
        self,
        calls: LoggedCalls,
        reader: ProgramReader,
        record: OutgoingRecord,
        facts: ProgramFacts,
        state: WriteState,
    ) -> None:
        self._calls, self._reader, self._facts, self._state = calls, reader, facts, state
        self._id = int(record.marketo_id or 0)
        self._channel = next((tag.value for tag in record.tags if is_channel(tag.type)), "")
        self._wanted = [tag for tag in record.tags if not is_channel(tag.type)]
        self._removed = list(record.removed_tags)
        self._written: list[str] = []  # Tag types, set or removed.

    @property
    def needs_check(self) -> bool:
        """Whether tags were written, which their own calls do not show."""
        return bool(self._written)

    def set_channel(self) -> RemoteProgram | None:
        """Change the channel, if it is to be changed.

        Returns:
            The program after it.

        Raises:
            ProgramMissing, WriteRefused, MarketoError: it was not changed.
        """
        if not self._channel:
            return None
        try:
            reply = self._calls.write_twice(program_path(self._id), {"channel": self._channel})
        except Rejected as error:
            if error.code in NOTHING_FOUND:
                raise ProgramMissing from error
            if not _is_about_content(error):
                raise
            # Where channels are not changed, the one that the program has is refused as well.
            shown = self._reader.read_by_id(self._id)
            if shown is not None and shown.channel.casefold() == self._channel.casefold():
                return None
            raise WriteRefused(
                _("Marketo did not change the channel to “%(channel)s”; change it in Marketo. %(message)s")
                % {"channel": self._channel, "message": error.message},
                error,
            ) from error
        reported = self._reader.read_answer(reply, self._id, self._state)
        if reported.channel.casefold() != self._channel.casefold():
            raise WriteRefused(
                _("Marketo left the channel “%(channel)s” and did not change it to “%(wanted)s”; change it in Marketo.")
                % {"channel": reported.channel, "wanted": self._channel}
            )
        self._state.parts.append(CHANNEL)
        return reported

    def set_tags(self, known: RemoteProgram | None = None) -> RemoteProgram | None:
        """Set and remove the tags, one call each.

        Args:
            known: the program as the answer to a write has just told it: what it has already is not set.

        Returns:
            The program after it, if Marketo told it.

        Raises:
            ProgramMissing, WriteRefused, MarketoError: not all of it was done.
        """
        for tag in self._wanted:
            if known is not None and known.tag_value(tag.type) == tag.value:
                continue
            try:
                self._write(tag.type, self._tag_path(tag.type), {"tagValue": tag.value})
            except Rejected as error:
                if self._must_go_by_list(
                    error,
                    tag.type,
                    "set",
                    _("Marketo refused “%(value)s” for the tag “%(type)s”.") % {"value": tag.value, "type": tag.type},
                ):
                    return self._write_list()
        for tag_type in self._removed:
            try:
                self._write(tag_type, f"{self._tag_path(tag_type).removesuffix('.json')}/delete.json", {})
            except Rejected as error:
                words = _("Marketo did not remove the tag “%(tag_type)s”.") % {"tag_type": tag_type}
                if self._must_go_by_list(error, tag_type, "removed", words):
                    return self._write_list()
        return None

    def check(self, reported: RemoteProgram | None) -> None:
        """See that Marketo shows the tags as they were written.

        Args:
            reported: the program after the last write, if an answer told it; read otherwise.

        Raises:
            ProgramMissing, WriteRefused, MarketoError: it does not, or cannot be read.
        """
        if reported is None or self._differing(reported):
            reported = self._reader.read_by_id(self._id)
        if reported is not None and self._differing(reported):
            # What reads tell may be older than what was written; the answer to an update is not.
            reported = self._reader.read_by_update(reported)
        if reported is None:
            raise ProgramMissing
        if differing := self._differing(reported):
            for name in differing:
                self._state.parts.remove(f"tag {name}")
            raise WriteRefused(
                _(
                    "Marketo took the call and still does not show what was sent of the tag “%(differing)s”; "
                    "change it in Marketo."
                )
                % {"differing": "”, “".join(differing)}
            )

    def _write(self, tag_type: str, path: str, params: Mapping[str, str]) -> None:
        reply = self._calls.write_twice(path, {}, params)
        if not reply.result:
            raise self._calls.missing_program_error(reply)
        self._note_written(tag_type)

    def _note_written(self, tag_type: str) -> None:
        if tag_type not in self._written:
            self._written.append(tag_type)
            self._state.parts.append(f"tag {tag_type}")

    def _tag_path(self, tag_type: str) -> str:
        return f"{ASSETS}/program/{self._id}/tag/{quote(tag_type, safe='')}.json"

    def _must_go_by_list(self, error: Rejected, tag_type: str, done: str, words: str) -> bool:
        """What a refusal of the call for one tag means.

        Returns:
            Whether the tag can only be written with all others; ``False`` if it is as wanted already.

        Raises:
            ProgramMissing, WriteRefused: it cannot be written.
        """
        if not _is_about_content(error):
            raise error
        program = self._reader.read_by_id(self._id)
        if program is None:
            raise ProgramMissing from error
        if error.code in NOTHING_FOUND and done == "removed" and program.tag_value(tag_type) is None:
            return False
        if error.code not in NOTHING_FOUND | _NO_SUCH_CALL:
            offered = explain_program_type(self._calls, tag_type, program.type)
            raise WriteRefused(f"{words} {offered}{error.message}", error) from error
        if not self._facts.tags_by_list_confirmed:
            raise WriteRefused(
                _(
                    "%(alone)s; only together with all tags of the program, which has to be confirmed on the "
                    "page Connection first. Or change the tag “%(tag_type)s” in Marketo. %(message)s"
                )
                % {"alone": _ALONE[done], "tag_type": tag_type, "message": error.message},
                error,
            ) from error
        return True

    def _write_list(self) -> RemoteProgram:
        """Write all tags of the program at once, from a read made just before."""
        program = self._reader.read_by_id(self._id)
        if program is None:
            raise ProgramMissing
        whole = {tag.type.casefold(): tag for tag in program.tags or ()}
        for tag in self._wanted:
            spelled = whole.get(tag.type.casefold(), tag).type
            whole[tag.type.casefold()] = TagValue(spelled, tag.value)
        for tag_type in self._removed:
            whole.pop(tag_type.casefold(), None)
        tags: list[object] = [{"tagType": tag.type, "tagValue": tag.value} for tag in whole.values()]
        try:
            reply = self._calls.write_twice(program_path(self._id), {"tags": tags})
        except Rejected as error:
            raise WriteRefused(
                _("Marketo refused the tags of the program. %(message)s") % {"message": error.message}, error
            ) from error
        for tag_type in (*(tag.type for tag in self._wanted), *self._removed):
            self._note_written(tag_type)
        return self._reader.read_answer(reply, self._id, self._state)

    def _differing(self, reported: RemoteProgram) -> list[str]:
        """The types of tags that were written and are not told as they were."""
        wanted: dict[str, str | None] = {tag.type: tag.value.casefold() for tag in self._wanted}
        wanted |= dict.fromkeys(self._removed)
        shown = {name: reported.tag_value(name) for name in self._written}
        return [name for name, value in shown.items() if (value and value.casefold()) != wanted[name]]


def _is_about_content(error: Rejected) -> bool:
    """Whether Marketo refused what was sent, and not the whole way of calling it."""
    return error.trouble is not RefusalReason.UNSUPPORTED or error.code in _NO_SUCH_CALL
