"""The signals that end a command."""

import signal


def endings() -> tuple[signal.Signals, ...]:
    """Return SIGTERM, and SIGHUP, which a closed terminal sends, where it is not ignored."""
    ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return (signal.SIGTERM,) if ignored else (signal.SIGTERM, signal.SIGHUP)


def interruptible(*, cleanly: bool) -> None:
    """Let Ctrl-C raise KeyboardInterrupt, or just end the process. A process that ignores it goes on doing so."""
    if signal.getsignal(signal.SIGINT) in (signal.SIG_DFL, signal.default_int_handler):
        signal.signal(signal.SIGINT, signal.default_int_handler if cleanly else signal.SIG_DFL)
