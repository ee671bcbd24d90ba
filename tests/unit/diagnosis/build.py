"""Small logs and questions for the tests of this room."""

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.scene import Log, Scene
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.model.finding import Diagnosis

READY = "INFO:     Application startup complete."
START = "(APIServer pid=1) INFO 11-02 10:00:00 [startup.py:96] non-default args: {'model': '/m', 'max_num_seqs': 8}"
LOADING = "(EngineCore pid=2) INFO 11-02 10:00:05 [gpu_model_runner.py:4978] Starting to load model /m..."
STOP = "(APIServer pid=1) INFO 11-02 11:00:00 [launcher.py:256] [shutdown] API server: shutdown triggered"
DEATH = (
    "(APIServer pid=1) WARNING 11-02 10:30:00 [core_client.py:839] [shutdown] MPClient: engine core exited unexpectedly"
)
FALLOUT = (
    "(APIServer pid=1) ERROR 11-02 10:30:00 [async_llm.py:943] AsyncLLM output_handler failed.",
    "(APIServer pid=1) ERROR 11-02 10:30:00 [async_llm.py:943] vllm.v1.engine.exceptions.EngineDeadError: EngineCore",
)
OOM = (
    "(EngineCore pid=2) ERROR 11-02 10:29:59 [core.py:1584] torch.OutOfMemoryError: CUDA out of memory. "
    "Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.18 GiB of which 1.00 GiB is free."
)


def stats(clock: str, prompt: float, generation: float, running: int, waiting: int, kv: float, hits: float = 0) -> str:
    """One periodic line at hh:mm:ss."""
    return (
        f"(APIServer pid=1) INFO 11-02 {clock} [loggers.py:335] Engine 000: "
        f"Avg prompt throughput: {prompt:.1f} tokens/s, "
        f"Avg generation throughput: {generation:.1f} tokens/s, Running: {running} reqs, Waiting: {waiting} reqs, "
        f"GPU KV cache usage: {kv:.1f}%, Prefix cache hit rate: {hits:.1f}%"
    )


def say(*logs: tuple[str, ...] | list[str]) -> Diagnosis:
    """The diagnosis of these logs, alone."""
    scene = Scene(tuple(Log(f"log{number}", list(lines)) for number, lines in enumerate(logs)))
    return diagnose(scene, load_catalogue())


def causes(*logs: tuple[str, ...] | list[str]) -> list[str]:
    return [finding.cause for finding in say(*logs).findings]
