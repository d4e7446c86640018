"""A gateway's configuration, read and checked with the files that it names."""

from __future__ import annotations

from pathlib import Path

from gateway.routes import FindBindings
from gateway_config.advice import advice
from gateway_config.files import wrong_files
from gateway_config.model import GatewayConfig
from yilian.bindings import bindings_from
from yilian.loading import Misconfigured, Problem, load, misconfigured, problem_at


def read(path: Path) -> GatewayConfig:
    """The configuration, fit to run. Misconfigured names all that is wrong, in the text or in the
    files that it names; Refused where there is nothing to read."""
    config = load(path, GatewayConfig)
    text = path.read_text("utf-8")
    problems = [problem_at(text, one.where, one.zh, one.en) for one in wrong_files(config)]
    if problems:
        raise misconfigured(path, problems)
    return config


def read_for_running(path: Path) -> tuple[GatewayConfig, FindBindings]:
    """The configuration and what asks its registry, at a start and at every reload."""
    config = read(path)
    return config, bindings_from(config.registry.url)


def findings(path: Path) -> tuple[list[Problem], list[Problem]]:
    """What is wrong, and what should be looked at. Refused where there is nothing to read."""
    problems: list[Problem] = []
    try:
        config = load(path, GatewayConfig)
    except Misconfigured as wrong:
        return list(wrong.problems), []
    text = path.read_text("utf-8")
    problems = [problem_at(text, one.where, one.zh, one.en) for one in wrong_files(config)]
    return problems, [problem_at(text, one.where, one.zh, one.en) for one in advice(config)]
