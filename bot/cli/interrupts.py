"""What Ctrl-C does to a command."""

import signal


def interruptible(*, cleanly: bool) -> None:
    """Let Ctrl-C raise KeyboardInterrupt, or just end the process. A process that ignores it goes on doing so."""
    if signal.getsignal(signal.SIGINT) in (signal.SIG_DFL, signal.default_int_handler):
        signal.signal(signal.SIGINT, signal.default_int_handler if cleanly else signal.SIG_DFL)
