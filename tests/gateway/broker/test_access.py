"""The one rule on topics, and its three forms."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.broker.access import (
    Access,
    allowed,
    render_emqx_acl,
    render_mosquitto_acl,
)

levels = st.sampled_from(
    ["siaga", "v1", "TRK-000001", "TRK-000002", "alarm", "down", "status", "+", "#", ""]
)
topics = st.lists(levels, max_size=6).map("/".join) | st.builds(
    "siaga/v1/{}/{}".format, levels, levels
)


def may(user: str, access: Access, topic: str) -> bool:
    return allowed(user, access, topic, prefix="siaga/v1", gateway_user="siaga-gateway")


@given(topics)
def test_a_device_publishes_on_three_topics_and_nowhere_else(topic: str) -> None:
    own = {f"siaga/v1/TRK-000001/{lane}" for lane in ("alarm", "track", "status")}
    assert may("TRK-000001", Access.PUBLISH, topic) is (topic in own)


@given(topics)
def test_a_device_hears_one_topic_and_nothing_else(topic: str) -> None:
    is_own = topic == "siaga/v1/TRK-000001/down"
    assert may("TRK-000001", Access.SUBSCRIBE, topic) is is_own
    assert may("TRK-000001", Access.RECEIVE, topic) is is_own


@pytest.mark.parametrize(
    ("access", "topic", "may_it"),
    [
        (Access.SUBSCRIBE, "siaga/v1/+/alarm", True),
        (Access.SUBSCRIBE, "siaga/v1/+/down", False),
        (Access.SUBSCRIBE, "siaga/v1/#", False),
        (Access.SUBSCRIBE, "#", False),
        (Access.RECEIVE, "siaga/v1/TRK-000001/track", True),
        (Access.PUBLISH, "siaga/v1/TRK-000001/down", True),
        (Access.PUBLISH, "siaga/v1/TRK-000001/alarm", False),
        (Access.PUBLISH, "siaga/v1/+/down", False),
        (Access.PUBLISH, "siaga/v1//down", False),
        (Access.PUBLISH, "other/TRK-000001/down", False),
    ],
)
def test_the_gateway_hears_what_comes_up_and_says_what_goes_down(
    access: Access, topic: str, *, may_it: bool
) -> None:
    assert may("siaga-gateway", access, topic) is may_it


def test_the_access_list_for_emqx_ends_in_a_refusal() -> None:
    lines = render_emqx_acl(prefix="city/1", gateway_user="gw").splitlines()
    assert lines[1:] == [
        (
            '{allow, {username, "gw"}, subscribe, '
            '["city/1/+/alarm", "city/1/+/track", "city/1/+/status"]}.'
        ),
        '{allow, {username, "gw"}, publish, ["city/1/+/down"]}.',
        (
            '{allow, all, publish, ["city/1/${username}/alarm", "city/1/${username}/track", '
            '"city/1/${username}/status"]}.'
        ),
        '{allow, all, subscribe, ["city/1/${username}/down"]}.',
        "{deny, all}.",
    ]


def test_both_lists_allow_the_same_topics() -> None:
    names = {"prefix": "siaga/v1", "gateway_user": "siaga-gateway"}
    mosquitto = set(re.findall(r"siaga/v1/\S+", render_mosquitto_acl(**names)))
    emqx = set(re.findall(r'"(siaga/v1/[^"]+)"', render_emqx_acl(**names)))
    assert {topic.replace("${username}", "%u") for topic in emqx} == mosquitto
