"""Arguments are read from the command line or from what the engine logged."""

from paramedic.diagnosis.arguments import as_fields, command_arguments, logged_arguments, resolved_arguments


def test_logged() -> None:
    text = "non-default args: {'model': '/m', 'name': ['a'], 'max_num_seqs': 2, 'enforce_eager': True, 'x': None}"
    assert logged_arguments(text) == {"model": "/m", "max_num_seqs": 2.0, "enforce_eager": True}


def test_namespace_of_old_versions() -> None:
    found = logged_arguments("args: Namespace(model='/m', port=8000, api_key=None, enforce_eager=False)")
    assert found == {"model": "/m", "port": 8000.0, "enforce_eager": False}


def test_resolved() -> None:
    text = "with config: model='/m', dtype=torch.float32, max_seq_len=4096, seed=0, enforce_eager=True"
    assert resolved_arguments(text) == {"dtype": "float32", "max_model_len": 4096.0, "enforce_eager": True}


def test_command_line() -> None:
    words = "vllm serve /m --max-num-seqs 2 --dtype=half -tp 4 --enforce-eager --no-enable-prefix-caching".split()
    assert command_arguments(words) == {
        "max_num_seqs": 2.0,
        "dtype": "half",
        "tensor_parallel_size": 4.0,
        "enforce_eager": True,
        "enable_prefix_caching": False,
    }


def test_fields_for_flags() -> None:
    fields = as_fields({"max_num_seqs": 256.0, "max_model_len": 131072.0, "gpu_memory_utilization": 0.97})
    assert fields["max_num_seqs_half"] == "128"
    assert fields["max_num_seqs_double"] == "512"
    assert fields["max_model_len"] == "131072"
    assert fields["utilization_lower"] == "0.92"
    assert "utilization_higher" not in fields  # there is nothing sensible above it
