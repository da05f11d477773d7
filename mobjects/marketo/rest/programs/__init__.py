"""Programs with their costs, tags and channels over the asset API; what the transport calls."""

from mobjects.marketo.rest.programs.catalogue import read_channels, read_tags
from mobjects.marketo.rest.programs.program_facts import ProgramFacts
from mobjects.marketo.rest.programs.queries import find_programs
from mobjects.marketo.rest.programs.rules import program_problem, render_program
from mobjects.marketo.rest.programs.sending import send_program

__all__ = [
    "ProgramFacts",
    "find_programs",
    "program_problem",
    "read_channels",
    "read_tags",
    "render_program",
    "send_program",
]
