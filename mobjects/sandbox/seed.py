"""The same small company every time: programs, channels, tags, people, companies.

Nothing here is random, so ids and names can be relied on in tests, samples and screenshots.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from mobjects.sandbox.fields import COMPANY, COMPANY_KEY, LEAD, PERSON_KEY
from mobjects.sandbox.state import ProgressionStatus, SandboxStore, StoredCost, StoredParty, StoredProgram

FIRST_PROGRAM_ID = 1001
PERSONS = 500
COMPANIES = 60

_CREATED = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

_TAGS = {
    "Region": ["AMER", "APAC", "EMEA", "Korea"],
    "Product Line": ["Analytics", "Cloud", "Platform", "Security"],
    "Business Unit": ["Enterprise", "Mid-Market", "Public Sector"],
    "Fiscal Quarter": ["FY26 Q1", "FY26 Q2", "FY26 Q3", "FY26 Q4"],
}

# Channel: program type, topics of its programs, steps as (status, success).
_CHANNELS: dict[str, tuple[str, tuple[str, ...], tuple[tuple[str, bool], ...]]] = {
    "Webinar": (
        "Marketing Event",
        (
            "Cloud Cost Control",
            "Zero Trust Basics",
            "Analytics for Retail",
            "Data Residency in Korea",
            "Year in Review",
        ),
        (("Invited", False), ("Registered", False), ("No Show", False), ("Attended", True)),
    ),
    "Tradeshow": (
        "Marketing Event",
        ("CeBIT Hannover", "Seoul Tech Week", "RSA Conference", "Dreamforce Booth", "Gartner Symposium"),
        (("Invited", False), ("Visited Booth", True), ("Influenced", True)),
    ),
    "Email Send": (
        "Email Batch Program",
        ("Spring Newsletter", "Product Update", "Renewal Reminder", "Partner Digest", "Holiday Greetings"),
        (("Sent", False), ("Opened", False), ("Clicked", True), ("Unsubscribed", False)),
    ),
    "Content": (
        "Marketing Program",
        ("Security Buyer's Guide", "TCO Calculator", "Cloud Migration E-book", "Analyst Report", "Customer Stories"),
        (("Viewed", False), ("Downloaded", True)),
    ),
    "Nurture": (
        "Nurture Program",
        ("New Leads", "Trial Users", "Dormant Accounts", "Public Sector", "Enterprise Security"),
        (("Member", False), ("Engaged", True)),
    ),
    "Online Advertising": (
        "Marketing Program",
        ("Search Brand Terms", "LinkedIn Sponsored", "Retargeting", "Display Korea", "Video Pre-roll"),
        (("Clicked", False), ("Converted", True)),
    ),
    "Roadshow": (
        "Marketing Event",
        ("Berlin", "Seoul", "Chicago", "Singapore", "London"),
        (("Invited", False), ("RSVP", False), ("Attended", True)),
    ),
    "Web Form": (
        "Marketing Program",
        ("Contact Us", "Request a Demo", "Pricing", "Free Trial", "Partner Application"),
        (("Visited", False), ("Filled-out Form", True)),
    ),
}

_EXTRA_ATTRIBS = {
    ("Webinar", "Registered"): (("Webinar Behavior", "Registered"),),
    ("Webinar", "Attended"): (("Webinar Behavior", "Attended"),),
    ("Roadshow", "Attended"): (("Check-in Status", "Attended"),),
}

_WORKSPACES = ((1, "Default"), (2, "Europe"), (3, "Asia Pacific"))
_FIRST_NAMES = ("Ana", "Ben", "Chloe", "David", "Eun-ji", "Farah", "Grace", "Hiro", "Ines", "Jun-ho")
_LAST_NAMES = ("Kim", "Lopez", "Meyer", "Nguyen", "Okafor", "Park", "Quinn", "Rossi", "Schmidt", "Tanaka")
_COMPANY_NAMES = ("Acme", "Borealis", "Contoso", "Daehan", "Elbe", "Fabrikam", "Globex", "Hanul", "Initech", "Juno")
_COMPANY_KINDS = ("Industries", "Systems", "Logistics", "Energy", "Health", "Retail")


def seed_store(store: SandboxStore) -> None:
    """Fill an empty store."""
    with store.lock:
        store.tags = {name: list(values) for name, values in _TAGS.items()}
        _add_channels(store)
        _add_programs(store)
        _add_parties(store)


def _add_channels(store: SandboxStore) -> None:
    for channel, (kind, _, steps) in _CHANNELS.items():
        store.channel_types[channel] = kind
        store.channels[channel] = [
            ProgressionStatus(status, step * 10, success, _EXTRA_ATTRIBS.get((channel, status), ()))
            for step, (status, success) in enumerate(steps, 1)
        ]


def _add_programs(store: SandboxStore) -> None:
    names = [(channel, kind, topic) for channel, (kind, topics, _) in _CHANNELS.items() for topic in topics]
    for index, (channel, kind, topic) in enumerate(names):
        program = _program(index, channel, kind, topic)
        store.programs[program.id] = program
        _add_costs(store, program, index)
        _add_tags(program, index)


def _program(index: int, channel: str, kind: str, topic: str) -> StoredProgram:
    workspace_id, workspace = _WORKSPACES[index % len(_WORKSPACES)]
    name = f"2026-{index % 12 + 1:02d} {channel} - {topic}"
    created = _CREATED + timedelta(days=index)
    start = datetime(2026, index % 12 + 1, 15, 11, 0, tzinfo=UTC) if kind == "Marketing Event" else None
    return StoredProgram(
        id=FIRST_PROGRAM_ID + index,
        name=name,
        type=kind,
        workspace_id=workspace_id,
        workspace_name=workspace,
        channel=channel,
        created_at=created,
        updated_at=created,
        crm_id=f"701A000000{index:08d}" if index % 4 == 0 else "",
        tree_path=f"Marketing Activities/{workspace}/{channel}/{name}",
        is_archived=index % 20 == 19,
        start=start,
        end=start + timedelta(hours=2) if start else None,
    )


def _add_costs(store: SandboxStore, program: StoredProgram, index: int) -> None:
    for number in range(index % 3):
        month = date(2026, (index + number) % 12 + 1, 1)
        cost = StoredCost(store.new_id("Cost"), month, str(1000 + 250 * index), "" if number else "Planned")
        program.costs[cost.id] = cost


def _add_tags(program: StoredProgram, index: int) -> None:
    for offset, (tag, values) in enumerate(_TAGS.items()):
        if (index + offset) % 3:
            program.tags[tag] = values[index % len(values)]


def _add_parties(store: SandboxStore) -> None:
    for number in range(1, PERSONS + 1):
        first = _FIRST_NAMES[number % 10]
        last = _LAST_NAMES[number // 10 % 10]
        values = {
            "FirstName": first,
            "LastName": last,
            "Email": f"person{number:04d}@example.com",
            PERSON_KEY: f"P-{number:04d}",
        }
        store.add_party(LEAD, StoredParty(number, f"{first} {last}", values))
    for number in range(1, COMPANIES + 1):
        name = f"{_COMPANY_NAMES[number % 10]} {_COMPANY_KINDS[number % 6]}"
        store.add_party(COMPANY, StoredParty(number, name, {COMPANY_KEY: f"C-{number:04d}"}))
