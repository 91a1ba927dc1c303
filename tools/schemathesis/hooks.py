"""Makes what schemathesis sends mean something: well-formed requests name an account that there is."""

import hashlib
import json
import os

import schemathesis

ACCOUNT, OTHER = os.environ["ACCOUNT_ID"], os.environ["OTHER_ACCOUNT_ID"]
# The account that stands in the examples of the document.
EXAMPLE = "ac_0b5e3f1d9a7c4e2f8d6b1a3c5e7f9012"


# Runs that are priced: which fields go together follows from the rate card, and no schema says it.
METERED = [
    {"card": "aispace", "model": "venice-small", "usage": {"input_tokens": 500, "output_tokens": "120"}},
    {"card": "aispace", "model": "venice-small", "openai_usage": {"prompt_tokens": 10, "completion_tokens": 5}, "runs": 2},
    {"card": "aispace", "model": "wan-2.5-preview-text-to-video", "seconds": 5, "resolution": "1080p", "audio": True},
]


def is_well_formed(case):
    meta = case.meta
    return meta is None or meta.generation.mode.is_positive


def is_given_out(text):
    """Whether an id came out of an earlier answer, and not out of a generator."""
    return text != EXAMPLE and len(text) == 35 and text.startswith("ac_")


@schemathesis.hook
def before_call(context, case, kwargs):
    keep_the_key(case)
    if not is_well_formed(case):
        return
    body, path, query = case.body, case.path_parameters or {}, case.query or {}
    if isinstance(body, dict):
        if isinstance(body.get("account_id"), str) and not is_given_out(body["account_id"]):
            body["account_id"] = ACCOUNT
        if isinstance(body.get("metered"), dict):
            # Of the same run each time: what is sent does not depend on what was sent before.
            body["metered"] = METERED[len(body["metered"]) % len(METERED)]
    if case.operation.path.startswith("/v1/accounts/{id}/") and not is_given_out(path.get("id", "")):
        path["id"] = ACCOUNT
        keep_the_key(case)
    # An interval that ends before it begins is refused, which a schema cannot say.
    if isinstance(query.get("from"), str) and isinstance(query.get("to"), str):
        query.pop("to")


    fresh_key(case)


def fresh_key(case):
    """A key of its own for every body, but where keys are what is tried out: a conflict would hide what the call does."""
    name = getattr(getattr(case.meta, "phase", None), "name", None)
    headers = case.headers or {}
    if name is not None and name.value in ("fuzzing", "stateful") and "Idempotency-Key" in headers:
        sent = json.dumps([case.operation.label, case.path_parameters, case.body], sort_keys=True, default=str)
        headers["Idempotency-Key"] = hashlib.sha256(sent.encode("utf-8", "surrogatepass")).hexdigest()


def keep_the_key(case):
    """The calls of a person are made with the first account's key: another's is revoked."""
    if case.operation.path.endswith("/key/revoke") and (case.path_parameters or {}).get("id") == ACCOUNT:
        case.path_parameters["id"] = OTHER
