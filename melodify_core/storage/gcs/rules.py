"""The lifecycle rules that delete pictures and takes after some days, among other people's rules of the same bucket."""

from typing import Any

from google.cloud import storage

from melodify_core.config.settings import Gcs
from melodify_core.storage.gcs.calls import Deadline
from melodify_core.storage.layout import PICTURES, TAKES

Rule = dict[str, Any]


def wanted(settings: Gcs) -> dict[str, int]:
    """Return the days after which an object is deleted, by the prefix of its name."""
    return {f"{settings.prefix}{PICTURES}/": settings.picture_days, f"{settings.prefix}{TAKES}/": settings.take_days}


def missing(rules: list[Rule], days: dict[str, int]) -> list[str]:
    """Return the prefixes whose rule is not there as wanted."""
    return [prefix for prefix, age in days.items() if [age] != _ages(rules, prefix)]


def fixed(rules: list[Rule], days: dict[str, int]) -> list[Rule]:
    """Return the rules with ours as wanted; the others stay as they are, kinds that we do not know included."""
    others = [rule for rule in rules if not any(_is_ours(rule, prefix) for prefix in days)]
    ours = [
        {"action": {"type": "Delete"}, "condition": {"age": age, "matchesPrefix": [prefix]}}
        for prefix, age in days.items()
    ]
    return others + ours


def changes(rules: list[Rule], settings: Gcs) -> list[str]:
    """Return one sentence for each change that `fixed` makes."""
    days = wanted(settings)
    return [
        f"Objects under gs://{settings.bucket}/{prefix} are now deleted after {days[prefix]} days; "
        f"before: {_said(_ages(rules, prefix))}."
        for prefix in missing(rules, days)
    ]


def fetch(bucket: storage.Bucket, deadline: Deadline) -> list[Rule]:
    """Read the bucket's rules."""
    bucket.reload(**deadline.once)
    # The SDK's own reader, `lifecycle_rules`, drops kinds of rules that it does not know.
    rules: list[Rule] = bucket._properties.get("lifecycle", {}).get("rule", [])  # noqa: SLF001
    return rules


def store(bucket: storage.Bucket, rules: list[Rule], deadline: Deadline) -> None:
    """Write the rules. Raises PreconditionFailed when the bucket has changed since `fetch`."""
    bucket.lifecycle_rules = rules
    bucket.patch(if_metageneration_match=bucket.metageneration, **deadline.once)


def _is_ours(rule: Rule, prefix: str) -> bool:
    condition = rule.get("condition", {})
    return (
        rule.get("action") == {"type": "Delete"}
        and set(condition) == {"age", "matchesPrefix"}
        and condition["matchesPrefix"] == [prefix]
    )


def _ages(rules: list[Rule], prefix: str) -> list[int]:
    return [int(rule["condition"]["age"]) for rule in rules if _is_ours(rule, prefix)]


def _said(ages: list[int]) -> str:
    return " and ".join(f"after {age} days" for age in ages) or "never"
