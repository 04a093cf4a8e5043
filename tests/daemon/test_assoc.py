# SPDX-License-Identifier: GPL-3.0-or-later
"""Association groups: handles belong to the group and to who made them."""
import pytest
import rawrpc as r
import swn

pytestmark = pytest.mark.usefixtures("bystander")


def test_handle_works_on_a_second_connection_of_the_group(daemon):
    with daemon.ntlm() as first:
        handle = daemon.register(first)
        pending = first.start(swn.ASYNC_NOTIFY, handle)
        with daemon.ntlm(assoc=first.ack.assoc) as second:
            assert second.ack.assoc == first.ack.assoc
            assert swn.werror(second.call(swn.UNREGISTER, handle)) == 0
        assert swn.notify(first.finish(pending))[0] == swn.NOT_FOUND


def test_handle_outlives_the_connection_that_made_it_but_not_the_group(daemon):
    with daemon.ntlm() as first:
        handle = daemon.register(first)
        second = daemon.ntlm(assoc=first.ack.assoc)
        second.call(swn.GET_INTERFACE_LIST)
    with second:
        assert swn.werror(second.call(swn.UNREGISTER, handle)) == 0
    with daemon.ntlm() as first:
        handle, group = daemon.register(first), first.ack.assoc
    with daemon.ntlm() as other:
        other.call(swn.GET_INTERFACE_LIST)
        assert swn.werror(other.call(swn.UNREGISTER, handle)) == swn.INVALID_PARAMETER
    with daemon.raw() as conn:
        conn.send(r.bind(r.context(0, r.MGMT), assoc=group)).expect_nak(0)


@pytest.mark.parametrize("who", ["other-group", "other-user"])
def test_handle_of_somebody_else_is_unknown(daemon, who):
    with daemon.ntlm() as owner:
        handle = daemon.register(owner)
        kw = {"other-group": {}, "other-user": {"assoc": owner.ack.assoc, "user": daemon.other_user,
                                                "password": daemon.other_password}}[who]
        with daemon.ntlm(**kw) as thief:
            assert swn.notify(thief.call(swn.ASYNC_NOTIFY, handle))[0] == swn.NOT_FOUND
            assert swn.werror(thief.call(swn.UNREGISTER, handle)) == swn.INVALID_PARAMETER
            back, code = swn.handle_reply(thief.call(swn.UNREGISTER_EX, handle))
            assert (back, code) == (handle, swn.INVALID_PARAMETER)
        assert swn.werror(owner.call(swn.UNREGISTER, handle)) == 0


def test_handle_made_sealed_is_not_served_signed(daemon):
    with daemon.ntlm(level=6) as sealed:
        handle = daemon.register(sealed)
        with daemon.ntlm(level=5, assoc=sealed.ack.assoc) as signed:
            assert swn.werror(signed.call(swn.UNREGISTER, handle)) == swn.INVALID_PARAMETER
        assert swn.werror(sealed.call(swn.UNREGISTER, handle)) == 0


def test_group_of_another_client_address_is_not_joined(daemon):
    with daemon.ntlm() as first, r.Conn(daemon.addr, daemon.port, source="127.0.77.9") as conn:
        conn.send(r.bind(r.context(0, r.MGMT), assoc=first.ack.assoc)).expect_nak(0)
