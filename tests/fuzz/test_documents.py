"""The served OpenAPI documents are true: whatever they allow is answered, and in the form that they promise.

schemathesis makes the requests from the documents alone, as a generated client would.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error, response_schema_conformance

from app.schemas import kinds
from tests.conftest import ValkeyServer
from tests.fuzz import examples
from tests.fuzz.world import World, world_at

HEADERS = {"Authorization": "Bearer admin-token"}
DOCUMENTS = sorted(
    {f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}" for kind in kinds.ALL}
    | {"apis/example.com/v1", "apis/example.com/v2"}
)
NAMES = {kind.plural: examples.name_of(kind) for kind in kinds.ALL}
# A watch does not end, and who waits for a revision that does not come is told so with 504.
ENDLESS = ("watch", "resourceVersion")
# For each operation of a document: what it takes is made from schemas of some hundred fields.
EXAMPLES = 2


@pytest.fixture(scope="module")
def world(valkey: ValkeyServer) -> Iterator[World]:
    with world_at(valkey.url) as made:
        yield made


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_what_a_document_promises_is_kept(world: World, path: str) -> None:
    document = schemathesis.openapi.from_wsgi(f"/openapi/v3/{path}", world.app, headers=HEADERS)
    operations = [found.ok() for found in document.get_all_operations()]

    for operation in operations:
        world.restore()
        answered = _try(operation)
        assert answered >= EXAMPLES, operation.label
    world.restore()
    assert operations


def _try(operation: Any) -> int:
    """How many requests for the operation were answered as they should be."""
    answered = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), st.booleans())
    def check(case: Any, known: bool) -> None:
        nonlocal answered
        if known and "name" in case.path_parameters:
            # Else hardly ever would one be about an object that is there.
            case.path_parameters["name"] = NAMES.get(case.path.split("/")[-2], examples.SEED)
        if "namespace" in case.path_parameters:
            case.path_parameters["namespace"] = examples.DEFAULT
        for name in ENDLESS:
            case.query.pop(name, None)
        answer = case.call(headers=HEADERS)
        checks = [not_a_server_error]
        if operation.method != "delete":
            # Documents say that a deletion is answered by a Status, as in Kubernetes; often it is by what was deleted.
            checks.append(response_schema_conformance)
        case.validate_response(answer, checks=checks)
        answered += 1

    check()
    return answered
