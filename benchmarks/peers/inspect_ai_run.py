"""inspect_ai over ``N`` samples with a model that answers at once; prints the seconds of the evaluation, its log written.

Run by a Python that has inspect_ai: ``.peers/bin/python benchmarks/peers/inspect_ai_run.py 1000``.
"""

import sys
import tempfile
import time

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelAPI, ModelOutput, ModelUsage, modelapi
from inspect_ai.scorer import includes


@modelapi(name="instant")
class Instant(ModelAPI):
    """Says the same to everything, and counts tokens without asking a server for a tokeniser."""

    async def generate(self, input, tools, tool_choice, config):
        out = ModelOutput.from_content("instant", "a")
        out.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return out

    async def count_tokens(self, input, config=None):
        return 1

    async def count_text_tokens(self, text):
        return 1


if __name__ == "__main__":
    data = MemoryDataset([Sample(input=str(i), target="ab"[i % 2], id=i) for i in range(int(sys.argv[1]))])
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        (log,) = eval(Task(dataset=data, scorer=includes()), model="instant/model", display="none", log_dir=folder)
        seconds = time.perf_counter() - start
    assert log.status == "success", log.error
    print(seconds)
