"""Admission, the caller: who calls, by what his entry in [callers] says he proves it with.

Proofs are a client certificate, HTTP Basic, a WS-Security UsernameToken and the source network.
What is shown has to be right: a wrong password is refused although the network would have been
enough, and two proofs that name two callers are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from gateway.admission.basic import BasicPasswords
from gateway.head import Refused
from gateway_config.callers import Caller
from gateway_config.section import address_of
from services.faults import Fault, NotAuthenticated

#: source addresses whose networks are remembered
_KEPT = 10_000
CHALLENGE = ("WWW-Authenticate", 'Basic realm="yilian", charset="UTF-8"')


class Certificate(Protocol):
    """A client certificate that TLS has checked."""

    @property
    def common_name(self) -> str: ...
    @property
    def sha256(self) -> str: ...


class Shown(NamedTuple):
    """What a call shows of who sends it. ``peer`` is an IP address; ``authorization`` the header's
    value."""

    peer: str
    certificate: Certificate | None
    authorization: bytes | None


class Callers:
    """The [callers] of a configuration. On the event loop only."""

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        self._entries = {name: _Entry(name, caller) for name, caller in callers.items()}
        self._by_sha256: dict[str, list[str]] = {}
        self._by_common_name: dict[str, list[str]] = {}
        self._by_basic: dict[str, str] = {}
        self._by_token: dict[str, str] = {}
        for name, caller in callers.items():
            if caller.certificate is not None:
                sha256, common_name = caller.certificate.sha256, caller.certificate.common_name
                if sha256 is not None:
                    self._by_sha256.setdefault(sha256, []).append(name)
                elif common_name is not None:
                    self._by_common_name.setdefault(common_name, []).append(name)
            if caller.basic is not None:
                self._by_basic[caller.basic.user] = name
            if caller.username_token is not None:
                self._by_token[caller.username_token.user] = name
        self._networks = sorted(
            ((network, name) for name, caller in callers.items() for network in caller.networks),
            key=lambda pair: -pair[0].prefixlen,
        )
        self._of_peer: dict[str, tuple[str, ...]] = {}
        self._decided: dict[Standing, str] = {}
        self.basic = BasicPasswords(
            {c.basic.user: c.basic.password_hash for c in callers.values() if c.basic is not None}
        )

    def close(self) -> None:
        self.basic.close()

    @property
    def token_wanted(self) -> bool:
        """Whether anybody may prove who he is by what stands in the message."""
        return bool(self._by_token)

    async def before_message(self, shown: Shown) -> Standing:
        """What head and connection prove. Refused where that is wrong, or where nothing that the
        message holds could make it enough."""
        user = None
        # Where nobody is known by HTTP Basic there is nothing to compare it with: old clients go on
        # sending what some former server wanted.
        if shown.authorization is not None and self._by_basic:
            user = self.basic.known(shown.authorization)
            if user is None:
                user = await self._proved(shown.authorization, shown.peer)
        standing = Standing(
            self._by_basic[user] if user is not None else None,
            self._certified(shown.certificate),
            self._near(shown.peer),
        )
        if not self.token_wanted:
            self.caller(standing, None)
        return standing

    def caller(self, standing: Standing, token_user: str | None) -> str:
        """The name of the caller's entry. ``token_user``: whom a UsernameToken has proved."""
        if token_user is None:
            name = self._decided.get(standing)
            if name is None:
                if len(self._decided) >= _KEPT:
                    self._decided.clear()
                name = self._decided[standing] = self._decide(standing, None)
            return name
        return self._decide(standing, token_user)

    async def _proved(self, authorization: bytes, peer: str) -> str:
        try:
            return await self.basic.user(authorization, peer)
        except Fault as fault:
            raise self._refused(fault) from None

    def _decide(self, standing: Standing, token_user: str | None) -> str:
        basic, certified, near = standing
        token = self._by_token[token_user] if token_user is not None else None
        named = {name for name in (basic, token) if name is not None}
        if len(named) > 1:
            raise self._two(named)
        candidates: Iterable[str]
        if named:
            candidates = named
        elif certified:
            candidates = certified
        else:
            candidates = near
        found = [
            name
            for name in candidates
            if self._entries[name].satisfied(
                certificate=name in certified,
                basic=name == basic,
                username_token=name == token,
                networks=name in near,
            )
        ]
        if named and certified and not named & set(certified):
            raise self._two(named | set(certified))
        if not found:
            raise self._unknown(candidates if named or certified else ())
        if len(found) == 1 or not (named or certified):
            return found[0]  # of networks the smallest stands first
        raise self._two(set(found))

    # --- the proofs ------------------------------------------------------------------------

    def _certified(self, certificate: Certificate | None) -> tuple[str, ...]:
        """Whom a certificate stands for; the entry that names its fingerprint before the one that
        names it by common name only."""
        if certificate is None:
            return ()
        by_sha256 = tuple(
            name
            for name in self._by_sha256.get(certificate.sha256, ())
            if self._entries[name].common_name in (None, certificate.common_name)
        )
        return by_sha256 or tuple(self._by_common_name.get(certificate.common_name, ()))

    def _near(self, peer: str) -> tuple[str, ...]:
        known = self._of_peer.get(peer)
        if known is None:
            known = tuple(
                dict.fromkeys(
                    name
                    for address in (address_of(peer),)
                    if address is not None
                    for network, name in self._networks
                    if address in network
                )
            )
            if len(self._of_peer) >= _KEPT:
                self._of_peer.clear()
            self._of_peer[peer] = known
        return known

    # --- the refusals ----------------------------------------------------------------------

    def _refused(self, fault: Fault) -> Refused:
        """With the challenge of HTTP Basic where that could help."""
        if isinstance(fault, NotAuthenticated):
            if self._by_basic:
                return Refused(401, fault, step="caller", headers=(CHALLENGE,))
            return Refused(403, fault, step="caller")
        return Refused(0, fault, step="caller")

    def refused(self, fault: Fault) -> Refused:
        """What the caller's credentials in the message are refused with."""
        return self._refused(fault)

    def _unknown(self, candidates: Iterable[str]) -> Refused:
        near = sorted(candidates)
        if near:
            name = near[0]
            wanted = self._entries[name].wanted
            fault = NotAuthenticated(
                f"调用方 {name} 须同时提供：{wanted}",
                f"the caller {name} has to give all of: {wanted}",
                rule=f"callers.{name}.require",
            )
        else:
            fault = NotAuthenticated(
                "无法确认调用方身份（证书、口令、来源网段均不符），请联系联盟网关的管理员",
                "who calls is not known here by certificate, password or source network; ask "
                "whoever runs the alliance's gateway",
                rule="callers",
            )
        return self._refused(fault)

    def _two(self, names: Iterable[str]) -> Refused:
        listed = ", ".join(sorted(names))
        return self._refused(
            NotAuthenticated(
                f"所示凭证属于不同的调用方（{listed}）",
                f"what is shown belongs to different callers ({listed})",
                rule="callers",
            )
        )


class Standing(NamedTuple):
    """What is proved before the message is read: callers' names by HTTP Basic, by certificate and
    by network, the smallest network first."""

    basic: str | None
    certified: tuple[str, ...]
    near: tuple[str, ...]


class _Entry:
    """A caller's entry, as far as deciding needs it."""

    __slots__ = ("all", "common_name", "proofs", "wanted")

    def __init__(self, name: str, caller: Caller) -> None:
        self.proofs = frozenset(caller.proofs)
        self.all = caller.require == "all"
        self.common_name = caller.certificate.common_name if caller.certificate else None
        self.wanted = ", ".join(caller.proofs)

    def satisfied(self, **given: bool) -> bool:
        proofs = self.proofs
        right = [given[proof] for proof in proofs]
        return all(right) if self.all else any(right)
