"""Who may ask the explorer for anything, judged from what a request says."""

import re

import pytest

from simtrial.explorer import refusals
from simtrial.explorer.gate import Gate, Welcome

HERE = {"Host": "localhost:8866"}
TYPED = {**HERE, "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
OURS = {**HERE, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
LINK = {**HERE, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture(params=[True, False], ids=["token", "no-token"])
def gate(request):
    return Gate(port=8866) if request.param else Gate(port=8866, token=None)


@pytest.fixture
def closed():
    return Gate(port=8866)


def status(said):
    return getattr(said, "status", said)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "attacker.example:8866"},
        {"Host": "localhost"},
        {"Host": "localhost:8867"},
        {"Host": "localhost:8866.attacker.example"},
        {"Host": "localhost.attacker.example:8866"},
        {"Host": "localhost:8866,attacker.example"},
        {"Host": "0.0.0.0:8866"},
        {},
        {**HERE, "Origin": "http://attacker.example"},
        {**HERE, "Origin": "http://localhost:8867"},
        {**HERE, "Origin": "https://localhost:8866"},
        {**HERE, "Origin": "http://127.0.0.1:8866"},
        {**HERE, "Origin": "null"},
        {**OURS, "Sec-Fetch-Site": "cross-site"},
        {**OURS, "Sec-Fetch-Site": "same-site"},
        {**OURS, "Sec-Fetch-Site": "same-origin, cross-site"},
        {**OURS, "Sec-Fetch-Site": "surprise"},
        {**OURS, "Sec-Fetch-Site": "none"},
        {**TYPED, "Sec-Fetch-Dest": "iframe"},
        {**TYPED, "Sec-Fetch-Mode": "no-cors"},
        {**HERE, "Sec-Fetch-Site": "cross-site"},
        LINK,
        {**LINK, "Sec-Fetch-Site": "same-site"},
        {**LINK, "Sec-Fetch-Dest": "iframe"},
        {**LINK, "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"},
        {**LINK, "Sec-Fetch-Dest": "websocket", "Sec-Fetch-Mode": "websocket"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/kernels/a-b-c-d-e", "/voila/static/voila.js"])
def test_what_comes_from_elsewhere_is_refused_with_and_without_token_and_cookie(gate, headers, path):
    assert status(gate.check(path, headers)) == 403
    assert status(gate.check(path, headers, cookie=gate.cookie)) == 403
    assert status(gate.check(path, headers, given=gate.token)) == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_our_own_names_are_served(closed, name):
    headers = {**OURS, "Host": f"{name}:8866", "Origin": f"http://{name}:8866"}
    assert closed.check("/voila/static/voila.js", headers, cookie=closed.cookie) is None


@pytest.mark.parametrize("headers", [TYPED, OURS, HERE])
@pytest.mark.parametrize("path", ["/", "/api/kernels/a-b-c-d-e", "/voila/static/voila.js", "/nowhere"])
def test_nothing_is_served_without_the_token(closed, headers, path):
    assert closed.check(path, headers) is refusals.WITHOUT_TOKEN
    for wrong in ("", closed.token[:-1], closed.token + "a", "\udcff", "é", closed.cookie):
        assert closed.check(path, headers, given=wrong) is refusals.WITHOUT_TOKEN
    for wrong in ("", closed.cookie[:-1], closed.token):
        assert closed.check(path, headers, cookie=wrong) is refusals.WITHOUT_TOKEN
    assert closed.check(path, {**headers, "Authorization": f"Basic {closed.token}"}) is refusals.WITHOUT_TOKEN


@pytest.mark.parametrize("headers", [TYPED, OURS, HERE])
def test_without_a_token_to_ask_for_visits_are_served(headers):
    assert Gate(port=8866, token=None).check("/", headers) is None


def test_a_browser_gets_a_cookie_for_the_token_and_needs_no_other(closed):
    assert closed.check("/", TYPED, given=closed.token) == Welcome()
    assert closed.check("/", TYPED, cookie=closed.cookie) is None
    assert closed.check("/", OURS, cookie=closed.cookie) is None


@pytest.mark.parametrize("word", ["token", "Bearer"])
def test_a_program_gives_the_token_in_the_address_or_in_a_header(closed, word):
    assert closed.check("/", HERE, given=closed.token) is None
    assert closed.check("/api/kernels/a-b-c-d-e", {**HERE, "Authorization": f"{word} {closed.token}"}) is None


def test_a_link_elsewhere_with_the_token_leads_to_a_button(closed):
    asked = closed.check("/", LINK, given=closed.token)
    assert asked.status == 403
    assert asked.link == f"/?token={closed.token}"
    assert closed.check("/", LINK, given=closed.token, cookie=closed.cookie) == asked
    for other in ({"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "no-cors"}, {"Origin": "null"}):
        assert closed.check("/", {**LINK, **other}, given=closed.token) is refusals.ELSEWHERE


def test_the_browser_that_is_opened_enters_once(closed):
    given = closed.ticket_address().partition("=")[2]
    assert given != closed.token
    assert closed.check("/", TYPED, given=given) == Welcome()
    closed.spend(given)
    assert closed.check("/", TYPED, given=given) is refusals.WITHOUT_TOKEN


def test_each_start_has_other_secrets():
    one, other = Gate(port=8866), Gate(port=8866)
    assert len({one.token, one.cookie, other.token, other.cookie}) == 4
    assert re.fullmatch(r"http://localhost:8866/\?token=[\w-]{43}", one.address)
    assert Gate(port=8866, token=None).address == "http://localhost:8866/"


@pytest.mark.parametrize(
    "refusal",
    [
        refusals.WITHOUT_TOKEN,
        refusals.ELSEWHERE,
        refusals.EARLY,
        refusals.FAILED,
        refusals.host(8866),
        refusals.followed("a"),
        refusals.full(1, 60),
        *map(refusals.of, (400, 403, 404, 405, 413, 500)),
    ],
)
def test_a_page_of_refusal_asks_for_nothing_and_runs_nothing(refusal):
    page = refusal.page()
    assert "<script" not in page
    assert re.findall(r"(?:src|href)=\"(?!data:,|/)", page) == []
    assert refusal.heading in page
    assert 400 <= refusal.status <= 503
