"""What leaves the machine holds no key, password, prompt or answer, and still all that a diagnosis needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paramedic.diagnosis.masking import LONGEST, Mask, known_secrets, masked_arguments, masked_environment

PLANTED = "Zx81-planted-value"


@pytest.mark.parametrize(
    "line",
    [
        f"INFO: 10.0.0.1:1 - \"GET /v1/models?api_key={PLANTED}&x=1 HTTP/1.1\" 200 OK",
        f"Authorization: Bearer {PLANTED}",
        f"headers: {{'authorization': 'Bearer {PLANTED}', 'cookie': 'a={PLANTED}'}}",
        f"X-Api-Key: {PLANTED}",
        "api-key: 123456789",
        f"proxy http://user:{PLANTED}@proxy:3128 is used",
        f"cloning https://{PLANTED}@github.com/x/y",
        f"AWS_SECRET_ACCESS_KEY={PLANTED} AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
        f"non-default args: {{'api_key': ['{PLANTED}', 'second-{PLANTED}'], 'port': 8000}}",
        f"Namespace(api_key='{PLANTED}', hf_token='{PLANTED}', port=8000)",
        f"environment: HF_TOKEN={PLANTED} WANDB_API_KEY={PLANTED}",
        f"Received request cmpl-1: prompt: 'my {PLANTED}', params: SamplingParams(n=1), prompt_token_ids: [1, 2]",
        f"Received request cmpl-1: prompt: \"it's {PLANTED}\", params: SamplingParams(n=1)",
        f"Received request cmpl-1: prompt: '{PLANTED} that was cut in the mid",
        f"Generated response c-1: output: 'an answer: {PLANTED}', output_token_ids: [4, 5], finish_reason: stop",
        f"Input: {{'messages': [{{'role': 'user', 'content': 'a [bracket {PLANTED}'}}], 'model': 'x'}}",
        f'{{"model": "x", "messages": [{{"role": "user", "content": "{PLANTED}"}}], "stream": true}}',
        f'{{"prompt": "{PLANTED} \\"quoted\\" {PLANTED}", "max_tokens": 5}}',
        f"Receive: obj=GenerateReqInput(text='{PLANTED}', input_ids=[1, 2], sampling_params={{}})",
        f"'input': {{'messages': [{{'content': '{PLANTED}'}}]}}",
        f"tool call arguments: '{{\"city\": \"{PLANTED}\"}}'",
        f"image data:image/png;base64,{PLANTED.replace('-', '')}AAAA==",
    ],
)  # fmt: skip
def test_nothing_secret_is_left(line: str) -> None:
    masked = Mask().line(line)
    assert PLANTED not in masked
    assert PLANTED.replace("-", "") not in masked
    assert "123456789" not in masked
    assert "AKIAIOSFODNN7EXAMPLE" not in masked
    assert "***" in masked


@pytest.mark.parametrize(
    "line",
    [
        "Engine 000: Avg prompt throughput: 10.0 tokens/s, Avg generation throughput: 3.1 tokens/s, Waiting: 0 reqs",
        "Running: 1 reqs, GPU KV cache usage: 3.5%, Prefix cache hit rate: 0.0%",
        "non-default args: {'model': '/models/qwen3-8b', 'max_num_batched_tokens': 256, 'chat_template': None}",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 128.00 MiB. GPU 0 has a total capacity",
        "NewRequestData(req_id=cmpl-8,prompt_token_ids_len=6000,prefill_token_ids_len=6000,mm_features=[],n=1)",
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens in the messages.",
        "ValueError: Tokenizer class Qwen2Tokenizer does not exist or is not currently imported.",
        '{"Status":"unhealthy","Log":[{"ExitCode":-1,"Output":"Health check exceeded timeout (3s)"}]}',
        '{"text": "11-24 | ERROR | EngineCore failed to start", "record": {"message": "EngineCore failed to start"}}',
        'INFO: 10.0.0.1:52300 - "POST /v1/chat/completions HTTP/1.1" 200 OK',
    ],
)
def test_what_a_diagnosis_reads_is_left_as_it_is(line: str) -> None:
    assert Mask().line(line) == line


def test_what_the_process_knows_is_looked_for_everywhere() -> None:
    """A key that its program prints in a way nobody has thought of."""
    secrets = known_secrets(
        ("vllm", "serve", "m", "--api-key", "first-key", "second-key", "--port", "8000", "--hf-token=third-key"),
        {"HF_TOKEN": "fourth-key", "HOME": "/root", "VLLM_API_KEY": "true", "TOKENIZERS_PARALLELISM": "false-key"},
    )
    assert secrets == {"first-key", "second-key", "third-key", "fourth-key"}
    assert Mask(secrets).line("it says (fourth-key) and <second-key>") == "it says (***) and <***>"


def test_arguments() -> None:
    argv = [
        "vllm",
        "serve",
        "m",
        "--api-key",
        "a",
        "b",
        "--port",
        "80",
        "--hf-token=c",
        "--max-num-batched-tokens",
        "9",
    ]
    argv += ["--tokenizer", "t", "--ssl-keyfile", "/k", "--otlp-traces-endpoint", "http://u:pw@h"]
    masked = masked_arguments(argv)
    assert masked[:9] == ["vllm", "serve", "m", "--api-key", "***", "***", "--port", "80", "--hf-token=***"]
    assert masked[9:] == [
        *("--max-num-batched-tokens", "9", "--tokenizer", "t", "--ssl-keyfile", "/k"),
        *("--otlp-traces-endpoint", "http://***@h"),
    ]


def test_environment_is_a_list_of_what_matters() -> None:
    masked = masked_environment(
        {
            "CUDA_VISIBLE_DEVICES": "0,1",
            "VLLM_API_KEY": "planted-1",
            "NCCL_SOCKET_IFNAME": "eth0",
            "DATABASE_URL": "postgres://u:p@h",
            "https_proxy": "http://u:planted-2@proxy:1",
            "HF_HOME": "/cache/planted-1",
            "MY_APP": "x",
        }
    )
    assert masked == {
        "CUDA_VISIBLE_DEVICES": "0,1",
        "HF_HOME": "/cache/***",
        "NCCL_SOCKET_IFNAME": "eth0",
        "VLLM_API_KEY": "***",
        "https_proxy": "http://***@proxy:1",
    }


def test_a_line_without_end_is_cut() -> None:
    assert len(Mask().line("x" * 10 * LONGEST)) == LONGEST + 2
    assert len(Mask().line("prompt: '" + "x" * 10 * LONGEST)) < LONGEST


@given(st.text(max_size=400))
def test_any_text_can_be_masked(text: str) -> None:
    Mask().line(f"prompt: {text} api_key={text} messages: [{text}")


@given(st.text(alphabet="ab'\"\\[]{}: ,\n", max_size=60))
def test_a_prompt_that_is_written_as_python_writes_it_never_comes_through(text: str) -> None:
    prompt = f"{text}QQQ{text}"
    assert "QQQ" not in Mask().line(f"Received request c: prompt: {prompt!r}, params: SamplingParams(n=1)")
    assert "QQQ" not in Mask().line(f"obj: messages=[{{'content': {prompt!r}}}] end")
