"""lm-eval over ``N`` samples with its dummy model; prints the seconds of the evaluation, its samples written.

Run by a Python that has lm_eval: ``.peers/bin/python benchmarks/peers/lm_eval_run.py 1000``.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import lm_eval
from lm_eval.api.task import ConfigurableTask

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "numbers.jsonl"
        data.write_text("".join(json.dumps({"q": str(i), "a": i % 2}) + "\n" for i in range(int(sys.argv[1]))))
        asked = {
            "task": "numbers",
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": str(data)}},
            "test_split": "test",
            "output_type": "multiple_choice",
            "doc_to_text": "{{q}}",
            "doc_to_choice": ["a", "b"],
            "doc_to_target": "a",
            "metric_list": [{"metric": "acc"}],
        }
        task = ConfigurableTask(config=asked)
        start = time.perf_counter()
        found = lm_eval.simple_evaluate(model="dummy", tasks=[task], log_samples=True, bootstrap_iters=0)
        (Path(folder) / "samples.json").write_text(json.dumps(found["samples"], default=str))
        print(time.perf_counter() - start)
