"""save_* and delete_*: what is replaced, what stays, and that it is whole or not at all."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from registry_server import PUBLISHERS, config, running, v3

from registry.client import UddiClient
from registry.errors import RegistryUnavailable, UddiError
from registry.model import (
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    Find,
    KeyedReference,
    LangText,
    TModel,
    UseText,
)
from registry.store import Store


def service(number: int, address: str = "http://x") -> BusinessService:
    return BusinessService(
        names=(LangText(f"服务{number}"),),
        bindings=(BindingTemplate(access_point=UseText(address)),),
    )


def save(registry, *services: BusinessService) -> BusinessEntity:
    business = BusinessEntity(names=(LangText("医院"),), services=services)
    return registry.client().save_businesses(registry.token(), [business])[0]


def test_keys_are_given_where_none_were_sent(registry):
    business = save(registry, service(1))
    assert business.key.startswith("uddi:")
    assert business.services[0].business_key == business.key
    assert business.services[0].bindings[0].service_key == business.services[0].key
    assert registry.client().get_business_detail([business.key]) == [business]


def test_saving_a_business_replaces_its_whole_tree(registry):
    business = save(registry, service(1), service(2))
    gone, kept = business.services
    client = registry.client()
    client.save_businesses(registry.token(), [replace(business, services=(kept, service(3)))])
    (now,) = client.get_business_detail([business.key])
    assert [s.names[0].value for s in now.services] == ["服务2", "服务3"]
    with pytest.raises(UddiError):
        client.get_service_detail([gone.key])
    with pytest.raises(UddiError):
        client.get_binding_detail([gone.bindings[0].key])
    assert client.find_service(Find(names=gone.names)) == []


def test_saving_a_service_replaces_that_service_alone_and_in_its_place(registry):
    business = save(registry, service(1), service(2))
    client = registry.client()
    first = replace(business.services[0], names=(LangText("新名"),), bindings=())
    client.save_services(registry.token(), [first])
    (now,) = client.get_business_detail([business.key])
    assert now.services == (first, business.services[1])


def test_saving_a_binding_replaces_that_binding_alone(registry):
    business = save(registry, service(1), service(2))
    binding = business.services[0].bindings[0]
    moved = replace(binding, access_point=UseText("http://moved", "endPoint"))
    client, token = registry.client(), registry.token()
    client.save_bindings(token, [moved, replace(moved, key="")])
    (now,) = client.get_business_detail([business.key])
    first, second = now.services
    assert second == business.services[1]
    assert [b.access_point.value for b in first.bindings] == ["http://moved"] * 2
    assert first.bindings[0].key == binding.key


def test_a_service_moves_to_another_business_of_its_owner(registry):
    one, two = save(registry, service(1)), save(registry)
    client = registry.client()
    moved = replace(one.services[0], business_key=two.key)
    client.save_services(registry.token(), [moved])
    one, two = client.get_business_detail([one.key, two.key])
    assert one.services == ()
    assert two.services == (moved,)


def test_a_key_is_of_one_kind_for_good(registry):
    business = save(registry)
    with pytest.raises(UddiError) as refused:
        registry.client().save_tmodels(registry.token(), [TModel(business.key, LangText("t"))])
    assert refused.value.errno == 40100


def test_what_fails_in_the_middle_leaves_nothing_behind(registry):
    good = BusinessEntity(names=(LangText("好"),))
    bad = BusinessEntity(
        names=(LangText("坏"),), identifier_bag=(KeyedReference("uddi:none:such", "x"),)
    )
    with pytest.raises(UddiError):
        registry.client().save_businesses(registry.token(), [good, bad])
    assert registry.client().find_business(Find(names=good.names)) == []


def test_created_stays_and_modified_moves(registry):
    def times(key):
        reply = registry.uddi("inquiry", v3("get_operationalInfo", f"<entityKey>{key}</entityKey>"))
        names = ("created", "modified", "modifiedIncludingChildren")
        return [reply.content[0].findtext(f"{{*}}{name}") for name in names]

    business = save(registry, service(1))
    before = times(business.key)
    registry.client().save_services(registry.token(), [business.services[0]])
    child_saved = times(business.key)
    assert child_saved[:2] == before[:2]
    assert child_saved[2] > before[2]
    registry.client().save_businesses(registry.token(), [business])
    after = times(business.key)
    assert after[0] == before[0]
    assert after[1] > before[1]


def test_deleting_takes_everything_inside(registry):
    business = save(registry, service(1), service(2))
    client, token = registry.client(), registry.token()
    client.delete_bindings(token, [business.services[0].bindings[0].key])
    client.delete_services(token, [business.services[1].key])
    (now,) = client.get_business_detail([business.key])
    assert now.services == (replace(business.services[0], bindings=()),)
    client.delete_businesses(token, [business.key])
    with pytest.raises(UddiError):
        client.get_service_detail([business.services[0].key])


def test_a_deleted_tmodel_is_hidden_and_saving_brings_it_back(registry):
    client, token = registry.client(), registry.token()
    (tmodel,) = client.save_tmodels(token, [TModel(name=LangText("契约"))])
    client.delete_tmodels(token, [tmodel.key])
    assert client.find_tmodel(Find(names=(LangText("契约"),))) == []
    assert client.get_tmodel_detail([tmodel.key]) == [replace(tmodel, deleted=True)]
    client.save_tmodels(token, [replace(tmodel, name=LangText("契约二"))])
    assert client.find_tmodel(Find(names=(LangText("契约二"),))) == [tmodel.key]
    assert client.find_tmodel(Find(names=(LangText("契约"),))) == []


def test_a_tmodel_that_others_use_can_be_saved_again(registry):
    client, token = registry.client(), registry.token()
    (tmodel,) = client.save_tmodels(token, [TModel(name=LangText("区域"))])
    user = BusinessEntity(
        names=(LangText("医院"),), identifier_bag=(KeyedReference(tmodel.key, "1"),)
    )
    (saved,) = client.save_businesses(token, [user])
    client.save_tmodels(token, [replace(tmodel, name=LangText("地区"))])
    assert client.get_business_detail([saved.key]) == [saved]


@pytest.mark.parametrize(
    ("selection", "shown"), [("all", {"a", "b"}), ("visible", {"a"}), ("hidden", {"b"})]
)
def test_registered_info_is_the_publishers_own(registry, selection, shown):
    client, token = registry.client(), registry.token()
    save(registry)
    _, hidden = client.save_tmodels(token, [TModel(name=LangText(name)) for name in "ab"])
    client.delete_tmodels(token, [hidden.key])
    client.save_tmodels(registry.token("sq"), [TModel(name=LangText("c"))])
    content = f"<authInfo>{token}</authInfo>"
    attributes = f'infoSelection="{selection}"'
    reply = registry.uddi("publish", v3("get_registeredInfo", content, attributes))
    names = reply.content.findall("{*}tModelInfos/{*}tModelInfo/{*}name")
    assert {name.text for name in names} == shown
    businesses = reply.content.findall("{*}businessInfos/{*}businessInfo")
    assert len(businesses) == (0 if selection == "hidden" else 1)


def test_many_publishers_at_once_lose_nothing(registry):
    failures = []

    def publish(user: str) -> None:
        client, token = registry.client(), registry.token(user)
        try:
            for number in range(5):
                business = BusinessEntity(names=(LangText(f"{user}{number}"),))
                client.save_businesses(token, [replace(business, services=(service(1),))])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=publish, args=(u,)) for u in ("hx", "sq", "admin") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    find = Find(qualifiers=("approximateMatch",), names=(LangText("%"),))
    assert len(registry.client().find_business(find)) == 30


KILLED = """
import sys, uvicorn
from registry.app import create_app
from registry.config import RegistryConfig
config = RegistryConfig.model_validate_json(sys.stdin.readline())
server = uvicorn.Server(uvicorn.Config(create_app(config), host="127.0.0.1", port=0))
startup = server.startup
async def announce(*args, **kwargs):
    await startup(*args, **kwargs)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
server.startup = announce
server.run()
"""


def test_kill_in_the_middle_of_a_save_leaves_whole_entities_only(tmp_path):
    settings = config(tmp_path, publishers=PUBLISHERS)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    acknowledged: list[str] = []
    enough = threading.Event()
    try:
        process.stdin.write(settings.model_dump_json(by_alias=True) + "\n")
        process.stdin.flush()
        port = process.stdout.readline().strip()
        client = UddiClient(f"http://127.0.0.1:{port}", timeout=20)
        token = client.get_auth_token("admin", "admin-secret")

        def publish(thread: int) -> None:
            number = 0
            while True:
                name = f"医院{thread}-{number}"
                tree = BusinessEntity(
                    names=(LangText(name),), services=tuple(service(n) for n in range(40))
                )
                try:
                    client.save_businesses(token, [tree])
                except RegistryUnavailable:
                    return
                acknowledged.append(name)
                number += 1
                if len(acknowledged) >= 6:
                    enough.set()

        threads = [threading.Thread(target=publish, args=(n,)) for n in range(2)]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join(60)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    with running(settings) as registry:
        find = Find(qualifiers=("approximateMatch",), names=(LangText("医院%"),))
        keys = registry.client().find_business(find)
        there = registry.client().get_business_detail(keys)
    # The log has every entity that is there, and no number that is missing.
    store = Store(settings.store.url)
    log = store.changes(0, 1_000_000)
    store.close()
    assert [change.index for change in log] == list(range(1, len(log) + 1))
    assert {c.key for c in log if c.kind == "business"} == {b.key for b in there}
    assert len(log) == len(there) * 81
    assert {b.names[0].value for b in there} >= set(acknowledged)
    assert all(len(business.services) == 40 for business in there)
    assert all(len(s.bindings) == 1 for business in there for s in business.services)
