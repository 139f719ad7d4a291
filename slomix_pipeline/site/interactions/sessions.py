"""Answers about evenings: ``/session``, ``/match``, ``/status``.

Belongs here: which one is meant, and which words are said of it: those of posts (``discord``), of what pages read.
Does not belong here: the words, the numbers (``warehouse``), the shape of answers (``replies``).
"""

from contextlib import suppress
from dataclasses import replace
from datetime import date

from slomix_pipeline.discord.embeds import Message
from slomix_pipeline.discord.match_messages import of_first_round, of_second_round
from slomix_pipeline.discord.session_messages import award_fields, duel_fields, result_fields, session_head
from slomix_pipeline.discord.status_messages import status_message
from slomix_pipeline.discord.team_blocks import LEGEND, MVP_LEGEND, team_blocks
from slomix_pipeline.discord.why_messages import match_why_fields, session_why_fields
from slomix_pipeline.rules.stages import stages
from slomix_pipeline.rules.team_names import UNNAMED
from slomix_pipeline.site.interactions.commands import MatchPart, OptionName, SessionPart
from slomix_pipeline.site.interactions.replies import Asked, Refused, Reply, chosen
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import reading, site_reading
from slomix_pipeline.warehouse.choosing import newest_matches
from slomix_pipeline.warehouse.duels import hardest_duels
from slomix_pipeline.warehouse.grades import session_grade
from slomix_pipeline.warehouse.reading import MatchSeen
from slomix_pipeline.warehouse.session_awards import awards_of
from slomix_pipeline.warehouse.session_evidence import session_evidence
from slomix_pipeline.warehouse.site_status import chain_seen


def session(asked: Asked) -> Reply:
    """A session, or a part of what is told of it."""
    conn, key = asked.conn, _session_meant(asked)
    part = chosen(asked.call, OptionName.PART, SessionPart.RESULT)
    evidence, matches = session_evidence(conn, key), reading.matches(conn, [key])
    teams = matches[0].teams if matches else UNNAMED
    legend = []
    match part:
        case SessionPart.RESULT:
            players = reading.session_players(conn, key)
            fields, legend = result_fields(matches, players), [MVP_LEGEND] if players else []
        case SessionPart.PLAYERS:
            fields, legend = tuple(team_blocks(reading.session_players(conn, key), teams)), [LEGEND]
        case SessionPart.AWARDS:
            fields = award_fields(awards_of(conn, key)) or _nothing("no award is known of it")
        case SessionPart.DUELS:
            fields = duel_fields(hardest_duels(conn, key)) or _nothing("no duel is known of it that is worth telling")
        case SessionPart.WHY:
            fields = tuple(session_why_fields(evidence))
    if part is SessionPart.WHY:  # which says below what the head would say of it
        evidence = replace(evidence, grade=evidence.grade._replace(reasons=()), decisions=(), corrections=())
    head = session_head(
        evidence.session,
        matches,
        evidence.grade,
        evidence.decisions,
        evidence.corrections,
        legend,
        runs=asked.is_running(evidence.session.ended_at),
    )
    return Reply(
        Message(embeds=(replace(head, fields=fields),)),
        asked.base + url_of("sessions", key),
        _picture(asked, key) if part is SessionPart.RESULT else None,
        f"trust grade {evidence.grade.letter}",
    )


def _picture(asked: Asked, key: str) -> str | None:
    """The address of the result's picture, where Discord can fetch it, while it shows the result. It is another one
    with every drawing: Discord keeps what it fetched by its address."""
    if not asked.base.startswith("https://"):
        return None
    pictures = site_reading.pictures(asked.conn, key)
    if not pictures or not pictures[0].of_present:
        return None
    return f"{asked.base}{url_of('sessions', key, 'card.png')}?v={int(pictures[0].made_at.timestamp() * 1000)}"


def _nothing(text: str) -> tuple[()]:
    raise Refused(text)


def _session_meant(asked: Asked) -> str:
    """By its key, a key that it swallowed, the day that it began on (the last of several), or none: the latest."""
    typed = asked.call.option(OptionName.WHICH) or "latest"
    if (key := reading.resolve_session(asked.conn, typed)) is not None:
        return key
    with suppress(ValueError):
        if of_day := site_reading.newest_sessions(asked.conn, 1, on=date.fromisoformat(typed), zone=asked.zone):
            return of_day[0]
        raise Refused(f"no session began on {typed}")
    if typed == "latest":
        raise Refused("nothing was played yet")
    raise Refused(f"there is no session {typed}", site_reading.near(asked.conn, "session", typed))


def match(asked: Asked) -> Reply:
    """A match, or a part of what is told of it."""
    seen = _match_meant(asked)
    (embed,) = _told(seen).embeds
    match chosen(asked.call, OptionName.PART, MatchPart.ALL):
        case MatchPart.RESULT:
            embed = replace(embed, fields=())
        case MatchPart.PLAYERS:
            embed = replace(embed, description=f"-# {LEGEND}", fields=tuple(team_blocks(seen.players, seen.teams)))
        case MatchPart.WHY:
            evidence = session_evidence(asked.conn, seen.session_key)
            embed = replace(embed, fields=match_why_fields(evidence, seen.position))
    return Reply(
        Message(embeds=(embed,)),
        asked.base + url_of("matches", seen.key),
        believed=f"session's trust grade {session_grade(asked.conn, seen.session_key).letter}",
    )


def _told(seen: MatchSeen) -> Message:
    """What is posted of a match as it stands; of one that goes on, of its first round."""
    if seen.second is not None:
        return of_second_round(seen, None).message
    return of_first_round(seen, False).message


def _match_meant(asked: Asked) -> MatchSeen:
    """By its key or that of one of its rounds, or none: the last."""
    typed = asked.call.option(OptionName.WHICH)
    if typed:
        found = site_reading.match_of(asked.conn, typed)
        if found is None:
            raise Refused(f"there is no match {typed}", site_reading.near(asked.conn, "match", typed))
        session_key, key = found
    else:
        newest = newest_matches(asked.conn, 1)
        if not newest:
            raise Refused("nothing was played yet")
        session_key, key = newest[0].session_key, newest[0].match_key
    return next(seen for seen in reading.matches(asked.conn, [session_key]) if seen.key == key)


def status(asked: Asked) -> Reply:
    """How the chain stands."""
    return Reply(status_message(stages(chain_seen(asked.conn, asked.settings)), asked.now), asked.base + "/status")
