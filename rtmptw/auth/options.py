# -*- test-case-name: tests.auth.test_options -*-
"""
Who may publish and play, at the command line of C{twistd rtmp}: from options to an application.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

from twisted.cred.checkers import ICredentialsChecker, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.strcred import AuthOptionMixin, InvalidAuthType, makeChecker
from twisted.internet.interfaces import IReactorTime
from twisted.python.usage import Options, UsageError

from rtmptw.auth.addresses import AddressList, AddressRange, readRange
from rtmptw.auth.authoriser import Authoriser
from rtmptw.auth.cred import CredentialsRule
from rtmptw.auth.keyfile import KeyFile, readKeys
from rtmptw.auth.publishers import AuthenticatedRule, PublisherAuthentication
from rtmptw.auth.rule import ACTIONS, PLAY, PUBLISH, Rule
from rtmptw.auth.signedurl import SecretFile, SignedURLs, readSecrets
from rtmptw.auth.streamkeys import KeyIsNoName, StreamKeys
from rtmptw.auth.textfile import TextFileError
from rtmptw.auth.userfile import UserFile, readUsers
from rtmptw.interfaces import IApplication
from rtmptw.limits import Limits, Reached

__all__ = ["AccessOptions", "hidesNames", "makeApplication"]

#: The options that name a file, and what reads it.
_FILES: dict[str, Callable[[str], object]] = {
    "publish-user": readUsers,
    "publish-keys": readKeys,
    "play-keys": readKeys,
    "publish-signed": readSecrets,
    "play-signed": readSecrets,
}


class AccessOptions(AuthOptionMixin, Options):
    """The options. They are a part of L{rtmptw.tap.Options}."""

    optParameters: ClassVar[list[list[Any]]] = [
        ["publish-user", None, None, "Let only the users of this file publish: user:password, a line for each."],
        ["publish-keys", None, None, "Let only those publish who have a stream key of this file; see rtmptw key."],
        ["play-keys", None, None, "Let only those play who have a stream key of this file; see rtmptw key."],
        [
            "publish-signed",
            None,
            None,
            "Let only those publish whose URL a secret of this file signed; see rtmptw sign.",
        ],
        ["play-signed", None, None, "Let only those play whose URL a secret of this file signed; see rtmptw sign."],
    ]

    supportedInterfaces = (IUsernamePassword,)

    def __init__(self) -> None:
        super().__init__()
        self.update(ranges=[], auth=[])

    # One line, because the help shows line breaks as they are here.
    def opt_allow(self, range: str) -> None:
        """[publish:|play:]NETWORK: who may, as publish:10.0.0.0/8 or all; what fits first, counts; repeatable."""
        self["ranges"].append(_readRange("allow", range, True))

    def opt_deny(self, range: str) -> None:
        """[publish:|play:]NETWORK: who may not, as play:192.0.2.7 or all; what fits first, counts; repeatable."""
        self["ranges"].append(_readRange("deny", range, False))

    def opt_auth(self, description: str) -> None:
        """[publish:|play:]CHECKER: whose users may, as publish:file:/etc/users; one of several will do; repeatable."""
        head, colon, rest = description.partition(":")
        scoped = bool(colon) and head in ACTIONS
        actions, checker = ((head,), rest) if scoped else (ACTIONS, description)
        self["auth"].append((actions, self._makeChecker(checker)))

    def _makeChecker(self, description: str) -> ICredentialsChecker:
        """
        @raise UsageError: which shows no more than the kind of the checker: what follows it may be a password.
        """
        kind, colon, argument = description.partition(":")
        # What has no colon may be a password as well.
        shown = f"--auth {kind}:..." if colon else "--auth"
        if kind == "file":
            # The checker itself would go on without it; and twistd may change its working directory.
            if not os.path.isfile(argument):
                raise UsageError(f"--auth file:{argument}: there is no such file")
            description = f"file:{os.path.abspath(argument)}"
        try:
            checker: ICredentialsChecker = makeChecker(description)
        except InvalidAuthType:
            raise UsageError(f"{shown}: there is no such kind of checker; --help-auth lists them") from None
        except Exception:
            # Every kind has its own way to complain, and may repeat what it was given.
            raise UsageError(f"{shown}: that is not what it needs; --help-auth-type tells what is") from None
        if isinstance(checker, InMemoryUsernamePasswordDatabaseDontUse):
            if not checker.users:
                raise UsageError(f"--auth {kind}: it needs users, as memory:NAME:PASSWORD; as it is, nobody gets in")
            # The plugin fills it with text, and what is asked for is bytes.
            checker.users = {_bytes(user): _bytes(password) for user, password in checker.users.items()}
        if IUsernamePassword not in checker.credentialInterfaces:
            raise UsageError(f"{shown}: it takes no user and password; --help-auth lists those that do")
        return checker

    def postOptions(self) -> None:
        """
        Check what can be checked before anything starts.

        @raise UsageError: which names the option, the file and the line.
        """
        for option, read in _FILES.items():
            path = self[option]
            if path is not None:
                try:
                    read(path)
                except TextFileError as error:
                    raise UsageError(f"--{option} {error}") from None
                # twistd may change its working directory.
                self[option] = os.path.abspath(path)


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def _readRange(option: str, text: str, allows: bool) -> AddressRange:
    try:
        return readRange(text, allows)
    except ValueError as error:
        raise UsageError(f"--{option} {error}") from None


def hidesNames(options: AccessOptions) -> bool:
    """
    Whether what clients call a stream may hold a secret, so that it must not be in the log: a key, or, since clients
    cut a URL where they like, a part of a password.
    """
    return options["publish-keys"] is not None or options["play-keys"] is not None or bool(options["auth"])


def makeApplication(
    options: AccessOptions, clock: IReactorTime, limits: Limits | None = None, reached: Reached | None = None
) -> IApplication | None:
    """
    The application that the options ask for.

    @param limits: how often somebody may be wrong, and how many challenges wait.
    @param reached: counts how often that was too much.
    @return: L{None} if everybody may do everything.
    """
    application = None
    if options["publish-user"] is not None:
        application = PublisherAuthentication(
            UserFile(options["publish-user"]).password, clock, limits=limits, reached=reached
        )
    keyFile = cache(KeyFile)
    publish, play = _rules(options, PUBLISH, keyFile), _rules(options, PLAY, keyFile)
    if not (options["ranges"] or publish or play):
        return application
    if application is not None:
        publish.insert(0, AuthenticatedRule())
    addresses = AddressList(tuple(options["ranges"]))
    return Authoriser(clock, addresses, publish, play, application, limits=limits, reached=reached)


def _rules(options: AccessOptions, action: str, keyFile: Callable[[str], KeyFile]) -> list[Rule]:
    """User, key, signature: in this order."""
    rules: list[Rule] = []
    checkers = [checker for actions, checker in options["auth"] if action in actions]
    if checkers:
        rules.append(CredentialsRule(checkers))
    keys, secrets = options[f"{action}-keys"], options[f"{action}-signed"]
    if keys is not None:
        rules.append(StreamKeys(keyFile(keys)))
    elif action == PLAY and options["publish-keys"] is not None:
        rules.append(KeyIsNoName(keyFile(options["publish-keys"])))
    if secrets is not None:
        rules.append(SignedURLs(SecretFile(secrets)))
    return rules
