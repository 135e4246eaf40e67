"""Passwords: how they are kept (Argon2id), how many are checked at once, and which are refused."""
import string
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from workflow.vocabulary import N_, Message

# OWASP's Password Storage Cheat Sheet: m=46 MiB, t=1, p=1.
MEMORY_KIB, PASSES, LANES, AT_ONCE = 47_104, 1, 1, 4
SHORTEST, LONGEST = 10, 128  # characters, after NFKC
KINDS_WANTED = 3  # of: lower case, upper case, digits, anything else (GB/T 22239-2019, 8.1.4.1 a)
COMMON = ("password", "passw0rd", "qwerty", "1234567890", "0123456789", "abcdefg", "11111111", "00000000",
          "88888888", "66666666", "letmein", "iloveyou", "admin123", "woaini", "1qaz2wsx", "zaq12wsx")


class Passwords:
    """Hashes and checks. At most `at_once` run together: each needs 46 MiB, and a storm of sign-ins would
    otherwise take the machine down."""

    def __init__(self, memory_kib: int = MEMORY_KIB, passes: int = PASSES, lanes: int = LANES,
                 at_once: int = AT_ONCE) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._turnstile = threading.BoundedSemaphore(at_once)
        self._nobody = self.hash("nobody has this password")

    def hash(self, password: str) -> str:
        with self._turnstile:
            return self._hasher.hash(_normal(password))

    def fits(self, kept: str | None, password: str) -> bool:
        """Whether the password is the one kept. Without an account (None) the same work is done for nothing,
        so that the time it takes does not tell which sign-in names exist."""
        with self._turnstile:
            try:
                found = self._hasher.verify(kept or self._nobody, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
        return found and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def weakness(password: str, login: str = "") -> Message | None:
    """Why a new password is refused; None when it is good enough."""
    plain = _normal(password)
    if len(plain) < SHORTEST:
        return Message(N_("The password needs at least %(least)s characters."), {"least": SHORTEST})
    if len(plain) > LONGEST:
        return Message(N_("The password may have at most %(most)s characters."), {"most": LONGEST})
    kinds = sum((any(c.islower() for c in plain), any(c.isupper() for c in plain),
                 any(c in string.digits for c in plain), any(not c.isalnum() for c in plain)))
    if kinds < KINDS_WANTED:
        return Message(N_("The password must mix at least three of these: lower-case letters, upper-case letters, "
                          "digits, other characters."))
    folded = plain.casefold()
    if len(login) > 3 and login.casefold() in folded:
        return Message(N_("The password must not contain the sign-in name."))
    if len(set(folded)) < 5 or any(word in folded for word in COMMON):
        return Message(N_("This password is among the first that an attacker would try: choose another."))
    return None
