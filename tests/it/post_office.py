"""A mail server that others wrote (aiosmtpd), for tests: prints its port, and when its input ends, a line of JSON for
each mail that it took. What it refuses depends on the address: later-* once for now, never-* for good,
busy-* closes the connection. With two arguments it wants that user and password."""

import asyncio
import json
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

seen = set()
taken = []


def say(thing):
    print(json.dumps(thing), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("never-"):
            return "550 5.1.1 No such person here"
        if address.startswith("later-") and address not in seen:
            seen.add(address)
            return "451 4.7.1 Try again later"
        if address.startswith("busy-"):
            return "421 4.3.2 Closing for today"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        part = lambda kind: mail.get_body([kind]).get_content()
        head = envelope.content.split(b"\r\n\r\n")[0].decode("ascii")
        taken.append({"from": envelope.mail_from, "to": " ".join(envelope.rcpt_tos), "head": head,
                      "text": part("plain"), "html": part("html")})
        return "250 Taken"


def known(server, session, envelope, mechanism, auth_data):
    right = isinstance(auth_data, LoginPassword) and [auth_data.login.decode(), auth_data.password.decode()] == sys.argv[1:3]
    return AuthResult(success=right, handled=False)


wanted = {"authenticator": known, "auth_required": True, "auth_require_tls": False} if len(sys.argv) > 2 else {}


async def serve():
    loop = asyncio.get_running_loop()
    office = lambda: SMTP(Handler(), hostname="post.example", enable_SMTPUTF8=True, loop=loop, **wanted)
    server = await loop.create_server(office, host="127.0.0.1", port=0)
    say(server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    for mail in taken:
        say(mail)


asyncio.run(serve())
