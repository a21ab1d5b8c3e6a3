"""`python -m bot`, and the console script `melodify`. It imports nothing itself: Ctrl-C is silent from here on."""

import signal


def main() -> None:
    """Run the command line."""
    # Imports take seconds, and some make another error of an interrupt. Until a command runs, Ctrl-C just ends it.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bot.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
