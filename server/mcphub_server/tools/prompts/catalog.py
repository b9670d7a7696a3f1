"""The prompts of a hub, as the current caller may use them.

One that is about a backend is there for those who may call one of its tools, and to all
others as if it did not exist.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mcphub_server.config.live import LiveConfig
from mcphub_server.tools.prompts.prompt import DeclaredPrompt


@dataclass(frozen=True, slots=True)
class PromptVerdict:
    """Whether a prompt can be used; a message says why not."""

    name: str
    backend: str = ""
    message: str = ""

    @property
    def state(self) -> str:
        """The word of the McpHub's status."""
        return "Invalid" if self.message else "Ready"


@dataclass(frozen=True, slots=True)
class JudgedPrompt:
    """A prompt that was read, with what is to be said of it."""

    verdict: PromptVerdict
    prompt: DeclaredPrompt | None = None


def judge_prompts(
    config: LiveConfig, backends: Iterable[str], hidden: Iterable[str]
) -> list[JudgedPrompt]:
    """Build every prompt that can be built, and say of the others why not.

    Args:
        config: The live configuration.
        backends: The enabled backends.
        hidden: The others; prompts about them are left out.
    """
    known, absent = set(backends), set(hidden)
    judged = []
    for each in config.prompts:
        if each.backend in absent:
            continue
        if each.backend and each.backend not in known:
            message = f"There is no backend {each.backend}."
            verdict = PromptVerdict(each.name, each.backend, message)
            judged.append(JudgedPrompt(verdict))
        else:
            verdict = PromptVerdict(each.name, each.backend or "")
            judged.append(JudgedPrompt(verdict, DeclaredPrompt.build(each)))
    bad = (PromptVerdict(each.name, "", each.problem) for each in config.bad_prompts)
    return [*judged, *map(JudgedPrompt, bad)]


class PromptCatalog:
    """All prompts."""

    def __init__(self, list_tools: Callable[[str], Sequence[str]]) -> None:
        """Prepare; `list_tools` returns a backend's tools that the caller may use."""
        self._list_tools = list_tools
        self._judged: list[JudgedPrompt] = []

    def replace(self, judged: Sequence[JudgedPrompt]) -> None:
        """Put other prompts in force, at once."""
        self._judged = list(judged)

    def list_prompts(self) -> list[DeclaredPrompt]:
        """Return the prompts that the current caller may use."""
        prompts = (each.prompt for each in self._judged)
        return [each for each in prompts if each is not None and self._shows(each)]

    def find(self, name: str) -> DeclaredPrompt | None:
        """Return a prompt if the current caller may use it."""
        return next((each for each in self.list_prompts() if each.name == name), None)

    def find_backend(self, name: str) -> str:
        """Return the backend of a prompt that the caller may use; empty: none."""
        prompt = self.find(name)
        return prompt.backend if prompt is not None else ""

    def find_closed_backend(self, name: str) -> str:
        """Return the backend that keeps a prompt from the caller; empty: none does."""
        prompts = (each.prompt for each in self._judged)
        found = (each for each in prompts if each is not None and each.name == name)
        prompt = next(found, None)
        return "" if prompt is None or self._shows(prompt) else prompt.backend

    def render(self) -> list[dict[str, str]]:
        """Return what `/status` shows of them."""
        return [
            {
                "name": each.verdict.name,
                "state": each.verdict.state,
                "reason": "Unusable" if each.verdict.message else "",
                "message": each.verdict.message,
            }
            for each in self._judged
        ]

    def _shows(self, prompt: DeclaredPrompt) -> bool:
        return not prompt.backend or bool(self._list_tools(prompt.backend))
