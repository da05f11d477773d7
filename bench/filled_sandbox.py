"""A local Marketo that holds as much as is asked for, in a process of its own: ``python -m bench.filled_sandbox``."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from datetime import date
from pathlib import Path

from mobjects.sandbox import SandboxServer
from mobjects.sandbox.fields import OPPORTUNITY_KEY
from mobjects.sandbox.state import SandboxStore, StoredCost

COSTS = TAGS = 3
FIRST = 100_000


def main() -> None:
    """Fill it, write its address into a file, and serve until terminated."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=0)
    parser.add_argument("--opportunities", type=int, default=0)
    parser.add_argument("--roles", type=int, default=0, help="each of an opportunity of its own")
    parser.add_argument("--address", type=Path, required=True, help="the file to write its address into")
    options = parser.parse_args()
    server = SandboxServer()
    fill_programs(server.store, options.programs)
    deals = [
        server.store.create_object("Opportunity", opportunity(number)) for number in range(1, options.opportunities + 1)
    ]
    for number, deal in enumerate(deals[: options.roles], start=1):
        server.store.create_object("OpportunityPersonRole", role(number, deal.id))
    written = options.address.with_suffix(".new")
    written.write_text(server.url)
    written.rename(options.address)
    server.serve_forever()


def fill_programs(store: SandboxStore, count: int) -> None:
    """No programs but so many, each with three period costs and three tags."""
    example = next(iter(store.programs.values()))
    store.programs.clear()
    for number in range(FIRST, FIRST + count):
        costs = [
            StoredCost(store.new_id("Cost"), date(2026, 1 + (number + each) % 12, 1), f"{1000 + number % 977}", "Booth")
            for each in range(COSTS)
        ]
        store.programs[number] = replace(
            example,
            id=number,
            name=f"Program {number}",
            is_archived=False,
            costs={cost.id: cost for cost in costs},
            tags={f"Type {each}": f"Value {number % 13}" for each in range(TAGS)},
        )


def opportunity(number: int) -> dict[str, str]:
    """Values of one, by Marketo's names."""
    return {
        "Name": f"Renewal {number}",
        "Description": "Three years, with support; the customer asked for a price in writing.",
        "Type": "Existing business",
        "Stage": "Negotiation",
        "Amount": f"{12500 + number}.50",
        "Probability": str(number % 101),
        "Fiscal": "FY26",
        "NextStep": "Call the buyer",
        OPPORTUNITY_KEY: key_of(number),
    }


def key_of(number: int) -> str:
    """The external key of an opportunity."""
    return f"key-{number}"


def role(number: int, deal: int) -> dict[str, str]:
    """Values of one, by Marketo's names."""
    return {"OpportunityId": str(deal), "PersonId": str(1 + number % 90), "Role": "Evaluator", "IsPrimary": "false"}


if __name__ == "__main__":
    main()
