"""Somebody who can be told, and who remembers it."""

from paramedic.ports import Message, Receipt


class FakeNotifier:
    """Keeps what it was given. `receipts` are answered first, in order; then `receipt`."""

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.messages: list[Message] = []
        self.receipt = Receipt(ok=True)
        self.receipts: list[Receipt] = []

    async def deliver(self, message: Message) -> Receipt:
        self.messages.append(message)
        return self.receipts.pop(0) if self.receipts else self.receipt
