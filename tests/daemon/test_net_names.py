# SPDX-License-Identifier: GPL-3.0-or-later
"""Two net names on one cluster, and shares that move: who may register for what, and who is told."""
import conftest
import pytest
import rawrpc as r
import swn

ONLINE = 9  # V4 and ONLINE


def moving_map(owner="n1", share="n1"):
    """FS1 has the addresses .1 and .2, FS2 .3, .4 and .5; data moves alone, home with .4 of group fs4."""
    return conftest.NODES + "".join(
        f"[address 127.0.77.{i}]\nnode = {node}\ngroup = fs{i}\n"
        for i, node in ((1, "n1"), (2, "n2"), (3, "n3"), (4, owner), (5, "n2"))) + f"""\
[share data]
group = none
node = {share}
[share home]
group = fs4
node = {owner}
"""


@pytest.fixture
def daemon(start_daemon):
    return start_daemon({
        "witness.net_name_resources": "FS1:fs1 FS1:127.0.77.2 FS2:fs3 FS2:fs4 FS2:fs5",
        "witness.planned_moves": "yes"}, cluster_map=moving_map())


@pytest.fixture
def conn(daemon):
    with daemon.ntlm(flags=3 | r.MPX) as connection:
        yield connection


def quiet(conn, *pending):
    """None of these calls has been answered; they end here."""
    for call in pending:
        conn.send(r.empty(r.CO_CANCEL, call)).expect_fault(r.CANCEL, call_id=call)


def test_an_address_is_registered_for_by_its_own_names(daemon, conn):
    def code(net_name, ip):
        return swn.handle_reply(conn.call(swn.REGISTER_EX, swn.register_ex(net_name=net_name, ip=ip)))[1]
    assert code("FS1", "127.0.77.1") == code("fs1.lab.test", "127.0.77.2") == 0
    assert code("FS2", "127.0.77.4") == 0
    assert code("FS1", "127.0.77.3") == code("FS2", "127.0.77.1") == swn.INVALID_STATE
    # The name of the whole service, which has no address left, and one that nobody knows.
    assert code("FS", "127.0.77.1") == swn.INVALID_STATE
    assert code("FS3", "127.0.77.1") == swn.INVALID_PARAMETER
    # Any address reaches a witness.
    assert len(swn.interfaces(conn.call(swn.GET_INTERFACE_LIST))) == 5


def test_status_shows_names_and_shares(daemon):
    status = daemon.json("status")["cluster"]
    names = {a["address"]: a["net_names"] for a in status["addresses"]}
    assert names["127.0.77.2"] == ["FS1"] and names["127.0.77.4"] == ["FS2"]
    shares = {s["name"]: (s["node"], s["addresses"]) for s in status["shares"]}
    assert shares == {"data": ("n1", []), "home": ("n1", ["127.0.77.4"])}


def test_a_planned_move_stays_within_the_net_name(daemon, conn):
    fs1 = daemon.register(conn, net_name="FS1", ip="127.0.77.1")
    pending = conn.start(swn.ASYNC_NOTIFY, fs1)
    daemon.ctl("static", "intent", "fs1")
    assert swn.notify(conn.finish(pending)) == (0, swn.CLIENT_MOVE, [(ONLINE, "127.0.77.2")])


def test_a_named_node_without_an_address_of_the_name_is_no_destination(daemon, conn):
    fs1 = daemon.register(conn, net_name="FS1", ip="127.0.77.1", keep_alive=2)
    pending = conn.start(swn.ASYNC_NOTIFY, fs1)
    daemon.ctl("static", "intent", "fs1", "n3")
    assert swn.notify(conn.finish(pending))[0] == swn.TIMEOUT


def test_ip_change_is_of_the_net_name(daemon, conn):
    fs1 = daemon.register(conn, net_name="FS1", ip="127.0.77.1", flags=1)
    fs2 = daemon.register(conn, net_name="FS2", ip="127.0.77.4", flags=1)
    pending, other = conn.start(swn.ASYNC_NOTIFY, fs2), conn.start(swn.ASYNC_NOTIFY, fs1)
    daemon.ctl("static", "address", "127.0.77.3", "down")
    assert swn.notify(conn.finish(pending)) == (0, swn.IP_CHANGE, [(0x11, "127.0.77.3")])
    quiet(conn, other)


def test_a_share_that_moves_alone_takes_its_clients_along(daemon, conn):
    """To the addresses of the new node, of their own net name; those without the share hear nothing."""
    fs1 = daemon.register(conn, net_name="FS1", ip="127.0.77.1", share="DATA")
    fs2 = daemon.register(conn, net_name="FS2", ip="127.0.77.4", share="data")
    other = daemon.register(conn, net_name="FS1", ip="127.0.77.1")
    waits = conn.start(swn.ASYNC_NOTIFY, other)
    first, second = conn.start(swn.ASYNC_NOTIFY, fs1), conn.start(swn.ASYNC_NOTIFY, fs2)
    daemon.write("cluster.map", moving_map(share="n2"))
    assert swn.notify(conn.finish(first)) == (0, swn.SHARE_MOVE, [(ONLINE, "127.0.77.2")])
    assert swn.notify(conn.finish(second)) == (0, swn.SHARE_MOVE, [(ONLINE, "127.0.77.5")])
    quiet(conn, waits)


def test_a_share_that_comes_back_to_its_node_has_not_moved(daemon, conn):
    fs1 = daemon.register(conn, net_name="FS1", ip="127.0.77.2", share="data", keep_alive=3)
    pending = conn.start(swn.ASYNC_NOTIFY, fs1)
    daemon.write("cluster.map", moving_map().replace("group = none\nnode = n1", "group = none"))
    conftest.wait_for(lambda: [s["node"] for s in daemon.json("status")["cluster"]["shares"]]
                      == [None, "n1"], "the share is nowhere")
    daemon.write("cluster.map", moving_map())
    assert swn.notify(conn.finish(pending))[0] == swn.TIMEOUT


def test_a_share_that_is_tied_is_where_its_address_is(daemon, conn):
    """Clients of its address are not sent away from it; those of other addresses are sent after it."""
    own = daemon.register(conn, net_name="FS2", ip="127.0.77.4")
    far = daemon.register(conn, net_name="FS2", ip="127.0.77.3", share="home")
    pending, waits = conn.start(swn.ASYNC_NOTIFY, far), conn.start(swn.ASYNC_NOTIFY, own)
    daemon.ctl("static", "intent", "fs4")
    daemon.ctl("static", "move", "fs4", "n2")
    assert swn.notify(conn.finish(waits))[1:] == (
        swn.RESOURCE_CHANGE, [(swn.UNAVAILABLE, "127.0.77.4"), (swn.AVAILABLE, "127.0.77.4")])
    assert swn.notify(conn.finish(pending)) == (0, swn.SHARE_MOVE, [(ONLINE, "127.0.77.4")])


def test_a_planned_move_of_a_share(daemon, conn):
    fs2 = daemon.register(conn, net_name="FS2", ip="127.0.77.4", share="data")
    pending = conn.start(swn.ASYNC_NOTIFY, fs2)
    daemon.ctl("static", "intent", "none", "n3")
    assert swn.notify(conn.finish(pending)) == (0, swn.SHARE_MOVE, [(ONLINE, "127.0.77.3")])

