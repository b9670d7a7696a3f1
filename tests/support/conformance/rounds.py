"""Tools and a prompt that ask by returning, and are called again with the answers."""

from typing import Any

from fastmcp import Context, FastMCP
from mcp_types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    SamplingMessage,
    TextContent,
)

Answer = str | InputRequiredResult


def add_rounds(mcp: FastMCP) -> None:
    """Add the suite's fixtures for questions in more than one round."""
    for tool in (
        test_input_required_result_elicitation,
        test_input_required_result_sampling,
        test_input_required_result_list_roots,
        test_input_required_result_request_state,
        test_input_required_result_multiple_inputs,
        test_input_required_result_multi_round,
        test_input_required_result_tampered_state,
        test_input_required_result_capabilities,
    ):
        mcp.tool(tool, output_schema=None)
    mcp.prompt(test_input_required_result_prompt)


def question(message: str, name: str, kind: str = "string") -> ElicitRequest:
    schema = {
        "type": "object",
        "properties": {name: {"type": kind}},
        "required": [name],
    }
    return ElicitRequest(
        params=ElicitRequestFormParams(message=message, requested_schema=schema)
    )


def sampling(words: str, max_tokens: int) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(text=words))
    return CreateMessageRequest(
        params=CreateMessageRequestParams(messages=[message], max_tokens=max_tokens)
    )


def asking(
    state: str | None = None, /, **requests: InputRequest
) -> InputRequiredResult:
    return InputRequiredResult(input_requests=requests, request_state=state)


def answered(ctx: Context, key: str, field: str) -> Any:
    """Return a field of an accepted answer, None if there is no such answer."""
    answer = (ctx.input_responses or {}).get(key)
    if not isinstance(answer, ElicitResult) or answer.action != "accept":
        return None
    return (answer.content or {}).get(field)


async def test_input_required_result_elicitation(ctx: Context) -> Answer:
    """Ask the user for a name."""
    name = answered(ctx, "user_name", "name")
    if not isinstance(name, str):
        return asking(user_name=question("What is your name?", "name"))
    return f"Hello, {name}!"


async def test_input_required_result_sampling(ctx: Context) -> Answer:
    """Ask the client's model for a capital."""
    answer = (ctx.input_responses or {}).get("capital_question")
    if not isinstance(answer, CreateMessageResult):
        return asking(capital_question=sampling("What is the capital of France?", 100))
    content = answer.content
    return content.text if isinstance(content, TextContent) else "no text"


async def test_input_required_result_list_roots(ctx: Context) -> Answer:
    """Ask the client for its roots."""
    answer = (ctx.input_responses or {}).get("client_roots")
    if not isinstance(answer, ListRootsResult):
        return asking(client_roots=ListRootsRequest())
    return ", ".join(str(root.uri) for root in answer.roots)


async def test_input_required_result_request_state(ctx: Context) -> Answer:
    """Ask once, and want the state back."""
    if answered(ctx, "confirm", "ok") is None or ctx.request_state != "first":
        return asking("first", confirm=question("Please confirm", "ok", "boolean"))
    return "state-ok"


async def test_input_required_result_multiple_inputs(ctx: Context) -> Answer:
    """Ask the user, the model and the client at once."""
    questions: dict[str, InputRequest] = {
        "user_name": question("What is your name?", "name"),
        "greeting": sampling("Generate a greeting", 50),
        "client_roots": ListRootsRequest(),
    }
    if not questions.keys() <= (ctx.input_responses or {}).keys():
        return InputRequiredResult(input_requests=questions, request_state="asked")
    return "All three answered"


async def test_input_required_result_multi_round(ctx: Context) -> Answer:
    """Ask twice, the second time knowing the first answer."""
    name = answered(ctx, "step1", "name")
    if ctx.request_state is None or (ctx.request_state == "step1" and name is None):
        return asking("step1", step1=question("Step 1: What is your name?", "name"))
    if ctx.request_state == "step1":
        colour = question("Step 2: What is your favorite color?", "color")
        return asking(f"step2 {name}", step2=colour)
    known = ctx.request_state.removeprefix("step2 ")
    return f"{known} likes {answered(ctx, 'step2', 'color')}"


async def test_input_required_result_tampered_state(ctx: Context) -> Answer:
    """Ask once with a state that must come back untouched."""
    return await test_input_required_result_request_state(ctx)


async def test_input_required_result_capabilities(ctx: Context) -> Answer:
    """Ask only for what the client has declared."""
    capabilities = ctx.session.client_capabilities
    requests: dict[str, InputRequest] = {}
    if capabilities and capabilities.sampling is not None:
        requests["greeting"] = sampling("Generate a greeting", 50)
    if capabilities and capabilities.elicitation is not None:
        requests["user_name"] = question("What is your name?", "name")
    if capabilities and capabilities.roots is not None:
        requests["client_roots"] = ListRootsRequest()
    if not requests or requests.keys() <= (ctx.input_responses or {}).keys():
        return "Nothing to ask"
    return InputRequiredResult(input_requests=requests)


async def test_input_required_result_prompt(ctx: Context) -> Answer:
    """A prompt that asks for its context."""
    context = answered(ctx, "user_context", "context")
    if context is None:
        question_ = question("What context should the prompt use?", "context")
        return asking(user_context=question_)
    return f"Use this context: {context}"
