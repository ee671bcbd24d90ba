"""What answered, in the words of liveness and of people: an engine, nobody, or something else at its address."""

from paramedic.model.text import NO_WORDS, Text, as_written
from paramedic.ports import Reply
from paramedic.signals.exposition import Exposition
from paramedic.signals.liveness import Answer, Figures

_ERRORS = {
    "refused": Text("nobody listens at its address", "其地址无人监听"),
    "reset": Text(
        "the connection is closed before the answer is whole: does its address want https, or is it another service's?",
        "应答未完连接就被关闭：该地址是否应使用 https，或属于别的服务？",
    ),
    "the answer is no HTTP": Text(
        "its answer is not HTTP: does its address want https, or is it another service's?",
        "应答不是 HTTP：该地址是否应使用 https，或属于别的服务？",
    ),
    "TLS failed": Text(
        "it does not speak TLS, or its certificate is not trusted: does its address begin with http?",
        "TLS 握手失败或证书不受信任：地址是否应以 http 开头？",
    ),
    "unreachable": Text("its host cannot be reached", "主机不可达"),
    "the host name is unknown": Text("its host name is unknown", "主机名无法解析"),
    "the URL is not valid": Text("its URL is not valid", "URL 无效"),
}
_TOO_LARGE = "answer of more than "
_KEY = (401, 403)
_ELSEWHERE = range(300, 400)


def answer_of(reply: Reply, *, dead_on_503: bool = False) -> Answer:
    """A reply in the words of liveness."""
    if reply.ok:
        return Answer.ODD if _is_a_page(reply) else Answer.OK
    if reply.status == 503 and dead_on_503:
        return Answer.DEAD
    if reply.error in ("refused", "reset"):
        return Answer.REFUSED
    return Answer.TIMEOUT if reply.error == "timeout" else Answer.ODD


def what_answered(reply: Reply, path: str) -> Text:
    """What is wrong with an answer from `path`, as a clause; NO_WORDS where nothing is."""
    if reply.error == "timeout":
        return Text(f"{path} answers nothing", f"{path} 无应答")
    if reply.error.startswith(_TOO_LARGE):
        size = reply.error.removeprefix(_TOO_LARGE)
        return Text(f"{path} gives more than {size}, and no more is read", f"{path} 的应答超过 {size}，不再读取")
    if reply.error:
        return _ERRORS.get(reply.error, as_written(f"{path}: {reply.error}"))
    if _is_a_page(reply):
        return Text(
            f"{path} gives a web page: is it a vLLM's address, or a login page's?",
            f"{path} 返回的是网页：这是 vLLM 的地址，还是登录页？",
        )
    status = reply.status or 0
    if status in _KEY:
        return Text(
            f"{path} asks for a key (HTTP {status}): give the right api_key in the configuration",
            f"{path} 需要密钥（HTTP {status}）：请在配置中给出正确的 api_key",
        )
    if status in _ELSEWHERE:
        return Text(
            f"{path} sends us elsewhere (HTTP {status}): is it a vLLM's address, or a login page's?",
            f"{path} 重定向到别处（HTTP {status}）：这是 vLLM 的地址，还是登录页？",
        )
    if status == 404:
        return Text(
            f"there is no {path} (HTTP 404): is it a vLLM's address?", f"没有 {path}（HTTP 404）：这是 vLLM 的地址吗？"
        )
    return NO_WORDS if reply.ok else Text(f"{path} answers HTTP {status}", f"{path} 返回 HTTP {status}")


def why_no_figures(reply: Reply, figures: Figures | None) -> Text:
    """Why an engine that answers shows no figures, as a clause; NO_WORDS where it shows them or was not asked."""
    if figures is not None or reply.error == "not asked":
        return NO_WORDS
    if reply.ok and not _is_a_page(reply):
        return Text("/metrics holds no figures of a vLLM", "/metrics 中没有 vLLM 的指标")
    if reply.error == "reset":
        return Text("the answer of /metrics is cut off", "/metrics 的应答被截断")
    return what_answered(reply, "/metrics")


def left_out(page: Exposition) -> str:
    """What of a scrape could not be used."""
    parts = []
    if page.bad_lines:
        parts.append("some lines of /metrics cannot be read or are there twice; the others are used")
    if page.over_limit:
        parts.append("/metrics holds more series than are kept; the rest is left out")
    return "; ".join(parts)


def _is_a_page(reply: Reply) -> bool:
    """HTML: neither the health nor the metrics of a vLLM begin so."""
    return reply.ok and reply.body[:256].lstrip()[:1] == b"<"
